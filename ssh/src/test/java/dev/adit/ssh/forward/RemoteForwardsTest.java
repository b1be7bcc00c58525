package dev.adit.ssh.forward;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.ssh.Forward;
import dev.adit.ssh.ForwardOptions;
import dev.adit.ssh.ForwardSpec;
import dev.adit.ssh.TunnelEvent;
import dev.adit.ssh.connection.Connection;
import dev.adit.ssh.connection.PlayedPeer;
import dev.adit.ssh.wire.ConnectionMessage.ChannelOpen;
import dev.adit.ssh.wire.ConnectionMessage.GlobalRequest;
import dev.adit.ssh.wire.ConnectionMessage.OpenConfirmation;
import dev.adit.ssh.wire.ConnectionMessage.OpenFailure;
import dev.adit.ssh.wire.ConnectionMessage.RequestFailure;
import dev.adit.ssh.wire.ConnectionMessage.RequestSuccess;
import dev.adit.ssh.wire.OpenFailureReason;
import dev.adit.ssh.wire.WireWriter;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.DuplexChannel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketAddress;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a server may do with a remote forwarding, played by hand: real ones behave. */
class RemoteForwardsTest {
  private final EventLoopGroup loops = Sockets.newLoops(1);
  private final PlayedPeer server = new PlayedPeer(loops.next());
  private final Connection connection = server.connection;
  private final Forwarding forwarding = Forwarding.on(connection);
  private ServerSocket target = unbound();

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
    GlobalRequest request = server.next(GlobalRequest.class);
    assertThat(request.name()).isEqualTo("tcpip-forward");
    assertThat(request.wantReply()).isTrue();
    assertThat(request.fields()).isEqualTo(fields("localhost", 0));
    server.receive(
        new RequestSuccess(WireWriter.create().writeUint32(4242).toBytes()),
        open(7, "localhost", 4242));
    assertThat(starting.get().port()).isEqualTo(4242);
    assertThat(server.next(OpenConfirmation.class).recipient()).isEqualTo(7);
  }

  @Test
  void whatWasNotAskedForIsRefused() throws Exception {
    var starting = start("127.0.0.1:9001:127.0.0.1:" + target.getLocalPort());
    assertThat(server.next(GlobalRequest.class).fields()).isEqualTo(fields("127.0.0.1", 9001));
    server.receive(open(1, "127.0.0.1", 9001));
    assertRefused("before the reply");
    server.receive(new RequestSuccess(new byte[0]));
    starting.get();
    // The address counts to the letter, and so does the port.
    server.receive(open(1, "127.0.0.1", 9002));
    assertRefused("another port");
    for (String address : List.of("localhost", "", "0.0.0.0", "127.0.0.1 ", "127.0.0.01")) {
      server.receive(open(1, address, 9001));
      assertRefused(address);
    }
    server.receive(
        new ChannelOpen(
            "forwarded-streamlocal@openssh.com",
            1,
            1 << 20,
            1 << 15,
            WireWriter.create().writeString("127.0.0.1:9001").writeString("").toBytes()));
    assertRefused("a Unix socket");
    server.receive(new ChannelOpen("direct-tcpip", 1, 1 << 20, 1 << 15, open(1, "a", 1).fields()));
    assertThat(server.next(OpenFailure.class).reason())
        .isEqualTo(OpenFailureReason.UNKNOWN_CHANNEL_TYPE);
    assertThat(server.events)
        .anyMatch(e -> e instanceof TunnelEvent.Notice n && n.text().contains("127.0.0.1:9002"));
    assertThat(connection.channelCount()).isZero();
  }

  private void assertRefused(String what) throws InterruptedException {
    assertThat(server.next(OpenFailure.class).reason())
        .as(what)
        .isEqualTo(OpenFailureReason.ADMINISTRATIVELY_PROHIBITED);
  }

  @Test
  void cancelNamesWhatWasAskedForAndEndsIt() throws Exception {
    var starting = start("*:0:127.0.0.1:" + target.getLocalPort());
    assertThat(server.next(GlobalRequest.class).fields()).isEqualTo(fields("", 0));
    server.receive(new RequestSuccess(WireWriter.create().writeUint32(4242).toBytes()));
    Forward forward = starting.get();
    Thread closing = Thread.ofVirtual().start(forward::close);
    GlobalRequest cancel = server.next(GlobalRequest.class);
    assertThat(cancel.name()).isEqualTo("cancel-tcpip-forward");
    assertThat(cancel.fields()).isEqualTo(fields("", 4242));
    assertThat(closing.isAlive()).isTrue();
    server.receive(new RequestSuccess(new byte[0]), open(1, "", 4242));
    closing.join();
    assertRefused("after the cancel");
  }

  @Test
  void serverThatRefusesOrDoesNotSayThePort() throws Exception {
    var refused = start("9001:localhost:1");
    server.next(GlobalRequest.class);
    server.receive(new RequestFailure());
    assertThat(failure(refused)).hasMessage("remote port forwarding failed for listen port 9001");
    var silent = start("0:localhost:1");
    server.next(GlobalRequest.class);
    server.receive(new RequestSuccess(new byte[0]));
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
    server.next(GlobalRequest.class);
    server.receive(new RequestSuccess(new byte[0]), open(3, "localhost", 9001));
    starting.get();
    OpenFailure failure = server.next(OpenFailure.class);
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
                    v6.getLocalPort(),
                    Duration.ofSeconds(10),
                    socket);
              });
      assertThat(connected.get(10, TimeUnit.SECONDS)).isEqualTo(v6.getLocalSocketAddress());
    }
  }

  /** Targets that don't answer: a listener whose queue is full drops what comes. */
  @Test
  void connectsThatAreBeingMadeAreLimited() throws Exception {
    List<SocketChannel> filling = new ArrayList<>();
    try (var full = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      for (int i = 0; i < 4; i++) {
        SocketChannel channel = SocketChannel.open();
        channel.configureBlocking(false);
        channel.connect(full.getLocalSocketAddress());
        filling.add(channel);
      }
      FutureTask<Forward> forward = start("9000:127.0.0.1:" + full.getLocalPort());
      server.next(GlobalRequest.class);
      server.receive(new RequestSuccess(new byte[0]));
      assertThat(forward.get(30, TimeUnit.SECONDS).port()).isEqualTo(9000);
      for (int i = 0; i < 1024; i++) {
        server.receive(open(i, "localhost", 9000));
      }
      server.assertSilent();
      server.receive(open(1024, "localhost", 9000));
      OpenFailure refusal = server.next(OpenFailure.class);
      assertThat(refusal.recipient()).isEqualTo(1024);
      assertThat(refusal.description()).contains("more than 1024 connections are being made");
    } finally {
      for (SocketChannel channel : filling) {
        channel.close();
      }
    }
  }
}
