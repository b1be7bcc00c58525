package dev.adit.ssh.transport;

import dev.adit.ssh.SshException;
import dev.adit.ssh.crypto.PacketCompressor;
import dev.adit.ssh.crypto.PacketSealer;
import dev.adit.ssh.wire.DisconnectReason;
import dev.adit.ssh.wire.Message;
import dev.adit.ssh.wire.MessageNumbers;
import dev.adit.ssh.wire.WireWriter;
import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * Stop 3 of a byte's journey: pads and seals payloads in place and hands them to the carrier, in
 * order; one flush at the end of each turn of the loop. Confined to the event loop.
 *
 * <p>From our KEXINIT until our NEWKEYS a gate holds back everything but the transport layer's own
 * messages (RFC 4253 section 7.1). Data is not held here: channels ask {@link #gateIsShut} first.
 */
final class PacketEncoder {
  private final Carrier carrier;
  private final Transport transport;
  private final Deque<ByteBuf> held = new ArrayDeque<>();

  private PacketSealer sealer = new PlainPackets();
  private @Nullable PacketCompressor compression;
  private int sequence;
  private boolean gateShut;
  private int heldBytes;
  private boolean flushScheduled;
  private boolean stopped;
  private long bytesUnderKey;
  private long packetsUnderKey;

  PacketEncoder(Carrier carrier, Transport transport) {
    this.carrier = carrier;
    this.transport = transport;
  }

  boolean gateIsShut() {
    return gateShut;
  }

  /** Bytes sealed under the present key. */
  long bytesUnderKey() {
    return bytesUnderKey;
  }

  long packetsUnderKey() {
    return packetsUnderKey;
  }

  /** Bytes that are no packet: our identification line. */
  void sendRaw(byte[] bytes) {
    carrier.write(Buffers.ALLOCATOR.directBuffer(bytes.length).writeBytes(bytes));
    flushLater();
  }

  void send(Message message) {
    if (stopped) {
      return;
    }
    ByteBuf payload = payload(message);
    if (gateShut && !passesGate(message.type().number())) {
      hold(payload);
      return;
    }
    seal(payload);
    long unsent = carrier.pendingBytes();
    if (unsent > TransportLimits.OUT_HIGH_WATER) {
      tellUnsent();
    }
    if (unsent > TransportLimits.MAX_UNSENT_BYTES) {
      transport.fail(
          new SshException.PeerMisbehaved(
              "the peer asks for more and more but has not read "
                  + TransportLimits.MAX_UNSENT_BYTES
                  + " bytes of answers"));
    }
  }

  void sendInPlace(ByteBuf payload) {
    if (stopped) {
      payload.release();
    } else {
      seal(payload);
    }
  }

  /** Our KEXINIT goes out and the gate shuts behind it. */
  void startKeyExchange(Message kexInit) {
    gateShut = true;
    seal(payload(kexInit));
  }

  /** Our NEWKEYS goes out under the old key; all that follows is sealed with the new one. */
  void switchKeys(Message newKeys, PacketSealer next, boolean resetSequence) {
    seal(payload(newKeys));
    sealer.close();
    sealer = next;
    bytesUnderKey = 0;
    packetsUnderKey = 0;
    if (resetSequence) {
      sequence = 0;
    }
    if (compression != null) {
      // A key exchange starts a new stream, as in OpenSSH.
      compression.close();
      compression = new PacketCompressor();
    }
    gateShut = false;
    heldBytes = 0;
    for (ByteBuf payload; (payload = held.poll()) != null; ) {
      seal(payload);
    }
    tellUnsent();
  }

  /**
   * What waits for the peer has changed. As long as a carrier takes more, what it has doesn't
   * count: nobody tells when it has sent the last of it.
   */
  void tellUnsent() {
    long pending = carrier.pendingBytes();
    transport.unsent(heldBytes + (pending > TransportLimits.OUT_HIGH_WATER ? pending : 0));
  }

  void startCompression() {
    compression = new PacketCompressor();
  }

  /** Nothing more is sealed; what was written still goes out. */
  void stop() {
    if (stopped) {
      return;
    }
    carrier.flush();
    stopped = true;
    held.forEach(ByteBuf::release);
    held.clear();
    heldBytes = 0;
    sealer.close();
    if (compression != null) {
      compression.close();
    }
  }

  private void hold(ByteBuf payload) {
    heldBytes += payload.capacity();
    held.add(payload);
    tellUnsent();
    if (heldBytes > TransportLimits.MAX_HELD_BYTES) {
      transport.fail(
          new SshException.PeerMisbehaved(
              "more than "
                  + TransportLimits.MAX_HELD_BYTES
                  + " bytes of replies piled up behind a key exchange that does not end",
              DisconnectReason.PROTOCOL_ERROR,
              null));
    }
  }

  private static boolean passesGate(int number) {
    return number <= MessageNumbers.DEBUG
        || (number >= MessageNumbers.KEXINIT && number <= MessageNumbers.KEX_LAST);
  }

  private static ByteBuf payload(Message message) {
    ByteBuf buffer = Buffers.ALLOCATOR.directBuffer(256);
    buffer.setIndex(TransportLimits.PACKET_HEAD, TransportLimits.PACKET_HEAD);
    message.write(new WireWriter(buffer));
    return buffer;
  }

  private void seal(ByteBuf plain) {
    PacketLog.sent(plain.getUnsignedByte(plain.readerIndex()), plain.readableBytes());
    ByteBuf buffer = compression == null ? plain : compressed(plain, compression);
    int start = buffer.readerIndex() - TransportLimits.PACKET_HEAD;
    int payloadLength = buffer.readableBytes();
    int block = sealer.blockSize();
    int padding = block - (1 + payloadLength + (sealer.lengthIsPadded() ? 4 : 0)) % block;
    if (padding < 4) {
      padding += block;
    }
    int packetLength = 1 + payloadLength + padding;
    buffer.setInt(start, packetLength);
    buffer.setByte(start + 4, padding);
    int paddingIndex = buffer.writerIndex();
    int end = start + 4 + packetLength + sealer.tagLength();
    buffer.ensureWritable(TransportLimits.PACKET_TAIL);
    // The padding is random as RFC 4253 section 6 asks; nothing relies on it being unpredictable.
    ThreadLocalRandom random = ThreadLocalRandom.current();
    for (int i = 0; i < padding; i += 8) {
      buffer.setLong(paddingIndex + i, random.nextLong());
    }
    sealer.seal(buffer, start, packetLength, sequence++);
    buffer.setIndex(start, end);
    bytesUnderKey += end - start;
    packetsUnderKey++;
    carrier.write(buffer);
    flushLater();
    transport.sealedPacket();
  }

  /** A compressed copy with a packet's head in front; releases the plain one. */
  private static ByteBuf compressed(ByteBuf plain, PacketCompressor compressor) {
    ByteBuf result =
        Buffers.ALLOCATOR.directBuffer(plain.readableBytes() + TransportLimits.PACKET_TAIL);
    result.setIndex(TransportLimits.PACKET_HEAD, TransportLimits.PACKET_HEAD);
    compressor.compress(plain, result);
    plain.release();
    return result;
  }

  private void flushLater() {
    if (!flushScheduled) {
      flushScheduled = true;
      carrier.eventLoop().execute(this::flush);
    }
  }

  private void flush() {
    flushScheduled = false;
    if (!stopped) {
      carrier.flush();
    }
  }
}
