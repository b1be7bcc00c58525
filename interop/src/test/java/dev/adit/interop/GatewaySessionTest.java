package dev.adit.interop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.ssh.Decision;
import dev.adit.ssh.Launch;
import dev.adit.ssh.ServerEvent;
import dev.adit.ssh.SessionRequest;
import dev.adit.ssh.TunnelEvent;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sessions of adit's server, judged by OpenSSH's clients and the programs that call them. */
@Timeout(90)
class GatewaySessionTest {
  private static EmbeddedServer server;
  private static Scratch scratch;

  @BeforeAll
  static void start() {
    server = EmbeddedServer.start();
    scratch = server.scratch();
    server.policy(new ShellPolicy(scratch.dir()));
    writeConfig(server, scratch);
    // /etc/profile may set a prompt.
    scratch.write(".profile", "PS1='remote> '\n");
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  /** After it, {@code ssh -F scratch/config gateway} leads to the server without a question. */
  private static void writeConfig(EmbeddedServer server, Scratch scratch) {
    scratch.write(
        "config",
        """
        Host gateway
          HostName 127.0.0.1
          Port %d
          User %s
          IdentityFile %s
          IdentitiesOnly yes
          IdentityAgent none
          UserKnownHostsFile %s
          GlobalKnownHostsFile none
          StrictHostKeyChecking yes
          BatchMode yes
        """
            .formatted(
                server.port(),
                EmbeddedServer.USER,
                Keys.shared(Keys.Type.ED25519).path(),
                server.scratch().path("known_hosts")));
  }

  private static Program ssh(Object... arguments) {
    return Program.of(Judges.require("ssh"), "-F", scratch.path("config")).arguments(arguments);
  }

  /** What ssh ended with, and wrote. */
  private record Result(int status, String stdout, String stderr) {
    static Result of(Program program) {
      try (var running = program.start()) {
        return new Result(running.exitCode(), running.stdout(), running.stderr());
      }
    }
  }

  private static Result run(Object... arguments) {
    return Result.of(ssh(arguments).noStdin());
  }

  /** A server of its own, with another policy. */
  private static Result runWith(ShellPolicy policy, Object... arguments) {
    try (var other = EmbeddedServer.start().policy(policy)) {
      return Result.of(other.ssh().arguments(arguments).noStdin());
    }
  }

  // ---- Commands -------------------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 127, 255})
  void theExitStatusComesThrough(int status) {
    assertThat(run("gateway", "exit " + status).status()).isEqualTo(status);
  }

  @Test
  void aCommandThatASignalEndsIsToldAsOne() {
    Result result = run("-v", "gateway", "kill -KILL $$");
    assertThat(result.status()).isEqualTo(255);
    assertThat(result.stderr()).contains("rtype exit-signal").doesNotContain("rtype exit-status");
  }

  @Test
  void standardOutputAndErrorAreKeptApart() {
    assertThat(run("gateway", "echo out; echo err >&2; echo out2; exit 3"))
        .isEqualTo(new Result(3, "out\nout2\n", "err\n"));
  }

  @Test
  void aHundredMegabytesGoThroughCatBothWaysUnchanged() throws Exception {
    long size = 100_000_000;
    try (var cat = ssh("gateway", "cat").start();
        OutputStream to = cat.stdin()) {
      // Program keeps what is written, which is fine for a hundred megabytes.
      RandomBytes.send(to, 11, size);
      to.close();
      assertThat(cat.exitCode()).isZero();
      assertThat(RandomBytes.receive(new java.io.ByteArrayInputStream(cat.stdoutBytes())))
          .isEqualTo(new RandomBytes.Received(size, RandomBytes.digest(11, size)));
    }
  }

  @Test
  void muchOutputOnBothStreamsWaitsForItsReader() {
    Result result =
        run(
            "gateway",
            "(head -c 3000000 /dev/zero | tr '\\0' e >&2) & head -c 3000000 /dev/zero"
                + " | tr '\\0' o; wait");
    assertThat(result.stdout()).isEqualTo("o".repeat(3_000_000));
    assertThat(result.stderr()).isEqualTo("e".repeat(3_000_000));
  }

  @Test
  void theEndOfInputReachesTheCommandWhichMayStillAnswer() throws Exception {
    try (var running = ssh("gateway", "cat; sleep 0.1; echo after").start()) {
      running.type("before\n");
      running.stdin().close();
      assertThat(running.exitCode()).isZero();
      assertThat(running.stdout()).isEqualTo("before\nafter\n");
    }
  }

  @Test
  void aCommandThatReadsNoMoreLetsItsWriterEnd() {
    try (var running =
        Program.of(
                "sh",
                "-c",
                "yes | '%s' -F '%s' gateway head -n 2; echo ended"
                    .formatted(Judges.require("ssh"), scratch.path("config")))
            .start()) {
      assertThat(running.exitCode()).isZero();
      assertThat(running.stdout()).isEqualTo("y\ny\nended\n");
    }
  }

  @Test
  void variablesThatThePolicyAcceptsAreSet() {
    Result result =
        Result.of(
            ssh("-o", "SendEnv=TEST_ONE LD_PRELOAD", "-o", "SetEnv=TEST_TWO=\"a b\" NOT_OK=x")
                .arguments("gateway", "echo \"$TEST_ONE|$TEST_TWO|$NOT_OK|$LD_LIBRARY_PATH|\"")
                .env("TEST_ONE", "caf\u00e9; $HOME")
                .noStdin());
    assertThat(result.stdout()).isEqualTo("caf\u00e9; $HOME|a b|||\n");
  }

  @Test
  void aBackgroundChildKeepsTheSessionOpenAsWithSshd() {
    assertThat(run("gateway", "(sleep 0.3; echo late) & echo early").stdout())
        .isEqualTo("early\nlate\n");
    assertThat(run("gateway", "sleep 60 >/dev/null 2>&1 & echo early").stdout())
        .isEqualTo("early\n");
  }

  @Test
  void aConnectionThatDiesTakesItsProcessesAlong() {
    Path pid = scratch.path("pid");
    try (var running =
        ssh("gateway", "echo $$ > " + pid + "; echo ready; exec sleep 600").start()) {
      running.awaitStdout("ready");
      running.signal("KILL");
    }
    Ports.await("sleep to end", () -> !isAlive(pid));
  }

  private static boolean isAlive(Path pidFile) {
    try {
      long pid = Long.parseLong(Files.readString(pidFile).strip());
      return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void noTerminalIsMadeUnlessOneIsAskedFor() {
    assertThat(run("-T", "gateway", "tty").stdout()).isEqualTo("not a tty\n");
    assertThat(run("-tt", "gateway", "tty; echo $TERM").stdout())
        .matches("/dev/pts/\\d+\r\nxterm\r\n");
    assertThat(run("-tt", "gateway", "tty; exit 9").status()).isEqualTo(9);
  }

  @Test
  void aForcedCommandReplacesTheOneThatWasAskedFor() {
    var policy =
        new ShellPolicy(scratch.dir()) {
          @Override
          public Decision<Launch> launch(SessionRequest request) {
            return command(
                "echo \"forced instead of <$SSH_ORIGINAL_COMMAND>\"",
                request,
                request.kind() == SessionRequest.Kind.SHELL
                    ? Map.of()
                    : Map.of("SSH_ORIGINAL_COMMAND", request.command()));
          }
        };
    assertThat(runWith(policy, "rm  -rf '$HOME'").stdout())
        .isEqualTo("forced instead of <rm  -rf '$HOME'>\n");
    assertThat(runWith(policy, "-T").stdout()).contains("forced instead of <>\n");
  }

  @Test
  void whoMayHaveNoSessionIsToldWhy() {
    var tunnelsOnly =
        new ShellPolicy(scratch.dir()) {
          @Override
          public Decision<Launch> launch(SessionRequest request) {
            return Decision.denied("this account is for tunnels");
          }
        };
    Result result = runWith(tunnelsOnly, "id");
    assertThat(result.status()).isEqualTo(255);
    assertThat(result.stdout()).isEmpty();
    assertThat(result.stderr())
        .startsWith("session refused: this account is for tunnels\n")
        .contains("exec request failed on channel 0");
  }

  @Test
  void sessionsBeyondMaxSessionsAreRefusedInWords() {
    var none =
        new ShellPolicy(scratch.dir()) {
          @Override
          public int maxSessions() {
            return 0;
          }
        };
    assertThat(runWith(none, "id").stderr())
        .contains("administratively prohibited: MaxSessions is 0");
  }

  @Test
  void whatWasStartedAndHowItEndedIsTold() {
    run("gateway", "exit 77");
    Ports.await("the event", () -> tunnelEvents().contains("Exited[code=77]"));
    assertThat(tunnelEvents()).contains("what=command: exit 77");
  }

  private static String tunnelEvents() {
    return server.events(ServerEvent.Tunnel.class).stream()
        .map(ServerEvent.Tunnel::event)
        .map(TunnelEvent::toString)
        .toList()
        .toString();
  }

  // ---- Terminals ------------------------------------------------------------------------------

  private static Terminal remoteShell(Object... flags) {
    Terminal terminal = Terminal.open(scratch.dir());
    var line = new StringBuilder("'" + Judges.require("ssh") + "' -F config");
    for (Object flag : flags) {
      line.append(' ').append(flag);
    }
    terminal.enter(line + " gateway");
    return terminal.await("remote> ");
  }

  @Test
  void aShellInATerminalIsALoginShellWithItsSize() {
    try (var terminal = remoteShell()) {
      terminal.enter("echo na''me=$0 term=$TERM").await("name=-sh term=xterm");
      terminal.enter("test -t 0 && test -t 2 && tty && echo $SSH_TTY");
      terminal.await("(/dev/pts/\\d+)\r\n/dev/pts/\\d+");
      terminal.enter("exit 5").await("Connection to 127\\.0\\.0\\.1 closed\\.").await("local> ");
      terminal.enter("echo sta''tus=$?").await("status=5");
    }
  }

  @Test
  void theWindowsNewSizeReachesTheRemoteTerminal() {
    try (var terminal = Terminal.open(scratch.dir())) {
      terminal.enter("stty rows 30 cols 90; tty > local-tty").await("local> ");
      terminal.enter("'" + Judges.require("ssh") + "' -F config gateway").await("remote> ");
      terminal.enter("stty si''ze").await("30 90");
      Path tty = Path.of(Files.readString(scratch.path("local-tty")).strip());
      terminal.enter("trap 'ec''ho resized' WINCH").await("remote> ");
      Program.of("stty", "-F", tty, "rows", "41", "cols", "123").run();
      terminal.await("resized");
      terminal.enter("stty si''ze").await("41 123");
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void keysControlTheJobsOfTheRemoteShell() {
    try (var terminal = remoteShell()) {
      terminal.enter("sleep 600; echo int''errupted").await("sleep").type("\003");
      terminal.await("remote> ");
      terminal
          .enter("sh -c 'echo sl''eeps; sleep 600; echo on''ward'")
          .await("sleeps")
          .type("\032");
      terminal.await("Stopped").await("remote> ");
      terminal.enter("jo''bs").await("Stopped").await("remote> ");
      terminal.enter("f''g").await("sleep").type("\034");
      terminal.await("remote> ");
      terminal.enter("c''at").type("typed\r\004");
      terminal.await("typed\r\ntyped").await("remote> ");
      terminal.enter("exit").await("local> ");
    }
  }

  @Test
  void theTerminalsModesAreTheClients() {
    try (var terminal = Terminal.open(scratch.dir())) {
      terminal.enter("stty intr ^G -ixon erase ^H; stty -a > local-modes").await("local> ");
      terminal.enter(
          "'" + Judges.require("ssh") + "' -F config -t gateway 'stty -a > remote-modes'");
      terminal.await("closed\\.").await("local> ");
      assertThat(modes("remote-modes")).isEqualTo(modes("local-modes"));
    }
  }

  private static String modes(String file) {
    try {
      return Files.readString(scratch.path(file));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void whatIsPastedArrivesWholeAndInOrder() {
    try (var terminal = remoteShell()) {
      terminal.enter("stty -echo; ca''t > pasted; stty echo; echo do''ne").await("\n");
      var text = new StringBuilder();
      for (int i = 0; i < 3000; i++) {
        text.append("line ").append(i).append(" of what was pasted\n");
      }
      terminal.type(text.toString().replace('\n', '\r')).type("\004").await("done");
      assertThat(scratch.path("pasted")).hasContent(text.toString());
    }
  }

  // ---- Programs that call ssh -----------------------------------------------------------------

  private static Path big() throws IOException {
    Path big = scratch.path("big");
    if (!Files.exists(big)) {
      Files.write(big, RandomBytes.of(7, 5_000_000));
    }
    return big;
  }

  private static void sameAsBig(String name) throws IOException {
    assertThat(Files.mismatch(scratch.path(name), big())).isEqualTo(-1);
  }

  @Test
  void sftpRunsABatch() throws IOException {
    Path batch =
        scratch.write(
            "batch",
            "put %s sftp-up%nget %s %s%n".formatted(big(), big(), scratch.path("sftp-down")));
    Program.of("sftp", "-q", "-F", scratch.path("config"), "-b", batch, "gateway").run();
    sameAsBig("sftp-up");
    sameAsBig("sftp-down");
  }

  @ParameterizedTest
  @ValueSource(strings = {"-s", "-O"})
  void scpCopiesBothWays(String protocol) throws IOException {
    Path config = scratch.path("config");
    Program.of("scp", protocol, "-qF", config, big(), "gateway:scp-up" + protocol).run();
    sameAsBig("scp-up" + protocol);
    Program.of("scp", protocol, "-qF", config, "gateway:big", scratch.path("scp-down")).run();
    sameAsBig("scp-down");
  }

  @Test
  void rsyncCopies() throws IOException {
    String ssh = Judges.require("ssh") + " -F " + scratch.path("config");
    Program.of("rsync", "-e", ssh, big(), "gateway:rsync-up").run();
    sameAsBig("rsync-up");
  }

  @Test
  void gitClonesAndPushes() throws IOException {
    Path bare = scratch.path("repo.git");
    Path clone = scratch.path("clone");
    Program.of("git", "init", "-q", "--bare", bare).run();
    git("clone", "-q", "gateway:" + bare, clone);
    Files.writeString(clone.resolve("file"), "content\n");
    git("-C", clone, "add", "file");
    git("-C", clone, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "first");
    git("-C", clone, "push", "-q", "origin", "HEAD:main");
    assertThat(Program.of("git", "-C", bare, "show", "main:file").run()).isEqualTo("content\n");
  }

  private static void git(Object... arguments) {
    Program.of("git")
        .arguments(arguments)
        .env("GIT_SSH_COMMAND", Judges.require("ssh") + " -F " + scratch.path("config"))
        .env("HOME", scratch.dir())
        .directory(scratch.dir())
        .run();
  }

  // ---- Connections ----------------------------------------------------------------------------

  @Test
  void theClientsAgentIsReachedFromInside() throws Exception {
    Path key = Keys.shared(Keys.Type.ED25519).path();
    try (var agent = SshAgent.start().add(key)) {
      Result result =
          Result.of(
              ssh("-A", "-o", "IdentityAgent=" + agent.socket(), "gateway")
                  .arguments(
                      "echo $SSH_AUTH_SOCK; stat -c %a $SSH_AUTH_SOCK ${SSH_AUTH_SOCK%/*}; ssh-add"
                          + " -l & ssh-add -l; wait")
                  .env("SSH_AUTH_SOCK", agent.socket())
                  .noStdin());
      String[] lines = result.stdout().split("\n", -1);
      assertThat(lines[1]).isEqualTo("600");
      assertThat(lines[2]).isEqualTo("700");
      String fingerprint = Keys.shared(Keys.Type.ED25519).fingerprint();
      assertThat(lines[3]).contains(fingerprint);
      assertThat(lines[4]).contains(fingerprint);
      Path socket = Path.of(lines[0]);
      Ports.await("the socket to go", () -> !Files.exists(socket.getParent()));
    }
    assertThat(run("gateway", "echo \"<$SSH_AUTH_SOCK>\"").stdout()).isEqualTo("<>\n");
  }

  @Test
  void manySessionsShareOneConnection() throws Exception {
    Path control = scratch.path("control");
    int before = server.events(ServerEvent.Connected.class).size();
    try (var master = ssh("-M", "-S", control, "-N", "gateway").noStdin().start()) {
      Ports.await("the control socket", () -> Files.exists(control));
      var sessions =
          java.util.stream.IntStream.range(0, 8)
              .mapToObj(
                  i ->
                      CompletableFuture.supplyAsync(
                          () -> run("-S", control, "gateway", "echo " + i + "; exit " + i)))
              .toList();
      for (int i = 0; i < 8; i++) {
        assertThat(sessions.get(i).get()).isEqualTo(new Result(i, i + "\n", ""));
      }
      assertThat(server.events(ServerEvent.Connected.class)).hasSize(before + 1);
      assertThat(master.isAlive()).isTrue();
    }
  }

  @Test
  void withoutASessionAConnectionStaysUntilItIsEnded() {
    try (var waiting = ssh("-N", "-v", "gateway").noStdin().start()) {
      waiting.awaitStderr("Entering interactive session");
      assertThat(waiting.isAlive()).isTrue();
      waiting.signal("TERM");
      waiting.exitCode();
    }
  }
}
