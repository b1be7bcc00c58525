package dev.adit.ssh.forward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.adit.ssh.Target;
import java.util.List;
import org.junit.jupiter.api.Test;

class PermittedTargetsTest {

  @Test
  void anyAndNone() {
    assertThat(permits("any", "a", 1)).isTrue();
    assertThat(permits("none", "a", 1)).isFalse();
    assertThat(PermittedTargets.of(List.of()).permits(new Target.Tcp("a", 1))).isTrue();
  }

  @Test
  void hostsAndPortsWithWildcards() {
    assertThat(permits("db:5432", "db", 5432)).isTrue();
    assertThat(permits("db:5432", "DB", 5432)).isTrue();
    assertThat(permits("db:5432", "db", 5433)).isFalse();
    assertThat(permits("db:5432", "db2", 5432)).isFalse();
    assertThat(permits("db:*", "db", 1)).isTrue();
    assertThat(permits("*:80", "anything", 80)).isTrue();
    assertThat(permits("*:80", "anything", 81)).isFalse();
    assertThat(permits("[2001:db8::7]:22", "2001:db8::7", 22)).isTrue();
    // A wildcard stands for the whole name: nothing is matched in part.
    assertThat(permits("*.example.com:80", "a.example.com", 80)).isFalse();
  }

  @Test
  void wrongEntriesAreNamed() {
    for (String wrong : List.of("db", "db:", ":80", "db:http", "any")) {
      assertThatThrownBy(() -> PermittedTargets.of(List.of("a:1", wrong)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("'" + wrong + "'");
    }
  }

  private static boolean permits(String entry, String host, int port) {
    return PermittedTargets.of(List.of(entry)).permits(new Target.Tcp(host, port));
  }
}
