package dev.adit.ssh;

import java.net.InetAddress;

/**
 * What one logged-in user may do over one connection. It is asked at every channel open and every
 * request, not once at the login. Called on the connection's event loop, so it must not block: no
 * name is resolved and no file is read here. Every default denies.
 */
public interface AccessPolicy {

  /** Who it is for, as the log and the audit name them. */
  String user();

  /**
   * A connection to a target, as the client wrote it (direct-tcpip, direct-streamlocal). Nothing is
   * resolved yet.
   *
   * @return the target to connect to
   */
  default Decision<Target> connect(Target target) {
    return Decision.denied("forwarding to a target is not permitted");
  }

  /**
   * An address that an allowed target's name has resolved to. Only addresses that are allowed here
   * are dialled, and what was asked is what is dialled: there is no second lookup.
   */
  default Decision<InetAddress> dial(Target.Tcp target, InetAddress address) {
    return Decision.denied("forwarding to a target is not permitted");
  }

  /**
   * A listener of a remote forwarding (tcpip-forward, streamlocal-forward), as the client asked for
   * it: {@link Listen.Tcp#bindAddress} is never null here, and empty means all interfaces.
   *
   * @return where to listen; this is how GatewayPorts confines a listener to loopback
   */
  default Decision<Listen> listen(Listen asked) {
    return Decision.denied("remote forwarding is not permitted");
  }

  /**
   * Whether the user may have a listener on a port below 1024, beyond what {@link #listen} says;
   * the system has to agree as well.
   */
  default boolean allowsPrivilegedPorts() {
    return false;
  }

  /**
   * How the Unix sockets of the user's remote forwardings are made (StreamLocalBindMask and
   * StreamLocalBindUnlink); nothing else of the options is looked at.
   */
  default ForwardOptions forwardOptions() {
    return ForwardOptions.DEFAULT;
  }

  /** What to start for a session. A forced command replaces what was asked for. */
  default Decision<Launch> launch(SessionRequest request) {
    return Decision.denied("sessions are not permitted");
  }

  /** A pseudo-terminal for a session. */
  default Decision<PtyOptions> terminal(PtyOptions asked) {
    return Decision.denied("terminals are not permitted");
  }

  /** Whether a variable that the client sends may reach the session. Others are dropped. */
  default boolean acceptsVariable(String name) {
    return false;
  }

  /** Whether the client may lend its agent to a session. */
  default boolean allowsAgentForwarding() {
    return false;
  }

  /** How many sessions may be open at once (MaxSessions). */
  default int maxSessions() {
    return 10;
  }
}
