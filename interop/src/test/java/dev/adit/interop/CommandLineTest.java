package dev.adit.interop;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * {@code ./adit} as people type it, at a real sshd: what works, and the line that says what not.
 */
class CommandLineTest {
  private static OpenSshServer server;
  private static Scratch home;

  @BeforeAll
  static void start() {
    server = OpenSshServer.start(List.of(Keys.Type.ED25519), "PermitOpen any");
    home = new Scratch();
  }

  @AfterAll
  static void stop() {
    home.close();
    server.close();
  }

  private static Program adit(Object... more) {
    return AditProcess.adit(home.dir(), AditProcess.to(server, more)).noStdin();
  }

  /** Exit status 255, and standard error is these lines, no more. */
  private static void refused(Program program, String regex) {
    try (var run = program.start()) {
      assertThat(run.exitCode()).as(run::toString).isEqualTo(255);
      assertThat(run.stdout()).isEmpty();
      assertThat(run.stderr().replace("\r\n", "\n").strip()).matches(regex);
    }
  }

  /** What a client may have while it idles with one forward, in bytes. */
  private static final long IDLE_MEMORY = 80_000_000;

  @Test
  void anIdleClientIsSmall() throws Exception {
    int port = Ports.free();
    try (var adit = adit("-N", "-L", port + ":127.0.0.1:" + server.port(), "127.0.0.1").start()) {
      Ports.awaitAccepting(port);
      try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
        assertThat(socket.getInputStream().readNBytes(4)).asString().isEqualTo("SSH-");
      }
      assertThat(adit.residentBytes()).isPositive().isLessThan(IDLE_MEMORY);
    }
  }

  @Test
  void anUnknownHost() {
    refused(
        AditProcess.adit(home.dir(), "-F", "none", "-N", "no-such-host.invalid").noStdin(),
        "adit: Could not resolve hostname no-such-host\\.invalid: .*");
  }

  @Test
  void aClosedPort() {
    int port = Ports.free();
    refused(
        AditProcess.adit(home.dir(), "-F", "none", "-N", "-p", port, "127.0.0.1").noStdin(),
        "adit: connect to host 127\\.0\\.0\\.1 port " + port + ": Connection refused");
  }

  @Test
  void connectionAttemptsAreMadeOneAfterTheOther() throws IOException {
    int port = Ports.free();
    Program twice =
        AditProcess.adit(home.dir(), "-F", "none", "-vN", "-o", "ConnectionAttempts=2")
            .arguments("-p", port, "127.0.0.1")
            .noStdin();
    String refused = "connect to address 127.0.0.1 port " + port + ": Connection refused";
    try (var run = twice.start()) {
      assertThat(run.exitCode()).isEqualTo(255);
      assertThat(run.stderr().split(Pattern.quote(refused), -1)).hasSize(3);
    }
    try (var run = twice.start().awaitStderr(Pattern.quote(refused));
        var listener = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      listener.setSoTimeout(10_000);
      try (Socket second = listener.accept()) {
        assertThat(second.getInputStream().readNBytes(8)).asString().isEqualTo("SSH-2.0-");
      }
      assertThat(run.exitCode()).isEqualTo(255);
    }
  }

  @Test
  void batchModeAsksNobody() {
    Path asked = home.path("asked");
    Path askpass = home.write("askpass", "#!/bin/sh\ntouch '%s'\necho secret\n".formatted(asked));
    assertThat(askpass.toFile().setExecutable(true)).isTrue();
    try (var passwords = OpenSshServer.start("PasswordAuthentication yes")) {
      for (String batch : List.of("yes", "no")) {
        refused(
            AditProcess.adit(home.dir(), "-F", "none", "-p", passwords.port(), "-N")
                .arguments("-o", "BatchMode=" + batch, "-o", "NumberOfPasswordPrompts=1")
                .arguments("-o", "UserKnownHostsFile=" + passwords.knownHosts(), "-l", "nobody")
                .arguments("127.0.0.1")
                .env("SSH_ASKPASS", askpass)
                .env("SSH_ASKPASS_REQUIRE", "force")
                .noStdin(),
            "nobody@127\\.0\\.0\\.1: Permission denied \\(publickey,password\\)\\.");
        assertThat(Files.exists(asked)).isEqualTo(batch.equals("no"));
      }
    }
  }

  @Test
  void aServerThatIsNotSsh() {
    try (var http = TestServer.start(TestServer.say("HTTP/1.1 400 Bad Request\r\n"))) {
      refused(
          AditProcess.adit(home.dir(), "-F", "none", "-N", "-p", http.port(), "127.0.0.1")
              .noStdin(),
          ".* 127\\.0\\.0\\.1 port %d.*it is not an SSH server: it sent \"HTTP/1\\.1 400 Bad Request\".*"
              .formatted(http.port()));
    }
  }

  @Test
  void aServerThatSaysNothing() {
    try (var silent = TestServer.start(TestServer.stalled())) {
      refused(
          AditProcess.adit(home.dir(), "-F", "none", "-N", "-o", "ConnectTimeout=1")
              .arguments("-p", silent.port(), "127.0.0.1")
              .noStdin(),
          "Connection to 127\\.0\\.0\\.1 port "
              + silent.port()
              + " timed out during banner exchange");
    }
  }

  @Test
  void noCommonCipher() {
    try (var narrow = OpenSshServer.start(List.of(Keys.Type.ED25519), "Ciphers aes256-ctr")) {
      refused(
          AditProcess.adit(
                  home.dir(), AditProcess.to(narrow, "-c", "aes128-ctr", "-N", "127.0.0.1"))
              .noStdin(),
          "Unable to negotiate with 127\\.0\\.0\\.1 port "
              + narrow.port()
              + ": no matching cipher found\\. Their offer: aes256-ctr.*");
    }
  }

  @Test
  void aKeyThatTheServerDoesNotKnow() throws IOException {
    try (var keys = new Scratch()) {
      Path stranger = keys.path("stranger");
      Program.of("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", stranger).run();
      refused(
          AditProcess.adit(home.dir(), "-F", "none", "-p", server.port(), "-i", stranger)
              .arguments("-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes")
              .arguments("-o", "UserKnownHostsFile=" + server.knownHosts())
              .arguments("-l", server.user(), "-N", "127.0.0.1")
              .noStdin(),
          server.user() + "@127\\.0\\.0\\.1: Permission denied \\(.*publickey.*\\)\\.");
      assertThat(Files.exists(stranger)).isTrue();
    }
  }

  @Test
  void aPortInUseWithExitOnForwardFailure() throws IOException {
    try (var taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      int port = taken.getLocalPort();
      refused(
          adit("-o", "ExitOnForwardFailure=yes", "-N")
              .arguments("-L", "127.0.0.1:" + port + ":x:80", "127.0.0.1"),
          "bind \\[127\\.0\\.0\\.1\\]:" + port + ": Address already in use");
    }
  }

  @Test
  void aWrongForwardPointsAtTheCharacter() {
    refused(
        adit("-N", "-L", "9001:x", "127.0.0.1"),
        "(?s)Bad local forwarding specification '9001:x'\n  9001:x\n +\\^ .* was expected here");
  }

  @Test
  void aChangedHostKeyStopsEverythingAndNamesTheLine() throws IOException {
    try (var other = new Scratch()) {
      Path key = other.path("key");
      Program.of("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).run();
      Path known = other.path("known_hosts");
      Files.writeString(
          known,
          "# first line\n[127.0.0.1]:"
              + server.port()
              + " "
              + Files.readString(Path.of(key + ".pub")));
      try (var run =
          AditProcess.adit(home.dir(), "-F", "none", "-p", server.port(), "-i", server.userKey())
              .arguments("-o", "UserKnownHostsFile=" + known, "-o", "BatchMode=yes")
              .arguments("-l", server.user(), "-N", "127.0.0.1")
              .noStdin()
              .start()) {
        assertThat(run.exitCode()).isEqualTo(255);
        assertThat(run.stderr())
            .contains("REMOTE HOST IDENTIFICATION HAS CHANGED")
            .contains(known + ":2")
            .contains("Host key verification failed");
      }
    }
  }

  /** ssh itself is asked what it says of an unknown key, a changed key and a key file for all. */
  @ParameterizedTest
  @ValueSource(
      strings = {"-v", "-o LogLevel=INFO", "-o LogLevel=ERROR", "-q", "-E log", "-q -E log"})
  void whatIsSaidFollowsTheLogLevelAndGoesToTheLog(String flags) throws IOException {
    try (var scratch = new Scratch()) {
      var other = Keys.generate(scratch.path("other"), Keys.Type.ED25519);
      Path forAll = scratch.write("for-all", "no key");
      assertThat(forAll.toFile().setReadable(true, false)).isTrue();
      String changed = "[127.0.0.1]:%d %s\n".formatted(server.port(), other.publicLine());
      for (String known : List.of("", changed)) {
        List<String> said = new ArrayList<>();
        for (String program : List.of("ssh", AditProcess.path("adit").toString())) {
          Object[] first = {
            "-o", "StrictHostKeyChecking=no",
            "-o", "UserKnownHostsFile=" + scratch.write("known", known),
            "-o", "HashKnownHosts=no",
            // Of these ssh says at once that a server with a changed key doesn't get them.
            "-o", "PasswordAuthentication=no",
            "-o", "KbdInteractiveAuthentication=no",
            "-i", forAll
          };
          scratch.write("log", "");
          try (var run =
              Program.of(program)
                  .arguments((Object[]) flags.split(" "))
                  .arguments(first)
                  .arguments(AditProcess.to(server, "127.0.0.1", "true"))
                  .directory(scratch.dir())
                  .noStdin()
                  .start()) {
            assertThat(run.exitCode()).as(run::toString).isZero();
            said.add(
                plain(run.stderr()) + "--- log\n" + plain(Files.readString(scratch.path("log"))));
          }
        }
        assertThat(said.getLast()).isEqualTo(said.getFirst());
      }
    }
  }

  /** Without what only one of the two says when it says more. */
  private static String plain(String said) {
    return said.replace("\r\n", "\n")
        .lines()
        .filter(line -> !line.startsWith("debug1: "))
        .filter(
            line -> !line.matches("OpenSSH_.*|Authenticated to .*|Transferred: .*|Bytes per .*"))
        .map(line -> line + "\n")
        .collect(Collectors.joining());
  }

  /** With StrictHostKeyChecking=no and a changed key, ssh itself is asked what it says and does. */
  @Test
  void aServerWhoseKeyHasChangedGetsWhatSshWouldGiveIt() {
    try (var agent = SshAgent.start();
        var scratch = new Scratch()) {
      var other = Keys.generate(scratch.path("other"), Keys.Type.ED25519);
      Path known =
          scratch.write(
              "known", "[127.0.0.1]:%d %s\n".formatted(server.port(), other.publicLine()));
      int local = Ports.free();
      Object[] flags = {
        "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=" + known, "-o", "LogLevel=info"
      };
      for (List<Object> more :
          List.<List<Object>>of(
              List.of("-A", "-L", local + ":127.0.0.1:1", "127.0.0.1", "echo $SSH_AUTH_SOCK."),
              List.of("-D", local, "127.0.0.1", "echo $SSH_AUTH_SOCK."),
              List.of("127.0.0.1", "echo $SSH_AUTH_SOCK."),
              List.of("-o", "ExitOnForwardFailure=yes", "-A", "127.0.0.1", "echo no"),
              List.of("-W", "127.0.0.1:" + server.port(), "127.0.0.1"))) {
        Object[] arguments =
            Stream.of(flags, AditProcess.to(server), more.toArray()).flatMap(Stream::of).toArray();
        try (var ssh =
                Program.of("ssh")
                    .arguments(arguments)
                    .env("SSH_AUTH_SOCK", agent.socket())
                    .noStdin()
                    .start();
            var adit =
                AditProcess.adit(home.dir(), arguments)
                    .env("SSH_AUTH_SOCK", agent.socket())
                    .noStdin()
                    .start()) {
          assertThat(adit.exitCode()).as(adit::toString).isEqualTo(ssh.exitCode());
          assertThat(adit.stdout()).isEqualTo(ssh.stdout());
          assertThat(withheld(adit.stderr())).isEqualTo(withheld(ssh.stderr()));
        }
      }
    }
  }

  /** Methods of login are left out: adit speaks of those that it would have used. */
  private static List<String> withheld(String stderr) {
    return stderr
        .lines()
        .map(String::strip)
        .filter(line -> line.contains("orwarding") && line.contains("disabled"))
        .toList();
  }

  /** Beside ssh: the picture of the key, and a server on this machine that may have any key. */
  @Test
  void visualHostKeyAndNoHostAuthenticationForLocalhost() throws IOException {
    try (var scratch = new Scratch()) {
      var other = Keys.generate(scratch.path("other"), Keys.Type.ED25519);
      Path changed =
          scratch.write(
              "changed", "[127.0.0.1]:%d %s\n".formatted(server.port(), other.publicLine()));
      for (List<String> flags :
          List.of(
              List.of("-o", "VisualHostKey=yes"),
              List.of(
                  "-o",
                  "NoHostAuthenticationForLocalhost=yes",
                  "-o",
                  "UserKnownHostsFile=" + changed))) {
        try (var ssh =
                Program.of("ssh")
                    .arguments(flags.toArray())
                    .arguments(AditProcess.to(server, "127.0.0.1", "true"))
                    .noStdin()
                    .start();
            var adit =
                AditProcess.adit(home.dir(), flags.toArray())
                    .arguments(AditProcess.to(server, "127.0.0.1", "true"))
                    .noStdin()
                    .start()) {
          assertThat(adit.exitCode()).as(adit::toString).isEqualTo(ssh.exitCode()).isZero();
          assertThat(lines(adit.stderr())).isEqualTo(lines(ssh.stderr()));
        }
      }
      assertThat(Files.readString(changed)).hasLineCount(1);
    }
  }

  private static List<String> lines(String text) {
    return text.lines().map(String::stripTrailing).filter(line -> !line.isEmpty()).toList();
  }

  @Test
  void eachVSaysMore() {
    List<String> said = new ArrayList<>();
    for (String v : List.of("-v", "-vv", "-vvv")) {
      try (var run = adit(v, "127.0.0.1", "cat; exit 5").start()) {
        assertThat(run.exitCode()).isEqualTo(5);
        said.add(run.stderr());
      }
    }
    assertThat(said.get(0))
        .contains("debug1: kex: algorithm: ")
        .containsPattern("debug1: Server host key: ED25519 SHA256:\\S+")
        .containsPattern("debug1: Offering public key: \\S+ ED25519 SHA256:\\S+")
        .contains("debug1: Authenticated to 127.0.0.1 ")
        .contains("debug1: Sending command: cat; exit 5")
        .containsPattern("debug1: channel 0: closed by .*: 0 bytes sent, 0 received")
        .contains("debug1: Exit status 5")
        .doesNotContain("debug2")
        .doesNotContain("debug3");
    assertThat(said.get(1))
        .containsPattern("debug2: peer's KEXINIT proposal")
        .containsPattern("debug2: ciphers stoc: .*aes")
        .contains("debug2: channel 0: send eof", "debug2: channel 0: rcvd eof")
        .contains("debug2: channel 0: request exec", "debug2: channel 0: rcvd request exit-status")
        .doesNotContain("debug3");
    assertThat(said.get(2))
        .containsPattern("debug3: send packet: type 20 \\(KEXINIT\\), \\d+ bytes")
        .containsPattern("debug3: receive packet: type 99 \\(CHANNEL_SUCCESS\\), 5 bytes")
        .containsPattern("debug3: send packet: type 50 \\(USERAUTH_REQUEST\\)\\s");
    try (var run =
        AditProcess.adit(home.dir(), "-vvv", "-F", "none", "-p", Ports.free(), "127.0.0.1")
            .noStdin()
            .start()) {
      assertThat(run.exitCode()).isEqualTo(255);
      assertThat(run.stderr()).containsPattern("debug3: \\s*at dev.adit.ssh.Dialer");
    }
  }

  @Test
  void aRefusedRemoteForwardIsAWarningOrAnError() {
    int taken = server.port();
    String failed = "remote port forwarding failed for listen port " + taken;
    try (var run = adit("-R", taken + ":127.0.0.1:1", "127.0.0.1", "true").start()) {
      assertThat(run.exitCode()).isZero();
      assertThat(run.stderr()).contains("Warning: " + failed);
    }
    refused(
        adit("-o", "ExitOnForwardFailure=yes", "-N", "-R", taken + ":127.0.0.1:1", "127.0.0.1"),
        "Error: " + failed);
  }

  @Test
  void aSignalFreesThePortAndEndsWith255() {
    int port = Ports.free();
    String forward = port + ":x:80";
    try (var run = adit("-N", "-L", forward, "127.0.0.1").start().awaitListening(port)) {
      run.signal("TERM");
      assertThat(run.exitCode()).isEqualTo(255);
      assertThat(run.stderr()).isEmpty();
      assertThat(Ports.isFree(port)).isTrue();
    }
    try (var run = adit("-vNL", forward, "127.0.0.1").start().awaitListening(port)) {
      run.signal("TERM");
      assertThat(run.exitCode()).isEqualTo(255);
      assertThat(run.stderr()).contains("Killed by signal 15.");
    }
  }

  @Test
  void theServerChoosesAPortAndItIsSaid() {
    try (var target = TestServer.start(TestServer.greet("hello"));
        var run =
            adit("-N", "-R", "0:127.0.0.1:" + target.port(), "127.0.0.1")
                .start()
                .awaitStderr("Allocated port \\d+ for remote forward to 127.0.0.1:")) {
      String port = run.stderr().replaceAll("(?s).*Allocated port (\\d+) .*", "$1");
      assertThat(Program.of("nc", "-N", "127.0.0.1", port).run()).isEqualTo("hello");
    }
  }

  @Test
  void twoHopsAndThreeForwardsAtOnce() {
    int one = Ports.free();
    int two = Ports.free();
    try (var target = TestServer.start(TestServer.greet("hello"));
        var config = new Scratch()) {
      Path file =
          config.write(
              "config",
              """
              Host first second third
                Hostname 127.0.0.1
                Port %d
                User %s
                IdentityFile %s
                IdentitiesOnly yes
                UserKnownHostsFile %s
                GlobalKnownHostsFile /dev/null
                BatchMode yes
              """
                  .formatted(server.port(), server.user(), server.userKey(), server.knownHosts()));
      try (var run =
          AditProcess.adit(home.dir(), "-F", file, "-J", "first,second", "-N")
              .arguments("-L", one + ":127.0.0.1:" + target.port(), "-D", two, "third")
              .noStdin()
              .start()
              .awaitListening(one)
              .awaitListening(two)) {
        assertThat(run.isAlive()).isTrue();
        assertThat(Program.of("nc", "-N", "127.0.0.1", one).run()).isEqualTo("hello");
        assertThat(
                Program.of("nc", "-N", "-X", "5", "-x", "127.0.0.1:" + two, "127.0.0.1")
                    .arguments(target.port())
                    .run())
            .isEqualTo("hello");
      }
    }
  }

  @Test
  void aProxyCommandCarriesTheConnection() {
    int port = Ports.free();
    try (var target = TestServer.start(TestServer.greet("hello"));
        var run =
            adit("-o", "ProxyCommand=nc %h %p", "-N")
                .arguments("-L", port + ":127.0.0.1:" + target.port(), "127.0.0.1")
                .start()
                .awaitListening(port)) {
      assertThat(run.isAlive()).isTrue();
      assertThat(Program.of("nc", "-N", "127.0.0.1", port).run()).isEqualTo("hello");
    }
  }

  @Test
  void stdioIsForwarded() {
    try (var target = TestServer.start(TestServer.greet("hello"));
        var run = adit("-W", "127.0.0.1:" + target.port(), "127.0.0.1").start()) {
      assertThat(run.exitCode()).as(run::toString).isZero();
      assertThat(run.stdout()).isEqualTo("hello");
    }
  }

  @Test
  void theBackgroundProcessForwardsWhenTheFirstOneReturns() {
    int port = Ports.free();
    try (var target = TestServer.start(TestServer.greet("hello"));
        var run = adit("-fN", "-L", port + ":127.0.0.1:" + target.port(), "127.0.0.1").start()) {
      assertThat(run.exitCode()).as(run::toString).isZero();
      try {
        assertThat(Program.of("nc", "-N", "127.0.0.1", port).run()).isEqualTo("hello");
      } finally {
        Program.of("pkill", "-f", "--", "-L " + port + ":127.0.0.1").run();
      }
    }
  }
}
