package dev.adit.ssh.forward;

import dev.adit.ssh.transport.Buffers;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetSocketAddress;
import java.util.function.Consumer;

/** How sockets are made here: epoll on Linux, NIO elsewhere. */
public final class Sockets {
  private static final boolean EPOLL = Epoll.isAvailable();

  private Sockets() {}

  /** Event loops on daemon threads; one runs as many connections as it is given. */
  public static EventLoopGroup newLoops(int threads) {
    IoHandlerFactory io = EPOLL ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
    return new MultiThreadIoEventLoopGroup(
        threads, new DefaultThreadFactory("adit-loop", true), io);
  }

  /**
   * Connects a socket that reads nothing yet and allows half-closure. The address must be resolved:
   * Netty's own resolver would block the loop.
   */
  public static ChannelFuture connect(EventLoop loop, InetSocketAddress to) {
    return new Bootstrap()
        .group(loop)
        .channel(EPOLL ? EpollSocketChannel.class : NioSocketChannel.class)
        .option(ChannelOption.ALLOCATOR, Buffers.ALLOCATOR)
        .option(ChannelOption.AUTO_READ, false)
        .option(ChannelOption.AUTO_CLOSE, false)
        .option(ChannelOption.ALLOW_HALF_CLOSURE, true)
        .option(ChannelOption.TCP_NODELAY, true)
        .handler(new ChannelInboundHandlerAdapter())
        .connect(to);
  }

  /** Listens; the connections that come read nothing yet and allow half-closure. */
  public static ChannelFuture listen(
      EventLoop loop, InetSocketAddress at, Consumer<DuplexChannel> accepted) {
    return new ServerBootstrap()
        .group(loop)
        .channel(EPOLL ? EpollServerSocketChannel.class : NioServerSocketChannel.class)
        .option(ChannelOption.SO_REUSEADDR, true)
        .childOption(ChannelOption.ALLOCATOR, Buffers.ALLOCATOR)
        .childOption(ChannelOption.AUTO_READ, false)
        .childOption(ChannelOption.AUTO_CLOSE, false)
        .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
        .childOption(ChannelOption.TCP_NODELAY, true)
        .childHandler(accepting(accepted))
        .bind(at);
  }

  private static ChannelHandler accepting(Consumer<DuplexChannel> accepted) {
    return new ChannelInitializer<Channel>() {
      @Override
      protected void initChannel(Channel channel) {
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
}
