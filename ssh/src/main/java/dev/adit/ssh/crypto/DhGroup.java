package dev.adit.ssh.crypto;

import java.math.BigInteger;

/**
 * A group for finite-field Diffie-Hellman: a prime modulus p and a generator g.
 *
 * @param p the modulus
 * @param g the generator
 */
public record DhGroup(BigInteger p, BigInteger g) {
  /**
   * The group that a server chose in a group exchange (RFC 4419 section 3). That p is a prime is
   * taken on the server's word, since testing it takes seconds; it signs what it sent.
   *
   * @throws InvalidKeyExchangeException if p has not between {@code minBits} and {@code maxBits}
   *     bits, or not between {@link CryptoLimits#MIN_GROUP_BITS} and {@link
   *     CryptoLimits#MAX_GROUP_BITS}, or is even; or if g is not in 2..p-2
   */
  public static DhGroup offered(BigInteger p, BigInteger g, int minBits, int maxBits)
      throws InvalidKeyExchangeException {
    int bits = p.bitLength();
    int least = Math.max(minBits, CryptoLimits.MIN_GROUP_BITS);
    int most = Math.min(maxBits, CryptoLimits.MAX_GROUP_BITS);
    if (p.signum() <= 0 || bits < least || bits > most) {
      throw new InvalidKeyExchangeException(
          "the Diffie-Hellman group has %d bits, not between %d and %d"
              .formatted(bits, least, most));
    }
    if (!p.testBit(0)) {
      throw new InvalidKeyExchangeException("the Diffie-Hellman group's modulus is even");
    }
    var group = new DhGroup(p, g);
    if (!group.hasPublic(g)) {
      throw new InvalidKeyExchangeException("the Diffie-Hellman group's generator is out of range");
    }
    return group;
  }

  /**
   * The group that a server chooses in a group exchange (RFC 4419 section 3): of those of RFC 3526
   * between the client's limits the smallest with at least the preferred size, or else the largest.
   * Their moduli are known to be safe primes, which a file of them would only claim.
   *
   * @throws InvalidKeyExchangeException if there is none between the client's limits and ours
   */
  public static DhGroup chosen(long minBits, long preferredBits, long maxBits)
      throws InvalidKeyExchangeException {
    int best = 0;
    for (int bits : Modp.SIZES) {
      if (bits >= minBits && bits <= maxBits && best < preferredBits) {
        best = bits;
      }
    }
    if (best == 0) {
      throw new InvalidKeyExchangeException(
          "no Diffie-Hellman group of %d to %d bits; there are some of %d to %d bits"
              .formatted(
                  minBits, maxBits, CryptoLimits.MIN_GROUP_BITS, CryptoLimits.MAX_GROUP_BITS));
    }
    return modp(best);
  }

  /**
   * The MODP group of RFC 3526 with that many bits: 2048 is group 14, 3072 is 15, 4096 is 16, 6144
   * is 17, 8192 is 18.
   */
  public static DhGroup modp(int bits) {
    return switch (bits) {
      case 2048 -> Modp.GROUP_14;
      case 3072 -> Modp.Large.GROUP_15;
      case 4096 -> Modp.GROUP_16;
      case 6144 -> Modp.Large.GROUP_17;
      case 8192 -> Modp.Large.GROUP_18;
      default -> throw new IllegalArgumentException("no MODP group of " + bits + " bits");
    };
  }

  /** Whether it can be a public value: 2..p-2, so that the secret is not 0, 1 or p-1. */
  boolean hasPublic(BigInteger value) {
    return value.compareTo(BigInteger.ONE) > 0 && value.compareTo(p.subtract(BigInteger.ONE)) < 0;
  }

  private static final class Modp {
    static final int[] SIZES = {2048, 3072, 4096, 6144, 8192};
    static final DhGroup GROUP_14 = of(2048, 124476);
    static final DhGroup GROUP_16 = of(4096, 240904);

    /** Seldom asked for, and slower to make. */
    static final class Large {
      static final DhGroup GROUP_15 = of(3072, 1690314);
      static final DhGroup GROUP_17 = of(6144, 929484);
      static final DhGroup GROUP_18 = of(8192, 4743158);
    }

    /** RFC 3526: p = 2^n - 2^(n-64) - 1 + 2^64 * ([2^(n-130) pi] + k). */
    static DhGroup of(int n, long k) {
      BigInteger middle = Pi.scaled(n - 130).add(BigInteger.valueOf(k)).shiftLeft(64);
      BigInteger p =
          BigInteger.ONE
              .shiftLeft(n)
              .subtract(BigInteger.ONE.shiftLeft(n - 64))
              .subtract(BigInteger.ONE)
              .add(middle);
      return new DhGroup(p, BigInteger.TWO);
    }
  }
}
