package dev.adit.ssh.connection;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SenderPauseTest {
  private static final long LONG = ConnectionLimits.LONG_PATH_NANOS;
  private static final int MANY = 100_000;

  private final SenderPause pause = new SenderPause();

  @Test
  void aSenderThatWaitsForCreditStandsStill() {
    pause.granted(MANY, 0);
    pause.received(MANY, 10);
    assertThat(pause.take()).isFalse();
    pause.received(1, 10 + LONG);
    assertThat(pause.take()).isTrue();
    assertThat(pause.take()).isFalse();
  }

  @Test
  void aSenderThatHasNothingMoreToComeStandsStillToo() {
    pause.granted(0, 0);
    pause.received(1, LONG);
    assertThat(pause.take()).isTrue();
  }

  @Test
  void bytesThatQueueUpBeforeUsAreNoPause() {
    pause.granted(MANY, 0);
    pause.received(MANY, 100 * LONG);
    pause.received(1, 100 * LONG + 1);
    assertThat(pause.take()).isFalse();
  }

  @Test
  void aPauseAmidstWhatWasAllowedIsTheSendersOwn() {
    pause.granted(MANY, 0);
    pause.received(1, LONG);
    pause.received(MANY, LONG + 1);
    assertThat(pause.take()).isFalse();
  }

  @Test
  void aTrickleNeedsNoLargerWindow() {
    pause.granted(MANY, 0);
    for (int i = 1; i <= MANY + 1; i++) {
      pause.received(1, i * LONG);
    }
    assertThat(pause.take()).isFalse();
  }

  @Test
  void aPathIsNoLongerThanItsFastestAnswer() {
    pause.granted(0, 0);
    pause.received(1, LONG - 1);
    pause.granted(0, 0);
    pause.received(1, 50 * LONG);
    assertThat(pause.take()).isFalse();
  }

  @Test
  void theFirstOfSeveralGrantsIsAwaited() {
    pause.granted(0, 0);
    pause.granted(MANY, LONG - 1);
    pause.received(1, LONG);
    assertThat(pause.take()).isTrue();
  }
}
