package dev.adit.ssh.keys;

import java.io.IOException;
import java.util.List;

/**
 * A private key that can be used: from a file, in an agent, or either with a certificate. Signing
 * may block (an agent may ask its user), so it is never called on an event loop.
 */
public interface Signer {

  /** The public key blob to offer (RFC 4253 section 6.6): the certificate's, where there is one. */
  byte[] publicKeyBlob();

  /** What to call the key in messages: the file's path, or the agent's comment. */
  String name();

  /**
   * The signature algorithm names that this key can be used with, best first, in the form that goes
   * into SSH_MSG_USERAUTH_REQUEST: {@code rsa-sha2-512}, {@code ssh-ed25519-cert-v01@openssh.com}.
   */
  List<String> algorithms();

  /**
   * Signs.
   *
   * @param algorithm one of {@link #algorithms}
   * @return the signature blob: {@code string} algorithm, {@code string} signature
   */
  byte[] sign(String algorithm, byte[] data) throws IOException;
}
