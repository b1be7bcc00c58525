package dev.adit.ssh.transport;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.channel.unix.IntegerUnixChannelOption;
import io.netty.util.AttributeKey;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An SSH connection over a socket. Reads go straight into the decoder's buffer, and reading never
 * stops: the windows of the channels alone limit what the peer may send.
 */
public final class SocketCarrier extends ChannelInboundHandlerAdapter implements Carrier {
  private static final Logger log = LoggerFactory.getLogger(SocketCarrier.class);

  /**
   * Linux's IPPROTO_IPV6 and IPV6_V6ONLY: each family has a socket of its own, so that one address
   * in use doesn't take the other family along.
   */
  private static final IntegerUnixChannelOption V6_ONLY =
      new IntegerUnixChannelOption("IPV6_V6ONLY", 41, 26);

  private static final AttributeKey<EarlyBytes> EARLY =
      AttributeKey.valueOf(SocketCarrier.class, "EARLY");

  /**
   * How to connect.
   *
   * @param timeout zero to wait as long as TCP does
   * @param local the address to come from, or null for the system's choice
   * @param trafficClass the IP header's TOS or Traffic Class byte (IPQoS), or -1 for the system's
   */
  public record Options(
      Duration timeout, @Nullable SocketAddress local, boolean keepAlive, int trafficClass) {}

  private final Channel channel;
  private final String remote;
  private @Nullable Listener listener;
  private @Nullable Throwable cause;
  private boolean ended;
  private boolean quick;

  /**
   * Connects a socket that is fit for the constructor. The address must be resolved: Netty's own
   * resolver would block the loop.
   */
  public static ChannelFuture connect(EventLoop loop, InetSocketAddress to, Options options) {
    EarlyBytes early = new EarlyBytes(_ -> {});
    Bootstrap bootstrap =
        new Bootstrap()
            .attr(EARLY, early)
            .group(loop)
            .channel(Epoll.isAvailable() ? EpollSocketChannel.class : NioSocketChannel.class)
            .option(ChannelOption.ALLOCATOR, Buffers.ALLOCATOR)
            .option(ChannelOption.AUTO_READ, false)
            .option(ChannelOption.AUTO_CLOSE, false)
            .option(ChannelOption.ALLOW_HALF_CLOSURE, false)
            .option(ChannelOption.TCP_NODELAY, true)
            .option(ChannelOption.SO_KEEPALIVE, options.keepAlive)
            .option(
                ChannelOption.CONNECT_TIMEOUT_MILLIS,
                (int) Math.min(options.timeout.toMillis(), Integer.MAX_VALUE))
            .handler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    channel.pipeline().addLast(early, Loopback.unpaced(to));
                  }
                });
    if (options.trafficClass >= 0) {
      bootstrap.option(ChannelOption.IP_TOS, options.trafficClass);
    }
    return options.local == null ? bootstrap.connect(to) : bootstrap.connect(to, options.local);
  }

  /**
   * How to listen.
   *
   * @param backlog connections that may wait in the kernel
   * @param accepted called on the new connection's loop; nothing was sent or read yet
   */
  public record ListenOptions(boolean keepAlive, int backlog, Consumer<Channel> accepted) {}

  /**
   * Listens for connections that are fit for the constructor, each on a loop of the group.
   *
   * @param at resolved
   */
  public static ChannelFuture listen(
      EventLoopGroup loops, InetSocketAddress at, ListenOptions options) {
    boolean v6 = at.getAddress() instanceof Inet6Address;
    ServerBootstrap server =
        accepting(
                loops,
                options,
                Epoll.isAvailable()
                    ? () ->
                        new EpollServerSocketChannel(
                            v6 ? SocketProtocolFamily.INET6 : SocketProtocolFamily.INET)
                    : NioServerSocketChannel::new)
            .option(ChannelOption.SO_REUSEADDR, true)
            .option(ChannelOption.SO_BACKLOG, options.backlog)
            .handler(Loopback.unpaced(at));
    if (Epoll.isAvailable() && v6) {
      server.option(V6_ONLY, 1);
    }
    return told(server.bind(at));
  }

  /**
   * As {@link #listen}, on a socket that somebody else has opened, bound and made to listen:
   * systemd does. Linux only.
   *
   * @param descriptor must not block, or a client that goes away too early would block the loop
   */
  public static ChannelFuture listenOn(
      EventLoopGroup loops, int descriptor, ListenOptions options) {
    return told(
        accepting(loops, options, () -> new EpollServerSocketChannel(descriptor)).register());
  }

  /** Netty's acceptor is the last of the pipeline by then, and hands over what it couldn't do. */
  private static ChannelFuture told(ChannelFuture listening) {
    return listening.addListener(_ -> listening.channel().pipeline().addLast(new AcceptFailures()));
  }

  /**
   * Says that no connection could be accepted: descriptors have run out. Netty's acceptor rests for
   * a second before it tries again, and what has come waits in the kernel meanwhile.
   */
  private static final class AcceptFailures extends ChannelInboundHandlerAdapter {
    private static final long NOT_AGAIN_FOR = TimeUnit.MINUTES.toNanos(1);

    private boolean told;
    private long toldAt;

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable e) {
      long now = System.nanoTime();
      if (!told || now - toldAt >= NOT_AGAIN_FOR) {
        told = true;
        toldAt = now;
        log.error("accept: {}; trying again every second", SocketErrors.plain(e));
      }
    }
  }

  private static ServerBootstrap accepting(
      EventLoopGroup loops,
      ListenOptions options,
      ChannelFactory<? extends ServerChannel> listeners) {
    return new ServerBootstrap()
        .group(loops)
        .channelFactory(listeners)
        .childOption(ChannelOption.ALLOCATOR, Buffers.ALLOCATOR)
        .childOption(ChannelOption.AUTO_READ, false)
        .childOption(ChannelOption.AUTO_CLOSE, false)
        .childOption(ChannelOption.ALLOW_HALF_CLOSURE, false)
        .childOption(ChannelOption.TCP_NODELAY, true)
        .childOption(ChannelOption.SO_KEEPALIVE, options.keepAlive)
        .childHandler(
            new ChannelInitializer<>() {
              @Override
              protected void initChannel(Channel channel) {
                EarlyBytes early = new EarlyBytes(options.accepted);
                channel.attr(EARLY).set(early);
                channel.pipeline().addLast(early);
              }
            });
  }

  /**
   * @param channel a connected socket with autoRead off and ALLOW_HALF_CLOSURE off, registered on
   *     the loop that is to run the connection
   */
  public SocketCarrier(Channel channel, String remote) {
    this.channel = channel;
    this.remote = remote;
  }

  @Override
  public EventLoop eventLoop() {
    return channel.eventLoop();
  }

  @Override
  public String remote() {
    return remote;
  }

  @Override
  public void start(Listener to) {
    listener = to;
    takeEarlyBytes(to);
    if (!channel.isActive()) {
      // Its options can't be set any more: a server that closes at once.
      end(cause);
      return;
    }
    channel
        .config()
        .setWriteBufferWaterMark(
            new WriteBufferWaterMark(
                TransportLimits.OUT_LOW_WATER, TransportLimits.OUT_HIGH_WATER));
    if (channel instanceof EpollSocketChannel) {
      channel
          .config()
          .setOption(
              EpollChannelOption.TCP_NOTSENT_LOWAT, (long) TransportLimits.NOT_SENT_LOW_WATER);
    }
    channel
        .config()
        .setOption(
            ChannelOption.RECVBUF_ALLOCATOR,
            new ReadInto(
                TransportLimits.READ_BURST,
                () -> true,
                () -> {
                  if (ended) {
                    return Buffers.ALLOCATOR.directBuffer(TransportLimits.DISCARDED_AT_ONCE);
                  }
                  ByteBuf buffer = to.readBuffer();
                  // The slice is the free part; it keeps the buffer alive until it is released.
                  return buffer
                      .retainedSlice(buffer.writerIndex(), buffer.writableBytes())
                      .setIndex(0, 0);
                }));
    channel.pipeline().addLast(this);
    channel.config().setAutoRead(true);
    channel.read();
  }

  /**
   * Keeps what is read before {@link #start}: when the peer closes, epoll reads even with autoRead
   * off, and a server's reason for closing at once must not be lost.
   */
  private static final class EarlyBytes extends ChannelInboundHandlerAdapter {
    private final List<ByteBuf> bytes = new ArrayList<>();
    private final Consumer<Channel> connected;
    private @Nullable Throwable failure;

    EarlyBytes(Consumer<Channel> connected) {
      this.connected = connected;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
      connected.accept(ctx.channel());
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      bytes.add((ByteBuf) message);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable e) {
      failure = e;
      ctx.close();
    }
  }

  private void takeEarlyBytes(Listener to) {
    // Not looked up in the pipeline: that of a closed channel is empty.
    EarlyBytes early = channel.attr(EARLY).getAndSet(null);
    if (early == null) {
      return;
    }
    if (channel.pipeline().context(early) != null) {
      channel.pipeline().remove(early);
    }
    cause = early.failure;
    for (ByteBuf bytes : early.bytes) {
      while (bytes.isReadable()) {
        ByteBuf buffer = to.readBuffer();
        buffer.writeBytes(bytes, Math.min(bytes.readableBytes(), buffer.writableBytes()));
        to.received();
      }
      bytes.release();
    }
    early.bytes.clear();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    ByteBuf slice = (ByteBuf) message;
    int read = slice.readableBytes();
    slice.release();
    Listener to = listener;
    if (!ended && to != null) {
      ByteBuf buffer = to.readBuffer();
      buffer.writerIndex(buffer.writerIndex() + read);
      to.received();
      if (quick && !ended && channel.isOpen() && read < TransportLimits.SMALL_READ) {
        // The kernel forgets it after some packets.
        channel.config().setOption(EpollChannelOption.TCP_QUICKACK, true);
      }
    }
  }

  @Override
  public void acknowledgeAtOnce() {
    quick = channel instanceof EpollSocketChannel;
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    Listener to = listener;
    if (to != null && !ended) {
      to.writabilityChanged();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {

    end(cause);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable e) {

    cause = e;
    channel.close();
  }

  private void end(@Nullable Throwable why) {
    Listener to = listener;
    if (!ended && to != null) {
      ended = true;
      to.inactive(why);
    }
  }

  @Override
  public void write(ByteBuf bytes) {
    channel.write(bytes, channel.voidPromise());
  }

  @Override
  public void flush() {
    channel.flush();
  }

  @Override
  public boolean isWritable() {
    return channel.isWritable();
  }

  @Override
  public long pendingBytes() {
    ChannelOutboundBuffer out = channel.unsafe().outboundBuffer();
    return out == null ? 0 : out.totalPendingWriteBytes();
  }

  @Override
  public void whenReleased(Runnable then) {
    channel.closeFuture().addListener(_ -> then.run());
  }

  @Override
  public void abort() {
    ended = true;
    channel.close();
  }

  /**
   * The direction to the peer ends when all is sent; the rest that comes from it is read and
   * dropped, for a socket that is closed with unread input sends RST, and that would throw away our
   * last words.
   */
  @Override
  public void close() {
    ended = true;
    if (pendingBytes() >= TransportLimits.MAX_UNSENT_BYTES) {
      // It hasn't read for long, and won't read our last words either.
      channel.close();
    } else if (channel.isActive() && channel instanceof DuplexChannel duplex) {
      channel
          .writeAndFlush(Unpooled.EMPTY_BUFFER)
          .addListener(
              sent -> {
                if (sent.isSuccess()) {
                  duplex.shutdownOutput();
                } else {
                  channel.close();
                }
              });
      // A peer that no longer reads, or never closes, must not keep the socket for ever.
      channel
          .eventLoop()
          .schedule(() -> channel.close(), TransportLimits.CLOSE_SECONDS, TimeUnit.SECONDS);
    } else {
      channel.close();
    }
  }
}
