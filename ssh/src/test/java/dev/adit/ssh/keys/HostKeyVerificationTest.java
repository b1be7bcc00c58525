package dev.adit.ssh.keys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.adit.ssh.SshException.HostKeyRejected;
import dev.adit.ssh.keys.HostKeyVerification.Decision;
import dev.adit.ssh.keys.HostKeyVerification.Settings;
import dev.adit.ssh.keys.HostKeyVerification.Strictness;
import dev.adit.ssh.keys.HostKeyVerification.Trust;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class HostKeyVerificationTest {
  private static final SshPublicKey ED25519 = TestKeys.key("ed25519.pub");
  private static final SshPublicKey RSA = TestKeys.key("rsa.pub");

  @TempDir Path directory;
  private Path file = Path.of("");
  private final ScriptedUser user = new ScriptedUser();
  private Clock clock = Clock.fixed(Instant.parse("2026-01-01T00:00:00Z"), ZoneOffset.UTC);

  private static final class ScriptedUser implements HostKeyVerification.User {
    final Deque<String> answers = new ArrayDeque<>();
    final List<String> questions = new ArrayList<>();
    final List<String> shown = new ArrayList<>();

    @Override
    public @Nullable String ask(String question) {
      questions.add(question);
      return answers.poll();
    }

    @Override
    public void show(String text) {
      shown.add(text);
    }
  }

  @BeforeEach
  void setUp() {
    file = directory.resolve("known_hosts");
  }

  private Settings settings(Strictness strictness) {
    return Settings.of(strictness, List.of(file), List.of());
  }

  private Decision check(Settings settings, String host, int port, SshPublicKey key)
      throws HostKeyRejected {
    return new HostKeyVerification(settings, user, clock)
        .check(host, port, "192.0.2.1", key.blob());
  }

  private Decision check(Strictness strictness, SshPublicKey key) throws HostKeyRejected {
    return check(settings(strictness), "host.example", 22, key);
  }

  private void known(String... lines) throws IOException {
    Files.writeString(file, String.join("\n", lines) + "\n");
  }

  @Test
  void firstContactAsksAndAYesIsRemembered() throws Exception {
    user.answers.add("yes");
    assertThat(check(Strictness.ASK, ED25519).trust()).isEqualTo(Trust.NEW);
    assertThat(user.questions)
        .containsExactly(
            """
            The authenticity of host 'host.example (192.0.2.1)' can't be established.
            ED25519 key fingerprint is %s.
            This key is not known by any other names.
            Are you sure you want to continue connecting (yes/no/[fingerprint])? \
            """
                .formatted(ED25519.fingerprint()));
    assertThat(user.shown)
        .containsExactly(
            "Warning: Permanently added 'host.example' (ED25519) to the list of known hosts.");
    assertThat(check(Strictness.YES, ED25519).trust()).isEqualTo(Trust.KNOWN);
    assertThat(user.questions).hasSize(1);
  }

  @Test
  void theFingerprintIsAYesAndNonsenseIsAskedAgain() throws Exception {
    user.answers.addAll(List.of("perhaps", "SHA256:" + "A".repeat(43), " " + RSA.fingerprint()));
    Decision decision = check(settings(Strictness.ASK), "host.example", 2222, RSA);
    assertThat(decision.trust()).isEqualTo(Trust.NEW);
    assertThat(user.questions).hasSize(3);
    assertThat(user.questions.getFirst())
        .startsWith("The authenticity of host '[host.example]:2222 ([192.0.2.1]:2222)' can't be");
    assertThat(user.questions.getLast()).isEqualTo("Please type 'yes', 'no' or the fingerprint: ");
    assertThat(Files.readString(file)).isEqualTo("[host.example]:2222 " + RSA.toLine() + "\n");
  }

  @Test
  void otherNamesOfTheKeyAreListed() throws Exception {
    known("elsewhere " + ED25519.toLine());
    user.answers.add("no");
    assertThatThrownBy(() -> check(Strictness.ASK, ED25519)).isInstanceOf(HostKeyRejected.class);
    assertThat(user.questions.getFirst())
        .contains(
            "This host key is known by the following other names/addresses:\n    "
                + file
                + ":1: elsewhere\n");
  }

  @Test
  void noAndSilenceRefuse() {
    user.answers.add("No");
    assertThatThrownBy(() -> check(Strictness.ASK, ED25519)).isInstanceOf(HostKeyRejected.class);
    assertThatThrownBy(() -> check(Strictness.ASK, ED25519)).isInstanceOf(HostKeyRejected.class);
    user.answers.add("");
    assertThatThrownBy(() -> check(Strictness.ASK, ED25519)).isInstanceOf(HostKeyRejected.class);
    assertThat(file).doesNotExist();
  }

  @Test
  void strictRefusesNewHostsAndAcceptNewDoesNot() throws Exception {
    assertThatThrownBy(() -> check(Strictness.YES, ED25519))
        .isInstanceOf(HostKeyRejected.class)
        .hasMessage(
            "Host key verification failed: No ED25519 host key is known for host.example and you"
                + " have requested strict checking.");
    assertThat(check(Strictness.ACCEPT_NEW, ED25519).trust()).isEqualTo(Trust.NEW);
    assertThat(user.questions).isEmpty();
    assertThat(check(Strictness.YES, ED25519).trust()).isEqualTo(Trust.KNOWN);
  }

  @ParameterizedTest
  @EnumSource(
      value = Strictness.class,
      names = {"YES", "ACCEPT_NEW", "ASK"})
  void aChangedKeyStopsEverything(Strictness strictness) throws Exception {
    known("# a comment", "host.example " + TestKeys.key("ca-ed25519.pub").toLine());
    byte[] before = Files.readAllBytes(file);
    assertThatThrownBy(() -> check(strictness, ED25519))
        .isInstanceOf(HostKeyRejected.class)
        .hasMessage(
            "Host key verification failed: the ED25519 key of host.example is not the one in "
                + file
                + ":2");
    assertThat(user.shown.getFirst())
        .contains("WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!")
        .contains(ED25519.fingerprint())
        .contains("Offending ED25519 key in " + file + ":2")
        .contains("ssh-keygen -f \"" + file + "\" -R \"host.example\"");
    assertThat(Files.readAllBytes(file)).isEqualTo(before);
    assertThat(user.questions).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(
      value = Strictness.class,
      names = {"YES", "ACCEPT_NEW", "ASK"})
  void aKeyOfATypeNeverSeenFromAKnownHostIsRefused(Strictness strictness) throws Exception {
    known("host.example " + RSA.toLine());
    assertThatThrownBy(() -> check(strictness, ED25519)).isInstanceOf(HostKeyRejected.class);
    assertThat(user.shown.getFirst()).contains("Offending RSA key in " + file + ":1");
  }

  @Test
  void checkingOffLetsAChangedKeyPassWithoutTrust() throws Exception {
    known("host.example " + RSA.toLine());
    assertThat(check(Strictness.OFF, ED25519).trust()).isEqualTo(Trust.NONE);
    assertThat(user.shown.getFirst()).contains("REMOTE HOST IDENTIFICATION HAS CHANGED");
    assertThat(Files.readString(file)).doesNotContain(ED25519.toLine());
  }

  @Test
  void revokedKeysAreRefused() throws Exception {
    known("host.example " + ED25519.toLine(), "@revoked * " + ED25519.toLine());
    assertThatThrownBy(() -> check(Strictness.ASK, ED25519))
        .hasMessageContaining("is revoked in " + file + ":2");
    assertThat(user.shown.getFirst()).contains("REVOKED HOST KEY DETECTED");

    known("host.example " + ED25519.toLine());
    Path revoked = Files.writeString(directory.resolve("revoked"), ED25519.toLine() + " lost\n");
    assertThatThrownBy(() -> check(withRevoked(revoked), "host.example", 22, ED25519))
        .hasMessageContaining("revoked by file " + revoked);
    // A list that can't be read must not let a key pass.
    Files.writeString(revoked, "nonsense\n");
    assertThatThrownBy(() -> check(withRevoked(revoked), "host.example", 22, ED25519))
        .isInstanceOf(HostKeyRejected.class)
        .hasMessageContaining(revoked + ":1: ");
    Files.delete(revoked);
    assertThatThrownBy(() -> check(withRevoked(revoked), "host.example", 22, ED25519))
        .isInstanceOf(HostKeyRejected.class);
    TestKeys.keygen("-k", "-f", revoked, TestKeys.copy("ed25519.pub", directory));
    assertThatThrownBy(() -> check(withRevoked(revoked), "host.example", 22, ED25519))
        .hasMessageContaining("revoked by file " + revoked);
  }

  private Settings withRevoked(Path revoked) {
    Settings s = settings(Strictness.OFF);
    return new Settings(
        s.strictness(),
        s.userFiles(),
        s.globalFiles(),
        revoked,
        null,
        false,
        false,
        s.fingerprintHash(),
        s.caAlgorithms(),
        s.minRsaBits());
  }

  @Test
  void certificatesOfATrustedAuthority() throws Exception {
    SshPublicKey certificate = TestKeys.key("host-by-ed25519-cert.pub");
    known("@cert-authority *.example " + TestKeys.key("ca-ed25519.pub").toLine());
    assertThat(check(Strictness.YES, certificate).trust()).isEqualTo(Trust.CERTIFIED);
    assertThat(check(settings(Strictness.YES), "host.example", 2222, certificate).trust())
        .isEqualTo(Trust.CERTIFIED);

    // For another name, or too late, it is worth no more than the key in it.
    assertThatThrownBy(() -> check(settings(Strictness.YES), "b.example", 22, certificate))
        .isInstanceOf(HostKeyRejected.class);
    assertThat(user.shown).containsExactly("Certificate invalid: name is not a listed principal");
    clock = Clock.fixed(Instant.parse("2041-01-01T00:00:00Z"), ZoneOffset.UTC);
    assertThatThrownBy(() -> check(Strictness.YES, certificate))
        .isInstanceOf(HostKeyRejected.class);
    assertThat(user.shown).contains("Certificate invalid: expired");
    known("host.example " + ED25519.toLine());
    assertThat(check(Strictness.YES, certificate).trust()).isEqualTo(Trust.KNOWN);
  }

  @Test
  void userCertificatesAreNoHostCertificates() throws Exception {
    known("@cert-authority * " + TestKeys.key("ca-ed25519.pub").toLine());
    assertThatThrownBy(
            () -> check(settings(Strictness.YES), "alice", 22, TestKeys.key("ed25519-cert.pub")))
        .isInstanceOf(HostKeyRejected.class);
    assertThat(user.shown).containsExactly("Certificate invalid: not a host certificate");
  }

  @Test
  void aLineWithoutPortVouchesForEveryPortButDoesNotAccuse() throws Exception {
    known("host.example " + ED25519.toLine());
    assertThat(check(settings(Strictness.YES), "host.example", 2222, ED25519).trust())
        .isEqualTo(Trust.KNOWN);
    assertThatThrownBy(() -> check(settings(Strictness.YES), "host.example", 2222, RSA))
        .hasMessageContaining("No RSA host key is known for [host.example]:2222");
  }

  @Test
  void anAliasStandsForHostAndPort() throws Exception {
    Settings s = settings(Strictness.ACCEPT_NEW);
    Settings aliased =
        new Settings(
            s.strictness(),
            s.userFiles(),
            s.globalFiles(),
            null,
            "Alias",
            true,
            true,
            FingerprintHash.MD5,
            s.caAlgorithms(),
            s.minRsaBits());
    check(aliased, "host.example", 2222, RSA);
    assertThat(TestKeys.keygen("-F", "alias", "-f", file)).contains("found: line 1");
    assertThat(Files.readString(file)).startsWith("|1|");
  }

  @Test
  void aFileThatCannotBeWrittenIsSaidAndNothingElse() throws Exception {
    Files.createDirectory(file);
    Settings elsewhere =
        Settings.of(
            Strictness.ACCEPT_NEW, List.of(directory.resolve("a/b/c/known_hosts")), List.of());
    assertThat(check(elsewhere, "host.example", 22, RSA).trust()).isEqualTo(Trust.NEW);
    assertThat(user.shown.getFirst()).startsWith("Failed to add the host to the list");
    // But one that can't be read may hold a revocation.
    assertThatThrownBy(() -> check(Strictness.OFF, RSA)).isInstanceOf(HostKeyRejected.class);
  }

  @Test
  void whateverIsThrownRefuses() {
    List<Throwable> all =
        List.of(
            new IOException("x"),
            new RuntimeException(),
            new StackOverflowError(),
            new OutOfMemoryError(),
            new AssertionError());
    for (Throwable each : all) {
      var throwing =
          new HostKeyVerification.User() {
            @Override
            public @Nullable String ask(String question) {
              throw HostKeyVerificationTest.<RuntimeException>sneaky(each);
            }

            @Override
            public void show(String text) {}
          };
      assertThatThrownBy(
              () ->
                  new HostKeyVerification(settings(Strictness.ASK), throwing, clock)
                      .check("host", 22, null, ED25519.blob()))
          .isInstanceOf(HostKeyRejected.class);
    }
  }

  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  private static <T extends Throwable> T sneaky(Throwable any) throws T {
    throw (T) any;
  }

  @Test
  void keysThatWeWouldNotUseAreRefused() throws Exception {
    SshPublicKey small = SshPublicKey.parseLine(TestKeys.line("rsa1024.pub"), 1024).key();
    assertThatThrownBy(() -> check(Strictness.OFF, small))
        .isInstanceOf(HostKeyRejected.class)
        .hasMessageContaining("1024 bits");
    assertThatThrownBy(
            () ->
                new HostKeyVerification(settings(Strictness.OFF), user, clock)
                    .check("host", 22, null, new byte[3]))
        .isInstanceOf(HostKeyRejected.class);
  }
}
