package dev.adit.ssh.crypto;

import java.security.SecureRandom;

/** Where keys, nonces and padding come from. */
public final class Randomness {
  private Randomness() {}

  /** The operating system's generator, which never blocks once the system is up. Thread-safe. */
  public static SecureRandom source() {
    return Source.RANDOM;
  }

  /** New random bytes. */
  public static byte[] bytes(int count) {
    byte[] bytes = new byte[count];
    source().nextBytes(bytes);
    return bytes;
  }

  private static final class Source {
    static final SecureRandom RANDOM = new SecureRandom();
  }
}
