package dev.adit.ssh.crypto;

/** Ed25519 signatures (RFC 8032 section 5.1, RFC 8709). Pure functions, safe on any thread. */
public final class Ed25519 {
  /** Bytes of a public key, and of the seed that is the private key. */
  public static final int KEY_LENGTH = 32;

  public static final int SIGNATURE_LENGTH = 64;

  private Ed25519() {}

  public static byte[] publicKey(byte[] seed) {
    requireSeed(seed);
    return Curves.fastest().ed25519Public(seed);
  }

  /** Signs in time that does not depend on the seed. */
  public static byte[] sign(byte[] seed, byte[] message) {
    requireSeed(seed);
    return Curves.fastest().sign(seed, message);
  }

  /** False for a signature or a public key of a wrong length or form, too. */
  public static boolean verify(byte[] publicKey, byte[] message, byte[] signature) {
    return publicKey.length == KEY_LENGTH
        && signature.length == SIGNATURE_LENGTH
        && Curves.fastest().verify(publicKey, message, signature);
  }

  private static void requireSeed(byte[] seed) {
    if (seed.length != KEY_LENGTH) {
      throw new IllegalArgumentException(
          "an Ed25519 seed has " + KEY_LENGTH + " bytes, not " + seed.length);
    }
  }
}
