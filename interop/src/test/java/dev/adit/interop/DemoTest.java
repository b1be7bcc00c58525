package dev.adit.interop;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** {@code ./adit demo}, as somebody runs it who has just come by; curl looks whether it is true. */
@Timeout(90)
class DemoTest {
  private final Scratch home = new Scratch();

  @AfterEach
  void removeHome() {
    home.close();
  }

  /** Its temporary files go where the test can see them. */
  private Program demo(Object... arguments) {
    return AditProcess.adit(home.dir(), "demo")
        .arguments(arguments)
        .env("JDK_JAVA_OPTIONS", "-Djava.io.tmpdir=" + home.dir())
        .noStdin();
  }

  private void assertNothingIsLeft() throws IOException {
    try (Stream<Path> files = Files.list(home.dir())) {
      assertThat(files.filter(f -> f.getFileName().toString().startsWith("adit-demo"))).isEmpty();
    }
  }

  @Test
  void onceFetchesThroughEachTunnelAndEnds() throws Exception {
    try (var demo = demo("--once").start()) {
      assertThat(demo.exitCode()).as(demo.toString()).isZero();
      assertThat(demo.stdout())
          .containsPattern("-L  http://127\\.0\\.0\\.1:\\d+/ +\"The web site at home\"")
          .containsPattern("-R  http://127\\.0\\.0\\.1:\\d+/ +\"The intranet at work\"")
          .containsPattern("-D  http://web\\.home/ +\"The web site at home\"")
          .containsPattern("moved \\d+ MiB in \\d+\\.\\d+ s: \\d+ MiB/s")
          .contains("encrypted by SSH: mlkem768x25519-sha256,")
          .doesNotContain("\u001b")
          .doesNotContain("Ctrl-C");
      assertThat(demo.stdout().lines()).allMatch(line -> line.length() <= 80);
    }
    assertNothingIsLeft();
  }

  @Test
  void itStaysUpForACurlThroughEachTunnelUntilItIsInterrupted() throws Exception {
    try (var demo = demo().start()) {
      demo.awaitStdout("Ctrl-C ends it");
      String stay = demo.stdout().substring(demo.stdout().indexOf("It stays up"));
      String local = group(stay, "-L  (http\\S+)");
      String remote = group(stay, "-R  (http\\S+)");
      String proxy = group(stay, "curl --proxy (\\S+) http://web\\.home/");
      assertThat(curl(local)).contains("<h1>The web site at home</h1>");
      assertThat(curl(remote)).contains("<h1>The intranet at work</h1>");
      assertThat(curl("--proxy", proxy, "http://web.home/")).contains("The web site at home");

      // Its proxy is open to every user of this machine, so it leads to the web site only.
      String intranet = group(demo.stdout(), "intranet at (127\\S+\\d)");
      try (var refused =
          Program.of("curl", "-sS", "--proxy", proxy, "http://" + intranet + "/").start()) {
        assertThat(refused.exitCode()).isNotZero();
      }

      // Its gateway lets nobody in but its own client.
      try (var stranger =
          Program.of(Judges.require("ssh"), "-F", "none", "-N", "-o", "BatchMode=yes")
              .arguments("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null")
              .arguments("-o", "IdentitiesOnly=yes", "-i", Keys.shared(Keys.Type.ED25519).path())
              .arguments("-p", group(demo.stdout(), "gateway on port (\\d+)"), "demo@127.0.0.1")
              .noStdin()
              .start()) {
        assertThat(stranger.exitCode()).isEqualTo(255);
        assertThat(stranger.stderr()).contains("Permission denied (publickey)");
      }

      demo.signal("INT");
      demo.exitCode();
      for (String url : new String[] {local, remote}) {
        assertThat(Ports.accepts(Integer.parseInt(group(url, ":(\\d+)/")))).isFalse();
      }
    }
    assertNothingIsLeft();
  }

  @Test
  void inACLocaleItIsDrawnInAscii() {
    try (var demo = demo("--once").env("LC_ALL", "C").start()) {
      assertThat(demo.exitCode()).isZero();
      assertThat(demo.stdout()).contains("========>").matches("\\p{ASCII}+");
    }
  }

  @Test
  void coloursAreForTerminalsThatWantThem() {
    try (var terminal = Terminal.open(home.dir())) {
      terminal.enter(Terminal.adit("demo", "--once")).await("\u001b\\[32m").await("local> ");
    }
    try (var terminal = Terminal.open(home.dir(), "NO_COLOR", "1")) {
      terminal.enter(Terminal.adit("demo", "--once")).await("MiB/s").await("local> ");
      assertThat(terminal.screen()).doesNotContain("\u001b[3");
    }
  }

  @Test
  void whatItDoesNotKnowIsItsUsage() {
    try (var demo = demo("uptime").start()) {
      assertThat(demo.exitCode()).isEqualTo(1);
      assertThat(demo.stderr()).contains("usage: adit demo [--once]\n").contains("adit ssh://demo");
    }
  }

  private static String curl(Object... arguments) {
    return Program.of("curl", "-sS", "--max-time", "10").arguments(arguments).run();
  }

  private static String group(String text, String regex) {
    var matcher = Pattern.compile(regex).matcher(text);
    assertThat(matcher.find()).as("%s in %s", regex, text).isTrue();
    return matcher.group(1);
  }
}
