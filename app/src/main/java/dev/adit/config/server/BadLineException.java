package dev.adit.config.server;

import dev.adit.config.ConfigException;

/** A line that can't be used, after which sshd reads on, so that all of them are told at once. */
final class BadLineException extends ConfigException {
  private static final long serialVersionUID = 1L;

  BadLineException(String message) {
    super(message);
  }
}
