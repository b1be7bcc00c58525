package dev.adit.ssh.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads the data types of RFC 4251 section 5 from a buffer, front to back. Every read checks the
 * bounds first and nothing is allocated on the word of a length that the buffer does not hold.
 * Advances the buffer's reader index; takes no ownership. Not thread-safe.
 */
public final class WireReader {
  private final ByteBuf in;

  public WireReader(ByteBuf in) {
    this.in = in;
  }

  public static WireReader over(byte[] bytes) {
    return new WireReader(Unpooled.wrappedBuffer(bytes));
  }

  /** Bytes not yet read. */
  public int remaining() {
    return in.readableBytes();
  }

  /** {@code byte}, as 0 to 255. */
  public int readByte() throws MalformedDataException {
    need(1, "byte");
    return in.readUnsignedByte();
  }

  /** {@code boolean}: every value but 0 is true. */
  public boolean readBoolean() throws MalformedDataException {
    return readByte() != 0;
  }

  /** {@code uint32}, as 0 to 2^32 - 1. */
  public long readUint32() throws MalformedDataException {
    need(4, "uint32");
    return in.readUnsignedInt();
  }

  /**
   * A {@code uint32} that must be at most {@code max}, which is at most {@link Integer#MAX_VALUE}.
   */
  public int readUint32AtMost(int max, String what) throws MalformedDataException {
    long value = readUint32();
    if (value > max) {
      throw new MalformedDataException(what + " is " + value + ", more than " + max);
    }
    return (int) value;
  }

  /** {@code uint64}; values of 2^63 and more come out negative, as Java's unsigned long. */
  public long readUint64() throws MalformedDataException {
    need(8, "uint64");
    return in.readLong();
  }

  /** {@code byte[n]}. */
  public byte[] readBytes(int n) throws MalformedDataException {
    need(n, "bytes");
    byte[] bytes = new byte[n];
    in.readBytes(bytes);
    return bytes;
  }

  /** {@code string}, as bytes. */
  public byte[] readString() throws MalformedDataException {
    return readBytes(stringLength());
  }

  /**
   * {@code string} without a copy: a slice that shares the buffer's memory and its reference count.
   */
  public ByteBuf readStringSlice() throws MalformedDataException {
    return in.readSlice(stringLength());
  }

  /** {@code string} as a reader of its own, for structures inside strings. */
  public WireReader readNested() throws MalformedDataException {
    return new WireReader(readStringSlice());
  }

  /** {@code string} that must be UTF-8. */
  public String readUtf8() throws MalformedDataException {
    byte[] bytes = readString();
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .onUnmappableCharacter(CodingErrorAction.REPORT)
          .decode(ByteBuffer.wrap(bytes))
          .toString();
    } catch (CharacterCodingException e) {
      throw new MalformedDataException("a string is not UTF-8", e);
    }
  }

  /**
   * {@code string} for people to read (banner, disconnect text): bytes that are not UTF-8 become
   * U+FFFD. Control characters are kept; whoever shows the text escapes them.
   */
  public String readText() throws MalformedDataException {
    return new String(readString(), StandardCharsets.UTF_8);
  }

  /**
   * {@code string} that must be printable US-ASCII without spaces: names of algorithms, methods.
   */
  public String readName() throws MalformedDataException {
    return asciiName(readString());
  }

  /** {@code name-list}: comma-separated names; an empty string is an empty list. */
  public List<String> readNameList() throws MalformedDataException {
    byte[] bytes = readString();
    List<String> names = new ArrayList<>();
    if (bytes.length == 0) {
      return names;
    }
    for (String name : asciiName(bytes).split(",", -1)) {
      if (name.isEmpty()) {
        throw new MalformedDataException("a name-list has an empty name");
      }
      names.add(name);
    }
    return names;
  }

  /** {@code mpint}; may be negative. */
  public BigInteger readMpint() throws MalformedDataException {
    byte[] bytes = readString();
    return bytes.length == 0 ? BigInteger.ZERO : new BigInteger(bytes);
  }

  /** All that is left. */
  public byte[] readRest() throws MalformedDataException {
    return readBytes(remaining());
  }

  /** Refuses bytes behind the last field. */
  public void expectEnd(String what) throws MalformedDataException {
    if (in.isReadable()) {
      throw new MalformedDataException(
          what + " has " + in.readableBytes() + " bytes after its last field");
    }
  }

  private int stringLength() throws MalformedDataException {
    long length = readUint32();
    if (length > in.readableBytes()) {
      throw new MalformedDataException(
          "a string of " + length + " bytes where " + in.readableBytes() + " are left");
    }
    return (int) length;
  }

  private void need(int n, String what) throws MalformedDataException {
    if (n < 0 || in.readableBytes() < n) {
      throw new MalformedDataException(
          "cut short: " + what + " needs " + n + " bytes, " + in.readableBytes() + " are left");
    }
  }

  private static String asciiName(byte[] bytes) throws MalformedDataException {
    for (byte b : bytes) {
      if (b <= ' ' || b == 127) {
        throw new MalformedDataException("a name has a character that is not printable US-ASCII");
      }
    }
    return new String(bytes, StandardCharsets.US_ASCII);
  }
}
