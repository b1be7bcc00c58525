package dev.adit.ssh.crypto;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@link Curves} by OpenSSL, at full speed from the first login on. */
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
    try (var scratch = new NativeScratch()) {
      long key = privateKey(scratch, type, privateKey);
      MemorySegment result = scratch.bytes(KEY);
      Libcrypto.require(
          "public key",
          Functions.EVP_PKEY_get_raw_public_key,
          key,
          result.address(),
          scratch.number(KEY).address());
      return result.toArray(JAVA_BYTE);
    }
  }

  @Override
  public byte @Nullable [] x25519(byte[] privateKey, byte[] theirs) {
    try (var scratch = new NativeScratch()) {
      long ours = privateKey(scratch, X25519, privateKey);
      long peer = publicKey(scratch, X25519, theirs);
      long context =
          Libcrypto.notNull(
              scratch.own(
                  Libcrypto.call(Functions.EVP_PKEY_CTX_new, ours, 0, 0, 0, 0, 0),
                  Functions.EVP_PKEY_CTX_free),
              "memory");
      Libcrypto.require("key agreement", Functions.EVP_PKEY_derive_init, context);
      MemorySegment result = scratch.secret(KEY);
      // OpenSSL itself refuses a result that is all zero.
      return peer != 0
              && Libcrypto.succeeds(Functions.EVP_PKEY_derive_set_peer, context, peer)
              && Libcrypto.succeeds(
                  Functions.EVP_PKEY_derive,
                  context,
                  result.address(),
                  scratch.number(KEY).address())
          ? result.toArray(JAVA_BYTE)
          : null;
    }
  }

  @Override
  public byte[] sign(byte[] seed, byte[] message) {
    try (var scratch = new NativeScratch()) {
      long key = privateKey(scratch, ED25519, seed);
      long context = scratch.digestContext();
      MemorySegment result = scratch.bytes(SIGNATURE);
      Libcrypto.require("signing key", Functions.EVP_DigestSignInit, context, 0, 0, 0, key);
      Libcrypto.require(
          "signature",
          Functions.EVP_DigestSign,
          context,
          result.address(),
          scratch.number(SIGNATURE).address(),
          scratch.copy(message).address(),
          message.length);
      return result.toArray(JAVA_BYTE);
    }
  }

  @Override
  public boolean verify(byte[] publicKey, byte[] message, byte[] signature) {
    try (var scratch = new NativeScratch()) {
      long key = publicKey(scratch, ED25519, publicKey);
      long context = scratch.digestContext();
      return key != 0
          && Libcrypto.succeeds(Functions.EVP_DigestVerifyInit, context, 0, 0, 0, key)
          && Libcrypto.succeeds(
              Functions.EVP_DigestVerify,
              context,
              scratch.copy(signature).address(),
              signature.length,
              scratch.copy(message).address(),
              message.length);
    }
  }

  /** An EVP_PKEY. */
  private static long privateKey(NativeScratch scratch, int type, byte[] key) {
    MemorySegment copy = scratch.secretCopy(key);
    return Libcrypto.notNull(
        newKey(scratch, Functions.EVP_PKEY_new_raw_private_key, type, copy), "such a key");
  }

  /** An EVP_PKEY, or 0 if this can't be one. */
  private static long publicKey(NativeScratch scratch, int type, byte[] key) {
    return newKey(scratch, Functions.EVP_PKEY_new_raw_public_key, type, scratch.copy(key));
  }

  private static long newKey(
      NativeScratch scratch, MemorySegment function, int type, MemorySegment key) {
    return scratch.own(
        Libcrypto.call(function, type, 0, key.address(), key.byteSize(), 0, 0),
        Functions.EVP_PKEY_free);
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
    static final MemorySegment EVP_DigestSignInit = Libcrypto.find("EVP_DigestSignInit");
    static final MemorySegment EVP_DigestSign = Libcrypto.find("EVP_DigestSign");
    static final MemorySegment EVP_DigestVerifyInit = Libcrypto.find("EVP_DigestVerifyInit");
    static final MemorySegment EVP_DigestVerify = Libcrypto.find("EVP_DigestVerify");
  }
}
