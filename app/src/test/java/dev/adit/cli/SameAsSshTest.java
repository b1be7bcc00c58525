package dev.adit.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.config.AlgorithmNames;
import dev.adit.config.LocalSide;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** {@code adit -G} beside {@code ssh -G}, line by line. */
class SameAsSshTest {
  /** Where we differ on purpose: docs/config-keywords.md says why. */
  private static final Set<String> DIFFERENT =
      Set.of(
          // We notice dead connections.
          "serveraliveinterval",
          // RSA keys under 2048 bits are refused unless one asks for them.
          "requiredrsasize",
          // We have no Kerberos; Debian's ssh prints this list unless something is set.
          "gssapikexalgorithms");

  private static final Set<String> LEFT_OUT =
      Set.of(
          // We don't look for types of keys that are gone or never were.
          "identityfile ~/.ssh/id_dsa",
          "identityfile ~/.ssh/id_xmss",
          // ssh lists a local forward to a Unix socket twice, the first time as this.
          "dynamicforward /tmp/s");

  /** Refused by both; ssh prints its usage, or another sentence. */
  private static final Set<String> OTHER_WORDS =
      Set.of("-J a,, foo", "@foo", "ssh://foo:x", "-o Host=a foo");

  private static AlgorithmNames algorithms;

  @TempDir Path directory;

  @BeforeAll
  static void askSsh() throws Exception {
    algorithms = RealSsh.algorithms();
  }

  @TestFactory
  Stream<DynamicTest> committedFiles() throws Exception {
    var folder = Path.of("src/test/resources/ssh_config");
    try (var files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(".conf")).sorted().toList().stream()
          .map(
              file ->
                  DynamicTest.dynamicTest(
                      file.getFileName().toString(),
                      () -> {
                        // Include takes files only from those who may be trusted.
                        var copy =
                            Files.writeString(directory.resolve("config"), Files.readString(file));
                        for (var host : List.of("foo", "Bar.Example.org", "baz", "10.1.2.3")) {
                          compare(List.of("-F", copy.toString(), "-G", host));
                        }
                      }));
    }
  }

  @TestFactory
  Stream<DynamicTest> commandLines() {
    return Stream.of(
            "-p2222 foo",
            "-vvp2222 foo",
            "-oPort=22 -p 23 foo",
            "-p 23 -oPort=24 foo",
            "foo -p 25 uptime -p 26",
            "foo -- -p 27",
            "-- foo -p 28",
            "-NfL9001:host:80 foo",
            "-l ada foo",
            "-l ada bob@foo",
            "bob@foo",
            "bob@corp@foo",
            "-o User=bob -l ada foo",
            "ssh://bob@foo:2222",
            "ssh://foo -p 1",
            "-4 foo",
            "-6 -4 foo",
            "-A foo",
            "-a -A foo",
            "-C -c aes128-ctr -m hmac-sha2-256 foo",
            "-c ^aes256-ctr foo",
            "-D 1080 -D *:1081 -D [::1]:1082 foo",
            "-L 9001:a:1 -L 9002:a:1 -L 9001:a:1 -R 0:b:2 -R 1080 foo",
            "-L :9001:a:1 -L *:9001:a:1 -L [::1]:9001:[::2]:1 foo",
            "-o ClearAllForwardings=yes -L 9001:a:1 foo",
            "-e none foo",
            "-e ^B foo",
            "-e # foo",
            "-g foo",
            "-f -N foo",
            "-n foo",
            "-q foo",
            "-v foo",
            "-q -v foo",
            "-vvvv foo",
            "-t foo",
            "-tt foo",
            "-ttt foo",
            "-T foo",
            "-N -t foo",
            "-t -N foo",
            "-s foo sftp",
            "-J ada@hop:22,other foo",
            "-J none foo",
            "-W a:80 foo",
            "-o RequestTTY=force -W a:80 foo",
            "-S none foo",
            "-S /tmp/x foo",
            "-b ::1 foo",
            "-k -x foo",
            "-o SetEnv=A=b -o SendEnv=C foo",
            "-o HostName=%h.example.org foo",
            "-o LogLevel=verbose foo",
            "-i /dev/null -i /dev/null foo",
            "-o AddKeysToAgent=1h30m foo",
            "FOO",
            "::1",
            "foo uptime -a")
        .map(
            line ->
                DynamicTest.dynamicTest(
                    line,
                    () -> {
                      var args = new ArrayList<>(List.of("-F", "none", "-G"));
                      args.addAll(List.of(line.split(" ")));
                      compare(args);
                    }));
  }

  @TestFactory
  Stream<DynamicTest> refusedCommandLines() {
    return Stream.of(
            "-Z foo",
            "-p foo",
            "-p 0 foo",
            "-p 65536 foo",
            "-L 9001 foo",
            "-L 9001:host foo",
            "-L 0:host:80 foo",
            "-R 1:2 foo -L",
            "-D x foo",
            "-W host foo",
            "-c nonsense foo",
            "-m nonsense foo",
            "-e abc foo",
            "-J a,, foo",
            "-J a -J b foo",
            "-Q nonsense",
            "@foo",
            "ssh://foo:x",
            "-- -oProxyCommand=x",
            "-l -x foo",
            "foo;ls",
            "-o Nonsense=1 foo",
            "-o Port foo",
            "-o Host=a foo",
            "-F /nonexistent foo",
            "-o RemoteCommand=x foo y",
            "-s foo",
            "-f foo")
        .map(
            line ->
                DynamicTest.dynamicTest(
                    line,
                    () -> {
                      var args = new ArrayList<>(List.of("-G"));
                      args.addAll(List.of(line.split(" ")));
                      var real = RealSsh.run(args);
                      var ours = ours(args);
                      assertThat(real.status()).as("ssh: " + real.err()).isEqualTo(255);
                      assertThat(ours.status()).as(ours.out()).isEqualTo(255);
                      assertThat(ours.err()).isNotBlank();
                      if (!OTHER_WORDS.contains(line)) {
                        assertThat(ours.err().lines().findFirst())
                            .isEqualTo(real.err().lines().map(String::strip).findFirst());
                      }
                    }));
  }

  private static void compare(List<String> args) throws IOException, InterruptedException {
    compare("", args);
  }

  static void compare(String what, List<String> args) throws IOException, InterruptedException {
    var real = RealSsh.run(args);
    assertThat(real.status()).as(what + real.err()).isZero();
    var ours = ours(args);
    assertThat(ours.status()).as(what + ours.err()).isZero();
    var expected = comparable(real.out());
    var actual = comparable(ours.out());
    // First the lines that differ, which is easier to read than two long lists.
    assertThat(actual.stream().filter(line -> !expected.contains(line)))
        .as("not in ssh -G: %s %s", args, what)
        .isEmpty();
    assertThat(expected.stream().filter(line -> !actual.contains(line)))
        .as("only in ssh -G: %s %s", args, what)
        .isEmpty();
    assertThat(actual).as(what).containsExactlyElementsOf(expected);
  }

  static ClientCommandLine.Exit ours(List<String> args) {
    var local = LocalSide.ofProcess();
    return (ClientCommandLine.Exit)
        new ClientCommandLine(local, algorithms, "adit").read(args.toArray(String[]::new));
  }

  private static List<String> comparable(String dump) {
    return dump.lines()
        .filter(line -> !DIFFERENT.contains(line.substring(0, Math.max(0, line.indexOf(' ')))))
        .filter(line -> !LEFT_OUT.contains(line))
        .toList();
  }
}
