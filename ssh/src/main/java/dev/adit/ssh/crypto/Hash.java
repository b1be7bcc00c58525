package dev.adit.ssh.crypto;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;

/** The hash functions of key exchange and signatures. */
public enum Hash {
  SHA256("SHA-256", 32),
  SHA384("SHA-384", 48),
  SHA512("SHA-512", 64);

  private final String jcaName;
  private final int length;

  Hash(String jcaName, int length) {
    this.jcaName = jcaName;
    this.length = length;
  }

  /** Bytes of a digest. */
  public int length() {
    return length;
  }

  /**
   * A new digest, always the JDK's own: it is loaded anyway, and has the CPU's SHA instructions.
   */
  public MessageDigest newDigest() {
    try {
      return MessageDigest.getInstance(jcaName, Jdk.SUN);
    } catch (GeneralSecurityException e) {
      throw Jdk.missing(jcaName, e);
    }
  }

  /** The digest of all the parts, one behind the other. */
  public byte[] of(byte[]... parts) {
    MessageDigest digest = newDigest();
    for (byte[] part : parts) {
      digest.update(part);
    }
    return digest.digest();
  }

  /** "SHA256", as in "SHA256withRSA". */
  String signaturePrefix() {
    return name();
  }
}
