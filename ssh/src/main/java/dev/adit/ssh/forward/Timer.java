package dev.adit.ssh.forward;

import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Time as the server's side of forwarding sees it; a test has its own. */
interface Timer {

  /** Monotonic, in nanoseconds. */
  long now();

  /** Runs something later, on the event loop. */
  void after(EventLoop loop, Duration delay, Runnable action);

  Timer SYSTEM =
      new Timer() {
        @Override
        public long now() {
          return System.nanoTime();
        }

        @Override
        public void after(EventLoop loop, Duration delay, Runnable action) {
          loop.schedule(action, delay.toNanos(), TimeUnit.NANOSECONDS);
        }
      };
}
