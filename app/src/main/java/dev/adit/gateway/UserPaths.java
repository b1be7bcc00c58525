package dev.adit.gateway;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The tokens of AuthorizedKeysFile and AuthorizedPrincipalsFile: %h, %u, %U, %%. */
final class UserPaths {
  private UserPaths() {}

  /**
   * The file for a user; what isn't absolute begins at the user's home.
   *
   * @return null if it needs a home and the user has none, or has a token that isn't known
   */
  static @Nullable Path expand(String pattern, Account account) {
    StringBuilder expanded = new StringBuilder();
    Path home = account.home();
    for (int i = 0; i < pattern.length(); i++) {
      char c = pattern.charAt(i);
      if (c != '%') {
        expanded.append(c);
        continue;
      }
      i++;
      switch (i < pattern.length() ? pattern.charAt(i) : '\0') {
        case '%' -> expanded.append('%');
        case 'u' -> expanded.append(account.name());
        case 'U' -> expanded.append(account.uid());
        case 'h' -> {
          if (home == null) {
            return null;
          }
          expanded.append(home);
        }
        default -> {
          return null;
        }
      }
    }
    Path path = Path.of(expanded.toString());
    if (path.isAbsolute()) {
      return path;
    }
    return home == null ? null : home.resolve(path);
  }
}
