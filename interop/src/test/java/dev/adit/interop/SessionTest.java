package dev.adit.interop;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.adit.ssh.ConnectOptions;
import dev.adit.ssh.ExitStatus;
import dev.adit.ssh.HostKeyPolicy;
import dev.adit.ssh.PtyOptions;
import dev.adit.ssh.Session;
import dev.adit.ssh.SshClient;
import dev.adit.ssh.SshConnection;
import dev.adit.ssh.SshException;
import dev.adit.ssh.TerminalMode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The library's sessions, judged by OpenSSH's server and the programs that it runs. */
@Timeout(60)
class SessionTest {
  /** Sizes and checks of bulk data: 64 MiB. */
  private static final long BULK = 64L * 1024 * 1024;

  private static OpenSshServer server;
  private static SshClient client;
  private static SshConnection connection;

  @BeforeAll
  static void connect() throws Exception {
    server = OpenSshServer.start();
    client = SshClient.create();
    connection = client.connect(to(server));
  }

  @AfterAll
  static void disconnect() {
    connection.close();
    client.close();
    server.close();
  }

  private static ConnectOptions to(OpenSshServer server) {
    return to(server, server.user());
  }

  private static ConnectOptions to(OpenSshServer server, String user) {
    return ConnectOptions.to("127.0.0.1")
        .port(server.port())
        .user(user)
        .hostKeyPolicy(HostKeyPolicy.acceptAnyInsecurely())
        .identityFile(server.userKey())
        .build();
  }

  /** What a command wrote, and how it ended. */
  private record Result(String stdout, String stderr, ExitStatus status) {}

  private static Result run(String command) throws Exception {
    try (Session session = connection.openSession()) {
      session.exec(command);
      session.stdin().close();
      return finish(session);
    }
  }

  private static Result finish(Session session) throws Exception {
    var stderr = CompletableFuture.supplyAsync(() -> text(session.stderr()));
    return new Result(text(session.stdout()), stderr.join(), session.waitFor());
  }

  private static String text(InputStream in) {
    try {
      return new String(in.readAllBytes(), UTF_8);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 127, 255})
  void theExitStatusComesThrough(int code) throws Exception {
    assertThat(run("exit " + code).status()).isEqualTo(new ExitStatus.Exited(code));
  }

  @Test
  void aSignalThatKillsTheCommandIsTold() throws Exception {
    assertThat(run("kill -TERM $$").status())
        .isInstanceOfSatisfying(
            ExitStatus.Signaled.class, signaled -> assertThat(signaled.name()).isEqualTo("TERM"));
  }

  @Test
  void standardOutputAndErrorAreKeptApart() throws Exception {
    Result result = run("echo out; echo err >&2; echo out2");
    assertThat(result.stdout()).isEqualTo("out\nout2\n");
    assertThat(result.stderr()).isEqualTo("err\n");
  }

  @Test
  void theCommandSeesTheEndOfItsInputAndMayStillAnswer() throws Exception {
    try (Session session = connection.openSession()) {
      session.exec("sort; echo done");
      session.stdin().write("b\nc\na\n".getBytes(UTF_8));
      session.stdin().close();
      assertThat(finish(session).stdout()).isEqualTo("a\nb\nc\ndone\n");
    }
  }

  @Test
  void inputByteByByteArrivesWhole() throws Exception {
    byte[] bytes = RandomBytes.of(3, 20_000);
    try (Session session = connection.openSession()) {
      session.exec("cat");
      for (byte b : bytes) {
        session.stdin().write(b);
      }
      session.stdin().close();
      var in = session.stdout();
      for (byte b : bytes) {
        assertThat(in.read()).isEqualTo(b & 0xff);
      }
      assertThat(in.read()).isEqualTo(-1);
    }
  }

  @Test
  void bulkDataGoesBothWaysAtOnce() throws Exception {
    try (Session session = connection.openSession()) {
      session.exec("cat");
      var sender =
          CompletableFuture.supplyAsync(
              () -> {
                try (var stdin = session.stdin()) {
                  return RandomBytes.send(stdin, 1, BULK);
                } catch (IOException e) {
                  throw new AssertionError(e);
                }
              });
      var received = RandomBytes.receive(session.stdout());
      assertThat(received).isEqualTo(new RandomBytes.Received(BULK, sender.join()));
      assertThat(session.waitFor()).isEqualTo(new ExitStatus.Exited(0));
    }
  }

  @Test
  void filesGoBothWaysByChannel() throws Exception {
    try (var scratch = new Scratch();
        Session session = connection.openSession()) {
      Path from = scratch.path("from");
      Path to = scratch.path("to");
      try (var out = Files.newOutputStream(from)) {
        RandomBytes.send(out, 2, BULK);
      }
      session.exec("cat");
      var sender =
          CompletableFuture.supplyAsync(
              () -> {
                try (var file = FileChannel.open(from)) {
                  long sent = session.transferStdin(file);
                  session.stdin().close();
                  return sent;
                } catch (IOException e) {
                  throw new AssertionError(e);
                }
              });
      try (var file = FileChannel.open(to, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
        assertThat(session.transferStdout(file)).isEqualTo(BULK);
      }
      assertThat(sender.join()).isEqualTo(BULK);
      assertThat(Files.mismatch(from, to)).isEqualTo(-1);
    }
  }

  /** Unread output waits at the server; the bytes come when they are asked for. */
  @Test
  void outputThatNobodyReadsStopsTheCommandAndNothingElse() throws Exception {
    try (Session slow = connection.openSession()) {
      slow.exec("head -c 33554432 /dev/zero; echo written >&2");
      assertThat(run("echo hello").stdout()).isEqualTo("hello\n");
      await().atMost(10, SECONDS).until(() -> slow.stdout().available() >= 1024 * 1024);
      assertThat(slow.ended()).isNotDone();
      // Windows grow only for a reader that keeps up.
      assertThat(slow.stdout().available()).isLessThanOrEqualTo(2 * 1024 * 1024);
      assertThat(RandomBytes.receive(slow.stdout()).count()).isEqualTo(33_554_432);
      assertThat(text(slow.stderr())).isEqualTo("written\n");
    }
  }

  @Test
  void aCommandThatReadsNoMoreEndsTheWriting() throws Exception {
    try (Session session = connection.openSession()) {
      session.exec("exec <&-; sleep 0.2; echo bye");
      session.discardStderr();
      assertThatThrownBy(() -> RandomBytes.send(session.stdin(), 1, BULK))
          .isInstanceOf(IOException.class);
      assertThat(text(session.stdout())).isEqualTo("bye\n");
    }
  }

  @Test
  void discardedOutputDoesNotHoldTheCommandUp() throws Exception {
    try (Session session = connection.openSession()) {
      session.exec("head -c 16777216 /dev/zero; head -c 16777216 /dev/zero >&2; exit 7");
      session.discardStdout();
      session.discardStderr();
      assertThat(session.waitFor()).isEqualTo(new ExitStatus.Exited(7));
    }
  }

  @Test
  void aCommandWhoseOutputNobodyReadsGetsASigpipe() throws Exception {
    try (Session session = connection.openSession()) {
      session.exec("yes");
      session.discardStderr();
      assertThat(session.stdout().readNBytes(2)).isEqualTo("y\n".getBytes(UTF_8));
      session.stdout().close();
      assertThat(session.waitFor())
          .isInstanceOfSatisfying(
              ExitStatus.Signaled.class, signaled -> assertThat(signaled.name()).isEqualTo("PIPE"));
    }
  }

  @Test
  void theConnectionIsIdleWhenItsSessionsHaveEnded() throws Exception {
    try (var connected = client.connect(to(server));
        Session session = connected.openSession()) {
      session.exec("cat");
      var idle = connected.whenIdle();
      assertThat(connected.channels().get(10, SECONDS)).containsExactly("#0 session");
      assertThat(idle).isNotDone();
      session.stdin().close();
      finish(session);
      idle.get(10, SECONDS);
      connected.whenIdle().get(10, SECONDS);
    }
  }

  @Test
  void closingASessionHangsTheCommandUp() throws Exception {
    try (Session session = connection.openSession()) {
      session.exec("echo $$; cat");
      byte[] line = new byte[32];
      int length = session.stdout().read(line);
      long pid = Long.parseLong(new String(line, 0, length, UTF_8).strip());
      session.close();
      await().atMost(10, SECONDS).until(() -> ProcessHandle.of(pid).isEmpty());
      assertThat(session.stdout().read()).isEqualTo(-1);
    }
  }

  /** sshd passes no signals on for root. */
  @Test
  void aSignalReachesTheCommand() throws Exception {
    try (var account = TestAccount.create();
        var homes = OpenSshServer.start("AuthorizedKeysFile .ssh/authorized_keys")) {
      account.authorize(Keys.shared(Keys.Type.ED25519).publicLine());
      try (var connected = client.connect(to(homes, account.name()))) {
        signalReaches(connected);
      }
    }
  }

  private static void signalReaches(SshConnection connection) throws Exception {
    try (Session session = connection.openSession()) {
      session.exec("trap 'echo caught; exit 4' USR1; echo ready; while :; do sleep 0.05; done");
      byte[] ready = new byte[6];
      assertThat(session.stdout().readNBytes(ready, 0, 6)).isEqualTo(6);
      session.signal("USR1");
      assertThat(text(session.stdout())).isEqualTo("caught\n");
      assertThat(session.waitFor()).isEqualTo(new ExitStatus.Exited(4));
    }
  }

  @Test
  void variablesThatTheServerAcceptsAreSet() throws Exception {
    try (Session session = connection.openSession()) {
      session.env("ADIT_TEST", "a value with spaces; $HOME");
      session.env("NOT_ACCEPTED", "x");
      session.exec("echo \"$ADIT_TEST|$NOT_ACCEPTED|\"");
      assertThat(finish(session).stdout()).isEqualTo("a value with spaces; $HOME||\n");
    }
  }

  @Test
  void theSftpSubsystemAnswersItsHandshake() throws Exception {
    try (Session session = connection.openSession()) {
      session.subsystem("sftp");
      // SSH_FXP_INIT, version 3; the answer is SSH_FXP_VERSION (draft-ietf-secsh-filexfer-02).
      session.stdin().write(new byte[] {0, 0, 0, 5, 1, 0, 0, 0, 3});
      byte[] head = session.stdout().readNBytes(9);
      assertThat(head).hasSize(9);
      assertThat(head[4]).isEqualTo((byte) 2);
      assertThat(head[8]).isEqualTo((byte) 3);
    }
  }

  @Test
  void anUnknownSubsystemIsRefusedInSshsWords() throws Exception {
    try (Session session = connection.openSession()) {
      assertThatThrownBy(() -> session.subsystem("nonsense"))
          .isInstanceOf(SshException.RequestRefused.class)
          .hasMessage("subsystem request failed on channel " + session.channelId());
    }
  }

  @Test
  void aTerminalHasOurSizeAndModesAndFollowsTheWindow() throws Exception {
    try (Session session = connection.openSession()) {
      var pty =
          session.requestPty(
              new PtyOptions(
                  "adit-term",
                  101,
                  37,
                  0,
                  0,
                  Map.of(TerminalMode.ECHO, 0, TerminalMode.VINTR, 7, TerminalMode.IXON, 0)));
      session.exec("stty size; echo $TERM; stty -a; read -r line; stty size");
      assertThat(pty.get(10, SECONDS)).isTrue();
      var reader = session.stdout();
      var seen = new StringBuilder();
      while (!seen.toString().contains("-echo ")) {
        byte[] piece = new byte[1000];
        int n = reader.read(piece);
        assertThat(n).as("output before the end: %s", seen).isPositive();
        seen.append(new String(piece, 0, n, UTF_8));
      }
      assertThat(seen.toString()).startsWith("37 101\r\nadit-term\r\n");
      assertThat(seen.toString()).contains("intr = ^G;").contains("-ixon");
      session.windowChange(80, 25, 0, 0);
      session.stdin().write('\n');
      assertThat(text(reader)).endsWith("25 80\r\n");
      assertThat(session.waitFor()).isEqualTo(new ExitStatus.Exited(0));
    }
  }

  @Test
  void aShellReadsCommandsFromStandardInput() throws Exception {
    try (Session session = connection.openSession()) {
      session.shell();
      session.stdin().write("echo $((6 * 7))\nexit 5\n".getBytes(UTF_8));
      Result result = finish(session);
      assertThat(result.stdout()).isEqualTo("42\n");
      assertThat(result.status()).isEqualTo(new ExitStatus.Exited(5));
    }
  }

  @Test
  void programsAtTheServerUseTheAgentThatWasLent() throws Exception {
    try (var agent = SshAgent.start().add(server.userKey());
        Session session = connection.openSession()) {
      var agreed = session.forwardAgent(agent.socket());
      session.exec("ssh-add -l");
      assertThat(agreed.get(10, SECONDS)).isTrue();
      assertThat(finish(session).stdout())
          .contains(server.hostKey(Keys.Type.ED25519).fingerprint());
    }
  }

  @Test
  void anAgentThatIsGoneIsAnErrorOfTheProgramThatAsks() throws Exception {
    try (Session session = connection.openSession()) {
      var _ = session.forwardAgent(Path.of("/nonexistent/agent"));
      session.exec("ssh-add -l 2>&1");
      assertThat(finish(session).status()).isNotEqualTo(new ExitStatus.Exited(0));
    }
    assertThat(run("echo still here").stdout()).isEqualTo("still here\n");
  }

  @Test
  void aServerThatPermitsNeitherTerminalNorAgentRefusesThemAndRunsTheCommand() throws Exception {
    try (var strict = OpenSshServer.start("PermitTTY no", "AllowAgentForwarding no");
        var connected = client.connect(to(strict));
        Session session = connected.openSession()) {
      var pty = session.requestPty(PtyOptions.of("xterm", 80, 24));
      var agent = session.forwardAgent(Path.of("/nonexistent"));
      session.exec("echo hello");
      assertThat(pty.get(10, SECONDS)).isFalse();
      assertThat(agent.get(10, SECONDS)).isFalse();
      assertThat(finish(session).stdout()).isEqualTo("hello\n");
    }
  }

  @Test
  void aSessionThatTheServerRefusesSaysWhy() throws Exception {
    try (var strict = OpenSshServer.start("MaxSessions 0");
        var connected = client.connect(to(strict))) {
      assertThatThrownBy(connected::openSession)
          .isInstanceOf(SshException.ChannelRefused.class)
          .hasMessage("connect failed: open failed");
    }
  }

  @Test
  void aLostConnectionEndsTheSessionWithItsCause() throws Exception {
    var doomed = OpenSshServer.start();
    try (var connected = client.connect(to(doomed));
        Session session = connected.openSession()) {
      session.exec("echo before; exec sleep 60");
      assertThat(session.stdout().readNBytes(7)).isEqualTo("before\n".getBytes(UTF_8));
      doomed.close();
      assertThat(session.waitFor())
          .isInstanceOfSatisfying(
              ExitStatus.Unknown.class, unknown -> assertThat(unknown.cause()).isNotNull());
      assertThatThrownBy(() -> session.stdout().read()).isInstanceOf(SshException.class);
      assertThatThrownBy(() -> session.stdin().write(new byte[1 << 20]))
          .isInstanceOf(IOException.class);
    }
  }

  @Test
  void theServersSignsOfLifeAreAnswered() throws Exception {
    try (var anxious = OpenSshServer.start("ClientAliveInterval 1", "ClientAliveCountMax 1");
        var connected = client.connect(to(anxious));
        Session session = connected.openSession()) {
      session.exec("sleep 3.5; echo alive");
      assertThat(finish(session).stdout()).isEqualTo("alive\n");
    }
  }
}
