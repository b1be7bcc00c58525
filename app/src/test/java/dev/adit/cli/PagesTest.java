package dev.adit.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.config.LocalSide;
import dev.adit.config.StandardAlgorithms;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The pages that are written from the tables, and what -Q and -V print. */
class PagesTest {
  @TempDir Path directory;

  private static ClientCommandLine.Exit run(String... args) {
    return (ClientCommandLine.Exit)
        new ClientCommandLine(LocalSide.ofProcess(), new StandardAlgorithms(), "adit 0.1.0")
            .read(args);
  }

  private static String generated(String page) {
    var exit = run("--generate", page);
    assertThat(exit.status()).as(exit.err()).isZero();
    return exit.out();
  }

  @Test
  void committedPageOfKeywordsIsUpToDate() throws Exception {
    var committed = Files.readString(Path.of("../docs/config-keywords.md"));
    assertThat(committed)
        .as("write it again with: ./adit --generate keywords > docs/config-keywords.md")
        .isEqualTo(generated("keywords"));
  }

  @Test
  void manualIsCleanRoff() throws Exception {
    var page = Files.writeString(directory.resolve("adit.1"), generated("man"));
    assertThat(output("groff", "-man", "-Tascii", "-P-cbou", "-ww", page.toString()))
        .contains("SYNOPSIS")
        .contains("-L")
        .contains("adit explain [--ascii] [--svg file] [--here name]")
        .doesNotContain("warning");
  }

  @Test
  void bashCompletesFlagsAndKeywords() throws Exception {
    var script = Files.writeString(directory.resolve("adit.bash"), generated("bash"));
    assertThat(
            output(
                "bash",
                "-c",
                """
                set -e
                compopt() { :; }
                source "$0"
                COMP_WORDS=(adit -o Proxy); COMP_CWORD=2; _adit; echo "${COMPREPLY[@]}"
                COMP_WORDS=(adit -L); COMP_CWORD=1; _adit; echo "${COMPREPLY[@]}"
                COMP_WORDS=(adit exp); COMP_CWORD=1; _adit; echo "${COMPREPLY[@]}"
                COMP_WORDS=(adit explain --s); COMP_CWORD=2; _adit; echo "${COMPREPLY[@]}"
                COMP_WORDS=(adit explain -L); COMP_CWORD=2; _adit; echo "${COMPREPLY[@]}"
                """,
                script.toString()))
        .isEqualTo("ProxyCommand= ProxyJump= ProxyUseFdpass=\n-L\nexplain\n--svg\n-L\n");
  }

  @Test
  void zshCompletionNamesEveryFlagThatWorks() {
    var script = generated("zsh");
    for (var flag : Flag.values()) {
      assertThat(script.contains("'*-" + flag.letter() + "["))
          .as("-%s", flag.letter())
          .isEqualTo(flag.missing() == null);
    }
  }

  @Test
  void zshCompletionKnowsExplain() {
    var script = generated("zsh");
    for (var option : ExplainOption.values()) {
      assertThat(script).contains("'" + option.text() + "[");
    }
  }

  @Test
  void flagThatIsNotThereYetSaysSoInOneLine() {
    for (var flag : Flag.values()) {
      if (flag.missing() != null) {
        var exit =
            flag.argument() == null
                ? run("-" + flag.letter(), "host")
                : run("-" + flag.letter(), "x", "host");
        assertThat(exit.status()).isEqualTo(255);
        assertThat(exit.err().lines()).hasSize(1);
        assertThat(exit.err()).contains("not there yet");
      }
    }
  }

  @Test
  void wrongForwardIsPointedAt() {
    var exit = run("-L", "9001:host:8o", "home");
    assertThat(exit.status()).isEqualTo(255);
    assertThat(exit.err().lines())
        .containsExactly(
            "Bad local forwarding specification '9001:host:8o'",
            "  9001:host:8o",
            "             ^ a port number from 1 to 65535 was expected here");
  }

  @Test
  void queriesAnswerWithOneNameALine() {
    for (var question : run("-Q", "help").out().lines().toList()) {
      assertThat(run("-Q", question).out().lines()).as(question).isNotEmpty();
    }
    assertThat(run("-Q", "cipher-auth").out().lines())
        .containsExactlyInAnyOrder(
            "aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com");
    assertThat(run("-V").err()).isEqualTo("adit 0.1.0\n");
  }

  private static String output(String... command) throws Exception {
    var process = new ProcessBuilder(List.of(command)).redirectErrorStream(true).start();
    var out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(out).isZero();
    return out;
  }
}
