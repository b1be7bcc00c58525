package dev.adit.ssh;

import io.netty.buffer.PoolArenaMetric;
import io.netty.buffer.PoolChunkListMetric;
import io.netty.buffer.PoolChunkMetric;
import io.netty.buffer.PooledByteBufAllocator;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * A server or a client in a process with 64 MiB for objects and as much for buffers, which does
 * what it is told on standard input, line by line, and measures itself.
 */
final class SmallHeap implements AutoCloseable {
  /** Of the server, in bytes: more than the kernel takes for a thousand sockets. */
  static final int REKEY_LIMIT = 640 << 20;

  /**
   * What the process holds.
   *
   * @param heap bytes of objects that are alive
   * @param direct bytes in buffers that are in use, or kept by a thread for the next use
   * @param reserved bytes of the pieces from which buffers are made
   * @param buffers that are in use, or kept by a thread for the next use
   */
  record Usage(
      long heap, long direct, long reserved, long buffers, int descriptors, int threads) {}

  private final Process process;
  private final BufferedReader answers;
  private final PrintStream orders;

  private SmallHeap(String... arguments) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:MaxDirectMemorySize=64m",
                "-XX:+UseSerialGC",
                "-XX:+ExitOnOutOfMemoryError",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-Dio.netty.allocator.numDirectArenas=1",
                "-Dio.netty.allocator.maxOrder=7",
                "-cp",
                System.getProperty("java.class.path"),
                SmallHeap.class.getName()));
    command.addAll(List.of(arguments));
    process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    answers =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    orders = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
  }

  static SmallHeap server() throws IOException {
    return new SmallHeap("server");
  }

  static SmallHeap client() throws IOException {
    return new SmallHeap("client");
  }

  /** Gives an order and waits for its answer. */
  String tell(String order) throws IOException {
    orders.println(order);
    String answer = answers.readLine();
    if (answer == null) {
      throw new AssertionError("the small process has ended at: " + order);
    }
    return answer;
  }

  int port() throws IOException {
    return Integer.parseInt(tell("port"));
  }

  Usage usage() throws IOException {
    long[] n = Arrays.stream(tell("usage").split(" ")).mapToLong(Long::parseLong).toArray();
    return new Usage(n[0], n[1], n[2], n[3], (int) n[4], (int) n[5]);
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }

  // ---- In the small process -------------------------------------------------------------------

  public static void main(String[] arguments) throws Exception {
    // Standard output is for answers alone.
    PrintStream answers = System.out;
    System.setOut(System.err);
    var orders = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    var here = arguments[0].equals("server") ? new Server() : new Client();
    for (String order; (order = orders.readLine()) != null; ) {
      String answer = order.equals("usage") ? measured() : here.follow(order.split(" "));
      answers.println(answer);
    }
  }

  private interface Role {
    String follow(String[] order) throws Exception;
  }

  private static String measured() {
    System.gc();
    System.gc();
    Runtime runtime = Runtime.getRuntime();
    PoolArenaMetric pool = PooledByteBufAllocator.DEFAULT.metric().directArenas().getFirst();
    return "%d %d %d %d %d %d"
        .formatted(
            runtime.totalMemory() - runtime.freeMemory(),
            inUse(pool),
            pool.numActiveBytes(),
            pool.numActiveAllocations(),
            entries("/proc/self/fd"),
            entries("/proc/self/task"));
  }

  /** Without what is free in the pool's chunks, which one living buffer keeps as a whole. */
  private static long inUse(PoolArenaMetric pool) {
    long bytes = pool.numActiveBytes();
    for (PoolChunkListMetric chunks : pool.chunkLists()) {
      for (PoolChunkMetric chunk : chunks) {
        bytes -= chunk.freeBytes();
      }
    }
    return bytes;
  }

  private static int entries(String folder) {
    return Objects.requireNonNull(new File(folder).list()).length;
  }

  /**
   * Everybody may connect to everything. A name that begins with "hangs" is found when that is
   * ordered.
   */
  private static final class Server implements Role {
    private static final AccessPolicy MAY_CONNECT =
        new AccessPolicy() {
          @Override
          public String user() {
            return Miners.USER;
          }

          @Override
          public Decision<Target> connect(Target target) {
            return Decision.allowed(target);
          }

          @Override
          public Decision<InetAddress> dial(Target.Tcp target, InetAddress address) {
            return Decision.allowed(address);
          }
        };

    private static final Authenticator LETS_ALL_IN =
        (_, _) ->
            new Authenticator.Login() {
              @Override
              public List<List<String>> waysIn() {
                return List.of(List.of("publickey"));
              }

              @Override
              public Authenticator.Proof publicKey(UserKey key) {
                return new Authenticator.Proof() {};
              }

              @Override
              public AccessPolicy admit(List<Authenticator.Proof> proofs) {
                return MAY_CONNECT;
              }
            };

    private volatile CountDownLatch hanging = new CountDownLatch(1);
    private final SshServer server;

    Server() throws IOException {
      server =
          SshServer.start(
              ServerOptions.with(LETS_ALL_IN)
                  .hostKey(HostKey.generate())
                  .eventLoops(1)
                  .rekeyLimit(REKEY_LIMIT, Duration.ZERO)
                  .rekeyTimeout(Duration.ofSeconds(5))
                  .loginGraceTime(Duration.ofSeconds(60))
                  .targetResolver(this::lookUp)
                  .build());
    }

    private List<InetAddress> lookUp(String host) throws IOException {
      if (host.startsWith("hangs")) {
        try {
          hanging.await();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
      }
      return List.of(InetAddress.getLoopbackAddress());
    }

    @Override
    public String follow(String[] order) {
      return switch (order[0]) {
        case "release" -> {
          hanging.countDown();
          hanging = new CountDownLatch(1);
          yield "done";
        }
        case "port" -> Integer.toString(server.port());
        case "connections" -> Integer.toString(server.connectionCount());
        default -> throw new AssertionError(order[0]);
      };
    }
  }

  /** Connects to a scripted server. */
  private static final class Client implements Role {
    private final SshClient client = SshClient.create();
    private @Nullable SshConnection connection;

    @Override
    public String follow(String[] order) throws Exception {
      switch (order[0]) {
        case "connect" ->
            connection =
                client.connect(
                    ConnectOptions.to("127.0.0.1")
                        .port(Integer.parseInt(order[1]))
                        .hostKeyPolicy(HostKeyPolicy.acceptAnyInsecurely())
                        .handshakeTimeout(Duration.ofSeconds(5))
                        .build());
        case "remote" ->
            connected()
                .forward(
                    new ForwardSpec.Remote(
                        new Listen.Tcp("127.0.0.1", 9000), new Target.Unix(order[1])));
        case "local" -> {
          return Integer.toString(
              connected()
                  .forward(
                      new ForwardSpec.Local(
                          new Listen.Tcp("127.0.0.1", 0), new Target.Tcp("target", 80)))
                  .port());
        }
        case "rekey" -> connected().rekey();
        case "close" -> connected().close();
        default -> throw new AssertionError(order[0]);
      }
      return "done";
    }

    private SshConnection connected() {
      return Objects.requireNonNull(connection);
    }
  }
}
