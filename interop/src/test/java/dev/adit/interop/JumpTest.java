package dev.adit.interop;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.adit.ssh.Forward;
import dev.adit.ssh.ForwardSpec;
import dev.adit.ssh.SshConnection;
import dev.adit.ssh.SshException;
import dev.adit.ssh.SshStream;
import dev.adit.ssh.Target;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Connections through connections (-J), through commands (ProxyCommand), and streams (-W). */
class JumpTest {
  private static Tunnels tunnels;

  @BeforeAll
  static void connect() throws Exception {
    tunnels = Tunnels.start();
  }

  @AfterAll
  static void disconnect() {
    tunnels.close();
  }

  @Test
  void throughTwoHops() throws Exception {
    try (OpenSshServer second = OpenSshServer.start(List.of(Keys.Type.ED25519));
        OpenSshServer third = OpenSshServer.start(List.of(Keys.Type.ED25519));
        SshConnection two =
            tunnels.client.connect(Tunnels.options(second).via(tunnels.connection).build());
        SshConnection three = tunnels.client.connect(Tunnels.options(third).via(two).build());
        var target = TestServer.start(Tunnels.bulk(64L << 20));
        Forward forward =
            three.forward(ForwardSpec.parseLocal(Ports.free() + ":127.0.0.1:" + target.port()))) {
      Tunnels.exchangeBulk(Tunnels.connect(forward.port()), 64L << 20);
      third.awaitLog("Accepted publickey");
    }
  }

  /** Nine connections, each inside the one before; rekeyed on the way. */
  @Test
  void throughNineHops() throws Exception {
    SshConnection[] hops = new SshConnection[9];
    try (var target = TestServer.start(TestServer.sink())) {
      SshConnection via = tunnels.connection;
      for (int i = 0; i < hops.length; i++) {
        via =
            tunnels.client.connect(
                Tunnels.options(tunnels.server)
                    .via(via)
                    .rekeyLimit(1 << 20, Duration.ZERO)
                    .build());
        hops[i] = via;
      }
      try (SshStream stream = via.openStream(new Target.Tcp("127.0.0.1", target.port()))) {
        String sent = RandomBytes.send(stream.output(), 1, 4_000_000);
        stream.output().close();
        assertThat(stream.input().readAllBytes()).asString(US_ASCII).isEqualTo(sent);
      }
    } finally {
      for (int i = hops.length - 1; i >= 0; i--) {
        if (hops[i] != null) {
          hops[i].close();
        }
      }
    }
  }

  @Test
  void hopThatCannotConnectIsNamed() {
    int dead = Ports.free();
    assertThatThrownBy(
            () ->
                tunnels.client.connect(
                    Tunnels.options(tunnels.server).port(dead).via(tunnels.connection).build()))
        .isInstanceOf(SshException.Disconnected.class)
        .hasMessage(
            "connect to host 127.0.0.1 port %d through 127.0.0.1: connect failed: Connection refused"
                .formatted(dead));
  }

  @Test
  void endOfTheOuterConnectionEndsTheInner() throws Exception {
    try (Tunnels outer = Tunnels.start()) {
      SshConnection inner =
          outer.client.connect(Tunnels.options(tunnels.server).via(outer.connection).build());
      outer.connection.close();
      assertThat(inner.closed().get()).hasMessageContaining("disconnected by user");
    }
  }

  @Test
  void proxyCommandCarriesTheConnection() throws Exception {
    Path nc = Judges.require("nc");
    try (SshConnection connection =
            tunnels.client.connect(
                Tunnels.options(tunnels.server)
                    .proxyCommand(
                        List.of(
                            "/bin/sh", "-c", "exec " + nc + " 127.0.0.1 " + tunnels.server.port()))
                    .build());
        var target = TestServer.start(Tunnels.bulk(64L << 20));
        Forward forward =
            connection.forward(
                ForwardSpec.parseLocal(Ports.free() + ":127.0.0.1:" + target.port()))) {
      ProcessHandle process = child("nc");
      Tunnels.exchangeBulk(Tunnels.connect(forward.port()), 64L << 20);
      connection.close();
      Ports.await("the proxy command to end", () -> !process.isAlive());
    }
  }

  private static ProcessHandle child(String name) {
    return ProcessHandle.current()
        .children()
        .filter(p -> p.info().command().orElse("").contains(name))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void proxyCommandThatEndsIsNamed() {
    assertThatThrownBy(
            () ->
                tunnels.client.connect(
                    Tunnels.options(tunnels.server)
                        .proxyCommand(List.of("/bin/sh", "-c", "exit 3"))
                        .build()))
        .isInstanceOf(SshException.Disconnected.class)
        .hasMessageContaining("closed by the proxy command 'exit 3'")
        .hasMessageContaining("exit status 3");
    assertThatThrownBy(
            () ->
                tunnels.client.connect(
                    Tunnels.options(tunnels.server)
                        .proxyCommand(List.of("/no/such/program"))
                        .build()))
        .isInstanceOf(SshException.Disconnected.class)
        .hasMessageContaining("/no/such/program");
  }

  @Test
  void proxyCommandThatHangsIsEndedWithTheAttempt() {
    assertThatThrownBy(
            () ->
                tunnels.client.connect(
                    Tunnels.options(tunnels.server)
                        .handshakeTimeout(Duration.ofMillis(300))
                        .proxyCommand(List.of("/bin/sleep", "4711"))
                        .build()))
        .isInstanceOf(SshException.Disconnected.class);
    Ports.await(
        "the proxy command to end",
        () ->
            ProcessHandle.current()
                .children()
                .noneMatch(p -> p.info().commandLine().orElse("").contains("4711")));
  }

  @Test
  void streamToATarget() throws Exception {
    Path socket = tunnels.server.scratch().path("stream");
    try (var tcp = TestServer.start(TestServer.source(5, 10_000_000));
        var unix = TestServer.startOn(socket, TestServer.sink())) {
      try (SshStream stream =
          tunnels.connection.openStream(new Target.Tcp("localhost", tcp.port()))) {
        var all = new ByteArrayOutputStream();
        assertThat(stream.transferTo(Channels.newChannel(all))).isEqualTo(10_000_000);
        assertThat(all.toByteArray()).isEqualTo(RandomBytes.of(5, 10_000_000));
      }
      try (SshStream stream = tunnels.connection.openStream(new Target.Unix(socket.toString()))) {
        String sent = RandomBytes.send(stream.output(), 6, 10_000_000);
        stream.output().close();
        assertThat(stream.input().readAllBytes()).asString(US_ASCII).isEqualTo(sent);
      }
      Ports.await("the targets' connections to end", () -> tcp.open() == 0 && unix.open() == 0);
    }
  }

  @Test
  void streamToADeadTargetIsRefused() {
    assertThatThrownBy(
            () -> tunnels.connection.openStream(new Target.Tcp("127.0.0.1", Ports.free())))
        .isInstanceOf(SshException.ChannelRefused.class)
        .hasMessage("connect failed: Connection refused");
  }

  @Test
  void writerToAStalledTargetWaitsAndIsFreedByClose() throws Exception {
    try (var target = TestServer.start(TestServer.stalled());
        SshStream stream =
            tunnels.connection.openStream(new Target.Tcp("127.0.0.1", target.port()))) {
      var writer =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      RandomBytes.send(stream.output(), 7, 1L << 32);
                    } catch (IOException _) {
                      // Freed.
                    }
                  });
      Ports.await("the writer to wait", () -> writer.getState() == Thread.State.WAITING);
      stream.close();
      writer.join(10_000);
      assertThat(writer.isAlive()).isFalse();
    }
  }
}
