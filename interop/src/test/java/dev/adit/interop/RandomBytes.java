package dev.adit.interop;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * Endless bytes that look random and are the same for the same seed, so that gigabytes can be sent
 * and checked without being kept. Position n depends on n alone: a shifted or repeated block shows.
 */
final class RandomBytes {
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final int BLOCK = 64 * 1024;

  private RandomBytes() {}

  /** The first {@code count} bytes of the seed's stream. */
  static byte[] of(long seed, int count) {
    byte[] bytes = new byte[(count + 7) / 8 * 8];
    fill(seed, 0, bytes);
    return count == bytes.length ? bytes : Arrays.copyOf(bytes, count);
  }

  /** Writes the first {@code count} bytes of the seed's stream; returns their SHA-256 in hex. */
  static String send(OutputStream out, long seed, long count) throws IOException {
    MessageDigest digest = sha256();
    byte[] block = new byte[BLOCK];
    for (long position = 0; position < count; position += BLOCK) {
      fill(seed, position, block);
      int length = (int) Math.min(BLOCK, count - position);
      digest.update(block, 0, length);
      out.write(block, 0, length);
    }
    out.flush();
    return HexFormat.of().formatHex(digest.digest());
  }

  /** The SHA-256, in hex, of the first {@code count} bytes of the seed's stream. */
  static String digest(long seed, long count) {
    try {
      return send(OutputStream.nullOutputStream(), seed, count);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** What was read from a stream: how many bytes, and their SHA-256 in hex. */
  record Received(long count, String digest) {}

  /** Reads to the end of the stream. */
  static Received receive(InputStream in) throws IOException {
    return receive(in, Long.MAX_VALUE);
  }

  /** Reads {@code count} bytes, or fewer if the stream ends before. */
  static Received receive(InputStream in, long count) throws IOException {
    MessageDigest digest = sha256();
    byte[] block = new byte[BLOCK];
    long received = 0;
    while (received < count) {
      int n = in.read(block, 0, (int) Math.min(BLOCK, count - received));
      if (n < 0) {
        break;
      }
      digest.update(block, 0, n);
      received += n;
    }
    return new Received(received, HexFormat.of().formatHex(digest.digest()));
  }

  // SplitMix64, which needs no state but the position.
  private static void fill(long seed, long position, byte[] block) {
    for (int i = 0; i < block.length; i += 8) {
      long z = seed + (position + i) * 0x9E3779B97F4A7C15L;
      z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
      z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
      LONG.set(block, i, z ^ (z >>> 31));
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
