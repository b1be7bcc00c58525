package dev.adit.ssh.crypto;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * bcrypt_pbkdf, the slow key derivation with which OpenSSH encrypts private key files: PBKDF2's
 * outline, with a variant of bcrypt as its hash (the function of that name in OpenBSD). Pure, safe
 * on any thread, slow on purpose: about 10 ms a round for each 32 bytes.
 */
public final class BcryptPbkdf {
  private static final int OUTPUT_LENGTH = 32;

  /** What is encrypted to make a hash: 8 words. */
  private static final int[] MAGIC =
      words("OxychromaticBlowfishSwatDynamite".getBytes(StandardCharsets.US_ASCII), 8);

  private BcryptPbkdf() {}

  /**
   * Derives a key.
   *
   * @param rounds the cost, 1 to {@link CryptoLimits#MAX_BCRYPT_ROUNDS}
   * @param length bytes wanted, 1 to 1024
   * @throws IllegalArgumentException for an empty passphrase or salt, or numbers out of range
   */
  public static byte[] derive(byte[] passphrase, byte[] salt, int rounds, int length) {
    if (passphrase.length == 0 || salt.length == 0) {
      throw new IllegalArgumentException("bcrypt_pbkdf needs a passphrase and a salt");
    }
    if (rounds < 1
        || rounds > CryptoLimits.MAX_BCRYPT_ROUNDS
        || length < 1
        || length > CryptoLimits.MAX_BCRYPT_OUTPUT) {
      throw new IllegalArgumentException(
          "bcrypt_pbkdf with " + rounds + " rounds for " + length + " bytes");
    }
    byte[] key = new byte[length];
    int[] password = words(Hash.SHA512.of(passphrase), 16);
    // The bytes of each block are dealt out over the whole key, not laid end to end.
    int blocks = (length + OUTPUT_LENGTH - 1) / OUTPUT_LENGTH;
    int share = (length + blocks - 1) / blocks;
    for (int block = 0; block < blocks; block++) {
      int count = block + 1;
      byte[] counter = {
        (byte) (count >>> 24), (byte) (count >>> 16), (byte) (count >>> 8), (byte) count
      };
      byte[] u = hash(password, Hash.SHA512.of(salt, counter));
      byte[] sum = u.clone();
      for (int round = 1; round < rounds; round++) {
        u = hash(password, Hash.SHA512.of(u));
        for (int i = 0; i < OUTPUT_LENGTH; i++) {
          sum[i] ^= u[i];
        }
      }
      for (int i = 0; i < share && i * blocks + block < length; i++) {
        key[i * blocks + block] = sum[i];
      }
      Arrays.fill(sum, (byte) 0);
    }
    Arrays.fill(password, 0);
    return key;
  }

  private static byte[] hash(int[] password, byte[] saltBytes) {
    int[] salt = words(saltBytes, 16);
    var blowfish = new Blowfish();
    blowfish.expand(password, salt);
    for (int i = 0; i < 64; i++) {
      blowfish.expand(salt, Blowfish.NO_SALT);
      blowfish.expand(password, Blowfish.NO_SALT);
    }
    int[] text = MAGIC.clone();
    for (int i = 0; i < text.length; i += 2) {
      for (int j = 0; j < 64; j++) {
        blowfish.encrypt(text, i);
      }
    }
    byte[] out = new byte[OUTPUT_LENGTH];
    for (int i = 0; i < text.length; i++) {
      // Little-endian here, unlike bcrypt itself.
      out[4 * i] = (byte) text[i];
      out[4 * i + 1] = (byte) (text[i] >>> 8);
      out[4 * i + 2] = (byte) (text[i] >>> 16);
      out[4 * i + 3] = (byte) (text[i] >>> 24);
    }
    return out;
  }

  private static int[] words(byte[] bigEndian, int count) {
    int[] words = new int[count];
    for (int i = 0; i < 4 * count; i++) {
      words[i / 4] = words[i / 4] << 8 | (bigEndian[i] & 0xff);
    }
    return words;
  }

  /** Blowfish with the salted key schedule of bcrypt, for keys and salts of 16 words. */
  private static final class Blowfish {
    static final int[] NO_SALT = new int[16];
    private static final int SUBKEYS = 18;
    private static final int BOX = 256;

    /** The start values: the fraction of pi, first the subkeys and then the four boxes. */
    private static final int[] PI = words(Pi.fraction(SUBKEYS + 4 * BOX), SUBKEYS + 4 * BOX);

    private final int[] p = Arrays.copyOf(PI, SUBKEYS);
    private final int[] s = Arrays.copyOfRange(PI, SUBKEYS, PI.length);

    void expand(int[] key, int[] salt) {
      for (int i = 0; i < SUBKEYS; i++) {
        p[i] ^= key[i % 16];
      }
      int[] block = new int[2];
      int next = 0;
      for (int[] table : new int[][] {p, s}) {
        for (int i = 0; i < table.length; i += 2) {
          block[0] ^= salt[next];
          block[1] ^= salt[next + 1];
          next = (next + 2) % 16;
          encrypt(block, 0);
          table[i] = block[0];
          table[i + 1] = block[1];
        }
      }
    }

    void encrypt(int[] block, int at) {
      int[] subkeys = p;
      int[] boxes = s;
      int left = block[at] ^ subkeys[0];
      int right = block[at + 1];
      for (int i = 1; i < SUBKEYS - 1; i += 2) {
        right ^= mix(boxes, left) ^ subkeys[i];
        left ^= mix(boxes, right) ^ subkeys[i + 1];
      }
      block[at] = right ^ subkeys[SUBKEYS - 1];
      block[at + 1] = left;
    }

    private static int mix(int[] boxes, int x) {
      int sum = boxes[x >>> 24] + boxes[BOX + (x >>> 16 & 0xff)];
      return (sum ^ boxes[2 * BOX + (x >>> 8 & 0xff)]) + boxes[3 * BOX + (x & 0xff)];
    }
  }
}
