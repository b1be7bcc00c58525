package dev.adit.ssh.crypto;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.PooledByteBufAllocator;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Packets of every suite, sealed and opened. */
class PacketCipherTest {

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

  @ParameterizedTest
  @MethodSource("suitesAndProviders")
  void whatIsSealedOpens(CipherSuite suite, CryptoProvider provider) throws Exception {
    var random = new Random(1);
    byte[] key = bytes(random, suite.cipher().keyLength());
    byte[] iv = bytes(random, suite.cipher().ivLength());
    byte[] macKey = bytes(random, suite.macKeyLength());
    PacketSealer sealer = suite.newSealer(provider, key, iv, macKey);
    PacketOpener opener = suite.newOpener(provider, key, iv, macKey);
    ByteBuf buffer = PooledByteBufAllocator.DEFAULT.directBuffer(300_000);
    try {
      for (int sequence = -2; sequence < 20; sequence++) {
        int block = sealer.blockSize();
        int packetLength = block * (1 + random.nextInt(sequence == 5 ? 16000 : 10));
        packetLength += sealer.lengthIsPadded() ? block - 4 : 0;
        byte[] packet = bytes(random, 4 + packetLength);
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
    } finally {
      buffer.release();
    }
  }

  private static byte[] bytes(Random random, int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }
}
