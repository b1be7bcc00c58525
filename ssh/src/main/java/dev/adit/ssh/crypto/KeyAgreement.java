package dev.adit.ssh.crypto;

/**
 * One run of a key agreement from the side that speaks first, the SSH client: Diffie-Hellman, an
 * elliptic curve, or a hybrid with a post-quantum KEM. Single use; not thread-safe.
 */
public interface KeyAgreement {

  /**
   * What the initiator sends: for DH the mpint e without its length (as {@link
   * java.math.BigInteger#toByteArray}), otherwise the content of the string Q_C or C_INIT.
   */
  byte[] initiation();

  /**
   * Takes the responder's f, Q_S or S_REPLY, and yields the shared secret K in the form in which
   * the exchange hash takes it, its length included: an mpint, or for the hybrids a string.
   *
   * @throws InvalidKeyExchangeException for values that must not be used: e or f outside 2..p-2, a
   *     point off the curve, an all-zero X25519 result, a wrong length
   */
  byte[] secret(byte[] reply) throws InvalidKeyExchangeException;

  /**
   * The responder's part: both the message to send and the outcome.
   *
   * @param reply f, Q_S or S_REPLY, in the form of {@link #initiation}
   * @param secret K in the form of {@link #secret}
   */
  record Response(byte[] reply, byte[] secret) {}
}
