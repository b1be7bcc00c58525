package dev.adit.bench.peer;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.jcraft.jsch.JSch;
import com.jcraft.jsch.JSchException;
import com.jcraft.jsch.Session;
import dev.adit.ssh.ConnectOptions;
import dev.adit.ssh.HostKeyPolicy;
import dev.adit.ssh.SshClient;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Scanner;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Connects, logs in with a key and hangs up, over and over. Arguments: whose client ({@code adit},
 * {@code mina} or {@code jsch}), the server's port, user and key. For each line on standard input,
 * with the only key exchange to offer ({@code -}: what both prefer), a number of threads and of
 * seconds, it answers with the number of logins, the seconds that they took, and how many more have
 * failed (JSch and MINA do that now and then); it says on standard error why.
 */
public final class LoginClient {
  private static final AtomicInteger FAILED = new AtomicInteger();

  private final int port;
  private final String user;
  private final Path key;

  private LoginClient(int port, String user, Path key) {
    this.port = port;
    this.user = user;
    this.key = key;
  }

  /** Makes what logs in once, with the key exchange of this name or, if that is null, any. */
  private interface Logins {
    Callable<?> with(@Nullable String kex);
  }

  public static void main(String[] args) throws Exception {
    var client = new LoginClient(Integer.parseInt(args[1]), args[2], Path.of(args[3]));
    Logins logins =
        switch (args[0]) {
          case "adit" -> client.adit();
          case "mina" -> client.mina();
          case "jsch" -> client.jsch();
          default -> throw new IllegalArgumentException("there is no client " + args[0]);
        };
    try (var questions = new Scanner(System.in, US_ASCII);
        ExecutorService threads = Executors.newCachedThreadPool()) {
      while (questions.hasNext()) {
        String kex = questions.next();
        Callable<?> login = logins.with(kex.equals("-") ? null : kex);
        int atOnce = Integer.parseInt(questions.next());
        long nanos = (long) (Double.parseDouble(questions.next()) * 1e9);
        long start = System.nanoTime();
        List<Future<Integer>> counts = new ArrayList<>();
        for (int i = 0; i < atOnce; i++) {
          counts.add(threads.submit(() -> repeat(login, start + nanos)));
        }
        int count = 0;
        for (Future<Integer> each : counts) {
          count += each.get();
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        System.out.println(count + " " + seconds + " " + FAILED.getAndSet(0));
      }
    }
    System.exit(0);
  }

  private static int repeat(Callable<?> login, long end) throws Exception {
    int count = 0;
    while (System.nanoTime() < end) {
      try {
        login.call();
        count++;
      } catch (IOException | JSchException e) {
        FAILED.getAndIncrement();
        System.err.println(e);
      }
    }
    return count;
  }

  private Logins adit() {
    SshClient client = SshClient.create(Runtime.getRuntime().availableProcessors());
    return kex -> {
      var options =
          ConnectOptions.to("127.0.0.1")
              .port(port)
              .user(user)
              .hostKeyPolicy(HostKeyPolicy.acceptAnyInsecurely())
              .identityFile(key);
      if (kex != null) {
        options.kexAlgorithms(List.of(kex));
      }
      ConnectOptions built = options.build();
      return () -> {
        client.connect(built).close();
        return true;
      };
    };
  }

  private Logins mina() {
    var client = MinaClient.create(key);
    var preferred = client.getKeyExchangeFactories();
    return kex -> {
      client.setKeyExchangeFactories(kex == null ? preferred : MinaClient.only(kex));
      return () -> {
        MinaClient.connect(client, user, port).close();
        return true;
      };
    };
  }

  private Logins jsch() throws JSchException {
    var jsch = new JSch();
    jsch.addIdentity(key.toString());
    return kex ->
        () -> {
          Session session = JschClient.session(jsch, user, port);
          if (kex != null) {
            session.setConfig("kex", kex);
          }
          JschClient.connect(session);
          session.disconnect();
          return true;
        };
  }
}
