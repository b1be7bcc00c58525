package dev.adit.interop;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.ssh.ConnectOptions;
import dev.adit.ssh.Forward;
import dev.adit.ssh.ForwardOptions;
import dev.adit.ssh.ForwardSpec;
import dev.adit.ssh.HostKeyPolicy;
import dev.adit.ssh.SshClient;
import dev.adit.ssh.SshConnection;
import dev.adit.ssh.TunnelEvent;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** A server, a client of the library that is logged in to it, and what happened in its tunnels. */
final class Tunnels implements AutoCloseable {
  final OpenSshServer server;
  final SshClient client = SshClient.create();
  final SshConnection connection;
  final List<TunnelEvent> events = new CopyOnWriteArrayList<>();

  private Tunnels(OpenSshServer server) throws IOException, InterruptedException {
    this.server = server;
    this.connection = client.connect(options(server).events(events::add).build());
  }

  /** Through an sshd with these further lines of sshd_config. */
  static Tunnels start(String... configLines) throws IOException, InterruptedException {
    OpenSshServer server = OpenSshServer.start(List.of(Keys.Type.ED25519), configLines);
    try {
      return new Tunnels(server);
    } catch (IOException | InterruptedException | RuntimeException e) {
      server.close();
      throw e;
    }
  }

  /** How to log in to the server. */
  static ConnectOptions.Builder options(OpenSshServer server) {
    return ConnectOptions.to("127.0.0.1")
        .port(server.port())
        .user(server.user())
        .hostKeyPolicy(HostKeyPolicy.acceptAnyInsecurely())
        .identityFile(server.userKey());
  }

  /** -L on a free port. */
  Forward local(String target) throws IOException, InterruptedException {
    return connection.forward(ForwardSpec.parseLocal(Ports.free() + ":" + target));
  }

  /** -R on a port that the server chooses. */
  Forward remote(String target) throws IOException, InterruptedException {
    return connection.forward(ForwardSpec.parseRemote("0:" + target));
  }

  /** -D on a free port. */
  Forward dynamic() throws IOException, InterruptedException {
    return connection.forward(ForwardSpec.parseDynamic(Integer.toString(Ports.free())));
  }

  Forward forward(ForwardSpec spec, ForwardOptions options)
      throws IOException, InterruptedException {
    return connection.forward(spec, options);
  }

  static Socket connect(int port) throws IOException {
    return new Socket(InetAddress.getLoopbackAddress(), port);
  }

  /** Through a SOCKS 5 proxy on a port of ours to a port of ours, data first in one write. */
  static Socket socks5(int proxyPort, int targetPort) throws IOException {
    Socket socket = connect(proxyPort);
    socket
        .getOutputStream()
        .write(
            new byte[] {
              5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, (byte) (targetPort >> 8), (byte) targetPort
            });
    byte[] reply = socket.getInputStream().readNBytes(12);
    if (reply.length < 12 || reply[3] != 0) {
      throw new IOException("SOCKS: " + Arrays.toString(reply));
    }
    return socket;
  }

  /** What curl prints; silent about its progress. */
  static String curl(Object... arguments) {
    return Program.of("curl", "-s", "-m", "30").arguments(arguments).run();
  }

  /** Sends so many bytes of seed 1 and meanwhile reads as many; then answers with their digest. */
  static TestServer.Handler bulk(long size) {
    return c -> {
      var sending = sending(c.out(), 1, size);
      String digest = RandomBytes.receive(c.in(), size).digest();
      sending.join();
      c.out().write(digest.getBytes(US_ASCII));
    };
  }

  /** The other end of {@link #bulk}: bytes of seed 2 one way, those of seed 1 the other way. */
  static void exchangeBulk(Socket connected, long size) throws IOException {
    try (Socket socket = connected) {
      var sending = sending(socket.getOutputStream(), 2, size);
      assertThat(RandomBytes.receive(socket.getInputStream(), size).digest())
          .isEqualTo(RandomBytes.digest(1, size));
      assertThat(socket.getInputStream().readAllBytes())
          .asString(US_ASCII)
          .isEqualTo(sending.join());
    }
  }

  /** Sends in the background; completes with the digest. */
  private static CompletableFuture<String> sending(OutputStream out, long seed, long size) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return RandomBytes.send(out, seed, size);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        },
        task -> Thread.ofPlatform().daemon().start(task));
  }

  /** Something that a test does many times. */
  interface Repeated {
    void run(int i) throws Exception;
  }

  /** Does it this many times, on so many threads; fails as the first that failed. */
  static void inParallel(int threads, int times, Repeated action) throws Exception {
    var next = new AtomicInteger();
    var failures = new CopyOnWriteArrayList<Throwable>();
    List<Thread> running = new ArrayList<>();
    for (int t = 0; t < threads; t++) {
      running.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    for (int i; (i = next.getAndIncrement()) < times && failures.isEmpty(); ) {
                      try {
                        action.run(i);
                      } catch (Throwable e) {
                        failures.add(e);
                      }
                    }
                  }));
    }
    for (Thread thread : running) {
      thread.join();
    }
    if (!failures.isEmpty()) {
      throw new AssertionError(failures.getFirst());
    }
  }

  /** Waits for an event whose text has this in it. */
  void awaitEvent(String text) {
    Ports.await(
        "\"" + text + "\" in " + events,
        () -> events.stream().anyMatch(event -> event.toString().contains(text)));
  }

  @Override
  public void close() {
    connection.close();
    client.close();
    server.close();
  }
}
