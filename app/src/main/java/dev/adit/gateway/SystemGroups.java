package dev.adit.gateway;

import java.util.List;

/** The groups of this system's users, from wherever the system has them (NSS). */
public final class SystemGroups {
  private SystemGroups() {}

  /** The names of a user's groups, the main one first; empty for a user who doesn't exist. */
  public static List<String> of(String user) {
    Account account = Accounts.SYSTEM.find(user, List.of());
    return account == null ? List.of() : account.groups();
  }
}
