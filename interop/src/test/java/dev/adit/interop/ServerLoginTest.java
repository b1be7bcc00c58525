package dev.adit.interop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.ssh.ServerEvent;
import dev.adit.ssh.SshException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** OpenSSH's client logs in to adit's server, by every method and combination, or is refused. */
class ServerLoginTest {
  private static final List<String> PUBLICKEY = List.of("publickey");
  private static final List<String> PASSWORD = List.of("password");
  private static final List<String> INTERACTIVE = List.of("keyboard-interactive");

  private static TestServer greeter;
  private EmbeddedServer server = EmbeddedServer.start();

  @BeforeAll
  static void startGreeter() {
    greeter = TestServer.start(TestServer.say("let in"));
  }

  @AfterAll
  static void stopGreeter() {
    greeter.close();
  }

  @AfterEach
  void stop() {
    server.close();
  }

  /** Answers come from a program, one line for each question that has the line's first word. */
  private Program.Running ssh(String answers, Object... options) throws Exception {
    var script = new StringBuilder("#!/bin/sh\ncase \"$1\" in\n");
    for (String answer : answers.lines().toList()) {
      int colon = answer.indexOf(':');
      script.append(
          "*'%s'*) echo '%s';;\n"
              .formatted(answer.substring(0, colon), answer.substring(colon + 1)));
    }
    var askpass = server.scratch().write("askpass", script.append("esac\n").toString());
    Files.setPosixFilePermissions(askpass, PosixFilePermissions.fromString("rwx------"));
    Object[] more = new Object[options.length + 2];
    more[0] = "-W";
    more[1] = "127.0.0.1:" + greeter.port();
    System.arraycopy(options, 0, more, 2, options.length);
    return server
        .ssh(more)
        .env("SSH_ASKPASS", askpass)
        .env("SSH_ASKPASS_REQUIRE", "force")
        .noStdin()
        .start();
  }

  private static void letIn(Program.Running ssh) {
    assertThat(ssh.exitCode()).as(ssh.toString()).isZero();
    assertThat(ssh.stdout()).isEqualTo("let in");
  }

  private static void refused(Program.Running ssh, String why) {
    assertThat(ssh.exitCode()).as(ssh.toString()).isEqualTo(255);
    assertThat(ssh.stderr()).contains(why);
    assertThat(ssh.stdout()).isEmpty();
  }

  @Test
  void byPassword() throws Exception {
    server.waysIn(List.of(PASSWORD));
    try (var ssh = ssh("password:" + EmbeddedServer.PASSWORD)) {
      letIn(ssh);
    }
    var login = server.events(ServerEvent.LoggedIn.class).getFirst();
    assertThat(login.methods()).isEqualTo(PASSWORD);
    assertThat(login.user()).isEqualTo(EmbeddedServer.USER);
    assertThat(login.key()).isNull();
  }

  @Test
  void wrongPasswords() throws Exception {
    server.waysIn(List.of(PASSWORD));
    try (var ssh = ssh("password:wrong")) {
      refused(
          ssh,
          "Received disconnect from 127.0.0.1 port %d:2: Too many authentication failures"
              .formatted(server.port()));
    }
    assertThat(server.events(ServerEvent.LoginFailed.class))
        .hasSize(3)
        .allSatisfy(
            failure -> {
              assertThat(failure.method()).isEqualTo("password");
              assertThat(failure.valid()).isTrue();
            });
    assertThat(server.events(ServerEvent.TooManyFailures.class)).hasSize(1);
    Ports.await("the end", () -> !server.events(ServerEvent.Disconnected.class).isEmpty());
    var end = server.events(ServerEvent.Disconnected.class).getFirst();
    assertThat(end.user()).isNull();
    assertThat(end.cause()).hasMessage("Too many authentication failures");
  }

  @Test
  void anUnknownUserHearsNothingElse() throws Exception {
    server.waysIn(List.of(PUBLICKEY, PASSWORD));
    try (var ssh = ssh("password:" + EmbeddedServer.PASSWORD, "-l", "nobody-here")) {
      refused(ssh, "Too many authentication failures");
      assertThat(ssh.stderr()).contains("Permission denied, please try again.");
    }
    assertThat(server.events(ServerEvent.LoginFailed.class))
        .hasSize(3)
        .allSatisfy(
            failure -> {
              assertThat(failure.user()).isEqualTo("nobody-here");
              assertThat(failure.valid()).isFalse();
            });
    assertThat(server.events(ServerEvent.LoginFailed.class).getFirst().key()).isNotNull();
  }

  @Test
  void byKeyboardInteractive() throws Exception {
    server.waysIn(List.of(INTERACTIVE));
    try (var ssh = ssh("Password:" + EmbeddedServer.PASSWORD + "\nColour:blue")) {
      letIn(ssh);
    }
    try (var ssh = ssh("Password:" + EmbeddedServer.PASSWORD + "\nColour:yellow")) {
      refused(ssh, "Too many authentication failures");
    }
  }

  @Test
  void keyAndThenPassword() throws Exception {
    server.waysIn(List.of(List.of("publickey", "password")));
    try (var ssh = ssh("password:" + EmbeddedServer.PASSWORD, "-v")) {
      letIn(ssh);
      assertThat(ssh.stderr().replace("\r", ""))
          .contains("Authentications that can continue: publickey\n")
          .contains("Authenticated using \"publickey\" with partial success.")
          .contains("Authentications that can continue: password\n");
    }
    assertThat(server.events(ServerEvent.MethodSucceeded.class)).hasSize(1);
    assertThat(server.events(ServerEvent.LoggedIn.class).getFirst().methods())
        .containsExactly("publickey", "password");
  }

  @Test
  void twoKeysMustBeTwo() throws Exception {
    server.waysIn(List.of(List.of("publickey", "publickey")));
    var second = Keys.generate(server.scratch().path("second"), Keys.Type.ED25519);
    try (var ssh = ssh("", "-i", Keys.shared(Keys.Type.ED25519).path())) {
      refused(ssh, "Permission denied (publickey)");
    }
    server.accept(second.publicLine());
    try (var ssh = ssh("", "-i", Keys.shared(Keys.Type.ED25519).path(), "-i", second.path())) {
      letIn(ssh);
    }
    assertThat(server.events(ServerEvent.LoggedIn.class).getFirst().methods())
        .containsExactly("publickey", "publickey");
  }

  @Test
  void aKeyThatNobodyKnows() throws Exception {
    var stranger = Keys.generate(server.scratch().path("stranger"), Keys.Type.ECDSA_256);
    try (var ssh = ssh("", "-i", stranger.path())) {
      refused(ssh, "miner@127.0.0.1: Permission denied (publickey).");
    }
    var failure = server.events(ServerEvent.LoginFailed.class).getFirst();
    assertThat(failure.key()).isNotNull();
    assertThat(failure.key().fingerprint()).isEqualTo(stranger.fingerprint());
  }

  /** OpenSSH's client binds its signature to the host key where the server can. */
  @Test
  void theSignatureIsBoundToTheHostKey() throws Exception {
    try (var ssh = ssh("", "-vvv")) {
      letIn(ssh);
      assertThat(ssh.stderr())
          .contains("publickey-hostbound@openssh.com=<0>")
          .contains("sign_and_send_pubkey: using publickey-hostbound-v00@openssh.com");
    }
    assertThat(server.events(ServerEvent.LoggedIn.class).getFirst().methods()).isEqualTo(PUBLICKEY);
  }

  @Test
  void whoSaysNothingIsCutOff() throws Exception {
    server.close();
    server = EmbeddedServer.start(o -> o.loginGraceTime(Duration.ofMillis(300)));
    try (var silent = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      silent.getInputStream().readAllBytes();
    }
    Ports.await("the end", () -> !server.events(ServerEvent.Disconnected.class).isEmpty());
    SshException cause = server.events(ServerEvent.Disconnected.class).getFirst().cause();
    assertThat(cause).hasMessageStartingWith("Timeout before authentication for 127.0.0.1 port ");
  }

  @Test
  void aGateTurnsConnectionsAway() throws Exception {
    server.close();
    server = EmbeddedServer.start(o -> o.gate(peer -> "past MaxStartups"));
    try (var ssh = ssh("")) {
      // A reset, if our last words come after its first: sshd gives it the same way.
      assertThat(ssh.exitCode()).isEqualTo(255);
      assertThat(ssh.stderr())
          .containsPattern("Connection (closed|reset) by 127.0.0.1 port " + server.port());
    }
    assertThat(server.events()).hasSize(1);
    assertThat(server.events(ServerEvent.TurnedAway.class).getFirst().why())
        .isEqualTo("past MaxStartups");
  }
}
