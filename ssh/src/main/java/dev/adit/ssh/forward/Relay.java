package dev.adit.ssh.forward;

import dev.adit.ssh.SshException;
import dev.adit.ssh.connection.ChannelHandler;
import dev.adit.ssh.connection.SshChannel;
import dev.adit.ssh.transport.Buffers;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Between a local socket and a channel, both ways, on the event loop that both live on.
 *
 * <p>A byte's journey has six stops:
 *
 * <pre>
 *   1 Relay          {@link #channelRead} takes what the local socket had, read where it is sealed
 *   2 SshChannel     write() takes window and puts the header in front
 *   3 PacketEncoder  seal() pads and encrypts in place; one flush at the end of the loop's turn
 *     -- network --
 *   4 PacketDecoder  decode() opens in place as many packets as are there
 *   5 Connection     packet() finds the channel
 *   6 Relay          {@link #data} writes the target; when it has the bytes, their window goes back
 * </pre>
 *
 * <p>Nothing is read from the socket unless the channel can send it, and nothing is promised to the
 * peer before the socket has taken what came: so neither side can make us hold more than a window.
 */
public final class Relay extends ChannelInboundHandlerAdapter implements ChannelHandler {

  private static final WriteBufferWaterMark LAGS =
      new WriteBufferWaterMark(ForwardingLimits.LAGS_NO_MORE, ForwardingLimits.LAGS_ABOVE);

  /** What a proxy's client is told before its data flows. */
  interface Greeting {

    /** The way is open. */
    byte[] opened();

    /** There is no way. */
    byte[] refused(SshException.ChannelRefused why);
  }

  private final DuplexChannel local;
  private final @Nullable Greeting greeting;
  private @Nullable SshChannel channel;

  /** What came from the socket before the channel was open. */
  private final Deque<ByteBuf> early = new ArrayDeque<>();

  private boolean reading;
  private boolean localEof;
  private boolean localGone;

  private @Nullable ByteBuf gathered;
  private int unflushed;
  private @Nullable ByteBuf newest;
  private @Nullable ByteBuf lastKept;
  private int kept;
  private boolean flushScheduled;
  private int inFlight;
  private boolean eofAfterWrites;
  private boolean outputShut;
  private boolean closing;
  private @Nullable ScheduledFuture<?> linger;

  /**
   * @param local a connected socket of {@link Sockets}, on the loop of the connection
   */
  public Relay(DuplexChannel local) {
    this(local, null);
  }

  Relay(DuplexChannel local, @Nullable Greeting greeting) {
    this.local = local;
    this.greeting = greeting;
    Sockets.reads(local).use(this::mayReadOn, this::readBuffer);
    local.pipeline().addLast(this);
  }

  private boolean mayReadOn() {
    return channel != null && channel.sendable() > 0;
  }

  /**
   * One read makes one packet: as much as the peer takes in one, and as its window has left. Before
   * the channel is open nothing is asked for, but epoll reads once when the application has ended.
   */
  private ByteBuf readBuffer() {
    SshChannel to = channel;
    if (to == null) {
      return SshChannel.allocate(ForwardingLimits.EARLY_READ);
    }
    int sendable = to.sendable();
    return SshChannel.allocate(sendable > 0 ? Math.min(to.maxPacket(), sendable) : to.maxPacket());
  }

  /** Bytes of the application that were read before there was a relay; before the channel opens. */
  void readEarly(ByteBuf data) {
    early.add(data);
  }

  /** Bytes for the application that don't come from the channel. */
  void writeFirst(byte[] bytes) {
    if (bytes.length > 0 && !localGone) {
      write(Unpooled.wrappedBuffer(bytes));
      flushLater();
    }
  }

  /** Starts to relay over a channel that is open. */
  @Override
  public void opened(SshChannel opened) {
    channel = opened;
    if (localGone || !local.isActive()) {
      localGone = true;
      releaseEarly();
      opened.close();
      return;
    }
    local.config().setWriteBufferWaterMark(LAGS);
    if (greeting != null) {
      writeFirst(greeting.opened());
    }
    for (ByteBuf data; (data = early.poll()) != null; ) {
      opened.write(data);
    }
    if (localEof) {
      opened.eof();
    }
    pump();
  }

  @Override
  public void refused(SshException.ChannelRefused why) {
    if (greeting == null) {
      reset();
    } else {
      finish(greeting.refused(why));
    }
  }

  /** Some last words for the application, then the end. */
  void finish(byte[] lastWords) {
    releaseEarly();
    writeFirst(lastWords);
    end();
  }

  private void releaseEarly() {
    for (ByteBuf data; (data = early.poll()) != null; ) {
      data.release();
    }
  }

  // ---- From the socket to the channel ---------------------------------------------------------

  private void pump() {
    SshChannel to = channel;
    if (to == null || reading || localEof || localGone || closing) {
      return;
    }
    if (to.sendable() > 0) {
      reading = true;
      local.read();
    } else {
      to.awaitTurn();
    }
  }

  @Override
  public void sendable(SshChannel ready) {
    pump();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    ByteBuf data = (ByteBuf) message;
    SshChannel to = channel;
    if (closing) {
      data.release();
    } else if (to == null) {
      early.add(data);
    } else {
      to.write(data);
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    reading = false;
    pump();
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof ChannelInputShutdownEvent && !localEof) {
      localEof = true;
      if (channel != null && !closing) {
        channel.eof();
      }
      closeIfDone();
    }
  }

  /** Reset by the application: the peer hears a CLOSE without EOF, after what was read is sent. */
  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    localGone = true;
    if (linger != null) {
      linger.cancel(false);
    }
    releaseEarly();
    if (channel != null) {
      channel.close();
    }
    if (gathered != null) {
      int length = gathered.readableBytes();
      gathered.release();
      gathered = null;
      if (channel != null) {
        channel.consumed(length);
      }
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    local.close();
  }

  // ---- From the channel to the socket ---------------------------------------------------------

  @Override
  public void data(SshChannel from, ByteBuf data) {
    int length = data.readableBytes();
    if (localGone || outputShut) {
      from.consumed(length);
      return;
    }
    if (length < ForwardingLimits.COPY_BELOW || !local.isWritable() || !mayKeep(from, data)) {
      gather(data);
    } else {
      writeGathered();
      unflushed += length;
      write(data.retain());
    }
    flushLater();
  }

  /** Whether the payload may wait where it was read; its buffer is counted then. */
  private boolean mayKeep(SshChannel from, ByteBuf data) {
    ByteBuf whole = data.unwrap();
    if (whole == null || whole != lastKept) {
      if (!from.mayKeepBuffer()) {
        return false;
      }
      lastKept = whole;
      kept++;
      from.keptBuffers(1);
    }
    return true;
  }

  /**
   * Not a count, but it changes with each byte that the socket takes: writes end in large steps.
   */
  private long undelivered() {
    ChannelOutboundBuffer waiting = local.unsafe().outboundBuffer();
    if (waiting == null) {
      return 0;
    }
    return waiting.current() instanceof ByteBuf first
        ? waiting.totalPendingWriteBytes() + first.readableBytes()
        : waiting.totalPendingWriteBytes();
  }

  private void gather(ByteBuf data) {
    while (data.isReadable()) {
      ByteBuf into = gathered;
      if (into == null) {
        int atFirst =
            Math.max(
                ForwardingLimits.GATHERED_AT_FIRST,
                Math.min(data.readableBytes(), ForwardingLimits.GATHERED));
        into = Buffers.ALLOCATOR.directBuffer(atFirst, ForwardingLimits.GATHERED);
        gathered = into;
      }
      into.writeBytes(data, Math.min(data.readableBytes(), into.maxWritableBytes()));
      if (into.maxWritableBytes() == 0) {
        writeGathered();
      }
    }
  }

  private void writeGathered() {
    if (gathered != null) {
      unflushed += gathered.readableBytes();
      write(gathered);
      gathered = null;
    }
  }

  /** The newest waits for the next or for the flush: only the last of a flush needs a promise. */
  private void write(ByteBuf data) {
    if (newest != null) {
      local.write(newest, local.voidPromise());
    }
    newest = data;
  }

  private void flushLater() {
    if (!flushScheduled) {
      flushScheduled = true;
      local.eventLoop().execute(this::flush);
    }
  }

  /** One flush for all that came in this turn of the loop, and one promise that tells its end. */
  private void flush() {
    flushScheduled = false;
    if (inFlight == 0) {
      // Otherwise the socket lags, and more may be copied to what is there.
      writeGathered();
    }
    ByteBuf last = newest;
    if (last == null) {
      afterWrites();
      return;
    }
    newest = null;
    int length = unflushed;
    int buffers = kept;
    unflushed = 0;
    kept = 0;
    lastKept = null;
    inFlight++;
    local
        .writeAndFlush(last)
        .addListener(
            done -> {
              inFlight--;
              if (inFlight == 0 && gathered != null) {
                flushLater();
              }
              if (channel != null) {
                channel.consumed(length);
                channel.keptBuffers(-buffers);
              }
              if (!done.isSuccess()) {
                local.close();
              }
              afterWrites();
            });
  }

  private boolean writing() {
    return inFlight > 0 || flushScheduled || gathered != null;
  }

  @Override
  public void eof(SshChannel from) {
    eofAfterWrites = true;
    afterWrites();
  }

  /** Netty's shutdownOutput drops what is still queued, so it waits for the last write. */
  private void afterWrites() {
    if (writing() || localGone) {
      return;
    }
    if ((eofAfterWrites || closing) && !outputShut) {
      outputShut = true;
      // To an application that has ended too, closing says the same.
      if (!localEof) {
        local.shutdownOutput();
      }
    }
    closeIfDone();
    if (closing && linger == null && local.isOpen()) {
      linger =
          local
              .eventLoop()
              .schedule(() -> local.close(), ForwardingLimits.LINGER_SECONDS, TimeUnit.SECONDS);
    }
  }

  /**
   * Both sides have closed the channel: what came is written, then the socket gets its end. It is
   * closed only when the application has ended too, for closing with unread input would make the
   * kernel send a reset that overtakes what we wrote.
   */
  @Override
  public void closed(SshChannel ended, @Nullable SshException cause) {
    if (cause != null) {
      reset();
      return;
    }
    if (writing() && !localGone) {
      ended.drain(this, this::undelivered);
    }
    if (!closing) {
      end();
    }
  }

  private void end() {
    closing = true;
    afterWrites();
    if (!localEof && !localGone) {
      local.config().setAutoRead(true);
    }
  }

  /** Both directions have ended and everything is written: nothing is left to wait for. */
  private void closeIfDone() {
    if (localEof && outputShut) {
      if (channel != null) {
        channel.close();
      }
      local.close();
    }
  }

  /** The tunnel died, or never was: a reset, so that nobody takes the cut for an end. */
  private void reset() {
    closing = true;
    releaseEarly();
    if (local.isActive()) {
      local.config().setOption(ChannelOption.SO_LINGER, 0);
    }
    local.close();
  }
}
