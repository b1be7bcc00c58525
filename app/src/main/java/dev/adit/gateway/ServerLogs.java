package dev.adit.gateway;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import dev.adit.LogLines;
import dev.adit.LogProvider;
import dev.adit.config.ClientOptions.LogLevel;
import java.io.IOException;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where the gateway's own words go: to the system's log as sshd's do, to standard error (-e), or to
 * a file (-E), where each line has its time. Lines are handed to a thread of their own, so that a
 * slow disk doesn't stop the tunnels; what can't be written in time is dropped and counted.
 */
public final class ServerLogs {

  private static final List<String> FACILITIES =
      List.of(
          "KERN",
          "USER",
          "MAIL",
          "DAEMON",
          "AUTH",
          "SYSLOG",
          "LPR",
          "NEWS",
          "UUCP",
          "CRON",
          "AUTHPRIV");

  private static final int LOCAL0 = 16;

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSxxx").withZone(ZoneId.systemDefault());

  private ServerLogs() {}

  /** Where lines go. */
  public sealed interface Destination {
    record Stderr() implements Destination {}

    record File(String name) implements Destination {}

    /**
     * @param facility {@code AUTH} and the like
     */
    record Syslog(String facility) implements Destination {}
  }

  /**
   * Sets the logging of the whole process up, or anew: a file is opened again, as logrotate wants.
   *
   * @throws IOException if the file can't be written; then all is as it was
   */
  public static void configure(LogLevel level, Destination destination) throws IOException {
    LogLines out = LogLines.to(destination instanceof Destination.File(var name) ? name : null);
    AppenderBase<ILoggingEvent> lines =
        switch (destination) {
          case Destination.Stderr _ -> new Lines(out, false);
          case Destination.File _ -> new Lines(out, true);
          case Destination.Syslog(var facility) -> {
            NativeCalls.openSyslog(number(facility));
            yield new Syslog(out);
          }
        };
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    lines.setContext(context);
    lines.start();
    LogProvider.direct(context, out.queue(GatewayLimits.LOG_LINES, lines), of -> apply(of, level));
  }

  private static void apply(LoggerContext context, LogLevel level) {
    context.getLogger(Logger.ROOT_LOGGER_NAME).setLevel(threshold(level));
    // It looks at the level of each connection itself.
    context.getLogger(ConnectionLog.class).setLevel(Level.ALL);
    // Netty's own start-up chatter helps nobody below DEBUG3.
    context.getLogger("io.netty").setLevel(level == LogLevel.DEBUG3 ? null : Level.WARN);
  }

  /** Writes out what is still queued. */
  public static void flush() {
    if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
      context.stop();
    }
  }

  private static int number(String facility) {
    return facility.startsWith("LOCAL")
        ? LOCAL0 + facility.charAt("LOCAL".length()) - '0'
        : FACILITIES.indexOf(facility);
  }

  /** VERBOSE is finer than INFO here: {@link ConnectionLog} asks for it itself. */
  private static Level threshold(LogLevel level) {
    return switch (level) {
      case QUIET -> Level.OFF;
      case FATAL, ERROR -> Level.ERROR;
      case INFO, VERBOSE -> Level.INFO;
      case DEBUG -> Level.DEBUG;
      case DEBUG2, DEBUG3 -> Level.TRACE;
    };
  }

  /** Text with sshd's marks for what is no news. */
  private static String text(ILoggingEvent event) {
    return switch (event.getLevel().toInt()) {
      case Level.DEBUG_INT -> "debug1: " + event.getFormattedMessage();
      case Level.TRACE_INT -> "debug2: " + event.getFormattedMessage();
      default -> event.getFormattedMessage();
    };
  }

  private static final class Lines extends AppenderBase<ILoggingEvent> {
    private final LogLines out;
    private final boolean hasTime;

    Lines(LogLines out, boolean hasTime) {
      this.out = out;
      this.hasTime = hasTime;
    }

    @Override
    protected void append(ILoggingEvent event) {
      var mark = "";
      if (hasTime) {
        var time = TIME.format(Instant.ofEpochMilli(event.getTimeStamp()));
        // fail2ban's filter for sshd wants this name before a line.
        mark = "%s sshd[%d]: ".formatted(time, ProcessHandle.current().pid());
      }
      out.write(mark, text(event) + System.lineSeparator());
    }

    @Override
    public void stop() {
      super.stop();
      out.close();
    }
  }

  private static final class Syslog extends AppenderBase<ILoggingEvent> {
    private final LogLines lines;

    Syslog(LogLines lines) {
      this.lines = lines;
    }

    @Override
    protected void append(ILoggingEvent event) {
      long missing = lines.takeDropped();
      if (missing > 0) {
        NativeCalls.syslog(4, LogLines.missed(missing));
      }
      int severity =
          switch (event.getLevel().toInt()) {
            case Level.ERROR_INT -> 3;
            case Level.WARN_INT -> 4;
            case Level.INFO_INT -> 6;
            default -> 7;
          };
      var mark = severity == 3 ? "error: " : "";
      text(event).lines().forEach(line -> NativeCalls.syslog(severity, mark + line));
    }
  }

  /** Standard error of a service, the system's log, or a file, as the flags say. */
  public static Destination destination(
      boolean logsToStderr, @Nullable String file, String facility) {
    if (file != null) {
      return new Destination.File(file);
    }
    return logsToStderr ? new Destination.Stderr() : new Destination.Syslog(facility);
  }
}
