package dev.adit.ssh.crypto;

import dev.adit.ssh.wire.WireWriter;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Provider;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECPublicKeySpec;

/** ECDH over the NIST curves (RFC 5656 section 4). */
final class Ecdh {
  private Ecdh() {}

  static KeyAgreement initiate(NistCurve curve) {
    KeyPair pair = generate(curve);
    return new KeyAgreement() {
      @Override
      public byte[] initiation() {
        return encoded(curve, pair);
      }

      @Override
      public byte[] secret(byte[] reply) throws InvalidKeyExchangeException {
        return agree(curve, pair, reply);
      }
    };
  }

  static KeyAgreement.Response respond(NistCurve curve, byte[] initiation)
      throws InvalidKeyExchangeException {
    KeyPair pair = generate(curve);
    return new KeyAgreement.Response(encoded(curve, pair), agree(curve, pair, initiation));
  }

  private static KeyPair generate(NistCurve curve) {
    try {
      var generator = KeyPairGenerator.getInstance("EC", Jdk.provider("SunEC"));
      generator.initialize(curve.parameters(), Randomness.source());
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw Jdk.missing(curve.sshName(), e);
    }
  }

  private static byte[] encoded(NistCurve curve, KeyPair pair) {
    return curve.encode(((ECPublicKey) pair.getPublic()).getW());
  }

  private static byte[] agree(NistCurve curve, KeyPair pair, byte[] theirs)
      throws InvalidKeyExchangeException {
    var point = curve.decode(theirs);
    if (point == null) {
      throw new InvalidKeyExchangeException(
          "the ECDH public key is not a point on " + curve.sshName());
    }
    try {
      Provider provider = Jdk.provider("SunEC");
      var publicKey =
          KeyFactory.getInstance("EC", provider)
              .generatePublic(new ECPublicKeySpec(point, curve.parameters()));
      var agreement = javax.crypto.KeyAgreement.getInstance("ECDH", provider);
      agreement.init(pair.getPrivate());
      agreement.doPhase(publicKey, true);
      return WireWriter.create()
          .writeMpint(new BigInteger(1, agreement.generateSecret()))
          .toBytes();
    } catch (GeneralSecurityException e) {
      throw new InvalidKeyExchangeException("the ECDH public key cannot be used");
    }
  }
}
