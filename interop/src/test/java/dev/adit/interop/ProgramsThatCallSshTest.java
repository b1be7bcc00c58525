package dev.adit.interop;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** git, rsync, scp and sftp with adit in ssh's place. */
class ProgramsThatCallSshTest {
  private static OpenSshServer server;
  private static Scratch scratch;
  private static Path config;
  private static Path adit;

  @BeforeAll
  static void start() throws IOException {
    server = OpenSshServer.start(List.of(Keys.Type.ED25519), "AcceptEnv GIT_*");
    scratch = new Scratch();
    config =
        scratch.write(
            "config",
            """
            Host peer
              Hostname 127.0.0.1
              Port %d
              User %s
              IdentityFile %s
              IdentitiesOnly yes
              UserKnownHostsFile %s
              BatchMode yes
            """
                .formatted(server.port(), server.user(), server.userKey(), server.knownHosts()));
    // scp and sftp take a program, not a command line.
    adit =
        scratch.write(
            "adit-here",
            "#!/bin/sh\nexec %s -F %s \"$@\"\n"
                .formatted(Repository.root().resolve("adit"), config));
    assertThat(adit.toFile().setExecutable(true)).isTrue();
    Files.write(scratch.path("big"), RandomBytes.of(7, 5_000_000));
  }

  @AfterAll
  static void stop() {
    scratch.close();
    server.close();
  }

  private static void sameAsBig(String name) throws IOException {
    assertThat(Files.mismatch(scratch.path(name), scratch.path("big"))).isEqualTo(-1);
  }

  @Test
  void scpCopiesBothWays() throws IOException {
    Program.of("scp", "-S", adit, scratch.path("big"), "peer:" + scratch.path("scp-up")).run();
    sameAsBig("scp-up");
    Program.of("scp", "-S", adit, "peer:" + scratch.path("big"), scratch.path("scp-down")).run();
    sameAsBig("scp-down");
  }

  @Test
  void sftpRunsABatch() throws IOException {
    Path batch =
        scratch.write(
            "batch",
            "put %s %s%nget %s %s%n"
                .formatted(
                    scratch.path("big"),
                    scratch.path("sftp-up"),
                    scratch.path("big"),
                    scratch.path("sftp-down")));
    Program.of("sftp", "-S", adit, "-b", batch, "peer").run();
    sameAsBig("sftp-up");
    sameAsBig("sftp-down");
  }

  @Test
  void rsyncCopies() throws IOException {
    Program.of("rsync", "-e", adit, scratch.path("big"), "peer:" + scratch.path("rsync-up")).run();
    sameAsBig("rsync-up");
  }

  @Test
  void gitClonesAndPushes() throws IOException {
    Path bare = scratch.path("repo.git");
    Path clone = scratch.path("clone");
    Program.of("git", "init", "-q", "--bare", bare).run();
    git("clone", "-q", "peer:" + bare, clone);
    Files.writeString(clone.resolve("file"), "content\n");
    git("-C", clone, "add", "file");
    git("-C", clone, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "first");
    git("-C", clone, "push", "-q", "origin", "HEAD:main");
    assertThat(Program.of("git", "-C", bare, "show", "main:file").run()).isEqualTo("content\n");
  }

  private static void git(Object... arguments) {
    Program.of("git")
        .arguments(arguments)
        .env("GIT_SSH", adit)
        .env("HOME", scratch.dir())
        .directory(scratch.dir())
        .run();
  }
}
