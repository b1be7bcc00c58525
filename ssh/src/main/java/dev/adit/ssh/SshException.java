package dev.adit.ssh;

import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What can go wrong with an SSH connection, named by its culprit. The message is one line that a
 * person can act on; nothing secret is in it, and text that came from the peer is escaped before it
 * is shown (see {@link Disconnected#getMessage}).
 */
public abstract sealed class SshException extends IOException {
  private static final long serialVersionUID = 1L;

  private SshException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  /** The peer broke the protocol: what it did, and in which state. */
  public static final class PeerMisbehaved extends SshException {
    private static final long serialVersionUID = 1L;
    private final int reasonCode;

    public PeerMisbehaved(String what) {
      this(what, 2, null);
    }

    public PeerMisbehaved(String what, @Nullable Throwable cause) {
      this(what, 2, cause);
    }

    /**
     * @param reasonCode the code of the SSH_MSG_DISCONNECT that answers it (RFC 4253 section 11.1)
     */
    public PeerMisbehaved(String what, int reasonCode, @Nullable Throwable cause) {
      super(what, cause);
      this.reasonCode = reasonCode;
    }

    public int reasonCode() {
      return reasonCode;
    }
  }

  /** The two sides have no algorithm in common (RFC 4253 section 7.1), or only an unsafe set. */
  public static final class NegotiationFailed extends SshException {
    private static final long serialVersionUID = 1L;

    public NegotiationFailed(String message) {
      super(message, null);
    }

    /**
     * @param peer where the other side is
     * @param what the kind of algorithm, in the words of ssh
     */
    public NegotiationFailed(String peer, String what, List<String> ours, List<String> theirs) {
      super(
          "Unable to negotiate with %s: no matching %s found. Their offer: %s; ours: %s"
              .formatted(peer, what, String.join(",", theirs), String.join(",", ours)),
          null);
    }
  }

  /** The server's host key is not the one that is known, or nobody vouched for it. */
  public static final class HostKeyRejected extends SshException {
    private static final long serialVersionUID = 1L;

    public HostKeyRejected(String message) {
      super(message, null);
    }
  }

  /** No authentication method led in (RFC 4252). */
  public static final class AuthenticationFailed extends SshException {
    private static final long serialVersionUID = 1L;
    private final transient List<String> methodsTried;
    private final transient List<String> methodsLeft;

    public AuthenticationFailed(
        String message, List<String> methodsTried, List<String> methodsLeft) {
      super(message, null);
      this.methodsTried = List.copyOf(methodsTried);
      this.methodsLeft = List.copyOf(methodsLeft);
    }

    public List<String> methodsTried() {
      return methodsTried;
    }

    /** What the server would still have accepted. */
    public List<String> methodsLeft() {
      return methodsLeft;
    }
  }

  /** A forwarding could not be set up: a port in use, a refusal by the server. */
  public static final class ForwardRefused extends SshException {
    private static final long serialVersionUID = 1L;

    public ForwardRefused(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** The peer did not open a channel (SSH_MSG_CHANNEL_OPEN_FAILURE, RFC 4254 section 5.1). */
  public static final class ChannelRefused extends SshException {
    private static final long serialVersionUID = 1L;
    private final int reason;

    public ChannelRefused(int reason, String message) {
      super(message, null);
      this.reason = reason;
    }

    /** The reason code of RFC 4254 section 5.1. */
    public int reason() {
      return reason;
    }
  }

  /** The peer did not do what a channel request asked for (RFC 4254 section 5.4). */
  public static final class RequestRefused extends SshException {
    private static final long serialVersionUID = 1L;

    public RequestRefused(String message) {
      super(message, null);
    }
  }

  /** The connection could not be made, or has ended. */
  public static final class Disconnected extends SshException {
    private static final long serialVersionUID = 1L;
    private final boolean byRemote;
    private final int code;

    public Disconnected(boolean byRemote, int code, String message, @Nullable Throwable cause) {
      super(message, cause);
      this.byRemote = byRemote;
      this.code = code;
    }

    public static Disconnected local(String message) {
      return new Disconnected(false, 0, message, null);
    }

    public static Disconnected local(String message, @Nullable Throwable cause) {
      return new Disconnected(false, 0, message, cause);
    }

    /** True when the peer (or the network) ended it, false when we did. */
    public boolean byRemote() {
      return byRemote;
    }

    /** The reason code of SSH_MSG_DISCONNECT, or 0 where none was sent. */
    public int code() {
      return code;
    }
  }
}
