package dev.adit.ssh.crypto;

import dev.adit.ssh.wire.MalformedDataException;
import io.netty.buffer.ByteBuf;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * The receiving half of zlib compression (RFC 4253 section 6.2): one stream for all the packets of
 * a direction. Holds native memory until {@link #close}. Confined to one thread.
 */
public final class PacketDecompressor implements AutoCloseable {
  private static final int CHUNK = 4096;

  private final Inflater inflater = new Inflater();
  private final int maxPayload;

  /**
   * @param maxPayload bytes that one packet may yield: a few bytes can stand for megabytes, and
   *     nothing beyond this is ever inflated or allocated
   */
  public PacketDecompressor(int maxPayload) {
    this.maxPayload = maxPayload;
  }

  /**
   * Decompresses all readable bytes of {@code compressed}, and appends the result to {@code out}.
   *
   * @throws MalformedDataException if that is not a piece of the stream, or yields too much; the
   *     connection must end, for the stream is lost
   */
  public void decompress(ByteBuf compressed, ByteBuf out) throws MalformedDataException {
    inflater.setInput(compressed.nioBuffer());
    int left = maxPayload;
    try {
      while (true) {
        // One byte more than is allowed tells too much from just enough.
        int space = Math.min(left + 1, Math.max(CHUNK, 2 * inflater.getRemaining()));
        out.ensureWritable(space);
        int written = inflater.inflate(out.nioBuffer(out.writerIndex(), space));
        left -= written;
        if (left < 0) {
          throw new MalformedDataException(
              "a compressed packet holds more than " + maxPayload + " bytes");
        }
        out.writerIndex(out.writerIndex() + written);
        if (inflater.finished() || inflater.needsDictionary()) {
          throw new MalformedDataException("the compressed stream ends, or needs a dictionary");
        }
        if (written < space) {
          break;
        }
      }
      if (inflater.getRemaining() > 0) {
        throw new MalformedDataException("the compressed stream goes no further");
      }
    } catch (DataFormatException e) {
      throw new MalformedDataException("a packet is not what zlib compresses to", e);
    }
    compressed.skipBytes(compressed.readableBytes());
  }

  @Override
  public void close() {
    inflater.end();
  }
}
