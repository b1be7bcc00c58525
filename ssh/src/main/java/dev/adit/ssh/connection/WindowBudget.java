package dev.adit.ssh.connection;

import io.netty.util.internal.PlatformDependent;

/** What one connection's windows may add up to. Confined to the event loop. */
final class WindowBudget {

  /** The budget of a connection here, in bytes: where memory is short, not all of the limit. */
  static final long HERE =
      Math.min(
          ConnectionLimits.WINDOW_BUDGET,
          PlatformDependent.maxDirectMemory() / ConnectionLimits.CONNECTIONS_IN_MEMORY);

  private final long budget;
  private long granted;

  WindowBudget(long budget) {
    this.budget = budget;
  }

  /**
   * A window to begin with: an eighth of what is left, so that the first channels get the full size
   * and the ten-thousandth still gets something.
   */
  int open() {
    long share = (budget - granted) / 8;
    int extra =
        (int)
            Math.max(
                0, Math.min(ConnectionLimits.INITIAL_WINDOW - ConnectionLimits.MIN_WINDOW, share));
    granted += extra;
    return ConnectionLimits.MIN_WINDOW + extra;
  }

  /** Bytes by which a window of this size may grow now: fourfold, as far as the budget goes. */
  int grow(int window) {
    long room = Math.min(budget - granted, (long) ConnectionLimits.MAX_WINDOW - window);
    int more = (int) Math.max(0, Math.min(3L * window, room));
    granted += more;
    return more;
  }

  /** The channel is gone; its window was this large. */
  void refund(int window) {
    granted -= window - ConnectionLimits.MIN_WINDOW;
  }

  long granted() {
    return granted;
  }
}
