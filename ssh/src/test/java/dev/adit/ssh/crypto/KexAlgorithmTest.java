package dev.adit.ssh.crypto;

import static dev.adit.ssh.crypto.Vectors.hex;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.adit.ssh.wire.WireWriter;
import java.math.BigInteger;
import java.security.KeyFactory;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.security.interfaces.XECPublicKey;
import java.security.spec.NamedParameterSpec;
import java.security.spec.X509EncodedKeySpec;
import java.security.spec.XECPublicKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import javax.crypto.KEM;
import org.bouncycastle.crypto.agreement.ECDHBasicAgreement;
import org.bouncycastle.crypto.ec.CustomNamedCurves;
import org.bouncycastle.crypto.generators.ECKeyPairGenerator;
import org.bouncycastle.crypto.params.ECDomainParameters;
import org.bouncycastle.crypto.params.ECKeyGenerationParameters;
import org.bouncycastle.crypto.params.ECPublicKeyParameters;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Both sides of every key exchange method. Ephemeral keys can't be recorded, so the judge on the
 * other side is an implementation that ours does not use: the JDK's X25519 and ML-KEM, Bouncy
 * Castle's ECDH, OpenSSL's primes (groups.sh).
 */
class KexAlgorithmTest {
  private static final SecureRandom RANDOM = new SecureRandom();

  /** What stands before the raw public key in its X.509 form: OID 2.16.840.1.101.3.4.4.2. */
  private static final byte[] ML_KEM_768_X509 = hex("308204b2300b0609608648016503040402038204a100");

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "DH_GROUP_EXCHANGE")
  void bothSidesAgree(KexAlgorithm algorithm) throws Exception {
    KeyAgreement initiator = algorithm.initiate();
    KeyAgreement.Response response = algorithm.respond(initiator.initiation());
    assertThat(initiator.secret(response.reply())).isEqualTo(response.secret());
    assertThat(algorithm.initiate().initiation())
        .as("a new key each time")
        .isNotEqualTo(initiator.initiation());
  }

  @Test
  void namesAreInTheOrderOfOpenSsh10() {
    assertThat(KexAlgorithm.names())
        .containsExactly(
            "mlkem768x25519-sha256",
            "sntrup761x25519-sha512",
            "sntrup761x25519-sha512@openssh.com",
            "curve25519-sha256",
            "curve25519-sha256@libssh.org",
            "ecdh-sha2-nistp256",
            "ecdh-sha2-nistp384",
            "ecdh-sha2-nistp521",
            "diffie-hellman-group-exchange-sha256",
            "diffie-hellman-group16-sha512",
            "diffie-hellman-group18-sha512",
            "diffie-hellman-group14-sha256");
    for (String name : KexAlgorithm.names()) {
      KexAlgorithm algorithm = Objects.requireNonNull(KexAlgorithm.of(name), name);
      assertThat(algorithm).extracting("sshName").isEqualTo(name);
      assertThat(algorithm.isPostQuantum())
          .isEqualTo(name.startsWith("mlkem") || name.startsWith("sntrup"));
    }
    assertThat(KexAlgorithm.of("diffie-hellman-group1-sha1")).isNull();
  }

  // X25519

  @ParameterizedTest
  @CsvSource({
    // RFC 7748 section 5.2, both vectors
    "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4,"
        + "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c,"
        + "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
    "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d,"
        + "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493,"
        + "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"
  })
  void x25519IsThatOfRfc7748(String scalar, String u, String expected) throws Exception {
    assertThat(Curve25519.agree(hex(scalar), hex(u))).isEqualTo(hex(expected));
  }

  @Test
  void anEphemeralKeyIsWipedOnceItWasUsed() throws Exception {
    var pair = new Curve25519.KeyPair();
    assertThat(pair.privateKey).isNotEqualTo(new byte[Curve25519.KEY_LENGTH]);
    pair.agree(new Curve25519.KeyPair().publicKey());
    assertThat(pair.privateKey).containsOnly(0);
  }

  @Test
  void curve25519SecretIsTheMpintOfX25519() throws Exception {
    // Often enough that the secret begins with a set bit, and with a zero byte, too.
    for (int i = 0; i < 40; i++) {
      var judge = new X25519Judge();
      KeyAgreement.Response response = KexAlgorithm.CURVE25519.respond(judge.publicKey());
      byte[] shared = judge.agree(response.reply());
      assertThat(response.secret()).isEqualTo(mpint(new BigInteger(1, shared)));

      KeyAgreement initiator = KexAlgorithm.CURVE25519_LIBSSH.initiate();
      assertThat(initiator.secret(judge.publicKey()))
          .isEqualTo(mpint(new BigInteger(1, judge.agree(initiator.initiation()))));
    }
  }

  /** Points of small order, which RFC 8731 section 3 wants refused. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
      })
  void x25519PointsOfSmallOrderAreRefused(String point) {
    assertRefused(KexAlgorithm.CURVE25519, hex(point), hex(point));
    // In the hybrids, too, behind a good KEM half.
    KeyAgreement hybrid = KexAlgorithm.MLKEM768_X25519.initiate();
    byte[] initiation = hybrid.initiation();
    System.arraycopy(hex(point), 0, initiation, initiation.length - 32, 32);
    assertThatExceptionOfType(InvalidKeyExchangeException.class)
        .isThrownBy(() -> KexAlgorithm.MLKEM768_X25519.respond(initiation));
  }

  // Hybrids

  @Test
  void mlkemHybridAgreesWithTheJdkAsResponder() throws Exception {
    KeyAgreement initiator = KexAlgorithm.MLKEM768_X25519.initiate();
    byte[] initiation = initiator.initiation();
    assertThat(initiation).hasSize(1184 + 32);
    var publicKey =
        KeyFactory.getInstance("ML-KEM")
            .generatePublic(
                new X509EncodedKeySpec(concat(ML_KEM_768_X509, Arrays.copyOf(initiation, 1184))));
    var encapsulated = KEM.getInstance("ML-KEM").newEncapsulator(publicKey).encapsulate();
    var judge = new X25519Judge();
    byte[] curveSecret = judge.agree(Arrays.copyOfRange(initiation, 1184, initiation.length));
    byte[] secret = initiator.secret(concat(encapsulated.encapsulation(), judge.publicKey()));
    assertThat(secret)
        .as("K is a string, even where its first bit is set")
        .isEqualTo(
            string(
                MessageDigest.getInstance("SHA-256")
                    .digest(concat(encapsulated.key().getEncoded(), curveSecret))));
  }

  @Test
  void mlkemHybridAgreesWithTheJdkAsInitiator() throws Exception {
    var pair = KeyPairGenerator.getInstance("ML-KEM-768").generateKeyPair();
    var judge = new X25519Judge();
    byte[] x509 = pair.getPublic().getEncoded();
    byte[] publicKey = Arrays.copyOfRange(x509, ML_KEM_768_X509.length, x509.length);
    KeyAgreement.Response response =
        KexAlgorithm.MLKEM768_X25519.respond(concat(publicKey, judge.publicKey()));
    assertThat(response.reply()).hasSize(1088 + 32);
    byte[] kemSecret =
        KEM.getInstance("ML-KEM")
            .newDecapsulator(pair.getPrivate())
            .decapsulate(Arrays.copyOf(response.reply(), 1088))
            .getEncoded();
    byte[] curveSecret = judge.agree(Arrays.copyOfRange(response.reply(), 1088, 1120));
    assertThat(response.secret())
        .isEqualTo(
            string(MessageDigest.getInstance("SHA-256").digest(concat(kemSecret, curveSecret))));
  }

  @Test
  void sntrupHybridHasTheSizesOfTheDraft() throws Exception {
    KeyAgreement initiator = KexAlgorithm.SNTRUP761_X25519.initiate();
    assertThat(initiator.initiation()).hasSize(1158 + 32);
    KeyAgreement.Response response =
        KexAlgorithm.SNTRUP761_X25519_OPENSSH.respond(initiator.initiation());
    assertThat(response.reply()).hasSize(1039 + 32);
    assertThat(response.secret()).hasSize(4 + 64).startsWith(0, 0, 0, 64);
  }

  /** FIPS 203 section 7.2: a coefficient that is not below q = 3329. */
  @Test
  void mlkemPublicKeyWithCoefficientsOutOfRangeIsRefused() {
    byte[] initiation = KexAlgorithm.MLKEM768_X25519.initiate().initiation();
    initiation[0] = (byte) 0xff;
    initiation[1] |= 0x0f;
    assertThatExceptionOfType(InvalidKeyExchangeException.class)
        .isThrownBy(() -> KexAlgorithm.MLKEM768_X25519.respond(initiation));
  }

  /** Implicit rejection: a forged ciphertext yields some other secret, and no sign of it. */
  @ParameterizedTest
  @EnumSource(names = {"MLKEM768_X25519", "SNTRUP761_X25519"})
  void forgedCiphertextYieldsAnotherSecret(KexAlgorithm algorithm) throws Exception {
    KeyAgreement initiator = algorithm.initiate();
    KeyAgreement.Response response = algorithm.respond(initiator.initiation());
    byte[] forged = response.reply();
    forged[3] ^= 1;
    assertThat(initiator.secret(forged)).isNotEqualTo(response.secret());
  }

  // All that come as strings

  @ParameterizedTest
  @EnumSource(
      names = {
        "MLKEM768_X25519",
        "SNTRUP761_X25519",
        "CURVE25519",
        "ECDH_NISTP256",
        "ECDH_NISTP384",
        "ECDH_NISTP521"
      })
  void valuesOfAWrongLengthAreRefused(KexAlgorithm algorithm) throws Exception {
    byte[] initiation = algorithm.initiate().initiation();
    byte[] reply = algorithm.respond(initiation).reply();
    for (int length : lengths(initiation.length)) {
      byte[] bad = Arrays.copyOf(initiation, length);
      assertThatExceptionOfType(InvalidKeyExchangeException.class)
          .as("initiation of %s bytes", length)
          .isThrownBy(() -> algorithm.respond(bad));
    }
    for (int length : lengths(reply.length)) {
      byte[] bad = Arrays.copyOf(reply, length);
      assertThatExceptionOfType(InvalidKeyExchangeException.class)
          .as("reply of %s bytes", length)
          .isThrownBy(() -> algorithm.initiate().secret(bad));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"MLKEM768_X25519", "SNTRUP761_X25519", "CURVE25519", "ECDH_NISTP256"})
  void noGarbageMakesAnythingElseThanARefusal(KexAlgorithm algorithm) throws Exception {
    byte[] initiation = algorithm.initiate().initiation();
    byte[] reply = algorithm.respond(initiation).reply();
    for (int fill : new int[] {0, 1, 0x7f, 0x80, 0xff}) {
      byte[] badInitiation = new byte[initiation.length];
      byte[] badReply = new byte[reply.length];
      Arrays.fill(badInitiation, (byte) fill);
      Arrays.fill(badReply, (byte) fill);
      try {
        algorithm.respond(badInitiation);
      } catch (InvalidKeyExchangeException refused) {
        assertThat(refused).hasMessageMatching("\\p{Print}+");
      }
      try {
        algorithm.initiate().secret(badReply);
      } catch (InvalidKeyExchangeException refused) {
        assertThat(refused).hasMessageMatching("\\p{Print}+");
      }
    }
  }

  // ECDH

  @ParameterizedTest
  @CsvSource({"ECDH_NISTP256,secp256r1", "ECDH_NISTP384,secp384r1", "ECDH_NISTP521,secp521r1"})
  void ecdhAgreesWithBouncyCastle(KexAlgorithm algorithm, String curveName) throws Exception {
    var parameters = CustomNamedCurves.getByName(curveName);
    var domain =
        new ECDomainParameters(
            parameters.getCurve(), parameters.getG(), parameters.getN(), parameters.getH());
    var generator = new ECKeyPairGenerator();
    generator.init(new ECKeyGenerationParameters(domain, RANDOM));
    var pair = generator.generateKeyPair();
    byte[] point = ((ECPublicKeyParameters) pair.getPublic()).getQ().getEncoded(false);
    var judge = new ECDHBasicAgreement();
    judge.init(pair.getPrivate());

    KeyAgreement.Response response = algorithm.respond(point);
    var theirs =
        new ECPublicKeyParameters(parameters.getCurve().decodePoint(response.reply()), domain);
    assertThat(response.secret()).isEqualTo(mpint(judge.calculateAgreement(theirs)));
  }

  @ParameterizedTest
  @EnumSource(names = {"ECDH_NISTP256", "ECDH_NISTP384", "ECDH_NISTP521"})
  void ecdhPointsOffTheCurveAreRefused(KexAlgorithm algorithm) {
    byte[] good = algorithm.initiate().initiation();
    for (int i : new int[] {0, 1, good.length / 2, good.length - 1}) {
      byte[] bad = good.clone();
      bad[i] ^= 1;
      assertRefused(algorithm, bad, bad);
    }
    byte[] compressed = Arrays.copyOf(good, 1 + good.length / 2);
    compressed[0] = (byte) (2 + (good[good.length - 1] & 1));
    assertRefused(algorithm, compressed, compressed);
    byte[] infinity = {0};
    assertRefused(algorithm, infinity, infinity);
  }

  // Diffie-Hellman

  @ParameterizedTest
  @ValueSource(ints = {2048, 3072, 4096, 6144, 8192})
  void modpGroupsAreThoseOfOpenssl(int bits) {
    var group = DhGroup.modp(bits);
    assertThat(group.p()).isEqualTo(new Vectors("groups.properties").number("modp" + bits));
    assertThat(group.g()).isEqualTo(BigInteger.TWO);
  }

  @Test
  void otherModpGroupsAreNotMadeUp() {
    assertThatIllegalArgumentException().isThrownBy(() -> DhGroup.modp(1024));
  }

  @ParameterizedTest
  @CsvSource({"DH_GROUP14,2048", "DH_GROUP16,4096", "DH_GROUP18,8192"})
  void dhSecretIsTheMpintOfThePower(KexAlgorithm algorithm, int bits) throws Exception {
    BigInteger p = new Vectors("groups.properties").number("modp" + bits);
    BigInteger x = new BigInteger(500, RANDOM);
    BigInteger e = BigInteger.TWO.modPow(x, p);
    KeyAgreement.Response response = algorithm.respond(e.toByteArray());
    BigInteger f = new BigInteger(response.reply());
    assertThat(response.secret()).isEqualTo(mpint(f.modPow(x, p)));
  }

  @Test
  void dhValuesOutOfRangeAreRefused() {
    BigInteger p = DhGroup.modp(2048).p();
    for (BigInteger bad :
        List.of(
            BigInteger.ZERO,
            BigInteger.ONE,
            BigInteger.TWO.negate(),
            p.subtract(BigInteger.ONE),
            p,
            p.add(BigInteger.TWO),
            p.shiftLeft(100),
            BigInteger.ONE.shiftLeft(80_000))) {
      assertRefused(KexAlgorithm.DH_GROUP14, bad.toByteArray(), bad.toByteArray());
    }
    assertRefused(KexAlgorithm.DH_GROUP14, new byte[0], new byte[0]);
  }

  @Test
  void dhValuesAtTheEdgesAreTaken() throws Exception {
    BigInteger p = DhGroup.modp(2048).p();
    for (BigInteger edge : List.of(BigInteger.TWO, p.subtract(BigInteger.TWO))) {
      assertThat(KexAlgorithm.DH_GROUP14.respond(edge.toByteArray()).secret()).isNotEmpty();
    }
  }

  @Test
  void groupExchangeAgreesInAnOfferedGroup() throws Exception {
    var modp = DhGroup.modp(3072);
    var group = DhGroup.offered(modp.p(), modp.g(), 2048, 8192);
    KeyAgreement initiator = DiffieHellman.initiate(group);
    KeyAgreement.Response response = DiffieHellman.respond(group, initiator.initiation());
    assertThat(initiator.secret(response.reply())).isEqualTo(response.secret());
    assertThatIllegalStateException().isThrownBy(KexAlgorithm.DH_GROUP_EXCHANGE::initiate);
  }

  @Test
  void groupsThatMustNotBeUsedAreRefused() {
    BigInteger p = DhGroup.modp(2048).p();
    BigInteger g = BigInteger.TWO;
    BigInteger small = BigInteger.ONE.shiftLeft(2046).add(BigInteger.ONE);
    BigInteger large = BigInteger.ONE.shiftLeft(8192).add(BigInteger.ONE);
    assertThatThrownBy(() -> DhGroup.offered(small, g, 1024, 8192))
        .hasMessageContaining("2047 bits");
    assertThatThrownBy(() -> DhGroup.offered(large, g, 1024, 9000))
        .hasMessageContaining("8193 bits");
    assertThatThrownBy(() -> DhGroup.offered(p, g, 3072, 8192)).hasMessageContaining("3072");
    assertThatThrownBy(() -> DhGroup.offered(p.negate(), g, 2048, 8192))
        .isInstanceOf(InvalidKeyExchangeException.class);
    assertThatThrownBy(() -> DhGroup.offered(p.subtract(BigInteger.ONE), g, 2048, 8192))
        .hasMessageContaining("even");
    for (BigInteger bad :
        List.of(BigInteger.ZERO, BigInteger.ONE, g.negate(), p.subtract(BigInteger.ONE), p)) {
      assertThatExceptionOfType(InvalidKeyExchangeException.class)
          .as("g = %s", bad)
          .isThrownBy(() -> DhGroup.offered(p, bad, 2048, 8192));
    }
  }

  /** A "prime" made so that the secret falls into a tiny group. */
  @Test
  void trivialSecretInAWeakGroupIsRefused() throws Exception {
    // Modulo 3^n, 3^(n-1) + 1 has order 3; the exponent need not even be guessed.
    BigInteger p = BigInteger.valueOf(3).pow(1300);
    BigInteger e = BigInteger.valueOf(3).pow(1299).add(BigInteger.ONE);
    var group = DhGroup.offered(p, BigInteger.TWO, 2048, 8192);
    int refused = 0;
    for (int i = 0; i < 60; i++) {
      try {
        DiffieHellman.respond(group, e.toByteArray());
      } catch (InvalidKeyExchangeException expected) {
        refused++;
      }
    }
    assertThat(refused).as("each third exponent yields 1").isPositive();
  }

  private static void assertRefused(KexAlgorithm algorithm, byte[] initiation, byte[] reply) {
    assertThatExceptionOfType(InvalidKeyExchangeException.class)
        .isThrownBy(() -> algorithm.respond(initiation));
    assertThatExceptionOfType(InvalidKeyExchangeException.class)
        .isThrownBy(() -> algorithm.initiate().secret(reply));
  }

  private static List<Integer> lengths(int right) {
    List<Integer> lengths = new ArrayList<>(List.of(0, 1, 31, 33, 1 << 16));
    lengths.addAll(List.of(right - 32, right - 1, right + 1, right + 32));
    lengths.removeIf(length -> length == right || length < 0);
    return lengths;
  }

  private static byte[] mpint(BigInteger value) {
    return WireWriter.create().writeMpint(value).toBytes();
  }

  private static byte[] string(byte[] value) {
    return WireWriter.create().writeString(value).toBytes();
  }

  private static byte[] concat(byte[] a, byte[] b) {
    byte[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  /** The JDK's X25519, which has keys as numbers. */
  private static final class X25519Judge {
    private final java.security.KeyPair pair;

    X25519Judge() throws Exception {
      pair = KeyPairGenerator.getInstance("X25519").generateKeyPair();
    }

    byte[] publicKey() {
      return reversed(
          NistCurve.fixed(((XECPublicKey) pair.getPublic()).getU(), Curve25519.KEY_LENGTH));
    }

    byte[] agree(byte[] theirs) throws Exception {
      var agreement = javax.crypto.KeyAgreement.getInstance("X25519");
      agreement.init(pair.getPrivate());
      var spec =
          new XECPublicKeySpec(NamedParameterSpec.X25519, new BigInteger(1, reversed(theirs)));
      agreement.doPhase(KeyFactory.getInstance("X25519").generatePublic(spec), true);
      return agreement.generateSecret();
    }

    private static byte[] reversed(byte[] bytes) {
      byte[] result = new byte[bytes.length];
      for (int i = 0; i < bytes.length; i++) {
        result[i] = bytes[bytes.length - 1 - i];
      }
      return result;
    }
  }
}
