package dev.adit.gateway;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Someone who may log in.
 *
 * @param name as the system has it; a name that is safe in a path
 * @param uid of a tunnel user, that of the account which runs aditd: its files are that account's
 * @param groups names, the main one first; a tunnel user has none
 * @param home null for a tunnel user
 * @param shell null for a tunnel user
 * @param isOwn the account that runs aditd: sessions and Unix sockets are for it alone
 */
record Account(
    String name,
    long uid,
    List<String> groups,
    @Nullable Path home,
    @Nullable Path shell,
    boolean isOwn) {

  Account {
    groups = List.copyOf(groups);
  }

  /** Someone of TunnelUsers: exists only here. */
  boolean isTunnelUser() {
    return home == null;
  }
}
