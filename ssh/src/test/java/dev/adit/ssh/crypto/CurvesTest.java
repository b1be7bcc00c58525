package dev.adit.ssh.crypto;

import static dev.adit.ssh.crypto.Vectors.hex;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.EdECPrivateKeySpec;
import java.security.spec.NamedParameterSpec;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** X25519 and Ed25519 by each who can do them, against the RFCs, the JDK and each other. */
class CurvesTest {
  private static final int ROUNDS = 50;

  /** The native ones, too: a test machine without OpenSSL 3 fails here instead of skipping them. */
  static Stream<Curves> all() {
    return Stream.of(new NativeCurves(), new JavaCurves());
  }

  @ParameterizedTest
  @MethodSource("all")
  void x25519IsThatOfRfc7748(Curves curves) {
    // Section 5.2, the second vector: the number has its highest bit set, which doesn't count.
    assertThat(
            curves.x25519(
                hex("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d"),
                hex("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493")))
        .isEqualTo(hex("95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"));
    // Section 6.1.
    byte[] alice = hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    byte[] bob = hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    byte[] shared = hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
    byte[] alicesPublic = curves.x25519Public(alice);
    assertThat(alicesPublic)
        .isEqualTo(hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"));
    byte[] bobsPublic = curves.x25519Public(bob);
    assertThat(bobsPublic)
        .isEqualTo(hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"));
    assertThat(curves.x25519(alice, bobsPublic)).isEqualTo(shared);
    assertThat(curves.x25519(bob, alicesPublic)).isEqualTo(shared);
  }

  @ParameterizedTest
  @MethodSource("all")
  void aPointOfSmallOrderGivesNoSecret(Curves curves) {
    byte[] any = Randomness.bytes(32);
    assertThat(curves.x25519(any, new byte[32])).isNull();
    byte[] one = new byte[32];
    one[0] = 1;
    assertThat(curves.x25519(any, one)).isNull();
  }

  @ParameterizedTest
  @MethodSource("all")
  void ed25519SignsAsTheJdk(Curves curves) throws Exception {
    Curves other = curves instanceof NativeCurves ? new JavaCurves() : new NativeCurves();
    for (int round = 0; round < ROUNDS; round++) {
      byte[] seed = Randomness.bytes(32);
      byte[] message = Randomness.bytes(round * 7);
      byte[] signature = curves.sign(seed, message);
      assertThat(signature).isEqualTo(signedByTheJdk(seed, message));
      byte[] publicKey = curves.ed25519Public(seed);
      assertThat(publicKey).isEqualTo(other.ed25519Public(seed));
      assertThat(curves.verify(publicKey, message, signature)).isTrue();
    }
  }

  private static byte[] signedByTheJdk(byte[] seed, byte[] message) throws Exception {
    PrivateKey key =
        KeyFactory.getInstance("EdDSA")
            .generatePrivate(new EdECPrivateKeySpec(NamedParameterSpec.ED25519, seed));
    Signature signature = Signature.getInstance("EdDSA");
    signature.initSign(key);
    signature.update(message);
    return signature.sign();
  }

  @ParameterizedTest
  @MethodSource("all")
  void whatIsNotSignedIsNotBelieved(Curves curves) {
    byte[] seed = Randomness.bytes(32);
    byte[] message = "the message".getBytes(US_ASCII);
    byte[] signature = curves.sign(seed, message);
    byte[] publicKey = curves.ed25519Public(seed);
    for (int i = 0; i < signature.length * 8; i++) {
      assertThat(curves.verify(publicKey, message, flipped(signature, i))).as("bit %s", i).isFalse();
    }
    for (int i = 0; i < publicKey.length * 8; i++) {
      assertThat(curves.verify(flipped(publicKey, i), message, signature)).as("bit %s", i).isFalse();
    }
    for (int i = 0; i < message.length * 8; i++) {
      assertThat(curves.verify(publicKey, flipped(message, i), signature)).as("bit %s", i).isFalse();
    }
    // RFC 8032 section 5.1.7: S must be less than the group's order, or one signature had many
    // forms.
    byte[] order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    byte[] another = signature.clone();
    int carry = 0;
    for (int i = 0; i < order.length; i++) {
      carry += (another[32 + i] & 0xff) + (order[i] & 0xff);
      another[32 + i] = (byte) carry;
      carry >>= 8;
    }
    assertThat(curves.verify(publicKey, message, another)).isFalse();
  }

  private static byte[] flipped(byte[] bytes, int bit) {
    byte[] flipped = Arrays.copyOf(bytes, bytes.length);
    flipped[bit / 8] ^= (byte) (1 << bit % 8);
    return flipped;
  }
}
