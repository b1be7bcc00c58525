package dev.adit.ssh.crypto;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The MAC algorithms of the name-lists in SSH_MSG_KEXINIT (RFC 6668), best first. */
public enum MacAlgorithm {
  HMAC_SHA2_256_ETM("hmac-sha2-256-etm@openssh.com", Hash.SHA256, true),
  HMAC_SHA2_512_ETM("hmac-sha2-512-etm@openssh.com", Hash.SHA512, true),
  HMAC_SHA2_256("hmac-sha2-256", Hash.SHA256, false),
  HMAC_SHA2_512("hmac-sha2-512", Hash.SHA512, false);

  private final String sshName;
  private final Hash hash;
  private final boolean encryptThenMac;

  MacAlgorithm(String sshName, Hash hash, boolean encryptThenMac) {
    this.sshName = sshName;
    this.hash = hash;
    this.encryptThenMac = encryptThenMac;
  }

  public String sshName() {
    return sshName;
  }

  public Hash hash() {
    return hash;
  }

  /** Bytes of key to derive; a tag is as long. */
  public int keyLength() {
    return hash.length();
  }

  /** Whether the MAC covers the encrypted packet and leaves its length in clear. */
  public boolean isEtm() {
    return encryptThenMac;
  }

  /** Null if the name is none of ours. */
  public static @Nullable MacAlgorithm of(String sshName) {
    for (MacAlgorithm algorithm : values()) {
      if (algorithm.sshName.equals(sshName)) {
        return algorithm;
      }
    }
    return null;
  }

  /** All the names, best first. */
  public static List<String> names() {
    return Arrays.stream(values()).map(MacAlgorithm::sshName).toList();
  }
}
