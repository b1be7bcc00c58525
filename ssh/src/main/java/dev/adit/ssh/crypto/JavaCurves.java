package dev.adit.ssh.crypto;

import org.bouncycastle.math.ec.rfc7748.X25519;
import org.bouncycastle.math.ec.rfc8032.Ed25519;
import org.jspecify.annotations.Nullable;

/** {@link Curves} by Bouncy Castle: everywhere, once the JIT compiler knows them at some speed. */
final class JavaCurves implements Curves {

  @Override
  public byte[] x25519Public(byte[] privateKey) {
    byte[] publicKey = new byte[X25519.POINT_SIZE];
    X25519.scalarMultBase(privateKey, 0, publicKey, 0);
    return publicKey;
  }

  @Override
  public byte @Nullable [] x25519(byte[] privateKey, byte[] theirs) {
    byte[] secret = new byte[X25519.POINT_SIZE];
    return X25519.calculateAgreement(privateKey, 0, theirs, 0, secret, 0) ? secret : null;
  }

  @Override
  public byte[] ed25519Public(byte[] seed) {
    byte[] publicKey = new byte[Ed25519.PUBLIC_KEY_SIZE];
    Ed25519.generatePublicKey(seed, 0, publicKey, 0);
    return publicKey;
  }

  @Override
  public byte[] sign(byte[] seed, byte[] message) {
    byte[] signature = new byte[Ed25519.SIGNATURE_SIZE];
    Ed25519.sign(seed, 0, message, 0, message.length, signature, 0);
    return signature;
  }

  @Override
  public boolean verify(byte[] publicKey, byte[] message, byte[] signature) {
    return Ed25519.verify(signature, 0, publicKey, 0, message, 0, message.length);
  }
}
