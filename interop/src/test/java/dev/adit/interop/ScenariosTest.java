package dev.adit.interop;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The article's stories in a world of network namespaces; {@code interop/scenarios/run}. */
class ScenariosTest {
  private static final Path RUN = Repository.root().resolve("interop/scenarios/run");
  private static final List<String> PROGRAMS =
      List.of(
          "sshd",
          "ssh",
          "ip",
          "nft",
          "tcpdump",
          "nginx",
          "curl",
          "chromium",
          "Xvfb",
          "x11vnc",
          "vncsnapshot",
          "imagemagick",
          "vsftpd",
          "smbd",
          "smbclient",
          "nc",
          "script");

  @ParameterizedTest
  @ValueSource(strings = {"adit-aditd", "adit-sshd", "ssh-aditd"})
  @Timeout(value = 5, unit = TimeUnit.MINUTES)
  void everyStoryComesOutAsTold(String pairing) {
    PROGRAMS.forEach(Judges::require);
    try (var run = Program.of(RUN, "all", pairing).noStdin().start()) {
      assertThat(run.exitCode(Duration.ofMinutes(4)))
          .as(() -> run.stdout() + run.stderr())
          .isZero();
      assertThat(run.stdout()).contains("8. A proxy into the university").contains("as told");
    }
  }

  @Test
  void anInterruptedWorldLeavesNothing() throws IOException {
    try (var run = Program.of(RUN, "1", "adit-sshd").noStdin().start()) {
      run.awaitStdout("-L 9001:yahoo.com:80 home");
      assertThat(leftovers(run.pid())).isNotEmpty();
      run.signal("TERM");
      assertThat(run.exitCode()).isEqualTo(143);
      assertThat(leftovers(run.pid())).isEmpty();
      assertThat(runners()).isEmpty();
    }
  }

  /** What the run started of itself: its parts have its command line. */
  private static List<String> runners() {
    return ProcessHandle.allProcesses()
        .map(process -> process.info().commandLine().orElse(""))
        .filter(line -> line.contains(RUN + " 1 adit-sshd"))
        .toList();
  }

  private static List<Path> leftovers(long runner) throws IOException {
    try (Stream<Path> names = Files.list(Path.of("/run/netns"));
        Stream<Path> folders = Files.list(Path.of("/tmp"))) {
      return Stream.concat(names, folders)
          .filter(p -> p.getFileName().toString().matches("adit-(world\\.)?" + runner + "\\b.*"))
          .toList();
    }
  }
}
