package dev.adit.ssh.crypto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.PooledByteBufAllocator;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Packets of every suite with every provider, against what AsyncSSH sealed (packets.py): since all
 * providers must make the same bytes as AsyncSSH, they make the same as each other.
 */
class PacketCipherTest {
  private static final int FIRST_SEQUENCE = 0xfffffffe;
  private static final int PACKETS = 4;
  private static final Vectors VECTORS = new Vectors("packets.properties");

  private final ByteBuf buffer = PooledByteBufAllocator.DEFAULT.directBuffer(400_000);

  @AfterEach
  void release() {
    buffer.release();
  }

  static List<CipherSuite> suites() {
    List<CipherSuite> suites = new ArrayList<>();
    for (CipherAlgorithm cipher : CipherAlgorithm.values()) {
      if (cipher.isAead()) {
        suites.add(new CipherSuite(cipher, null));
      } else {
        for (MacAlgorithm mac : MacAlgorithm.values()) {
          suites.add(new CipherSuite(cipher, mac));
        }
      }
    }
    return suites;
  }

  static Stream<Arguments> suitesAndProviders() {
    return Arrays.stream(CryptoProvider.values())
        .filter(CryptoProvider::isAvailable)
        .flatMap(provider -> suites().stream().map(suite -> Arguments.of(suite, provider)));
  }

  /** Otherwise a machine without one would test less and say nothing. */
  @ParameterizedTest
  @EnumSource
  void everyProviderIsThereToBeTested(CryptoProvider provider) {
    assertThat(provider.isAvailable())
        .as("%s; install OpenSSL 3 (libcrypto.so.3), run on linux-x86_64", provider)
        .isTrue();
    assertThat(provider.description()).isNotEmpty();
  }

  @ParameterizedTest
  @MethodSource("suitesAndProviders")
  void sealsAsAsyncSshDoes(CipherSuite suite, CryptoProvider provider) {
    PacketSealer sealer = sealer(suite, provider);
    for (int i = 0; i < PACKETS; i++) {
      byte[] plain = VECTORS.bytes(name(suite) + ".plain" + i);
      byte[] sealed = VECTORS.bytes(name(suite) + ".sealed" + i);
      int index = 3 * i;
      buffer.setBytes(index, plain);
      buffer.setByte(index + sealed.length, 0x5a);
      sealer.seal(buffer, index, plain.length - 4, FIRST_SEQUENCE + i);
      assertThat(ByteBufUtil.getBytes(buffer, index, sealed.length)).isEqualTo(sealed);
      assertThat(buffer.getByte(index + sealed.length)).as("behind the tag").isEqualTo((byte) 0x5a);
    }
  }

  @ParameterizedTest
  @MethodSource("suitesAndProviders")
  void opensWhatAsyncSshSealed(CipherSuite suite, CryptoProvider provider) throws Exception {
    PacketOpener opener = opener(suite, provider);
    for (int i = 0; i < PACKETS; i++) {
      byte[] plain = VECTORS.bytes(name(suite) + ".plain" + i);
      int index = 5 * i;
      buffer.setBytes(index, VECTORS.bytes(name(suite) + ".sealed" + i));
      long packetLength = opener.packetLength(buffer, index, FIRST_SEQUENCE + i);
      assertThat(packetLength).isEqualTo(plain.length - 4);
      opener.open(buffer, index, (int) packetLength, FIRST_SEQUENCE + i);
      assertThat(ByteBufUtil.getBytes(buffer, index, plain.length)).isEqualTo(plain);
    }
  }

  @ParameterizedTest
  @MethodSource("suitesAndProviders")
  void oneChangedBitAnywhereIsRefused(CipherSuite suite, CryptoProvider provider) {
    byte[] sealed = VECTORS.bytes(name(suite) + ".sealed0");
    int packetLength = VECTORS.bytes(name(suite) + ".plain0").length - 4;
    for (int i = 0; i < sealed.length; i++) {
      byte[] damaged = sealed.clone();
      damaged[i] ^= (byte) (1 << i % 8);
      buffer.setBytes(0, damaged);
      PacketOpener opener = opener(suite, provider);
      // The true length, even where the damage is in the length: the caller can't know.
      assertThatExceptionOfType(PacketIntegrityException.class)
          .as("byte %s", i)
          .isThrownBy(
              () -> {
                opener.packetLength(buffer, 0, FIRST_SEQUENCE);
                opener.open(buffer, 0, packetLength, FIRST_SEQUENCE);
              })
          .withMessageContaining("4294967294");
      opener.close();
    }
  }

  @ParameterizedTest
  @MethodSource("suitesAndProviders")
  void packetOutOfItsPlaceIsRefused(CipherSuite suite, CryptoProvider provider) {
    byte[] second = VECTORS.bytes(name(suite) + ".sealed1");
    int packetLength = VECTORS.bytes(name(suite) + ".plain1").length - 4;
    buffer.setBytes(0, second);
    PacketOpener opener = opener(suite, provider);
    assertThatExceptionOfType(PacketIntegrityException.class)
        .isThrownBy(
            () -> {
              opener.packetLength(buffer, 0, FIRST_SEQUENCE);
              opener.open(buffer, 0, packetLength, FIRST_SEQUENCE);
            });
  }

  @ParameterizedTest
  @MethodSource("suitesAndProviders")
  void whatIsNotGenuineIsNotLeftDecrypted(CipherSuite suite, CryptoProvider provider) {
    if (suite.mac() != null && !suite.isEtm()) {
      return; // Encrypt-and-MAC can only be verified when it is decrypted.
    }
    byte[] sealed = VECTORS.bytes(name(suite) + ".sealed3");
    byte[] plain = VECTORS.bytes(name(suite) + ".plain3");
    sealed[sealed.length - 1] ^= 1;
    buffer.setBytes(0, sealed);
    PacketOpener opener = opener(suite, provider);
    int sequence = FIRST_SEQUENCE;
    for (int i = 0; i < 3; i++) {
      skip(opener, suite, i);
      sequence++;
    }
    buffer.setBytes(0, sealed);
    int last = sequence;
    opener.packetLength(buffer, 0, last);
    assertThatExceptionOfType(PacketIntegrityException.class)
        .isThrownBy(() -> opener.open(buffer, 0, plain.length - 4, last));
    byte[] left = ByteBufUtil.getBytes(buffer, 4, plain.length - 4);
    for (int i = 0; i + 8 <= left.length; i += 8) {
      assertThat(Arrays.copyOfRange(left, i, i + 8))
          .isNotEqualTo(Arrays.copyOfRange(plain, 4 + i, 4 + i + 8));
    }
  }

  private void skip(PacketOpener opener, CipherSuite suite, int i) {
    byte[] sealed = VECTORS.bytes(name(suite) + ".sealed" + i);
    buffer.setBytes(0, sealed);
    long packetLength = opener.packetLength(buffer, 0, FIRST_SEQUENCE + i);
    try {
      opener.open(buffer, 0, (int) packetLength, FIRST_SEQUENCE + i);
    } catch (PacketIntegrityException e) {
      throw new AssertionError(e);
    }
  }

  /** Packets of many sizes, with the scratch memory growing and shrinking between them. */
  @ParameterizedTest
  @MethodSource("suitesAndProviders")
  void whatIsSealedOpens(CipherSuite suite, CryptoProvider provider) throws Exception {
    var random = new Random(20261122);
    PacketSealer sealer = sealer(suite, provider);
    PacketOpener opener = opener(suite, provider);
    int[] blocks = {1, 2, 500, 1, 4096, 3, 16384, 7};
    for (int sequence = 0; sequence < blocks.length; sequence++) {
      int block = sealer.blockSize();
      int packetLength = block * blocks[sequence] + (sealer.lengthIsPadded() ? block - 4 : 0);
      byte[] packet = new byte[4 + packetLength];
      random.nextBytes(packet);
      int index = random.nextInt(30);
      buffer.setBytes(index, packet);
      buffer.setInt(index, packetLength);
      byte[] plain = ByteBufUtil.getBytes(buffer, index, 4 + packetLength);
      sealer.seal(buffer, index, packetLength, sequence);
      assertThat(ByteBufUtil.getBytes(buffer, index + 4, packetLength))
          .isNotEqualTo(Arrays.copyOfRange(plain, 4, plain.length));
      assertThat(opener.packetLength(buffer, index, sequence)).isEqualTo(packetLength);
      opener.open(buffer, index, packetLength, sequence);
      assertThat(ByteBufUtil.getBytes(buffer, index, 4 + packetLength)).isEqualTo(plain);
    }
  }

  /** A sealed packet that reaches beyond its buffer must not reach memory beyond it. */
  @ParameterizedTest
  @MethodSource("suitesAndProviders")
  void memoryOutsideTheBufferIsNeverTouched(CipherSuite suite, CryptoProvider provider) {
    ByteBuf small = PooledByteBufAllocator.DEFAULT.directBuffer(64, 64);
    ByteBuf slice = buffer.slice(0, 64);
    try {
      for (ByteBuf where : List.of(small, slice)) {
        for (int[] place : new int[][] {{0, 64}, {40, 16}, {-1, 16}, {65, 0}, {0, 1 << 20}}) {
          PacketSealer sealer = sealer(suite, provider);
          assertThatThrownBy(() -> sealer.seal(where, place[0], place[1], 0))
              .isInstanceOf(IndexOutOfBoundsException.class);
          PacketOpener opener = opener(suite, provider);
          assertThatThrownBy(() -> opener.open(where, place[0], place[1], 0))
              .isInstanceOf(IndexOutOfBoundsException.class);
        }
      }
    } finally {
      small.release();
    }
  }

  @ParameterizedTest
  @MethodSource("suites")
  void fastestProviderServesEverySuite(CipherSuite suite) {
    String name = name(suite);
    PacketSealer sealer =
        suite.newSealer(VECTORS.bytes(name + ".key"), VECTORS.bytes(name + ".iv"), macKey(suite));
    byte[] plain = VECTORS.bytes(name + ".plain0");
    buffer.setBytes(0, plain);
    sealer.seal(buffer, 0, plain.length - 4, FIRST_SEQUENCE);
    byte[] sealed = VECTORS.bytes(name + ".sealed0");
    assertThat(ByteBufUtil.getBytes(buffer, 0, sealed.length)).isEqualTo(sealed);
  }

  /** With native code behind it, a late call must be an exception and not a crash. */
  @ParameterizedTest
  @MethodSource("suites")
  void nothingIsSealedAfterClose(CipherSuite suite) {
    PacketSealer sealer = sealer(suite, CryptoProvider.OPENSSL);
    PacketOpener opener = opener(suite, CryptoProvider.OPENSSL);
    sealer.close();
    sealer.close();
    opener.close();
    assertThatIllegalStateException().isThrownBy(() -> sealer.seal(buffer, 0, 28, 0));
    assertThatIllegalStateException().isThrownBy(() -> opener.open(buffer, 0, 28, 0));
  }

  @Test
  void theSystemsOpensslIsTaken() {
    assertThat(CryptoProvider.fastest()).isEqualTo(CryptoProvider.OPENSSL);
    assertThat(CryptoProvider.OPENSSL.description()).startsWith("OpenSSL 3");
    assertThat(CryptoProvider.ACCP.description()).contains("Corretto");
    CryptoProvider.prepare();
  }

  @Test
  void namesAreThoseOfOpenSsh() {
    assertThat(CipherAlgorithm.names())
        .containsExactlyInAnyOrder(
            "aes128-gcm@openssh.com",
            "aes256-gcm@openssh.com",
            "chacha20-poly1305@openssh.com",
            "aes128-ctr",
            "aes192-ctr",
            "aes256-ctr");
    assertThat(MacAlgorithm.names())
        .containsExactly(
            "hmac-sha2-256-etm@openssh.com",
            "hmac-sha2-512-etm@openssh.com",
            "hmac-sha2-256",
            "hmac-sha2-512");
    for (String cipher : CipherAlgorithm.names()) {
      assertThat(CipherAlgorithm.of(cipher)).extracting("sshName").isEqualTo(cipher);
    }
    assertThat(CipherAlgorithm.of("3des-cbc")).isNull();
    assertThat(MacAlgorithm.of("hmac-md5")).isNull();
  }

  @Test
  void suitesThatTerrapinCanTouchSaySo() {
    for (CipherSuite suite : suites()) {
      boolean gcm = suite.cipher().sshName().contains("gcm");
      boolean plainMac = suite.mac() != null && !suite.mac().sshName().contains("etm");
      assertThat(suite.needsStrictKex()).as("%s", suite).isEqualTo(!gcm && !plainMac);
    }
  }

  @Test
  void suiteOfAnAeadDropsTheMac() {
    var suite = CipherSuite.of(CipherAlgorithm.AES128_GCM, MacAlgorithm.HMAC_SHA2_256);
    assertThat(suite.mac()).isNull();
    assertThat(suite.macKeyLength()).isZero();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> CipherSuite.of(CipherAlgorithm.AES128_CTR, null))
        .withMessageContaining("aes128-ctr");
  }

  @ParameterizedTest
  @MethodSource("suites")
  void keysOfAWrongLengthAreRefused(CipherSuite suite) {
    byte[] key = new byte[suite.cipher().keyLength() + 1];
    byte[] iv = new byte[suite.cipher().ivLength()];
    byte[] macKey = new byte[suite.macKeyLength()];
    assertThatIllegalArgumentException().isThrownBy(() -> suite.newSealer(key, iv, macKey));
    assertThatIllegalArgumentException().isThrownBy(() -> suite.newOpener(key, iv, macKey));
  }

  /** What the ciphers hold are copies of their own, which close takes away. */
  @ParameterizedTest
  @MethodSource("suites")
  void keysThatWereHandedOverAreWiped(CipherSuite suite) {
    String name = name(suite);
    byte[] key = VECTORS.bytes(name + ".key");
    byte[] iv = VECTORS.bytes(name + ".iv");
    byte[] macKey = macKey(suite);
    try (PacketSealer sealer = suite.newSealer(key, iv, macKey)) {
      assertThat(sealer.tagLength()).isPositive();
    }
    assertThat(List.of(key, iv, macKey)).allMatch(PacketCipherTest::isWiped);
    key = VECTORS.bytes(name + ".key");
    iv = VECTORS.bytes(name + ".iv");
    macKey = macKey(suite);
    try (PacketOpener opener = suite.newOpener(key, iv, macKey)) {
      assertThat(opener.tagLength()).isPositive();
    }
    assertThat(List.of(key, iv, macKey)).allMatch(PacketCipherTest::isWiped);
  }

  private static boolean isWiped(byte[] array) {
    return Arrays.equals(array, new byte[array.length]);
  }

  private static PacketSealer sealer(CipherSuite suite, CryptoProvider provider) {
    String name = name(suite);
    return suite.newSealer(
        provider, VECTORS.bytes(name + ".key"), VECTORS.bytes(name + ".iv"), macKey(suite));
  }

  private static PacketOpener opener(CipherSuite suite, CryptoProvider provider) {
    String name = name(suite);
    return suite.newOpener(
        provider, VECTORS.bytes(name + ".key"), VECTORS.bytes(name + ".iv"), macKey(suite));
  }

  private static byte[] macKey(CipherSuite suite) {
    return VECTORS.bytes(name(suite) + ".mac");
  }

  private static String name(CipherSuite suite) {
    return suite.mac() == null
        ? suite.cipher().sshName()
        : suite.cipher().sshName() + "+" + suite.mac().sshName();
  }
}
