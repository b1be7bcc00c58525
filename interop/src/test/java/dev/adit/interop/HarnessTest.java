package dev.adit.interop;

import static dev.adit.interop.RandomBytes.digest;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The judges among themselves, so that a failure of theirs isn't taken for one of adit's. */
class HarnessTest {
  private static Program ssh(Object... arguments) {
    return Program.of(Judges.require("ssh")).arguments(arguments);
  }

  @Test
  void sshRunsACommandOnTheServer() {
    try (var server = OpenSshServer.start()) {
      try (var ssh =
          ssh(AditProcess.to(server, "localhost", "echo out; echo err >&2; exit 3"))
              .noStdin()
              .start()) {
        assertThat(ssh.exitCode()).isEqualTo(3);
        assertThat(ssh.stdout()).isEqualTo("out\n");
        assertThat(ssh.stderr()).isEqualTo("err\n");
      }
      server.awaitLog("Accepted publickey for " + server.user());
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyTypeOfHostKeyIsKnown(Keys.Type type) {
    try (var server = OpenSshServer.start(List.of(type))) {
      assertThat(ssh(AditProcess.to(server, "localhost", "echo hello")).run()).isEqualTo("hello\n");
    }
  }

  @Test
  void linesGivenToTheServerWin() {
    try (var server =
        OpenSshServer.start("AuthorizedKeysFile none", "Match User nobody", "PermitTTY no")) {
      try (var ssh = ssh(AditProcess.to(server, "localhost", "true")).noStdin().start()) {
        assertThat(ssh.exitCode()).isEqualTo(255);
        assertThat(ssh.stderr()).contains("Permission denied (publickey)");
      }
    }
  }

  @Test
  void certificatesAndTheAgentLetIn() {
    try (var scratch = new Scratch();
        var agent = SshAgent.start()) {
      var authority = Keys.generate(scratch.path("ca"), Keys.Type.ED25519);
      var user = Keys.generate(scratch.path("user"), Keys.Type.ECDSA_256);
      Keys.certifyUser(authority, user, System.getProperty("user.name"));
      agent.add(user.path());
      assertThat(agent.sshAdd("-l")).contains(user.fingerprint()).contains("(ECDSA-CERT)");
      try (var server =
          OpenSshServer.start(
              "AuthorizedKeysFile none", "TrustedUserCAKeys " + authority.publicPath())) {
        assertThat(
                ssh("-F", "none", "-p", server.port())
                    .arguments("-o", "UserKnownHostsFile=" + server.knownHosts())
                    .arguments("-o", "BatchMode=yes", "localhost", "echo hello")
                    .env("SSH_AUTH_SOCK", agent.socket())
                    .run())
            .isEqualTo("hello\n");
        server.awaitLog("Accepted publickey .* ECDSA-CERT");
      }
    }
  }

  @Test
  void passwordAndKeyboardInteractiveLetTheAccountIn() {
    try (var account = TestAccount.create();
        var server =
            OpenSshServer.start(
                "UsePAM yes", "KbdInteractiveAuthentication yes", "PasswordAuthentication yes")) {
      Path askpass =
          server.scratch().write("askpass", "#!/bin/sh\necho '%s'\n".formatted(account.password()));
      Program.of("chmod", "700", askpass).run();
      for (String method : List.of("password", "keyboard-interactive")) {
        assertThat(
                ssh("-F", "none", "-p", server.port(), "-l", account.name())
                    .arguments("-o", "UserKnownHostsFile=" + server.knownHosts())
                    .arguments("-o", "PreferredAuthentications=" + method, "localhost", "id -un")
                    .env("SSH_ASKPASS", askpass)
                    .env("SSH_ASKPASS_REQUIRE", "force")
                    .run())
            .isEqualTo(account.name() + "\n");
      }
      server.awaitLog("Accepted password for " + account.name());
      server.awaitLog("Accepted keyboard-interactive/pam for " + account.name());
    }
  }

  @Test
  void dropbearAndTinysshdLetAKeyIn() {
    var key = Keys.shared(Keys.Type.ED25519);
    try (var account = TestAccount.create();
        var dropbear = DropbearServer.start();
        var tinysshd = TinySshServer.start()) {
      account.authorize(key.publicLine());
      record Server(int port, Path knownHosts) {}
      for (var server :
          List.of(
              new Server(dropbear.port(), dropbear.knownHosts()),
              new Server(tinysshd.port(), tinysshd.knownHosts()))) {
        assertThat(
                ssh("-F", "none", "-p", server.port, "-l", account.name(), "-i", key.path())
                    .arguments("-o", "UserKnownHostsFile=" + server.knownHosts)
                    .arguments("-o", "BatchMode=yes", "127.0.0.1", "id -un")
                    .run())
            .isEqualTo(account.name() + "\n");
      }
      assertThat(dropbear.log()).contains("Pubkey auth succeeded");
    }
  }

  @Test
  void bytesThroughOpenSshsOwnTunnelAreChecked() throws Exception {
    long size = 20 << 20;
    int local = Ports.free();
    try (var sink = TestServer.start(TestServer.sink());
        var source = TestServer.start(TestServer.source(7, size));
        var server = OpenSshServer.start();
        var _ =
            ssh(AditProcess.to(server, "-N"))
                .arguments("-L", local + ":127.0.0.1:" + sink.port())
                .arguments("-L", server.scratch().path("s") + ":127.0.0.1:" + source.port())
                .arguments("localhost")
                .noStdin()
                .start()
                .awaitListening(local)) {
      try (var up =
          SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), local))) {
        String sent = RandomBytes.send(Channels.newOutputStream(up), 5, size);
        up.shutdownOutput();
        String answer = new String(Channels.newInputStream(up).readAllBytes(), US_ASCII);
        assertThat(answer).isEqualTo(sent).isEqualTo(digest(5, size));
      }
      var unix = java.net.UnixDomainSocketAddress.of(server.scratch().path("s"));
      try (var down = SocketChannel.open(unix)) {
        assertThat(RandomBytes.receive(Channels.newInputStream(down)))
            .isEqualTo(new RandomBytes.Received(size, digest(7, size)));
      }
      assertThat(sink.failures()).isEmpty();
    }
  }

  @Test
  @SuppressWarnings("try") // Closing the server in the middle is what is tested.
  void closingTheServerEndsItAndItsConnections() {
    try (var server = OpenSshServer.start();
        var ssh = ssh(AditProcess.to(server, "localhost", "echo ready; sleep 1000")).start()) {
      ssh.awaitStdout("ready");
      server.close();
      assertThat(ssh.exitCode()).isEqualTo(255);
      assertThat(ProcessHandle.of(server.pid())).isEmpty();
      assertThat(Ports.accepts(server.port())).isFalse();
    }
  }

  @Test
  void aMissingJudgeIsNamed() {
    assertThatThrownBy(() -> Judges.require("no-such-judge"))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("no-such-judge");
  }

  @Test
  void randomBytesDependOnSeedAndPositionOnly() throws IOException {
    var bytes = new java.io.ByteArrayOutputStream();
    RandomBytes.send(bytes, 1, 100_001);
    assertThat(RandomBytes.of(1, 100_001)).isEqualTo(bytes.toByteArray());
    assertThat(RandomBytes.of(2, 16)).isNotEqualTo(RandomBytes.of(1, 16));
    assertThat(Arrays.copyOf(RandomBytes.of(1, 16), 8)).isEqualTo(RandomBytes.of(1, 8));
  }
}
