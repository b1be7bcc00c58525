package dev.adit.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.config.AlgorithmNames;
import dev.adit.config.LocalSide;
import dev.adit.gateway.SystemGroups;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** {@code aditd -T} beside {@code sshd -T}, line by line. */
class SameAsSshdTest {
  private static final int FILES = 150;

  /** Defaults that are safer here: docs/sshd-config-keywords.md has them. */
  private static final Set<String> SAFER =
      Set.of(
          "logingracetime 30",
          "logingracetime 120",
          "maxauthtries 3",
          "maxauthtries 6",
          "clientaliveinterval 15",
          "clientaliveinterval 0",
          "requiredrsasize 2048",
          "requiredrsasize 1024",
          // sshd writes this one in Match blocks only.
          "channeltimeout none",
          "pidfile none",
          "pidfile /run/sshd.pid");

  /** Adit's own, and what sshd 9.2 doesn't know. */
  private static final Set<String> OURS =
      Set.of(
          "persourcepenalties",
          "persourcepenaltyexemptlist",
          "refuseconnection",
          "allownonstrictkex",
          "auditlog",
          "auditformat",
          "denyopen",
          "draintime",
          "passwordfile",
          "tunnelusers");

  private static final String[] CONNECTIONS = {
    "user=ada,host=a.example.org,addr=192.0.2.1,laddr=127.0.0.1,lport=2222",
    "user=bob,host=bad.example.org,addr=192.0.2.7,laddr=::1,lport=22",
    "user=boss,addr=10.1.2.3,lport=22",
    "user=root,host=10.1.2.3,addr=2001:db8::5,rdomain=blue,lport=2222",
    "user=root,lport=1",
    "user=nobody-at-all,addr=no-address,lport=2222",
    "addr=192.0.2.1,lport=2222",
  };

  @TempDir static Path shared;
  @TempDir Path directory;

  private static Path hostKey;
  private static AlgorithmNames algorithms;

  @BeforeAll
  static void askSshd() throws Exception {
    hostKey = RealSshd.hostKey(shared);
    algorithms = RealSshd.algorithms(hostKey);
  }

  @TestFactory
  Stream<DynamicTest> committedFiles() throws Exception {
    try (var files = Files.list(Path.of("src/test/resources/sshd_config"))) {
      return files.filter(file -> file.toString().endsWith(".conf")).sorted().toList().stream()
          .map(
              file ->
                  DynamicTest.dynamicTest(
                      file.getFileName().toString(),
                      () -> {
                        // sshd 9.2 refuses to show LocalPort for a port that it isn't told.
                        compare("", args(file, "-C", "lport=1"));
                        for (var connection : CONNECTIONS) {
                          compare(connection, args(file, "-C", connection));
                        }
                      }));
    }
  }

  private static List<String> args(Path file, String... more) {
    var args = new ArrayList<>(List.of("-T", "-h", hostKey.toString(), "-f", file.toString()));
    args.addAll(List.of(more));
    return args;
  }

  @Test
  void defaults() throws Exception {
    compare("", args(Path.of("none"), "-p", "22"));
    assertThat(ours(List.of("-T", "-f", "none", "-p", "22")).out())
        .contains(
            "maxauthtries 3\n",
            "logingracetime 30\n",
            "clientaliveinterval 15\n",
            "clientalivecountmax 3\n",
            "requiredrsasize 2048\n");
  }

  @Test
  void includesKeepTheirMatchToThemselves() throws Exception {
    var included = directory.resolve("a.conf");
    Files.writeString(
        included, "MaxAuthTries 4\nMatch user ada\nMaxAuthTries 5\nMaxSessions 6\nMatch all\n");
    Files.writeString(directory.resolve("b.conf"), "Banner /b\nMaxAuthTries 7\n");
    var all = directory + "/*.conf";
    for (var text :
        List.of(
            "Include " + all + "\nMaxSessions 3\nPort 5\n",
            "Match user ada\nInclude " + all + "\nMaxSessions 3\n",
            "Match user bob\nInclude " + all + "\nMatch all\nMaxAuthTries 8\n",
            "Include /nonexistent/* " + all + " " + included + "\n",
            "Include \"" + included + "\"\nMatch user ada\nBanner /c\n")) {
      var file = Files.writeString(directory.resolve("sshd_config"), text);
      compare(text, args(file));
      for (var user : List.of("ada", "bob")) {
        compare(user + ": " + text, args(file, "-C", "user=" + user));
      }
    }
  }

  @TestFactory
  Stream<DynamicTest> commandLines() {
    return Stream.of(
            "-p 2222 -p 2223",
            "-o Port=5 -p 6",
            "-p 6 -o Port=5",
            "-4 -p 22",
            "-6 -p 22",
            "-g 1m -p 22",
            "-q -p 22",
            "-D -d -e -p 22",
            "-Dddep22",
            "-o AllowUsers=a -o AllowUsers=b@c -p 22",
            "-c /etc/nothing -p 22",
            "-oForceCommand=\"a b\" -p22",
            "-u 3 -p 22")
        .map(
            line ->
                DynamicTest.dynamicTest(
                    line,
                    () -> {
                      var args = new ArrayList<>(List.of("-T", "-h", hostKey.toString()));
                      args.addAll(List.of("-f", "none"));
                      args.addAll(List.of(line.split(" ")));
                      compare(line, args);
                    }));
  }

  @TestFactory
  Stream<DynamicTest> refusedCommandLines() {
    return Stream.of(
            "-Z",
            "-p",
            "-p 0 -T",
            "-p x -T",
            "-T extra",
            "-f /nonexistent -T",
            "-o Nonsense=1 -T",
            "-o Port -T",
            "-o Port=x -T",
            "-o Match=all -T",
            "-o Include=x -T",
            "-g x -T",
            "-C user -T",
            "-C foo=x -T",
            "-C lport=x -T")
        .map(
            line ->
                DynamicTest.dynamicTest(
                    line,
                    () -> {
                      var args = List.of(line.split(" "));
                      var real = RealSshd.run(args);
                      var ours = ours(args);
                      assertThat(real.status()).as(real.err()).isNotZero();
                      assertThat(ours.status()).as(ours.err()).isEqualTo(real.status());
                      assertThat(ours.err().lines().findFirst())
                          .isEqualTo(real.err().lines().findFirst());
                    }));
  }

  private static final String[] WRONG_LINES = {
    "Nonsense 1",
    "Port",
    "Port \"\"",
    "Port x",
    "Port 0",
    "Port 70000",
    "Port 1 2",
    "Port 5#x",
    "UsePAM \"",
    "Compression maybe",
    "AddressFamily x",
    "ListenAddress 1.2.3.4:0",
    "ListenAddress 0.0.0.0 rdomain x",
    "LoginGraceTime none",
    "LoginGraceTime 1x",
    "ClientAliveCountMax -4",
    "MaxAuthTries x",
    "MaxAuthTries 1k",
    "MaxStartups 10:0:30",
    "MaxStartups 10:30:5",
    "MaxStartups 10:20",
    "PerSourceMaxStartups x",
    "PerSourceNetBlockSize 33:64",
    "AllowUsers \"\" b",
    "AllowUsers a@1.2.3.4/33",
    "AllowUsers a@1.2.3.5/24",
    "AuthorizedKeysFile \"\"",
    "Banner /x y",
    "AuthenticationMethods any password",
    "PermitRootLogin x",
    "SyslogFacility x",
    "LogLevel x",
    "SyslogFacility USER x",
    "ChannelTimeout x",
    "ChannelTimeout *=5x",
    "RekeyLimit 5",
    "RekeyLimit x",
    "RekeyLimit 1M 2 3",
    "Ciphers x",
    "MACs x",
    "HostKeyAlgorithms x",
    "RequiredRSASize x",
    "StrictModes true",
    "GatewayPorts false",
    "PermitTunnel true",
    "PermitOpen a",
    "PermitOpen a:x",
    "PermitOpen any a:1",
    "PermitListen a",
    "PermitListen 0",
    "StreamLocalBindMask 9",
    "StreamLocalBindMask 1777",
    "AcceptEnv a=b",
    "SetEnv A",
    "Subsystem a",
    "Include \"\"",
    "PubkeyAuthOptions x",
    "FingerprintHash x",
    "AuthorizedKeysCommand x",
    "Match",
    "Match user",
    "Match nonsense x",
    "Match all user x",
    "Match user x all",
    "Match localport x",
    "Match address 1.2.3.4/99",
    "Match address 1.2.3.4/8",
    "Match localaddress 1.2.3.4/8",
    "AuthenticationMethods hostbased",
    "ListenAddress name.invalid",
  };

  @TestFactory
  Stream<DynamicTest> wrongLines() {
    return Stream.of(WRONG_LINES)
        .map(
            line ->
                DynamicTest.dynamicTest(
                    line,
                    () -> {
                      var file = directory.resolve("sshd_config");
                      Files.writeString(file, "# the first line\n" + line + "\n");
                      var real = RealSshd.run(args(file));
                      var ours = ours(args(file));
                      assertThat(real.status()).as(real.err()).isEqualTo(255);
                      assertThat(ours.status()).as(ours.err()).isEqualTo(255);
                      assertThat(ours.err()).isEqualTo(real.err());
                    }));
  }

  @Test
  void allBadLinesAreTold() throws Exception {
    var file = directory.resolve("sshd_config");
    Files.writeString(
        file, "Nonsense 1\nPort\nUsePAM \"\nMaxAuthTries 1 2\nMatch user a\nPort 5\n");
    assertThat(ours(args(file)).err()).isEqualTo(RealSshd.run(args(file)).err());
    Files.writeString(file, "Nonsense 1\nPort\n");
    assertThat(ours(args(file)).err()).isEqualTo(RealSshd.run(args(file)).err());
  }

  private static final String[] LINES = {
    "Port 2201",
    "Port=2202",
    "ListenAddress 127.0.0.1",
    "ListenAddress [::1]:99",
    "AddressFamily any",
    "MaxStartups 3:40:50",
    "PerSourceMaxStartups none",
    "PidFile none",
    "UseDNS no",
    "StrictModes yes",
    "# a remark",
    "",
  };

  private static final String[] MATCHABLE_LINES = {
    "AllowUsers a b@192.0.2.0/24",
    "AllowUsers c",
    "DenyUsers d",
    "AllowGroups g",
    "DenyGroups h i",
    "AuthenticationMethods publickey password,publickey",
    "AuthorizedKeysFile /k/%u",
    "AuthorizedKeysFile none",
    "AuthorizedPrincipalsFile /p/%u",
    "Banner none",
    "Banner /etc/issue",
    "PermitRootLogin no",
    "PermitRootLogin forced-commands-only",
    "PasswordAuthentication no",
    "PubkeyAuthentication yes",
    "KbdInteractiveAuthentication no",
    "ClientAliveInterval 30",
    "ClientAliveCountMax 9",
    "ChannelTimeout session=1m",
    "ChannelTimeout none",
    "UnusedConnectionTimeout 1h",
    "MaxAuthTries 8",
    "MaxSessions 0",
    "RekeyLimit 2M 10m",
    "RequiredRSASize 4096",
    "RevokedKeys /r",
    "TrustedUserCAKeys none",
    "AllowTcpForwarding remote",
    "AllowStreamLocalForwarding no",
    "AllowAgentForwarding no",
    "DisableForwarding yes",
    "GatewayPorts yes",
    "PermitOpen x:1 y:*",
    "PermitOpen none",
    "PermitListen 80",
    "StreamLocalBindMask 0077",
    "StreamLocalBindUnlink yes",
    "PermitTTY no",
    "ForceCommand run this",
    "ForceCommand none",
    "AcceptEnv A B",
    "AcceptEnv C*",
    "SetEnv X=1 Y=2",
    "LogLevel DEBUG3",
    "PubkeyAcceptedAlgorithms +ssh-rsa",
    "CASignatureAlgorithms ^rsa-sha2-512",
    "PubkeyAuthOptions verify-required",
    "IPQoS ef cs1",
    "X11Forwarding yes",
    "Match all",
    "Match user ada",
    "Match user b*,!boss group !root,*",
    "Match group root,nogroup",
    "Match host *.example.org",
    "Match address 192.0.2.0/28,10.*",
    "Match address !192.0.2.7,192.0.2.*",
    "Match localaddress ::1,127.0.0.1 localport 2222",
    "Match rdomain b*",
  };

  @Test
  void generatedFiles() throws Exception {
    for (int seed = 0; seed < FILES; seed++) {
      var random = new Random(seed);
      var lines = new ArrayList<String>();
      for (int i = random.nextInt(8); i > 0; i--) {
        lines.add(LINES[random.nextInt(LINES.length)]);
      }
      for (int i = random.nextInt(25); i > 0; i--) {
        lines.add(MATCHABLE_LINES[random.nextInt(MATCHABLE_LINES.length)]);
      }
      var file = Files.write(directory.resolve("sshd_config"), lines);
      var what = "seed %d: %s".formatted(seed, lines);
      if (random.nextBoolean()) {
        compare(what, args(file, "-C", "lport=1"));
      } else {
        var connection = CONNECTIONS[random.nextInt(CONNECTIONS.length)];
        compare(connection + " " + what, args(file, "-C", connection));
      }
    }
  }

  private static void compare(String what, List<String> args)
      throws IOException, InterruptedException {
    var real = RealSshd.run(args);
    var ours = ours(args);
    assertThat(ours.status()).as(what + ours.err()).isEqualTo(real.status());
    if (real.status() != 0) {
      // A file made by chance may contradict itself, which must be seen the same way.
      assertThat(ours.err()).as(what).isEqualTo(real.err());
      return;
    }
    var expected = comparable(real.out());
    var actual = comparable(ours.out());
    // First the lines that differ, which is easier to read than two long lists.
    assertThat(actual.stream().filter(line -> !expected.contains(line)))
        .as("not in sshd -T: %s %s", args, what)
        .isEmpty();
    assertThat(expected.stream().filter(line -> !actual.contains(line)))
        .as("only in sshd -T: %s %s", args, what)
        .isEmpty();
    assertThat(actual).as(what).containsExactlyElementsOf(expected);
  }

  private record Answer(int status, String out, String err) {}

  private static Answer ours(List<String> args) {
    var commandLine =
        new ServerCommandLine(LocalSide.ofProcess(), algorithms, "aditd", SystemGroups::of);
    return switch (commandLine.read(args.toArray(String[]::new))) {
      case ServerCommandLine.Exit(int status, var out, var err) -> new Answer(status, out, err);
      case ServerCommandLine.Check check -> new Answer(0, check.out(), "");
      case ServerCommandLine.Serve _ -> throw new AssertionError("nothing was to be served");
    };
  }

  private static List<String> comparable(String dump) {
    return dump.lines()
        .filter(line -> !SAFER.contains(line))
        .filter(line -> !OURS.contains(line.substring(0, Math.max(0, line.indexOf(' ')))))
        .toList();
  }
}
