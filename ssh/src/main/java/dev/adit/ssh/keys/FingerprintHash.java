package dev.adit.ssh.keys;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HexFormat;

/** The hash in a fingerprint, and its written form (FingerprintHash in ssh_config). */
public enum FingerprintHash {
  SHA256("SHA-256"),
  /** Only to compare with old notes: MD5 does not withstand an attacker who makes both keys. */
  MD5("MD5");

  private final String jcaName;

  FingerprintHash(String jcaName) {
    this.jcaName = jcaName;
  }

  byte[] digest(byte[] keyBlob) {
    try {
      return MessageDigest.getInstance(jcaName).digest(keyBlob);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("this Java runtime has no " + jcaName, e);
    }
  }

  String write(byte[] digest) {
    return switch (this) {
      case SHA256 -> "SHA256:" + Base64.getEncoder().withoutPadding().encodeToString(digest);
      case MD5 -> "MD5:" + HexFormat.ofDelimiter(":").formatHex(digest);
    };
  }
}
