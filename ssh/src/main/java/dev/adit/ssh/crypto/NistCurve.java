package dev.adit.ssh.crypto;

import java.math.BigInteger;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.spec.ECFieldFp;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The three prime curves that SSH requires (RFC 5656 section 10.1). */
public enum NistCurve {
  NISTP256("nistp256", "secp256r1", 32, Hash.SHA256),
  NISTP384("nistp384", "secp384r1", 48, Hash.SHA384),
  NISTP521("nistp521", "secp521r1", 66, Hash.SHA512);

  private static final byte UNCOMPRESSED = 4;

  private final String sshName;
  private final String jcaName;
  private final int fieldLength;
  private final Hash hash;
  private volatile @Nullable ECParameterSpec parameters;

  NistCurve(String sshName, String jcaName, int fieldLength, Hash hash) {
    this.sshName = sshName;
    this.jcaName = jcaName;
    this.fieldLength = fieldLength;
    this.hash = hash;
  }

  /** The name in keys and algorithm names, such as {@code nistp256}. */
  public String sshName() {
    return sshName;
  }

  /** The hash that goes with the curve (RFC 5656 section 6.2.1). */
  public Hash hash() {
    return hash;
  }

  /** Bytes of a point in uncompressed form. */
  public int pointLength() {
    return 1 + 2 * fieldLength;
  }

  /** The order of the base point, n. */
  public BigInteger order() {
    return parameters().getOrder();
  }

  /**
   * Whether the bytes are an uncompressed point on this curve that is not the point at infinity.
   */
  public boolean isPoint(byte[] encoded) {
    return decode(encoded) != null;
  }

  String jcaName() {
    return jcaName;
  }

  int fieldLength() {
    return fieldLength;
  }

  ECParameterSpec parameters() {
    ECParameterSpec known = parameters;
    if (known == null) {
      try {
        var found = AlgorithmParameters.getInstance("EC", Jdk.provider("SunEC"));
        found.init(new ECGenParameterSpec(jcaName));
        known = found.getParameterSpec(ECParameterSpec.class);
        parameters = known;
      } catch (GeneralSecurityException e) {
        throw Jdk.missing(jcaName, e);
      }
    }
    return known;
  }

  /**
   * Null unless the bytes are an uncompressed point on the curve (SEC 1 section 2.3.4, 3.2.2.1).
   */
  @Nullable ECPoint decode(byte[] encoded) {
    if (encoded.length != pointLength() || encoded[0] != UNCOMPRESSED) {
      return null;
    }
    var x = new BigInteger(1, encoded, 1, fieldLength);
    var y = new BigInteger(1, encoded, 1 + fieldLength, fieldLength);
    var curve = parameters().getCurve();
    BigInteger p = ((ECFieldFp) curve.getField()).getP();
    if (x.compareTo(p) >= 0 || y.compareTo(p) >= 0) {
      return null;
    }
    BigInteger right = x.multiply(x).add(curve.getA()).multiply(x).add(curve.getB()).mod(p);
    // The cofactor is 1, so every point on the curve is in the right group.
    return y.multiply(y).mod(p).equals(right) ? new ECPoint(x, y) : null;
  }

  byte[] encode(ECPoint point) {
    byte[] encoded = new byte[pointLength()];
    encoded[0] = UNCOMPRESSED;
    System.arraycopy(fixed(point.getAffineX(), fieldLength), 0, encoded, 1, fieldLength);
    System.arraycopy(
        fixed(point.getAffineY(), fieldLength), 0, encoded, 1 + fieldLength, fieldLength);
    return encoded;
  }

  /** Big-endian, filled up with leading zeros. The value must fit. */
  static byte[] fixed(BigInteger value, int length) {
    byte[] bytes = value.toByteArray();
    if (bytes.length == length) {
      return bytes;
    }
    int sign = bytes.length > length && bytes[0] == 0 ? 1 : 0;
    byte[] result = new byte[length];
    System.arraycopy(bytes, sign, result, length - (bytes.length - sign), bytes.length - sign);
    Arrays.fill(bytes, (byte) 0);
    return result;
  }
}
