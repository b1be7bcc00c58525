package dev.adit.config;

import java.util.Locale;

/** The patterns of ssh_config(5): {@code *}, {@code ?}, and lists with negation. */
public final class Patterns {
  private Patterns() {}

  /** What a pattern list says about a text. */
  public enum Verdict {
    MATCHED,
    NOT_MATCHED,
    /** A negated entry matched: nothing else on the list can help. */
    EXCLUDED
  }

  /** Case-sensitive; the time is at most the product of both lengths. */
  public static boolean matches(String text, String pattern) {
    int t = 0;
    int p = 0;
    int star = -1;
    int retry = 0;
    while (t < text.length()) {
      if (p < pattern.length() && pattern.charAt(p) == '*') {
        star = p++;
        retry = t;
      } else if (p < pattern.length()
          && (pattern.charAt(p) == '?' || pattern.charAt(p) == text.charAt(t))) {
        p++;
        t++;
      } else if (star >= 0) {
        p = star + 1;
        t = ++retry;
      } else {
        return false;
      }
    }
    while (p < pattern.length() && pattern.charAt(p) == '*') {
      p++;
    }
    return p == pattern.length();
  }

  public static boolean hasWildcard(String pattern) {
    return pattern.indexOf('*') >= 0 || pattern.indexOf('?') >= 0;
  }

  /** A list parted by commas; a negated entry that matches wins over everything. */
  public static Verdict list(String text, String patterns) {
    return anyOf(text, patterns.split(",", -1));
  }

  /** As {@link #list}, for host names: the list's case does not matter. */
  public static Verdict hosts(String host, String patterns) {
    return list(host, patterns.toLowerCase(Locale.ROOT));
  }

  public static Verdict anyOf(String text, String... patterns) {
    var verdict = Verdict.NOT_MATCHED;
    for (var pattern : patterns) {
      boolean negated = pattern.startsWith("!");
      if (matches(text, negated ? pattern.substring(1) : pattern)) {
        if (negated) {
          return Verdict.EXCLUDED;
        }
        verdict = Verdict.MATCHED;
      }
    }
    return verdict;
  }
}
