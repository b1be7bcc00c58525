package dev.adit.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.config.LocalSide;
import dev.adit.config.StandardAlgorithms;
import dev.adit.config.server.ServerKeyword;
import dev.adit.config.server.ServerKeyword.State;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** aditd's pages from the tables, and what it says about keywords that do nothing. */
class ServerPagesTest {
  @TempDir Path directory;

  private static ServerCommandLine.Outcome read(String... args) {
    return new ServerCommandLine(
            LocalSide.ofProcess(), new StandardAlgorithms(), "aditd 0.1.0", _ -> List.of())
        .read(args);
  }

  private static String generated(String page) {
    var exit = (ServerCommandLine.Exit) read("--generate", page);
    assertThat(exit.status()).as(exit.err()).isZero();
    return exit.out();
  }

  @Test
  void committedPageOfKeywordsIsUpToDate() throws Exception {
    assertThat(Files.readString(Path.of("../docs/sshd-config-keywords.md")))
        .as("write it again with: ./aditd --generate keywords > docs/sshd-config-keywords.md")
        .isEqualTo(generated("keywords"));
  }

  @Test
  void manualIsCleanRoff() throws Exception {
    var page = Files.writeString(directory.resolve("aditd.8"), generated("man"));
    assertThat(output("groff", "-man", "-Tascii", "-P-cbou", "-ww", page.toString()))
        .contains("SYNOPSIS", "-f config_file")
        .doesNotContain("warning");
  }

  @Test
  void bashCompletesFlagsAndKeywords() throws Exception {
    var script = Files.writeString(directory.resolve("aditd.bash"), generated("bash"));
    assertThat(
            output(
                "bash",
                "-c",
                """
                set -e
                compopt() { :; }
                source "$0"
                COMP_WORDS=(aditd -o MaxS); COMP_CWORD=2; _aditd; echo "${COMPREPLY[@]}"
                COMP_WORDS=(aditd -T); COMP_CWORD=1; _aditd; echo "${COMPREPLY[@]}"
                """,
                script.toString()))
        .isEqualTo("MaxSessions= MaxStartups=\n-T\n");
  }

  @Test
  void zshCompletionNamesEveryFlag() {
    var script = generated("zsh");
    for (var flag : ServerFlag.values()) {
      assertThat(script).contains("'*-" + flag.letter() + "[");
    }
  }

  /** A value for each keyword that does nothing here, and that asks for something. */
  private static String asking(ServerKeyword keyword) {
    return switch (keyword) {
      case AUTHORIZED_KEYS_COMMAND, AUTHORIZED_PRINCIPALS_COMMAND -> "/bin/true %u";
      case AUTHORIZED_KEYS_COMMAND_USER, AUTHORIZED_PRINCIPALS_COMMAND_USER -> "nobody";
      case CHROOT_DIRECTORY, MODULI_FILE, SECURITY_KEY_PROVIDER, XAUTH_LOCATION -> "/srv";
      case SSHD_AUTH_PATH, SSHD_SESSION_PATH -> "/srv";
      case HOST_KEY_AGENT -> "SSH_AUTH_SOCK";
      case HOSTBASED_ACCEPTED_ALGORITHMS -> "ssh-ed25519";
      case IPQOS -> "ef";
      case FINGERPRINT_HASH -> "MD5";
      case LOG_VERBOSE, VERSION_ADDENDUM, GSSAPI_KEX_ALGORITHMS, RDOMAIN -> "x";
      case X11_DISPLAY_OFFSET -> "99";
      case IGNORE_RHOSTS -> "shosts-only";
      default -> Boolean.TRUE.equals(keyword.otherwise()) ? "no" : "yes";
    };
  }

  @TestFactory
  Stream<DynamicTest> whatDoesNothingSaysSoWithItsPlace() {
    return Stream.of(ServerKeyword.values())
        .filter(k -> k.state() == State.NOTED || k.state() == State.REFUSED)
        // Asked for only with yes, which is what they are anyway.
        .filter(k -> !Boolean.TRUE.equals(k.otherwise()))
        .map(
            keyword ->
                DynamicTest.dynamicTest(
                    keyword.text(),
                    () -> {
                      var file = directory.resolve("sshd_config");
                      Files.writeString(file, keyword.text() + " " + asking(keyword) + "\n");
                      var place =
                          "%s line 1: Unsupported option %s".formatted(file, keyword.text());
                      switch (read("-T", "-f", file.toString())) {
                        case ServerCommandLine.Check check -> {
                          assertThat(keyword.state()).isEqualTo(State.NOTED);
                          assertThat(check.warnings()).hasSize(1);
                          assertThat(check.warnings().getFirst()).startsWith(place);
                        }
                        case ServerCommandLine.Exit exit -> {
                          assertThat(keyword.state()).as(exit.err()).isEqualTo(State.REFUSED);
                          assertThat(exit.status()).isEqualTo(255);
                          assertThat(exit.err()).startsWith(place).contains(keyword.note());
                        }
                        case ServerCommandLine.Serve _ -> throw new AssertionError();
                      }
                    }));
  }

  @Test
  void whatIsUnsafeIsRefusedInMatchBlocksToo() throws Exception {
    var file = directory.resolve("sshd_config");
    Files.writeString(file, "Match user ada\n  ChrootDirectory /srv\n");
    assertThat(((ServerCommandLine.Exit) read("-t", "-f", file.toString())).err())
        .startsWith(file + " line 2: Unsupported option ChrootDirectory /srv: ");
    Files.writeString(file, "UsePAM no\nMatch user ada\n  ChrootDirectory none\n");
    assertThat(read("-t", "-f", file.toString())).isInstanceOf(ServerCommandLine.Check.class);
  }

  private static String output(String... command) throws Exception {
    var process = new ProcessBuilder(List.of(command)).redirectErrorStream(true).start();
    var out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(out).isZero();
    return out;
  }
}
