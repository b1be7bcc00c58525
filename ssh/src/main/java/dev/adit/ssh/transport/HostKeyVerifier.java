package dev.adit.ssh.transport;

import dev.adit.ssh.SshException;

/** Decides whether a server is the one that was meant. */
@FunctionalInterface
public interface HostKeyVerifier {

  /**
   * Returns to accept. Called on the control lane, once a connection, after the server has proven
   * that it holds the key; may block. Whatever it throws refuses the key.
   *
   * @param hostKey the public key blob, or the certificate's (RFC 4253 section 6.6)
   */
  void verify(byte[] hostKey) throws SshException;
}
