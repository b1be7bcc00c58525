package dev.adit.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BackgroundTest {
  @TempDir Path dir;

  /** A program with -f: goes to the background, or ends before that with a status. */
  static final class Probe {
    static void main(String[] args) throws Exception {
      if (!Background.isChild()) {
        System.exit(Background.spawnAndWait(Probe.class, Arrays.asList(args)));
      }
      Path dir = Path.of(args[0]);
      Files.writeString(dir.resolve("pid"), ProcessHandle.current().pid() + "\n");
      System.out.println("prompt");
      switch (args[1]) {
        case "fail" -> System.exit(7);
        case "hang" -> Thread.sleep(Duration.ofMinutes(1));
        default -> Background.ready(Background.Keep.valueOf(args[1]));
      }
      System.out.println("later");
      Path end = dir.resolve("end");
      for (int i = 0; i < 6000 && !Files.exists(end); i++) {
        Thread.sleep(10);
      }
    }
  }

  @AfterEach
  void endProbe() throws IOException {
    if (Files.exists(dir.resolve("pid"))) {
      ProcessHandle.of(pid()).ifPresent(ProcessHandle::destroyForcibly);
    }
  }

  private Process start(String mode) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            Probe.class.getName(),
            dir.toString(),
            mode)
        .redirectErrorStream(true)
        .start();
  }

  private long pid() throws IOException {
    return Long.parseLong(Files.readString(dir.resolve("pid")).strip());
  }

  private static int exitCode(Process process) throws InterruptedException {
    assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
    return process.exitValue();
  }

  @Test
  void startsAreReportedAndTheChildGoesOnWithoutATerminal() throws Exception {
    Process first = start("NOTHING");
    // The end of the output comes, although the second process still runs: nothing of ours is open.
    assertThat(new String(first.getInputStream().readAllBytes(), UTF_8)).isEqualTo("prompt\n");
    assertThat(exitCode(first)).isZero();

    long pid = pid();
    assertThat(ProcessHandle.of(pid)).isPresent();
    assertThat(sessionOf(pid)).isEqualTo(pid);
    if (Files.exists(Path.of("/proc/self/fd"))) {
      for (int stream = 0; stream <= 2; stream++) {
        assertThat(Path.of("/proc/" + pid + "/fd/" + stream).toRealPath())
            .isEqualTo(Path.of("/dev/null"));
      }
    }
    Files.createFile(dir.resolve("end"));
    await().until(() -> ProcessHandle.of(pid).isEmpty());
  }

  @Test
  void outputIsKeptForACommand() throws Exception {
    Process first = start("OUTPUT");
    assertThat(exitCode(first)).isZero();
    Files.createFile(dir.resolve("end"));
    assertThat(new String(first.getInputStream().readAllBytes(), UTF_8))
        .isEqualTo("prompt\nlater\n");
  }

  @Test
  void theStatusOfAChildThatFailsIsPassedOn() throws Exception {
    assertThat(exitCode(start("fail"))).isEqualTo(7);
  }

  @Test
  void theChildEndsWithAFirstProcessThatIsTerminatedBeforeItIsReady() throws Exception {
    Process first = start("hang");
    await().until(() -> Files.exists(dir.resolve("pid")) && Files.size(dir.resolve("pid")) > 0);
    first.destroy();
    assertThat(exitCode(first)).isNotZero();
    long pid = pid();
    await().until(() -> ProcessHandle.of(pid).isEmpty());
  }

  @Test
  void aProcessThatNobodySentToTheBackgroundIsNoChild() throws Exception {
    assertThat(Background.isChild()).isFalse();
    Background.ready(Background.Keep.NOTHING); // Would end this JVM's output if it were one.
  }

  private static long sessionOf(long pid) throws Exception {
    var ps = new ProcessBuilder(List.of("ps", "-o", "sess=", "-p", String.valueOf(pid))).start();
    return Long.parseLong(new String(ps.getInputStream().readAllBytes(), UTF_8).strip());
  }
}
