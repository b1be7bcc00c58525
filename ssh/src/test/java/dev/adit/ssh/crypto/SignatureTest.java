package dev.adit.ssh.crypto;

import static dev.adit.ssh.crypto.Vectors.hex;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Signatures, against RFC 8032 and against what OpenSSL signed (signatures.sh). */
class SignatureTest {
  private static final byte[] MESSAGE = "the message".getBytes(US_ASCII);
  private static final byte[] OTHER = "the massage".getBytes(US_ASCII);
  private final Vectors vectors = new Vectors("signatures.properties");

  @ParameterizedTest
  @CsvSource({
    // RFC 8032 section 7.1, tests 1 to 3: seed, public key, message, signature
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60,"
        + "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a,'',"
        + "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e3970"
        + "1cf9b46bd25bf5f0595bbe24655141438e7a100b",
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb,"
        + "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c,72,"
        + "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613"
        + "d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7,"
        + "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025,af82,"
        + "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760"
        + "984dc6594a7c15e9716ed28dc027beceea1ec40a"
  })
  void ed25519SignsAsRfc8032(String seed, String publicKey, String message, String signature) {
    assertThat(Ed25519.publicKey(hex(seed))).isEqualTo(hex(publicKey));
    assertThat(Ed25519.sign(hex(seed), hex(message))).isEqualTo(hex(signature));
    assertThat(Ed25519.verify(hex(publicKey), hex(message), hex(signature))).isTrue();
  }

  @Test
  void ed25519AgreesWithOpenssl() {
    byte[] publicKey = vectors.bytes("ed25519.public");
    byte[] signature = vectors.bytes("ed25519.signature");
    assertThat(Ed25519.publicKey(vectors.bytes("ed25519.seed"))).isEqualTo(publicKey);
    assertThat(Ed25519.verify(publicKey, MESSAGE, signature)).isTrue();
    assertThat(Ed25519.verify(publicKey, OTHER, signature)).isFalse();
    assertThat(Ed25519.verify(publicKey, MESSAGE, Arrays.copyOf(signature, 63))).isFalse();
    assertThat(Ed25519.verify(publicKey, MESSAGE, Arrays.copyOf(signature, 65))).isFalse();
    assertThat(Ed25519.verify(Arrays.copyOf(publicKey, 31), MESSAGE, signature)).isFalse();
    for (int i = 0; i < signature.length; i++) {
      byte[] damaged = signature.clone();
      damaged[i] ^= 1;
      assertThat(Ed25519.verify(publicKey, MESSAGE, damaged)).as("byte %s", i).isFalse();
    }
  }

  /**
   * To a key of small order, [h]A is the neutral point for every eighth message at least, and then R
   * = [S]B is a signature: here with S = 0.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
      })
  void ed25519KeysWithWhichAnybodyCanSignAreRefused(String key) {
    byte[] signature = new byte[Ed25519.SIGNATURE_LENGTH];
    signature[0] = 1; // the neutral point, and S = 0
    for (int i = 0; i < 64; i++) {
      assertThat(Ed25519.verify(hex(key), new byte[i], signature)).as("%s bytes", i).isFalse();
    }
  }

  @Test
  void ed25519SeedOfWrongLengthIsRefused() {
    assertThatIllegalArgumentException().isThrownBy(() -> Ed25519.sign(new byte[31], MESSAGE));
  }

  @ParameterizedTest
  @EnumSource
  void ecdsaAgreesWithOpenssl(NistCurve curve) {
    String name = curve.sshName();
    BigInteger d = vectors.number(name + ".d");
    byte[] point = vectors.bytes(name + ".point");
    var signature = new Ecdsa.RS(vectors.number(name + ".r"), vectors.number(name + ".s"));
    assertThat(Ecdsa.publicPoint(curve, d)).isEqualTo(point);
    assertThat(Ecdsa.verify(curve, point, MESSAGE, signature)).isTrue();
    assertThat(Ecdsa.verify(curve, point, OTHER, signature)).isFalse();
    var swapped = new Ecdsa.RS(signature.s(), signature.r());
    assertThat(Ecdsa.verify(curve, point, MESSAGE, swapped)).isFalse();
    assertThat(Ecdsa.verify(curve, point, MESSAGE, Ecdsa.sign(curve, d, MESSAGE))).isTrue();
    assertThat(Ecdsa.verify(curve, point, OTHER, Ecdsa.sign(curve, d, MESSAGE))).isFalse();
  }

  @ParameterizedTest
  @EnumSource
  void ecdsaRefusesNumbersOutOfRange(NistCurve curve) {
    byte[] point = vectors.bytes(curve.sshName() + ".point");
    BigInteger r = vectors.number(curve.sshName() + ".r");
    BigInteger n = curve.order();
    for (BigInteger bad :
        new BigInteger[] {BigInteger.ZERO, BigInteger.ONE.negate(), n, n.add(r), n.shiftLeft(99)}) {
      assertThat(Ecdsa.verify(curve, point, MESSAGE, new Ecdsa.RS(bad, r))).isFalse();
      assertThat(Ecdsa.verify(curve, point, MESSAGE, new Ecdsa.RS(r, bad))).isFalse();
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Ecdsa.sign(curve, BigInteger.ZERO, MESSAGE));
    assertThatIllegalArgumentException().isThrownBy(() -> Ecdsa.sign(curve, n, MESSAGE));
  }

  @ParameterizedTest
  @EnumSource
  void pointsOffTheCurveAreRefused(NistCurve curve) {
    String name = curve.sshName();
    byte[] point = vectors.bytes(name + ".point");
    assertThat(curve.isPoint(point)).isTrue();
    var signature = new Ecdsa.RS(vectors.number(name + ".r"), vectors.number(name + ".s"));
    for (int i = 0; i < point.length; i++) {
      byte[] off = point.clone();
      off[i] ^= 1;
      assertThat(curve.isPoint(off)).as("byte %s", i).isFalse();
      assertThat(Ecdsa.verify(curve, off, MESSAGE, signature)).isFalse();
      assertThat(curve.isPoint(Arrays.copyOf(point, i))).isFalse();
    }
    assertThat(curve.isPoint(Arrays.copyOf(point, point.length + 1))).isFalse();
    byte[] compressed = Arrays.copyOf(point, 1 + curve.fieldLength());
    compressed[0] = (byte) (2 + (point[point.length - 1] & 1));
    assertThat(curve.isPoint(compressed)).isFalse();
    assertThat(curve.isPoint(new byte[] {0})).as("infinity").isFalse();
    byte[] ones = new byte[point.length];
    Arrays.fill(ones, (byte) 0xff);
    ones[0] = 4;
    assertThat(curve.isPoint(ones)).as("coordinates not below p").isFalse();
  }

  @ParameterizedTest
  @CsvSource({"2048,256", "2048,512", "3072,256", "3072,512"})
  void rsaAgreesWithOpenssl(int bits, int hashBits) {
    String name = "rsa" + bits;
    Hash hash = Hash.valueOf("SHA" + hashBits);
    var key = rsaKey(name);
    byte[] signature = vectors.bytes(name + ".sha" + hashBits);
    assertThat(Rsa.sign(key, hash, MESSAGE)).isEqualTo(signature);
    assertThat(Rsa.verify(key.n(), key.e(), hash, MESSAGE, signature)).isTrue();
    assertThat(Rsa.verify(key.n(), key.e(), hash, OTHER, signature)).isFalse();
    Hash otherHash = hash == Hash.SHA256 ? Hash.SHA512 : Hash.SHA256;
    assertThat(Rsa.verify(key.n(), key.e(), otherHash, MESSAGE, signature)).isFalse();
    assertThat(Rsa.verify(key.n(), key.e(), hash, MESSAGE, new byte[0])).isFalse();
    assertThat(
            Rsa.verify(
                key.n(), key.e(), hash, MESSAGE, Arrays.copyOf(signature, signature.length + 1)))
        .isFalse();
    for (int i = 0; i < signature.length; i += 7) {
      byte[] damaged = signature.clone();
      damaged[i] ^= 0x40;
      assertThat(Rsa.verify(key.n(), key.e(), hash, MESSAGE, damaged)).isFalse();
    }
  }

  @Test
  void rsaSignatureWithoutItsLeadingZerosVerifies() {
    var key = rsaKey("rsa2048");
    byte[] message;
    byte[] signature;
    int tries = 0;
    do {
      message = new byte[] {(byte) tries, (byte) (tries >> 8)};
      signature = Rsa.sign(key, Hash.SHA256, message);
    } while (signature[0] != 0 && ++tries < 5000);
    assertThat(signature[0]).as("one signature in 256 begins with a zero").isZero();
    byte[] shorter = Arrays.copyOfRange(signature, 1, signature.length);
    assertThat(Rsa.verify(key.n(), key.e(), Hash.SHA256, message, shorter)).isTrue();
  }

  @Test
  void rsaKeysTooSmallOrTooLargeAreRefused() {
    BigInteger e = BigInteger.valueOf(65537);
    assertThat(Rsa.isAcceptable(odd(2047), e, CryptoLimits.MIN_RSA_BITS)).isFalse();
    assertThat(Rsa.isAcceptable(odd(2048), e, CryptoLimits.MIN_RSA_BITS)).isTrue();
    assertThat(Rsa.isAcceptable(odd(2048), e, 3072)).isFalse();
    assertThat(Rsa.isAcceptable(odd(8192), e, CryptoLimits.MIN_RSA_BITS)).isTrue();
    assertThat(Rsa.isAcceptable(odd(8193), e, CryptoLimits.MIN_RSA_BITS)).isFalse();
    assertThat(Rsa.isAcceptable(odd(2048).negate(), e, CryptoLimits.MIN_RSA_BITS)).isFalse();
    assertThat(Rsa.verify(odd(100_000), e, Hash.SHA256, MESSAGE, new byte[12_500])).isFalse();
  }

  @Test
  void rsaExponentsThatCannotBeAreRefused() {
    BigInteger n = odd(2048);
    for (long e : new long[] {-3, 0, 1, 2, 65536}) {
      assertThat(Rsa.isAcceptable(n, BigInteger.valueOf(e), 2048)).as("e = %s", e).isFalse();
    }
    assertThat(Rsa.isAcceptable(n, odd(65), 2048)).isFalse();
    assertThat(Rsa.isAcceptable(n, BigInteger.valueOf(3), 2048)).isTrue();
  }

  @Test
  void rsaNumbersThatDoNotFitTogetherSignNothing() {
    var key = rsaKey("rsa2048");
    BigInteger two = BigInteger.TWO;
    for (var wrong :
        List.of(
            new Rsa.PrivateNumbers(
                key.n(), key.e(), key.d().add(two), key.p(), key.q(), key.qInv()),
            new Rsa.PrivateNumbers(
                key.n(), key.e().add(two), key.d(), key.p(), key.q(), key.qInv()))) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> Rsa.sign(wrong, Hash.SHA256, MESSAGE))
          .withMessageStartingWith("RSA private key of 2048 bits cannot sign");
    }
  }

  @Test
  void rsaPrivateKeyDoesNotPrintItself() {
    assertThat(rsaKey("rsa2048")).hasToString("RSA private key of 2048 bits");
  }

  private Rsa.PrivateNumbers rsaKey(String name) {
    return new Rsa.PrivateNumbers(
        vectors.number(name + ".n"),
        BigInteger.valueOf(65537),
        vectors.number(name + ".d"),
        vectors.number(name + ".p"),
        vectors.number(name + ".q"),
        vectors.number(name + ".qInv"));
  }

  private static BigInteger odd(int bits) {
    return BigInteger.ONE.shiftLeft(bits - 1).add(BigInteger.ONE);
  }
}
