package dev.adit.ssh.keys;

import dev.adit.ssh.wire.MalformedDataException;
import org.jspecify.annotations.Nullable;

/** A private key file's content, read as far as that goes without a passphrase. */
interface KeyFormat {

  boolean isEncrypted();

  /** Null where even the public key is encrypted. */
  @Nullable SshPublicKey publicKey();

  /** A key with its comment, which may be empty. */
  record Opened(PrivateKey key, String comment) {}

  /**
   * Decrypts and reads the private key.
   *
   * @param passphrase in UTF-8; ignored where nothing is encrypted
   * @throws WrongPassphraseException if that is what it looks like
   */
  Opened open(byte[] passphrase) throws MalformedDataException, WrongPassphraseException;
}
