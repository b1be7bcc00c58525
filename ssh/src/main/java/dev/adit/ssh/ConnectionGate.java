package dev.adit.ssh;

import org.jspecify.annotations.Nullable;

/**
 * Decides, before the first byte, whether a server takes a connection at all: the place for limits
 * such as MaxStartups. Called on an event loop, several at once; must not block.
 */
@FunctionalInterface
public interface ConnectionGate {

  /** Takes every connection. */
  ConnectionGate OPEN = _ -> null;

  /**
   * @return null to take the connection, otherwise why not, for {@link ServerEvent.TurnedAway}. A
   *     connection that was taken ends with {@link ServerEvent.Disconnected}, and is a startup no
   *     longer from {@link ServerEvent.LoggedIn} on
   */
  @Nullable String refusal(Peer peer);
}
