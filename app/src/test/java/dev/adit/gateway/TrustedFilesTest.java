package dev.adit.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.adit.gateway.TrustedFiles.UntrustedFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** StrictModes; GatewayAccessTest holds the same cases against sshd. */
class TrustedFilesTest {
  @TempDir Path directory;
  private Path home;
  private Path ssh;
  private Path keys;

  @BeforeEach
  void files() throws IOException {
    home = Files.createDirectory(directory.toRealPath().resolve("home"));
    ssh = Files.createDirectory(home.resolve(".ssh"));
    keys = Files.writeString(ssh.resolve("authorized_keys"), "x");
    for (Path directory : List.of(home, ssh)) {
      mode(directory, "rwxr-xr-x");
    }
    mode(keys, "rw-r--r--");
  }

  private static void mode(Path file, String permissions) throws IOException {
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
  }

  private Account account(Path itsHome) {
    return new Account("ada", SystemUsers.ownUid(), List.of(), itsHome, Path.of("/bin/sh"), true);
  }

  private byte[] read(Path file) throws IOException {
    return java.util.Objects.requireNonNull(
        TrustedFiles.read(file, account(home), true, 100), "there");
  }

  @Test
  void filesThatOnlyTheirOwnerCanWrite() throws Exception {
    assertThat(read(keys)).hasSize(1);
    assertThat(TrustedFiles.read(ssh.resolve("none"), account(home), true, 100)).isNull();
    // Above the home nobody looks.
    mode(directory, "rwxrwxrwx");
    assertThat(read(keys)).hasSize(1);
  }

  @Test
  void whatOthersCanWriteIsRefusedInSshdsWords() throws Exception {
    mode(keys, "rw-rw-r--");
    assertThatThrownBy(() -> read(keys))
        .isInstanceOf(UntrustedFileException.class)
        .hasMessage("bad ownership or modes for file " + keys);
    mode(keys, "rw-r--rw-");
    assertThatThrownBy(() -> read(keys)).isInstanceOf(UntrustedFileException.class);
    assertThat(TrustedFiles.read(keys, account(home), false, 100)).hasSize(1);
    mode(keys, "rw-------");
    mode(ssh, "rwxrwx---");
    assertThatThrownBy(() -> read(keys)).hasMessage("bad ownership or modes for directory " + ssh);
    mode(ssh, "rwx------");
    mode(home, "rwxr-xrwx");
    assertThatThrownBy(() -> read(keys)).hasMessage("bad ownership or modes for directory " + home);
  }

  @Test
  void whereALinkLeadsIsWhatCounts() throws Exception {
    Path open = Files.createDirectory(directory.resolve("open"));
    mode(open, "rwxrwxrwx");
    Path target = Files.writeString(open.resolve("keys"), "y");
    Path link = Files.createSymbolicLink(ssh.resolve("link"), target);
    assertThatThrownBy(() -> read(link))
        .hasMessageContaining("bad ownership or modes for directory " + open.toRealPath());
  }

  @Test
  void outsideOfTheHomeEveryDirectoryCounts() throws Exception {
    // The temporary directory is everybody's.
    assertThatThrownBy(() -> TrustedFiles.read(keys, account(Path.of("/none")), true, 100))
        .hasMessageStartingWith("bad ownership or modes for directory ");
  }

  @Test
  void somebodyElsesFileIsRefused() throws Exception {
    Account other =
        new Account("eve", 12345, List.of(), Path.of("/usr"), Path.of("/bin/sh"), false);
    // Root's files are good for everyone, and so are those of who runs aditd.
    assertThat(TrustedFiles.read(Path.of("/etc/hostname"), other, true, 1000)).isNotEmpty();
    assertThat(TrustedFiles.read(keys, account(home), true, 100)).hasSize(1);
  }

  @Test
  void limitsAndThingsThatAreNoFiles() throws Exception {
    Files.writeString(keys, "x".repeat(101));
    assertThatThrownBy(() -> read(keys)).hasMessageContaining("more than 100 bytes");
    assertThatThrownBy(() -> read(ssh)).hasMessageContaining("not a regular file");
    // A pipe would be waited for.
    Path pipe = ssh.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    assertThatThrownBy(() -> read(pipe)).hasMessageContaining("not a regular file");
  }
}
