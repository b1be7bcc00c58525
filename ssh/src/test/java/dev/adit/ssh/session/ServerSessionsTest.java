package dev.adit.ssh.session;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.adit.ssh.AccessPolicy;
import dev.adit.ssh.Decision;
import dev.adit.ssh.ExitStatus;
import dev.adit.ssh.Launch;
import dev.adit.ssh.PtyOptions;
import dev.adit.ssh.Session;
import dev.adit.ssh.SessionRequest;
import dev.adit.ssh.SshException;
import dev.adit.ssh.TerminalMode;
import dev.adit.ssh.TunnelEvent;
import dev.adit.ssh.connection.Connection;
import dev.adit.ssh.transport.PacketSink;
import dev.adit.ssh.wire.Message;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Sessions at a server, with the client's side of them at the other end of a pipe of packets. */
@Timeout(30)
class ServerSessionsTest {
  private final MultiThreadIoEventLoopGroup loops =
      new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
  private final EventLoop loop = loops.next();
  private final List<TunnelEvent> events = new CopyOnWriteArrayList<>();
  private final Pipe toServer = new Pipe();
  private final Pipe toClient = new Pipe();
  private final Connection client = new Connection(toServer, _ -> {});
  private final Connection server = new Connection(toClient, events::add);
  private @TempDir Path home;

  /** Packets from one connection to the other, on one loop, in order and never at once. */
  private final class Pipe implements PacketSink {
    private final CompletableFuture<Connection> to = new CompletableFuture<>();

    @Override
    public EventLoop eventLoop() {
      return loop;
    }

    @Override
    public void send(Message message) {
      deliver(Unpooled.wrappedBuffer(message.toBytes()));
    }

    @Override
    public void sendInPlace(ByteBuf payload) {
      deliver(payload);
    }

    private void deliver(ByteBuf payload) {
      try {
        loop.execute(() -> arrived(payload));
      } catch (RejectedExecutionException _) {
        payload.release();
      }
    }

    private void arrived(ByteBuf payload) {
      try {
        int at = payload.readerIndex();
        if (!to.join().hasEnded()) {
          to.join().packet(payload.getUnsignedByte(at), payload, at, payload.readableBytes());
        }
      } catch (IOException e) {
        to.join().closed(SshException.Disconnected.local(String.valueOf(e), e));
      } finally {
        payload.release();
      }
    }

    @Override
    public boolean dataAllowed() {
      return true;
    }

    @Override
    public void hold(long bytes) {}

    @Override
    public void fail(SshException cause) {
      throw new AssertionError(cause);
    }
  }

  /** Everything is allowed that a test doesn't forbid; commands are for /bin/sh. */
  private class Policy implements AccessPolicy {
    @Override
    public String user() {
      return "test";
    }

    @Override
    public Decision<Launch> launch(SessionRequest request) {
      return Decision.allowed(
          switch (request.kind()) {
            case SHELL -> launch(List.of("/bin/sh"), "-sh", request);
            case EXEC -> launch(List.of("/bin/sh", "-c", request.command()), "", request);
            case SUBSYSTEM -> launch(List.of(request.command().split(" ")), "", request);
          });
    }

    private Launch launch(List<String> argv, String name, SessionRequest request) {
      var environment = new java.util.HashMap<>(request.environment());
      environment.put("PATH", "/usr/bin:/bin");
      return new Launch(argv, name, home, environment);
    }

    @Override
    public Decision<PtyOptions> terminal(PtyOptions asked) {
      return Decision.allowed(asked);
    }

    @Override
    public boolean acceptsVariable(String name) {
      return name.startsWith("OK_");
    }

    @Override
    public boolean allowsAgentForwarding() {
      return true;
    }

    @Override
    public int maxSessions() {
      return 2;
    }
  }

  @BeforeEach
  void connect() {
    toServer.to.complete(server);
    toClient.to.complete(client);
    serve(new Policy());
  }

  private void serve(AccessPolicy policy) {
    ServerSessions.on(
        server, policy, _ -> CompletableFuture.completedFuture(Path.of("/tmp/agent-of-test")));
  }

  /** As a server ends: what a connection holds is given back while its loop still runs. */
  @AfterEach
  void end() throws Exception {
    if (!loop.isShuttingDown()) {
      var cause = SshException.Disconnected.local("the test is over");
      loop.submit(
              () -> {
                client.closed(cause);
                server.closed(cause);
              })
          .sync();
    }
    loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
  }

  private Session open() throws Exception {
    return ClientSession.open(client, _ -> {});
  }

  private record Result(String stdout, String stderr, ExitStatus status) {}

  private Result run(String command) throws Exception {
    try (Session session = open()) {
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

  private static String firstLine(Session session) throws IOException {
    var line = new StringBuilder();
    for (int b; (b = session.stdout().read()) != '\n'; ) {
      assertThat(b).as("behind %s", line).isNotNegative();
      line.append((char) b);
    }
    return line.toString();
  }

  private static boolean isAlive(String pid) {
    return ProcessHandle.of(Long.parseLong(pid)).map(ProcessHandle::isAlive).orElse(false);
  }

  @Test
  void aCommandsStreamsAreApartAndItsStatusIsTold() throws Exception {
    assertThat(run("echo out; echo err >&2; exit 7"))
        .isEqualTo(new Result("out\n", "err\n", new ExitStatus.Exited(7)));
  }

  @Test
  void theStatusIsToldThoughTheClientClosesAtTheEndOfFile() throws Exception {
    try (Session session = open()) {
      session.exec("exec >&- 2>&-; sleep 0.2; exit 3");
      session.stdin().close();
      assertThat(session.stdout().read()).isEqualTo(-1);
      session.close();
      assertThat(session.waitFor()).isEqualTo(new ExitStatus.Exited(3));
    }
  }

  @Test
  void aSignalsNameIsToldAndAStatusOver128IsNoSignal() throws Exception {
    assertThat(run("kill -TERM $$").status()).isEqualTo(new ExitStatus.Signaled("TERM", false, ""));
    assertThat(run("exit 143").status()).isEqualTo(new ExitStatus.Exited(143));
    assertThat(run("kill -IO $$").status())
        .isEqualTo(new ExitStatus.Signaled("SIG@openssh.com", false, ""));
  }

  @Test
  void bytesOfEveryValuePassBothWaysAndTheEndOfInputIsSeen() throws Exception {
    byte[] data = new byte[5_000_000];
    new Random(3).nextBytes(data);
    try (Session session = open()) {
      session.exec("cat; echo done >&2");
      var echoed =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return session.stdout().readAllBytes();
                } catch (IOException e) {
                  throw new AssertionError(e);
                }
              });
      session.stdin().write(data);
      session.stdin().close();
      assertThat(Arrays.equals(echoed.get(), data)).isTrue();
      assertThat(text(session.stderr())).isEqualTo("done\n");
    }
  }

  @Test
  void aCommandThatReadsNothingTakesNoMoreThanAWindowAndAPipe() throws Exception {
    try (Session session = open()) {
      session.exec("echo $$; exec sleep 60");
      firstLine(session);
      var sent = new AtomicLong();
      var writing =
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      for (byte[] piece = new byte[1000]; ; sent.addAndGet(piece.length)) {
                        session.stdin().write(piece);
                      }
                    } catch (IOException _) {
                      // The session was closed under it.
                    }
                  });
      await().until(() -> sent.get() > 2_000_000 && writing.getState() == Thread.State.WAITING);
      // The window, what the client's outbox takes, and a pipe.
      assertThat(sent.get()).isLessThan((2048 + 512 + 64) * 1024);
    }
  }

  @Test
  void aCommandThatStopsReadingIsToldToTheClientAsEndOfWrite() throws Exception {
    try (Session session = open()) {
      session.exec("exec <&-; echo closed; sleep 60");
      firstLine(session);
      assertThatThrownBy(
              () -> {
                while (true) {
                  session.stdin().write(new byte[10_000]);
                }
              })
          .hasMessageContaining("reads no more");
    }
  }

  @Test
  void aClientThatReadsNoMoreEndsTheWriter() throws Exception {
    try (Session session = open()) {
      session.exec("exec yes");
      session.stdout().readNBytes(100);
      session.stdout().close();
      assertThat(session.waitFor()).isEqualTo(new ExitStatus.Signaled("PIPE", false, ""));
    }
  }

  @Test
  void aBackgroundChildKeepsAPipeOpenButNotATerminal() throws Exception {
    try (Session session = open()) {
      session.exec("(sleep 0.2; echo late) & echo early; exit 3");
      assertThat(finish(session))
          .isEqualTo(new Result("early\nlate\n", "", new ExitStatus.Exited(3)));
    }
    try (Session session = open()) {
      var _ = session.requestPty(PtyOptions.of("dumb", 80, 24));
      session.exec("(trap '' HUP; sleep 60) & echo early; exit 3");
      assertThat(finish(session)).isEqualTo(new Result("early\r\n", "", new ExitStatus.Exited(3)));
    }
  }

  /** The kernel hangs a terminal up with the leader of its session, unless that one has left it. */
  @Test
  void aTerminalThatABackgroundChildHoldsIsReadEmptyAndThenOver() throws Exception {
    try (Session session = open()) {
      var _ = session.requestPty(PtyOptions.of("dumb", 80, 24));
      var tiocnotty = "0x5422";
      session.exec(
          "exec perl -e '$SIG{HUP} = \"IGNORE\"; ioctl(STDIN, "
              + tiocnotty
              + ", 0) or die $!; fork or exec(\"sleep\", 60); print \"0123456789abcde\\n\" x"
              + " 10000; exit 3'");
      var result = finish(session);
      assertThat(result.stdout()).isEqualTo("0123456789abcde\r\n".repeat(10_000));
      assertThat(result.status()).isEqualTo(new ExitStatus.Exited(3));
    }
  }

  @Test
  void theProcessIsHungUpWhenTheClientClosesTheSession() throws Exception {
    Session session = open();
    session.exec("echo $$; exec sleep 60");
    String pid = firstLine(session);
    assertThat(isAlive(pid)).isTrue();
    session.close();
    await().until(() -> !isAlive(pid));
    await().until(() -> events.stream().anyMatch(TunnelEvent.ChannelClosed.class::isInstance));
  }

  @Test
  void everyProcessOfTheGroupIsHungUpWhenTheConnectionDies() throws Exception {
    Session session = open();
    session.exec("sleep 60 & echo $!; wait");
    String child = firstLine(session);
    var cause = SshException.Disconnected.local("gone");
    loop.submit(() -> server.closed(cause)).sync();
    await().until(() -> !isAlive(child));
  }

  @Test
  void theProcessLeadsASessionOfItsOwnAndInheritsNothing() throws Exception {
    try (var extra = Files.newInputStream(home.getRoot().resolve("/dev/null"))) {
      assertThat(extra.available()).isZero();
      // Fields 5 and 6 of stat are the process group and the session.
      Result result =
          run(
              "echo $$; cut -d' ' -f5,6 /proc/$$/stat; ls /proc/self/fd | tr '\\n' ' '; echo;"
                  + " grep SigIgn /proc/$$/status; tr '\\0' '\\n' < /proc/$$/environ;"
                  + " pwd");
      String[] lines = result.stdout().split("\n");
      assertThat(lines[1]).isEqualTo(lines[0] + " " + lines[0]);
      // ls itself has the folder open.
      assertThat(lines[2].strip()).isEqualTo("0 1 2 3");
      // 32 and 33 are glibc's own, which its posix_spawn has ignored.
      assertThat(lines[3]).matches("SigIgn:\\s0{7}[01]80000000");
      assertThat(Arrays.copyOfRange(lines, 4, lines.length))
          .containsExactly("PATH=/usr/bin:/bin", home.toString());
    }
  }

  @Test
  void onlyVariablesThatThePolicyAcceptsPass() throws Exception {
    try (Session session = open()) {
      session.env("OK_ONE", "a = b; $HOME");
      session.env("LD_PRELOAD", "x");
      session.env("OK_X=Y", "x");
      session.env("OK_NUL", "a\0b");
      session.exec("env | grep -v -E '^(PATH|PWD|SHLVL|_)='");
      assertThat(finish(session).stdout()).isEqualTo("OK_ONE=a = b; $HOME\n");
    }
  }

  @Test
  void variablesHaveALimit() throws Exception {
    try (Session session = open()) {
      for (int i = 0; i < 1000; i++) {
        session.env("OK_" + i, "x");
      }
      session.exec("env | grep -c OK_");
      assertThat(finish(session).stdout()).isEqualTo(SessionLimits.MAX_VARIABLES + "\n");
    }
    try (Session session = open()) {
      for (int i = 0; i < 100; i++) {
        session.env("OK_" + i, "x".repeat(10_000));
      }
      session.exec("env | grep -c OK_");
      assertThat(finish(session).stdout()).isEqualTo("6\n");
    }
  }

  @Test
  void aCommandIsBytesNotText() throws Exception {
    Path latin1 = home.resolve("plain");
    Files.writeString(latin1, "found");
    byte[] name = "caf\u00e9-\ud83d\ude00".getBytes(UTF_8);
    byte[] raw = new byte[] {'x', (byte) 0xe9, (byte) 0xff, 'y'};
    assertThat(UnixText.encode(UnixText.decode(raw))).isEqualTo(raw);
    assertThat(UnixText.decode(name)).isEqualTo("caf\u00e9-\ud83d\ude00");
    assertThat(UnixText.encode(UnixText.decode(name))).isEqualTo(name);
    for (int seed = 0; seed < 200; seed++) {
      byte[] any = new byte[seed];
      new Random(seed).nextBytes(any);
      assertThat(UnixText.encode(UnixText.decode(any))).isEqualTo(any);
    }
    String command =
        "printf '" + UnixText.decode("\u00e9\u00fc".getBytes(ISO_8859_1)) + "' | od -An -tx1";
    assertThat(UnixText.encode(command)).contains(0xe9, 0xfc);
  }

  @Test
  void aTerminalHasTheSizeAndModesThatWereAskedForFromTheFirstMoment() throws Exception {
    try (Session session = open()) {
      var modes =
          Map.of(
              TerminalMode.ECHO, 0,
              TerminalMode.VINTR, 7,
              TerminalMode.VQUIT, 255,
              TerminalMode.IXON, 0,
              TerminalMode.ONLCR, 0,
              TerminalMode.OSPEED, 9600);
      var granted = session.requestPty(new PtyOptions("adit-term", 101, 37, 0, 0, modes));
      session.exec("stty size; stty -a; echo $TERM $SSH_TTY; tty");
      assertThat(granted.get()).isTrue();
      String out = finish(session).stdout();
      assertThat(out).startsWith("37 101\nspeed 9600 baud;");
      assertThat(out).contains("intr = ^G;", "quit = <undef>;", " -ixon ", "-echo ", "-onlcr");
      String[] lines = out.split("\n");
      assertThat(lines[lines.length - 2]).isEqualTo("adit-term " + lines[lines.length - 1]);
    }
  }

  @Test
  void keysSignalsAndSizesReachTheProgramsOfATerminal() throws Exception {
    try (Session session = open()) {
      var _ = session.requestPty(PtyOptions.of("dumb", 80, 24));
      session.exec(
          "trap 'stty size' WINCH; trap 'echo int' INT; trap 'echo quit; exit 4' QUIT;"
              + " echo ready; while :; do sleep 0.02; done");
      assertThat(firstLine(session)).isEqualTo("ready\r");
      session.windowChange(132, 43, 0, 0);
      assertThat(firstLine(session)).isEqualTo("43 132\r");
      session.stdin().write(3);
      assertThat(firstLine(session)).isEqualTo("^Cint\r");
      session.stdin().write(28);
      // The keys reach sleep as well, and the shell tells of its end.
      assertThat(text(session.stdout())).contains("quit\r\n");
      assertThat(session.waitFor()).isEqualTo(new ExitStatus.Exited(4));
    }
  }

  @Test
  void muchInputReachesASlowProgramOfATerminal() throws Exception {
    byte[] data = "0123456789abcde\n".repeat(20_000).getBytes(UTF_8);
    try (Session session = open()) {
      var raw =
          Map.of(
              TerminalMode.ICANON, 0,
              TerminalMode.ECHO, 0,
              TerminalMode.ISIG, 0,
              TerminalMode.ICRNL, 0,
              TerminalMode.IXON, 0,
              TerminalMode.OPOST, 0);
      var _ = session.requestPty(new PtyOptions("dumb", 80, 24, 0, 0, raw));
      session.exec("sleep 0.2; head -c " + data.length + " | cksum");
      session.stdin().write(data);
      var expected = new ProcessBuilder("cksum").start();
      expected.getOutputStream().write(data);
      expected.getOutputStream().close();
      assertThat(text(session.stdout())).isEqualTo(text(expected.getInputStream()));
    }
  }

  @Test
  void aShellIsALoginShell() throws Exception {
    try (Session session = open()) {
      session.shell();
      session.stdin().write("echo $0\nexit 5\n".getBytes(UTF_8));
      assertThat(finish(session)).isEqualTo(new Result("-sh\n", "", new ExitStatus.Exited(5)));
    }
  }

  @Test
  void signalsOfTheClientReachTheProcessGroup() throws Exception {
    try (Session session = open()) {
      session.exec("trap 'echo usr1; exit 6' USR1; echo ready; while :; do sleep 0.02; done");
      firstLine(session);
      session.signal("NONSENSE");
      session.signal("USR1");
      assertThat(finish(session).status()).isEqualTo(new ExitStatus.Exited(6));
    }
  }

  @Test
  void aProgramThatCannotBeStartedIsAnErrorLineAndAShellsStatus() throws Exception {
    long before = ourFiles();
    try (Session session = open()) {
      session.subsystem("/nonexistent/program");
      assertThat(finish(session))
          .isEqualTo(
              new Result(
                  "",
                  "/nonexistent/program: No such file or directory\n",
                  new ExitStatus.Exited(127)));
    }
    try (Session session = open()) {
      var _ = session.requestPty(PtyOptions.of("dumb", 80, 24));
      session.subsystem("/etc/passwd");
      assertThat(finish(session).status()).isEqualTo(new ExitStatus.Exited(126));
    }
    await().untilAsserted(() -> assertThat(ourFiles()).isLessThanOrEqualTo(before));
  }

  private static String openFiles() throws IOException {
    var files = new ArrayList<String>();
    try (var all = Files.list(Path.of("/proc/self/fd"))) {
      for (Path file : all.toList()) {
        // 0 to 2 may be pipes of the build's.
        if (file.getFileName().toString().length() > 1) {
          try {
            files.add(Files.readSymbolicLink(file).toString());
          } catch (IOException _) {
            // The listing's own.
          }
        }
      }
    }
    return files.toString();
  }

  @Test
  void noFileAndNoProcessIsLeftBehind() throws Exception {
    // A test before this one may have ended its event loop under a session.
    long before = ourFiles();
    long children = ProcessHandle.current().children().count();
    for (int i = 0; i < 20; i++) {
      run("echo hello");
      try (Session session = open()) {
        var _ = session.requestPty(PtyOptions.of("dumb", 80, 24));
        session.exec("echo hello");
        finish(session);
      }
    }
    await().untilAsserted(() -> assertThat(ourFiles()).isLessThanOrEqualTo(before));
    await()
        .untilAsserted(
            () ->
                assertThat(ProcessHandle.current().children().count())
                    .isLessThanOrEqualTo(children));
  }

  private static long ourFiles() throws IOException {
    return Pattern.compile("pipe:|ptmx|pidfd").matcher(openFiles()).results().count();
  }

  @Test
  void aProgramThatStartsWhileItsLoopEndsLeavesNoFileBehind() throws Exception {
    var launch = new Launch(List.of("/bin/sleep", "60"), "", home, Map.of());
    var started = ChildProcess.start(launch, Map.of(), null);
    loop.submit(
            () -> {
              loops.shutdownGracefully(0, 1, TimeUnit.SECONDS);
              ChildProcess.watch(loop, started, _ -> {});
            })
        .sync();
    loops.terminationFuture().sync();
    started.closeStreams();
    Posix.signalGroup(started.pid(), Posix.SIGHUP);
    assertThat(filesThatWatch(started.pid())).isEmpty();
  }

  private static List<Path> filesThatWatch(int pid) throws IOException {
    var watching = new ArrayList<Path>();
    try (var all = Files.list(Path.of("/proc/self/fdinfo"))) {
      for (Path file : all.toList()) {
        try {
          if (Files.readAllLines(file).contains("Pid:\t" + pid)) {
            watching.add(file);
          }
        } catch (IOException _) {
          // The listing's own.
        }
      }
    }
    return watching;
  }

  @Test
  void noSignalIsBlockedThoughTheJvmBlocksSome() throws Exception {
    try (Session session = open()) {
      // A shell would clear the mask by itself.
      session.subsystem("/usr/bin/env grep SigBlk /proc/self/status");
      assertThat(finish(session).stdout()).matches("SigBlk:\\s0{16}\n");
    }
  }

  @Test
  void aMissingDirectoryIsSaidAndTheRootTaken() throws Exception {
    home = Path.of("/nonexistent");
    assertThat(run("pwd"))
        .isEqualTo(
            new Result(
                "/\n",
                "Could not chdir to home directory /nonexistent: No such file or directory\n",
                new ExitStatus.Exited(0)));
  }

  @Test
  void aRefusalSaysWhyOnStandardErrorBeforeItFails() throws Exception {
    serve(
        new Policy() {
          @Override
          public Decision<Launch> launch(SessionRequest request) {
            return Decision.denied("only tunnels for \u001b[31mcarol");
          }

          @Override
          public Decision<PtyOptions> terminal(PtyOptions asked) {
            return Decision.denied("PermitTTY no");
          }
        });
    try (Session session = open()) {
      assertThat(session.requestPty(PtyOptions.of("dumb", 80, 24)).get()).isFalse();
      assertThatThrownBy(() -> session.exec("id")).isInstanceOf(SshException.RequestRefused.class);
      // It was there before the refusal.
      assertThat(session.stderr().available()).isPositive();
      assertThatThrownBy(session::shell).isInstanceOf(SshException.RequestRefused.class);
      session.close();
      assertThat(text(session.stderr())).isEmpty();
    }
    assertThat(events)
        .contains(new TunnelEvent.Notice("session 0: refused: only tunnels for \\x1b[31mcarol"));
  }

  @Test
  void oneChannelRunsOneProgram() throws Exception {
    try (Session session = open()) {
      session.exec("cat");
      assertThatThrownBy(() -> session.exec("id")).isInstanceOf(SshException.RequestRefused.class);
      assertThat(session.requestPty(PtyOptions.of("dumb", 80, 24)).get()).isFalse();
    }
  }

  @Test
  void moreThanMaxSessionsAreRefusedUntilOneEnds() throws Exception {
    try (Session first = open();
        Session second = open()) {
      assertThat(first.channelId()).isNotEqualTo(second.channelId());
      assertThatThrownBy(this::open).hasMessageContaining("MaxSessions is 2, and as many are open");
      first.close();
      await()
          .untilAsserted(
              () -> {
                try (Session third = open()) {
                  third.exec("true");
                }
              });
    }
  }

  @Test
  void theAgentsSocketIsNamedToSessionsThatAskedForIt() throws Exception {
    try (Session session = open()) {
      assertThat(session.forwardAgent(Path.of("/nonexistent")).get()).isTrue();
      session.exec("echo $SSH_AUTH_SOCK");
      assertThat(finish(session).stdout()).isEqualTo("/tmp/agent-of-test\n");
    }
    assertThat(run("echo \"<$SSH_AUTH_SOCK>\"").stdout()).isEqualTo("<>\n");
  }

  @Test
  void aTerminalsNameAndSizeHaveALimit() throws Exception {
    try (Session session = open()) {
      assertThat(session.requestPty(PtyOptions.of("x".repeat(129), 80, 24)).get()).isFalse();
    }
    try (Session session = open()) {
      assertThat(session.requestPty(PtyOptions.of("x".repeat(128), 70_000, 1 << 30)).get())
          .isTrue();
      session.exec("stty size");
      assertThat(finish(session).stdout()).isEqualTo("65535 65535\r\n");
    }
  }

  @Test
  void fewThreadsStartPrograms() throws Exception {
    for (int i = 0; i < 20; i++) {
      assertThat(run("echo " + i).stdout()).isEqualTo(i + "\n");
    }
    assertThat(starters()).isBetween(1L, 2L);
    Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> starters() == 0);
  }

  private static long starters() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("adit-start-"))
        .count();
  }
}
