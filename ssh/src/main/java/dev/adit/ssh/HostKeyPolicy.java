package dev.adit.ssh;

import java.util.List;

/** Decides whether a server is the one that was meant. */
public interface HostKeyPolicy {

  /**
   * Returns to accept. Called on a virtual thread, once a connection, after the server has proven
   * that it holds the key; may block and ask. Whatever it throws refuses the key.
   *
   * @param address where the connection really goes, for messages: {@code 192.0.2.1 port 22}
   * @param hostKey the public key blob, or the certificate's (RFC 4253 section 6.6)
   */
  void check(String host, int port, String address, byte[] hostKey) throws SshException;

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
    return (_, _, _, _) -> {};
  }
}
