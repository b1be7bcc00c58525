package dev.adit.explain;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What is usually spoken on a port, as far as it matters here. Nobody can know what really is.
 *
 * @param name for people, {@code HTTP}
 * @param encryptsItself whether it is unreadable to others without a tunnel
 */
record Protocol(String name, boolean encryptsItself) {
  private static final Map<Integer, Protocol> USUAL =
      Map.ofEntries(
          Map.entry(21, inClear("FTP")),
          Map.entry(22, encrypted("SSH")),
          Map.entry(23, inClear("Telnet")),
          Map.entry(25, inClear("SMTP")),
          Map.entry(80, inClear("HTTP")),
          Map.entry(110, inClear("POP3")),
          Map.entry(143, inClear("IMAP")),
          Map.entry(389, inClear("LDAP")),
          Map.entry(443, encrypted("HTTPS")),
          Map.entry(445, inClear("SMB")),
          Map.entry(465, encrypted("SMTP with TLS")),
          Map.entry(636, encrypted("LDAP with TLS")),
          Map.entry(873, inClear("rsync")),
          Map.entry(990, encrypted("FTP with TLS")),
          Map.entry(993, encrypted("IMAP with TLS")),
          Map.entry(995, encrypted("POP3 with TLS")),
          Map.entry(3128, inClear("an HTTP proxy")),
          Map.entry(3306, inClear("MySQL")),
          Map.entry(5432, inClear("PostgreSQL")),
          Map.entry(5900, inClear("VNC")),
          Map.entry(6379, inClear("Redis")),
          Map.entry(8080, inClear("HTTP")),
          Map.entry(8443, encrypted("HTTPS")));

  /** Null where no guess would be right most of the time. */
  static @Nullable Protocol usualOn(int port) {
    return USUAL.get(port);
  }

  /** Whether a browser is what connects there. */
  boolean isWeb() {
    return name.equals("HTTP") || name.equals("HTTPS");
  }

  private static Protocol inClear(String name) {
    return new Protocol(name, false);
  }

  private static Protocol encrypted(String name) {
    return new Protocol(name, true);
  }
}
