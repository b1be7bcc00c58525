package dev.adit;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.ILoggerFactory;
import org.slf4j.IMarkerFactory;
import org.slf4j.Logger;
import org.slf4j.helpers.BasicMarkerFactory;
import org.slf4j.spi.MDCAdapter;
import org.slf4j.spi.SLF4JServiceProvider;

/**
 * Logback without its search for a configuration, which takes a fifth of a client's start: the
 * launchers name it with {@code -Dslf4j.provider}. What is logged before the program knows where to
 * and from which level on is kept until it does ({@link #direct}).
 */
public final class LogProvider implements SLF4JServiceProvider {
  private static final Start START = new Start();

  private final LoggerContext context = new LoggerContext();
  private final IMarkerFactory markers = new BasicMarkerFactory();
  private final LogbackMDCAdapter mdc = new LogbackMDCAdapter();

  /** Keeps what comes until it knows whom to give it. */
  private static final class Start extends UnsynchronizedAppenderBase<ILoggingEvent> {
    private final List<ILoggingEvent> early = new ArrayList<>();
    private volatile @Nullable Appender<ILoggingEvent> next;

    @Override
    protected void append(ILoggingEvent event) {
      Appender<ILoggingEvent> to = next;
      if (to == null) {
        to = keepUnlessDirected(event);
      }
      if (to != null) {
        to.doAppend(event);
      }
    }

    private synchronized @Nullable Appender<ILoggingEvent> keepUnlessDirected(ILoggingEvent event) {
      if (next == null) {
        early.add(event);
      }
      return next;
    }

    void direct(LoggerContext context, Appender<ILoggingEvent> to) {
      Appender<ILoggingEvent> last = next;
      synchronized (this) {
        for (ILoggingEvent event : early) {
          Level level = context.getLogger(event.getLoggerName()).getEffectiveLevel();
          if (event.getLevel().isGreaterOrEqual(level)) {
            to.doAppend(event);
          }
        }
        early.clear();
        next = to;
      }
      if (last != null) {
        // Takes a while where a terminal or a disk does: nobody who logs must wait for it.
        last.stop();
      }
    }

    @Override
    public void stop() {
      super.stop();
      Appender<ILoggingEvent> last = next;
      if (last != null) {
        last.stop();
      }
      next = null;
    }
  }

  /**
   * Makes all of the log go to an appender, and before the rest what was logged until now, as far
   * as the levels allow.
   *
   * @param levels sets them
   */
  public static void direct(
      LoggerContext context, Appender<ILoggingEvent> to, Consumer<LoggerContext> levels) {
    if (START.getContext() == context && START.isStarted()) {
      levels.accept(context);
      START.direct(context, to);
    } else {
      context.reset();
      levels.accept(context);
      context.getLogger(Logger.ROOT_LOGGER_NAME).addAppender(to);
    }
  }

  @Override
  public void initialize() {
    context.setName("default");
    context.setMDCAdapter(mdc);
    START.setContext(context);
    START.start();
    var root = context.getLogger(Logger.ROOT_LOGGER_NAME);
    root.addAppender(START);
    root.setLevel(Level.DEBUG);
    context.getLogger("io.netty").setLevel(Level.WARN);
    context.start();
  }

  @Override
  public ILoggerFactory getLoggerFactory() {
    return context;
  }

  @Override
  public IMarkerFactory getMarkerFactory() {
    return markers;
  }

  @Override
  public MDCAdapter getMDCAdapter() {
    return mdc;
  }

  @Override
  public String getRequestedApiVersion() {
    return "2.0.99";
  }
}
