package dev.adit.gateway;

import static org.assertj.core.api.Assertions.assertThatCode;

import org.junit.jupiter.api.Test;

class NativeCallsTest {
  private static final int LOG_AUTH = 4;
  private static final int LOG_DEBUG = 7;

  /** Whether or not there is a system log: this is what aditd does where no flag says otherwise. */
  @Test
  void theSystemLogCanBeWritten() {
    assertThatCode(
            () -> {
              NativeCalls.openSyslog(LOG_AUTH);
              NativeCalls.syslog(LOG_DEBUG, "a line of %s's test");
            })
        .doesNotThrowAnyException();
  }
}
