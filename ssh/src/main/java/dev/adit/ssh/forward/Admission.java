package dev.adit.ssh.forward;

import dev.adit.ssh.ForwardLimits;
import dev.adit.ssh.connection.Connection;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Lets the new forwarded connections of one SSH connection in, whichever side they come from: not
 * too many at once, and not too many a second. Who comes too fast waits. Confined to the event
 * loop.
 */
final class Admission {

  private static final long SECOND = Duration.ofSeconds(1).toNanos();

  private final Connection connection;
  private final ForwardLimits limits;
  private final Timer timer;
  private final Deque<Runnable> waiting = new ArrayDeque<>();
  private int pending;
  private boolean timing;

  /** When the next one would come if all came evenly (the generic cell rate algorithm). */
  private long due;

  Admission(Connection connection, ForwardLimits limits, Timer timer) {
    this.connection = connection;
    this.limits = limits;
    this.timer = timer;
    this.due = timer.now();
  }

  /**
   * Asks for one more connection.
   *
   * @param go runs when its time has come, now or later; {@link #leave} must follow, once
   * @return null, or why it can't be: then nothing is run
   */
  @Nullable String enter(Runnable go) {
    if (pending >= limits.pendingOpens()) {
      return "more than " + limits.pendingOpens() + " connections are being made";
    }
    if (connection.heldChannels() + pending >= limits.channels()) {
      return "more than " + limits.channels() + " channels";
    }
    pending++;
    waiting.add(go);
    letIn();
    return null;
  }

  /** One that was let in is made, or has failed. */
  void leave() {
    pending--;
  }

  /** The connection has ended: those who wait are let go without a word. */
  void abandon() {
    pending -= waiting.size();
    waiting.clear();
  }

  private void letIn() {
    long interval = SECOND / limits.opensPerSecond();
    while (!timing && !waiting.isEmpty()) {
      long now = timer.now();
      long early = Math.max(0, due - now) - (ForwardingLimits.BURST_SECONDS * SECOND - interval);
      if (early > 0) {
        timing = true;
        timer.after(
            connection.eventLoop(),
            Duration.ofNanos(early),
            () -> {
              timing = false;
              letIn();
            });
        return;
      }
      due = Math.max(due, now) + interval;
      waiting.remove().run();
    }
  }
}
