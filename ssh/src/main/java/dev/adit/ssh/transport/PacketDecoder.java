package dev.adit.ssh.transport;

import dev.adit.ssh.SshException;
import dev.adit.ssh.crypto.PacketDecompressor;
import dev.adit.ssh.crypto.PacketIntegrityException;
import dev.adit.ssh.crypto.PacketOpener;
import dev.adit.ssh.wire.DisconnectReason;
import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.MessageNumbers;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Stop 4 of a byte's journey: the carrier reads big pieces into one buffer, and here as many
 * packets as are there are opened in place, in order. Confined to the event loop.
 *
 * <p>Before authentication every message goes to the control lane. Afterwards the messages of
 * channels go to the {@link PacketHandler}, and only key exchange goes to the control lane. The
 * decoder pauses inside a burst where the next packet can't be judged before the control lane has
 * acted: after the exchange's reply, NEWKEYS and USERAUTH_SUCCESS. It must then be run again
 * explicitly, for no read event will come for bytes that are already here.
 */
final class PacketDecoder implements Carrier.Listener {

  /** Which messages are legal, and who takes them. */
  enum Phase {
    IDENTIFICATION("identification"),
    FIRST_KEY_EXCHANGE("the first key exchange"),
    AUTHENTICATION("authentication"),
    OPEN("the connection");

    private final String text;

    Phase(String text) {
      this.text = text;
    }

    @Override
    public String toString() {
      return text;
    }
  }

  private final Transport transport;
  private final boolean server;
  private Phase phase = Phase.IDENTIFICATION;
  private PacketOpener opener = new PlainPackets();
  private @Nullable PacketHandler handler;
  private @Nullable PacketDecompressor compression;
  private @Nullable String firstLine;

  /**
   * Packets start at its reader index; slices of it may live on in targets' write queues. Empty
   * until the first read: a transport that never gets so far has nothing to give back.
   */
  private ByteBuf in = Unpooled.EMPTY_BUFFER;

  private int scanned;
  private int bannerLines;
  private long packetLength = -1;
  private int sequence;
  private boolean paused;
  private boolean stopped;
  private boolean decoding;

  /** From the peer's KEXINIT until its NEWKEYS it may send nothing but key exchange. */
  private boolean peerExchangesKeys;

  private long bytesUnderKey;
  private long packetsUnderKey;

  PacketDecoder(Transport transport, boolean server) {
    this.transport = transport;
    this.server = server;
  }

  Phase phase() {
    return phase;
  }

  long bytesUnderKey() {
    return bytesUnderKey;
  }

  long packetsUnderKey() {
    return packetsUnderKey;
  }

  /** Whether the peer's KEXINIT has come and the keys that follow from it are not in use yet. */
  boolean peerExchangesKeys() {
    return peerExchangesKeys;
  }

  @Override
  public ByteBuf readBuffer() {
    int wanted = Math.max(frameLeft(), TransportLimits.READ_BUFFER / 16);
    if (in.writableBytes() >= wanted) {
      return in;
    }
    int rest = in.readableBytes();
    int capacity = Math.max(TransportLimits.READ_BUFFER, rest + wanted);
    if (in.refCnt() == 1 && capacity <= in.capacity()) {
      in.discardReadBytes();
    } else {
      ByteBuf next = Buffers.ALLOCATOR.directBuffer(capacity).writeBytes(in);
      in.release();
      in = next;
    }
    scanned = 0;
    return in;
  }

  /** Bytes missing of the packet whose length is known. */
  private int frameLeft() {
    if (packetLength < 0) {
      return 0;
    }
    return 4 + (int) packetLength + opener.tagLength() - in.readableBytes();
  }

  @Override
  public void received() {
    decode();
  }

  @Override
  public void writabilityChanged() {
    transport.carrierWritabilityChanged();
  }

  @Override
  public void inactive(@Nullable Throwable cause) {
    transport.carrierClosed(cause);
  }

  /** Goes on after a pause, if there is one. */
  void resume() {
    if (paused) {
      paused = false;
      decode();
    }
  }

  /** The peer's NEWKEYS has come: what follows is sealed with its new key. */
  void switchKeys(PacketOpener next, boolean resetSequence) {
    opener.close();
    opener = next;
    bytesUnderKey = 0;
    packetsUnderKey = 0;
    if (resetSequence) {
      sequence = 0;
    }
    if (compression != null) {
      compression.close();
      startCompression();
    }
    peerExchangesKeys = false;
    if (phase == Phase.FIRST_KEY_EXCHANGE) {
      phase = Phase.AUTHENTICATION;
    }
    resume();
  }

  /** The user is authenticated: channels' messages go to the handler from here on. */
  void open(PacketHandler packetHandler) {
    handler = packetHandler;
    phase = Phase.OPEN;
    resume();
  }

  void startCompression() {
    compression = new PacketDecompressor(TransportLimits.MAX_PACKET_LENGTH);
  }

  /** For the error when no identification comes: what came, as a reason to be shown. */
  String whatCameInstead() {
    String line = firstLine;
    if (line == null && in.isReadable()) {
      int length = Math.min(in.readableBytes(), TransportLimits.MAX_SHOWN);
      line = in.toString(in.readerIndex(), length, StandardCharsets.ISO_8859_1);
    }
    return line == null
        ? ""
        : " (it is not an SSH %s: it sent \"%s\")"
            .formatted(server ? "client" : "server", Text.escape(line.strip()));
  }

  void stop() {
    if (stopped) {
      return;
    }
    stopped = true;
    if (!decoding) {
      free();
    }
  }

  private void free() {
    in.release();
    opener.close();
    if (compression != null) {
      compression.close();
    }
  }

  private void decode() {
    if (decoding || stopped) {
      return;
    }
    decoding = true;
    try {
      while (!paused && !stopped && next()) {}
    } catch (SshException e) {
      transport.fail(e);
    } catch (MalformedDataException e) {
      transport.fail(new SshException.PeerMisbehaved("malformed packet: " + e.getMessage(), e));
    } finally {
      decoding = false;
      if (stopped) {
        free();
      }
    }
    if (!stopped && !in.isReadable() && in.refCnt() == 1) {
      in.clear();
      scanned = 0;
    }
  }

  /** Takes one line or one packet; false when more bytes are needed. */
  private boolean next() throws SshException, MalformedDataException {
    if (phase == Phase.IDENTIFICATION) {
      return nextLine();
    }
    if (packetLength < 0) {
      if (in.readableBytes() < opener.headLength()) {
        return false;
      }
      packetLength = opener.packetLength(in, in.readerIndex(), sequence);
      checkLength();
    }
    if (frameLeft() > 0) {
      return false;
    }
    int start = in.readerIndex();
    int length = (int) packetLength;
    packetLength = -1;
    try {
      opener.open(in, start, length, sequence);
    } catch (PacketIntegrityException e) {
      throw new SshException.PeerMisbehaved(
          "a packet was damaged or forged on its way: " + e.getMessage(),
          DisconnectReason.MAC_ERROR,
          e);
    }
    sequence++;
    int frame = 4 + length + opener.tagLength();
    in.readerIndex(start + frame);
    bytesUnderKey += frame;
    packetsUnderKey++;
    int padding = in.getUnsignedByte(start + 4);
    int payloadLength = length - 1 - padding;
    if (padding < 4 || payloadLength < 1) {
      throw new SshException.PeerMisbehaved(
          "a packet of " + length + " bytes with " + padding + " bytes of padding");
    }
    if (compression == null) {
      dispatch(in, start + 5, payloadLength);
    } else {
      ByteBuf inflated = inflate(compression, start + 5, payloadLength);
      try {
        dispatch(inflated, 0, inflated.readableBytes());
      } finally {
        inflated.release();
      }
    }
    transport.openedPacket();
    return true;
  }

  private void checkLength() throws SshException {
    int aligned = (int) (packetLength % opener.blockSize()) + (opener.lengthIsPadded() ? 4 : 0);
    if (packetLength < TransportLimits.MIN_PACKET_LENGTH
        || packetLength > TransportLimits.MAX_PACKET_LENGTH
        || aligned % opener.blockSize() != 0) {
      throw new SshException.PeerMisbehaved(
          "packet length %d (allowed are %d to %d, in blocks of %d)"
              .formatted(
                  packetLength,
                  TransportLimits.MIN_PACKET_LENGTH,
                  TransportLimits.MAX_PACKET_LENGTH,
                  opener.blockSize()));
    }
  }

  private ByteBuf inflate(PacketDecompressor decompressor, int index, int length)
      throws SshException {
    ByteBuf inflated = Buffers.ALLOCATOR.directBuffer(2 * length + 64);
    try {
      decompressor.decompress(in.slice(index, length), inflated);
      if (!inflated.isReadable()) {
        throw new MalformedDataException("a packet inflates to nothing");
      }
      return inflated.retain();
    } catch (MalformedDataException e) {
      throw new SshException.PeerMisbehaved(
          "bad compressed data: " + e.getMessage(), DisconnectReason.COMPRESSION_ERROR, e);
    } finally {
      inflated.release();
    }
  }

  private void dispatch(ByteBuf buffer, int index, int length)
      throws SshException, MalformedDataException {
    int number = buffer.getUnsignedByte(index);
    PacketLog.received(number, length);
    PacketHandler channels = handler;
    if (channels != null && isOfConnection(number) && !peerExchangesKeys) {
      channels.packet(number, buffer, index, length);
      return;
    }
    if (!isKnown(number) && phase != Phase.FIRST_KEY_EXCHANGE) {
      transport.unimplemented(number, sequence - 1);
      return;
    }
    if (phase != Phase.FIRST_KEY_EXCHANGE && number <= MessageNumbers.DEBUG) {
      transport.transportMessage(number, ByteBufUtil.getBytes(buffer, index, length));
      return;
    }
    if (number == MessageNumbers.PING || number == MessageNumbers.PONG) {
      if (phase != Phase.OPEN || peerExchangesKeys) {
        throw misplaced(number);
      }
      transport.transportMessage(number, ByteBufUtil.getBytes(buffer, index, length));
      return;
    }
    if (phase == Phase.OPEN
        && server
        && number == MessageNumbers.USERAUTH_REQUEST
        && !peerExchangesKeys) {
      return; // RFC 4252 section 5.1: requests after success are ignored.
    }
    if (!legalForControlLane(number)) {
      throw misplaced(number);
    }
    if (number == MessageNumbers.KEXINIT) {
      peerExchangesKeys = true;
    }
    paused =
        transport.controlPacket(number, ByteBufUtil.getBytes(buffer, index, length), sequence - 1)
            || pausesBehind(number);
  }

  private boolean legalForControlLane(int number) {
    boolean keyExchange = number >= MessageNumbers.KEXINIT && number <= MessageNumbers.KEX_LAST;
    boolean kexBody = number >= MessageNumbers.NEWKEYS && number <= MessageNumbers.KEX_LAST;
    if (kexBody && !peerExchangesKeys && isKnown(number)) {
      return false;
    }
    if (number == MessageNumbers.KEXINIT && peerExchangesKeys) {
      return false;
    }
    return switch (phase) {
      case IDENTIFICATION -> false;
      // What the strict rule forbids here, the control lane refuses: only it knows the rule holds.
      case FIRST_KEY_EXCHANGE ->
          keyExchange
              || (number >= MessageNumbers.DISCONNECT && number <= MessageNumbers.DEBUG)
              || !isKnown(number);
      case AUTHENTICATION ->
          keyExchange
              || (!peerExchangesKeys
                  && (legalService(number)
                      || number == MessageNumbers.EXT_INFO
                      || legalUserauth(number)));
      case OPEN -> keyExchange;
    };
  }

  private boolean legalService(int number) {
    return number == (server ? MessageNumbers.SERVICE_REQUEST : MessageNumbers.SERVICE_ACCEPT);
  }

  private boolean legalUserauth(int number) {
    if (number >= MessageNumbers.USERAUTH_METHOD_FIRST && number <= MessageNumbers.USERAUTH_LAST) {
      return true;
    }
    return server
        ? number == MessageNumbers.USERAUTH_REQUEST
        : number >= MessageNumbers.USERAUTH_FAILURE && number <= MessageNumbers.USERAUTH_BANNER;
  }

  private SshException misplaced(int number) {
    return new SshException.PeerMisbehaved(
        "message %s during %s%s"
            .formatted(
                MessageNumbers.describe(number),
                phase,
                peerExchangesKeys ? ", inside its own key exchange" : ""));
  }

  /** Whether a message has a meaning at all: what has none is answered with UNIMPLEMENTED. */
  static boolean isKnown(int number) {
    return (number >= MessageNumbers.DISCONNECT && number <= MessageNumbers.EXT_INFO)
        || number == MessageNumbers.KEXINIT
        || number == MessageNumbers.NEWKEYS
        || (number >= MessageNumbers.KEX_FIRST && number <= MessageNumbers.KEX_LAST)
        || (number >= MessageNumbers.USERAUTH_REQUEST && number <= MessageNumbers.USERAUTH_BANNER)
        || (number >= MessageNumbers.USERAUTH_METHOD_FIRST
            && number <= MessageNumbers.USERAUTH_LAST)
        || isOfConnection(number)
        || number == MessageNumbers.PING
        || number == MessageNumbers.PONG;
  }

  /** RFC 4254; what lies between its two groups is unknown. */
  private static boolean isOfConnection(int number) {
    return (number >= MessageNumbers.CHANNEL_OPEN && number <= MessageNumbers.CHANNEL_FAILURE)
        || (number >= MessageNumbers.GLOBAL_REQUEST && number <= MessageNumbers.REQUEST_FAILURE);
  }

  private static boolean pausesBehind(int number) {
    return number == MessageNumbers.NEWKEYS
        || number == MessageNumbers.USERAUTH_SUCCESS
        || (number >= MessageNumbers.KEX_FIRST && number <= MessageNumbers.KEX_LAST);
  }

  /** RFC 4253 section 4.2: lines, of which the first that starts with SSH- identifies the peer. */
  private boolean nextLine() throws SshException {
    int start = in.readerIndex();
    int newline = in.indexOf(start + scanned, in.writerIndex(), (byte) '\n');
    int length = (newline < 0 ? in.writerIndex() : newline) - start;
    boolean identification = startsLikeIdentification(start, length);
    int limit =
        identification ? TransportLimits.MAX_IDENTIFICATION : TransportLimits.MAX_BANNER_LINE;
    if (length > limit || (server && length > TransportLimits.MAX_IDENTIFICATION)) {
      throw notSsh("it sends a line of more than " + limit + " bytes");
    }
    if (newline < 0) {
      scanned = length;
      return false;
    }
    scanned = 0;
    in.readerIndex(newline + 1);
    int end = length > 0 && in.getByte(newline - 1) == '\r' ? newline - 1 : newline;
    String line = in.toString(start, end - start, StandardCharsets.ISO_8859_1);
    if (!identification) {
      if (server || ++bannerLines > TransportLimits.MAX_BANNER_LINES) {
        throw notSsh("it sent " + (server ? "\"" + Text.escape(line) + "\"" : "too many lines"));
      }
      if (firstLine == null) {
        firstLine = line.substring(0, Math.min(line.length(), TransportLimits.MAX_SHOWN));
      }
      transport.bannerLine(line);
      return true;
    }
    if (!line.startsWith("SSH-2.0-") && !line.startsWith("SSH-1.99-")) {
      throw new SshException.PeerMisbehaved(
          "Protocol major versions differ: 2 vs. "
              + Text.escape(line.substring("SSH-".length()).replaceFirst("[.-].*", "")),
          DisconnectReason.PROTOCOL_VERSION_NOT_SUPPORTED,
          null);
    }
    phase = Phase.FIRST_KEY_EXCHANGE;
    transport.identified(line);
    return true;
  }

  private boolean startsLikeIdentification(int start, int length) {
    return length >= 4
        && in.getByte(start) == 'S'
        && in.getByte(start + 1) == 'S'
        && in.getByte(start + 2) == 'H'
        && in.getByte(start + 3) == '-';
  }

  private SshException notSsh(String why) {
    return new SshException.PeerMisbehaved(
        "not an SSH " + (server ? "client: " : "server: ") + why, 2, null);
  }
}
