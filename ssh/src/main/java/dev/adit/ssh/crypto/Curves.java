package dev.adit.ssh.crypto;

import org.jspecify.annotations.Nullable;

/**
 * Who does the arithmetic of X25519 (RFC 7748) and Ed25519 (RFC 8032). Keys, seeds and shared
 * secrets have 32 bytes and signatures 64, which the callers see to. Pure functions, safe on any
 * thread, whose time does not depend on what is secret.
 */
interface Curves {

  /** The native ones where {@link CryptoProvider#fastest} is OpenSSL and has them. */
  static Curves fastest() {
    return Fastest.CURVES;
  }

  byte[] x25519Public(byte[] privateKey);

  /** Null where the result is all zero. */
  byte @Nullable [] x25519(byte[] privateKey, byte[] theirs);

  byte[] ed25519Public(byte[] seed);

  byte[] sign(byte[] seed, byte[] message);

  boolean verify(byte[] publicKey, byte[] message, byte[] signature);

  /** Decided when first asked for. */
  final class Fastest {
    private static final Curves CURVES =
        CryptoProvider.fastest() == CryptoProvider.OPENSSL && NativeCurves.isAvailable()
            ? new NativeCurves()
            : new JavaCurves();

    private Fastest() {}
  }
}
