package dev.adit.ssh.forward;

import dev.adit.ssh.TargetResolver;
import io.netty.channel.EventLoop;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Finds the addresses of a server's targets. A resolver may hang for minutes and can't be
 * interrupted, so it runs on a bounded pool of platform threads, of which one connection may hold
 * only a few: its hanging names are its own trouble.
 */
final class TargetLookups {

  private static final long IDLE_SECONDS = 10;

  private final ThreadPoolExecutor pool;

  TargetLookups() {
    this.pool =
        new ThreadPoolExecutor(
            ForwardingLimits.LOOKUP_THREADS,
            ForwardingLimits.LOOKUP_THREADS,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(ForwardingLimits.MAX_WAITING_LOOKUPS),
            Thread.ofPlatform().daemon().name("adit-target-resolver-", 0).factory());
    pool.allowCoreThreadTimeOut(true);
  }

  /**
   * The lookups of one connection.
   *
   * @param patience for each of them
   */
  ForConnection of(EventLoop loop, TargetResolver resolver, Duration patience) {
    return new ForConnection(loop, resolver, patience);
  }

  private record Lookup(String host, CompletableFuture<List<InetAddress>> answer) {}

  /** Confined to the event loop. */
  final class ForConnection {
    private final EventLoop loop;
    private final TargetResolver resolver;
    private final Duration patience;
    private final Deque<Lookup> waiting = new ArrayDeque<>();
    private int running;

    private ForConnection(EventLoop loop, TargetResolver resolver, Duration patience) {
      this.loop = loop;
      this.resolver = resolver;
      this.patience = patience;
    }

    /**
     * @return completes on the event loop; fails with an {@link IOException} whose message is for
     *     the client
     */
    CompletableFuture<List<InetAddress>> resolve(String host) {
      InetAddress literal = resolver == TargetResolver.SYSTEM ? literal(host) : null;
      if (literal != null) {
        return CompletableFuture.completedFuture(List.of(literal));
      }
      var lookup = new Lookup(host, new CompletableFuture<>());
      var deadline =
          loop.schedule(
              () -> {
                waiting.remove(lookup);
                lookup.answer.completeExceptionally(
                    new IOException(
                        "no answer from the resolver within " + patience.toSeconds() + " s"));
              },
              patience.toMillis(),
              TimeUnit.MILLISECONDS);
      var _ = lookup.answer.whenComplete((_, _) -> deadline.cancel(false));
      waiting.add(lookup);
      startSome();
      return lookup.answer;
    }

    /** Nobody wants an answer any more. */
    void abandon() {
      for (Lookup lookup; (lookup = waiting.poll()) != null; ) {
        lookup.answer.completeExceptionally(new IOException("the connection has ended"));
      }
    }

    private void startSome() {
      while (running < ForwardingLimits.LOOKUP_THREADS_A_CONNECTION && !waiting.isEmpty()) {
        Lookup lookup = waiting.remove();
        try {
          running++;
          pool.execute(() -> run(lookup));
        } catch (RejectedExecutionException e) {
          running--;
          lookup.answer.completeExceptionally(
              new IOException(
                  "more than " + ForwardingLimits.MAX_WAITING_LOOKUPS + " names are being resolved",
                  e));
        }
      }
    }

    /** On a thread of the pool. */
    private void run(Lookup lookup) {
      List<InetAddress> found = List.of();
      Throwable failure = null;
      try {
        found = List.copyOf(resolver.resolve(lookup.host));
      } catch (Throwable e) {
        failure = e;
      }
      List<InetAddress> addresses = found;
      IOException why =
          addresses.isEmpty() ? new IOException(reason(lookup.host, failure), failure) : null;
      try {
        loop.execute(
            () -> {
              running--;
              if (why == null) {
                lookup.answer.complete(addresses);
              } else {
                lookup.answer.completeExceptionally(why);
              }
              startSome();
            });
      } catch (RejectedExecutionException _) {
        // The server was closed meanwhile.
      }
    }
  }

  private static @Nullable InetAddress literal(String host) {
    try {
      return InetAddress.ofLiteral(host);
    } catch (IllegalArgumentException _) {
      return null;
    }
  }

  /** The system's resolver puts the name in front of the reason, or forgets the reason. */
  private static String reason(String host, @Nullable Throwable failure) {
    String message = failure instanceof IOException ? failure.getMessage() : null;
    String prefix = host + ": ";
    if (message != null && message.startsWith(prefix)) {
      return message.substring(prefix.length());
    }
    return message == null || message.equals(host) ? "Name or service not known" : message;
  }
}
