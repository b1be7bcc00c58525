package dev.adit.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code getent} and {@code id} say what the system's accounts are. */
class AccountsTest {

  private static String run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).isZero();
    return out.strip();
  }

  @Test
  void everyAccountIsWhatGetentAndIdSay() throws Exception {
    List<String> lines = run("getent", "passwd").lines().toList();
    assertThat(lines).isNotEmpty();
    for (String line : lines) {
      String[] fields = line.split(":", -1);
      Account account = Objects.requireNonNull(Accounts.SYSTEM.find(fields[0], List.of()), line);
      assertThat(account.name()).isEqualTo(fields[0]);
      assertThat(account.uid()).isEqualTo(Long.parseLong(fields[2]));
      assertThat(account.home()).hasToString(fields[5]);
      assertThat(account.shell()).hasToString(fields[6].isEmpty() ? "/bin/sh" : fields[6]);
      assertThat(account.groups())
          .containsExactlyInAnyOrder(run("id", "-Gn", fields[0]).split(" ", -1));
      assertThat(account.isTunnelUser()).isFalse();
    }
  }

  @Test
  void theAccountThatRunsThisIsItsOwn() throws Exception {
    Account own = Objects.requireNonNull(Accounts.SYSTEM.find(run("id", "-un"), List.of()));
    assertThat(own.isOwn()).isTrue();
    assertThat(Accounts.SYSTEM.find("nobody", List.of())).matches(other -> !other.isOwn());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ".",
        "..",
        "../root",
        "root/../root",
        "/etc/passwd",
        "root\0",
        "\0root",
        "root\nx",
        "root\n",
        "-root",
        "root:x",
        ".ssh",
        "no-such-user-here",
        "\u202eroot"
      })
  void namesThatAreNoNamesFindNobody(String name) {
    assertThat(Accounts.SYSTEM.find(name, List.of("x"))).isNull();
    if (!Accounts.System.isPlain(name)) {
      // Not even where somebody has listed it.
      assertThat(Accounts.SYSTEM.find(name, List.of(name))).isNull();
    }
    assertThat(Accounts.SYSTEM.find("r".repeat(300), List.of("r".repeat(300)))).isNull();
  }

  @Test
  void tunnelUsersExistOnlyHere() {
    Account tunnel = Objects.requireNonNull(Accounts.SYSTEM.find("tunnel-1", List.of("tunnel-1")));
    assertThat(tunnel.isTunnelUser()).isTrue();
    assertThat(tunnel.isOwn()).isFalse();
    assertThat(tunnel.groups()).isEmpty();
    assertThat(UserPaths.expand("/keys/%u", tunnel)).hasToString("/keys/tunnel-1");
    assertThat(UserPaths.expand("%h/keys", tunnel)).isNull();
    assertThat(UserPaths.expand(".ssh/authorized_keys", tunnel)).isNull();
    // A name of the system's stays the system's.
    assertThat(Accounts.SYSTEM.find("root", List.of("root"))).matches(a -> !a.isTunnelUser());
  }

  @Test
  void tokensInPaths() {
    Account root = Objects.requireNonNull(Accounts.SYSTEM.find("root", List.of()));
    assertThat(UserPaths.expand("%h/.ssh/%u-%U%%", root))
        .hasToString(root.home() + "/.ssh/root-0%");
    assertThat(UserPaths.expand(".ssh/keys", root)).hasToString(root.home() + "/.ssh/keys");
    assertThat(UserPaths.expand("/keys/%x", root)).isNull();
    assertThat(UserPaths.expand("/keys/%", root)).isNull();
  }
}
