package dev.adit.gateway;

import dev.adit.config.ClientOptions.LogLevel;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is told of one connection, as far as its own LogLevel goes, which a Match block may set.
 * Thread-safe.
 */
final class ConnectionLog {
  /** Lets through whatever comes here: {@link ServerLogs} sets it so. */
  private static final Logger LOG = LoggerFactory.getLogger(ConnectionLog.class);

  private volatile LogLevel level;

  ConnectionLog(LogLevel level) {
    this.level = level;
  }

  void level(LogLevel changed) {
    level = changed;
  }

  private boolean shows(LogLevel least) {
    return level.compareTo(least) >= 0;
  }

  void error(String format, @Nullable Object... values) {
    if (shows(LogLevel.FATAL)) {
      LOG.error(format, values);
    }
  }

  void warn(String format, @Nullable Object... values) {
    if (shows(LogLevel.INFO)) {
      LOG.warn(format, values);
    }
  }

  void info(String format, @Nullable Object... values) {
    if (shows(LogLevel.INFO)) {
      LOG.info(format, values);
    }
  }

  void verbose(String format, @Nullable Object... values) {
    if (shows(LogLevel.VERBOSE)) {
      LOG.info(format, values);
    }
  }

  void debug(String format, @Nullable Object... values) {
    if (shows(LogLevel.DEBUG)) {
      LOG.debug(format, values);
    }
  }
}
