package dev.adit.ssh.crypto;

/** The peer's key exchange value must not be used; the message says why. */
public final class InvalidKeyExchangeException extends Exception {
  private static final long serialVersionUID = 1L;

  public InvalidKeyExchangeException(String message) {
    super(message);
  }
}
