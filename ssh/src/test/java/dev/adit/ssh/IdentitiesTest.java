package dev.adit.ssh;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.ssh.auth.KeyRing;
import dev.adit.ssh.keys.PrivateKeyFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdentitiesTest {
  @TempDir Path directory;

  @Test
  void anUnlockedKeyIsForgottenAfterTheLogin() throws Exception {
    Path file = directory.resolve("id_ed25519");
    try (var recorded = PrivateKeyFile.class.getResourceAsStream("openssh-aes256-ctr")) {
      Files.copy(Objects.requireNonNull(recorded), file);
    }
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    var person =
        new UserInteraction() {
          @Override
          public char[] askSecret(String prompt) {
            return "tunnel".toCharArray();
          }
        };
    PrivateKeyFile key;
    try (KeyRing ring = IdentitySource.files(List.of(file)).open(person, 1)) {
      key = (PrivateKeyFile) Objects.requireNonNull(ring.next());
      key.sign("ssh-ed25519", new byte[1]);
      assertThat(key.needsPassphrase()).isFalse();
    }
    assertThat(key.needsPassphrase()).isTrue();
  }
}
