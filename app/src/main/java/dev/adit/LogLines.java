package dev.adit;

import ch.qos.logback.classic.AsyncAppender;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Where log lines go that must stop nobody: to a file whose disk may be full, or a terminal that
 * was stopped by Ctrl-S. What can't be written in time is dropped and counted, and the count is the
 * first that is written afterwards.
 */
public final class LogLines implements AutoCloseable {
  private final OutputStream out;
  private final boolean isFile;
  private final AtomicLong dropped = new AtomicLong();

  private LogLines(OutputStream out, boolean isFile) {
    this.out = out;
    this.isFile = isFile;
  }

  /**
   * @param file appended to; standard error if there is none
   * @throws IOException if the file can't be opened
   */
  public static LogLines to(@Nullable String file) throws IOException {
    // System.err keeps its errors to itself.
    return file == null
        ? new LogLines(new FileOutputStream(FileDescriptor.err), false)
        : new LogLines(new FileOutputStream(file, true), true);
  }

  /**
   * Hands events to the appender on a thread of its own. Started; never blocks.
   *
   * @param size events that may wait; more are dropped
   */
  public AsyncAppender queue(int size, Appender<ILoggingEvent> appender) {
    AsyncAppender queue =
        new AsyncAppender() {
          @Override
          protected void append(ILoggingEvent event) {
            if (getRemainingCapacity() == 0) {
              dropped.incrementAndGet();
            } else {
              super.append(event);
            }
          }
        };
    queue.setContext(appender.getContext());
    queue.setQueueSize(size);
    queue.setDiscardingThreshold(0);
    queue.setNeverBlock(true);
    queue.setMaxFlushTime(1000);
    queue.addAppender(appender);
    queue.start();
    return queue;
  }

  /**
   * Writes a line, or counts it. May block, and is for one thread.
   *
   * @param line with its end
   * @param mark what stands before each line here
   */
  public void write(String mark, String line) {
    long missing = takeDropped();
    try {
      if (missing > 0) {
        put(mark + missed(missing) + "\n");
        missing = 0;
      }
      put(mark + line);
    } catch (IOException full) {
      dropped.addAndGet(missing + 1);
    }
  }

  /** How many lines are missing since the last answer. */
  public long takeDropped() {
    return dropped.getAndSet(0);
  }

  /** What is said of them. */
  public static String missed(long lines) {
    return lines + " log lines could not be written";
  }

  private void put(String text) throws IOException {
    out.write(text.getBytes(StandardCharsets.UTF_8));
  }

  /** Standard error stays open. */
  @Override
  public void close() {
    if (isFile) {
      try {
        out.close();
      } catch (IOException full) {
        // Nowhere is left to say so.
      }
    }
  }
}
