package dev.adit.ssh.crypto;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.Provider;
import java.security.Signature;
import java.security.spec.ECPrivateKeySpec;
import java.security.spec.ECPublicKeySpec;
import java.util.Arrays;
import org.bouncycastle.crypto.ec.CustomNamedCurves;
import org.bouncycastle.math.ec.FixedPointCombMultiplier;

/**
 * ECDSA over the NIST curves, each with its own hash (RFC 5656 section 6.2.1). Pure functions, safe
 * on any thread.
 */
public final class Ecdsa {

  /** A signature's two numbers, as the blob of RFC 5656 section 3.1.2 carries them. */
  public record RS(BigInteger r, BigInteger s) {}

  private Ecdsa() {}

  /**
   * Signs, in time that does not depend on the key.
   *
   * @param d the private scalar, 1 to n-1
   */
  public static RS sign(NistCurve curve, BigInteger d, byte[] message) {
    if (d.signum() <= 0 || d.compareTo(curve.order()) >= 0) {
      throw new IllegalArgumentException(
          "the private number of an ecdsa-sha2-" + curve.sshName() + " key is out of range");
    }
    try {
      Provider provider = Jdk.provider("SunEC");
      Signature signer = Signature.getInstance(algorithm(curve), provider);
      signer.initSign(
          KeyFactory.getInstance("EC", provider)
              .generatePrivate(new ECPrivateKeySpec(d, curve.parameters())));
      signer.update(message);
      byte[] both = signer.sign();
      int half = both.length / 2;
      return new RS(new BigInteger(1, both, 0, half), new BigInteger(1, both, half, half));
    } catch (GeneralSecurityException e) {
      throw Jdk.missing(algorithm(curve), e);
    }
  }

  /**
   * False for anything that does not verify: a point off the curve, or r or s out of range, too.
   *
   * @param point the public key, an uncompressed point (SEC 1 section 2.3.3)
   */
  public static boolean verify(NistCurve curve, byte[] point, byte[] message, RS signature) {
    var publicPoint = curve.decode(point);
    if (publicPoint == null || !inRange(curve, signature.r()) || !inRange(curve, signature.s())) {
      return false;
    }
    // The order of each of these curves has as many bytes as its field.
    int half = curve.fieldLength();
    byte[] both = Arrays.copyOf(NistCurve.fixed(signature.r(), half), 2 * half);
    System.arraycopy(NistCurve.fixed(signature.s(), half), 0, both, half, half);
    try {
      Provider provider = Jdk.provider("SunEC");
      Signature verifier = Signature.getInstance(algorithm(curve), provider);
      verifier.initVerify(
          KeyFactory.getInstance("EC", provider)
              .generatePublic(new ECPublicKeySpec(publicPoint, curve.parameters())));
      verifier.update(message);
      return verifier.verify(both);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  /**
   * The uncompressed public point of a private scalar: what a key file's two halves must agree on.
   */
  public static byte[] publicPoint(NistCurve curve, BigInteger d) {
    var generator = CustomNamedCurves.getByName(curve.jcaName()).getG();
    return new FixedPointCombMultiplier().multiply(generator, d).getEncoded(false);
  }

  private static boolean inRange(NistCurve curve, BigInteger value) {
    return value.signum() > 0 && value.compareTo(curve.order()) < 0;
  }

  private static String algorithm(NistCurve curve) {
    return curve.hash().signaturePrefix() + "withECDSAinP1363Format";
  }
}
