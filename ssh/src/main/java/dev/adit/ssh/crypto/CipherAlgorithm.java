package dev.adit.ssh.crypto;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The encryption algorithms of the name-lists in SSH_MSG_KEXINIT. */
public enum CipherAlgorithm {
  AES128_GCM("aes128-gcm@openssh.com", 16, 12, true),
  AES256_GCM("aes256-gcm@openssh.com", 32, 12, true),
  CHACHA20_POLY1305("chacha20-poly1305@openssh.com", 64, 0, true),
  AES128_CTR("aes128-ctr", 16, 16, false),
  AES192_CTR("aes192-ctr", 24, 16, false),
  AES256_CTR("aes256-ctr", 32, 16, false);

  private final String sshName;
  private final int keyLength;
  private final int ivLength;
  private final boolean aead;

  CipherAlgorithm(String sshName, int keyLength, int ivLength, boolean aead) {
    this.sshName = sshName;
    this.keyLength = keyLength;
    this.ivLength = ivLength;
    this.aead = aead;
  }

  public String sshName() {
    return sshName;
  }

  /** Bytes of key to derive. */
  public int keyLength() {
    return keyLength;
  }

  /** Bytes of IV to derive. */
  public int ivLength() {
    return ivLength;
  }

  /** Whether it authenticates by itself, so that the MAC that was negotiated is not used. */
  public boolean isAead() {
    return aead;
  }

  /** Null if the name is none of ours. */
  public static @Nullable CipherAlgorithm of(String sshName) {
    for (CipherAlgorithm algorithm : values()) {
      if (algorithm.sshName.equals(sshName)) {
        return algorithm;
      }
    }
    return null;
  }

  /** All the names, best first: AES-GCM leads where the CPU has AES, otherwise chacha20. */
  public static List<String> names() {
    List<String> names = new ArrayList<>();
    for (CipherAlgorithm algorithm : values()) {
      names.add(algorithm.sshName);
    }
    if (!Cpu.hasAes()) {
      names.remove(CHACHA20_POLY1305.sshName);
      names.addFirst(CHACHA20_POLY1305.sshName);
    }
    return List.copyOf(names);
  }
}
