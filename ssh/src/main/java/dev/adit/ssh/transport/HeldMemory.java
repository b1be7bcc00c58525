package dev.adit.ssh.transport;

import io.netty.util.internal.PlatformDependent;
import java.util.Comparator;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/**
 * What all connections of the process hold for those who don't take it: data that came and waits
 * for its target, and answers that the peer doesn't read. The bounds of one connection are
 * generous, since most never come near them; when the sum of all gets near the memory that there
 * is, whoever holds most has to go, and the others don't notice. Thread-safe, but for a {@link
 * Share}.
 */
final class HeldMemory {

  /** The bound of this process. */
  static final HeldMemory OF_PROCESS =
      new HeldMemory(PlatformDependent.maxDirectMemory() / TransportLimits.HELD_PART_OF_MEMORY);

  private final long limit;
  private final AtomicLong total = new AtomicLong();

  /** Those that hold something. */
  private final Set<Share> shares = ConcurrentHashMap.newKeySet();

  /**
   * @param limit in bytes
   */
  HeldMemory(long limit) {
    this.limit = limit;
  }

  /**
   * What one connection holds; nothing to begin with.
   *
   * @param giveUp must let go of it soon; called at most once, on any thread, with the bytes
   */
  Share share(LongConsumer giveUp) {
    return new Share(giveUp);
  }

  long total() {
    return total.get();
  }

  /** Chooses who has to go until those who stay fit. */
  private synchronized void relieve() {
    // In this order: one that lets go meanwhile must not count as staying, or another one goes too.
    long leaving = shares.stream().filter(share -> share.givenUp).mapToLong(s -> s.counted).sum();
    long staying = total.get() - leaving;
    while (staying > limit) {
      Share largest =
          shares.stream()
              .filter(share -> !share.givenUp)
              .max(Comparator.comparingLong(share -> share.counted))
              .orElse(null);
      if (largest == null) {
        return;
      }
      long bytes = largest.counted;
      largest.givenUp = true;
      staying -= bytes;
      largest.giveUp.accept(bytes);
    }
  }

  /** Confined to its connection's event loop. */
  final class Share {
    private final LongConsumer giveUp;
    private long waiting;
    private long unsent;

    /** The part of the total that is ours: what we hold, to within a step. */
    private volatile long counted;

    private volatile boolean givenUp;

    private Share(LongConsumer giveUp) {
      this.giveUp = giveUp;
    }

    /** So many bytes more, or less, wait for whoever is to have them. */
    void waiting(long bytes) {
      waiting += bytes;
      count();
    }

    /** So many bytes wait for the peer now. */
    void unsent(long bytes) {
      unsent = bytes;
      count();
    }

    /** In steps, so that a packet costs no atomic operation. */
    private void count() {
      long now = waiting + unsent;
      long before = counted;
      if (now == before || (now != 0 && Math.abs(now - before) < TransportLimits.HELD_STEP)) {
        return;
      }
      if (now < before) {
        total.addAndGet(now - before);
        counted = now;
        if (now == 0) {
          shares.remove(this);
        }
        return;
      }
      counted = now;
      if (before == 0) {
        shares.add(this);
      }
      if (total.addAndGet(now - before) > limit) {
        relieve();
      }
    }
  }
}
