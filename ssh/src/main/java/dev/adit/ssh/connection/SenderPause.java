package dev.adit.ssh.connection;

/**
 * Whether a sender stands still until our credit reaches it, which means that the path is longer
 * than the window. What counts is a pause behind the last byte that was allowed before the credit,
 * not how long that byte itself took to come: bytes that queue up before us arrive late too, and a
 * larger window would only make more of them queue. Confined to the event loop.
 */
final class SenderPause {

  /** A pause that is a smaller part of the time before it is not the window's fault, or no loss. */
  private static final int WORTH_WHILE = 8;

  private boolean awaiting;
  private long left;
  private long grantedAt;
  private long lastAt;
  private long leastAnswer = Long.MAX_VALUE;
  private boolean stoodStill;

  /**
   * A WINDOW_ADJUST goes out.
   *
   * @param credit what the peer had left, in bytes: only what comes behind it answers
   * @param now as of {@link System#nanoTime}
   */
  void granted(long credit, long now) {
    if (!awaiting) {
      awaiting = true;
      left = credit;
      grantedAt = now;
      lastAt = now;
    }
  }

  /** Whether {@link #received} must be told of data. */
  boolean isAwaited() {
    return awaiting;
  }

  void received(int bytes, long now) {
    left -= bytes;
    if (left < 0) {
      awaiting = false;
      // No path is longer than its fastest answer: on a busy machine many answers are late.
      leastAnswer = Math.min(leastAnswer, now - grantedAt);
      long pause = now - lastAt;
      stoodStill =
          Math.min(leastAnswer, pause) >= ConnectionLimits.LONG_PATH_NANOS
              && pause >= (lastAt - grantedAt) / WORTH_WHILE;
    }
    lastAt = now;
  }

  /** Whether the sender stood still before the last answer; true once for each time. */
  boolean take() {
    boolean taken = stoodStill;
    stoodStill = false;
    return taken;
  }
}
