package dev.adit;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;

class LogProviderTest {

  /** As the client does it: threads of preparation log before the command line has been read. */
  @Test
  void whatIsLoggedEarlyIsSaidOnceTheLevelIsKnown() {
    var provider = new LogProvider();
    provider.initialize();
    var context = (LoggerContext) provider.getLoggerFactory();
    Logger early = context.getLogger("dev.adit.early");
    early.debug("a detail");
    early.warn("a warning");
    context.getLogger("io.netty.early").debug("chatter");

    var said = appender(context);
    LogProvider.direct(context, said, LogProviderTest::infoAndMore);
    early.info("later");
    assertThat(said.list)
        .extracting(ILoggingEvent::getFormattedMessage)
        .containsExactly("a warning", "later");

    var other = appender(context);
    LogProvider.direct(context, other, LogProviderTest::infoAndMore);
    early.info("elsewhere");
    assertThat(said.list).hasSize(2);
    assertThat(other.list).hasSize(1);
    assertThat(said.isStarted()).as("what it has is written out").isFalse();
    context.stop();
    assertThat(other.isStarted()).isFalse();
  }

  private static ListAppender<ILoggingEvent> appender(LoggerContext context) {
    var appender = new ListAppender<ILoggingEvent>();
    appender.setContext(context);
    appender.start();
    return appender;
  }

  private static void infoAndMore(LoggerContext context) {
    context.getLogger(Logger.ROOT_LOGGER_NAME).setLevel(Level.INFO);
  }
}
