package dev.adit.ssh;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What happens inside a connection that people want to see: in {@code -v}, in an audit log, on a
 * dashboard. Events come on the connection's event loop, so whoever takes them must not block.
 *
 * <p>A server doesn't learn where a remote forwarding leads to, so its events name one as {@link
 * ForwardSpec.RemoteDynamic}, with what the client said escaped.
 */
public sealed interface TunnelEvent {

  /** A listener is up: here for -L and -D, at the server for -R. */
  record ForwardListening(ForwardSpec spec, String where) implements TunnelEvent {}

  /** A listener is gone. */
  record ForwardClosed(ForwardSpec spec, String where) implements TunnelEvent {}

  /** A server did not give its client the listener that it asked for. */
  record ForwardRefused(ForwardSpec spec, String why) implements TunnelEvent {}

  /**
   * A channel was asked for.
   *
   * @param channel our number of it
   * @param type as in RFC 4254 section 7.2 and OpenSSH's PROTOCOL: {@code direct-tcpip}
   * @param what for whom and to where, with everything that the peer said escaped
   */
  record ChannelOpening(int channel, String type, String what, boolean byPeer)
      implements TunnelEvent {}

  record ChannelOpened(int channel, String type) implements TunnelEvent {}

  /** The open was refused, by the peer or by us. */
  record ChannelRefused(int channel, String type, String why, boolean byPeer)
      implements TunnelEvent {}

  /**
   * A channel has ended.
   *
   * @param sent bytes of data that we sent, received: bytes that the peer sent
   * @param closedBy who ended it, in words
   */
  record ChannelClosed(
      int channel, String type, long sent, long received, Duration age, String closedBy)
      implements TunnelEvent {}

  /**
   * A session's program was started, at a server.
   *
   * @param what as sshd words it: {@code command: ls}, {@code shell on /dev/pts/3}; escaped
   */
  record SessionStarted(int channel, String what) implements TunnelEvent {}

  /** A session's program has ended, at a server. */
  record SessionEnded(int channel, ExitStatus how) implements TunnelEvent {}

  /** Something that a person should read once: a refusal at the far end, a peer's odd habit. */
  record Notice(String text) implements TunnelEvent {}

  /** The connection has ended; null when we closed it. */
  record Disconnected(@Nullable SshException cause) implements TunnelEvent {}
}
