package dev.adit.ssh.training;

import dev.adit.ssh.crypto.PacketIntegrityException;
import dev.adit.ssh.crypto.PacketOpener;
import dev.adit.ssh.crypto.PacketSealer;
import dev.adit.ssh.wire.Message;
import dev.adit.ssh.wire.MessageType;
import dev.adit.ssh.wire.WireReader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** SSH packets over a blocking socket, one at a time (RFC 4253 section 6). Not thread-safe. */
final class PacketPipe {
  private static final int MAX_PACKET = 256 * 1024;
  private static final int PLAIN_BLOCK = 8;

  private final SocketChannel socket;

  /** Direct, since native ciphers work in place. */
  private final ByteBuf in = Unpooled.directBuffer(2 * MAX_PACKET);

  private final ByteBuf out = Unpooled.directBuffer(2 * MAX_PACKET);
  private @Nullable PacketSealer sealer;
  private @Nullable PacketOpener opener;
  private int sealed;
  private int opened;

  PacketPipe(SocketChannel socket) {
    this.socket = socket;
  }

  void sendIdentification(String line) throws IOException {
    out.clear().writeCharSequence(line + "\r\n", StandardCharsets.US_ASCII);
    flush();
  }

  String receiveIdentification() throws IOException {
    StringBuilder line = new StringBuilder();
    while (true) {
      need(1);
      char next = (char) in.readByte();
      if (next == '\n') {
        return line.toString().stripTrailing();
      }
      line.append(next);
    }
  }

  /** What is sent from now on is sealed; strict key exchange counts from zero again. */
  void seal(PacketSealer with) {
    sealer = with;
    sealed = 0;
  }

  void open(PacketOpener with) {
    opener = with;
    opened = 0;
  }

  void send(Message message) throws IOException {
    send(message.toBytes());
  }

  void send(byte[] payload) throws IOException {
    PacketSealer with = sealer;
    int block = with == null ? PLAIN_BLOCK : with.blockSize();
    int counted = 1 + payload.length + (with == null || with.lengthIsPadded() ? 4 : 0);
    int padding = block - counted % block;
    if (padding < 4) {
      padding += block;
    }
    int length = 1 + payload.length + padding;
    out.clear().writeInt(length).writeByte(padding).writeBytes(payload).writeZero(padding);
    if (with != null) {
      out.writeZero(with.tagLength());
      with.seal(out, 0, length, sealed);
    }
    sealed++;
    flush();
  }

  /** The next payload, message number first. */
  byte[] receive() throws IOException {
    PacketOpener with = opener;
    need(with == null ? 4 : with.headLength());
    int start = in.readerIndex();
    long length = with == null ? in.getUnsignedInt(start) : with.packetLength(in, start, opened);
    if (length > MAX_PACKET) {
      throw new IOException("a packet of " + length + " bytes");
    }
    int tag = with == null ? 0 : with.tagLength();
    need(4 + (int) length + tag);
    start = in.readerIndex();
    if (with != null) {
      try {
        with.open(in, start, (int) length, opened);
      } catch (PacketIntegrityException e) {
        throw new IOException(e);
      }
    }
    opened++;
    byte[] payload = new byte[(int) length - 1 - in.getUnsignedByte(start + 4)];
    in.getBytes(start + 5, payload);
    in.skipBytes(4 + (int) length + tag);
    return payload;
  }

  /** The next message, which must be of this type. */
  <M extends Message> M expect(MessageType<M> type) throws IOException {
    return type.parse(WireReader.over(receive()));
  }

  private void need(int bytes) throws IOException {
    while (in.readableBytes() < bytes) {
      in.discardReadBytes();
      int n = in.writeBytes(socket, in.writableBytes());
      if (n < 0) {
        throw new EOFException("the client hung up");
      }
    }
  }

  private void flush() throws IOException {
    while (out.isReadable()) {
      out.readBytes(socket, out.readableBytes());
    }
  }
}
