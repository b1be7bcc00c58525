package dev.adit.ssh;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A server to log in to, as it is named on a command line.
 *
 * @param user the account there, or null when none was named
 * @param host a name, an address without brackets, or an alias of a configuration file
 * @param port 1 to 65535, or 0 when none was named
 */
public record Destination(@Nullable String user, String host, int port) {

  /** How many hops a jump list may have; a longer one is a mistake or an attack on our patience. */
  public static final int MAX_JUMPS = 64;

  public Destination {
    if (host.isEmpty()) {
      throw new IllegalArgumentException("no host");
    }
    if (port < 0 || port > 65535) {
      throw new IllegalArgumentException("port out of range: " + port);
    }
  }

  /**
   * Reads {@code [user@]host} or {@code ssh://[user@]host[:port]}. The last {@code @} is the one
   * that parts the user from the host; without the scheme a colon belongs to the host, so that an
   * IPv6 address needs no brackets.
   *
   * @throws BadSpecException when user or host is missing or the URI is wrong
   */
  public static Destination parse(String spec) {
    return new SpecReader("destination", spec).destination();
  }

  /**
   * Reads one hop of {@code -J}: {@code [user@]host[:port]} or {@code ssh://[user@]host[:port]}.
   *
   * @throws BadSpecException when it is something else
   */
  public static Destination parseJump(String spec) {
    return new SpecReader("jump host", spec).jump();
  }

  /**
   * Reads the argument of {@code -J}: hops in the order in which they are travelled, parted by
   * commas; {@code none} (in any case) is the empty list.
   *
   * @throws BadSpecException when one of the hops is wrong; column and text are those of the list
   */
  public static List<Destination> parseJumps(String spec) {
    if (spec.equalsIgnoreCase("none")) {
      return List.of();
    }
    var hops = new ArrayList<Destination>();
    int start = 0;
    while (true) {
      int comma = spec.indexOf(',', start);
      int end = comma < 0 ? spec.length() : comma;
      try {
        hops.add(parseJump(spec.substring(start, end)));
      } catch (BadSpecException e) {
        throw new BadSpecException("jump host", spec, start + e.column(), e.expected());
      }
      if (comma < 0) {
        return List.copyOf(hops);
      }
      if (hops.size() == MAX_JUMPS) {
        throw new BadSpecException("jump host", spec, comma, "an end after " + MAX_JUMPS + " hops");
      }
      start = comma + 1;
    }
  }

  /** As in a jump list: {@code user@host:port}, the user and the port where they are known. */
  @Override
  public String toString() {
    return (user == null ? "" : user + "@")
        + (port == 0 ? host : SpecReader.bracketed(host) + ":" + port);
  }
}
