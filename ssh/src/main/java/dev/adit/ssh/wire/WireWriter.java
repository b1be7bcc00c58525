package dev.adit.ssh.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Writes the data types of RFC 4251 section 5 to the end of a buffer. Takes no ownership of the
 * buffer. Not thread-safe.
 */
public final class WireWriter {
  private final ByteBuf out;

  public WireWriter(ByteBuf out) {
    this.out = out;
  }

  /** A writer to a growing heap buffer, for {@link #toBytes()}. */
  public static WireWriter create() {
    return new WireWriter(Unpooled.buffer());
  }

  /** {@code byte}. */
  public WireWriter writeByte(int value) {
    out.writeByte(value);
    return this;
  }

  /** {@code boolean}. */
  public WireWriter writeBoolean(boolean value) {
    out.writeByte(value ? 1 : 0);
    return this;
  }

  /** {@code uint32}: the low 32 bits of the value. */
  public WireWriter writeUint32(long value) {
    out.writeInt((int) value);
    return this;
  }

  /** {@code uint64}. */
  public WireWriter writeUint64(long value) {
    out.writeLong(value);
    return this;
  }

  /** {@code byte[n]}: the bytes alone, without a length. */
  public WireWriter writeBytes(byte[] bytes) {
    out.writeBytes(bytes);
    return this;
  }

  /** {@code string}. */
  public WireWriter writeString(byte[] bytes) {
    out.writeInt(bytes.length);
    out.writeBytes(bytes);
    return this;
  }

  /** {@code string} in UTF-8. */
  public WireWriter writeString(String text) {
    return writeString(text.getBytes(StandardCharsets.UTF_8));
  }

  /** {@code name-list}. */
  public WireWriter writeNameList(List<String> names) {
    return writeString(String.join(",", names));
  }

  /** {@code mpint}, in the shortest two's complement form. */
  public WireWriter writeMpint(BigInteger value) {
    return writeString(value.signum() == 0 ? new byte[0] : value.toByteArray());
  }

  /** The bytes written so far (from the buffer's reader index on), copied. */
  public byte[] toBytes() {
    return ByteBufUtil.getBytes(out);
  }
}
