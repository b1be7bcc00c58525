package dev.adit.interop;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.adit.ssh.Forward;
import dev.adit.ssh.ForwardOptions;
import dev.adit.ssh.ForwardSpec;
import dev.adit.ssh.Listen;
import dev.adit.ssh.SshException;
import dev.adit.ssh.Target;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** -L through a real sshd. */
class LocalForwardTest {
  private static Tunnels tunnels;

  @BeforeAll
  static void connect() throws Exception {
    tunnels = Tunnels.start("PermitOpen any");
  }

  @AfterAll
  static void disconnect() {
    tunnels.close();
  }

  @Test
  void loopbackIsListenedOnInBothFamilies() throws Exception {
    try (var target = TestServer.start(TestServer.greet("hello"));
        Forward forward = tunnels.local("127.0.0.1:" + target.port())) {
      assertThat(forward.boundAddresses())
          .extracting(a -> a.getAddress().getHostAddress())
          .containsExactly("127.0.0.1", "0:0:0:0:0:0:0:1");
      for (InetSocketAddress address : forward.boundAddresses()) {
        try (var socket = new Socket(address.getAddress(), address.getPort())) {
          assertThat(socket.getInputStream().readNBytes(5)).asString(US_ASCII).isEqualTo("hello");
        }
      }
      assertThat(otherAddressAccepts(forward.port())).isFalse();
    }
  }

  @Test
  void allInterfacesAreListenedOnWhenAskedFor() throws Exception {
    try (var target = TestServer.start(TestServer.greet("hello"))) {
      Target to = new Target.Tcp("127.0.0.1", target.port());
      for (String address : List.of("", "*")) {
        var spec = new ForwardSpec.Local(new Listen.Tcp(address, 0), to);
        try (Forward forward = tunnels.forward(spec, ForwardOptions.DEFAULT)) {
          assertThat(otherAddressAccepts(forward.port())).isTrue();
        }
      }
      var unspecified = new ForwardSpec.Local(new Listen.Tcp(null, 0), to);
      var gateway = ForwardOptions.DEFAULT.withGatewayPorts(true);
      try (Forward forward = tunnels.forward(unspecified, gateway)) {
        assertThat(otherAddressAccepts(forward.port())).isTrue();
        assertThat(forward.boundAddresses())
            .extracting(a -> a.getAddress().getHostAddress())
            .containsExactly("0.0.0.0", "0:0:0:0:0:0:0:0");
      }
      var localhost = new ForwardSpec.Local(new Listen.Tcp("localhost", 0), to);
      try (Forward forward = tunnels.forward(localhost, gateway)) {
        assertThat(otherAddressAccepts(forward.port())).isFalse();
      }
    }
  }

  /** 127.0.0.2 is this machine as well, but not where loopback listeners are. */
  private static boolean otherAddressAccepts(int port) {
    try (var socket = new Socket()) {
      socket.connect(new InetSocketAddress("127.0.0.2", port), 1000);
      return true;
    } catch (IOException _) {
      return false;
    }
  }

  @Test
  void oneAddressIsListenedOnWhenItIsGiven() throws Exception {
    try (var target = TestServer.start(TestServer.greet("hello"))) {
      for (String address : List.of("127.0.0.2", "::1")) {
        var spec =
            new ForwardSpec.Local(
                new Listen.Tcp(address, 0), new Target.Tcp("127.0.0.1", target.port()));
        try (Forward forward = tunnels.forward(spec, ForwardOptions.DEFAULT);
            var socket = new Socket(address, forward.port())) {
          assertThat(forward.boundAddresses()).hasSize(1);
          assertThat(socket.getInputStream().readNBytes(5)).asString(US_ASCII).isEqualTo("hello");
        }
      }
    }
  }

  @Test
  void portInUseIsNamed() throws Exception {
    int port = Ports.free();
    try (var v4 = new ServerSocket(port, 1, InetAddress.ofLiteral("127.0.0.1"));
        var v6 = new ServerSocket(port, 1, InetAddress.ofLiteral("::1"))) {
      assertThatThrownBy(
              () -> tunnels.connection.forward(ForwardSpec.parseLocal(port + ":localhost:1")))
          .isInstanceOf(SshException.ForwardRefused.class)
          .hasMessage("bind [127.0.0.1]:" + port + ": Address already in use");
      v6.close();
      try (Forward forward =
          tunnels.connection.forward(ForwardSpec.parseLocal(port + ":localhost:1"))) {
        assertThat(forward.boundAddresses()).hasSize(1);
        tunnels.awaitEvent("bind [127.0.0.1]:" + port + ": Address already in use");
      }
      assertThat(v4.isClosed()).isFalse();
    }
  }

  @Test
  void closeFreesThePortAndLeavesConnectionsAlone() throws Exception {
    try (var target = TestServer.start(TestServer.echo());
        Forward forward = tunnels.local("127.0.0.1:" + target.port());
        var socket = Tunnels.connect(forward.port())) {
      socket.getOutputStream().write(1);
      assertThat(socket.getInputStream().read()).isEqualTo(1);
      forward.close();
      forward.close();
      new ServerSocket(forward.port(), 1, InetAddress.getLoopbackAddress()).close();
      socket.getOutputStream().write(2);
      assertThat(socket.getInputStream().read()).isEqualTo(2);
    }
  }

  @Test
  void targetIsConnectedWhenSomebodyComesAndNotBefore() throws Exception {
    try (var target = TestServer.start(TestServer.echo());
        Forward forward = tunnels.local("127.0.0.1:" + target.port())) {
      tunnels.connection.forward(ForwardSpec.parseLocal(Ports.free() + ":localhost:1")).close();
      assertThat(target.accepted()).isZero();
      try (var socket = Tunnels.connect(forward.port())) {
        Ports.await("the target's connection", () -> target.accepted() == 1);
        assertThat(socket.isConnected()).isTrue();
      }
    }
  }

  @Test
  void refusedConnectionIsReset() throws Exception {
    try (Forward forward = tunnels.local("127.0.0.1:" + Ports.free());
        var socket = Tunnels.connect(forward.port())) {
      assertThatThrownBy(() -> socket.getInputStream().read())
          .isInstanceOf(SocketException.class)
          .hasMessage("Connection reset");
      tunnels.awaitEvent("connect failed: Connection refused");
    }
  }

  @Test
  void permitOpenRefusalIsShown() throws Exception {
    try (Tunnels strict = Tunnels.start("PermitOpen 127.0.0.1:1");
        Forward forward = strict.local("127.0.0.1:2");
        var socket = Tunnels.connect(forward.port())) {
      assertThatThrownBy(() -> socket.getInputStream().read()).isInstanceOf(SocketException.class);
      strict.awaitEvent("administratively prohibited: open failed");
    }
  }

  @Test
  void halfCloseByTheClientLeavesTheAnswerComing() throws Exception {
    try (var target = TestServer.start(TestServer.sink());
        Forward forward = tunnels.local("127.0.0.1:" + target.port());
        var socket = Tunnels.connect(forward.port())) {
      String sent = RandomBytes.send(socket.getOutputStream(), 3, 5_000_000);
      socket.shutdownOutput();
      assertThat(socket.getInputStream().readAllBytes()).asString(US_ASCII).isEqualTo(sent);
      assertThat(target.failures()).isEmpty();
    }
  }

  @Test
  void halfCloseByTheTargetLeavesTheClientSending() throws Exception {
    var received = new CompletableFuture<RandomBytes.Received>();
    try (var target = TestServer.start(TestServer.halfClosed(received::complete));
        Forward forward = tunnels.local("127.0.0.1:" + target.port());
        var socket = Tunnels.connect(forward.port())) {
      assertThat(socket.getInputStream().read()).isEqualTo(-1);
      String sent = RandomBytes.send(socket.getOutputStream(), 4, 5_000_000);
      socket.shutdownOutput();
      assertThat(received.get()).isEqualTo(new RandomBytes.Received(5_000_000, sent));
    }
  }

  @Test
  void aSlowReaderThatHasEndedItsDirectionGetsItsWholeAnswer() throws Exception {
    var sent = new AtomicLong();
    byte[] piece = new byte[100_000];
    int pieces = 200;
    try (var target = TestServer.start(TestServer.answer(piece, pieces, sent));
        Forward forward = tunnels.local("127.0.0.1:" + target.port());
        var socket = Tunnels.connect(forward.port())) {
      socket.getOutputStream().write('?');
      socket.shutdownOutput();
      // Until the tunnel is full: its last write was to a socket that took no more.
      for (long before = -1; sent.get() == 0 || sent.get() != before; Thread.sleep(300)) {
        before = sent.get();
      }
      assertThat(socket.getInputStream().readAllBytes()).hasSize(pieces * piece.length);
    }
  }

  /** Everything is sent and ended before the server has even been asked for the channel. */
  @Test
  void nothingIsLostOfAClientThatSendsAndEndsAtOnce() throws Exception {
    try (var target = TestServer.start(TestServer.sink());
        Forward forward = tunnels.local("127.0.0.1:" + target.port())) {
      for (int size : new int[] {1, 1000, 30_000, 40_000, 200_000, 3_000_000}) {
        for (int i = 0; i < 20; i++) {
          try (var socket = Tunnels.connect(forward.port())) {
            String sent = RandomBytes.send(socket.getOutputStream(), i, size);
            socket.shutdownOutput();
            assertThat(socket.getInputStream().readAllBytes()).asString(US_ASCII).isEqualTo(sent);
          }
        }
      }
    }
  }

  /**
   * A connection that is reset and a new one at once make sshd answer with two small packets, of
   * which the second waits for our acknowledgement of the first: Linux would take 40 ms for it.
   */
  @Test
  void connectionsBehindAResetDoNotWaitForAnAcknowledgement() throws Exception {
    try (var target = TestServer.start(TestServer.echo());
        Forward forward = tunnels.local("127.0.0.1:" + target.port())) {
      int late = 0;
      for (int i = 0; i < 3000; i++) {
        try (var socket = new Socket("127.0.0.1", forward.port())) {
          socket.setTcpNoDelay(true);
          socket.setSoLinger(true, 0);
          long began = System.nanoTime();
          socket.getOutputStream().write(1);
          assertThat(socket.getInputStream().read()).isOne();
          if (Duration.ofNanos(System.nanoTime() - began).toMillis() >= 30) {
            late++;
          }
        }
      }
      assertThat(late).isLessThan(30);
    }
  }

  @Test
  void resetByTheClientEndsTheTargetsConnection() throws Exception {
    try (var target = TestServer.start(TestServer.echo());
        Forward forward = tunnels.local("127.0.0.1:" + target.port())) {
      var socket = Tunnels.connect(forward.port());
      socket.getOutputStream().write(1);
      assertThat(socket.getInputStream().read()).isEqualTo(1);
      socket.setSoLinger(true, 0);
      socket.close();
      Ports.await("the target's connection to end", () -> target.open() == 0);
    }
  }

  @Test
  void slowReaderGetsAllThatCameBeforeTheTargetClosed() throws Exception {
    try (var target = TestServer.start(TestServer.source(5, 3_000_000));
        Forward forward = tunnels.local("127.0.0.1:" + target.port());
        var socket = Tunnels.connect(forward.port())) {
      Ports.await("the target to be done", () -> target.accepted() == 1 && target.open() == 0);
      socket.shutdownOutput();
      assertThat(RandomBytes.receive(socket.getInputStream()))
          .isEqualTo(new RandomBytes.Received(3_000_000, RandomBytes.digest(5, 3_000_000)));
    }
  }

  @Test
  void stalledNeighbourDoesNotHoldUpOthers() throws Exception {
    try (var stalled = TestServer.start(TestServer.stalled());
        var source = TestServer.start(TestServer.source(6, 64_000_000));
        var echo = TestServer.start(TestServer.echo());
        Forward toStalled = tunnels.local("127.0.0.1:" + stalled.port());
        Forward toSource = tunnels.local("127.0.0.1:" + source.port());
        Forward toEcho = tunnels.local("127.0.0.1:" + echo.port());
        var stuck = SocketChannel.open(forwardAddress(toStalled));
        var notReading = Tunnels.connect(toSource.port())) {
      // As much as goes: the tunnel takes a window and the sockets' buffers, then no more.
      stuck.configureBlocking(false);
      var block = java.nio.ByteBuffer.allocate(1 << 20);
      for (int idle = 0; idle < 20; ) {
        block.clear();
        idle = stuck.write(block) == 0 ? idle + 1 : 0;
        Thread.sleep(10);
      }
      try (var socket = Tunnels.connect(toEcho.port());
          var reading = Tunnels.connect(toSource.port())) {
        assertThat(RandomBytes.receive(reading.getInputStream()).digest())
            .isEqualTo(RandomBytes.digest(6, 64_000_000));
        socket.getOutputStream().write(7);
        assertThat(socket.getInputStream().read()).isEqualTo(7);
      }
      assertThat(RandomBytes.receive(notReading.getInputStream()).digest())
          .isEqualTo(RandomBytes.digest(6, 64_000_000));
    }
  }

  private static InetSocketAddress forwardAddress(Forward forward) {
    return forward.boundAddresses().getFirst();
  }

  @Test
  void quarterOfAGigabyteGoesEachWay() throws Exception {
    try (var target = TestServer.start(Tunnels.bulk(256L << 20));
        Forward forward = tunnels.local("127.0.0.1:" + target.port())) {
      Tunnels.exchangeBulk(Tunnels.connect(forward.port()), 256L << 20);
    }
  }

  @Test
  void thousandShortConnections() throws Exception {
    try (var target = TestServer.start(TestServer.greet("hello"));
        Forward forward = tunnels.local("127.0.0.1:" + target.port())) {
      Tunnels.inParallel(
          20,
          1000,
          i -> {
            try (var socket = Tunnels.connect(forward.port())) {
              socket.getOutputStream().write('!');
              socket.shutdownOutput();
              assertThat(socket.getInputStream().readAllBytes())
                  .asString(US_ASCII)
                  .isEqualTo("hello!");
            }
          });
      assertThat(target.accepted()).isEqualTo(1000);
      assertThat(target.failures()).isEmpty();
    }
  }

  @Test
  void unixSocketsOnBothSides() throws Exception {
    Path here = tunnels.server.scratch().path("here");
    Path there = tunnels.server.scratch().path("there");
    try (var target = TestServer.startOn(there, TestServer.sink())) {
      var spec = ForwardSpec.parseLocal(here + ":" + there);
      try (Forward forward = tunnels.forward(spec, ForwardOptions.DEFAULT);
          var socket = SocketChannel.open(UnixDomainSocketAddress.of(here))) {
        assertThat(forward.port()).isZero();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(here)))
            .isEqualTo("rw-------");
        String sent = RandomBytes.send(Channels.newOutputStream(socket), 10, 3_000_000);
        socket.shutdownOutput();
        assertThat(Channels.newInputStream(socket).readAllBytes())
            .asString(US_ASCII)
            .isEqualTo(sent);
        assertThatThrownBy(() -> tunnels.forward(spec, ForwardOptions.DEFAULT))
            .isInstanceOf(SshException.ForwardRefused.class)
            .hasMessage("bind " + here + ": Address already in use");
      }
      assertThat(here).doesNotExist();

      Files.writeString(here, "precious");
      var unlinking = ForwardOptions.DEFAULT.withStreamLocalBindUnlink(true);
      assertThatThrownBy(() -> tunnels.forward(spec, unlinking))
          .hasMessage("bind " + here + ": there is a file that is not a socket");
      assertThat(here).hasContent("precious");
      Files.delete(here);

      // A leftover of somebody who has died.
      try (var leftover = java.nio.channels.ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
        leftover.bind(UnixDomainSocketAddress.of(here));
      }
      try (Forward forward = tunnels.forward(spec, unlinking.withStreamLocalBindMask(0111));
          var socket = SocketChannel.open(UnixDomainSocketAddress.of(here))) {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(here)))
            .isEqualTo("rw-rw-rw-");
        assertThat(forward.boundAddresses()).isEmpty();
        assertThat(socket.isConnected()).isTrue();
      }
    }
  }

  @Test
  void unixSocketToPortAndPortToUnixSocket() throws Exception {
    Path here = tunnels.server.scratch().path("in");
    Path there = tunnels.server.scratch().path("out");
    try (var tcp = TestServer.start(TestServer.greet("tcp"));
        var unix = TestServer.startOn(there, TestServer.greet("unix"));
        var in =
            tunnels.connection.forward(ForwardSpec.parseLocal(here + ":127.0.0.1:" + tcp.port()));
        var out = tunnels.local(there.toString());
        var fromUnix = SocketChannel.open(UnixDomainSocketAddress.of(here));
        var fromTcp = Tunnels.connect(out.port())) {
      assertThat(in.spec().listen()).isEqualTo(new Listen.Unix(here.toString()));
      assertThat(Channels.newInputStream(fromUnix).readNBytes(3))
          .asString(US_ASCII)
          .isEqualTo("tcp");
      assertThat(fromTcp.getInputStream().readNBytes(4)).asString(US_ASCII).isEqualTo("unix");
      assertThat(unix.failures()).isEmpty();
      tunnels.server.awaitLog("server_request_direct_tcpip: originator  port 0");
    }
  }

  /** A forward through a forward through a forward: each hop is a connection of its own. */
  @Test
  void chainOfNineForwards() throws Exception {
    try (var target = TestServer.start(TestServer.echo())) {
      List<Forward> chain = new ArrayList<>();
      try {
        int port = target.port();
        for (int hop = 0; hop < 9; hop++) {
          chain.add(tunnels.local("localhost:" + port));
          port = chain.getLast().port();
        }
        try (var socket = Tunnels.connect(port)) {
          byte[] bytes = RandomBytes.of(11, 4_000_000);
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      socket.getOutputStream().write(bytes);
                      socket.shutdownOutput();
                    } catch (IOException e) {
                      throw new java.io.UncheckedIOException(e);
                    }
                  });
          assertThat(socket.getInputStream().readAllBytes()).isEqualTo(bytes);
        }
      } finally {
        chain.forEach(Forward::close);
      }
    }
  }

  @Test
  void endOfTheConnectionFreesThePortAndResetsWhatRanThroughIt() throws Exception {
    try (Tunnels other = Tunnels.start();
        var target = TestServer.start(TestServer.echo());
        Forward forward = other.local("127.0.0.1:" + target.port());
        var socket = Tunnels.connect(forward.port())) {
      socket.getOutputStream().write(1);
      assertThat(socket.getInputStream().read()).isEqualTo(1);
      other.connection.close();
      assertThatThrownBy(() -> socket.getInputStream().read()).isInstanceOf(SocketException.class);
      Ports.await("the port to be free", () -> Ports.isFree(forward.port()));
    }
  }
}
