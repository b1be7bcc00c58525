package dev.adit.ssh.connection;

import dev.adit.ssh.ChannelTimeouts;
import dev.adit.ssh.SshException;
import dev.adit.ssh.TunnelEvent;
import dev.adit.ssh.auth.Authenticated;
import dev.adit.ssh.transport.PacketHandler;
import dev.adit.ssh.transport.PacketSink;
import dev.adit.ssh.transport.Text;
import dev.adit.ssh.transport.TransportLimits;
import dev.adit.ssh.wire.ConnectionMessage.ChannelClose;
import dev.adit.ssh.wire.ConnectionMessage.ChannelEof;
import dev.adit.ssh.wire.ConnectionMessage.ChannelFailure;
import dev.adit.ssh.wire.ConnectionMessage.ChannelOpen;
import dev.adit.ssh.wire.ConnectionMessage.ChannelRequest;
import dev.adit.ssh.wire.ConnectionMessage.ChannelSuccess;
import dev.adit.ssh.wire.ConnectionMessage.GlobalRequest;
import dev.adit.ssh.wire.ConnectionMessage.OpenConfirmation;
import dev.adit.ssh.wire.ConnectionMessage.OpenFailure;
import dev.adit.ssh.wire.ConnectionMessage.RequestFailure;
import dev.adit.ssh.wire.ConnectionMessage.RequestSuccess;
import dev.adit.ssh.wire.ConnectionMessage.WindowAdjust;
import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.MessageNumbers;
import dev.adit.ssh.wire.OpenFailureReason;
import dev.adit.ssh.wire.TransportMessage.Debug;
import dev.adit.ssh.wire.WireReader;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import io.netty.util.collection.IntObjectHashMap;
import io.netty.util.collection.IntObjectMap;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The connection protocol (RFC 4254) over authenticated packets: stop 5 of a byte's journey, where
 * a packet finds its channel. Both roles; confined to the event loop of its {@link PacketSink}, but
 * for the methods that say otherwise.
 */
public final class Connection implements PacketHandler {

  /** How exactly the silence of a peer is measured, without looking at a clock for each packet. */
  private static final int LOOKS_PER_INTERVAL = 3;

  private final PacketSink sink;
  private final Consumer<TunnelEvent> events;
  private final WindowBudget windowBudget = new WindowBudget(WindowBudget.HERE);
  private int packetData = ConnectionLimits.MAX_PACKET_DATA;

  private final IntObjectMap<SshChannel> channels = new IntObjectHashMap<>();
  private final Deque<Integer> freeIds = new ArrayDeque<>();
  private int nextId;

  /** Closed by both sides, with data that its target has not taken yet. */
  private final Set<SshChannel> draining = new LinkedHashSet<>();

  private int keptBuffers;

  /** Channels that have something to send, in the order of their turns. */
  private final Deque<SshChannel> line = new ArrayDeque<>();

  private boolean givingTurns;
  private boolean turnsScheduled;

  private final Map<String, OpenHandler> openHandlers = new HashMap<>();
  private final Map<String, GlobalRequestHandler> globalHandlers = new HashMap<>();
  private final Deque<CompletableFuture<byte[]>> awaitedGlobalReplies = new ArrayDeque<>();

  /** Our answers, in the order of the questions: they carry no number. */
  private final Deque<CompletableFuture<byte[]>> owedGlobalReplies = new ArrayDeque<>();

  private Runnable whenOpened = () -> {};
  private boolean heard;
  private @Nullable CompletableFuture<Void> signOfLife;
  private long silentLooks;
  private @Nullable ScheduledFuture<?> keepalive;
  private @Nullable SshException closedBy;
  private final List<Runnable> endings = new ArrayList<>();
  private final CompletableFuture<SshException> closed = new CompletableFuture<>();
  private @Nullable CompletableFuture<Void> idle;

  /**
   * @param sink the way out
   * @param events hears what happens, on the event loop
   */
  public Connection(PacketSink sink, Consumer<TunnelEvent> events) {
    this.sink = sink;
    this.events = events;
  }

  /**
   * Opens the connection layer for a user who is logged in; to be called on the control lane.
   * Handlers for what the peer may ask must be in place before its first packet is read, so they
   * are set up in here.
   */
  public static Connection over(
      Authenticated user, Consumer<TunnelEvent> events, Consumer<Connection> setUp)
      throws InterruptedException {
    Connection connection = new Connection(user.transport(), events);
    long rekeyLimit = user.transport().rekeyLimit();
    if (rekeyLimit > 0 && rekeyLimit < ConnectionLimits.SMALL_REKEY_LIMIT) {
      connection.packetData = ConnectionLimits.SMALL_PACKET_DATA;
    }
    setUp.accept(connection);
    user.transport().open(connection);
    return connection;
  }

  /**
   * What to do when packets begin to come, on the event loop: what it sends goes first of all. To
   * be called while the connection is set up.
   */
  public void whenOpened(Runnable action) {
    whenOpened = action;
  }

  @Override
  public void opened() {
    whenOpened.run();
  }

  PacketSink sink() {
    return sink;
  }

  /** The loop that everything here is confined to. Callable from any thread. */
  public EventLoop eventLoop() {
    return sink.eventLoop();
  }

  WindowBudget windowBudget() {
    return windowBudget;
  }

  /** Largest data of one packet that we offer to take, in bytes. */
  int packetData() {
    return packetData;
  }

  /** Tells the listener. */
  public void emit(TunnelEvent event) {
    events.accept(event);
  }

  /** Completes with the cause when the connection has ended. Callable from any thread. */
  public CompletableFuture<SshException> closed() {
    return closed;
  }

  /** Whether it is over; earlier than {@link #closed} tells. On the event loop. */
  public boolean hasEnded() {
    return closedBy != null;
  }

  /** Number of channels that are open, being opened or being closed. */
  public int channelCount() {
    return channels.size();
  }

  /** The channels there are, for a person's eyes ({@code ~#}). */
  public List<SshChannel> channels() {
    return List.copyOf(channels.values());
  }

  /** Completes when no channel is left, and all that came on them has gone to its target. */
  public CompletableFuture<Void> whenIdle() {
    CompletableFuture<Void> waiting = idle == null ? new CompletableFuture<>() : idle;
    idle = waiting;
    checkIdle();
    return waiting;
  }

  private void checkIdle() {
    if (idle != null && channels.isEmpty() && (draining.isEmpty() || closedBy != null)) {
      idle.complete(null);
      idle = null;
    }
  }

  // ---- Opening channels -----------------------------------------------------------------------

  /**
   * Asks the peer for a channel; the handler hears of the answer.
   *
   * @param fields the fields that belong to the channel type
   * @param what for whom and to where, for people
   */
  public SshChannel open(String type, byte[] fields, ChannelHandler handler, String what) {
    SshException dead = closedBy;
    if (dead != null || isFull()) {
      SshChannel never = new SshChannel(this, -1, type, handler, 0);
      handler.refused(
          new SshException.ChannelRefused(
              OpenFailureReason.RESOURCE_SHORTAGE,
              dead != null
                  ? "the connection has ended: " + dead.getMessage()
                  : "more than " + ConnectionLimits.MAX_CHANNELS + " channels"));
      return never;
    }
    SshChannel channel = admit(type, handler);
    emit(new TunnelEvent.ChannelOpening(channel.id(), type, what, false));
    sink.send(new ChannelOpen(type, channel.id(), channel.initialWindow(), packetData, fields));
    return channel;
  }

  SshChannel admit(String type, ChannelHandler handler) {
    Integer free = freeIds.poll();
    int id = free != null ? free : nextId++;
    SshChannel channel = new SshChannel(this, id, type, handler, windowBudget.open());
    channels.put(id, channel);
    return channel;
  }

  private boolean isFull() {
    return heldChannels() >= ConnectionLimits.MAX_CHANNELS;
  }

  /** Channels of either side, and those that are closed but hold what their targets don't take. */
  public int heldChannels() {
    return channels.size() + draining.size();
  }

  void drains(SshChannel channel) {
    draining.add(channel);
    if (draining.size() == 1) {
      lookAtDrainingLater();
    }
  }

  private void lookAtDrainingLater() {
    var _ =
        eventLoop()
            .schedule(this::lookAtDraining, ConnectionLimits.DRAIN_SECONDS, TimeUnit.SECONDS);
  }

  /** Those whose targets have taken nothing since the last look are given up. */
  void lookAtDraining() {
    for (SshChannel channel : List.copyOf(draining)) {
      if (channel.isStuck()) {
        channel.abandon(
            SshException.Disconnected.local(
                "its target took nothing for " + ConnectionLimits.DRAIN_SECONDS + " seconds"));
      }
    }
    if (!draining.isEmpty()) {
      lookAtDrainingLater();
    }
  }

  void drained(SshChannel channel) {
    if (draining.remove(channel) && idle != null) {
      eventLoop().execute(this::checkIdle);
    }
  }

  int keptBuffers() {
    return keptBuffers;
  }

  void keptBuffers(int more) {
    keptBuffers += more;
    sink.hold((long) more * TransportLimits.READ_BUFFER);
  }

  /** Both sides have closed it: the number may be used again. */
  void forget(SshChannel channel) {
    channels.remove(channel.id());
    freeIds.add(channel.id());
    if (idle != null) {
      eventLoop().execute(this::checkIdle);
    }
  }

  /** What to do when the peer opens a channel of this type; without it, the open is refused. */
  public void onOpen(String type, OpenHandler handler) {
    openHandlers.put(type, handler);
  }

  public void onGlobalRequest(String name, GlobalRequestHandler handler) {
    globalHandlers.put(name, handler);
  }

  // ---- Turns ----------------------------------------------------------------------------------

  /** Whether data may go straight out: nobody is waiting in line and the way is free. */
  boolean mayTakeTurn() {
    return (line.isEmpty() || givingTurns) && sink.dataAllowed();
  }

  void lineUp(SshChannel channel) {
    if (!channel.inLine) {
      channel.inLine = true;
      if (channel.isInteractive()) {
        line.addFirst(channel);
      } else {
        line.addLast(channel);
      }
    }
    if (!turnsScheduled && !givingTurns && sink.dataAllowed()) {
      turnsScheduled = true;
      eventLoop()
          .execute(
              () -> {
                turnsScheduled = false;
                sendable();
              });
    }
  }

  /** The way is free: each channel in line gets a turn, until it isn't free any more. */
  @Override
  public void sendable() {
    if (givingTurns) {
      return;
    }
    givingTurns = true;
    try {
      for (int turns = line.size(); turns > 0 && sink.dataAllowed(); turns--) {
        SshChannel channel = line.poll();
        if (channel == null) {
          break;
        }
        channel.inLine = false;
        channel.takeTurn();
      }
    } finally {
      givingTurns = false;
    }
    if (!line.isEmpty() && sink.dataAllowed() && !turnsScheduled) {
      turnsScheduled = true;
      eventLoop()
          .execute(
              () -> {
                turnsScheduled = false;
                sendable();
              });
    }
  }

  // ---- Packets --------------------------------------------------------------------------------

  @Override
  public void packet(int number, ByteBuf buffer, int index, int length)
      throws SshException, MalformedDataException {
    heard = true;
    if (signOfLife != null) {
      alive();
    }
    switch (number) {
      case MessageNumbers.CHANNEL_DATA -> {
        need(length, 9, number);
        SshChannel channel = channel(buffer.getInt(index + 1), number);
        int size = dataLength(buffer.getInt(index + 5), length - 9, number);
        channel.dataReceived(0, buffer.slice(index + 9, size));
      }
      case MessageNumbers.CHANNEL_EXTENDED_DATA -> {
        need(length, 13, number);
        SshChannel channel = channel(buffer.getInt(index + 1), number);
        int size = dataLength(buffer.getInt(index + 9), length - 13, number);
        channel.dataReceived(Math.max(1, buffer.getInt(index + 5)), buffer.slice(index + 13, size));
      }
      default -> message(number, new WireReader(buffer.slice(index, length)));
    }
  }

  private static void need(int length, int atLeast, int number) throws MalformedDataException {
    if (length < atLeast) {
      throw new MalformedDataException(MessageNumbers.describe(number) + " is cut short");
    }
  }

  private static int dataLength(int claimed, int there, int number) throws MalformedDataException {
    if (claimed != there) {
      throw new MalformedDataException(
          "%s says %s bytes and has %d"
              .formatted(
                  MessageNumbers.describe(number), Integer.toUnsignedString(claimed), there));
    }
    return claimed;
  }

  private void message(int number, WireReader in) throws SshException, MalformedDataException {
    switch (number) {
      case MessageNumbers.CHANNEL_WINDOW_ADJUST -> {
        WindowAdjust m = WindowAdjust.TYPE.parse(in);
        channel(m.recipient(), number).windowAdjusted(m.bytes());
      }
      case MessageNumbers.CHANNEL_EOF ->
          channel(ChannelEof.TYPE.parse(in).recipient(), number).eofReceived();
      case MessageNumbers.CHANNEL_CLOSE ->
          channel(ChannelClose.TYPE.parse(in).recipient(), number).closeReceived();
      case MessageNumbers.CHANNEL_OPEN -> opened(ChannelOpen.TYPE.parse(in));
      case MessageNumbers.CHANNEL_OPEN_CONFIRMATION -> confirmed(OpenConfirmation.TYPE.parse(in));
      case MessageNumbers.CHANNEL_OPEN_FAILURE -> refused(OpenFailure.TYPE.parse(in));
      case MessageNumbers.CHANNEL_REQUEST -> {
        ChannelRequest m = ChannelRequest.TYPE.parse(in);
        channel(m.recipient(), number).requestReceived(m);
      }
      case MessageNumbers.CHANNEL_SUCCESS ->
          channel(ChannelSuccess.TYPE.parse(in).recipient(), number).replyReceived(true);
      case MessageNumbers.CHANNEL_FAILURE ->
          channel(ChannelFailure.TYPE.parse(in).recipient(), number).replyReceived(false);
      case MessageNumbers.GLOBAL_REQUEST -> globalRequest(GlobalRequest.TYPE.parse(in));
      case MessageNumbers.REQUEST_SUCCESS ->
          awaitedGlobalReply(number).complete(RequestSuccess.TYPE.parse(in).fields());
      case MessageNumbers.REQUEST_FAILURE -> {
        RequestFailure.TYPE.parse(in);
        awaitedGlobalReply(number)
            .completeExceptionally(
                new SshException.ForwardRefused("the peer refused the request", null));
      }
      default ->
          throw new SshException.PeerMisbehaved(
              "message " + MessageNumbers.describe(number) + " in an open connection");
    }
  }

  private SshChannel channel(int id, int number) throws SshException {
    SshChannel channel = channels.get(id);
    if (channel == null || !channel.isOpen()) {
      throw new SshException.PeerMisbehaved(
          "message %s for channel %s, which is not open"
              .formatted(MessageNumbers.describe(number), Integer.toUnsignedString(id)));
    }
    return channel;
  }

  private void opened(ChannelOpen message) throws SshException, MalformedDataException {
    requireRoom(message.maximumPacket());
    IncomingOpen open = new IncomingOpen(this, message);
    OpenHandler handler = openHandlers.get(message.channelType());
    if (handler == null) {
      open.refuse(
          OpenFailureReason.UNKNOWN_CHANNEL_TYPE,
          "channels of type " + Text.escape(message.channelType()) + " are not served here");
    } else if (isFull()) {
      open.refuse(
          OpenFailureReason.RESOURCE_SHORTAGE,
          "more than " + ConnectionLimits.MAX_CHANNELS + " channels");
    } else {
      handler.open(open, WireReader.over(message.fields()));
    }
  }

  /** Data would go out in empty packets, and never come to an end. */
  private static void requireRoom(long maximumPacket) throws SshException {
    if (maximumPacket == 0) {
      throw new SshException.PeerMisbehaved("a channel whose packets may hold 0 bytes");
    }
  }

  private void confirmed(OpenConfirmation m) throws SshException {
    SshChannel channel = awaitingOpen(m.recipient(), MessageNumbers.CHANNEL_OPEN_CONFIRMATION);
    requireRoom(m.maximumPacket());
    channel.confirmed(m.sender(), m.initialWindow(), m.maximumPacket());
    emit(new TunnelEvent.ChannelOpened(channel.id(), channel.type()));
    channel.handler().opened(channel);
  }

  private void refused(OpenFailure m) throws SshException {
    SshChannel channel = awaitingOpen(m.recipient(), MessageNumbers.CHANNEL_OPEN_FAILURE);
    forget(channel);
    windowBudget.refund(channel.initialWindow());
    String reason = OpenFailureReason.describe(m.reason());
    String text = Text.escape(m.description());
    String why = text.isEmpty() ? reason : reason + ": " + text;
    emit(new TunnelEvent.ChannelRefused(channel.id(), channel.type(), why, true));
    channel.handler().refused(new SshException.ChannelRefused((int) m.reason(), why));
  }

  private SshChannel awaitingOpen(int id, int number) throws SshException {
    SshChannel channel = channels.get(id);
    if (channel == null || channel.isOpen()) {
      throw new SshException.PeerMisbehaved(
          "message %s for channel %s, which awaits none"
              .formatted(MessageNumbers.describe(number), Integer.toUnsignedString(id)));
    }
    return channel;
  }

  // ---- Global requests ------------------------------------------------------------------------

  /**
   * Sends a global request (RFC 4254 section 4) and awaits its reply; replies come in order.
   *
   * @return the fields of REQUEST_SUCCESS; fails with {@link SshException.ForwardRefused} for
   *     REQUEST_FAILURE and with the cause if the connection ends first
   */
  public CompletableFuture<byte[]> globalRequest(String name, byte[] fields) {
    CompletableFuture<byte[]> reply = new CompletableFuture<>();
    if (closedBy != null) {
      reply.completeExceptionally(closedBy);
      return reply;
    }
    awaitedGlobalReplies.add(reply);
    sink.send(new GlobalRequest(name, true, fields));
    return reply;
  }

  /** Sends a global request that wants no reply. */
  public void globalNotice(String name, byte[] fields) {
    if (closedBy == null) {
      sink.send(new GlobalRequest(name, false, fields));
    }
  }

  private CompletableFuture<byte[]> awaitedGlobalReply(int number) throws SshException {
    CompletableFuture<byte[]> reply = awaitedGlobalReplies.poll();
    if (reply == null) {
      throw new SshException.PeerMisbehaved(
          "message %s answers a global request that was never made"
              .formatted(MessageNumbers.describe(number)));
    }
    return reply;
  }

  private void globalRequest(GlobalRequest request) throws SshException, MalformedDataException {
    GlobalRequestHandler handler = globalHandlers.get(request.name());
    CompletableFuture<byte[]> answer =
        handler == null
            ? CompletableFuture.failedFuture(
                new SshException.ForwardRefused("unknown request", null))
            : handler.handle(WireReader.over(request.fields()));
    if (!request.wantReply()) {
      return;
    }
    if (owedGlobalReplies.size() >= ConnectionLimits.MAX_PENDING_GLOBAL_REQUESTS) {
      throw new SshException.PeerMisbehaved(
          "more than " + ConnectionLimits.MAX_PENDING_GLOBAL_REQUESTS + " global requests at once");
    }
    owedGlobalReplies.add(answer);
    if (answer.isDone()) {
      sendOwedGlobalReplies();
    } else {
      answer.whenComplete((_, _) -> sendOwedGlobalReplies());
    }
  }

  private void sendOwedGlobalReplies() {
    for (CompletableFuture<byte[]> first;
        (first = owedGlobalReplies.peek()) != null && first.isDone(); ) {
      owedGlobalReplies.remove();
      sink.send(
          first.isCompletedExceptionally()
              ? new RequestFailure()
              : new RequestSuccess(first.join()));
    }
  }

  // ---- Life and death -------------------------------------------------------------------------

  /**
   * Asks the peer for a sign of life for each interval in which it was silent (ServerAliveInterval
   * and ClientAliveInterval), and ends the connection before it was silent for {@code count} of
   * them, or for two: one question has had most of an interval for its answer.
   */
  public void startKeepalive(Duration interval, int count, String peer) {
    stopKeepalive();
    if (interval.isZero()) {
      return;
    }
    // What came right behind a look counts as late as the next look: so the last one is left out.
    long patience = Math.max(count, 2L) * LOOKS_PER_INTERVAL - 1;
    long look = Math.max(1, interval.toNanos() / LOOKS_PER_INTERVAL);
    silentLooks = 0;
    keepalive =
        eventLoop()
            .scheduleWithFixedDelay(
                () -> {
                  if (heard) {
                    heard = false;
                    silentLooks = 0;
                  } else if (++silentLooks >= patience) {
                    sink.fail(
                        SshException.Disconnected.local("Timeout, " + peer + " not responding."));
                  } else if (silentLooks % LOOKS_PER_INTERVAL == 0) {
                    var _ = globalRequest("keepalive@openssh.com", new byte[0]);
                  }
                },
                look,
                look,
                TimeUnit.NANOSECONDS);
  }

  /**
   * Asks the peer for a sign of life now. Whatever it sends next counts: its answer may have to
   * wait behind a long transfer.
   *
   * @return completes on the event loop; fails with the cause if the connection ends before
   */
  public CompletableFuture<Void> signOfLife() {
    if (closedBy != null) {
      return CompletableFuture.failedFuture(closedBy);
    }
    if (signOfLife == null) {
      signOfLife = new CompletableFuture<>();
      var _ = globalRequest("keepalive@openssh.com", new byte[0]);
    }
    return signOfLife.copy();
  }

  /** Closes channels that stand idle from now on, for as long as the connection lives. */
  public void closeIdleChannels(ChannelTimeouts timeouts) {
    IdleChannels.watch(this, timeouts);
  }

  private void stopKeepalive() {
    if (keepalive != null) {
      keepalive.cancel(false);
      keepalive = null;
    }
  }

  private void alive() {
    CompletableFuture<Void> asked = signOfLife;
    signOfLife = null;
    if (asked != null) {
      asked.complete(null);
    }
  }

  /** Says something to whoever looks at the peer's log (RFC 4253 section 11.3). */
  public void tell(String text) {
    if (closedBy == null) {
      sink.send(new Debug(true, text, ""));
    }
  }

  /** Runs this on the event loop when the connection has ended, before anybody is told. */
  public void onEnd(Runnable action) {
    endings.add(action);
  }

  /** Ends the connection for this reason. Callable from any thread. */
  public void fail(SshException cause) {
    sink.fail(cause);
  }

  @Override
  public void closed(SshException cause) {
    if (closedBy != null) {
      return;
    }
    closedBy = cause;
    stopKeepalive();
    line.clear();
    for (CompletableFuture<byte[]> reply; (reply = awaitedGlobalReplies.poll()) != null; ) {
      reply.completeExceptionally(cause);
    }
    List<SshChannel> orphans = List.copyOf(channels.values());
    channels.clear();
    orphans.forEach(channel -> channel.died(cause));
    checkIdle();
    if (signOfLife != null) {
      signOfLife.completeExceptionally(cause);
    }
    endings.forEach(Runnable::run);
    emit(new TunnelEvent.Disconnected(cause));
    closed.complete(cause);
  }

  @Override
  public void letGo(SshException cause) {
    List.copyOf(draining).forEach(channel -> channel.abandon(cause));
  }
}
