package dev.adit.config.server;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What Match blocks ask about a connection. What is null matches nothing, as with {@code sshd -T
 * -C}.
 *
 * @param user as the client named it
 * @param groups of the user; empty where there is no such user
 * @param host the client's name, or its address where names are not looked up
 * @param address the client's address
 * @param localAddress our address
 * @param localPort our port, or -1
 * @param routingDomain never known here but in tests
 */
public record ConnectionFacts(
    @Nullable String user,
    List<String> groups,
    @Nullable String host,
    @Nullable String address,
    @Nullable String localAddress,
    int localPort,
    @Nullable String routingDomain) {

  /** Of a connection of which nothing is known: only {@code Match all} matches it. */
  public static final ConnectionFacts NOTHING =
      new ConnectionFacts(null, List.of(), null, null, null, -1, null);

  public ConnectionFacts {
    groups = List.copyOf(groups);
  }

  public ConnectionFacts(
      @Nullable String user,
      List<String> groups,
      @Nullable String host,
      @Nullable String address,
      @Nullable String localAddress,
      int localPort) {
    this(user, groups, host, address, localAddress, localPort, null);
  }
}
