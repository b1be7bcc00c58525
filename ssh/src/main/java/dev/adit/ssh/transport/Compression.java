package dev.adit.ssh.transport;

import io.netty.buffer.ByteBuf;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/**
 * zlib@openssh.com: the payloads after authentication as one zlib stream each way, flushed at every
 * packet (RFC 4253 section 6.2). Confined to the event loop.
 */
final class Compression {

  /** What one packet may inflate to; a packet that wants to be larger ends the connection. */
  static final int MAX_INFLATED = TransportLimits.MAX_PACKET_LENGTH;

  private static final int CHUNK = 32 * 1024;

  private Compression() {}

  static final class Out {
    private final Deflater deflater = new Deflater(6);
    private final byte[] in = new byte[CHUNK];
    private final byte[] out = new byte[CHUNK];

    /** A compressed copy of the payload with a packet's head in front; releases the payload. */
    ByteBuf compress(ByteBuf payload) {
      ByteBuf result =
          Buffers.ALLOCATOR.directBuffer(payload.readableBytes() + TransportLimits.PACKET_TAIL);
      result.setIndex(TransportLimits.PACKET_HEAD, TransportLimits.PACKET_HEAD);
      try {
        while (payload.isReadable()) {
          int n = Math.min(in.length, payload.readableBytes());
          payload.readBytes(in, 0, n);
          deflater.setInput(in, 0, n);
          int flush = payload.isReadable() ? Deflater.NO_FLUSH : Deflater.SYNC_FLUSH;
          int written;
          do {
            written = deflater.deflate(out, 0, out.length, flush);
            result.writeBytes(out, 0, written);
          } while (written == out.length);
        }
        return result;
      } finally {
        payload.release();
      }
    }

    /** A key exchange starts a new stream. */
    void restart() {
      deflater.reset();
    }

    void close() {
      deflater.end();
    }
  }

  static final class In {
    private final Inflater inflater = new Inflater();
    private final byte[] in = new byte[CHUNK];
    private final byte[] out = new byte[CHUNK];

    /**
     * The inflated payload, owned by the caller.
     *
     * @throws DataFormatException for what is no zlib stream, or inflates beyond {@link
     *     #MAX_INFLATED}
     */
    ByteBuf inflate(ByteBuf buffer, int index, int length) throws DataFormatException {
      ByteBuf result = Buffers.ALLOCATOR.directBuffer(Math.min(4 * length, MAX_INFLATED) + 64);
      try {
        for (int done = 0; done < length; ) {
          int n = Math.min(in.length, length - done);
          buffer.getBytes(index + done, in, 0, n);
          done += n;
          inflater.setInput(in, 0, n);
          int inflated;
          while ((inflated = inflater.inflate(out)) > 0) {
            if (result.readableBytes() + inflated > MAX_INFLATED) {
              throw new DataFormatException("a packet inflates to more than " + MAX_INFLATED);
            }
            result.writeBytes(out, 0, inflated);
          }
          if (inflater.finished() || inflater.needsDictionary()) {
            throw new DataFormatException("the compressed stream ends inside the connection");
          }
        }
        return result.retain();
      } finally {
        result.release();
      }
    }

    void restart() {
      inflater.reset();
    }

    void close() {
      inflater.end();
    }
  }
}
