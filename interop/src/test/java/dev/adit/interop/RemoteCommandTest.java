package dev.adit.interop;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code adit host command}, and the programs that call ssh for their transport. */
@Timeout(60)
class RemoteCommandTest {
  private static OpenSshServer server;
  private static Scratch files;

  @BeforeAll
  static void start() {
    server = OpenSshServer.start();
    files = new Scratch();
  }

  @AfterAll
  static void stop() {
    server.close();
    files.close();
  }

  private static Program adit(Object... more) {
    return AditProcess.adit(files.dir(), AditProcess.to(server, more));
  }

  @ParameterizedTest
  @CsvSource({"exit 0, 0", "exit 1, 1", "exit 255, 255", "kill -TERM $$, 255"})
  void theExitStatusIsTheRemoteCommands(String command, int status) {
    try (var running = adit("localhost", command).noStdin().start()) {
      assertThat(running.exitCode()).isEqualTo(status);
      assertThat(running.stderr()).isEmpty();
    }
  }

  @Test
  void streamsAreKeptApartAndInputEnds() throws Exception {
    try (var running = adit("localhost", "sort; echo err >&2; exit 3").start()) {
      running.type("b\na\n");
      running.stdin().close();
      assertThat(running.exitCode()).isEqualTo(3);
      assertThat(running.stdout()).isEqualTo("a\nb\n");
      assertThat(running.stderr()).isEqualTo("err\n");
    }
  }

  @Test
  void binaryDataGoesThroughBothWays() throws Exception {
    Path from = files.path("from");
    try (var out = Files.newOutputStream(from)) {
      RandomBytes.send(out, 5, 32 * 1024 * 1024);
    }
    try (var running = adit("localhost", "cat").stdin(from).start()) {
      assertThat(running.exitCode()).isZero();
      assertThat(running.stdoutBytes()).isEqualTo(Files.readAllBytes(from));
    }
  }

  /** ssh's {@code yes | head}: the remote command must not run for ever for nobody. */
  @Test
  void aReaderThatLeavesEndsTheRemoteCommand() {
    String shell = Terminal.adit(AditProcess.to(server, "localhost", "yes")) + " | head -1";
    try (var running = Program.of("sh", "-c", shell).env("HOME", files.dir()).noStdin().start()) {
      assertThat(running.exitCode()).isZero();
      assertThat(running.stdout()).isEqualTo("y\n");
    }
  }

  @Test
  void dashNLeavesStandardInputAlone() throws Exception {
    try (var running = adit("-n", "localhost", "cat; echo end").start()) {
      running.type("not read\n");
      assertThat(running.exitCode()).isZero();
      assertThat(running.stdout()).isEqualTo("end\n");
    }
  }

  @Test
  void variablesTravelBySendEnvAndSetEnv() {
    try (var running =
        adit("-o", "SendEnv=ADIT_S*", "-o", "SetEnv=ADIT_Z=z", "localhost", "env | grep ADIT_")
            .env("ADIT_SENT", "a b")
            .env("ADIT_KEPT", "x")
            .noStdin()
            .start()) {
      assertThat(running.exitCode()).isZero();
      assertThat(running.stdout().lines()).containsExactlyInAnyOrder("ADIT_SENT=a b", "ADIT_Z=z");
    }
  }

  @Test
  void terminalsAreThereWhenTheyAreForced() {
    try (var running = adit("-t", "localhost", "tty").noStdin().start()) {
      assertThat(running.exitCode()).isEqualTo(1);
      assertThat(running.stderr())
          .contains("Pseudo-terminal will not be allocated because stdin is not a terminal.");
    }
    try (var running = adit("-tt", "localhost", "tty").noStdin().start()) {
      assertThat(running.exitCode()).isZero();
      assertThat(running.stdout()).startsWith("/dev/pts/");
    }
  }

  @Test
  void aRefusedSubsystemIsOneLine() {
    try (var running = adit("-s", "localhost", "nonsense").noStdin().start()) {
      assertThat(running.exitCode()).isEqualTo(255);
      assertThat(running.stderr().strip()).isEqualTo("subsystem request failed on channel 0");
    }
  }

  @Test
  void theAgentIsLentOnlyWhenAskedFor() {
    try (var agent = SshAgent.start().add(server.userKey())) {
      try (var running =
          adit("-A", "localhost", "ssh-add -l")
              .env("SSH_AUTH_SOCK", agent.socket())
              .noStdin()
              .start()) {
        assertThat(running.exitCode()).isZero();
        assertThat(running.stdout()).contains(server.hostKey(Keys.Type.ED25519).fingerprint());
      }
      try (var running =
          adit("localhost", "ssh-add -l").env("SSH_AUTH_SOCK", agent.socket()).noStdin().start()) {
        assertThat(running.exitCode()).isEqualTo(2);
      }
    }
  }

  /** What {@code GIT_SSH}, {@code rsync -e}, {@code scp -S} and {@code sftp -S} start. */
  private static Path asSsh() {
    Path wrapper =
        files.write(
            "as-ssh", "#!/bin/sh\nexec " + Terminal.adit(AditProcess.to(server)) + " \"$@\"\n");
    try {
      Files.setPosixFilePermissions(wrapper, PosixFilePermissions.fromString("rwx------"));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return wrapper;
  }

  @Test
  void scpAndSftpCopyThroughIt() throws Exception {
    byte[] bytes = RandomBytes.of(9, 3_000_000);
    Path from = Files.write(files.path("scp-from"), bytes);
    Path to = files.path("scp-to");
    Path back = files.path("sftp-back");
    Path ssh = Judges.require("ssh");
    Program.of(ssh.resolveSibling("scp"), "-S", asSsh(), from, "localhost:" + to).run();
    assertThat(to).hasBinaryContent(bytes);
    Program.of(ssh.resolveSibling("sftp"), "-S", asSsh(), "localhost:" + to, back).run();
    assertThat(back).hasBinaryContent(bytes);
  }

  @Test
  void rsyncCopiesThroughIt() throws Exception {
    byte[] bytes = RandomBytes.of(10, 3_000_000);
    Path from = Files.write(files.path("rsync-from"), bytes);
    Path to = files.path("rsync-to");
    Program.of(Judges.require("rsync"), "-e", asSsh(), from, "localhost:" + to).run();
    assertThat(to).hasBinaryContent(bytes);
  }

  @Test
  void gitClonesThroughIt() throws Exception {
    Path git = Judges.require("git");
    Path origin = files.path("origin");
    Program.of(git, "init", "-q", origin).env("HOME", files.dir()).run();
    Files.write(origin.resolve("file"), "hello\n".getBytes(UTF_8));
    Program.of(git, "-C", origin, "add", "file").env("HOME", files.dir()).run();
    Program.of(git, "-C", origin, "-c", "user.name=t", "-c", "user.email=t@t")
        .arguments("commit", "-q", "-m", "one")
        .env("HOME", files.dir())
        .run();
    Program.of(git, "clone", "-q", "ssh://localhost" + origin, files.path("clone"))
        .env("HOME", files.dir())
        .env("GIT_SSH", asSsh())
        .run();
    assertThat(files.path("clone").resolve("file")).hasContent("hello\n");
  }
}
