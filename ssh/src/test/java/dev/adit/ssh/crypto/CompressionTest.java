package dev.adit.ssh.crypto;

import static dev.adit.ssh.crypto.Vectors.hex;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.adit.ssh.wire.MalformedDataException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CompressionTest {
  private static final int MAX_PAYLOAD = 35_000;

  private final PacketCompressor compressor = new PacketCompressor();
  private final PacketDecompressor decompressor = new PacketDecompressor(MAX_PAYLOAD);

  @AfterEach
  void close() {
    compressor.close();
    decompressor.close();
  }

  /**
   * Two packets in the partial flush of OpenSSH, by Python: {@code z = zlib.compressobj(6);
   * z.compress(b"hello hello hello") + z.flush(zlib.Z_PARTIAL_FLUSH)}, then the same for b"hello".
   */
  @Test
  void opensPacketsOfPartialFlush() throws Exception {
    assertThat(decompress("789cca48cdc9c957c840900001")).isEqualTo("hello hello hello");
    assertThat(decompress("04260002")).isEqualTo("hello");
  }

  /** The same in Z_SYNC_FLUSH, which is ours. */
  @Test
  void opensPacketsOfSyncFlush() throws Exception {
    assertThat(decompress("789cca48cdc9c957c8409000000000ffff")).isEqualTo("hello hello hello");
    assertThat(decompress("021300000000ffff")).isEqualTo("hello");
  }

  @Test
  void compressesAsZlibDoes() {
    assertThat(compress("hello hello hello")).isEqualTo("789cca48cdc9c957c8409000000000ffff");
    assertThat(compress("hello")).isEqualTo("021300000000ffff");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 100, 4095, 4096, 4097, 32768, MAX_PAYLOAD})
  void packetsOfAnySizeComeBack(int size) throws Exception {
    var random = new Random(size);
    for (int round = 0; round < 3; round++) {
      byte[] payload = new byte[size];
      random.nextBytes(payload);
      if (round == 1) {
        payload = new byte[size];
      }
      ByteBuf compressed = PooledByteBufAllocator.DEFAULT.directBuffer();
      ByteBuf out = PooledByteBufAllocator.DEFAULT.directBuffer(10);
      try {
        compressor.compress(Unpooled.wrappedBuffer(payload), compressed);
        decompressor.decompress(compressed, out);
        assertThat(compressed.isReadable()).isFalse();
        assertThat(ByteBufUtil.getBytes(out)).isEqualTo(payload);
      } finally {
        compressed.release();
        out.release();
      }
    }
  }

  @Test
  void aPacketMayNotInflateBeyondTheLimit() {
    ByteBuf compressed = Unpooled.buffer();
    compressor.compress(Unpooled.wrappedBuffer(new byte[64 << 20]), compressed);
    assertThat(compressed.readableBytes()).isLessThan(100_000);
    ByteBuf out = Unpooled.directBuffer();
    assertThatExceptionOfType(MalformedDataException.class)
        .isThrownBy(() -> decompressor.decompress(compressed, out))
        .withMessageContaining("more than 35000 bytes");
    assertThat(out.capacity()).isLessThanOrEqualTo(1 << 16);
    out.release();
  }

  @Test
  void oneByteBeyondTheLimitIsTooMuch() {
    ByteBuf compressed = Unpooled.buffer();
    compressor.compress(Unpooled.wrappedBuffer(new byte[MAX_PAYLOAD + 1]), compressed);
    assertThatExceptionOfType(MalformedDataException.class)
        .isThrownBy(() -> decompressor.decompress(compressed, Unpooled.buffer()));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "00", // no zlib header
        "789c07", // a block of a type that doesn't exist
        "78bb00000001", // needs a dictionary
        "789c030000000001", // the end of the stream
        "789c03000000000100" // and something behind it
      })
  void whatIsNotACompressedPacketIsRefused(String bytes) {
    assertThatExceptionOfType(MalformedDataException.class)
        .isThrownBy(() -> decompress(bytes + "00"));
  }

  private String decompress(String compressed) throws MalformedDataException {
    ByteBuf out = Unpooled.buffer();
    decompressor.decompress(Unpooled.wrappedBuffer(hex(compressed)), out);
    return out.toString(US_ASCII);
  }

  private String compress(String payload) {
    ByteBuf out = Unpooled.buffer();
    compressor.compress(Unpooled.copiedBuffer(payload, US_ASCII), out);
    return ByteBufUtil.hexDump(out);
  }
}
