package dev.adit.ssh.crypto;

import dev.adit.ssh.wire.WireWriter;
import java.math.BigInteger;

/** Finite-field Diffie-Hellman (RFC 4253 section 8, RFC 4419, RFC 8268). */
public final class DiffieHellman {
  /**
   * The private exponent's bits: twice the strength in bits of the strongest cipher (RFC 4419
   * section 6.2).
   */
  private static final int EXPONENT_BITS = 512;

  private DiffieHellman() {}

  public static KeyAgreement initiate(DhGroup group) {
    BigInteger x = exponent();
    BigInteger e = modPow(group.g(), x, group.p());
    return new KeyAgreement() {
      @Override
      public byte[] initiation() {
        return e.toByteArray();
      }

      @Override
      public byte[] secret(byte[] reply) throws InvalidKeyExchangeException {
        return DiffieHellman.secret(group, x, reply);
      }
    };
  }

  /** The responder's side; {@code initiation} is e, without its length. */
  public static KeyAgreement.Response respond(DhGroup group, byte[] initiation)
      throws InvalidKeyExchangeException {
    BigInteger y = exponent();
    byte[] secret = secret(group, y, initiation);
    return new KeyAgreement.Response(modPow(group.g(), y, group.p()).toByteArray(), secret);
  }

  private static byte[] secret(DhGroup group, BigInteger exponent, byte[] theirs)
      throws InvalidKeyExchangeException {
    if (theirs.length == 0 || theirs.length > CryptoLimits.MAX_GROUP_BITS / 8 + 1) {
      throw new InvalidKeyExchangeException(
          "a Diffie-Hellman public value of " + theirs.length + " bytes");
    }
    var publicValue = new BigInteger(theirs);
    if (!group.hasPublic(publicValue)) {
      throw new InvalidKeyExchangeException(
          "the Diffie-Hellman public value is outside of 2 to p-2");
    }
    BigInteger k = modPow(publicValue, exponent, group.p());
    // Values of small order are left, if p is no safe prime: they give themselves away here.
    if (!group.hasPublic(k)) {
      throw new InvalidKeyExchangeException("the Diffie-Hellman secret is trivial");
    }
    return WireWriter.create().writeMpint(k).toBytes();
  }

  private static BigInteger modPow(BigInteger base, BigInteger exponent, BigInteger modulus) {
    return NativeNumbers.isAvailable()
        ? NativeNumbers.modPow(base, exponent, modulus)
        : base.modPow(exponent, modulus);
  }

  private static BigInteger exponent() {
    return new BigInteger(EXPONENT_BITS, Randomness.source()).setBit(EXPONENT_BITS - 1);
  }
}
