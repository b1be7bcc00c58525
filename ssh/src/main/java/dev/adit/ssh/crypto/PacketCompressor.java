package dev.adit.ssh.crypto;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.zip.Deflater;

/**
 * The sending half of zlib compression (RFC 4253 section 6.2): one stream for all the packets of a
 * direction, flushed at the end of each. Holds native memory until {@link #close}. Confined to one
 * thread.
 */
public final class PacketCompressor implements AutoCloseable {
  private static final int CHUNK = 1024;

  private final Deflater deflater = new Deflater();

  /** Compresses all readable bytes of {@code payload}, and appends the result to {@code out}. */
  public void compress(ByteBuf payload, ByteBuf out) {
    ByteBuffer input = payload.nioBuffer();
    deflater.setInput(input);
    int written;
    int space;
    do {
      // What is left over when a call fills its space comes with the next.
      out.ensureWritable(Math.max(CHUNK, input.remaining()));
      space = out.writableBytes();
      written = deflater.deflate(out.nioBuffer(out.writerIndex(), space), Deflater.SYNC_FLUSH);
      out.writerIndex(out.writerIndex() + written);
    } while (written == space);
    payload.skipBytes(payload.readableBytes());
  }

  @Override
  public void close() {
    deflater.end();
  }
}
