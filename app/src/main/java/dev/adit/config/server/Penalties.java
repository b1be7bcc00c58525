package dev.adit.config.server;

import dev.adit.config.ConfigException;
import dev.adit.config.Values;
import dev.adit.ssh.Limit;
import java.util.List;

/**
 * For how long a source of trouble is turned away, in seconds (PerSourcePenalties).
 *
 * @param enabled false: nobody is
 * @param crash after a fault of ours that its client has provoked
 * @param authfail after a failed login
 * @param noauth after a connection that did not try to log in
 * @param graceExceeded after one that did not log in within LoginGraceTime
 * @param refuseConnection after RefuseConnection
 * @param max penalties add up to this
 * @param min only from here on a source is turned away
 * @param maxSources4 so many IPv4 sources are remembered
 * @param maxSources6 so many IPv6 sources are remembered
 * @param denyAll4 with no room left, {@code deny-all} instead of {@code permissive}
 * @param denyAll6 likewise for IPv6
 */
public record Penalties(
    boolean enabled,
    int crash,
    int authfail,
    int noauth,
    int graceExceeded,
    int refuseConnection,
    @Limit(
            bounds =
                "Time for which a source of trouble is turned away, whatever it did "
                    + "(PerSourcePenalties max)",
            unit = "seconds",
            beyond = "it is let in again",
            provenBy = "StartupsTest.aPenaltyHasItsEnd")
        int max,
    int min,
    @Limit(
            bounds = "IPv4 sources whose offences are remembered (max-sources4)",
            beyond =
                "the one that would be let in first is forgotten, or with "
                    + "overflow:deny-all nobody new is let in",
            provenBy = "StartupsTest.theTableOfOffendersIsBounded")
        int maxSources4,
    @Limit(
            bounds = "IPv6 sources whose offences are remembered (max-sources6)",
            beyond = "the same",
            provenBy = "StartupsTest.theTableOfOffendersIsBounded")
        int maxSources6,
    boolean denyAll4,
    boolean denyAll6) {

  /** sshd's, since 9.8. */
  public static final Penalties DEFAULT =
      new Penalties(true, 90, 5, 1, 10, 10, 600, 15, 65_536, 65_536, false, false);

  /** More sources would be more memory than a table of offenders is worth. */
  private static final int MAX_SOURCES = 1 << 20;

  static Penalties of(List<?> words) {
    var penalties = DEFAULT;
    for (var word : words) {
      try {
        penalties = penalties.with((String) word);
      } catch (ConfigException e) {
        throw new IllegalStateException("was read before", e);
      }
    }
    return penalties;
  }

  /** With one word of the configuration applied. */
  Penalties with(String word) throws ConfigException {
    switch (word) {
      case "yes", "true":
        return enabled(true);
      case "no", "false":
        return enabled(false);
      default:
        break;
    }
    int colon = word.indexOf(':');
    var name = colon < 0 ? word : word.substring(0, colon);
    var value = colon < 0 ? "" : word.substring(colon + 1);
    int crash = this.crash;
    int authfail = this.authfail;
    int noauth = this.noauth;
    int graceExceeded = this.graceExceeded;
    int refuseConnection = this.refuseConnection;
    int max = this.max;
    int min = this.min;
    int maxSources4 = this.maxSources4;
    int maxSources6 = this.maxSources6;
    boolean denyAll4 = this.denyAll4;
    boolean denyAll6 = this.denyAll6;
    switch (name) {
      case "crash" -> crash = time(value);
      case "authfail" -> authfail = time(value);
      case "noauth" -> noauth = time(value);
      case "grace-exceeded" -> graceExceeded = time(value);
      case "refuseconnection" -> refuseConnection = time(value);
      case "max" -> max = time(value);
      case "min" -> min = time(value);
      case "max-sources4" -> maxSources4 = sources(value);
      case "max-sources6" -> maxSources6 = sources(value);
      case "overflow" -> denyAll4 = isDenyAll(value);
      case "overflow6" -> denyAll6 = isDenyAll(value);
      default ->
          throw new ConfigException(
              "unsupported PerSourcePenalties keyword \"%s\"".formatted(word));
    }
    return new Penalties(
        enabled,
        crash,
        authfail,
        noauth,
        graceExceeded,
        refuseConnection,
        max,
        min,
        maxSources4,
        maxSources6,
        denyAll4,
        denyAll6);
  }

  private Penalties enabled(boolean yes) {
    return new Penalties(
        yes,
        crash,
        authfail,
        noauth,
        graceExceeded,
        refuseConnection,
        max,
        min,
        maxSources4,
        maxSources6,
        denyAll4,
        denyAll6);
  }

  private static int time(String text) throws ConfigException {
    try {
      return Values.seconds(text);
    } catch (ConfigException e) {
      throw new ConfigException("invalid PerSourcePenalties duration", e);
    }
  }

  private static int sources(String text) throws ConfigException {
    if (text.matches("\\d{1,7}")) {
      int value = Integer.parseInt(text);
      if (value >= 1 && value <= MAX_SOURCES) {
        return value;
      }
    }
    throw new ConfigException(
        "invalid PerSourcePenalties number of sources: 1 to %d".formatted(MAX_SOURCES));
  }

  private static boolean isDenyAll(String text) throws ConfigException {
    return switch (text) {
      case "deny-all" -> true;
      case "permissive" -> false;
      default -> throw new ConfigException("invalid PerSourcePenalties overflow mode");
    };
  }

  @Override
  public String toString() {
    return enabled
        ? "crash:%d authfail:%d noauth:%d grace-exceeded:%d refuseconnection:%d max:%d min:%d"
                .formatted(crash, authfail, noauth, graceExceeded, refuseConnection, max, min)
            + " max-sources4:%d max-sources6:%d overflow:%s overflow6:%s"
                .formatted(maxSources4, maxSources6, mode(denyAll4), mode(denyAll6))
        : "no";
  }

  private static String mode(boolean isDenyAll) {
    return isDenyAll ? "deny-all" : "permissive";
  }
}
