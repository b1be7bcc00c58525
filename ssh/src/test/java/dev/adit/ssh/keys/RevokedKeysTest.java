package dev.adit.ssh.keys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.adit.ssh.wire.WireWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code ssh-keygen -k} makes the lists, and {@code ssh-keygen -Q} says what is on them. */
class RevokedKeysTest {
  private static final long[] SERIALS = {
    0, 1, 2, 5, 8, 9, 63, 64, 65, 1000, 1001, 1003, 1100, 4000, 1L << 40, Long.MAX_VALUE, -2, -1
  };

  @TempDir static Path directory;

  /** Everything that is asked about: plain keys and certificates. */
  private static final List<Path> offered = new ArrayList<>();

  @BeforeAll
  static void keysAndCertificates() throws Exception {
    for (String name : List.of("one", "two", "three", "ca-a", "ca-b")) {
      run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", file(name));
      offered.add(file(name + ".pub"));
    }
    for (String name : List.of("rsa.pub", "ecdsa256.pub", "ecdsa521.pub", "sk-ed25519.pub")) {
      offered.add(Files.write(file(name), TestKeys.bytes(name)));
    }
    for (String authority : List.of("ca-a", "ca-b")) {
      for (long serial : SERIALS) {
        certify(authority, "one", "number " + Long.toUnsignedString(serial), serial);
      }
      certify(authority, "two", "lost laptop", 77);
      certify(authority, "three", "", 78);
    }
  }

  private static void certify(String authority, String key, String id, long serial)
      throws Exception {
    String number = Long.toUnsignedString(serial);
    String name = authority + "-" + key + "-" + number;
    Files.copy(file(key + ".pub"), file(name + ".pub"));
    run(
        "ssh-keygen",
        "-q",
        "-s",
        file(authority),
        "-I",
        id,
        "-n",
        "alice",
        "-z",
        number,
        file(name + ".pub"));
    offered.add(file(name + "-cert.pub"));
  }

  private static Path file(String name) {
    return directory.resolve(name);
  }

  private static String run(Object... command) throws Exception {
    var said = TestKeys.run(new byte[0], command);
    assertThat(said.status()).as("%s: %s", Arrays.toString(command), said.text()).isZero();
    return said.text();
  }

  private static String line(String name) throws IOException {
    return Files.readString(file(name)).strip();
  }

  /** A list from a specification as in ssh-keygen(1), KEY REVOCATION LISTS. */
  private static Path list(String... lines) throws Exception {
    return list(null, lines);
  }

  private static Path list(@Nullable Path authority, String... lines) throws Exception {
    Path specification = Files.createTempFile(directory, "spec", "");
    Files.write(specification, List.of(lines));
    Path list = Files.createTempFile(directory, "list", ".krl");
    if (authority == null) {
      run("ssh-keygen", "-q", "-k", "-f", list, specification);
    } else {
      run("ssh-keygen", "-q", "-k", "-s", authority, "-f", list, specification);
    }
    return list;
  }

  /** Holds our verdict on every key against ssh-keygen's, and says how many are revoked. */
  private static int judged(Path list) throws Exception {
    RevokedKeys ours = RevokedKeys.read(list);
    List<Object> question = new ArrayList<>(List.of("ssh-keygen", "-Q", "-f", list));
    question.addAll(offered);
    // A line for each: "/path/one.pub (comment): ok", or "REVOKED".
    var answers = TestKeys.run(new byte[0], question.toArray()).text().lines().toList();
    assertThat(answers).hasSameSizeAs(offered);
    int count = 0;
    for (int i = 0; i < answers.size(); i++) {
      String answer = answers.get(i);
      assertThat(answer).startsWith(offered.get(i).toString()).matches(".*: (ok|REVOKED)");
      boolean revoked = answer.endsWith("REVOKED");
      assertThat(ours.contains(SshPublicKey.parseLine(Files.readString(offered.get(i))).key()))
          .as("%s: %s", list, answer)
          .isEqualTo(revoked);
      count += revoked ? 1 : 0;
    }
    return count;
  }

  @Test
  void serialNumbersOneByOneInRangesAndInBitmaps() throws Exception {
    assertThat(judged(list(file("ca-a.pub"), "serial: 5", "serial: 9223372036854775807")))
        .isEqualTo(2);
    assertThat(judged(list(file("ca-a.pub"), "serial: 1000-4000"))).isEqualTo(5);
    assertThat(judged(list(file("ca-b.pub"), "serial: 18446744073709551614-18446744073709551615")))
        .isEqualTo(2);
    // Neighbours with gaps become a bitmap.
    var dense = LongStream.iterate(1, n -> n < 1100, n -> n + 2).mapToObj(n -> "serial: " + n);
    assertThat(judged(list(file("ca-a.pub"), dense.toArray(String[]::new)))).isEqualTo(8);
  }

  @Test
  void allWaysOfWritingSerialNumbersInOneList() throws Exception {
    // A fixed seed: what fails once fails again.
    var random = new Random(11);
    for (int round = 0; round < 4; round++) {
      List<String> lines = new ArrayList<>();
      for (int i = 0; i < 60; i++) {
        long first = 1 + random.nextInt(1 << random.nextInt(1, 13));
        int more = random.nextBoolean() ? 0 : random.nextInt(40);
        lines.add("serial: " + first + (more == 0 ? "" : "-" + (first + more)));
      }
      assertThat(judged(list(file("ca-b.pub"), lines.toArray(String[]::new)))).isPositive();
    }
  }

  @Test
  void keyIds() throws Exception {
    assertThat(judged(list(file("ca-a.pub"), "id: lost laptop"))).isEqualTo(1);
    assertThat(judged(list(file("ca-b.pub"), "id: number 5", "id: number 0"))).isEqualTo(2);
  }

  @Test
  void keysThemselvesAndTheirFingerprints() throws Exception {
    // With each key go the certificates of it; with an authority, those that it signed.
    assertThat(judged(list("key: " + line("one.pub")))).isEqualTo(1 + 2 * SERIALS.length);
    assertThat(judged(list("sha1: " + line("two.pub")))).isEqualTo(3);
    assertThat(judged(list("sha256: " + line("three.pub")))).isEqualTo(3);
    assertThat(judged(list("hash: " + TestKeys.key("rsa.pub").fingerprint()))).isEqualTo(1);
    assertThat(judged(list("sha256: " + line("ca-a.pub")))).isEqualTo(1 + SERIALS.length + 2);
    assertThat(judged(list("key: " + line("ecdsa521.pub"), "sha1: " + line("sk-ed25519.pub"))))
        .isEqualTo(2);
    // A certificate on its own is revoked by its serial number.
    assertThat(judged(list(line("ca-b-two-77-cert.pub")))).isEqualTo(1);
  }

  @Test
  void plainListsAndEmptyOnes() throws Exception {
    Path plain = file("plain");
    Files.write(
        plain,
        List.of(
            "# lost",
            "",
            "  " + line("two.pub"),
            TestKeys.line("rsa1024.pub"),
            "ssh-dss AAAAB3NzaC1kc3MAAAABAw==",
            line("ca-b.pub")));
    RevokedKeys revoked = RevokedKeys.read(plain);
    assertThat(revoked.contains(SshPublicKey.parseLine(line("two.pub")).key())).isTrue();
    assertThat(revoked.contains(SshPublicKey.parseLine(line("one.pub")).key())).isFalse();
    assertThat(revoked.contains(SshPublicKey.parseLine(TestKeys.line("rsa1024.pub"), 1024).key()))
        .isTrue();
    assertThat(revoked.contains(SshPublicKey.parseLine(line("ca-a-two-77-cert.pub")).key()))
        .isTrue();
    assertThat(revoked.contains(SshPublicKey.parseLine(line("ca-b-one-5-cert.pub")).key()))
        .isTrue();
    assertThat(revoked.contains(SshPublicKey.parseLine(line("ca-a-one-5-cert.pub")).key()))
        .isFalse();
    Files.write(plain, new byte[0]);
    assertThat(RevokedKeys.read(plain).contains(TestKeys.key("rsa.pub"))).isFalse();
    assertThat(judged(list())).isZero();
  }

  @Test
  void aListWithAMistakeIsNoList() throws Exception {
    Path plain = file("mistake");
    Files.writeString(plain, line("two.pub") + "\nssh-ed25519 AAAA\n");
    assertThatThrownBy(() -> RevokedKeys.read(plain)).hasMessageContaining("mistake:2: ");
    Files.writeString(plain, "ssh-new AAAA\n");
    assertThatThrownBy(() -> RevokedKeys.read(plain)).hasMessageContaining("mistake:1: ");
  }

  @Test
  void aListThatIsCutShortAnywhereIsRefused() throws Exception {
    byte[] whole =
        Files.readAllBytes(
            list(
                file("ca-a.pub"),
                "serial: 5",
                "serial: 70-75",
                "id: someone",
                "key: " + line("one.pub"),
                "sha1: " + line("two.pub")));
    // Where a section ends the rest could be missing without a trace; nowhere else.
    int silent = 0;
    for (int length = 1; length < whole.length; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      try {
        RevokedKeys.parse(cut, "list");
        silent++;
      } catch (IOException expected) {
        assertThat(expected).hasMessageStartingWith("list: key revocation list: ");
      }
    }
    assertThat(silent).isLessThanOrEqualTo(3);
  }

  @Test
  void junkEndsInAnErrorAndNothingElse() throws Exception {
    byte[] whole =
        Files.readAllBytes(list(file("ca-a.pub"), "serial: 5", "serial: 70-75", "id: someone"));
    var random = new Random(3);
    int errors = 0;
    for (int round = 0; round < 5000; round++) {
      byte[] changed = whole.clone();
      for (int i = random.nextInt(1, 4); i > 0; i--) {
        changed[random.nextInt(8, changed.length)] = (byte) random.nextInt();
      }
      try {
        RevokedKeys.parse(changed, "list")
            .contains(SshPublicKey.parseLine(line("ca-a-one-5-cert.pub")).key());
      } catch (IOException expected) {
        errors++;
      }
    }
    assertThat(errors).isPositive();
  }

  @Test
  void whatIsNotUnderstoodIsNotPassedOver() {
    assertThatThrownBy(() -> RevokedKeys.parse(krl(2, 255, new byte[0]), "list"))
        .hasMessageContaining("format 2");
    assertThatThrownBy(() -> RevokedKeys.parse(krl(1, 9, new byte[0]), "list"))
        .hasMessageContaining("unknown type 9");
    assertThatThrownBy(() -> RevokedKeys.parse(krl(1, 4, new byte[0]), "list"))
        .hasMessageContaining("signed");
    assertThatThrownBy(() -> RevokedKeys.parse(krl(1, 255, extension(true)), "list"))
        .hasMessageContaining("critical extension new@example");
    assertThatThrownBy(() -> RevokedKeys.parse(krl(1, 3, string(new byte[19])), "list"))
        .hasMessageContaining("19 bytes, not 20");
    assertThatThrownBy(() -> RevokedKeys.parse(krl(1, 1, serials(0x20, new byte[9])), "list"))
        .hasMessageContaining("cut short");
    assertThatThrownBy(() -> RevokedKeys.parse(krl(1, 1, serials(0x21, new byte[17])), "list"))
        .hasMessageContaining("after its last field");
    assertThatThrownBy(() -> RevokedKeys.parse(krl(1, 1, serials(0x38, new byte[8])), "list"))
        .hasMessageContaining("unknown type 56");
  }

  @Test
  void anExtensionThatIsNotCriticalIsPassedOver() throws Exception {
    assertThat(
            RevokedKeys.parse(krl(1, 255, extension(false)), "list")
                .contains(TestKeys.key("rsa.pub")))
        .isFalse();
  }

  private static byte[] krl(int format, int sectionType, byte[] section) {
    return WireWriter.create()
        .writeBytes("SSHKRL\n\0".getBytes(StandardCharsets.ISO_8859_1))
        .writeUint32(format)
        .writeUint64(1)
        .writeUint64(0)
        .writeUint64(0)
        .writeString("")
        .writeString("")
        .writeByte(sectionType)
        .writeString(section)
        .toBytes();
  }

  private static byte[] serials(int type, byte[] content) {
    return WireWriter.create()
        .writeString("")
        .writeString("")
        .writeByte(type)
        .writeString(content)
        .toBytes();
  }

  private static byte[] extension(boolean critical) {
    return WireWriter.create()
        .writeString("new@example")
        .writeBoolean(critical)
        .writeString("")
        .toBytes();
  }

  private static byte[] string(byte[] content) {
    return WireWriter.create().writeString(content).toBytes();
  }

  @Test
  void aListWithoutEndIsRefused() throws Exception {
    Path file = directory.resolve("endless");
    try (var out = new java.io.RandomAccessFile(file.toFile(), "rw")) {
      out.setLength((64 << 20) + 1);
    }
    assertThatThrownBy(() -> RevokedKeys.read(file))
        .hasMessageContaining("more than 67108864 bytes");
    Files.writeString(file, "x".repeat((64 << 10) + 1));
    assertThatThrownBy(() -> RevokedKeys.read(file))
        .hasMessageContaining("more than 65536 characters");
  }
}
