package dev.adit.ssh.forward;

import dev.adit.ssh.SshException;
import dev.adit.ssh.connection.ChannelHandler;
import dev.adit.ssh.connection.SshChannel;
import dev.adit.ssh.transport.Buffers;
import dev.adit.ssh.transport.ReadInto;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
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

  /** What is read from the socket before others get a turn, in bytes. */
  private static final int READ_BURST = 256 * 1024;

  /**
   * Smaller payloads are copied on their way to a socket that lags, so that a few bytes don't keep
   * a large read buffer alive.
   */
  private static final int COPY_BELOW = 16 * 1024;

  /** How long a socket whose channel is closed may take to finish its side, in seconds. */
  private static final int LINGER_SECONDS = 5;

  private final DuplexChannel local;
  private @Nullable SshChannel channel;

  private boolean reading;
  private boolean localEof;
  private boolean localGone;

  private int unflushed;
  private boolean flushScheduled;
  private int inFlight;
  private boolean eofAfterWrites;
  private boolean outputShut;
  private boolean closing;

  /**
   * @param local a connected socket with autoRead off, half-closure allowed and autoClose off, on
   *     the loop of the connection
   */
  public Relay(DuplexChannel local) {
    this.local = local;
  }

  /** Starts to relay over a channel that is open. */
  @Override
  public void opened(SshChannel opened) {
    channel = opened;
    if (localGone || !local.isActive()) {
      localGone = true;
      opened.close();
      return;
    }
    local
        .config()
        .setOption(
            ChannelOption.RECVBUF_ALLOCATOR,
            new ReadInto(
                READ_BURST,
                () -> opened.sendable() > 0,
                () -> SshChannel.allocate(readSize(opened))));
    local.pipeline().addLast(this);
    pump();
  }

  /** One read makes one packet: as much as the peer takes in one, and as its window has left. */
  private static int readSize(SshChannel channel) {
    int sendable = channel.sendable();
    return sendable > 0 ? Math.min(channel.maxPacket(), sendable) : channel.maxPacket();
  }

  @Override
  public void refused(SshException.ChannelRefused why) {
    reset();
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
    if (closing || to == null) {
      data.release();
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
    if (channel != null) {
      channel.close();
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
    boolean copy = length < COPY_BELOW || !local.isWritable();
    local.write(
        copy ? Buffers.ALLOCATOR.directBuffer(length).writeBytes(data) : data.retain(),
        local.voidPromise());
    unflushed += length;
    flushLater();
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
    int length = unflushed;
    unflushed = 0;
    inFlight++;
    local
        .writeAndFlush(Unpooled.EMPTY_BUFFER)
        .addListener(
            written -> {
              inFlight--;
              if (channel != null) {
                channel.consumed(length);
              }
              if (!written.isSuccess()) {
                local.close();
              }
              afterWrites();
            });
  }

  private boolean writing() {
    return inFlight > 0 || unflushed > 0;
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
      local.shutdownOutput();
    }
    closeIfDone();
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
    if (closing) {
      return;
    }
    closing = true;
    afterWrites();
    if (!localEof && !localGone) {
      local.config().setAutoRead(true);
      local.eventLoop().schedule(() -> local.close(), LINGER_SECONDS, TimeUnit.SECONDS);
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
    if (local.isActive()) {
      local.config().setOption(ChannelOption.SO_LINGER, 0);
    }
    local.close();
  }
}
