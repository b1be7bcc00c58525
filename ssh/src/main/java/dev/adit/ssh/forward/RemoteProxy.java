package dev.adit.ssh.forward;

import dev.adit.ssh.SshException;
import dev.adit.ssh.Target;
import dev.adit.ssh.TunnelEvent;
import dev.adit.ssh.connection.ChannelHandler;
import dev.adit.ssh.connection.Connection;
import dev.adit.ssh.connection.IncomingOpen;
import dev.adit.ssh.connection.SshChannel;
import dev.adit.ssh.transport.SocketErrors;
import dev.adit.ssh.wire.OpenFailureReason;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.socket.DuplexChannel;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * -R without a destination: hears over a channel where the server's client wants to go, and
 * connects there from here. Until the target is connected the channel's window bounds what waits.
 */
final class RemoteProxy implements ChannelHandler, ProxyFront.Client {
  private final Connection connection;
  private final PermittedTargets permitted;
  private final ProxyFront front;
  private @Nullable SshChannel channel;
  private final Deque<ByteBuf> waiting = new ArrayDeque<>();
  private boolean asked;
  private boolean eof;
  private boolean closed;

  private RemoteProxy(Connection connection, PermittedTargets permitted) {
    this.connection = connection;
    this.permitted = permitted;
    this.front = new ProxyFront(connection.eventLoop(), this);
  }

  static void accept(IncomingOpen open, PermittedTargets permitted, String what) {
    RemoteProxy proxy = new RemoteProxy(open.connection(), permitted);
    proxy.channel = open.accept(proxy, what);
  }

  // ---- ChannelHandler -------------------------------------------------------------------------

  @Override
  public void data(SshChannel from, ByteBuf data) {
    if (asked) {
      waiting.add(data.retain());
    } else {
      int length = data.readableBytes();
      front.received(data);
      from.consumed(length);
    }
  }

  @Override
  public void eof(SshChannel from) {
    eof = true;
    if (!asked) {
      front.abandon();
      from.close();
    }
  }

  @Override
  public void sendable(SshChannel ready) {}

  @Override
  public void closed(SshChannel ended, @Nullable SshException cause) {
    closed = true;
    front.abandon();
    waiting.forEach(ByteBuf::release);
    waiting.clear();
  }

  // ---- ProxyFront.Client ----------------------------------------------------------------------

  @Override
  public void send(byte[] bytes) {
    if (channel != null && bytes.length > 0) {
      channel.write(SshChannel.allocate(bytes.length).writeBytes(bytes));
    }
  }

  @Override
  public void readMore() {}

  @Override
  public void connect(Target.Tcp target, ByteBuf early) {
    asked = true;
    byte[] first = ByteBufUtil.getBytes(early);
    early.release();
    if (!permitted.permits(target)) {
      end(
          front.failureReply(ProxyFront.Failure.NOT_ALLOWED, target + ": not permitted"),
          target + ": PermitRemoteOpen does not permit it");
      return;
    }
    var _ =
        TargetConnector.connect(connection.eventLoop(), target)
            .whenComplete(
                (socket, failure) -> {
                  if (failure == null) {
                    connected(socket, first);
                  } else if (!closed) {
                    String why = SocketErrors.plain(failure);
                    end(
                        front.failureReply(
                            ProxyFront.Failure.of(OpenFailureReason.CONNECT_FAILED, why),
                            target + ": " + why),
                        "connect to " + target + ": " + why);
                  }
                });
  }

  private void connected(DuplexChannel socket, byte[] first) {
    SshChannel over = channel;
    if (closed || over == null) {
      socket.close();
      return;
    }
    send(front.successReply());
    Relay relay = new Relay(socket);
    over.handOver(relay);
    relay.writeFirst(first);
    relay.opened(over);
    for (ByteBuf data; (data = waiting.poll()) != null; ) {
      relay.data(over, data);
      data.release();
    }
    if (eof) {
      relay.eof(over);
    }
  }

  @Override
  public void end(byte[] lastWords, String why) {
    connection.emit(new TunnelEvent.ChannelRefused(-1, "remote dynamic", why, false));
    answer(lastWords);
  }

  @Override
  public void answer(byte[] whole) {
    asked = true;
    send(whole);
    if (channel != null) {
      channel.eof();
      channel.close();
    }
  }
}
