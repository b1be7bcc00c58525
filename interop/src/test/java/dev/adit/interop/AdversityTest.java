package dev.adit.interop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** {@code ./adit} where the system around it is short of something, slow, or shared. */
class AdversityTest {
  private static OpenSshServer server;
  private static Scratch home;

  @BeforeAll
  static void start() {
    server = OpenSshServer.start(List.of(Keys.Type.ED25519));
    home = new Scratch();
  }

  @AfterAll
  static void stop() {
    home.close();
    server.close();
  }

  private static String quoted(Object... words) {
    return Arrays.stream(words)
        .map(word -> "'" + word.toString().replace("'", "'\\''") + "'")
        .collect(Collectors.joining(" "));
  }

  /** The command line of {@code adit} or {@code ssh} with the flags that reach the server. */
  private static String command(Object program, Object... more) {
    return quoted(
        Stream.of(new Object[] {program}, more, AditProcess.to(server))
            .flatMap(Arrays::stream)
            .toArray());
  }

  private static String adit(Object... more) {
    return command(AditProcess.path("adit"), more);
  }

  private static Program shell(String script) {
    return Program.of("bash", "-c", script).env("HOME", home.dir()).directory(home.dir()).noStdin();
  }

  @Test
  void withoutDescriptorsTheListenerRestsAndThenGoesOn() throws Exception {
    int port = Ports.free();
    int limit = 120;
    try (var target = TestServer.start(TestServer.echo());
        var run =
            shell(
                    "ulimit -n %d; exec %s 127.0.0.1"
                        .formatted(limit, adit("-N", "-L", port + ":127.0.0.1:" + target.port())))
                .start()
                .awaitListening(port)) {
      List<Socket> sockets = new ArrayList<>();
      for (int i = 0; i < limit; i++) {
        sockets.add(Tunnels.connect(port));
      }
      run.awaitStderr("accept on .*: Too many open files; trying again every second");
      // Those that were let in are served meanwhile.
      roundTrip(sockets.getFirst());
      int served = target.open();
      assertThat(served).isBetween(20, limit - 1);
      for (int i = 0; i < served; i++) {
        sockets.get(i).close();
      }
      for (Socket waiting : sockets.subList(served, limit)) {
        roundTrip(waiting);
        waiting.close();
      }
      try (Socket late = Tunnels.connect(port)) {
        roundTrip(late);
      }
      assertThat(run.isAlive()).isTrue();
    }
  }

  private static void roundTrip(Socket socket) throws IOException {
    socket.setSoTimeout(20_000);
    socket.getOutputStream().write('x');
    assertThat(socket.getInputStream().read()).isEqualTo('x');
  }

  /** The resolver's server never answers; only the connection that needs it waits. */
  @Test
  void aResolverThatHangsDelaysOnlyItsOwnConnection() throws Exception {
    var silent = InetAddress.getByName("127.99.0.53");
    Path resolvConf =
        home.write("resolv.conf", "nameserver 127.99.0.53\noptions timeout:30 attempts:1\n");
    int local = Ports.free();
    int remote = Ports.free();
    try (var dns = new DatagramSocket(new InetSocketAddress(silent, 53));
        var target = TestServer.start(TestServer.echo());
        var run =
            Program.of(Judges.require("unshare"), "-m", "bash", "-c")
                .arguments(
                    "mount --bind %s /etc/resolv.conf && exec %s 127.0.0.1"
                        .formatted(
                            resolvConf,
                            adit(
                                "-N",
                                "-R",
                                remote + ":hangs.example:80",
                                "-L",
                                local + ":127.0.0.1:" + target.port())))
                .env("HOME", home.dir())
                .noStdin()
                .start()
                .awaitListening(local)
                .awaitListening(remote);
        Socket stuck = Tunnels.connect(remote);
        Socket other = Tunnels.connect(local)) {
      assertThat(dns.isBound()).isTrue();
      for (int i = 0; i < 100; i++) {
        roundTrip(other);
      }
      try (Socket another = Tunnels.connect(local)) {
        roundTrip(another);
      }
      // So far nothing has been decided about the other one.
      assertThat(run.stderr()).doesNotContain("hangs.example");
      stuck.setSoTimeout(30_000);
      assertThat(stuck.getInputStream().read()).isNegative();
      run.awaitStderr("connect to hangs.example:80: .*no answer from the resolver within 10 s");
      roundTrip(other);
    }
  }

  /** A disk of 64 KiB at {@code full}, which only this script sees, with a file that fills it. */
  private static final String FULL_DISK =
      """
      mkdir -p full && mount -t tmpfs -o size=64k none full
      %s
      dd if=/dev/zero of=full/filler bs=1k count=100 2>/dev/null
      """;

  private static Program onFullDisk(String before, String then) {
    return Program.of(
            Judges.require("unshare"), "-m", "bash", "-c", FULL_DISK.formatted(before) + then)
        .env("HOME", home.dir())
        .directory(home.dir())
        .noStdin();
  }

  /** A file of that disk, as long as the program runs. */
  private static Path onDiskOf(Program.Running run, String name) {
    return Path.of("/proc/" + run.pid() + "/root" + home.path("full/" + name));
  }

  @Test
  void aFullDiskUnderTheClientsLogStopsNothingAndIsTold() throws Exception {
    int port = Ports.free();
    try (var target = TestServer.start(TestServer.echo());
        var run =
            onFullDisk(
                    "",
                    "exec %s 127.0.0.1"
                        .formatted(
                            adit(
                                "-vN",
                                "-E",
                                "full/log",
                                "-L",
                                port + ":127.0.0.1:" + target.port())))
                .start()
                .awaitListening(port)) {
      servesWithAFullDiskAndTells(run, port, "");
    }
  }

  @Test
  void aFullDiskUnderTheGatewaysLogStopsNothingAndIsTold() throws Exception {
    int gateway = Ports.free();
    int port = Ports.free();
    home.write(
        "gateway_config",
        """
        Port %d
        ListenAddress 127.0.0.1
        HostKey %s
        AuthorizedKeysFile %s
        StrictModes no
        PermitRootLogin yes
        LogLevel DEBUG
        """
            .formatted(
                gateway,
                Keys.shared(Keys.Type.ED25519).path(),
                home.write("authorized", Keys.shared(Keys.Type.ED25519).publicLine() + "\n")));
    try (var target = TestServer.start(TestServer.echo());
        var run =
            onFullDisk(
                    "",
                    "exec "
                        + quoted(
                            AditProcess.path("aditd"),
                            "-D",
                            "-E",
                            "full/log",
                            "-f",
                            home.path("gateway_config")))
                .start()
                .awaitListening(gateway);
        var ssh =
            Program.of(Judges.require("ssh"), "-F", "none", "-N", "-p", gateway)
                .arguments("-i", Keys.shared(Keys.Type.ED25519).path())
                .arguments("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null")
                .arguments("-L", port + ":127.0.0.1:" + target.port(), "127.0.0.1")
                .noStdin()
                .start()
                .awaitListening(port)) {
      assertThat(ssh.isAlive()).isTrue();
      servesWithAFullDiskAndTells(run, port, "sshd\\[\\d+\\]: ");
    }
  }

  private static void servesWithAFullDiskAndTells(Program.Running run, int port, String mark)
      throws IOException {
    for (int i = 0; i < 20; i++) {
      try (Socket socket = Tunnels.connect(port)) {
        roundTrip(socket);
      }
    }
    assertThat(Files.readString(onDiskOf(run, "log"))).doesNotContain("could not be written");
    Files.delete(onDiskOf(run, "filler"));
    var told =
        Pattern.compile(mark + "[1-9]\\d* log lines could not be written$", Pattern.MULTILINE);
    Ports.await(
        "what is missing in the log",
        () -> {
          try (Socket socket = Tunnels.connect(port)) {
            roundTrip(socket);
            return told.matcher(Files.readString(onDiskOf(run, "log"))).find();
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  /** The new file doesn't fit, so the old one stays, to the letter. */
  @Test
  void aFullDiskLeavesTheKnownHostsAsTheyWere() {
    String known = "# mine\nother.example " + hostKey();
    home.write("known_before", known);
    String script =
        """
        %s 127.0.0.1 'echo in' || exit
        ls full >&2
        cat full/known
        """
            .formatted(
                adit(
                    "-o",
                    "StrictHostKeyChecking=accept-new",
                    "-o",
                    "HostKeyAlias=new.example",
                    "-o",
                    "UserKnownHostsFile=full/known"));
    try (var run = onFullDisk("cp known_before full/known", script).start()) {
      assertThat(run.exitCode()).as(run::toString).isZero();
      assertThat(run.stdout()).isEqualTo("in\n" + known);
      assertThat(run.stderr()).contains("full/known").endsWith("filler\nknown\n");
    }
  }

  /**
   * The application reads no end, the user one line; and the gateway's port is free for the next.
   */
  @Test
  void aGatewayThatIsKilledIsNamedAndItsSuccessorServes() throws Exception {
    int port = Ports.free();
    try (var target = TestServer.start(TestServer.source(1, Long.MAX_VALUE));
        var gateway = AditdServer.start()) {
      Object[] flags = gateway.to("-N", "-L", port + ":127.0.0.1:" + target.port(), "127.0.0.1");
      try (var client = AditProcess.adit(home.dir(), flags).noStdin().start().awaitListening(port);
          Socket socket = Tunnels.connect(port)) {
        socket.setSoTimeout(30_000);
        assertThat(socket.getInputStream().readNBytes(1 << 20)).hasSize(1 << 20);
        gateway.process().signal("KILL");
        assertThatThrownBy(
                () -> socket.getInputStream().transferTo(OutputStream.nullOutputStream()))
            .isInstanceOf(SocketException.class)
            .hasMessageContaining("reset");
        assertThat(client.exitCode()).as(client::toString).isEqualTo(255);
        assertThat(client.stderr().lines()).hasSize(1).allMatch(line -> line.contains("127.0.0.1"));
        assertThat(Ports.isFree(port)).isTrue();
      }
      try (var successor =
              AditProcess.aditd(home.dir(), "-D", "-e", "-f", gateway.config())
                  .noStdin()
                  .start()
                  .awaitStderr("Server listening on .* port " + gateway.port());
          var client = AditProcess.adit(home.dir(), flags).noStdin().start().awaitListening(port);
          Socket socket = Tunnels.connect(port)) {
        assertThat(socket.getInputStream().readNBytes(1 << 20))
            .isEqualTo(RandomBytes.of(1, 1 << 20));
        assertThat(successor.isAlive() && client.isAlive()).isTrue();
      }
    }
  }

  /**
   * Who is silent, when keys are renewed and how long a login may take goes by a clock that nobody
   * sets. What has a date goes by the one that is set: at the gateway a key that expires in half a
   * year is refused for as long as its clock is a year ahead.
   */
  @Test
  void aClockThatJumpsByAYearEitherWayDisturbsNothing() throws Exception {
    Judges.require("faketime");
    Path clock = home.write("clock", "+0");
    Map<String, String> settable =
        Map.of(
            "LD_PRELOAD",
            Program.of("bash", "-c", "echo /usr/lib/*/faketime/libfaketimeMT.so.1").run().strip(),
            "FAKETIME_TIMESTAMP_FILE",
            clock.toString(),
            "FAKETIME_CACHE_DURATION",
            "1",
            "FAKETIME_DONT_FAKE_MONOTONIC",
            "1",
            "NO_FAKE_STAT",
            "1");
    String expires =
        DateTimeFormatter.BASIC_ISO_DATE.format(LocalDate.now(ZoneOffset.UTC).plusDays(180));
    Path keys =
        home.write(
            "expiring",
            "expiry-time=\"%s\" %s%n"
                .formatted(expires, Keys.shared(Keys.Type.ED25519).publicLine()));
    int port = Ports.free();
    int sshPort = Ports.free();
    try (var target = TestServer.start(TestServer.echo());
        var gateway =
            AditdServer.start(
                settable,
                List.of(Keys.Type.ED25519),
                "AuthorizedKeysFile " + keys,
                "ClientAliveInterval 2",
                "ClientAliveCountMax 3",
                "RekeyLimit default 1h",
                "UnusedConnectionTimeout 1h",
                "ChannelTimeout *=1h")) {
      Program program =
          AditProcess.adit(
                  home.dir(),
                  gateway.to(
                      "-N",
                      "-o",
                      "ServerAliveInterval=2",
                      "-o",
                      "RekeyLimit=default 1h",
                      "-L",
                      port + ":127.0.0.1:" + target.port(),
                      "127.0.0.1"))
              .noStdin();
      settable.forEach(program::env);
      try (var adit = program.start().awaitListening(port);
          var ssh = ssh(gateway, "-N", "-L", sshPort + ":127.0.0.1:" + target.port());
          Socket overAdit = Tunnels.connect(port);
          Socket overSsh = connect(ssh, sshPort)) {
        for (String jump : List.of("+1y", "-1y")) {
          Files.writeString(clock, jump);
          for (int i = 0; i < 30; i++) {
            roundTrip(overAdit);
            roundTrip(overSsh);
            Thread.sleep(100);
          }
          try (Socket another = Tunnels.connect(port)) {
            roundTrip(another);
          }
          try (var login = ssh(gateway, "echo in")) {
            assertThat(login.exitCode() == 0).as(login::toString).isEqualTo(jump.equals("-1y"));
          }
        }
        assertThat(gateway.log()).contains("that expired at").doesNotContain("Timeout,");
        // What was begun before the clock went back two years isn't two years late.
        ssh.signal("STOP");
        Ports.await("the silent client", () -> gateway.log().contains("Timeout, client "));
        gateway.process().signal("STOP");
        adit.awaitStderr("Timeout, server .* not responding");
        assertThat(adit.exitCode()).isEqualTo(255);
      }
    }
  }

  private static Socket connect(Program.Running tunnel, int port) throws IOException {
    tunnel.awaitListening(port);
    return Tunnels.connect(port);
  }

  private static Program.Running ssh(AditdServer gateway, String... words) {
    return Program.of(Judges.require("ssh"))
        .arguments(gateway.to("127.0.0.1"))
        .arguments((Object[]) words)
        .noStdin()
        .start();
  }

  @Test
  void processesThatLearnHostsAtTheSameTimeLoseNoLine() throws Exception {
    int processes = 8;
    Path known = home.write("learned", "# mine\n");
    List<Program.Running> running = new ArrayList<>();
    try {
      for (int i = 0; i < processes; i++) {
        running.add(
            shell(
                    adit(
                            "-o",
                            "StrictHostKeyChecking=accept-new",
                            "-o",
                            "UserKnownHostsFile=" + known,
                            "-o",
                            "HostKeyAlias=alias" + i)
                        + " 127.0.0.1 true")
                .start());
      }
      for (Program.Running run : running) {
        assertThat(run.exitCode()).as(run::toString).isZero();
      }
    } finally {
      running.forEach(Program.Running::close);
    }
    List<String> lines = Files.readAllLines(known);
    assertThat(lines).hasSize(1 + processes).startsWith("# mine");
    for (int i = 0; i < processes; i++) {
      assertThat(Program.of(Keys.keygen(), "-f", known, "-F", "alias" + i).run())
          .contains("# Host alias" + i + " found: line");
    }
  }

  /**
   * CheckHostIP, beside ssh, for an address that is not loopback's: ssh leaves those alone. The
   * address and its name are there only in a namespace.
   */
  @Test
  void anotherKeyUnderTheAddressIsWhatSshSaysItIs() throws Exception {
    var other = Keys.generate(home.path("other"), Keys.Type.ED25519);
    String host = "[elsewhere]:" + server.port() + " " + hostKey();
    String address = "[192.0.2.77]:" + server.port() + " ";
    home.write("hosts", "127.0.0.1 localhost\n192.0.2.77 elsewhere\n");
    for (boolean differs : new boolean[] {true, false}) {
      String lines = differs ? host + address + other.publicLine() + "\n" : host;
      for (String strict : List.of("yes", "accept-new", "no")) {
        String script =
            """
            set -e
            ip link set lo up
            ip addr add 192.0.2.77/32 dev lo
            mount --bind hosts /etc/hosts
            /usr/sbin/sshd -D -f %s -o ListenAddress=192.0.2.77 -E sshd.log &
            trap "kill $!" EXIT
            until nc -z 192.0.2.77 %d; do sleep 0.05; done
            set +e
            """
                .formatted(server.scratch().path("sshd_config"), server.port());
        for (Object program : List.of("ssh", AditProcess.path("adit"))) {
          String name = Path.of(program.toString()).getFileName().toString();
          home.write("known", lines);
          script +=
              """
              cp known learned
              %s elsewhere 'echo in' > %s.out 2>&1
              echo $? >> %2$s.out
              cat learned >> %2$s.out
              """
                  .formatted(
                      command(
                          program,
                          "-o",
                          "CheckHostIP=yes",
                          "-o",
                          "StrictHostKeyChecking=" + strict,
                          "-o",
                          "UserKnownHostsFile=learned",
                          "-o",
                          "HashKnownHosts=no",
                          "-o",
                          "UpdateHostKeys=no"),
                      name);
        }
        Program.of(Judges.require("unshare"), "-mn", "bash", "-c", script)
            .directory(home.dir())
            .env("HOME", home.dir())
            .run();
        assertThat(said("adit.out")).as(strict).isEqualTo(said("ssh.out"));
      }
    }
  }

  private static String hostKey() {
    return server.hostKey(Keys.Type.ED25519).publicLine().replaceFirst("(\\S+ \\S+).*", "$1\n");
  }

  /** Where ssh has a line for the reason and one for the failure, adit has one for both. */
  private static List<String> said(String file) throws IOException {
    return Files.readAllLines(home.path(file)).stream()
        .map(line -> line.replaceFirst("(Host key verification failed)[.:].*", "$1"))
        .map(String::strip)
        .toList();
  }

  /** What the network is told of the connection, beside ssh. */
  @Test
  void ipQosIsThatOfSsh() throws Exception {
    for (List<Object> what :
        List.<List<Object>>of(
            List.of("-N", "127.0.0.1"),
            List.of("127.0.0.1", "echo ready >&2; cat"),
            List.of("-tt", "127.0.0.1", "echo ready >&2; cat"))) {
      List<String> seen = new ArrayList<>();
      for (Object program : List.of("ssh", AditProcess.path("adit"))) {
        int port = Ports.free();
        Object[] arguments =
            Stream.concat(
                    Stream.of("-o", "IPQoS=af21 cs1", "-L", port + ":127.0.0.1:1"), what.stream())
                .toArray();
        try (var run =
            Program.of(program)
                .arguments(AditProcess.to(server))
                .arguments(arguments)
                .env("HOME", home.dir())
                .start()
                .awaitListening(port)) {
          if (!what.contains("-N")) {
            Ports.await("the command", () -> (run.stdout() + run.stderr()).contains("ready"));
          }
          seen.add(trafficClasses());
        }
      }
      assertThat(seen.get(1)).as(what.toString()).isEqualTo(seen.get(0)).contains("tos:0x");
    }
  }

  private static String trafficClasses() {
    String sockets =
        Program.of(
                Judges.require("ss"),
                "-tnH",
                "--tos",
                "state",
                "established",
                "dport = :" + server.port())
            .run();
    return Arrays.stream(sockets.split("\\s+", -1))
        .filter(word -> word.startsWith("tos:"))
        .collect(Collectors.joining(" "));
  }
}
