package dev.adit.interop;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** {@code adit -W}, alone and as the ProxyCommand of OpenSSH's client. */
class StdioForwardTest {
  private static OpenSshServer server;

  @BeforeAll
  static void start() {
    server = OpenSshServer.start(List.of(Keys.Type.ED25519));
    // The first use builds, and says so.
    AditProcess.adit(server.scratch().dir(), "-V").run();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static Program adit(String target) {
    return AditProcess.adit(
        server.scratch().dir(), AditProcess.to(server, "-W", target, "127.0.0.1"));
  }

  @Test
  void endOfStandardInputIsPassedOnAndTheAnswerComes() throws Exception {
    Path input = server.scratch().path("input");
    Files.write(input, RandomBytes.of(1, 3_000_000));
    try (var target = TestServer.start(TestServer.sink());
        var adit = adit("127.0.0.1:" + target.port()).stdin(input).start()) {
      assertThat(adit.exitCode()).isZero();
      assertThat(adit.stdout()).isEqualTo(RandomBytes.digest(1, 3_000_000));
      assertThat(adit.stderr()).isEmpty();
    }
  }

  @Test
  void inputGoesOnAfterTheTargetHasEndedItsDirection() throws Exception {
    Path input = server.scratch().path("more");
    Files.write(input, RandomBytes.of(2, 3_000_000));
    var received = new CompletableFuture<RandomBytes.Received>();
    try (var target = TestServer.start(TestServer.halfClosed(received::complete));
        var adit = adit("127.0.0.1:" + target.port()).stdin(input).start()) {
      assertThat(adit.exitCode()).isZero();
      assertThat(received.get())
          .isEqualTo(new RandomBytes.Received(3_000_000, RandomBytes.digest(2, 3_000_000)));
    }
  }

  @Test
  void deadTargetIsSaid() {
    try (var adit = adit("127.0.0.1:" + Ports.free()).noStdin().start()) {
      assertThat(adit.exitCode()).isEqualTo(255);
      assertThat(adit.stderr())
          .contains("open failed: connect failed: Connection refused")
          .contains("stdio forwarding failed");
    }
  }

  @Test
  void proxyCommandOfOpenSsh() {
    var command = new StringBuilder(Repository.root().resolve("adit").toString());
    for (Object argument : AditProcess.to(server, "-W", "%h:%p", "127.0.0.1")) {
      command.append(' ').append(argument);
    }
    try (var ssh =
        Program.of(Judges.require("ssh"))
            .arguments(
                AditProcess.to(
                    server, "-o", "ProxyCommand=" + command, "127.0.0.1", "echo through; exit 7"))
            .env("HOME", server.scratch().dir())
            .noStdin()
            .start()) {
      assertThat(ssh.exitCode()).as(ssh.stderr()).isEqualTo(7);
      assertThat(ssh.stdout()).isEqualTo("through\n");
    }
  }
}
