package dev.adit.ssh.forward;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.ssh.Forward;
import dev.adit.ssh.ForwardOptions;
import dev.adit.ssh.ForwardSpec;
import dev.adit.ssh.SshException;
import dev.adit.ssh.TunnelEvent;
import dev.adit.ssh.connection.Connection;
import dev.adit.ssh.transport.PacketSink;
import dev.adit.ssh.wire.ConnectionMessage.ChannelOpen;
import dev.adit.ssh.wire.ConnectionMessage.GlobalRequest;
import dev.adit.ssh.wire.ConnectionMessage.OpenConfirmation;
import dev.adit.ssh.wire.ConnectionMessage.OpenFailure;
import dev.adit.ssh.wire.ConnectionMessage.RequestFailure;
import dev.adit.ssh.wire.ConnectionMessage.RequestSuccess;
import dev.adit.ssh.wire.Message;
import dev.adit.ssh.wire.OpenFailureReason;
import dev.adit.ssh.wire.WireWriter;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.DuplexChannel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketAddress;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a server may do with a remote forwarding, played by hand: real ones behave. */
class RemoteForwardsTest {
  private final EventLoopGroup loops = Sockets.newLoops(1);
  private final BlockingQueue<Message> sent = new LinkedBlockingQueue<>();
  private final List<TunnelEvent> events = new CopyOnWriteArrayList<>();
  private final Connection connection = new Connection(new Sink(loops.next()), events::add);
  private final Forwarding forwarding = Forwarding.on(connection);
  private ServerSocket target = unbound();

  private final class Sink implements PacketSink {
    private final EventLoop loop;

    Sink(EventLoop loop) {
      this.loop = loop;
    }

    @Override
    public EventLoop eventLoop() {
      return loop;
    }

    @Override
    public void send(Message message) {
      sent.add(message);
    }

    @Override
    public void sendInPlace(ByteBuf payload) {
      payload.release();
    }

    @Override
    public boolean dataAllowed() {
      return true;
    }

    @Override
    public void fail(SshException cause) {
      throw new AssertionError(cause);
    }
  }

  private static ServerSocket unbound() {
    try {
      return new ServerSocket();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @BeforeEach
  void listen() throws Exception {
    target = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
  }

  @AfterEach
  void end() throws Exception {
    target.close();
    loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
  }

  /** All in one turn of the loop, as when they come in one packet of the network. */
  private void receive(Message... messages) throws Exception {
    Callable<Boolean> decode =
        () -> {
          for (Message message : messages) {
            byte[] bytes = message.toBytes();
            connection.packet(bytes[0], Unpooled.wrappedBuffer(bytes), 0, bytes.length);
          }
          return true;
        };
    assertThat(connection.eventLoop().submit(decode).get()).isTrue();
  }

  private <T extends Message> T nextSent(Class<T> type) throws InterruptedException {
    return type.cast(sent.poll(10, TimeUnit.SECONDS));
  }

  private static ChannelOpen open(int id, String address, int port) {
    return new ChannelOpen(
        "forwarded-tcpip",
        id,
        1 << 20,
        1 << 15,
        WireWriter.create()
            .writeString(address)
            .writeUint32(port)
            .writeString("192.0.2.1")
            .writeUint32(1234)
            .toBytes());
  }

  private FutureTask<Forward> start(String spec) {
    var task =
        new FutureTask<>(
            () -> forwarding.start(ForwardSpec.parseRemote(spec), ForwardOptions.DEFAULT));
    Thread.ofVirtual().start(task);
    return task;
  }

  private static byte[] fields(String address, int port) {
    return WireWriter.create().writeString(address).writeUint32(port).toBytes();
  }

  @Test
  void channelRightBehindTheReplyIsKnown() throws Exception {
    var starting = start("0:127.0.0.1:" + target.getLocalPort());
    GlobalRequest request = nextSent(GlobalRequest.class);
    assertThat(request.name()).isEqualTo("tcpip-forward");
    assertThat(request.wantReply()).isTrue();
    assertThat(request.fields()).isEqualTo(fields("localhost", 0));
    receive(
        new RequestSuccess(WireWriter.create().writeUint32(4242).toBytes()),
        open(7, "localhost", 4242));
    assertThat(starting.get().port()).isEqualTo(4242);
    assertThat(nextSent(OpenConfirmation.class).recipient()).isEqualTo(7);
  }

  @Test
  void whatWasNotAskedForIsRefused() throws Exception {
    var starting = start("127.0.0.1:9001:127.0.0.1:" + target.getLocalPort());
    assertThat(nextSent(GlobalRequest.class).fields()).isEqualTo(fields("127.0.0.1", 9001));
    receive(open(1, "127.0.0.1", 9001));
    assertRefused("before the reply");
    receive(new RequestSuccess(new byte[0]));
    starting.get();
    // The address counts to the letter, and so does the port.
    receive(open(1, "127.0.0.1", 9002));
    assertRefused("another port");
    for (String address : List.of("localhost", "", "0.0.0.0", "127.0.0.1 ", "127.0.0.01")) {
      receive(open(1, address, 9001));
      assertRefused(address);
    }
    receive(
        new ChannelOpen(
            "forwarded-streamlocal@openssh.com",
            1,
            1 << 20,
            1 << 15,
            WireWriter.create().writeString("127.0.0.1:9001").writeString("").toBytes()));
    assertRefused("a Unix socket");
    receive(new ChannelOpen("direct-tcpip", 1, 1 << 20, 1 << 15, open(1, "a", 1).fields()));
    assertThat(nextSent(OpenFailure.class).reason())
        .isEqualTo(OpenFailureReason.UNKNOWN_CHANNEL_TYPE);
    assertThat(events)
        .anyMatch(e -> e instanceof TunnelEvent.Notice n && n.text().contains("127.0.0.1:9002"));
    assertThat(connection.channelCount()).isZero();
  }

  private void assertRefused(String what) throws InterruptedException {
    assertThat(nextSent(OpenFailure.class).reason())
        .as(what)
        .isEqualTo(OpenFailureReason.ADMINISTRATIVELY_PROHIBITED);
  }

  @Test
  void cancelNamesWhatWasAskedForAndEndsIt() throws Exception {
    var starting = start("*:0:127.0.0.1:" + target.getLocalPort());
    assertThat(nextSent(GlobalRequest.class).fields()).isEqualTo(fields("", 0));
    receive(new RequestSuccess(WireWriter.create().writeUint32(4242).toBytes()));
    Forward forward = starting.get();
    Thread closing = Thread.ofVirtual().start(forward::close);
    GlobalRequest cancel = nextSent(GlobalRequest.class);
    assertThat(cancel.name()).isEqualTo("cancel-tcpip-forward");
    assertThat(cancel.fields()).isEqualTo(fields("", 4242));
    assertThat(closing.isAlive()).isTrue();
    receive(new RequestSuccess(new byte[0]), open(1, "", 4242));
    closing.join();
    assertRefused("after the cancel");
  }

  @Test
  void serverThatRefusesOrDoesNotSayThePort() throws Exception {
    var refused = start("9001:localhost:1");
    nextSent(GlobalRequest.class);
    receive(new RequestFailure());
    assertThat(failure(refused)).hasMessage("remote port forwarding failed for listen port 9001");
    var silent = start("0:localhost:1");
    nextSent(GlobalRequest.class);
    receive(new RequestSuccess(new byte[0]));
    assertThat(failure(silent)).hasMessageContaining("does not say which port");
  }

  private static Throwable failure(FutureTask<Forward> task) throws InterruptedException {
    try {
      task.get();
      throw new AssertionError("it was not refused");
    } catch (ExecutionException e) {
      return Objects.requireNonNull(e.getCause());
    }
  }

  @Test
  void unreachableTargetIsSaidToTheServer() throws Exception {
    int dead = target.getLocalPort();
    target.close();
    var starting = start("9001:127.0.0.1:" + dead);
    nextSent(GlobalRequest.class);
    receive(new RequestSuccess(new byte[0]), open(3, "localhost", 9001));
    starting.get();
    OpenFailure failure = nextSent(OpenFailure.class);
    assertThat(failure.reason()).isEqualTo(OpenFailureReason.CONNECT_FAILED);
    assertThat(failure.description()).isEqualTo("Connection refused");
  }

  @Test
  void nextAddressIsTriedWhenOneRefuses() throws Exception {
    target.close();
    try (var v6 = new ServerSocket(0, 10, InetAddress.ofLiteral("::1"))) {
      var connected = new CompletableFuture<SocketAddress>();
      connection
          .eventLoop()
          .execute(
              () -> {
                var socket = new CompletableFuture<DuplexChannel>();
                var _ =
                    socket.thenAccept(
                        s -> {
                          connected.complete(s.remoteAddress());
                          s.close();
                        });
                TargetConnector.connectOneOf(
                    connection.eventLoop(),
                    List.of(InetAddress.ofLiteral("127.0.0.1"), InetAddress.ofLiteral("::1")),
                    0,
                    v6.getLocalPort(),
                    socket);
              });
      assertThat(connected.get(10, TimeUnit.SECONDS)).isEqualTo(v6.getLocalSocketAddress());
    }
  }
}
