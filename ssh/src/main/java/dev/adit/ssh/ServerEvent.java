package dev.adit.ssh;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What happens at a server, for its log and its audit. What peers said is escaped already. Events
 * may come on any thread, an event loop too, so whoever takes them must not block; the events of
 * one connection come in their order.
 */
public sealed interface ServerEvent {

  /** Whose event it is. */
  Peer peer();

  /** A client has connected. */
  record Connected(Peer peer) implements ServerEvent {}

  /** A client's connection was turned away before the first byte, by MaxStartups for example. */
  record TurnedAway(Peer peer, String why) implements ServerEvent {}

  /** The first key exchange has ended. */
  record KeysExchanged(Peer peer, HandshakeInfo handshake) implements ServerEvent {}

  /**
   * A method has failed. Offering a key that is not taken counts, as with sshd; asking for the
   * methods ({@code none}) does not.
   *
   * @param user as the client named it
   * @param valid whether the user exists
   * @param key the key that was offered, or null
   */
  record LoginFailed(
      Peer peer, String user, boolean valid, String method, @Nullable UserKey key, String why)
      implements ServerEvent {}

  /**
   * The client has used up its tries (MaxAuthTries) and is disconnected.
   *
   * @param valid whether the user exists
   */
  record TooManyFailures(Peer peer, String user, boolean valid) implements ServerEvent {}

  /** A method has succeeded and more are wanted (partial success). */
  record MethodSucceeded(Peer peer, String user, String method, @Nullable UserKey key)
      implements ServerEvent {}

  /**
   * The user is in.
   *
   * @param methods that were completed
   * @param key the last key that was proven, or null
   */
  record LoggedIn(Peer peer, String user, List<String> methods, @Nullable UserKey key)
      implements ServerEvent {}

  /** Something happened inside a connection whose user is in. */
  record Tunnel(Peer peer, String user, TunnelEvent event) implements ServerEvent {}

  /**
   * The connection has ended.
   *
   * @param user null if nobody had logged in
   * @param cause why, naming the culprit
   */
  record Disconnected(Peer peer, @Nullable String user, SshException cause)
      implements ServerEvent {}
}
