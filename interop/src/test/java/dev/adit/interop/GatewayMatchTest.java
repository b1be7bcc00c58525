package dev.adit.interop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.ssh.AccessPolicy;
import dev.adit.ssh.ChannelTimeouts;
import dev.adit.ssh.Decision;
import dev.adit.ssh.Listen;
import dev.adit.ssh.ServerEvent;
import dev.adit.ssh.Target;
import dev.adit.ssh.TunnelEvent;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a Match block of aditd sets for one user, as that user's ssh and the log see it. */
class GatewayMatchTest {
  private static AditdServer server;

  @BeforeAll
  static void start() {
    server =
        AditdServer.start(
            "TunnelUsers calm rude frozen busy clockwork quiet loud unused idle refused",
            "LogLevel INFO",
            "ClientAliveInterval 0",
            "Match User rude",
            "MaxAuthTries 1",
            "Match User frozen",
            "ClientAliveInterval 1",
            "ClientAliveCountMax 1",
            "Match User busy",
            "RekeyLimit 64K",
            "Match User clockwork",
            "RekeyLimit default 1",
            "Match User quiet",
            "LogLevel QUIET",
            "Match User loud",
            "LogLevel DEBUG",
            "Match User unused",
            "UnusedConnectionTimeout 1",
            "Match User idle",
            "ChannelTimeout direct-tcpip=4 forwarded-*=4",
            "Match User refused,refused-stranger",
            "RefuseConnection yes",
            "Match User " + System.getProperty("user.name"),
            "ChannelTimeout session:shell=1h session:command=2");
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static Program as(String user, Object... flags) {
    return server.ssh(flags).arguments("-l", user, "127.0.0.1").noStdin();
  }

  /** Shows a key first that nobody knows. */
  private static Program withTwoKeys(String user) {
    return Program.of(Judges.require("ssh"), "-F", "none", "-v", "-N", "-p", server.port())
        .arguments("-i", Keys.shared(Keys.Type.ECDSA_256).path(), "-i", server.userKey())
        .arguments("-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes")
        .arguments("-o", "UserKnownHostsFile=" + server.knownHosts(), "-l", user, "127.0.0.1")
        .noStdin();
  }

  @Test
  void maxAuthTries() {
    try (var rude = withTwoKeys("rude").start();
        var calm = withTwoKeys("calm").start()) {
      assertThat(rude.exitCode()).isEqualTo(255);
      assertThat(rude.stderr()).contains("Too many authentication failures");
      calm.awaitStderr("Authenticated to 127.0.0.1");
    }
  }

  @Test
  void clientAliveIntervalAndCountMax() {
    try (var frozen = as("frozen", "-N", "-v").start();
        var calm = as("calm", "-N", "-v").start()) {
      frozen.awaitStderr("Authenticated to 127.0.0.1");
      calm.awaitStderr("Authenticated to 127.0.0.1");
      frozen.signal("STOP");
      calm.signal("STOP");
      server.awaitLog("user frozen 127.0.0.1 port \\d+: Timeout, client .* not responding\\.");
      assertThat(server.log()).doesNotContainPattern("user calm .* not responding");
    }
  }

  @Test
  void rekeyLimitByBytes() throws Exception {
    int port = Ports.free();
    try (var bulk = TestServer.start(Tunnels.bulk(1 << 20));
        var busy = as("busy", "-N", "-v", "-L", port + ":127.0.0.1:" + bulk.port()).start()) {
      busy.awaitListening(port);
      try (var socket = Tunnels.connect(port)) {
        Tunnels.exchangeBulk(socket, 1 << 20);
      }
      busy.awaitStderr("(SSH2_MSG_KEXINIT received[\\s\\S]*){2}");
    }
  }

  @Test
  void rekeyLimitByTime() {
    try (var clockwork = as("clockwork", "-N", "-v").start()) {
      // The first is that of the login; nothing but the clock can ask for the others.
      clockwork.awaitStderr("(SSH2_MSG_KEXINIT received[\\s\\S]*){3}");
    }
  }

  private static void refusedConnection(String user) {
    try (var ssh = as(user, "-W", "127.0.0.1:1").start()) {
      assertThat(ssh.exitCode()).isEqualTo(255);
    }
  }

  @Test
  void logLevel() {
    refusedConnection("quiet");
    refusedConnection("calm");
    server.awaitLog("User calm .*: direct-tcpip refused");
    assertThat(server.log()).doesNotContain("debug1");
    refusedConnection("loud");
    server.awaitLog("Connection closed by user loud|Disconnected from user loud");
    assertThat(server.log())
        .contains("Accepted publickey for loud", "debug1: Accepted key ED25519")
        .doesNotContain("quiet");
  }

  @Test
  void unusedConnectionTimeout() {
    try (var unused = as("unused", "-N").start()) {
      assertThat(unused.exitCode()).isEqualTo(255);
      assertThat(unused.stderr()).contains("no channel was open for 1 s");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"refused", "refused-stranger"})
  void refuseConnection(String user) {
    try (var refused = as(user, "-N").start()) {
      assertThat(refused.exitCode()).isEqualTo(255);
      assertThat(refused.stderr()).contains("administratively prohibited");
    }
    server.awaitLog(
        "administratively prohibited connection for (invalid user )?" + user + " from 127.0.0.1");
    // At once: it was not even asked for a key.
    assertThat(server.log()).doesNotContainPattern("Failed .* " + user + " ");
  }

  // --- ChannelTimeout ---

  private static boolean answers(Socket socket) throws IOException {
    socket.setSoTimeout(30_000);
    socket.getOutputStream().write('x');
    return socket.getInputStream().read() == 'x';
  }

  @ParameterizedTest
  @ValueSource(strings = {"-L", "-R"})
  void aForwardedConnectionThatStandsIdleIsClosedAndTheOthersLiveOn(String flag) throws Exception {
    int port = Ports.free();
    try (var echo = TestServer.start(TestServer.echo());
        var ssh =
            as("idle", "-N", "-o", "ExitOnForwardFailure=yes")
                .arguments(flag, port + ":127.0.0.1:" + echo.port())
                .start()) {
      ssh.awaitListening(port);
      try (var idle = Tunnels.connect(port);
          var busy = Tunnels.connect(port)) {
        assertThat(answers(idle)).isTrue();
        var ended = Thread.ofPlatform().daemon().start(() -> readToTheEnd(idle));
        for (long end = System.nanoTime() + 30_000_000_000L; ended.isAlive(); Thread.sleep(100)) {
          assertThat(answers(busy)).isTrue();
          assertThat(System.nanoTime()).as("the idle one has not ended").isLessThan(end);
        }
        assertThat(answers(busy)).isTrue();
      }
    }
    server.awaitLog(
        "User idle from 127.0.0.1 port \\d+: channel \\d+ \\(%s\\): closing after 4 seconds"
            .formatted(flag.equals("-L") ? "direct-tcpip" : "forwarded-tcpip"));
  }

  private static void readToTheEnd(Socket socket) {
    try {
      while (socket.getInputStream().read() >= 0) {
        // Until it is closed.
      }
    } catch (IOException e) {
      // That is an end too.
    }
  }

  @Test
  void aCommandThatSaysNothingIsClosedAndAShellHasATimeOfItsOwn() {
    var user = System.getProperty("user.name");
    try (var shell = server.ssh("-l", user, "127.0.0.1").start();
        var command = as(user).arguments("sleep 600").start()) {
      assertThat(command.exitCode()).isEqualTo(255);
      server.awaitLog("channel \\d+ \\(session:command\\): closing after 2 seconds of inactivity");
      assertThat(shell.isAlive()).isTrue();
    }
    assertThat(server.log()).doesNotContain("(session:shell): closing");
  }

  @Test
  void allChannelsTogetherMayHaveATimeOfTheirOwn() throws Exception {
    ChannelTimeouts together =
        type -> type.equals(ChannelTimeouts.GLOBAL) ? Duration.ofSeconds(4) : Duration.ZERO;
    int port = Ports.free();
    try (var echo = TestServer.start(TestServer.echo());
        var embedded = EmbeddedServer.start(o -> o.channelTimeouts(together));
        var ssh = embedded.ssh("-N", "-L", port + ":127.0.0.1:" + echo.port()).noStdin().start()) {
      ssh.awaitListening(port);
      try (var one = Tunnels.connect(port);
          var other = Tunnels.connect(port)) {
        assertThat(answers(one)).isTrue();
        for (int i = 0; i < 60; i++) {
          // One is used, so that the other may stand idle for longer than the time.
          assertThat(answers(other)).isTrue();
          Thread.sleep(100);
        }
        assertThat(answers(one)).isTrue();
        readToTheEnd(one);
        readToTheEnd(other);
      }
      Ports.await(
          "both to be told",
          () ->
              embedded.events(ServerEvent.Tunnel.class).stream()
                      .filter(
                          e ->
                              e.event() instanceof TunnelEvent.ChannelClosed c
                                  && c.closedBy().equals("us, idle for 4 s"))
                      .count()
                  == 2);
    }
  }

  /** Anything goes. */
  private static final class Everything extends ShellPolicy {
    Everything(Path home) {
      super(home);
    }

    @Override
    public Decision<Target> connect(Target target) {
      return Decision.allowed(target);
    }

    @Override
    public Decision<InetAddress> dial(Target.Tcp target, InetAddress address) {
      return Decision.allowed(address);
    }

    @Override
    public Decision<Listen> listen(Listen asked) {
      return Decision.allowed(asked);
    }

    @Override
    public boolean allowsAgentForwarding() {
      return true;
    }
  }

  @Test
  void everyTypeOfChannelHasItsName() throws Exception {
    Set<String> asked = ConcurrentHashMap.newKeySet();
    ChannelTimeouts names =
        type -> {
          asked.add(type);
          return Duration.ZERO;
        };
    try (var scratch = new Scratch();
        var agent = SshAgent.start();
        var echo = TestServer.start(TestServer.echo());
        var unixEcho = TestServer.startOn(scratch.path("echo"), TestServer.echo());
        var embedded = EmbeddedServer.start(o -> o.channelTimeouts(names))) {
      AccessPolicy everything = new Everything(scratch.dir());
      embedded.policy(everything);
      int local = Ports.free();
      int localUnix = Ports.free();
      int remote = Ports.free();
      var remoteUnix = scratch.path("remote");
      try (var forwards =
              embedded
                  .ssh("-N", "-L", local + ":127.0.0.1:" + echo.port())
                  .arguments("-L", localUnix + ":" + scratch.path("echo"))
                  .arguments("-R", remote + ":127.0.0.1:" + echo.port())
                  .arguments("-R", remoteUnix + ":127.0.0.1:" + echo.port())
                  .start();
          var shell = embedded.ssh("-T").start();
          var sftp = embedded.ssh("-s").arguments("sftp").start();
          var command =
              embedded
                  .ssh("-A", "-o", "IdentityAgent=" + agent.socket())
                  .arguments("socat - UNIX-CONNECT:$SSH_AUTH_SOCK")
                  .env("SSH_AUTH_SOCK", agent.socket())
                  .start()) {
        forwards.awaitListening(local).awaitListening(localUnix).awaitListening(remote);
        Ports.await("the remote socket", () -> Files.exists(remoteUnix));
        try (var a = Tunnels.connect(local);
            var b = Tunnels.connect(localUnix);
            var c = Tunnels.connect(remote);
            var d = Program.of("socat", "-", "UNIX-CONNECT:" + remoteUnix).start()) {
          Ports.awaitLong(
              "all names",
              () ->
                  asked.containsAll(
                      Set.of(
                          "direct-tcpip",
                          "direct-streamlocal@openssh.com",
                          "forwarded-tcpip",
                          "forwarded-streamlocal@openssh.com",
                          "session:shell",
                          "session:command",
                          "session:subsystem:sftp",
                          "agent-connection",
                          "global")));
        }
      }
    }
  }
}
