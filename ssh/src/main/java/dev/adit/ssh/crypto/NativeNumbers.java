package dev.adit.ssh.crypto;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Arithmetic with large numbers by OpenSSL, for RSA and finite-field Diffie-Hellman: the JDK's needs
 * the optimizing compiler, and takes ten times as long without. Pure functions, safe on any thread;
 * our copies of what is secret are wiped.
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
    try (var memory = new Memory()) {
      long m = memory.number(modulus);
      long result = memory.number(BigInteger.ZERO);
      int length = (modulus.bitLength() + 7) / 8;
      MemorySegment bytes = memory.secret(length);
      int done =
          (int)
              Libcrypto.callLong(
                  Functions.BN_mod_exp_mont_consttime,
                  result,
                  memory.number(base),
                  memory.number(exponent),
                  m,
                  memory.context(),
                  0);
      int written =
          (int) Libcrypto.call(Functions.BN_bn2binpad, result, bytes.address(), length, 0, 0, 0);
      if (done != 1 || written != length) {
        throw new IllegalStateException("OpenSSL failed: BN_mod_exp_mont_consttime");
      }
      byte[] copy = bytes.toArray(JAVA_BYTE);
      try {
        return new BigInteger(1, copy);
      } finally {
        Arrays.fill(copy, (byte) 0);
      }
    }
  }

  /**
   * An RSA signature with PKCS #1 v1.5 padding; blinded.
   *
   * @param pkcs8 the private key's PKCS #8 form; it is wiped
   * @return null if OpenSSL can't use this key, or may not: a FIPS policy has its own lengths
   */
  static byte @Nullable [] rsaSign(byte[] pkcs8, Hash hash, byte[] message) {
    try (var memory = new Memory()) {
      long key = memory.key(memory.secret(pkcs8));
      if (key == 0) {
        return null;
      }
      long context = memory.digestContext();
      int length = (int) Libcrypto.call(Functions.EVP_PKEY_get_size, key, 0, 0, 0, 0, 0);
      MemorySegment signature = memory.allocate(length);
      MemorySegment signatureLength = memory.count(length);
      boolean signed =
          Libcrypto.succeeds(Functions.EVP_DigestSignInit, context, 0, memory.digest(hash), 0, key)
              && (int)
                      Libcrypto.callLong(
                          Functions.EVP_DigestSign,
                          context,
                          signature.address(),
                          signatureLength.address(),
                          memory.copy(message).address(),
                          message.length,
                          0)
                  == 1;
      return signed
          ? signature.asSlice(0, signatureLength.get(JAVA_LONG, 0)).toArray(JAVA_BYTE)
          : null;
    }
  }

  /** What one call needs; at its end all of it is freed, and secrets are wiped before. */
  private static final class Memory implements AutoCloseable {
    private final Arena arena = Arena.ofConfined();
    private final List<MemorySegment> secrets = new ArrayList<>();
    private final List<Long> numbers = new ArrayList<>();
    private long context;
    private long key;
    private long digestContext;

    MemorySegment allocate(int length) {
      return arena.allocate(Math.max(1, length));
    }

    MemorySegment copy(byte[] bytes) {
      return allocate(bytes.length).copyFrom(MemorySegment.ofArray(bytes));
    }

    MemorySegment count(long value) {
      return arena.allocateFrom(JAVA_LONG, value);
    }

    MemorySegment secret(int length) {
      MemorySegment secret = allocate(length);
      secrets.add(secret);
      return secret;
    }

    /** A copy that is wiped; so is the original. */
    MemorySegment secret(byte[] bytes) {
      MemorySegment copy = secret(bytes.length).copyFrom(MemorySegment.ofArray(bytes));
      Arrays.fill(bytes, (byte) 0);
      return copy;
    }

    /** A BIGNUM. */
    long number(BigInteger value) {
      MemorySegment bytes = secret(value.toByteArray());
      long number =
          Libcrypto.notNull(
              Libcrypto.call(Functions.BN_bin2bn, bytes.address(), bytes.byteSize(), 0, 0, 0, 0),
              "memory");
      numbers.add(number);
      return number;
    }

    /** A BN_CTX. */
    long context() {
      context = Libcrypto.notNull(Libcrypto.call(Functions.BN_CTX_new, 0, 0, 0, 0, 0, 0), "memory");
      return context;
    }

    /** An EVP_PKEY from its PKCS #8 form, or 0. */
    long key(MemorySegment pkcs8) {
      key =
          Libcrypto.callLong(
              Functions.d2i_AutoPrivateKey,
              0,
              count(pkcs8.address()).address(),
              pkcs8.byteSize(),
              0,
              0,
              0);
      return key;
    }

    /** An EVP_MD_CTX. */
    long digestContext() {
      digestContext =
          Libcrypto.notNull(Libcrypto.call(Functions.EVP_MD_CTX_new, 0, 0, 0, 0, 0, 0), "memory");
      return digestContext;
    }

    /** An EVP_MD, which nobody has to free. */
    long digest(Hash hash) {
      MemorySegment name = arena.allocateFrom(hash.signaturePrefix());
      return Libcrypto.notNull(
          Libcrypto.call(Functions.EVP_get_digestbyname, name.address(), 0, 0, 0, 0, 0),
          hash.signaturePrefix());
    }

    @Override
    public void close() {
      try {
        numbers.forEach(n -> Libcrypto.call(Functions.BN_clear_free, n, 0, 0, 0, 0, 0));
        Libcrypto.call(Functions.BN_CTX_free, context, 0, 0, 0, 0, 0);
        Libcrypto.call(Functions.EVP_MD_CTX_free, digestContext, 0, 0, 0, 0, 0);
        Libcrypto.call(Functions.EVP_PKEY_free, key, 0, 0, 0, 0, 0);
      } finally {
        secrets.forEach(secret -> secret.fill((byte) 0));
        arena.close();
      }
    }
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
    static final MemorySegment EVP_MD_CTX_new = Libcrypto.find("EVP_MD_CTX_new");
    static final MemorySegment EVP_MD_CTX_free = Libcrypto.find("EVP_MD_CTX_free");
    static final MemorySegment EVP_get_digestbyname = Libcrypto.find("EVP_get_digestbyname");
    static final MemorySegment EVP_DigestSignInit = Libcrypto.find("EVP_DigestSignInit");
    static final MemorySegment EVP_DigestSign = Libcrypto.find("EVP_DigestSign");
  }
}
