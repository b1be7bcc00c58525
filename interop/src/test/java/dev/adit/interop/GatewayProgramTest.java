package dev.adit.interop;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The program aditd as whoever runs it sees it: flags, signals, systemd, limits, bad input. */
class GatewayProgramTest {

  /** Connects, and reads what the server says first. */
  private static String greeting(int port) throws IOException {
    try (var socket = connect(port)) {
      return firstLine(socket);
    }
  }

  private static Socket connect(int port) throws IOException {
    var socket = new Socket();
    socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 10_000);
    socket.setSoTimeout(20_000);
    return socket;
  }

  private static String firstLine(Socket socket) throws IOException {
    var line = new StringBuilder();
    for (int c = socket.getInputStream().read(); c >= 0 && c != '\n'; ) {
      line.append((char) c);
      c = socket.getInputStream().read();
    }
    return line.toString().strip();
  }

  // --- keys and addresses ---

  @Test
  void withoutAnyFileItMakesAKeyAndSaysItsFingerprint() throws Exception {
    int port = Ports.free();
    try (var home = new Scratch()) {
      var key = home.path("state/host_key");
      try (var aditd =
          AditProcess.aditd(home.dir(), "-D", "-e", "-f", "none", "-p", port, "-h", key)
              .noStdin()
              .start()) {
        aditd.awaitStderr("Server listening on .* port " + port);
        var fingerprint =
            Program.of(Judges.require("ssh").resolveSibling("ssh-keygen"), "-lf", key).run();
        assertThat(aditd.stderr())
            .contains("Made a host key: " + key + " " + fingerprint.split(" ", -1)[1]);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(key)))
            .isEqualTo("rw-------");
        assertThat(greeting(port)).startsWith("SSH-2.0-");
        aditd.signal("TERM");
        assertThat(aditd.exitCode()).isZero();
      }
      // The next start takes the same key, and says nothing of it.
      try (var again =
          AditProcess.aditd(home.dir(), "-D", "-e", "-f", "none", "-p", port, "-h", key)
              .noStdin()
              .start()) {
        again.awaitStderr("Server listening on .* port " + port);
        assertThat(again.stderr()).doesNotContain("Made a host key");
      }
    }
  }

  /**
   * aditd as an ordinary user, who may reach this clone wherever it lies, on a loopback of its own
   * where ports below 1024 are the system's. Needs root, as what tests other accounts does.
   */
  private static Program asNobody(Scratch home, Object... arguments) throws IOException {
    var clone = Files.createDirectories(home.path("clone"));
    Program.of("chown", "nobody", home.dir()).run();
    var script =
        "ip link set lo up && mount --bind \"$0\" \"$1\" && exec setpriv --reuid=nobody"
            + " --regid=65534 --clear-groups \"$1/aditd\" -D -e \"${@:2}\"";
    return Program.of(Judges.require("unshare"), "--mount", "--net", "bash", "-c", script)
        .arguments(AditProcess.path("aditd").getParent(), clone)
        .arguments(arguments)
        .env("HOME", home.dir())
        .directory(home.dir())
        .noStdin();
  }

  @Test
  void anOrdinaryUserNeedsNoConfiguration() throws Exception {
    try (var home = new Scratch();
        var aditd = asNobody(home).start()) {
      aditd.awaitStderr("Server listening on :: port 2222\\.");
      var key = home.path(".local/state/adit/ssh_host_ed25519_key");
      var fingerprint =
          Program.of(Judges.require("ssh").resolveSibling("ssh-keygen"), "-lf", key).run();
      assertThat(aditd.stderr())
          .startsWith("Made a host key: " + key + " " + fingerprint.split(" ", -1)[1]);
      assertThat(Files.getOwner(key).getName()).isEqualTo("nobody");
      aditd.signal("TERM");
      assertThat(aditd.exitCode()).isZero();
    }
  }

  @Test
  void noRightToBindIsOneClearLine() throws Exception {
    try (var home = new Scratch();
        var aditd = asNobody(home, "-p", 80, "-o", "ListenAddress=127.0.0.1").start()) {
      assertThat(aditd.exitCode()).isEqualTo(255);
      assertThat(aditd.stderr().lines().skip(1))
          .containsExactly(
              "Bind to port 80 on 127.0.0.1 failed: Permission denied.",
              "Cannot bind any address.");
    }
  }

  @Test
  void aHostKeyThatOthersMayReadIsRefusedInSshdsWords() throws Exception {
    try (var home = new Scratch()) {
      var key = Keys.generate(home.path("key"), Keys.Type.ED25519).path();
      Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-r--r--"));
      for (var flag : List.of("-D", "-t")) {
        try (var aditd =
            AditProcess.aditd(home.dir(), flag, "-f", "none", "-h", key).noStdin().start()) {
          assertThat(aditd.exitCode()).isEqualTo(1);
          assertThat(aditd.stderr())
              .contains(
                  "WARNING: UNPROTECTED PRIVATE KEY FILE!",
                  "Permissions 0644 for '" + key + "' are too open.",
                  "Unable to load host key \"" + key + "\": bad permissions",
                  "no hostkeys available -- exiting.");
        }
      }
    }
  }

  @Test
  void aKeyThatIsNotThereIsMadeByNoCheck() {
    try (var home = new Scratch();
        var aditd =
            AditProcess.aditd(home.dir(), "-t", "-f", "none", "-h", home.path("key"))
                .noStdin()
                .start()) {
      assertThat(aditd.exitCode()).isEqualTo(1);
      assertThat(aditd.stderr())
          .startsWith("Unable to load host key \"" + home.path("key") + "\": No such file");
      assertThat(home.path("key")).doesNotExist();
    }
  }

  @Test
  void aGoodFileIsCheckedInSilence() {
    try (var home = new Scratch()) {
      var config =
          home.write("config", "HostKey " + Keys.shared(Keys.Type.ED25519).path() + "\nPort 22\n");
      try (var aditd = AditProcess.aditd(home.dir(), "-t", "-f", config).noStdin().start()) {
        assertThat(aditd.exitCode()).isZero();
        assertThat(aditd.stderr()).isEmpty();
        assertThat(aditd.stdout()).isEmpty();
      }
    }
  }

  @Test
  void aPortInUseIsOneClearLine() throws Exception {
    try (var home = new Scratch();
        var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      var options =
          List.of("-o", "ListenAddress=127.0.0.1", "-h", Keys.shared(Keys.Type.ED25519).path());
      try (var aditd =
          AditProcess.aditd(home.dir(), "-D", "-e", "-f", "none", "-p", taken.getLocalPort())
              .arguments(options.toArray())
              .noStdin()
              .start()) {
        assertThat(aditd.exitCode()).isEqualTo(255);
        assertThat(aditd.stderr().lines())
            .containsExactly(
                "Bind to port %d on 127.0.0.1 failed: Address already in use."
                    .formatted(taken.getLocalPort()),
                "Cannot bind any address.");
      }
    }
  }

  @Test
  void anAddressThatIsNotOursIsOneClearLineAndTheOthersServe() throws Exception {
    try (var server = AditdServer.start("ListenAddress 192.0.2.1")) {
      assertThat(server.log())
          .contains("Bind to port " + server.port() + " on 192.0.2.1 failed: ")
          .contains("Server listening on 127.0.0.1 port " + server.port() + ".");
      assertThat(greeting(server.port())).startsWith("SSH-2.0-");
    }
  }

  // --- signals and processes ---

  @Test
  void sighupReadsTheFileAgain() throws Exception {
    try (var server = AditdServer.start()) {
      int other = Ports.free();
      var text = Files.readString(server.config());
      server.configure(text.replace("Port " + server.port(), "Port " + other));
      server.process().signal("HUP");
      server.awaitLog("Server listening on 127.0.0.1 port " + other);
      assertThat(greeting(other)).startsWith("SSH-2.0-");
      Ports.await("the old port to be closed", () -> !Ports.accepts(server.port()));
    }
  }

  @Test
  void aBadFileKeepsTheOldConfiguration() throws Exception {
    try (var server = AditdServer.start()) {
      server.configure("Prt 22\nPort 22\nHostKy none\n");
      server.process().signal("HUP");
      server.awaitLog(
          "The old configuration stays: .*sshd_config: line 1: Bad configuration option: Prt;"
              + " .*sshd_config: line 3: Bad configuration option: HostKy$");
      // It is one line, and doesn't say that this is the end.
      assertThat(server.log().lines())
          .filteredOn(line -> line.contains("sshd_config") || line.contains("terminating"))
          .hasSize(1);
      assertThat(greeting(server.port())).startsWith("SSH-2.0-");
    }
  }

  @Test
  void sigtermEndsIt() throws Exception {
    try (var server = AditdServer.start()) {
      assertThat(greeting(server.port())).startsWith("SSH-2.0-");
      server.process().signal("TERM");
      assertThat(server.process().exitCode()).isZero();
      assertThat(server.log()).contains("Received signal 15; terminating.");
    }
  }

  @Test
  void tunnelsMayGoOnForAWhileAndAreThenClosedWithTheReason() throws Exception {
    int port = Ports.free();
    try (var origin = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        var server = AditdServer.start("DrainTime 2");
        var ssh =
            server
                .ssh("-N", "-L", "%d:127.0.0.1:%d".formatted(port, origin.getLocalPort()))
                .arguments("127.0.0.1")
                .noStdin()
                .start()) {
      ssh.awaitListening(port);
      try (var client = connect(port);
          var there = origin.accept()) {
        // The first one to be accepted was that of the look whether ssh listens.
        server.process().signal("TERM");
        server.awaitLog("Received signal 15; terminating. 1 connections may go on for 2 s.");
        Ports.await("nobody to be let in any more", () -> !Ports.accepts(server.port()));
        assertThat(ssh.isAlive()).isTrue();
        assertThat(there.isClosed() || client.isClosed()).isFalse();
        assertThat(ssh.exitCode()).isEqualTo(255);
        assertThat(ssh.stderr()).contains("the server is shutting down");
        assertThat(server.process().exitCode()).isZero();
        assertThat(server.log())
            .contains("Accepted publickey for " + server.user() + " from 127.0.0.1 port ")
            .contains("Disconnecting user " + server.user() + " 127.0.0.1 port ");
      }
    }
  }

  @Test
  void withoutDItGoesToTheBackgroundAndLeavesItsProcessId() throws Exception {
    int port = Ports.free();
    try (var home = new Scratch()) {
      var pidFile = home.path("aditd.pid");
      var log = home.path("aditd.log");
      try (var first =
          AditProcess.aditd(home.dir(), "-f", "none", "-p", port, "-E", log)
              .arguments("-o", "PidFile=" + pidFile, "-h", Keys.shared(Keys.Type.ED25519).path())
              .noStdin()
              .start()) {
        assertThat(first.exitCode()).as(first::stderr).isZero();
      }
      long pid = Long.parseLong(Files.readString(pidFile).strip());
      var daemon = ProcessHandle.of(pid).orElseThrow();
      // As in the foreground.
      assertThat(Files.readString(Path.of("/proc/%d/cmdline".formatted(pid))))
          .contains("/gateway.options")
          .doesNotContain("/client.options");
      try {
        assertThat(greeting(port)).startsWith("SSH-2.0-");
        assertThat(Files.readString(log))
            .containsPattern(
                "(?m)^\\d{4}-\\d\\d-\\d\\dT\\S+ sshd\\[\\d+\\]: Server listening on :: port "
                    + port);
      } finally {
        daemon.destroy();
        daemon.onExit().join();
      }
      assertThat(pidFile).doesNotExist();
    }
  }

  @Test
  void whatGoesWrongInTheBackgroundIsStillSaid() throws Exception {
    try (var home = new Scratch();
        var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        var first =
            AditProcess.aditd(home.dir(), "-f", "none", "-p", taken.getLocalPort())
                .arguments("-o", "ListenAddress=127.0.0.1")
                .arguments("-E", home.path("log"), "-h", Keys.shared(Keys.Type.ED25519).path())
                .noStdin()
                .start()) {
      assertThat(first.exitCode()).isEqualTo(255);
      assertThat(first.stderr()).contains("Address already in use.", "Cannot bind any address.");
    }
  }

  // --- systemd and inetd ---

  @Test
  void systemdHandsItsSocketOverAndHearsThatItIsReady() throws Exception {
    int port = Ports.free();
    try (var home = new Scratch();
        var notified =
            Program.of("socat", "-u", "UNIX-RECV:" + home.path("notify"), "STDOUT")
                .noStdin()
                .start()) {
      Ports.await("the socket", () -> Files.exists(home.path("notify")));
      try (var activate =
          Program.of(Judges.require("socket-activate"), "-l", "127.0.0.1:" + port)
              .arguments("-E", "HOME=" + home.dir(), "-E", "NOTIFY_SOCKET=" + home.path("notify"))
              .arguments("-E", "PATH", AditProcess.path("aditd"), "-D", "-e", "-f", "none")
              .arguments("-h", Keys.shared(Keys.Type.ED25519).path())
              .noStdin()
              .start()) {
        activate.awaitStderr("Listening on");
        // The first client has it started, and is served by it.
        assertThat(greeting(port)).startsWith("SSH-2.0-");
        notified.awaitStdout("READY=1");
        assertThat(greeting(port)).startsWith("SSH-2.0-");
        activate.signal("HUP");
        notified.awaitStdout("RELOADING=1\nMONOTONIC_USEC=\\d+[\\s\\S]*READY=1");
        assertThat(greeting(port)).startsWith("SSH-2.0-");
        activate.signal("TERM");
        notified.awaitStdout("STOPPING=1");
        assertThat(activate.exitCode()).isZero();
      }
    }
  }

  @Test
  void withIItServesOneClientOverItsStandardStreams() throws Exception {
    try (var home = new Scratch();
        var aditd =
            AditProcess.aditd(home.dir(), "-i", "-f", "none", "-E", home.path("log"))
                .arguments("-h", Keys.shared(Keys.Type.ED25519).path())
                .start()) {
      aditd.awaitStdout("^SSH-2.0-");
      aditd.stdin().close();
      assertThat(aditd.exitCode()).isZero();
    }
  }

  @Test
  void withIAndASocketItKnowsItsClient() throws Exception {
    int port = Ports.free();
    try (var home = new Scratch();
        var inetd =
            Program.of(
                    Judges.require("socket-activate"), "-a", "--inetd", "-l", "127.0.0.1:" + port)
                .arguments("-E", "HOME=" + home.dir(), "-E", "PATH", AditProcess.path("aditd"))
                .arguments("-i", "-f", "none", "-E", home.path("log"), "-o", "LogLevel=VERBOSE")
                .arguments("-h", Keys.shared(Keys.Type.ED25519).path())
                .noStdin()
                .start()) {
      inetd.awaitStderr("Listening on");
      assertThat(greeting(port)).startsWith("SSH-2.0-");
      Ports.await(
          "the client's address in the log",
          () -> read(home.path("log")).contains("Connection from 127.0.0.1 port "));
    }
  }

  /** socat gives its program a Unix socket, which is neither a pipe nor from an address. */
  @Test
  void withISocatMakesAServerOfIt() throws Exception {
    int port = Ports.free();
    try (var server = AditdServer.start();
        var socat =
            Program.of(Judges.require("socat"), "TCP-LISTEN:" + port + ",bind=127.0.0.1,fork")
                .arguments(
                    "EXEC:" + AditProcess.path("aditd") + " -i -E /dev/null -f " + server.config())
                .noStdin()
                .start()
                .awaitListening(port);
        var ssh =
            Program.of(Judges.require("ssh"), "-p", port)
                .arguments(server.to("-o", "HostKeyAlias=[127.0.0.1]:" + server.port()))
                .arguments("127.0.0.1", "echo through")
                .noStdin()
                .start()) {
      assertThat(ssh.exitCode()).as(ssh.stderr()).isZero();
      assertThat(ssh.stdout()).isEqualTo("through\n");
    }
  }

  @Test
  void sshAuditFindsNoFailure() throws Exception {
    try (var server = AditdServer.start();
        var audit =
            Program.of(Judges.require("ssh-audit"), "-n", "-p", server.port(), "127.0.0.1")
                .noStdin()
                .start()) {
      // 2 is for warnings: this version doesn't know mlkem768x25519-sha256.
      assertThat(audit.exitCode()).isLessThan(3);
      assertThat(audit.stdout())
          .contains("(gen) banner: SSH-2.0-adit", "(kex) curve25519-sha256")
          .doesNotContain("[fail]");
    }
  }

  private static String read(Path file) {
    try {
      return Files.exists(file) ? Files.readString(file) : "";
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  // --- limits ---

  private static List<Socket> idleClients(int port, int count) throws IOException {
    var idle = new ArrayList<Socket>();
    for (int i = 0; i < count; i++) {
      idle.add(connect(port));
    }
    return idle;
  }

  private static void closeAll(List<Socket> sockets) throws IOException {
    for (var socket : sockets) {
      socket.close();
    }
  }

  private static boolean letsIn(AditdServer server, Object... flags) {
    try (var ssh = server.ssh(flags).arguments("127.0.0.1", "true").noStdin().start()) {
      return ssh.exitCode() == 0;
    }
  }

  @Test
  void twoHundredIdleClientsAreTurnedAwayOrTimeOutAndAGoodOneGetsIn() throws Exception {
    try (var server = AditdServer.start("MaxStartups 10:30:100", "LoginGraceTime 3")) {
      var idle = idleClients(server.port(), 200);
      try {
        server.awaitLog("drop connection #1 from \\[127.0.0.1\\]:\\d+ on .* past MaxStartups");
        server.awaitLog("Timeout before authentication for 127.0.0.1 port \\d+");
        Ports.await("a good login", () -> letsIn(server));
        // Those that weren't dropped have had their time and no more.
        Ports.await(
            "the idle ones to be gone",
            () ->
                server.log().split("drop connection #", -1).length
                        + server.log().split("Timeout before authentication", -1).length
                    >= 202);
      } finally {
        closeAll(idle);
      }
    }
  }

  @Test
  void aSourceOfIdleClientsLeavesRoomForOthers() throws Exception {
    try (var server = AditdServer.start("MaxStartups 100", "PerSourceMaxStartups 50")) {
      var idle = idleClients(server.port(), 200);
      try {
        server.awaitLog("drop connection #150 from \\[127.0.0.1\\]:\\d+ on .* past MaxStartups");
        assertThat(letsIn(server)).isFalse();
        assertThat(letsIn(server, "-b", "127.0.0.2")).isTrue();
      } finally {
        closeAll(idle);
      }
    }
  }

  /** User and system time of a process so far, in seconds. */
  private static double processorSeconds(long pid) throws IOException {
    var fields = Files.readString(Path.of("/proc/%d/stat".formatted(pid))).split(" ", -1);
    return (Long.parseLong(fields[13]) + Long.parseLong(fields[14])) / 100.0;
  }

  @Test
  void withoutDescriptorsItWaitsAndThenGoesOn() throws Exception {
    try (var server = AditdServer.start()) {
      assertThat(letsIn(server)).isTrue();
      long pid = server.process().pid();
      try (var open = Files.list(Path.of("/proc/%d/fd".formatted(pid)))) {
        Program.of("prlimit", "--pid", pid, "--nofile=" + (open.count() + 20)).run();
      }
      var idle = idleClients(server.port(), 60);
      try {
        server.awaitLog("accept: Too many open files");
        double before = processorSeconds(pid);
        // Long enough for several tries, which would each be told, or for a loop without a rest.
        Thread.sleep(4_000);
        assertThat(processorSeconds(pid) - before).isLessThan(2);
      } finally {
        closeAll(idle);
      }
      Ports.await("a good login", () -> letsIn(server));
      assertThat(server.log().split("Too many open files", -1)).hasSize(2);
    }
  }

  @Test
  void aSourceOfTroubleIsTurnedAway() throws Exception {
    try (var server = AditdServer.start("PerSourcePenalties authfail:10 noauth:1")) {
      for (int i = 0; i < 2; i++) {
        try (var ssh = server.ssh("-l", "nobody-here", "127.0.0.1", "true").noStdin().start()) {
          assertThat(ssh.exitCode()).isEqualTo(255);
        }
        server.awaitLog(
            "(?:Connection closed by invalid user nobody-here[\\s\\S]*){" + (i + 1) + "}");
      }
      Ports.await(
          "a penalty",
          () -> {
            try {
              return greeting(server.port()).equals("Not allowed at this time");
            } catch (IOException e) {
              throw new AssertionError(e);
            }
          });
      server.awaitLog("drop connection #\\d+ .* penalty: ");
    }
  }

  // --- logs ---

  @Test
  void failuresAreWordedAsFail2banExpectsThem() throws Exception {
    try (var server = AditdServer.start()) {
      try (var ssh = server.ssh("-l", "nobody-here", "127.0.0.1", "true").noStdin().start()) {
        assertThat(ssh.exitCode()).isEqualTo(255);
      }
      try (var ssh =
          server.ssh("-o", "HostKeyAlgorithms=ssh-rsa", "127.0.0.1", "true").noStdin().start()) {
        assertThat(ssh.exitCode()).isEqualTo(255);
      }
      server.awaitLog("Connection closed by invalid user nobody-here");
      server.awaitLog("Unable to negotiate");
      var log = server.scratch().path("lines");
      // As in the file of -E: fail2ban wants to know when, and who says it.
      var time = "2026-01-01T12:00:00.000+00:00 sshd[1]: ";
      Files.writeString(log, server.log().lines().map(l -> time + l + "\n").collect(joining()));
      var judged =
          Program.of(Judges.require("fail2ban-regex"), "--print-all-matched", log)
              .arguments("sshd[mode=aggressive]")
              .run();
      assertThat(judged)
          .contains("Invalid user nobody-here from 127.0.0.1")
          .contains("Unable to negotiate with 127.0.0.1");
      assertThat(judged).containsPattern("Failregex: [1-9]");
    }
  }

  @Test
  void clientsCannotWriteLinesOfTheirOwn() throws Exception {
    try (var server = AditdServer.start();
        var ssh =
            server
                .ssh("-l", "x\nAccepted password for root from 192.0.2.1", "127.0.0.1", "true")
                .noStdin()
                .start()) {
      // ssh itself refuses such a name, so a name that it lets through does the rest.
      assertThat(ssh.exitCode()).isEqualTo(255);
      try (var socket = connect(server.port())) {
        firstLine(socket);
        socket
            .getOutputStream()
            .write("SSH-2.0-\u001b[31mred\r\n".getBytes(StandardCharsets.US_ASCII));
        socket.getOutputStream().flush();
        socket.shutdownOutput();
        while (socket.getInputStream().read() >= 0) {
          // Until it has had enough of us.
        }
      }
      assertThat(server.log()).doesNotContain("\u001b").doesNotContain("\nAccepted");
    }
  }
}
