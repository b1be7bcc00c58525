package dev.adit.ssh.transport;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Host names to addresses. The system's resolver may block for minutes and would pin a virtual
 * thread's carrier meanwhile, so it runs on a few platform threads and whoever waits has a
 * deadline. Thread-safe.
 */
public final class HostNames {

  private static final long IDLE_SECONDS = 10;

  private static final HostNames SYSTEM = new HostNames(InetAddress::getAllByName);

  /** Who knows the addresses: the system, but in tests. */
  interface Resolver {
    InetAddress[] addresses(String host) throws UnknownHostException;
  }

  private final Resolver resolver;
  private final ThreadPoolExecutor lookups = lookups();

  /** A name that hangs takes one thread, however many ask for it. */
  private final Map<String, CompletableFuture<List<InetAddress>>> underWay =
      new ConcurrentHashMap<>();

  HostNames(Resolver resolver) {
    this.resolver = resolver;
  }

  private static ThreadPoolExecutor lookups() {
    var executor =
        new ThreadPoolExecutor(
            TransportLimits.RESOLVER_THREADS,
            TransportLimits.RESOLVER_THREADS,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(TransportLimits.MAX_WAITING_NAMES),
            Thread.ofPlatform().daemon().name("adit-resolver-", 0).factory());
    executor.allowCoreThreadTimeOut(true);
    return executor;
  }

  /**
   * All addresses of a name, in the order in which to try them. An address stands for itself and is
   * not looked up. Not for an event loop, since it waits.
   *
   * @throws UnknownHostException whose message is the resolver's reason alone: {@code Name or
   *     service not known}
   */
  public static List<InetAddress> resolve(String host, Duration patience)
      throws UnknownHostException, InterruptedException {
    try {
      return lookUp(host, patience).get();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof UnknownHostException unknown
          ? unknown
          : failure(reason(host, e.getCause()), e.getCause());
    }
  }

  /**
   * As {@link #resolve}, but returns at once: for an event loop. Completes on any thread, and fails
   * with an {@link UnknownHostException} only.
   */
  public static CompletableFuture<List<InetAddress>> lookUp(String host, Duration patience) {
    try {
      return CompletableFuture.completedFuture(List.of(InetAddress.ofLiteral(host)));
    } catch (IllegalArgumentException _) {
      // A name.
    }
    return SYSTEM.lookUpName(host, patience);
  }

  CompletableFuture<List<InetAddress>> lookUpName(String host, Duration patience) {
    CompletableFuture<List<InetAddress>> lookup;
    try {
      lookup =
          underWay.computeIfAbsent(
              host, name -> CompletableFuture.supplyAsync(() -> addresses(name), lookups));
    } catch (RejectedExecutionException e) {
      return CompletableFuture.failedFuture(
          failure(
              "more than " + TransportLimits.MAX_WAITING_NAMES + " names are being resolved", e));
    }
    var _ = lookup.whenComplete((_, _) -> underWay.remove(host, lookup));
    CompletableFuture<List<InetAddress>> answer = new CompletableFuture<>();
    var _ =
        lookup
            .copy()
            .orTimeout(patience.toMillis(), TimeUnit.MILLISECONDS)
            .whenComplete(
                (found, e) -> {
                  if (e == null) {
                    answer.complete(found);
                    return;
                  }
                  Throwable cause = e instanceof CompletionException ? e.getCause() : e;
                  answer.completeExceptionally(
                      cause instanceof TimeoutException
                          ? failure(
                              "no answer from the resolver within " + patience.toSeconds() + " s",
                              cause)
                          : failure(reason(host, cause), cause));
                });
    return answer;
  }

  private List<InetAddress> addresses(String host) {
    try {
      return List.of(resolver.addresses(host));
    } catch (UnknownHostException e) {
      throw new CompletionException(e);
    }
  }

  private static String reason(String host, @Nullable Throwable cause) {
    String message = cause == null ? null : cause.getMessage();
    String prefix = host + ": ";
    // A failure that is remembered from a moment ago comes without its reason.
    return message != null && message.startsWith(prefix)
        ? message.substring(prefix.length())
        : "Name or service not known";
  }

  private static UnknownHostException failure(String reason, @Nullable Throwable cause) {
    var failure = new UnknownHostException(reason);
    if (cause != null) {
      failure.initCause(cause);
    }
    return failure;
  }
}
