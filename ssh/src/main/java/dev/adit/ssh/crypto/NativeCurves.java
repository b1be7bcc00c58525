package dev.adit.ssh.crypto;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@link Curves} by OpenSSL, at full speed from the first login on. Our copies of secrets are wiped. */
final class NativeCurves implements Curves {
  private static final Logger log = LoggerFactory.getLogger(NativeCurves.class);

  /** NID_X25519 and NID_ED25519 of openssl/obj_mac.h. */
  private static final int X25519 = 1034;

  private static final int ED25519 = 1087;

  private static final int KEY = 32;
  private static final int SIGNATURE = 64;

  private static final boolean AVAILABLE = Libcrypto.isAvailable() && isUsable();

  /** False where there is no OpenSSL, or its policy (FIPS, for example) knows no such curves. */
  static boolean isAvailable() {
    return AVAILABLE;
  }

  private static boolean isUsable() {
    byte[] any = new byte[KEY];
    any[0] = 9;
    try {
      var curves = new NativeCurves();
      return curves.x25519(any, any) != null && curves.sign(any, any).length == SIGNATURE;
    } catch (LinkageError | IllegalStateException e) {
      log.debug("the OpenSSL library here has no X25519 or Ed25519", e);
      return false;
    }
  }

  @Override
  public byte[] x25519Public(byte[] privateKey) {
    return publicKey(X25519, privateKey);
  }

  @Override
  public byte[] ed25519Public(byte[] seed) {
    return publicKey(ED25519, seed);
  }

  private static byte[] publicKey(int type, byte[] privateKey) {
    try (var memory = new Memory()) {
      long key = memory.privateKey(type, privateKey);
      MemorySegment result = memory.bytes(KEY);
      Libcrypto.require("EVP_PKEY_get_raw_public_key", Functions.EVP_PKEY_get_raw_public_key,
          key,
          result.address(),
          memory.number(KEY).address());
      return result.toArray(JAVA_BYTE);
    }
  }

  @Override
  public byte @Nullable [] x25519(byte[] privateKey, byte[] theirs) {
    try (var memory = new Memory()) {
      long context = memory.agreement(memory.privateKey(X25519, privateKey));
      Libcrypto.require("EVP_PKEY_derive_init", Functions.EVP_PKEY_derive_init, context);
      long peer = memory.publicKey(X25519, theirs);
      MemorySegment result = memory.secret(KEY);
      // OpenSSL itself refuses a result that is all zero.
      return peer != 0
              && Libcrypto.succeeds(Functions.EVP_PKEY_derive_set_peer, context, peer)
              && Libcrypto.succeeds(
                  Functions.EVP_PKEY_derive,
                  context,
                  result.address(),
                  memory.number(KEY).address())
          ? result.toArray(JAVA_BYTE)
          : null;
    }
  }

  @Override
  public byte[] sign(byte[] seed, byte[] message) {
    try (var memory = new Memory()) {
      long key = memory.privateKey(ED25519, seed);
      long context = memory.digest();
      MemorySegment result = memory.bytes(SIGNATURE);
      Libcrypto.require("EVP_DigestSignInit", Functions.EVP_DigestSignInit, context, 0, 0, 0, key);
      Libcrypto.require("EVP_DigestSign", Functions.EVP_DigestSign,
          context,
          result.address(),
          memory.number(SIGNATURE).address(),
          memory.copy(message).address(),
          message.length);
      return result.toArray(JAVA_BYTE);
    }
  }

  @Override
  public boolean verify(byte[] publicKey, byte[] message, byte[] signature) {
    try (var memory = new Memory()) {
      long key = memory.publicKey(ED25519, publicKey);
      long context = memory.digest();
      return key != 0
          && Libcrypto.succeeds(Functions.EVP_DigestVerifyInit, context, 0, 0, 0, key)
          && Libcrypto.succeeds(
              Functions.EVP_DigestVerify,
              context,
              memory.copy(signature).address(),
              signature.length,
              memory.copy(message).address(),
              message.length);
    }
  }

  /** What one call needs; at its end all of it is freed, and secrets are wiped before. */
  private static final class Memory implements AutoCloseable {
    private final Arena arena = Arena.ofConfined();
    private final List<MemorySegment> secrets = new ArrayList<>();
    private long privateKey;
    private long publicKey;
    private long agreement;
    private long digest;

    MemorySegment bytes(int length) {
      return arena.allocate(length);
    }

    MemorySegment secret(int length) {
      MemorySegment secret = arena.allocate(length);
      secrets.add(secret);
      return secret;
    }

    MemorySegment number(long value) {
      return arena.allocateFrom(JAVA_LONG, value);
    }

    MemorySegment copy(byte[] bytes) {
      return arena.allocate(Math.max(1, bytes.length)).copyFrom(MemorySegment.ofArray(bytes));
    }

    /** An EVP_PKEY. */
    long privateKey(int type, byte[] key) {
      MemorySegment copy = secret(key.length).copyFrom(MemorySegment.ofArray(key));
      privateKey =
          Libcrypto.notNull(
              newKey(Functions.EVP_PKEY_new_raw_private_key, type, copy), "such a key");
      return privateKey;
    }

    /** An EVP_PKEY, or 0 if this can't be one. */
    long publicKey(int type, byte[] key) {
      publicKey = newKey(Functions.EVP_PKEY_new_raw_public_key, type, copy(key));
      return publicKey;
    }

    private static long newKey(MemorySegment function, int type, MemorySegment key) {
      return Libcrypto.call(function, type, 0, key.address(), key.byteSize(), 0, 0);
    }

    /** An EVP_PKEY_CTX. */
    long agreement(long key) {
      agreement =
          Libcrypto.notNull(
              Libcrypto.call(Functions.EVP_PKEY_CTX_new, key, 0, 0, 0, 0, 0), "memory");
      return agreement;
    }

    /** An EVP_MD_CTX. */
    long digest() {
      digest =
          Libcrypto.notNull(Libcrypto.call(Functions.EVP_MD_CTX_new, 0, 0, 0, 0, 0, 0), "memory");
      return digest;
    }

    /** OpenSSL's own free functions take 0, and wipe private keys. */
    @Override
    public void close() {
      try {
        Libcrypto.call(Functions.EVP_PKEY_CTX_free, agreement, 0, 0, 0, 0, 0);
        Libcrypto.call(Functions.EVP_MD_CTX_free, digest, 0, 0, 0, 0, 0);
        Libcrypto.call(Functions.EVP_PKEY_free, privateKey, 0, 0, 0, 0, 0);
        Libcrypto.call(Functions.EVP_PKEY_free, publicKey, 0, 0, 0, 0, 0);
      } finally {
        secrets.forEach(secret -> secret.fill((byte) 0));
        arena.close();
      }
    }
  }

  /** The functions by their C names. */
  @SuppressWarnings("ConstantName")
  private static final class Functions {
    static final MemorySegment EVP_PKEY_new_raw_private_key =
        Libcrypto.find("EVP_PKEY_new_raw_private_key");
    static final MemorySegment EVP_PKEY_new_raw_public_key =
        Libcrypto.find("EVP_PKEY_new_raw_public_key");
    static final MemorySegment EVP_PKEY_get_raw_public_key =
        Libcrypto.find("EVP_PKEY_get_raw_public_key");
    static final MemorySegment EVP_PKEY_free = Libcrypto.find("EVP_PKEY_free");
    static final MemorySegment EVP_PKEY_CTX_new = Libcrypto.find("EVP_PKEY_CTX_new");
    static final MemorySegment EVP_PKEY_CTX_free = Libcrypto.find("EVP_PKEY_CTX_free");
    static final MemorySegment EVP_PKEY_derive_init = Libcrypto.find("EVP_PKEY_derive_init");
    static final MemorySegment EVP_PKEY_derive_set_peer =
        Libcrypto.find("EVP_PKEY_derive_set_peer");
    static final MemorySegment EVP_PKEY_derive = Libcrypto.find("EVP_PKEY_derive");
    static final MemorySegment EVP_MD_CTX_new = Libcrypto.find("EVP_MD_CTX_new");
    static final MemorySegment EVP_MD_CTX_free = Libcrypto.find("EVP_MD_CTX_free");
    static final MemorySegment EVP_DigestSignInit = Libcrypto.find("EVP_DigestSignInit");
    static final MemorySegment EVP_DigestSign = Libcrypto.find("EVP_DigestSign");
    static final MemorySegment EVP_DigestVerifyInit = Libcrypto.find("EVP_DigestVerifyInit");
    static final MemorySegment EVP_DigestVerify = Libcrypto.find("EVP_DigestVerify");
  }
}
