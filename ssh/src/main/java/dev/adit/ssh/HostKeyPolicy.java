package dev.adit.ssh;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Decides whether a server is the one that was meant. */
public interface HostKeyPolicy {

  /** How far a server whose key was accepted can be trusted. */
  enum Trust {
    /** It is the one that was meant. */
    VERIFIED,
    /**
     * Nobody knows who it is, and the connection goes on all the same: passwords, answers to its
     * questions, the agent and forwardings are kept from it. Streams of {@link
     * SshConnection#openStream} are not.
     */
    UNVERIFIED
  }

  /**
   * Returns to accept. Called on a virtual thread, once a connection, after the server has proven
   * that it holds the key; may block and ask. Whatever it throws refuses the key.
   *
   * @param address the IP address that the connection really goes to, or null behind a proxy
   * @param hostKey the public key blob, or the certificate's (RFC 4253 section 6.6)
   */
  Trust check(String host, int port, @Nullable String address, byte[] hostKey) throws SshException;

  /** The algorithms in the order in which to ask for them, those of known keys first. */
  default List<String> order(String host, int port, List<String> algorithms) {
    return algorithms;
  }

  /** What a program must do that has not said whom to trust. */
  static HostKeyPolicy refuseAll() {
    return (host, _, _, _) -> {
      throw new SshException.HostKeyRejected(
          "No host key of " + host + " is trusted: set a host key policy.");
    };
  }

  /** For tests on loopback; anyone on the path can pose as the server. */
  static HostKeyPolicy acceptAnyInsecurely() {
    return (_, _, _, _) -> Trust.VERIFIED;
  }

  /** By known_hosts files, as ssh does it. */
  static HostKeyPolicy knownHosts(KnownHostsOptions options) {
    return new KnownHostsPolicy(options);
  }
}
