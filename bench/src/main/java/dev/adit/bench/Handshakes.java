package dev.adit.bench;

import dev.adit.ssh.ConnectOptions;
import dev.adit.ssh.HostKeyPolicy;
import dev.adit.ssh.SshClient;
import dev.adit.ssh.SshException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Connects, logs in with an ed25519 key and hangs up, over and over: with the client of adit-ssh
 * inside this process, whichever the server is.
 */
final class Handshakes implements AutoCloseable {
  private final SshClient client = SshClient.create(Runtime.getRuntime().availableProcessors());

  /**
   * @param perSecond logins by all threads together
   * @param serverMillis of processor time that the server took for each
   */
  record Result(double perSecond, double serverMillis) {}

  /**
   * Runs for a while.
   *
   * @param kex the key exchange to ask for, or empty for what both sides prefer
   * @param atOnce how many threads do it
   */
  Result run(Server server, List<String> kex, int atOnce, double seconds)
      throws IOException, InterruptedException {
    ConnectOptions.Builder options =
        ConnectOptions.to("127.0.0.1")
            .port(server.port())
            .hostKeyPolicy(HostKeyPolicy.acceptAnyInsecurely())
            .identityFile(server.keys().userKey());
    if (!kex.isEmpty()) {
      options.kexAlgorithms(kex);
    }
    ConnectOptions target = options.build();
    double cpuBefore = server.cpuSeconds();
    long start = System.nanoTime();
    long end = start + (long) (seconds * 1e9);
    int count = 0;
    try (var threads = Executors.newFixedThreadPool(atOnce)) {
      List<Future<Integer>> counts = new ArrayList<>();
      for (int t = 0; t < atOnce; t++) {
        counts.add(threads.submit((Callable<Integer>) () -> logIn(target, end)));
      }
      for (Future<Integer> each : counts) {
        count += each.get();
      }
    } catch (ExecutionException e) {
      throw new IOException("a login at " + server.name() + " failed: " + e.getCause(), e);
    }
    double perSecond = count * 1e9 / (System.nanoTime() - start);
    // sshd's last processes end, and their time is added to its own when it has noticed.
    TimeUnit.MILLISECONDS.sleep(200);
    return new Result(perSecond, (server.cpuSeconds() - cpuBefore) * 1000 / count);
  }

  private int logIn(ConnectOptions target, long end) throws SshException, InterruptedException {
    int count = 0;
    while (System.nanoTime() < end) {
      client.connect(target).close();
      count++;
    }
    return count;
  }

  @Override
  public void close() {
    client.close();
  }
}
