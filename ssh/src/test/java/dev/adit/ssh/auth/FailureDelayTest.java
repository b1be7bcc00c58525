package dev.adit.ssh.auth;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class FailureDelayTest {

  private static Duration whole(long takenMicros, String user) {
    Duration taken = Duration.ofNanos(takenMicros * 1000);
    return taken.plus(FailureDelay.rest(taken, user));
  }

  @Test
  void whatWasFastAndWhatWasFasterEndTogether() {
    Duration least = whole(0, "miner");
    assertThat(least).isBetween(Duration.ofMillis(5), Duration.ofMillis(10));
    for (long taken = 0; taken < 5000; taken += 100) {
      assertThat(whole(taken, "miner")).isEqualTo(least);
    }
  }

  @Test
  void whatWasSlowIsRoundedUpToADoubling() {
    Duration least = whole(0, "miner");
    assertThat(whole(60_000, "miner").toNanos() % least.toNanos()).isZero();
    assertThat(whole(60_000, "miner")).isBetween(Duration.ofMillis(60), Duration.ofMillis(120));
    assertThat(whole(4_999_999, "miner")).isEqualTo(AuthLimits.LONGEST_FAILURE);
    assertThat(whole(6_000_000, "miner")).isEqualTo(Duration.ofSeconds(6));
  }

  @Test
  void usersDifferSoThatTheirsCantBeToldFromAnUnknownOnes() {
    Set<Duration> delays = new HashSet<>();
    for (int i = 0; i < 100; i++) {
      delays.add(whole(0, "user" + i));
    }
    assertThat(delays).hasSizeGreaterThan(90);
  }
}
