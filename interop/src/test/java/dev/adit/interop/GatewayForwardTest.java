package dev.adit.interop;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.adit.ssh.Decision;
import dev.adit.ssh.ForwardLimits;
import dev.adit.ssh.Listen;
import dev.adit.ssh.ServerEvent;
import dev.adit.ssh.Target;
import dev.adit.ssh.TargetResolver;
import dev.adit.ssh.TunnelEvent;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** OpenSSH's client forwards through adit's server. */
class GatewayForwardTest {
  private static EmbeddedServer server;

  @BeforeAll
  static void start() {
    server = EmbeddedServer.start();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  /** A client that forwards and waits; its forwards are up, all of them. */
  private static Program.Running tunnel(EmbeddedServer through, Object... flags) {
    long remote = Arrays.asList(flags).stream().filter("-R"::equals).count();
    return through
        .ssh(with(flags, "-v", "-N", "-o", "ExitOnForwardFailure=yes"))
        .noStdin()
        .start()
        .awaitStderr("^debug1: Entering interactive session")
        .awaitStderr("(?s)(remote forward success for.*){" + remote + "}");
  }

  private static Program.Running tunnel(Object... flags) {
    return tunnel(server, flags);
  }

  private static Object[] with(Object[] flags, Object... more) {
    List<Object> all = new ArrayList<>(Arrays.asList(flags));
    all.addAll(Arrays.asList(more));
    return all.toArray();
  }

  /** -L on a free port, to a server of ours. */
  private static String local(int port, TestServer target) {
    return port + ":127.0.0.1:" + target.port();
  }

  /** The ports that the server has chosen for {@code -R 0:...}, in the order of the requests. */
  private static List<Integer> allocated(Program.Running ssh, int count) {
    Pattern line = Pattern.compile("^Allocated port (\\d+) for remote forward", Pattern.MULTILINE);
    ssh.awaitStderr("(?s)(Allocated port.*){" + count + "}");
    List<Integer> ports = new ArrayList<>();
    for (Matcher m = line.matcher(ssh.stderr()); m.find(); ) {
      ports.add(Integer.parseInt(m.group(1)));
    }
    return ports;
  }

  private static int allocated(Program.Running ssh) {
    return allocated(ssh, 1).getFirst();
  }

  // ---- -L -------------------------------------------------------------------------------------

  @Test
  void quarterOfAGigabyteEachWayThroughLocalRemoteAndDynamic() throws Exception {
    int port = Ports.free();
    int socks = Ports.free();
    try (var target = TestServer.start(Tunnels.bulk(256L << 20));
        var ssh =
            tunnel("-L", local(port, target), "-R", "0:127.0.0.1:" + target.port(), "-D", socks)) {
      Tunnels.exchangeBulk(Tunnels.connect(port), 256L << 20);
      Tunnels.exchangeBulk(Tunnels.connect(allocated(ssh)), 256L << 20);
      Tunnels.exchangeBulk(Tunnels.socks5(socks, target.port()), 256L << 20);
      assertThat(target.failures()).isEmpty();
    }
  }

  @Test
  void thousandShortConnections() throws Exception {
    int port = Ports.free();
    try (var target = TestServer.start(TestServer.greet("hello"));
        var ssh = tunnel("-L", local(port, target), "-R", "0:127.0.0.1:" + target.port())) {
      for (int to : new int[] {port, allocated(ssh)}) {
        Tunnels.inParallel(
            20,
            1000,
            i -> {
              try (var socket = Tunnels.connect(to)) {
                socket.getOutputStream().write('!');
                socket.shutdownOutput();
                assertThat(socket.getInputStream().readAllBytes())
                    .asString(US_ASCII)
                    .isEqualTo("hello!");
              }
            });
      }
      assertThat(target.accepted()).isEqualTo(2000);
      assertThat(target.failures()).isEmpty();
    }
  }

  @Test
  void halfCloseEitherWay() throws Exception {
    var received = new CompletableFuture<RandomBytes.Received>();
    var receivedBack = new CompletableFuture<RandomBytes.Received>();
    int toSink = Ports.free();
    int toClosed = Ports.free();
    try (var sink = TestServer.start(TestServer.sink());
        var closed = TestServer.start(TestServer.halfClosed(received::complete));
        var closedBack = TestServer.start(TestServer.halfClosed(receivedBack::complete));
        var ssh =
            tunnel(
                "-L",
                local(toSink, sink),
                "-L",
                local(toClosed, closed),
                "-R",
                "0:127.0.0.1:" + sink.port(),
                "-R",
                "0:127.0.0.1:" + closedBack.port())) {
      List<Integer> back = allocated(ssh, 2);
      for (int port : new int[] {toSink, back.get(0)}) {
        try (var socket = Tunnels.connect(port)) {
          String sent = RandomBytes.send(socket.getOutputStream(), 1, 5_000_000);
          socket.shutdownOutput();
          assertThat(socket.getInputStream().readAllBytes()).asString(US_ASCII).isEqualTo(sent);
        }
      }
      for (int port : new int[] {toClosed, back.get(1)}) {
        try (var socket = Tunnels.connect(port)) {
          assertThat(socket.getInputStream().read()).isEqualTo(-1);
          RandomBytes.send(socket.getOutputStream(), 2, 5_000_000);
          socket.shutdownOutput();
        }
      }
      var all = new RandomBytes.Received(5_000_000, RandomBytes.digest(2, 5_000_000));
      assertThat(received.get()).isEqualTo(all);
      assertThat(receivedBack.get()).isEqualTo(all);
      assertThat(sink.failures()).isEmpty();
    }
  }

  @Test
  void resetEndsTheOtherSide() throws Exception {
    int port = Ports.free();
    TestServer.Handler resetting =
        connection -> {
          connection.in().read();
          connection.channel().setOption(java.net.StandardSocketOptions.SO_LINGER, 0);
        };
    try (var echo = TestServer.start(TestServer.echo());
        var reset = TestServer.start(resetting);
        var ssh =
            tunnel(
                "-L", local(port, echo),
                "-R", "0:127.0.0.1:" + echo.port(),
                "-R", "0:127.0.0.1:" + reset.port())) {
      List<Integer> back = allocated(ssh, 2);
      for (int to : new int[] {port, back.get(0)}) {
        var socket = Tunnels.connect(to);
        socket.getOutputStream().write(1);
        assertThat(socket.getInputStream().read()).isEqualTo(1);
        socket.setSoLinger(true, 0);
        socket.close();
        Ports.await("the target's connection to end", () -> echo.open() == 0);
      }
      try (var socket = Tunnels.connect(back.get(1))) {
        socket.setSoTimeout(10_000);
        socket.getOutputStream().write(1);
        assertThat(ended(socket)).isTrue();
      }
    }
  }

  private static boolean ended(Socket socket) {
    try {
      return socket.getInputStream().read() < 0;
    } catch (SocketException _) {
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  @Test
  void stalledNeighbourDoesNotHoldUpOthers() throws Exception {
    int toStalled = Ports.free();
    int toSource = Ports.free();
    int toEcho = Ports.free();
    try (var stalled = TestServer.start(TestServer.stalled());
        var source = TestServer.start(TestServer.source(6, 64_000_000));
        var echo = TestServer.start(TestServer.echo());
        var ssh =
            tunnel(
                "-L", local(toStalled, stalled),
                "-L", local(toSource, source),
                "-L", local(toEcho, echo));
        var stuck = SocketChannel.open(new java.net.InetSocketAddress("127.0.0.1", toStalled));
        var notReading = Tunnels.connect(toSource)) {
      stuck.configureBlocking(false);
      var block = java.nio.ByteBuffer.allocate(1 << 20);
      for (int idle = 0; idle < 20; ) {
        block.clear();
        idle = stuck.write(block) == 0 ? idle + 1 : 0;
        Thread.sleep(10);
      }
      try (var socket = Tunnels.connect(toEcho);
          var reading = Tunnels.connect(toSource)) {
        assertThat(RandomBytes.receive(reading.getInputStream()).digest())
            .isEqualTo(RandomBytes.digest(6, 64_000_000));
        socket.getOutputStream().write(7);
        assertThat(socket.getInputStream().read()).isEqualTo(7);
      }
      assertThat(RandomBytes.receive(notReading.getInputStream()).digest())
          .isEqualTo(RandomBytes.digest(6, 64_000_000));
      assertThat(ssh.isAlive()).isTrue();
    }
  }

  @Test
  void clientIsToldWhyItsTargetCannotBeReached() throws Exception {
    int refused = Ports.free();
    int unknown = Ports.free();
    int unreachable = Ports.free();
    int noSocket = Ports.free();
    try (var ssh =
        tunnel(
            "-L", refused + ":127.0.0.1:" + Ports.free(),
            "-L", unknown + ":no-such-host.invalid:80",
            "-L", unreachable + ":255.255.255.255:80",
            "-L", noSocket + ":/nowhere/at/all")) {
      for (int port : new int[] {refused, unknown, unreachable, noSocket}) {
        try (var socket = Tunnels.connect(port)) {
          assertThat(ended(socket)).isTrue();
        }
      }
      ssh.awaitStderr("open failed: connect failed: Connection refused")
          .awaitStderr("open failed: connect failed: Name or service not known")
          .awaitStderr("open failed: connect failed: No route to host")
          .awaitStderr("open failed: connect failed: No such file or directory");
    }
  }

  @Test
  void policyRefusesTargetsAndAddressesAndSaysWhy() throws Exception {
    InetAddress denied = InetAddress.ofLiteral("127.0.0.2");
    TargetResolver names =
        host ->
            switch (host) {
              case "half" -> List.of(denied, InetAddress.ofLiteral("127.0.0.1"));
              case "whole" -> List.of(denied);
              default -> TargetResolver.SYSTEM.resolve(host);
            };
    var rules =
        new EmbeddedServer.Everything() {
          @Override
          public Decision<Target> connect(Target target) {
            return target.toString().equals("db:5432")
                ? Decision.denied("PermitOpen does not list " + target)
                : Decision.allowed(target);
          }

          @Override
          public Decision<InetAddress> dial(Target.Tcp target, InetAddress address) {
            return address.equals(denied)
                ? Decision.denied(target + " is at " + address.getHostAddress())
                : Decision.allowed(address);
          }
        };
    int db = Ports.free();
    int half = Ports.free();
    int whole = Ports.free();
    try (var strict = EmbeddedServer.start(o -> o.targetResolver(names)).policy(rules);
        var target = TestServer.start(TestServer.greet("allowed"));
        var forbidden = new ServerSocket(target.port(), 10, denied);
        var ssh =
            tunnel(
                strict,
                "-L",
                db + ":db:5432",
                "-L",
                half + ":half:" + target.port(),
                "-L",
                whole + ":whole:" + target.port())) {
      for (int port : new int[] {db, whole}) {
        try (var socket = Tunnels.connect(port)) {
          assertThat(ended(socket)).isTrue();
        }
      }
      try (var socket = Tunnels.connect(half)) {
        assertThat(socket.getInputStream().readNBytes(7)).asString(US_ASCII).isEqualTo("allowed");
      }
      ssh.awaitStderr("open failed: administratively prohibited: PermitOpen does not list db:5432")
          .awaitStderr("open failed: administratively prohibited: whole:\\d+ is at 127.0.0.2");
      forbidden.setSoTimeout(1);
      assertThatThrownBy(forbidden::accept).isInstanceOf(IOException.class);
    }
  }

  @Test
  void hangingNameHoldsUpNobodyElse() throws Exception {
    var hanging = new CompletableFuture<List<InetAddress>>();
    TargetResolver names =
        host -> host.equals("hangs") ? hanging.join() : TargetResolver.SYSTEM.resolve(host);
    int hangs = Ports.free();
    int fine = Ports.free();
    try (var slow =
            EmbeddedServer.start(
                o ->
                    o.targetResolver(names)
                        .forwardLimits(
                            ForwardLimits.DEFAULT.withLookupTimeout(Duration.ofSeconds(1))));
        var target = TestServer.start(TestServer.greet("hello"));
        var ssh = tunnel(slow, "-L", hangs + ":hangs:80", "-L", local(fine, target))) {
      List<Socket> waiting = new ArrayList<>();
      for (int i = 0; i < 7; i++) {
        waiting.add(Tunnels.connect(hangs));
      }
      try (var socket = Tunnels.connect(fine)) {
        assertThat(socket.getInputStream().readNBytes(5)).asString(US_ASCII).isEqualTo("hello");
      }
      for (Socket socket : waiting) {
        assertThat(ended(socket)).isTrue();
        socket.close();
      }
      ssh.awaitStderr("open failed: connect failed: no answer from the resolver within 1 s");
    } finally {
      hanging.complete(List.of());
    }
  }

  /** Its queue of new connections is full, so the system answers no further ones. */
  @Test
  void hangingTargetHoldsUpNobodyElse() throws Exception {
    var limits =
        new ForwardLimits(16_384, 512, 1_000, 256, Duration.ofSeconds(2), Duration.ofSeconds(10));
    int hangs = Ports.free();
    int fine = Ports.free();
    try (var full = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        var first = new Socket(full.getInetAddress(), full.getLocalPort());
        var second = new Socket(full.getInetAddress(), full.getLocalPort());
        var slow = EmbeddedServer.start(o -> o.forwardLimits(limits));
        var target = TestServer.start(TestServer.greet("hello"));
        var ssh =
            tunnel(
                slow,
                "-L",
                hangs + ":127.0.0.1:" + full.getLocalPort(),
                "-L",
                local(fine, target));
        Socket waiting = Tunnels.connect(hangs)) {
      assertThat(first.isConnected() && second.isConnected()).isTrue();
      for (int i = 0; i < 20; i++) {
        try (var socket = Tunnels.connect(fine)) {
          assertThat(socket.getInputStream().readNBytes(5)).asString(US_ASCII).isEqualTo("hello");
        }
      }
      assertThat(ssh.stderr()).doesNotContain("open failed");
      assertThat(ended(waiting)).isTrue();
      ssh.awaitStderr("open failed: connect failed: .*timed out");
    }
  }

  // ---- -W, -J, -D -----------------------------------------------------------------------------

  @Test
  void standardInputAndOutput() throws Exception {
    Path input = server.scratch().path("input");
    Files.write(input, RandomBytes.of(1, 3_000_000));
    try (var target = TestServer.start(TestServer.sink());
        var ssh = server.ssh("-W", "127.0.0.1:" + target.port()).stdin(input).start()) {
      assertThat(ssh.exitCode()).as(ssh.stderr()).isZero();
      assertThat(ssh.stdout()).isEqualTo(RandomBytes.digest(1, 3_000_000));
    }
  }

  @Test
  void jumpThroughItToARealServer() throws Exception {
    try (var beyond = OpenSshServer.start(List.of(Keys.Type.ED25519))) {
      Path config =
          server
              .scratch()
              .write(
                  "jump_config",
                  """
                  Host gateway
                    HostName 127.0.0.1
                    Port %d
                    User %s
                  Host beyond
                    HostName 127.0.0.1
                    Port %d
                    User %s
                    ProxyJump gateway
                  Host *
                    IdentityFile %s
                    IdentitiesOnly yes
                    IdentityAgent none
                    StrictHostKeyChecking no
                    UserKnownHostsFile /dev/null
                  """
                      .formatted(
                          server.port(),
                          EmbeddedServer.USER,
                          beyond.port(),
                          beyond.user(),
                          beyond.userKey()));
      try (var ssh =
          Program.of(Judges.require("ssh"), "-F", config, "beyond", "echo through; exit 7")
              .noStdin()
              .start()) {
        assertThat(ssh.exitCode()).as(ssh.stderr()).isEqualTo(7);
        assertThat(ssh.stdout()).isEqualTo("through\n");
      }
    }
  }

  @Test
  void proxyOfTheClient() throws Exception {
    int socks = Ports.free();
    try (var site = TestServer.start(HttpOrigin.pages());
        var ssh = tunnel("-D", socks)) {
      String url = "http://localhost:" + site.port() + "/page";
      for (String proxy : List.of("socks4", "socks4a", "socks5", "socks5h")) {
        assertThat(Tunnels.curl("-x", proxy + "://127.0.0.1:" + socks, url)).isEqualTo("GET /page");
      }
      assertThat(ssh.isAlive()).isTrue();
    }
  }

  // ---- -R -------------------------------------------------------------------------------------

  @Test
  void bindAddressesAreOpenSshsOwn() throws Exception {
    try (var target = TestServer.start(TestServer.greet("hello"))) {
      for (String address : List.of("127.0.0.2", "[::1]", "*", "", "localhost", "0.0.0.0")) {
        int port = Ports.free();
        try (var ssh = tunnel("-R", address + ":" + port + ":127.0.0.1:" + target.port())) {
          String at =
              switch (address) {
                case "*", "", "0.0.0.0" -> "127.0.0.3";
                case "localhost" -> "::1";
                default -> address;
              };
          try (var socket = new Socket(at, port)) {
            assertThat(socket.getInputStream().readNBytes(5)).asString(US_ASCII).isEqualTo("hello");
          }
          assertThat(ssh.isAlive()).isTrue();
        }
      }
    }
  }

  @Test
  void cancelOfAMasterFreesThePortAndNoOther() throws Exception {
    Path control = server.scratch().path("control");
    int port = Ports.free();
    try (var target = TestServer.start(TestServer.greet("hello"));
        var master =
            server
                .ssh("-v", "-M", "-S", control, "-N", "-R", port + ":127.0.0.1:" + target.port())
                .noStdin()
                .start()
                .awaitStderr("remote forward success for: listen " + port);
        var other = tunnel("-R", "0:127.0.0.1:" + target.port())) {
      Ports.awaitAccepting(port);
      String forward = port + ":127.0.0.1:" + target.port();
      control(control, "cancel", "-R", forward);
      Ports.await("the port to be free", () -> Ports.isFree(port));
      control(control, "forward", "-R", forward);
      Ports.awaitAccepting(port);
      String chosen = control(control, "forward", "-R", "0:127.0.0.1:" + target.port()).strip();
      assertThat(Ports.accepts(Integer.parseInt(chosen))).isTrue();
      control(control, "cancel", "-R", "0:127.0.0.1:" + target.port());
      Ports.await("the port to be free", () -> Ports.isFree(Integer.parseInt(chosen)));
      assertThat(Ports.accepts(allocated(other))).isTrue();
      assertThat(master.isAlive()).isTrue();
    }
  }

  private static String control(Path socket, String command, Object... flags) {
    return Program.of(Judges.require("ssh"), "-F", "none", "-S", socket, "-O", command)
        .arguments(flags)
        .arguments("127.0.0.1")
        .run();
  }

  @Test
  void portInUseAndPolicyAreRefusals() throws Exception {
    var rules =
        new EmbeddedServer.Everything() {
          @Override
          public Decision<Listen> listen(Listen asked) {
            return asked instanceof Listen.Tcp tcp && tcp.port() == 9001
                ? Decision.denied("PermitListen does not list 9001")
                : Decision.allowed(asked);
          }
        };
    try (var strict = EmbeddedServer.start().policy(rules);
        var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        var _ = new ServerSocket(taken.getLocalPort(), 1, InetAddress.ofLiteral("::1"))) {
      for (int port : new int[] {taken.getLocalPort(), 9001, 1023}) {
        try (var ssh =
            strict
                .ssh("-v", "-N", "-o", "ExitOnForwardFailure=yes", "-R", port + ":localhost:1")
                .noStdin()
                .start()) {
          assertThat(ssh.exitCode()).isEqualTo(255);
          assertThat(ssh.stderr())
              .contains("remote port forwarding failed for listen port " + port)
              .contains(
                  port == 9001
                      ? "Remote: remote forwarding of localhost:9001 refused: PermitListen does not"
                      : port == 1023
                          ? "port 1023 is below 1024, where only root may listen"
                          : "Address already in use");
        }
      }
    }
  }

  @Test
  void unixSocketsBothWays() throws Exception {
    Path here = server.scratch().path("here");
    Path there = server.scratch().path("there");
    Path target = server.scratch().path("target");
    try (var sink = TestServer.startOn(target, TestServer.sink());
        var ssh = tunnel("-L", here + ":" + target, "-R", there + ":" + target)) {
      for (Path path : List.of(here, there)) {
        try (var socket = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
          String sent = RandomBytes.send(Channels.newOutputStream(socket), 3, 1_000_000);
          socket.shutdownOutput();
          assertThat(Channels.newInputStream(socket).readAllBytes())
              .asString(US_ASCII)
              .isEqualTo(sent);
        }
      }
      assertThat(sink.failures()).isEmpty();
      assertThat(ssh.isAlive()).isTrue();
    }
    Ports.await("the socket to go with the client", () -> !Files.exists(there));
  }

  @Test
  void ipv6Targets() throws Exception {
    int port = Ports.free();
    try (var target = TestServer.startOn(InetAddress.ofLiteral("::1"), TestServer.greet("hello"));
        var ssh = tunnel("-L", "[::1]:%d:[::1]:%d".formatted(port, target.port()));
        var socket = new Socket("::1", port)) {
      assertThat(socket.getInputStream().readNBytes(5)).asString(US_ASCII).isEqualTo("hello");
      assertThat(ssh.isAlive()).isTrue();
    }
  }

  // ---- Ends -----------------------------------------------------------------------------------

  @Test
  void portIsFreeAtOnceWhenTheClientIsKilled() throws Exception {
    try (var target = TestServer.start(TestServer.echo());
        var ssh = tunnel("-R", "0:127.0.0.1:" + target.port())) {
      int port = allocated(ssh);
      try (var through = Tunnels.connect(port)) {
        through.getOutputStream().write(1);
        assertThat(through.getInputStream().read()).isEqualTo(1);
        ssh.signal("KILL");
        assertThatThrownBy(() -> through.getInputStream().read())
            .isInstanceOf(SocketException.class);
      }
      Ports.await("the port to be free", () -> Ports.isFree(port));
    }
  }

  @Test
  void clientThatComesBackTakesThePortOverFromItsFrozenSelf() throws Exception {
    try (var target = TestServer.start(TestServer.greet("hello"));
        var frozen = tunnel("-R", "0:127.0.0.1:" + target.port())) {
      int port = allocated(frozen);
      String forward = port + ":127.0.0.1:" + target.port();
      // While it answers, nobody takes the port from it.
      try (var rival =
          server
              .ssh("-v", "-N", "-o", "ExitOnForwardFailure=yes", "-R", forward)
              .noStdin()
              .start()) {
        assertThat(rival.exitCode()).isEqualTo(255);
        assertThat(rival.stderr())
            .contains("remote port forwarding failed for listen port " + port)
            .contains("another connection of the same user and key listens there, and it answers");
      }
      assertThat(frozen.isAlive()).isTrue();
      frozen.signal("STOP");
      try (var back =
          server
              .ssh("-v", "-N", "-o", "ExitOnForwardFailure=yes", "-R", forward)
              .noStdin()
              .start()
              .awaitStderr("remote forward success for: listen " + port)) {
        try (var socket = Tunnels.connect(port)) {
          assertThat(socket.getInputStream().readNBytes(5)).asString(US_ASCII).isEqualTo("hello");
        }
        frozen.signal("CONT");
        assertThat(frozen.exitCode()).isEqualTo(255);
        assertThat(back.isAlive()).isTrue();
      }
    }
  }

  @Test
  void eventsTellWhoWentWhereAndHowMuch() throws Exception {
    int port = Ports.free();
    try (var own = EmbeddedServer.start();
        var target = TestServer.start(TestServer.greet("hello"));
        var ssh = tunnel(own, "-L", local(port, target), "-R", "0:127.0.0.1:" + target.port())) {
      int remote = allocated(ssh);
      for (int to : new int[] {port, remote}) {
        try (var socket = Tunnels.connect(to)) {
          socket.getOutputStream().write("1234567".getBytes(US_ASCII));
          socket.shutdownOutput();
          assertThat(socket.getInputStream().readAllBytes())
              .asString(US_ASCII)
              .isEqualTo("hello1234567");
        }
      }
      Ports.await("two ends in " + own.events(), () -> closed(own).size() == 2);
      assertThat(closed(own).get(0))
          .satisfies(e -> assertThat(e.type()).isEqualTo("direct-tcpip"))
          .satisfies(e -> assertThat(e.sent()).isEqualTo(12))
          .satisfies(e -> assertThat(e.received()).isEqualTo(7));
      assertThat(closed(own).get(1))
          .satisfies(e -> assertThat(e.type()).isEqualTo("forwarded-tcpip"))
          .satisfies(e -> assertThat(e.sent()).isEqualTo(7))
          .satisfies(e -> assertThat(e.received()).isEqualTo(12));
      assertThat(own.events())
          .anySatisfy(
              e ->
                  assertThat(e.toString())
                      .contains("ChannelOpening", "127.0.0.1:" + target.port() + " for 127.0.0.1:"))
          .anySatisfy(
              e -> assertThat(e.toString()).contains("ForwardListening", "[127.0.0.1]:" + remote));
      ssh.close();
      Ports.await(
          "the listener's end",
          () -> own.events().stream().anyMatch(e -> e.toString().contains("ForwardClosed")));
    }
  }

  private static List<TunnelEvent.ChannelClosed> closed(EmbeddedServer of) {
    return of.events(ServerEvent.Tunnel.class).stream()
        .map(ServerEvent.Tunnel::event)
        .filter(TunnelEvent.ChannelClosed.class::isInstance)
        .map(TunnelEvent.ChannelClosed.class::cast)
        .toList();
  }
}
