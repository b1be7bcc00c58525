package dev.adit.ssh.crypto;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Arithmetic with large numbers by OpenSSL, for RSA and finite-field Diffie-Hellman: the JDK's needs
 * the optimizing compiler, and takes ten times as long without. Pure functions, safe on any thread;
 * copies of what is secret are wiped.
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
      if (Libcrypto.callLong(
              Functions.BN_mod_exp_mont_consttime,
              result,
              memory.number(base),
              memory.number(exponent),
              m,
              memory.context(),
              0)
          != 1) {
        throw new IllegalStateException("OpenSSL failed: BN_mod_exp_mont_consttime");
      }
      int length = (modulus.bitLength() + 7) / 8;
      MemorySegment bytes = memory.secret(length);
      Libcrypto.call(Functions.BN_bn2binpad, result, bytes.address(), length, 0, 0, 0);
      return new BigInteger(1, bytes.toArray(JAVA_BYTE));
    }
  }

  /**
   * An RSA signature with PKCS #1 v1.5 padding; blinded.
   *
   * @param pkcs8 the private key's PKCS #8 form; it is wiped
   * @throws IllegalStateException if OpenSSL can't use this key
   */
  static byte[] rsaSign(byte[] pkcs8, Hash hash, byte[] message) {
    try (var memory = new Memory()) {
      long key = memory.key(Functions.d2i_AutoPrivateKey, memory.secret(pkcs8));
      long context = memory.digestContext();
      int length = (int) Libcrypto.call(Functions.EVP_PKEY_get_size, key, 0, 0, 0, 0, 0);
      MemorySegment signature = memory.allocate(length);
      MemorySegment signatureLength = memory.count(length);
      Libcrypto.require(Functions.EVP_DigestSignInit, context, 0, memory.digest(hash), 0, key);
      if (Libcrypto.callLong(
              Functions.EVP_DigestSign,
              context,
              signature.address(),
              signatureLength.address(),
              memory.copy(message).address(),
              message.length,
              0)
          != 1) {
        throw new IllegalStateException("OpenSSL failed: EVP_DigestSign");
      }
      return signature.asSlice(0, signatureLength.get(JAVA_LONG, 0)).toArray(JAVA_BYTE);
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

    /** An EVP_PKEY from its DER form. */
    long key(MemorySegment function, MemorySegment der) {
      MemorySegment start = count(der.address());
      key =
          Libcrypto.notNull(
              Libcrypto.call(function, 0, start.address(), der.byteSize(), 0, 0, 0), "such a key");
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
      numbers.forEach(n -> Libcrypto.call(Functions.BN_clear_free, n, 0, 0, 0, 0, 0));
      Libcrypto.call(Functions.BN_CTX_free, context, 0, 0, 0, 0, 0);
      Libcrypto.call(Functions.EVP_MD_CTX_free, digestContext, 0, 0, 0, 0, 0);
      Libcrypto.call(Functions.EVP_PKEY_free, key, 0, 0, 0, 0, 0);
      secrets.forEach(secret -> secret.fill((byte) 0));
      arena.close();
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
