package dev.adit.ssh.crypto;

import java.util.Arrays;
import java.util.HexFormat;

/** Ed25519 signatures (RFC 8032 section 5.1, RFC 8709). Pure functions, safe on any thread. */
public final class Ed25519 {
  /** Bytes of a public key, and of the seed that is the private key. */
  public static final int KEY_LENGTH = 32;

  public static final int SIGNATURE_LENGTH = 64;

  /** The y of the points of small order: 0, 1, p-1, and two of order 8. */
  private static final byte[][] SMALL_ORDER = {
    HexFormat.of().parseHex("00".repeat(32)),
    HexFormat.of().parseHex("01" + "00".repeat(31)),
    HexFormat.of().parseHex("ec" + "ff".repeat(30) + "7f"),
    HexFormat.of().parseHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    HexFormat.of().parseHex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")
  };

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

  /**
   * False for a signature or a public key of a wrong length or form, too, and for the public keys
   * with which anybody can sign.
   */
  public static boolean verify(byte[] publicKey, byte[] message, byte[] signature) {
    return publicKey.length == KEY_LENGTH
        && signature.length == SIGNATURE_LENGTH
        && isCanonical(publicKey)
        && !isOfSmallOrder(publicKey)
        && Curves.fastest().verify(publicKey, message, signature);
  }

  /** RFC 8032 section 5.1.3: y is less than p, which is 2^255-19. */
  private static boolean isCanonical(byte[] point) {
    if ((point[KEY_LENGTH - 1] & 0x7f) != 0x7f || (point[0] & 0xff) < 0xed) {
      return true;
    }
    for (int i = 1; i < KEY_LENGTH - 1; i++) {
      if (point[i] != -1) {
        return true;
      }
    }
    return false;
  }

  /** Of order 1, 2, 4 or 8, by its y; OpenSSL takes them. */
  private static boolean isOfSmallOrder(byte[] point) {
    byte[] y = point.clone();
    y[KEY_LENGTH - 1] &= 0x7f;
    for (byte[] small : SMALL_ORDER) {
      if (Arrays.equals(y, small)) {
        return true;
      }
    }
    return false;
  }

  private static void requireSeed(byte[] seed) {
    if (seed.length != KEY_LENGTH) {
      throw new IllegalArgumentException(
          "an Ed25519 seed has " + KEY_LENGTH + " bytes, not " + seed.length);
    }
  }
}
