package dev.adit.ssh.keys;

/** Decrypting gave nonsense. */
final class WrongPassphraseException extends Exception {
  private static final long serialVersionUID = 1L;

  WrongPassphraseException() {
    super("incorrect passphrase supplied to decrypt private key");
  }
}
