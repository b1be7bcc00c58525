package dev.adit.ssh.crypto;

import java.math.BigInteger;

/**
 * The digits of pi, which cryptographers take where a constant must be above suspicion: Blowfish's
 * tables and the MODP groups of RFC 3526 are made of them. Computed, in a millisecond or two,
 * rather than printed in the source as pages of digits.
 */
final class Pi {
  /** What Chudnovsky's series gives a term, and bits to spare for rounding. */
  private static final int BITS_A_TERM = 47;

  private static final int SPARE_BITS = 64;

  private Pi() {}

  /** 2^bits times pi, rounded down. */
  static BigInteger scaled(int bits) {
    int precision = bits + SPARE_BITS;
    Terms all = Terms.of(0, precision / BITS_A_TERM + 2);
    BigInteger root = BigInteger.valueOf(10005).shiftLeft(2 * precision).sqrt();
    BigInteger pi = all.q.multiply(BigInteger.valueOf(426880)).multiply(root).divide(all.t);
    return pi.shiftRight(SPARE_BITS);
  }

  /** The first bytes behind the point, in fours: 243f6a88 85a308d3 ... */
  static byte[] fraction(int words) {
    // The first byte has no sign bit, so it comes first in the array, too.
    return scaled(32 * words).subtract(BigInteger.valueOf(3).shiftLeft(32 * words)).toByteArray();
  }

  /** A stretch of Chudnovsky's series, summed by binary splitting. */
  private record Terms(BigInteger p, BigInteger q, BigInteger t) {
    private static final BigInteger C3_OVER_24 = BigInteger.valueOf(10939058860032000L);

    static Terms of(int from, int to) {
      if (to - from > 1) {
        int middle = (from + to) / 2;
        Terms a = of(from, middle);
        Terms b = of(middle, to);
        return new Terms(
            a.p.multiply(b.p), a.q.multiply(b.q), b.q.multiply(a.t).add(a.p.multiply(b.t)));
      }
      BigInteger p = BigInteger.ONE;
      BigInteger q = BigInteger.ONE;
      if (from > 0) {
        p = BigInteger.valueOf((6L * from - 5) * (2L * from - 1) * (6L * from - 1));
        q = BigInteger.valueOf(from).pow(3).multiply(C3_OVER_24);
      }
      BigInteger t = p.multiply(BigInteger.valueOf(13591409 + 545140134L * from));
      return new Terms(p, q, from % 2 == 0 ? t : t.negate());
    }
  }
}
