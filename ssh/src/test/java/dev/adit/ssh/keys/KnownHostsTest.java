package dev.adit.ssh.keys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.adit.ssh.keys.KnownHosts.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KnownHostsTest {
  private static final SshPublicKey ED25519 = TestKeys.key("ed25519.pub");
  private static final SshPublicKey ECDSA = TestKeys.key("ecdsa256.pub");
  private static final SshPublicKey RSA = TestKeys.key("rsa.pub");

  @TempDir Path directory;

  private Path file(String... lines) throws IOException {
    return Files.writeString(directory.resolve("known_hosts"), String.join("\n", lines) + "\n");
  }

  private static KnownHosts read(Path... files) throws IOException {
    return KnownHosts.read(List.of(files));
  }

  @ParameterizedTest
  @CsvSource({
    "host.example, host.example, 22, true",
    "HOST.example, host.EXAMPLE, 22, true",
    "host.example, host.example, 2222, false",
    "[host.example]:2222, host.example, 2222, true",
    "[host.example]:2222, host.example, 22, false",
    "[host.example]:22, host.example, 22, false",
    "*.example, host.example, 22, true",
    "*.example, example, 22, false",
    "*.example, host.example.org, 22, false",
    "h?st.example, host.example, 22, true",
    "h?st.example, hst.example, 22, false",
    "'*,!host.example', host.example, 22, false",
    "'!host.example,*', host.example, 22, false",
    "'*,!host.example', other.example, 22, true",
    "'!host.example', other.example, 22, false",
    "'other,host.example', host.example, 22, true",
    "*, host.example, 2222, true",
    "[*.example]:2222, host.example, 2222, true",
    "::1, ::1, 22, true",
    "[::1]:2222, ::1, 2222, true",
    "|1|bad|bad, host.example, 22, false",
    "'', host.example, 22, false",
  })
  void namesMatchAsSshKeygenFindsThem(String names, String host, int port, boolean matches)
      throws Exception {
    Path file = file(names + " " + ED25519.toLine());
    Verdict verdict = read(file).lookup(host, port, ED25519);
    assertThat(verdict instanceof Verdict.Known).isEqualTo(matches);
    // ssh-keygen -F takes the name as it stands in the file, in lower case.
    String found = TestKeys.keygen("-F", KnownHosts.name(host, port), "-f", file);
    assertThat(found.contains("found: line 1")).isEqualTo(matches);
  }

  @Test
  void randomPatternsMatchAsSshKeygenFindsThem() throws Exception {
    Random random = new Random(4251);
    for (int round = 0; round < 40; round++) {
      List<String> lines = new ArrayList<>();
      for (int i = 0; i < 30; i++) {
        lines.add(word(random, "ab*?,!.") + " " + ED25519.toLine());
      }
      Path file = file(lines.toArray(String[]::new));
      String name = word(random, "ab.");
      var ours = new TreeSet<Integer>();
      for (var entry : read(file).entries(name, 22)) {
        ours.add(entry.line());
      }
      var theirs = new TreeSet<Integer>();
      TestKeys.keygen("-F", name, "-f", file)
          .lines()
          .filter(line -> line.startsWith("# Host "))
          .forEach(line -> theirs.add(Integer.valueOf(line.replaceAll(".* line (\\d+).*", "$1"))));
      assertThat(ours).as("%s in %s", name, lines).isEqualTo(theirs);
    }
  }

  private static String word(Random random, String alphabet) {
    var word = new StringBuilder("a");
    for (int length = random.nextInt(6); length > 0; length--) {
      word.append(alphabet.charAt(random.nextInt(alphabet.length())));
    }
    return word.toString();
  }

  @Test
  void namesHashedBySshKeygenAreFound() throws Exception {
    Path file =
        file(
            "host.example " + ED25519.toLine(),
            "[host.example]:2222 " + RSA.toLine(),
            "10.0.0.1,::1 " + ECDSA.toLine());
    TestKeys.keygen("-H", "-f", file);
    assertThat(Files.readString(file)).doesNotContain("example").contains("|1|");
    KnownHosts known = read(file);
    assertThat(known.lookup("host.example", 22, ED25519)).isInstanceOf(Verdict.Known.class);
    assertThat(known.lookup("Host.Example", 2222, RSA)).isInstanceOf(Verdict.Known.class);
    assertThat(known.lookup("::1", 22, ECDSA)).isInstanceOf(Verdict.Known.class);
    assertThat(known.lookup("other", 22, ED25519)).isInstanceOf(Verdict.Unknown.class);
  }

  @Test
  void verdicts() throws Exception {
    Path user = file("one " + ED25519.toLine(), "", "# two", "two,*.net " + RSA.toLine() + " note");
    Path global = Files.writeString(directory.resolve("global"), "one " + ECDSA.toLine());
    KnownHosts known = read(user, directory.resolve("absent"), global);
    assertThat(known.lookup("one", 22, ED25519))
        .isInstanceOfSatisfying(
            Verdict.Known.class, v -> assertThat(v.entry().where()).isEqualTo(user + ":1"));
    assertThat(known.lookup("one", 22, ECDSA))
        .isInstanceOfSatisfying(
            Verdict.Known.class, v -> assertThat(v.entry().where()).isEqualTo(global + ":1"));
    assertThat(known.lookup("x.net", 22, RSA))
        .isInstanceOfSatisfying(
            Verdict.Known.class, v -> assertThat(v.entry().where()).isEqualTo(user + ":4"));
    assertThat(known.lookup("new", 22, RSA))
        .isInstanceOfSatisfying(
            Verdict.Unknown.class,
            v ->
                assertThat(v.otherNames())
                    .extracting(KnownHosts.Entry::names)
                    .containsExactly("two,*.net"));
    assertThat(known.lookup("new", 22, ECDSA)).isInstanceOf(Verdict.Unknown.class);
  }

  @Test
  void theChangedKeyThatIsNamedIsOneOfTheSameType() throws Exception {
    SshPublicKey otherEcdsa = TestKeys.key("ca-ecdsa.pub");
    Path file = file("host " + RSA.toLine(), "host " + ECDSA.toLine());
    assertThat(read(file).lookup("host", 22, otherEcdsa))
        .isInstanceOfSatisfying(
            Verdict.Changed.class,
            v -> {
              assertThat(v.known().line()).isEqualTo(2);
              assertThat(v.all()).hasSize(2);
            });
  }

  @Test
  void aTypeNeverSeenFromAKnownHostIsAChange() throws Exception {
    Path file = file("host " + RSA.toLine());
    assertThat(read(file).lookup("host", 22, ED25519))
        .isInstanceOfSatisfying(
            Verdict.Changed.class, v -> assertThat(v.known().key()).isEqualTo(RSA));
  }

  @Test
  void aHostKnownByAKeyTooWeakToUseIsNotNew() throws Exception {
    Path file = file("host " + TestKeys.line("rsa1024.pub"));
    assertThat(read(file).lookup("host", 22, ED25519)).isInstanceOf(Verdict.Changed.class);
  }

  @Test
  void authorities() throws Exception {
    Certificate certificate = TestKeys.certificate("host-by-ed25519-cert.pub");
    String authority = TestKeys.key("ca-ed25519.pub").toLine();
    KnownHosts known = read(file("@cert-authority *.example " + authority));
    assertThat(known.lookup("host.example", 22, certificate)).isInstanceOf(Verdict.Certified.class);
    assertThat(known.lookup("host.org", 22, certificate)).isInstanceOf(Verdict.Unknown.class);
    assertThat(known.lookup("host.example", 22, TestKeys.key("host-by-ecdsa-cert.pub")))
        .isInstanceOf(Verdict.Unknown.class);
    // The authority's key is no host key.
    assertThat(known.lookup("host.example", 22, TestKeys.key("ca-ed25519.pub")))
        .isInstanceOf(Verdict.Unknown.class);
    // A line for a host key is no authority.
    assertThat(read(file("*.example " + authority)).lookup("host.example", 22, certificate))
        .isInstanceOf(Verdict.Changed.class);
    // A certificate's key may be known by itself.
    assertThat(read(file("*.example " + ED25519.toLine())).lookup("a.example", 22, certificate))
        .isInstanceOf(Verdict.Known.class);
  }

  @ParameterizedTest
  @CsvSource({"ed25519.pub", "ca-ed25519.pub"})
  void revokedKeysAndAuthoritiesGoBeforeAll(String revoked) throws Exception {
    Certificate certificate = TestKeys.certificate("host-by-ed25519-cert.pub");
    KnownHosts known =
        read(
            file(
                "host.example " + ED25519.toLine(),
                "@cert-authority * " + TestKeys.key("ca-ed25519.pub").toLine(),
                "@revoked * " + TestKeys.key(revoked).toLine()));
    assertThat(known.lookup("host.example", 22, certificate))
        .isInstanceOfSatisfying(
            Verdict.Revoked.class, v -> assertThat(v.entry().line()).isEqualTo(3));
    assertThat(known.lookup("host.example", 22, TestKeys.key(revoked)))
        .isInstanceOf(Verdict.Revoked.class);
  }

  @Test
  void badLinesAreNamedAndPassedOver() throws Exception {
    Path file =
        file(
            "host",
            "@strange host " + RSA.toLine(),
            "host ssh-rsa AAAA",
            "host ssh-ed25519 " + RSA.toLine().split(" ")[1],
            "host ssh-dss AAAAB3NzaC1kc3MAAAAA",
            "@revoked",
            "host " + ED25519.toLine() + "\r");
    KnownHosts known = read(file);
    assertThat(known.lookup("host", 22, ED25519)).isInstanceOf(Verdict.Known.class);
    assertThat(known.problems()).extracting(KnownHosts.Problem::line).contains(1, 2, 3, 4, 5, 6);
    assertThat(known.problems().getFirst())
        .hasToString(file + ":1: needs host names, a key type and the key in base64");
  }

  @Test
  void algorithmsOfKnownKeysComeFirst() throws Exception {
    List<String> all =
        List.of("ssh-ed25519-cert-v01@openssh.com", "ssh-ed25519", "rsa-sha2-512", "rsa-sha2-256");
    assertThat(read(file("host " + RSA.toLine())).preferKnown("host", 22, all))
        .containsExactly(
            "rsa-sha2-512", "rsa-sha2-256", "ssh-ed25519-cert-v01@openssh.com", "ssh-ed25519");
    assertThat(read(file("@cert-authority * " + RSA.toLine())).preferKnown("host", 22, all))
        .isEqualTo(all);
    assertThat(read(file("@revoked * " + RSA.toLine())).preferKnown("host", 22, all))
        .isEqualTo(all);
    assertThat(read(file("other " + RSA.toLine())).preferKnown("host", 22, all)).isEqualTo(all);
  }

  @Test
  void addedKeysAreFoundBySshKeygen() throws Exception {
    Path parent = directory.resolve("new");
    Path file = parent.resolve("known_hosts");
    KnownHostsFile.add(file, "Host.Example", 22, ED25519, false);
    KnownHostsFile.add(file, "host.example", 2222, RSA, true);
    KnownHostsFile.add(file, "host.example", 22, ED25519, false);
    assertThat(Files.readAllLines(file)).hasSize(2);
    assertThat(permissions(file)).isEqualTo("rw-------");
    assertThat(permissions(parent)).isEqualTo("rwx------");
    assertThat(TestKeys.keygen("-F", "host.example", "-f", file)).contains("found: line 1");
    assertThat(TestKeys.keygen("-F", "[host.example]:2222", "-f", file)).contains("found: line 2");
    assertThat(Files.readString(file)).doesNotContain("2222");
    try (var files = Files.list(parent)) {
      assertThat(files).containsExactly(file);
    }
  }

  private static String permissions(Path file) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
  }

  @Test
  void aMissingLineEndIsMendedAndOtherLinesStayAsTheyWere() throws Exception {
    byte[] before = {'#', ' ', (byte) 0xe4, (byte) 0xff, '\r', '\n', 'x', ' ', 'y'};
    Path file = Files.write(directory.resolve("known_hosts"), before);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    KnownHostsFile.add(file, "host", 22, ED25519, false);
    byte[] after = Files.readAllBytes(file);
    assertThat(after).startsWith(before);
    assertThat(new String(after, before.length, after.length - before.length, "US-ASCII"))
        .isEqualTo("\nhost " + ED25519.toLine() + "\n");
    assertThat(permissions(file)).isEqualTo("rw-r--r--");
  }

  @Test
  void keysAreReplacedInOneStep() throws Exception {
    Path file =
        file(
            "host " + RSA.toLine() + " a comment",
            "other,host,third " + RSA.toLine(),
            "h* " + RSA.toLine(),
            "@revoked host " + RSA.toLine(),
            "[host]:2222 " + RSA.toLine(),
            HostPatterns.hash("host", new byte[20]) + " " + RSA.toLine(),
            "host " + ECDSA.toLine());
    KnownHostsFile.update(file, "host", 22, List.of(ED25519, ECDSA), List.of(RSA), false);
    assertThat(Files.readAllLines(file))
        .containsExactly(
            "other,third " + RSA.toLine(),
            "h* " + RSA.toLine(),
            "@revoked host " + RSA.toLine(),
            "[host]:2222 " + RSA.toLine(),
            "host " + ECDSA.toLine(),
            "host " + ED25519.toLine());
  }

  @Test
  void removesTheLinesThatSshKeygenRemoves() throws Exception {
    String[] lines = {
      "host " + RSA.toLine(), "[host]:2222 " + RSA.toLine(), "other " + RSA.toLine()
    };
    Path ours = file(lines);
    Path theirs = Files.copy(ours, directory.resolve("theirs"));
    KnownHostsFile.update(ours, "host", 2222, List.of(), List.of(RSA), false);
    TestKeys.keygen("-R", "[host]:2222", "-f", theirs);
    assertThat(Files.readString(ours)).isEqualTo(Files.readString(theirs));
  }

  @Test
  void aLinkStaysALink() throws Exception {
    Path real = Files.createDirectory(directory.resolve("real")).resolve("hosts");
    Path link = Files.createSymbolicLink(directory.resolve("link"), Path.of("real/hosts"));
    KnownHostsFile.add(link, "host", 22, ED25519, false);
    KnownHostsFile.add(link, "host", 22, RSA, false);
    assertThat(Files.isSymbolicLink(link)).isTrue();
    assertThat(Files.readAllLines(real)).hasSize(2);
  }

  @Test
  void aDeviceIsNotReplacedByAFile() throws Exception {
    KnownHostsFile.add(Path.of("/dev/null"), "host", 22, ED25519, false);
    assertThat(Files.isRegularFile(Path.of("/dev/null"))).isFalse();
    assertThatThrownBy(() -> KnownHostsFile.add(directory, "host", 22, ED25519, false))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("is a directory");
  }

  @Test
  void writersAtTheSameTimeLoseNothing() throws Exception {
    Path file = directory.resolve("known_hosts");
    List<Callable<Boolean>> writers = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      String host = "host" + i;
      writers.add(
          () -> {
            KnownHostsFile.add(file, host, 22, ED25519, false);
            return true;
          });
    }
    try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
      for (var written : executor.invokeAll(writers)) {
        assertThat(written.get()).isTrue();
      }
    }
    assertThat(Files.readAllLines(file)).hasSize(60);
  }

  @Test
  void aFileWithoutEndIsRefused() throws Exception {
    Path file = directory.resolve("endless");
    try (var out = new java.io.RandomAccessFile(file.toFile(), "rw")) {
      out.setLength((64 << 20) + 1);
    }
    assertThatThrownBy(() -> KnownHosts.read(List.of(file)))
        .hasMessageContaining("more than 67108864 bytes");
  }
}
