package dev.adit.config.server;

import dev.adit.config.Patterns;

/** The patterns of AllowUsers and DenyUsers: {@code user} or {@code user@host}. */
public final class UserPattern {
  private UserPattern() {}

  /**
   * Whether a pattern is about a user who comes from somewhere.
   *
   * @param host the client's name; its address where names are not looked up
   * @param address the client's address
   */
  public static boolean matches(String pattern, String user, String host, String address) {
    int at = pattern.lastIndexOf('@');
    if (at < 0) {
      return Patterns.matches(user, pattern);
    }
    return Patterns.matches(user, pattern.substring(0, at))
        && matchesHost(pattern.substring(at + 1), host, address);
  }

  /** Whether a list of host patterns and CIDR blocks has a client's name or its address. */
  public static boolean matchesHost(String list, String host, String address) {
    var byAddress = AddressList.verdict(address, list);
    if (byAddress == Patterns.Verdict.EXCLUDED) {
      return false;
    }
    var byName = Patterns.hosts(host, list);
    return byName != Patterns.Verdict.EXCLUDED
        && (byName == Patterns.Verdict.MATCHED || byAddress == Patterns.Verdict.MATCHED);
  }

  static boolean isValid(String pattern) {
    int at = pattern.lastIndexOf('@');
    return !pattern.isEmpty() && (at < 0 || AddressList.isValid(pattern.substring(at + 1)));
  }
}
