package dev.adit.ssh.connection;

import dev.adit.ssh.ChannelTimeouts;
import dev.adit.ssh.SshException;
import dev.adit.ssh.TunnelEvent;
import dev.adit.ssh.transport.Buffers;
import dev.adit.ssh.transport.Text;
import dev.adit.ssh.transport.TransportLimits;
import dev.adit.ssh.wire.ConnectionMessage.ChannelClose;
import dev.adit.ssh.wire.ConnectionMessage.ChannelEof;
import dev.adit.ssh.wire.ConnectionMessage.ChannelFailure;
import dev.adit.ssh.wire.ConnectionMessage.ChannelRequest;
import dev.adit.ssh.wire.ConnectionMessage.ChannelSuccess;
import dev.adit.ssh.wire.ConnectionMessage.WindowAdjust;
import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.MessageNumbers;
import dev.adit.ssh.wire.OpenFailureReason;
import dev.adit.ssh.wire.WireReader;
import io.netty.buffer.ByteBuf;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One channel (RFC 4254 section 5). Stop 2 of a byte's journey: takes window and cuts to the peer's
 * maximum packet; and on the way back, gives credit as data is consumed. Confined to the event
 * loop.
 */
public final class SshChannel {
  private static final Logger log = LoggerFactory.getLogger(SshChannel.class);

  /** Room in front of data: the packet's head, then type, recipient, data type, length. */
  private static final int DATA_HEAD = TransportLimits.PACKET_HEAD + 1 + 4 + 4 + 4;

  /** Data that waits for window, a turn, or the end of a key exchange. */
  private record Pending(int extendedType, ByteBuf data) {}

  private static final int NOT_EXTENDED = 0;

  /** The type of channels to a client's agent, for which sshd_config(5) has another name. */
  private static final String AGENT = "auth-agent@openssh.com";

  /** Stands at our end when we have left before the peer has heard of it. */
  private static final ChannelHandler NOBODY =
      new ChannelHandler() {
        @Override
        public void data(SshChannel channel, ByteBuf data) {}

        @Override
        public void eof(SshChannel channel) {}

        @Override
        public void sendable(SshChannel channel) {}

        @Override
        public void closed(SshChannel channel, @Nullable SshException cause) {}
      };

  private final Connection connection;
  private final int localId;
  private final String type;
  private String kind;
  private ChannelHandler handler;
  private final long openedAt = System.nanoTime();

  private int remoteId;
  private boolean open;

  // Sending.
  private long sendWindow;
  private int maxPacket;
  private final Deque<Pending> pending = new ArrayDeque<>();
  private int pendingBytes;
  private boolean wantsTurn;
  boolean inLine;
  private boolean eofAsked;
  private boolean eofSent;
  private boolean closeAsked;
  private boolean closeSent;
  private String closedByUs = "us";
  private long sent;

  // Receiving.
  private int window;
  private long credit;
  private int unconsumed;
  private int owed;
  private final SenderPause pause = new SenderPause();
  private @Nullable ChannelHandler drainer;
  private boolean settled;
  private LongSupplier left = () -> 0;
  private long leftBefore = -1;
  private boolean eofReceived;
  private boolean closeReceived;
  private long received;

  private final Deque<CompletableFuture<Boolean>> awaitedReplies = new ArrayDeque<>();

  /** Our answers, while they are held. */
  private @Nullable Deque<Boolean> heldReplies;

  SshChannel(Connection connection, int localId, String type, ChannelHandler handler, int window) {
    this.connection = connection;
    this.localId = localId;
    this.type = type;
    this.kind = type.equals(AGENT) ? "agent-connection" : type;
    this.handler = handler;
    this.window = window;
    this.credit = window;
  }

  /** Our number of the channel. */
  public int id() {
    return localId;
  }

  /** Its type, for example {@code direct-tcpip}. */
  public String type() {
    return type;
  }

  public Connection connection() {
    return connection;
  }

  /** Its type as {@link ChannelTimeouts} has it. */
  String kind() {
    return kind;
  }

  /** What runs in this session, as {@link ChannelTimeouts} has it. */
  public void kind(String value) {
    kind = value;
  }

  int initialWindow() {
    return window;
  }

  void confirmed(int peersId, long peersWindow, long peersMaxPacket) {
    remoteId = peersId;
    sendWindow = peersWindow;
    maxPacket = (int) Math.min(peersMaxPacket, ConnectionLimits.MAX_SENT_DATA);
    open = true;
    log.trace(
        "channel {}: open, peer's window {}, packets of {}", localId, peersWindow, peersMaxPacket);
  }

  boolean isOpen() {
    return open;
  }

  ChannelHandler handler() {
    return handler;
  }

  /** Somebody else stands at our end from now on. */
  public void handOver(ChannelHandler next) {
    handler = next;
  }

  // ---- Sending --------------------------------------------------------------------------------

  /**
   * Bytes that may be read from the local end now and written: what the peer's window has left
   * beyond data that already waits, or 0 while it is not this channel's turn.
   */
  public int sendable() {
    if (!open || eofAsked || closeAsked || !pending.isEmpty() || !connection.mayTakeTurn()) {
      return 0;
    }
    return (int) Math.min(sendWindow, Integer.MAX_VALUE);
  }

  /** Bytes that were written and still wait for window, a turn, or the end of a key exchange. */
  public int pendingBytes() {
    return pendingBytes;
  }

  /** Largest data of one packet, in bytes. */
  public int maxPacket() {
    return maxPacket;
  }

  /** Asks for a call of {@link ChannelHandler#sendable} as soon as there is window and a turn. */
  public void awaitTurn() {
    wantsTurn = true;
    if (sendWindow > 0) {
      connection.lineUp(this);
    }
  }

  /**
   * A buffer for data that can be sealed where it stands: its indexes are behind the headers.
   *
   * @param bytes its writable bytes
   */
  public static ByteBuf allocate(int bytes) {
    return Buffers.ALLOCATOR
        .directBuffer(DATA_HEAD + bytes, DATA_HEAD + bytes + TransportLimits.PACKET_TAIL)
        .setIndex(DATA_HEAD, DATA_HEAD);
  }

  /**
   * Sends data that was written to a buffer of {@link #allocate}. Takes ownership. What can't go
   * now waits; a caller that reads only what {@link #sendable} allows makes little wait.
   */
  public void write(ByteBuf data) {
    enqueue(NOT_EXTENDED, data);
  }

  /** Sends data of another kind, as {@link #write}; 1 is standard error. */
  public void writeExtended(int extendedType, ByteBuf data) {
    enqueue(extendedType, data);
  }

  private void enqueue(int extendedType, ByteBuf data) {
    if (!data.isReadable() || eofAsked || closeAsked || !open) {
      data.release();
      return;
    }
    int length = data.readableBytes();
    if (pending.isEmpty()
        && length <= sendWindow
        && length <= maxPacket
        && connection.mayTakeTurn()) {
      emit(extendedType, data);
      return;
    }
    pending.add(new Pending(extendedType, data));
    pendingBytes += length;
    if (sendWindow > 0) {
      connection.lineUp(this);
    }
  }

  /** Stop 2: the payload's header goes in front of the data, and the packet on its way. */
  private void emit(int extendedType, ByteBuf data) {
    int length = data.readableBytes();
    sendWindow -= length;
    sent += length;
    int head = extendedType == NOT_EXTENDED ? 9 : 13;
    int start = data.readerIndex() - head;
    data.setByte(
        start,
        extendedType == NOT_EXTENDED
            ? MessageNumbers.CHANNEL_DATA
            : MessageNumbers.CHANNEL_EXTENDED_DATA);
    data.setInt(start + 1, remoteId);
    if (extendedType != NOT_EXTENDED) {
      data.setInt(start + 5, extendedType);
    }
    data.setInt(start + head - 4, length);
    data.readerIndex(start);
    connection.sink().sendInPlace(data);
  }

  /** Whether this channel would go first: it has only a little to say. */
  boolean isInteractive() {
    return pendingBytes > 0 && pendingBytes <= ConnectionLimits.INTERACTIVE_BYTES;
  }

  /** One turn: sends what waits, up to a bound; then the handler may read on. */
  void takeTurn() {
    int budget = ConnectionLimits.TURN_BYTES;
    while (budget > 0 && !pending.isEmpty() && sendWindow > 0 && connection.sink().dataAllowed()) {
      budget -= emitPending();
    }
    if (!pending.isEmpty()) {
      if (sendWindow > 0) {
        connection.lineUp(this);
      }
      return;
    }
    sendEnds();
    if (wantsTurn && sendWindow > 0 && !eofAsked && !closeAsked) {
      wantsTurn = false;
      handler.sendable(this);
    }
  }

  private int emitPending() {
    Pending first = pending.element();
    int length = first.data().readableBytes();
    int take = (int) Math.min(Math.min(length, maxPacket), sendWindow);
    if (take == length) {
      pending.remove();
      pendingBytes -= length;
      emit(first.extendedType(), first.data());
    } else {
      pendingBytes -= take;
      ByteBuf part = allocate(take);
      part.writeBytes(first.data(), take);
      emit(first.extendedType(), part);
    }
    return take;
  }

  /** No more data from us, once what waits is gone. Idempotent. */
  public void eof() {
    eofAsked = true;
    sendEnds();
  }

  /**
   * Ends the channel once what waits is gone; without {@link #eof} before it, the peer learns that
   * the stream was cut. Idempotent.
   */
  public void close() {
    closeAsked = true;
    sendEnds();
  }

  /** Grows when data goes either way, or is taken from us at our end. */
  long moved() {
    return sent + received + (received - unconsumed);
  }

  /** Nothing has moved for so long: the channel ends now, and so does whoever stands here. */
  void expire(Duration idle) {
    if (!open || closeSent) {
      return;
    }
    dropPending();
    closedByUs = "us, idle for " + idle.toSeconds() + " s";
    connection.emit(
        new TunnelEvent.Notice(
            "channel %d (%s): closing after %d seconds of inactivity"
                .formatted(localId, Text.escape(kind), idle.toSeconds())));
    close();
    ChannelHandler whoWasHere = handler;
    handler = NOBODY;
    whoWasHere.closed(this, null);
  }

  private void sendEnds() {
    if (!open || !pending.isEmpty()) {
      return;
    }
    if (eofAsked && !eofSent && !closeSent) {
      eofSent = true;
      log.trace("channel {}: send eof", localId);
      connection.sink().send(new ChannelEof(remoteId));
    }
    if (closeAsked && !closeSent) {
      closeSent = true;
      log.trace("channel {}: send close", localId);
      connection.sink().send(new ChannelClose(remoteId));
    }
  }

  // ---- Receiving ------------------------------------------------------------------------------

  void windowAdjusted(long bytes) throws SshException {
    if (sendWindow + bytes > 0xffffffffL) {
      throw new SshException.PeerMisbehaved(
          "window of channel " + localId + " adjusted beyond 2^32-1 bytes");
    }
    boolean wasShut = sendWindow == 0;
    sendWindow += bytes;
    if (log.isTraceEnabled()) {
      log.trace("channel {}: rcvd adjust {}, window {}", localId, bytes, sendWindow);
    }
    if (wasShut && sendWindow > 0 && (wantsTurn || !pending.isEmpty())) {
      connection.lineUp(this);
    }
  }

  void dataReceived(int extendedType, ByteBuf data) throws SshException {
    int length = data.readableBytes();
    if (length > credit) {
      throw new SshException.PeerMisbehaved(
          "%d bytes for channel %d, whose window has %d left".formatted(length, localId, credit));
    }
    if (length > connection.packetData()) {
      throw new SshException.PeerMisbehaved(
          "%d bytes in one packet for channel %d, where %d are allowed"
              .formatted(length, localId, connection.packetData()));
    }
    if (eofReceived || closeReceived) {
      throw new SshException.PeerMisbehaved("data after EOF or CLOSE of channel " + localId);
    }
    credit -= length;
    if (pause.isAwaited()) {
      pause.received(length, System.nanoTime());
    }
    received += length;
    unconsumed += length;
    connection.sink().hold(length);
    if (closeSent || closeAsked) {
      // Nobody takes it any more; the peer has not seen our CLOSE yet.
      consumed(length);
    } else if (extendedType == NOT_EXTENDED) {
      handler.data(this, data);
    } else {
      handler.extendedData(this, extendedType, data);
    }
  }

  /** The local end has taken bytes: their window goes back to the peer, in larger pieces. */
  public void consumed(int bytes) {
    if (settled) {
      return;
    }
    unconsumed -= bytes;
    connection.sink().hold(-bytes);
    if (drainer != null && !open && unconsumed == 0) {
      drained();
      return;
    }
    owed += bytes;
    if (closeSent || closeReceived || eofReceived) {
      return;
    }
    // A little less than half: after two halves, each a packet too much, the peer would have a
    // third
    // one left that is never given back, and a long path would carry only half of the window.
    if (owed >= window / 16 * 7 || (credit < ConnectionLimits.MIN_WINDOW && owed >= window / 8)) {
      int more = 0;
      if (pause.take() && unconsumed <= window / 8) {
        // The target keeps up, only the way is long.
        more = connection.windowBudget().grow(window);
        window += more;
      }
      pause.granted(credit, System.nanoTime());
      int adjust = owed + more;
      owed = 0;
      credit += adjust;
      if (log.isTraceEnabled()) {
        log.trace("channel {}: send adjust {}, window {}", localId, adjust, credit);
      }
      connection.sink().send(new WindowAdjust(remoteId, adjust));
    }
  }

  void eofReceived() throws SshException {
    if (eofReceived || closeReceived) {
      throw new SshException.PeerMisbehaved("EOF twice, or after CLOSE, on channel " + localId);
    }
    eofReceived = true;
    log.trace("channel {}: rcvd eof", localId);
    if (!closeAsked) {
      handler.eof(this);
    }
  }

  void closeReceived() throws SshException {
    if (closeReceived) {
      throw new SshException.PeerMisbehaved("CLOSE twice on channel " + localId);
    }
    closeReceived = true;
    log.trace("channel {}: rcvd close", localId);
    // The peer takes nothing any more, so what waits for it is void.
    dropPending();
    boolean weFirst = closeSent;
    if (!closeSent) {
      closeSent = true;
      closeAsked = true;
      connection.sink().send(new ChannelClose(remoteId));
    }
    connection.forget(this);
    ended(null, weFirst ? closedByUs : "the peer");
  }

  /** The connection died under the channel. */
  void died(SshException cause) {
    if (open) {
      ended(cause, "the end of the connection");
    } else {
      handler.refused(
          new SshException.ChannelRefused(
              OpenFailureReason.CONNECT_FAILED, String.valueOf(cause.getMessage())));
    }
  }

  private void ended(@Nullable SshException cause, String by) {
    open = false;
    dropPending();
    for (CompletableFuture<Boolean> reply; (reply = awaitedReplies.poll()) != null; ) {
      reply.complete(false);
    }
    connection.emit(
        new TunnelEvent.ChannelClosed(
            localId, type, sent, received, Duration.ofNanos(System.nanoTime() - openedAt), by));
    handler.closed(this, cause);
    if (drainer != null && unconsumed > 0) {
      connection.drains(this);
    } else {
      settle();
    }
  }

  /**
   * To be called in {@link ChannelHandler#closed} by a handler that still has data to deliver
   * although both sides have closed the channel: until the data is {@link #consumed}, it counts as
   * if the channel were open. Should the target take nothing for long, or memory be short, {@code
   * closed} is called once more, with a cause.
   *
   * @param undelivered what is left to deliver: it changes whenever the target takes some
   */
  public void drain(ChannelHandler by, LongSupplier undelivered) {
    drainer = by;
    left = undelivered;
  }

  private void drained() {
    connection.drained(this);
    settle();
  }

  /** Whether as much waits to be delivered as when this was asked before. */
  boolean isStuck() {
    long now = left.getAsLong();
    boolean stuck = now == leftBefore;
    leftBefore = now;
    return stuck;
  }

  /** What the handler has not delivered must not be waited for any longer. */
  void abandon(SshException cause) {
    if (settled) {
      return;
    }
    drained();
    if (drainer != null) {
      drainer.closed(this, cause);
    }
  }

  /** Nothing is held for this channel any more. */
  private void settle() {
    if (settled) {
      return;
    }
    settled = true;
    connection.windowBudget().refund(window);
    connection.sink().hold(-unconsumed);
    unconsumed = 0;
  }

  /**
   * Whether a payload may be kept in the buffer that it was read into, which as a whole stays in
   * memory for it; otherwise it is to be copied.
   */
  public boolean mayKeepBuffer() {
    return connection.keptBuffers() < ConnectionLimits.MAX_KEPT_BUFFERS;
  }

  /** So many buffers more, or less, are kept for payloads that wait in them. */
  public void keptBuffers(int more) {
    connection.keptBuffers(more);
  }

  private void dropPending() {
    for (Pending p; (p = pending.poll()) != null; ) {
      p.data().release();
    }
    pendingBytes = 0;
  }

  // ---- Requests -------------------------------------------------------------------------------

  /**
   * Sends a channel request (RFC 4254 section 5.4) and awaits its reply; replies come in order.
   *
   * @param fields the fields of the request
   * @return whether the peer did it; false too if the channel ends first
   */
  public CompletableFuture<Boolean> request(String name, byte[] fields) {
    CompletableFuture<Boolean> reply = new CompletableFuture<>();
    if (!open || closeSent) {
      reply.complete(false);
      return reply;
    }
    awaitedReplies.add(reply);
    log.trace("channel {}: request {}", localId, name);
    connection.sink().send(new ChannelRequest(remoteId, name, true, fields));
    return reply;
  }

  /** Sends a channel request that wants no reply. */
  public void notify(String name, byte[] fields) {
    if (open && !closeSent) {
      connection.sink().send(new ChannelRequest(remoteId, name, false, fields));
    }
  }

  void requestReceived(ChannelRequest request) throws SshException, MalformedDataException {
    if (log.isTraceEnabled()) {
      log.trace("channel {}: rcvd request {}", localId, Text.escape(request.name()));
    }
    if (closeReceived) {
      throw new SshException.PeerMisbehaved("a request after CLOSE on channel " + localId);
    }
    boolean done =
        !closeSent && handler.request(this, request.name(), WireReader.over(request.fields()));
    if (!request.wantReply() || closeSent) {
      return;
    }
    if (heldReplies == null) {
      reply(done);
    } else {
      heldReplies.add(done);
      if (heldReplies.size() >= ConnectionLimits.MAX_HELD_REPLIES) {
        releaseReplies();
      }
    }
  }

  private void reply(boolean done) {
    connection.sink().send(done ? new ChannelSuccess(remoteId) : new ChannelFailure(remoteId));
  }

  /** Replies to the peer's requests wait from now on, the one that is being answered included. */
  public void holdReplies() {
    if (heldReplies == null) {
      heldReplies = new ArrayDeque<>();
    }
  }

  /** Sends the replies that were held, in their order; later ones go at once again. */
  public void releaseReplies() {
    Deque<Boolean> held = heldReplies;
    heldReplies = null;
    if (held != null && open && !closeSent) {
      held.forEach(this::reply);
    }
  }

  void replyReceived(boolean success) throws SshException {
    CompletableFuture<Boolean> reply = awaitedReplies.poll();
    if (reply == null) {
      throw new SshException.PeerMisbehaved(
          "a reply on channel " + localId + " to a request that was never made");
    }
    reply.complete(success);
  }
}
