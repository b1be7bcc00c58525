package dev.adit.ssh.transport;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Host names to addresses. The system's resolver may block for minutes and would pin a virtual
 * thread's carrier meanwhile, so it runs on a few platform threads and whoever waits has a
 * deadline. Safe on any thread but an event loop.
 */
public final class HostNames {

  /** Lookups at once; each may hang as long as the system's resolver likes. */
  private static final int THREADS = 8;

  /** Lookups that wait for one of the threads; more are refused at once. */
  private static final int MAX_WAITING = 256;

  private static final long IDLE_SECONDS = 10;

  private static final ThreadPoolExecutor LOOKUPS = lookups();

  private HostNames() {}

  private static ThreadPoolExecutor lookups() {
    var executor =
        new ThreadPoolExecutor(
            THREADS,
            THREADS,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(MAX_WAITING),
            Thread.ofPlatform().daemon().name("adit-resolver-", 0).factory());
    executor.allowCoreThreadTimeOut(true);
    return executor;
  }

  /**
   * All addresses of a name, in the order in which to try them. An address stands for itself and is
   * not looked up.
   *
   * @throws UnknownHostException whose message is the resolver's reason alone: {@code Name or
   *     service not known}
   */
  public static List<InetAddress> resolve(String host, Duration patience)
      throws UnknownHostException, InterruptedException {
    Future<InetAddress[]> lookup;
    try {
      lookup = LOOKUPS.submit(() -> InetAddress.getAllByName(host));
    } catch (RejectedExecutionException e) {
      throw failure("more than " + MAX_WAITING + " names are being resolved", e);
    }
    try {
      return List.of(lookup.get(patience.toMillis(), TimeUnit.MILLISECONDS));
    } catch (ExecutionException e) {
      throw failure(reason(host, e.getCause()), e.getCause());
    } catch (TimeoutException e) {
      throw failure("no answer from the resolver within " + patience.toSeconds() + " s", e);
    } finally {
      lookup.cancel(false);
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
