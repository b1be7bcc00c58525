package dev.adit.ssh.crypto;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.Signature;
import java.security.spec.RSAPrivateCrtKeySpec;
import java.security.spec.RSAPublicKeySpec;

/**
 * RSA signatures with PKCS #1 v1.5 padding: rsa-sha2-256 and rsa-sha2-512 (RFC 8332). Pure
 * functions, safe on any thread.
 */
public final class Rsa {
  /** A private key's numbers: RFC 8017 section 3.2, {@code qInv} is {@code iqmp} in key files. */
  public record PrivateNumbers(
      BigInteger n, BigInteger e, BigInteger d, BigInteger p, BigInteger q, BigInteger qInv) {
    /** The numbers are secret. */
    @Override
    public String toString() {
      return "RSA private key of " + n.bitLength() + " bits";
    }
  }

  private Rsa() {}

  /**
   * Whether a public key may be used at all: its modulus has at least {@code minimumBits} and at
   * most {@link CryptoLimits#MAX_RSA_BITS} bits, and both numbers can be what they should be.
   */
  public static boolean isAcceptable(BigInteger n, BigInteger e, int minimumBits) {
    return n.signum() > 0
        && n.bitLength() >= minimumBits
        && n.bitLength() <= CryptoLimits.MAX_RSA_BITS
        && n.testBit(0)
        && e.bitLength() > 1
        && e.bitLength() <= CryptoLimits.MAX_RSA_EXPONENT_BITS
        && e.signum() > 0
        && e.testBit(0);
  }

  /**
   * Signs; blinded, so that the time taken tells nothing of the key. The signature is as long as
   * the modulus.
   *
   * @throws IllegalArgumentException if the numbers do not make a key
   */
  public static byte[] sign(PrivateNumbers key, Hash hash, byte[] message) {
    if (!isAcceptable(key.n(), key.e(), 1024)) {
      throw new IllegalArgumentException(key + " cannot be used");
    }
    try {
      Provider provider = Jdk.provider("SunRsaSign");
      BigInteger one = BigInteger.ONE;
      var spec =
          new RSAPrivateCrtKeySpec(
              key.n(),
              key.e(),
              key.d(),
              key.p(),
              key.q(),
              key.d().mod(key.p().subtract(one)),
              key.d().mod(key.q().subtract(one)),
              key.qInv());
      PrivateKey privateKey = KeyFactory.getInstance("RSA", provider).generatePrivate(spec);
      byte[] signature =
          NativeNumbers.isAvailable()
              ? NativeNumbers.rsaSign(privateKey.getEncoded(), hash, message)
              : null;
      if (signature != null) {
        // A fault in the arithmetic, or numbers that don't fit together, would give the key away.
        if (!verify(key.n(), key.e(), hash, message, signature, 1024)) {
          throw new IllegalArgumentException(key + " cannot sign: its signature is wrong");
        }
        return signature;
      }
      Signature signer = Signature.getInstance(algorithm(hash), provider);
      signer.initSign(privateKey);
      signer.update(message);
      return signer.sign();
    } catch (GeneralSecurityException | ArithmeticException e) {
      throw new IllegalArgumentException(key + " cannot sign: its numbers do not fit together", e);
    }
  }

  /**
   * False for anything that does not verify, keys under {@link CryptoLimits#MIN_RSA_BITS} included.
   *
   * @see #verify(BigInteger, BigInteger, Hash, byte[], byte[], int)
   */
  public static boolean verify(
      BigInteger n, BigInteger e, Hash hash, byte[] message, byte[] signature) {
    return verify(n, e, hash, message, signature, CryptoLimits.MIN_RSA_BITS);
  }

  /** False for anything that does not verify, keys under {@code minimumBits} included. */
  public static boolean verify(
      BigInteger n, BigInteger e, Hash hash, byte[] message, byte[] signature, int minimumBits) {
    int length = (n.bitLength() + 7) / 8;
    if (!isAcceptable(n, e, minimumBits) || signature.length > length || signature.length == 0) {
      return false;
    }
    byte[] full = signature;
    if (signature.length < length) {
      // RFC 8332 section 3: some signers drop leading zeros.
      full = new byte[length];
      System.arraycopy(signature, 0, full, length - signature.length, signature.length);
    }
    try {
      Provider provider = Jdk.provider("SunRsaSign");
      Signature verifier = Signature.getInstance(algorithm(hash), provider);
      verifier.initVerify(
          KeyFactory.getInstance("RSA", provider).generatePublic(new RSAPublicKeySpec(n, e)));
      verifier.update(message);
      return verifier.verify(full);
    } catch (GeneralSecurityException unusable) {
      return false;
    }
  }

  private static String algorithm(Hash hash) {
    return hash.signaturePrefix() + "withRSA";
  }
}
