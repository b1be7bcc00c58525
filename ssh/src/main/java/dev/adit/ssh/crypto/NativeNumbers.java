package dev.adit.ssh.crypto;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.math.BigInteger;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Arithmetic with large numbers by OpenSSL, for RSA and finite-field Diffie-Hellman: the JDK's needs
 * the optimizing compiler, and takes ten times as long without. Pure functions, safe on any thread.
 */
final class NativeNumbers {
  private NativeNumbers() {}

  /** Whether OpenSSL is there and is to be used. */
  static boolean isAvailable() {
    return CryptoProvider.fastest() == CryptoProvider.OPENSSL;
  }

  /**
   * {@code base^exponent mod modulus}, in time that does not depend on the exponent but for its
   * length.
   *
   * @param base not negative
   * @param modulus odd
   */
  static BigInteger modPow(BigInteger base, BigInteger exponent, BigInteger modulus) {
    try (var scratch = new NativeScratch()) {
      long result = number(scratch, BigInteger.ZERO);
      long context =
          scratch.own(
              Libcrypto.call(Functions.BN_CTX_new, 0, 0, 0, 0, 0, 0), Functions.BN_CTX_free);
      long done =
          Libcrypto.callLong(
              Functions.BN_mod_exp_mont_consttime,
              result,
              number(scratch, base),
              number(scratch, exponent),
              number(scratch, modulus),
              Libcrypto.notNull(context, "memory"),
              0);
      int length = (modulus.bitLength() + 7) / 8;
      MemorySegment bytes = scratch.secret(length);
      long written =
          Libcrypto.call(Functions.BN_bn2binpad, result, bytes.address(), length, 0, 0, 0);
      if ((int) done != 1 || (int) written != length) {
        throw new IllegalStateException("OpenSSL failed: a power");
      }
      byte[] copy = bytes.toArray(JAVA_BYTE);
      try {
        return new BigInteger(1, copy);
      } finally {
        Arrays.fill(copy, (byte) 0);
      }
    }
  }

  /** A BIGNUM. */
  private static long number(NativeScratch scratch, BigInteger value) {
    byte[] bytes = value.toByteArray();
    MemorySegment copy = scratch.secretCopy(bytes);
    Arrays.fill(bytes, (byte) 0);
    return Libcrypto.notNull(
        scratch.own(
            Libcrypto.call(Functions.BN_bin2bn, copy.address(), copy.byteSize(), 0, 0, 0, 0),
            Functions.BN_clear_free),
        "memory");
  }

  /**
   * An RSA signature with PKCS #1 v1.5 padding; blinded.
   *
   * @param pkcs8 the private key's PKCS #8 form; it is wiped
   * @return null if OpenSSL can't use this key, or may not: a FIPS policy has its own lengths
   */
  static byte @Nullable [] rsaSign(byte[] pkcs8, Hash hash, byte[] message) {
    try (var scratch = new NativeScratch()) {
      MemorySegment der = scratch.secretCopy(pkcs8);
      Arrays.fill(pkcs8, (byte) 0);
      long key =
          scratch.own(
              Libcrypto.callLong(
                  Functions.d2i_AutoPrivateKey,
                  0,
                  scratch.number(der.address()).address(),
                  der.byteSize(),
                  0,
                  0,
                  0),
              Functions.EVP_PKEY_free);
      if (key == 0) {
        return null;
      }
      long context = scratch.digestContext();
      if (!Libcrypto.succeeds(
          Functions.EVP_DigestSignInit, context, 0, digest(scratch, hash), 0, key)) {
        return null;
      }
      int length = (int) Libcrypto.call(Functions.EVP_PKEY_get_size, key, 0, 0, 0, 0, 0);
      MemorySegment signature = scratch.bytes(length);
      MemorySegment signatureLength = scratch.number(length);
      long done =
          Libcrypto.callLong(
              Functions.EVP_DigestSign,
              context,
              signature.address(),
              signatureLength.address(),
              scratch.copy(message).address(),
              message.length,
              0);
      return (int) done == 1
          ? signature.asSlice(0, signatureLength.get(JAVA_LONG, 0)).toArray(JAVA_BYTE)
          : null;
    }
  }

  /** An EVP_MD, which nobody has to free. */
  private static long digest(NativeScratch scratch, Hash hash) {
    long name = scratch.text(hash.signaturePrefix()).address();
    return Libcrypto.notNull(
        Libcrypto.call(Functions.EVP_get_digestbyname, name, 0, 0, 0, 0, 0),
        hash.signaturePrefix());
  }

  /** The functions by their C names. */
  @SuppressWarnings("ConstantName")
  private static final class Functions {
    static final MemorySegment BN_bin2bn = Libcrypto.find("BN_bin2bn");
    static final MemorySegment BN_bn2binpad = Libcrypto.find("BN_bn2binpad");
    static final MemorySegment BN_clear_free = Libcrypto.find("BN_clear_free");
    static final MemorySegment BN_CTX_new = Libcrypto.find("BN_CTX_new");
    static final MemorySegment BN_CTX_free = Libcrypto.find("BN_CTX_free");
    static final MemorySegment BN_mod_exp_mont_consttime =
        Libcrypto.find("BN_mod_exp_mont_consttime");
    static final MemorySegment d2i_AutoPrivateKey = Libcrypto.find("d2i_AutoPrivateKey");
    static final MemorySegment EVP_PKEY_free = Libcrypto.find("EVP_PKEY_free");
    static final MemorySegment EVP_PKEY_get_size = Libcrypto.find("EVP_PKEY_get_size");
    static final MemorySegment EVP_get_digestbyname = Libcrypto.find("EVP_get_digestbyname");
    static final MemorySegment EVP_DigestSignInit = Libcrypto.find("EVP_DigestSignInit");
    static final MemorySegment EVP_DigestSign = Libcrypto.find("EVP_DigestSign");
  }
}
