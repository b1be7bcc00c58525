package dev.adit.ssh.transport;

import dev.adit.ssh.crypto.PacketOpener;
import dev.adit.ssh.crypto.PacketSealer;
import io.netty.buffer.ByteBuf;

/** The cipher and MAC "none", in force until the first NEWKEYS (RFC 4253 section 6). */
final class PlainPackets implements PacketSealer, PacketOpener {

  @Override
  public int headLength() {
    return 4;
  }

  @Override
  public int blockSize() {
    return 8;
  }

  @Override
  public boolean lengthIsPadded() {
    return true;
  }

  @Override
  public int tagLength() {
    return 0;
  }

  @Override
  public void seal(ByteBuf buffer, int index, int packetLength, int sequence) {}

  @Override
  public long packetLength(ByteBuf buffer, int index, int sequence) {
    return buffer.getUnsignedInt(index);
  }

  @Override
  public void open(ByteBuf buffer, int index, int packetLength, int sequence) {}

  @Override
  public void close() {}
}
