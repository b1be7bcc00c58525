package dev.adit.ssh.crypto;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.ssh.wire.MalformedDataException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Fuzz targets: sealed packets and compressed ones. See docs/building.md. */
public final class PacketFuzz {
  private static final List<CipherSuite> SUITES =
      Arrays.stream(CipherAlgorithm.values())
          .flatMap(
              cipher ->
                  cipher.isAead()
                      ? Stream.of(CipherSuite.of(cipher, null))
                      : Arrays.stream(MacAlgorithm.values())
                          .map(mac -> CipherSuite.of(cipher, mac)))
          .toList();

  /** Of what one packet may inflate to. */
  private static final int MAX_PAYLOAD = 64 * 1024;

  private PacketFuzz() {}

  /**
   * The suite, where a byte of the sealed packet is changed and how, the padding beyond the least,
   * then the payload. What was changed must not open, what was not must open to the same.
   */
  public static void packets(byte[] data) throws PacketIntegrityException {
    if (data.length < 6) {
      return;
    }
    CipherSuite suite = SUITES.get((data[0] & 0xff) % SUITES.size());
    byte[] payload = Arrays.copyOfRange(data, 5, data.length);
    try (PacketSealer sealer =
            suite.newSealer(
                new byte[suite.cipher().keyLength()],
                new byte[suite.cipher().ivLength()],
                new byte[suite.macKeyLength()]);
        PacketOpener opener =
            suite.newOpener(
                new byte[suite.cipher().keyLength()],
                new byte[suite.cipher().ivLength()],
                new byte[suite.macKeyLength()])) {
      int block = sealer.blockSize();
      int padding = block - (1 + payload.length + (sealer.lengthIsPadded() ? 4 : 0)) % block;
      padding += block * (1 + (data[4] & 0x7));
      int length = 1 + payload.length + padding;
      ByteBuf packet = Unpooled.directBuffer(4 + length + sealer.tagLength());
      try {
        packet.writeInt(length).writeByte(padding).writeBytes(payload);
        packet.writeZero(padding + sealer.tagLength());
        sealer.seal(packet, 0, length, 7);
        int changedAt = ((data[1] & 0xff) << 8 | data[2] & 0xff) % packet.writerIndex();
        packet.setByte(changedAt, packet.getByte(changedAt) ^ data[3]);
        open(opener, packet, length, payload, data[3] != 0);
      } finally {
        packet.release();
      }
    }
  }

  private static void open(
      PacketOpener opener, ByteBuf packet, int length, byte[] payload, boolean changed)
      throws PacketIntegrityException {
    if (opener.packetLength(packet, 0, 7) != length) {
      // The decoder bounds it and waits for so much; a wrong one never leads to the right tag.
      assertThat(changed).isTrue();
      return;
    }
    try {
      opener.open(packet, 0, length, 7);
    } catch (PacketIntegrityException e) {
      if (changed) {
        return;
      }
      throw e;
    }
    assertThat(changed).isFalse();
    byte[] opened = new byte[payload.length];
    packet.getBytes(5, opened);
    assertThat(opened).isEqualTo(payload);
  }

  /** Packets of one compressed stream, each with two bytes of length in front. */
  public static void decompression(byte[] data) {
    ByteBuf out = Unpooled.buffer();
    try (PacketDecompressor decompressor = new PacketDecompressor(MAX_PAYLOAD)) {
      ByteBuf in = Unpooled.wrappedBuffer(data);
      while (in.readableBytes() > 2) {
        int length = Math.min(in.readUnsignedShort(), in.readableBytes());
        out.clear();
        decompressor.decompress(in.readSlice(length), out);
        assertThat(out.readableBytes()).isLessThanOrEqualTo(MAX_PAYLOAD);
      }
    } catch (MalformedDataException refused) {
      assertThat(out.capacity()).isLessThanOrEqualTo(4 * MAX_PAYLOAD);
    }
  }
}
