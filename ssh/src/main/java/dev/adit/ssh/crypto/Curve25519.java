package dev.adit.ssh.crypto;

import dev.adit.ssh.wire.WireWriter;
import java.math.BigInteger;
import java.util.Arrays;

/** X25519 (RFC 7748) as SSH uses it (RFC 8731), alone and as the classical half of the hybrids. */
final class Curve25519 {
  static final int KEY_LENGTH = 32;

  private Curve25519() {}

  /** One side's ephemeral key. */
  static final class KeyPair {
    final byte[] privateKey = Randomness.bytes(KEY_LENGTH);
    private final byte[] publicKey = Curves.fastest().x25519Public(privateKey);

    byte[] publicKey() {
      return publicKey;
    }

    /** The 32 bytes of RFC 7748's X25519 function. Once: the private key is wiped. */
    byte[] agree(byte[] theirs) throws InvalidKeyExchangeException {
      try {
        return Curve25519.agree(privateKey, theirs);
      } finally {
        Arrays.fill(privateKey, (byte) 0);
      }
    }
  }

  static byte[] agree(byte[] privateKey, byte[] theirs) throws InvalidKeyExchangeException {
    if (theirs.length != KEY_LENGTH) {
      throw new InvalidKeyExchangeException(
          "an X25519 public key has 32 bytes, not " + theirs.length);
    }
    byte[] secret = Curves.fastest().x25519(privateKey, theirs);
    // RFC 8731 section 3: an all-zero result comes from a point of small order.
    if (secret == null) {
      throw new InvalidKeyExchangeException("the X25519 public key yields an all-zero secret");
    }
    return secret;
  }

  static KeyAgreement initiate() {
    var pair = new KeyPair();
    return new KeyAgreement() {
      @Override
      public byte[] initiation() {
        return pair.publicKey();
      }

      @Override
      public byte[] secret(byte[] reply) throws InvalidKeyExchangeException {
        return mpint(pair.agree(reply));
      }
    };
  }

  static KeyAgreement.Response respond(byte[] initiation) throws InvalidKeyExchangeException {
    var pair = new KeyPair();
    return new KeyAgreement.Response(pair.publicKey(), mpint(pair.agree(initiation)));
  }

  /** RFC 8731 section 3.1: the bytes are read as a big-endian number. */
  private static byte[] mpint(byte[] secret) {
    try {
      return WireWriter.create().writeMpint(new BigInteger(1, secret)).toBytes();
    } finally {
      Arrays.fill(secret, (byte) 0);
    }
  }
}
