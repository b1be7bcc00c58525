package dev.adit.gateway;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.List;
import org.slf4j.LoggerFactory;

/** What the gateway logs while a test runs. */
final class Told implements AutoCloseable {
  private final Logger logger = (Logger) LoggerFactory.getLogger("dev.adit.gateway");
  private final ListAppender<ILoggingEvent> appender = new ListAppender<>();

  Told() {
    logger.setLevel(Level.INFO);
    logger.setAdditive(false);
    appender.start();
    logger.addAppender(appender);
  }

  /** The lines so far; they are forgotten then. */
  List<String> lines() {
    List<String> lines = appender.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
    appender.list.clear();
    return lines;
  }

  @Override
  public void close() {
    logger.detachAppender(appender);
  }
}
