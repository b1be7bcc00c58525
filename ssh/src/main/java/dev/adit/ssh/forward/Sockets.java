package dev.adit.ssh.forward;

import dev.adit.ssh.connection.SshChannel;
import dev.adit.ssh.transport.Buffers;
import dev.adit.ssh.transport.Loopback;
import dev.adit.ssh.transport.ReadInto;
import dev.adit.ssh.transport.Umask;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandler;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.IntegerUnixChannelOption;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.ThreadAwareExecutor;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** How sockets are made here: epoll on Linux, NIO elsewhere. */
public final class Sockets {
  private static final boolean EPOLL = Epoll.isAvailable();

  /**
   * Linux's IPPROTO_IPV6 and IPV6_V6ONLY: each family has a socket of its own, so that one address
   * in use doesn't take the other family along.
   */
  private static final IntegerUnixChannelOption V6_ONLY =
      new IntegerUnixChannelOption("IPV6_V6ONLY", 41, 26);

  private Sockets() {}

  /** Event loops on daemon threads; one runs as many connections as it is given. */
  public static EventLoopGroup newLoops(int threads) {
    return new Loops(threads, new ConcurrentHashMap<>());
  }

  /** A loop that has had a socket already, as if to connect: the next one finds all loaded. */
  public static EventLoopGroup triedLoop() {
    EventLoopGroup loop = newLoops(1);
    connecting(loop.next(), EPOLL ? EpollSocketChannel::new : NioSocketChannel::new)
        .handler(preparing())
        .register()
        .addListener((ChannelFuture done) -> done.channel().close());
    return loop;
  }

  /**
   * Loops whose sockets are closed when they end. Netty 4.2 alone doesn't promise that: a loop that
   * runs tasks when the shutdown begins may end right behind them, before it looks at its sockets.
   */
  private static final class Loops extends MultiThreadIoEventLoopGroup {
    private final Map<ThreadAwareExecutor, IoHandler> handlers;

    Loops(int threads, Map<ThreadAwareExecutor, IoHandler> handlers) {
      super(
          threads,
          new DefaultThreadFactory("adit-loop", true),
          loop -> {
            IoHandler handler =
                EPOLL
                    ? new StaysInEpoll(EpollIoHandler.newFactory().newHandler(loop))
                    : NioIoHandler.newFactory().newHandler(loop);
            handlers.put(loop, handler);
            return handler;
          });
      this.handlers = handlers;
    }

    @Override
    public Future<?> shutdownGracefully(long quietPeriod, long timeout, TimeUnit unit) {
      if (!isShuttingDown()) {
        handlers.forEach((loop, handler) -> loop.execute(handler::prepareToDestroy));
      }
      return super.shutdownGracefully(quietPeriod, timeout, unit);
    }
  }

  /**
   * Connects a socket that reads nothing yet and allows half-closure. The address must be resolved:
   * Netty's own resolver would block the loop.
   */
  public static ChannelFuture connect(EventLoop loop, InetSocketAddress to) {
    return connect(loop, to, ForwardingLimits.CONNECT_PATIENCE);
  }

  static ChannelFuture connect(EventLoop loop, InetSocketAddress to, Duration patience) {
    return connecting(loop, EPOLL ? EpollSocketChannel::new : NioSocketChannel::new)
        .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, Math.toIntExact(patience.toMillis()))
        .option(ChannelOption.TCP_NODELAY, true)
        .handler(preparing(Loopback.unpaced(to)))
        .connect(to);
  }

  /** As {@link #connect}, to a Unix socket. */
  static ChannelFuture connectUnix(EventLoop loop, String path) {
    return connecting(loop, EPOLL ? EpollDomainSocketChannel::new : NioDomainSocketChannel::new)
        .handler(preparing())
        .connect(unixAddress(path));
  }

  private static Bootstrap connecting(EventLoop loop, ChannelFactory<? extends Channel> factory) {
    return new Bootstrap()
        .group(loop)
        .channelFactory(factory)
        .option(ChannelOption.ALLOCATOR, Buffers.ALLOCATOR)
        .option(ChannelOption.AUTO_READ, false)
        .option(ChannelOption.AUTO_CLOSE, false)
        .option(ChannelOption.ALLOW_HALF_CLOSURE, true);
  }

  private static ChannelHandler preparing(ChannelHandler... more) {
    return new ChannelInitializer<>() {
      @Override
      protected void initChannel(Channel channel) {
        prepareReads(channel);
        channel.pipeline().addLast(more);
      }
    };
  }

  /**
   * Listens, and accepts nobody before autoRead is turned on. The connections that come read
   * nothing yet and allow half-closure.
   */
  static ChannelFuture listen(
      EventLoop loop, InetSocketAddress at, Consumer<DuplexChannel> accepted) {
    boolean v6 = at.getAddress() instanceof Inet6Address;
    ServerBootstrap server =
        listening(
                loop,
                EPOLL
                    ? () ->
                        new EpollServerSocketChannel(
                            v6 ? SocketProtocolFamily.INET6 : SocketProtocolFamily.INET)
                    : NioServerSocketChannel::new,
                accepted)
            .option(ChannelOption.SO_REUSEADDR, true)
            .handler(Loopback.unpaced(at))
            .childOption(ChannelOption.TCP_NODELAY, true);
    if (EPOLL && v6) {
      server.option(V6_ONLY, 1);
    }
    return server.bind(at);
  }

  /**
   * As {@link #listen}, on a Unix socket.
   *
   * @param mask permission bits that its file must not have
   */
  static ChannelFuture listenUnix(
      EventLoop loop, String path, int mask, Consumer<DuplexChannel> accepted) {
    Channel server =
        listening(
                loop,
                EPOLL ? EpollServerDomainSocketChannel::new : NioServerDomainSocketChannel::new,
                accepted)
            .register()
            .channel();
    ChannelPromise bound = server.newPromise();
    // Called on the loop, bind() is done when it returns: the mask is there at the right moment.
    loop.execute(() -> Umask.with(mask, () -> server.bind(unixAddress(path), bound)));
    return bound;
  }

  private static SocketAddress unixAddress(String path) {
    return EPOLL ? new DomainSocketAddress(path) : UnixDomainSocketAddress.of(Path.of(path));
  }

  /**
   * When descriptors run out, Netty's acceptor rests for a second before it accepts again; what has
   * come waits in the kernel meanwhile.
   */
  private static ServerBootstrap listening(
      EventLoop loop,
      ChannelFactory<? extends ServerChannel> factory,
      Consumer<DuplexChannel> accepted) {
    return new ServerBootstrap()
        .group(loop)
        .channelFactory(factory)
        .option(ChannelOption.AUTO_READ, false)
        .childOption(ChannelOption.ALLOCATOR, Buffers.ALLOCATOR)
        .childOption(ChannelOption.AUTO_READ, false)
        .childOption(ChannelOption.AUTO_CLOSE, false)
        .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
        .childHandler(accepting(accepted));
  }

  private static ChannelHandler accepting(Consumer<DuplexChannel> accepted) {
    return new ChannelInitializer<Channel>() {
      @Override
      protected void initChannel(Channel channel) {
        prepareReads(channel);
        // Registered, but not yet active: the relay starts when it is.
        channel
            .pipeline()
            .addLast(
                new ChannelInboundHandlerAdapter() {
                  @Override
                  public void channelActive(ChannelHandlerContext ctx) {
                    ctx.pipeline().remove(this);
                    accepted.accept((DuplexChannel) channel);
                  }
                });
      }
    };
  }

  private static void prepareReads(Channel channel) {
    channel
        .config()
        .setRecvByteBufAllocator(
            new ReadInto(
                ForwardingLimits.READ_BURST,
                () -> false,
                () -> SshChannel.allocate(ForwardingLimits.EARLY_READ)));
  }

  /** How a socket that was made here reads: one early buffer at a time, until it is changed. */
  static ReadInto reads(Channel socket) {
    return socket.config().getRecvByteBufAllocator();
  }
}
