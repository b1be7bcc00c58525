package dev.adit.interop;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.adit.ssh.Forward;
import dev.adit.ssh.ForwardOptions;
import dev.adit.ssh.ForwardSpec;
import dev.adit.ssh.SshException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** -R through a real sshd, with and without a destination. */
class RemoteForwardTest {
  private static Tunnels tunnels;

  @BeforeAll
  static void connect() throws Exception {
    tunnels = Tunnels.start("GatewayPorts clientspecified", "AllowTcpForwarding yes");
  }

  @AfterAll
  static void disconnect() {
    tunnels.close();
  }

  @Test
  void serverChoosesThePortAndCancelFreesIt() throws Exception {
    try (var target = TestServer.start(TestServer.greet("hello"))) {
      Forward forward = tunnels.remote("localhost:" + target.port());
      int port = forward.port();
      assertThat(port).isPositive();
      assertThat(greeting(new Socket("127.0.0.1", port))).isEqualTo("hello");
      assertThat(greeting(new Socket("::1", port))).isEqualTo("hello");
      forward.close();
      forward.close();
      assertThat(Ports.isFree(port)).isTrue();
    }
  }

  private static String greeting(Socket connected) throws IOException {
    try (Socket socket = connected) {
      return new String(socket.getInputStream().readNBytes(5), US_ASCII);
    }
  }

  @Test
  void bindAddressIsTheServersMatter() throws Exception {
    try (var target = TestServer.start(TestServer.greet("hello"))) {
      for (String address : List.of("127.0.0.2", "[::1]", "*", "", "localhost")) {
        int port = Ports.free();
        var spec = ForwardSpec.parseRemote(address + ":" + port + ":127.0.0.1:" + target.port());
        try (Forward forward = tunnels.forward(spec, ForwardOptions.DEFAULT)) {
          assertThat(forward.port()).isEqualTo(port);
          String at = address.equals("localhost") ? "127.0.0.1" : address;
          boolean everywhere = address.isEmpty() || address.equals("*");
          assertThat(greeting(new Socket(everywhere ? "127.0.0.3" : at, port))).isEqualTo("hello");
        }
        assertThat(Ports.isFree(port)).isTrue();
      }
    }
  }

  @Test
  void portInUseAtTheServerIsARefusal() throws Exception {
    try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      int port = taken.getLocalPort();
      // sshd is content with one family, so both are taken.
      try (var _ = new ServerSocket(port, 1, InetAddress.ofLiteral("::1"))) {
        assertThatThrownBy(
                () -> tunnels.connection.forward(ForwardSpec.parseRemote(port + ":localhost:1")))
            .isInstanceOf(SshException.ForwardRefused.class)
            .hasMessage("remote port forwarding failed for listen port " + port);
      }
    }
  }

  @Test
  void sameForwardTwiceIsRefused() throws Exception {
    int port = Ports.free();
    var spec = ForwardSpec.parseRemote(port + ":localhost:1");
    try (Forward _ = tunnels.connection.forward(spec)) {
      assertThatThrownBy(() -> tunnels.connection.forward(spec))
          .isInstanceOf(SshException.ForwardRefused.class);
    }
    tunnels.connection.forward(spec).close();
  }

  @Test
  void deadTargetAndUnknownHostEndTheConnectionAndAreShown() throws Exception {
    int port = Ports.free();
    try (Forward dead = tunnels.remote("127.0.0.1:" + port);
        Forward unknown = tunnels.remote("no-such-host.invalid:80")) {
      try (var socket = Tunnels.connect(dead.port())) {
        assertThat(endOf(socket)).isTrue();
      }
      tunnels.awaitEvent("connect to 127.0.0.1:" + port + ": Connection refused");
      try (var socket = Tunnels.connect(unknown.port())) {
        assertThat(endOf(socket)).isTrue();
      }
      tunnels.awaitEvent("connect to no-such-host.invalid:80: unknown host");
    }
  }

  private static boolean endOf(Socket socket) {
    try {
      return socket.getInputStream().read() < 0;
    } catch (IOException _) {
      return true;
    }
  }

  @Test
  void halfCloseEitherWay() throws Exception {
    var received = new CompletableFuture<RandomBytes.Received>();
    try (var sink = TestServer.start(TestServer.sink());
        var closed = TestServer.start(TestServer.halfClosed(received::complete));
        Forward toSink = tunnels.remote("127.0.0.1:" + sink.port());
        Forward toClosed = tunnels.remote("127.0.0.1:" + closed.port())) {
      try (var socket = Tunnels.connect(toSink.port())) {
        String sent = RandomBytes.send(socket.getOutputStream(), 1, 5_000_000);
        socket.shutdownOutput();
        assertThat(socket.getInputStream().readAllBytes()).asString(US_ASCII).isEqualTo(sent);
      }
      try (var socket = Tunnels.connect(toClosed.port())) {
        assertThat(socket.getInputStream().read()).isEqualTo(-1);
        String sent = RandomBytes.send(socket.getOutputStream(), 2, 5_000_000);
        socket.shutdownOutput();
        assertThat(received.get()).isEqualTo(new RandomBytes.Received(5_000_000, sent));
      }
    }
  }

  @Test
  void quarterOfAGigabyteGoesEachWay() throws Exception {
    try (var target = TestServer.start(Tunnels.bulk(256L << 20));
        Forward forward = tunnels.remote("127.0.0.1:" + target.port())) {
      Tunnels.exchangeBulk(Tunnels.connect(forward.port()), 256L << 20);
    }
  }

  @Test
  void thousandShortConnections() throws Exception {
    try (var target = TestServer.start(TestServer.greet("hello"));
        Forward forward = tunnels.remote("127.0.0.1:" + target.port())) {
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
      assertThat(target.failures()).isEmpty();
    }
  }

  @Test
  void unixSockets() throws Exception {
    Path there = tunnels.server.scratch().path("there");
    Path here = tunnels.server.scratch().path("here");
    try (var target = TestServer.startOn(here, TestServer.sink());
        Forward forward = tunnels.connection.forward(ForwardSpec.parseRemote(there + ":" + here));
        var socket = SocketChannel.open(UnixDomainSocketAddress.of(there))) {
      assertThat(forward.port()).isZero();
      String sent = RandomBytes.send(Channels.newOutputStream(socket), 3, 1_000_000);
      socket.shutdownOutput();
      assertThat(Channels.newInputStream(socket).readAllBytes()).asString(US_ASCII).isEqualTo(sent);
      assertThat(target.failures()).isEmpty();
    }
    assertThatThrownBy(
            () ->
                tunnels.connection.forward(ForwardSpec.parseRemote("/nowhere/at/all:localhost:1")))
        .hasMessage("remote port forwarding failed for listen path /nowhere/at/all");
  }

  @Test
  void withoutDestinationItIsAProxyOnTheServersSide() throws Exception {
    try (var target = TestServer.start(HttpOrigin.pages());
        Forward forward = tunnels.connection.forward(ForwardSpec.parseRemote("0"))) {
      String url = "http://localhost:" + target.port() + "/page";
      for (String proxy : List.of("socks4", "socks4a", "socks5", "socks5h", "http")) {
        assertThat(Tunnels.curl("-x", proxy + "://127.0.0.1:" + forward.port(), url))
            .isEqualTo("GET /page");
      }
      Program.Running refused =
          Program.of(
                  "curl", "-s", "-x", "socks5h://127.0.0.1:" + forward.port(), "http://x.invalid/")
              .start();
      assertThat(refused.exitCode()).isEqualTo(97);
      tunnels.awaitEvent("connect to x.invalid:80: unknown host");
    }
  }

  @Test
  void permitRemoteOpenSaysWhereTheProxyMayLead() throws Exception {
    try (var target = TestServer.start(HttpOrigin.pages());
        Forward forward =
            tunnels.forward(
                ForwardSpec.parseRemote("0"),
                ForwardOptions.DEFAULT.withPermitRemoteOpen(
                    List.of("localhost:" + target.port(), "[::1]:*")))) {
      String proxy = "http://127.0.0.1:" + forward.port();
      assertThat(Tunnels.curl("-x", proxy, "http://localhost:" + target.port() + "/page"))
          .isEqualTo("GET /page");
      assertThat(Tunnels.curl("-x", proxy, "http://127.0.0.1:" + target.port() + "/page"))
          .contains("not permitted");
      tunnels.awaitEvent("PermitRemoteOpen does not permit it");
    }
  }

  @Test
  void bulkThroughTheRemoteProxy() throws Exception {
    try (var target = TestServer.start(Tunnels.bulk(64L << 20));
        Forward forward = tunnels.connection.forward(ForwardSpec.parseRemote("0"))) {
      Tunnels.exchangeBulk(Tunnels.socks5(forward.port(), target.port()), 64L << 20);
    }
  }
}
