package dev.adit.ssh.crypto;

import java.security.MessageDigest;
import java.util.Arrays;

/** Keys, IVs and MAC keys out of a key exchange (RFC 4253 section 7.2). */
public final class KeyDerivation {

  private KeyDerivation() {}

  /**
   * Derives one value.
   *
   * @param hash the hash of the key exchange method
   * @param secret K with its length in front, as {@link KeyAgreement#secret} yields it
   * @param exchangeHash H of this exchange
   * @param letter 'A' and 'B' are the IVs client to server and back, 'C' and 'D' the encryption
   *     keys, 'E' and 'F' the MAC keys
   * @param sessionId H of the connection's first exchange
   * @param length bytes wanted; 0 is fine
   */
  public static byte[] derive(
      Hash hash, byte[] secret, byte[] exchangeHash, char letter, byte[] sessionId, int length) {
    byte[] result = new byte[length];
    if (length == 0) {
      return result;
    }
    MessageDigest digest = hash.newDigest();
    digest.update(secret);
    digest.update(exchangeHash);
    digest.update((byte) letter);
    digest.update(sessionId);
    byte[] block = digest.digest();
    int have = 0;
    while (true) {
      int take = Math.min(block.length, length - have);
      System.arraycopy(block, 0, result, have, take);
      have += take;
      Arrays.fill(block, (byte) 0);
      if (have == length) {
        return result;
      }
      digest.update(secret);
      digest.update(exchangeHash);
      digest.update(result, 0, have);
      block = digest.digest();
    }
  }
}
