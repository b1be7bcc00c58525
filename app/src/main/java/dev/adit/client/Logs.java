package dev.adit.client;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import dev.adit.LogLines;
import dev.adit.LogProvider;
import dev.adit.config.ClientOptions.LogLevel;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where the client's own words go, in ssh's form: plain lines for people, {@code debug1:} to {@code
 * debug3:} for -v to -vvv, on standard error or in the file of -E.
 *
 * <p>A terminal stopped by Ctrl-S must not stop the event loop, so lines are handed to a thread of
 * their own, and dropped when it can't follow.
 */
public final class Logs {

  /** Lines that wait for a slow terminal or disk; beyond that they are dropped. */
  private static final int QUEUE = 4096;

  /** What belongs to -vvv is logged to this one and those below it, as trace. */
  static final String DETAIL = "dev.adit.detail";

  private static LogLevel current = LogLevel.INFO;

  private Logs() {}

  /** Sets the logging of the whole process up. */
  public static void configure(LogLevel level, @Nullable String file) throws IOException {
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    LogLines out = LogLines.to(file);
    Lines lines = new Lines(out);
    lines.setContext(context);
    lines.start();
    LogProvider.direct(context, out.queue(QUEUE, lines), of -> apply(of, level));
  }

  /**
   * Says more or less from now on ({@code ~v} and {@code ~V}).
   *
   * @return the level that holds now
   */
  public static synchronized LogLevel step(int steps) {
    LogLevel[] levels = LogLevel.values();
    LogLevel level = levels[Math.clamp(current.ordinal() + steps, 0, levels.length - 1)];
    apply((LoggerContext) LoggerFactory.getILoggerFactory(), level);
    return level;
  }

  private static synchronized void apply(LoggerContext context, LogLevel level) {
    current = level;
    context.getLogger(Logger.ROOT_LOGGER_NAME).setLevel(threshold(level));
    boolean everything = level == LogLevel.DEBUG3;
    context.getLogger(DETAIL).setLevel(everything ? Level.TRACE : Level.OFF);
    // Netty's own start-up chatter helps nobody below -vvv.
    context.getLogger("io.netty").setLevel(everything ? Level.DEBUG : Level.WARN);
  }

  /** Writes out what is still queued. */
  public static void flush() {
    if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
      context.stop();
    }
  }

  private static Level threshold(LogLevel level) {
    return switch (level) {
      case QUIET -> Level.OFF;
      case FATAL, ERROR -> Level.ERROR;
      case INFO -> Level.INFO;
      case VERBOSE -> Level.INFO;
      case DEBUG -> Level.DEBUG;
      case DEBUG2, DEBUG3 -> Level.TRACE;
    };
  }

  private static final class Lines extends AppenderBase<ILoggingEvent> {
    private final LogLines out;

    Lines(LogLines out) {
      this.out = out;
    }

    @Override
    protected void append(ILoggingEvent event) {
      String prefix = prefix(event.getLevel().toInt(), event.getLoggerName());
      // Terminals in raw mode need the carriage return, and files don't mind it from ssh either.
      out.write("", prefix + event.getFormattedMessage() + "\r\n");
      if (prefix.equals(DEBUG3) && event.getThrowableProxy() != null) {
        ThrowableProxyUtil.asString(event.getThrowableProxy())
            .lines()
            .forEach(line -> out.write("", DEBUG3 + line + "\r\n"));
      }
    }

    private static final String DEBUG3 = "debug3: ";

    private static String prefix(int level, String logger) {
      return switch (level) {
        case Level.DEBUG_INT -> logger.startsWith("io.netty") ? DEBUG3 : "debug1: ";
        case Level.TRACE_INT -> logger.startsWith(DETAIL) ? DEBUG3 : "debug2: ";
        default -> "";
      };
    }
  }
}
