package dev.adit.ssh.forward;

import dev.adit.ssh.SshException;
import dev.adit.ssh.Target;
import dev.adit.ssh.TunnelEvent;
import dev.adit.ssh.connection.Connection;
import dev.adit.ssh.connection.SshChannel;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import java.io.IOException;

/**
 * -D: hears from a local client where it wants to go, then asks the server for a channel there. The
 * client hears of success only when the channel is open, and otherwise what really happened.
 */
final class LocalProxy extends ChannelInboundHandlerAdapter implements ProxyFront.Client {
  private final Connection connection;
  private final DuplexChannel socket;
  private final ProxyFront front;

  private LocalProxy(Connection connection, DuplexChannel socket) {
    this.connection = connection;
    this.socket = socket;
    this.front = new ProxyFront(connection.eventLoop(), this);
  }

  /** Serves a connection that has come. On the event loop. */
  static void accept(Connection connection, DuplexChannel socket) {
    socket.pipeline().addLast(new LocalProxy(connection, socket));
    socket.read();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    ByteBuf data = (ByteBuf) message;
    try {
      front.received(data);
    } finally {
      data.release();
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof ChannelInputShutdownEvent) {
      front.abandon();
      socket.close();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    front.abandon();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (!(cause instanceof IOException)) {
      connection.emit(new TunnelEvent.Notice("dynamic forwarding: " + cause));
    }
    socket.close();
  }

  // ---- ProxyFront.Client ----------------------------------------------------------------------

  @Override
  public void send(byte[] bytes) {
    socket.writeAndFlush(Unpooled.wrappedBuffer(bytes), socket.voidPromise());
  }

  @Override
  public void readMore() {
    socket.read();
  }

  @Override
  public void connect(Target.Tcp target, ByteBuf early) {
    socket.pipeline().remove(this);
    Relay relay =
        new Relay(
            socket,
            new Relay.Greeting() {
              @Override
              public byte[] opened() {
                return front.successReply();
              }

              @Override
              public byte[] refused(SshException.ChannelRefused why) {
                String text = String.valueOf(why.getMessage());
                return front.failureReply(
                    ProxyFront.Failure.of(why.reason(), text), target + ": " + text);
              }
            });
    if (early.isReadable()) {
      relay.readEarly(SshChannel.allocate(early.readableBytes()).writeBytes(early));
    }
    early.release();
    Opens.direct(connection, target, Opens.Originator.of(socket.remoteAddress()), relay);
  }

  @Override
  public void answer(byte[] whole) {
    socket.pipeline().remove(this);
    new Relay(socket).finish(whole);
  }

  @Override
  public void end(byte[] lastWords, String why) {
    connection.emit(new TunnelEvent.ChannelRefused(-1, "dynamic-tcpip", why, false));
    answer(lastWords);
  }
}
