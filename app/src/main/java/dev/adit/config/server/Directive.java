package dev.adit.config.server;

import java.util.List;

/** A line of a file, read and checked. */
sealed interface Directive {

  record Setting(ServerKeyword keyword, Object value) implements Directive {}

  record Match(MatchCriteria criteria) implements Directive {}

  /** The files of an Include, which were read with it. */
  record Include(List<List<Directive>> files) implements Directive {}
}
