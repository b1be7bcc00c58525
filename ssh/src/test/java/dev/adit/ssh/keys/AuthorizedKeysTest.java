package dev.adit.ssh.keys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.adit.ssh.wire.MalformedDataException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AuthorizedKeysTest {
  private static final SshPublicKey KEY = TestKeys.key("ed25519.pub");
  private static final SshPublicKey OTHER = TestKeys.key("ecdsa256.pub");

  private final List<String> problems = new ArrayList<>();

  @TempDir Path directory;

  private List<AuthorizedKeys.Entry> find(SshPublicKey key, String file) throws Exception {
    return AuthorizedKeys.parse(file.getBytes(StandardCharsets.UTF_8))
        .find(key, (line, why) -> problems.add(line + ": " + why));
  }

  private List<Integer> lines(SshPublicKey key, String file) throws Exception {
    return find(key, file).stream().map(AuthorizedKeys.Entry::number).toList();
  }

  @Test
  void keysWithAndWithoutOptionsAndComments() throws Exception {
    String file =
        """
        # a comment

        %s someone's key
          %s
        \trestrict,command="a \\"b\\" c"   %s with options
        %s
        """
            .formatted(OTHER.toLine(), KEY.toLine(), KEY.toLine(), KEY.toLine() + "\r");
    assertThat(lines(KEY, file)).containsExactly(4, 5, 6);
    assertThat(lines(OTHER, file)).containsExactly(3);
    assertThat(lines(TestKeys.key("rsa.pub"), file)).isEmpty();
    assertThat(find(KEY, file).get(1).options().command()).isEqualTo("a \"b\" c");
    assertThat(problems).isEmpty();
  }

  @Test
  void aLineWithAMistakeIsUselessAndTheOthersAreNot() throws Exception {
    String file =
        """
        nonsense %1$s
        no-pty,%1$s
        command="open %1$s
        %2$s
        ssh-ed25519 AAAA
        ssh-ed25519
        no-pty %1$s
        """
            .formatted(KEY.toLine(), "ssh-rsa " + KEY.toLine().split(" ")[1]);
    assertThat(lines(KEY, file)).containsExactly(7);
    assertThat(problems).containsExactly("1: bad key options: unknown key option");
  }

  @Test
  void anAuthoritysLineLetsItsCertificatesInAndNotItself() throws Exception {
    Certificate certificate = TestKeys.certificate("ed25519-cert.pub");
    SshPublicKey authority = certificate.authority();
    String marked = "cert-authority,no-pty " + authority.toLine();
    assertThat(lines(certificate, marked)).containsExactly(1);
    assertThat(lines(authority, marked)).isEmpty();
    assertThat(lines(certificate, authority.toLine())).isEmpty();
    assertThat(lines(authority, authority.toLine())).containsExactly(1);
    // Neither the certified key's line nor the certificate itself lets the certificate in.
    assertThat(lines(certificate, "cert-authority " + certificate.plain().toLine())).isEmpty();
    assertThat(lines(certificate, certificate.toLine())).isEmpty();
    assertThat(lines(certificate, "cert-authority " + certificate.toLine())).isEmpty();
  }

  @Test
  void limits() throws Exception {
    String atLimit = KEY.toLine() + " ";
    atLimit += "x".repeat(KeyLimits.MAX_AUTHORIZED_LINE - atLimit.length());
    assertThat(lines(KEY, atLimit)).containsExactly(1);
    assertThat(lines(KEY, atLimit + "x\n" + KEY.toLine())).containsExactly(2);
    assertThat(problems).containsExactly("1: more than 65536 bytes");
    assertThatThrownBy(() -> AuthorizedKeys.parse(new byte[KeyLimits.MAX_AUTHORIZED_KEYS + 1]))
        .isInstanceOf(MalformedDataException.class);
    assertThatThrownBy(
            () -> AuthorizedPrincipals.parse(new byte[KeyLimits.MAX_AUTHORIZED_KEYS + 1]))
        .isInstanceOf(MalformedDataException.class);
  }

  @Test
  void aNulEndsNoLine() throws Exception {
    assertThat(lines(KEY, "command=\"x\0\" " + KEY.toLine())).isEmpty();
    assertThat(lines(KEY, KEY.toLine() + " \0")).isEmpty();
  }

  @Test
  void everyCutAndMuchJunkDoesNoHarm() throws Exception {
    byte[] whole =
        ("restrict,from=\"10.0.0.1\",permitopen=\"[::1]:80\" " + KEY.toLine() + "\n")
            .getBytes(StandardCharsets.UTF_8);
    for (int length = 0; length < whole.length - 1; length++) {
      assertThat(lines(KEY, new String(whole, 0, length, StandardCharsets.UTF_8))).isEmpty();
    }
    var random = new Random(7);
    for (int round = 0; round < 5000; round++) {
      byte[] changed = whole.clone();
      changed[random.nextInt(changed.length)] = (byte) random.nextInt();
      AuthorizedKeys.parse(changed).find(KEY, (_, _) -> {});
    }
  }

  /** ssh-keygen -l reads these files too, and finds the key behind the options as sshd does. */
  @Test
  void optionsEndWhereSshKeygenSeesThemEnd() throws Exception {
    var random = new Random(13);
    String[] pieces = {"command=\"", "\"", "\\\"", "\\", "a", " ", ",", "pty", "\t", "#"};
    int found = 0;
    List<String> candidates = new ArrayList<>();
    for (int round = 0; round < 150; round++) {
      var text = new StringBuilder("x");
      for (int i = random.nextInt(7); i > 0; i--) {
        text.append(pieces[random.nextInt(pieces.length)]);
      }
      // ssh-keygen, other than sshd, takes but one space before the key.
      candidates.add(text.toString().strip() + " " + KEY.toLine());
    }
    Path file = directory.resolve("authorized_keys");
    for (String line : candidates) {
      Files.writeString(file, line + "\n");
      boolean seen = TestKeys.keygen("-l", "-f", file).contains(KEY.fingerprint());
      problems.clear();
      boolean ours = !lines(KEY, line).isEmpty() || !problems.isEmpty();
      assertThat(ours).as(line).isEqualTo(seen);
      found += seen ? 1 : 0;
    }
    assertThat(found).isBetween(10, 140);
  }

  @Test
  void principalsOnLinesWithOptions() throws Exception {
    Certificate certificate = CertificateTest.certified(List.of("ops", "a,b"), Map.of(), Map.of());
    String file =
        """
        # ops
        alice
        ops # the team
          no-pty,command="true it is"\tops
        nonsense ops
        ops,alice
        a
        a,b
        Ops
        """;
    var found =
        AuthorizedPrincipals.parse(file.getBytes(StandardCharsets.UTF_8))
            .find(certificate, (line, why) -> problems.add(line + ": " + why));
    assertThat(found).extracting(AuthorizedKeys.Entry::number).containsExactly(3, 4, 8);
    assertThat(found.get(1).options().command()).isEqualTo("true it is");
    assertThat(problems).containsExactly("5: bad principals options: unknown key option");
  }
}
