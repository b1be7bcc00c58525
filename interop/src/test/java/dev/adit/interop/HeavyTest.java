package dev.adit.interop;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The line that no toy passes: an unmodified OpenSSH moves 1 GiB each way through one forward with
 * RekeyLimit 1M on both sides, beside a neighbour that has stalled. Run by {@code interop/heavy};
 * the size comes from {@code -Dadit.heavy.bytes}.
 */
@Tag("heavy")
class HeavyTest {
  private static final long BYTES = Long.getLong("adit.heavy.bytes", 1L << 30);

  /** The common pool has one thread on two cores; these tasks block. */
  private static final Executor THREADS = task -> Thread.ofPlatform().daemon().start(task);

  /** Resident memory that adit or aditd may have, whatever the peers do, in bytes. */
  private static final long MEMORY_BUDGET = 400_000_000;

  @ParameterizedTest
  @Timeout(value = 20, unit = TimeUnit.MINUTES)
  @ValueSource(strings = {"-L", "-R", "-D"})
  void aditToSshd(String mode) throws Exception {
    try (var server = OpenSshServer.start(List.of(Keys.Type.ED25519), "RekeyLimit 1M");
        var home = new Scratch()) {
      var adit = AditProcess.adit(home.dir(), AditProcess.to(server, "-N", "-o", "RekeyLimit=1M"));
      eachWayBesideAStalledNeighbour(mode, BYTES, adit, client -> client);
    }
  }

  @ParameterizedTest
  @Timeout(value = 20, unit = TimeUnit.MINUTES)
  @ValueSource(strings = {"-L", "-R", "-D"})
  void sshToAditd(String mode) throws Exception {
    try (var server = AditdServer.start("RekeyLimit 1M")) {
      eachWayBesideAStalledNeighbour(
          mode, BYTES, server.ssh("-N", "-o", "RekeyLimit=1M"), client -> server.process());
    }
  }

  /** More than 32 bits can count (CVE-2026-39834). */
  @Test
  @Timeout(value = 20, unit = TimeUnit.MINUTES)
  void fiveGibibytesThroughOneChannelOfAdit() throws Exception {
    try (var server = OpenSshServer.start();
        var home = new Scratch()) {
      var adit = AditProcess.adit(home.dir(), AditProcess.to(server, "-N"));
      eachWayBesideAStalledNeighbour("-L", 5L << 30, adit, client -> client);
    }
  }

  @Test
  @Timeout(value = 20, unit = TimeUnit.MINUTES)
  void fiveGibibytesThroughOneChannelOfAditd() throws Exception {
    try (var server = AditdServer.start()) {
      eachWayBesideAStalledNeighbour("-L", 5L << 30, server.ssh("-N"), client -> server.process());
    }
  }

  /**
   * @param ours of the client and the server the one that is adit's
   */
  private static void eachWayBesideAStalledNeighbour(
      String mode, long bytes, Program client, UnaryOperator<Program.Running> ours)
      throws Exception {
    try (var sink = TestServer.start(TestServer.sink());
        var source = TestServer.start(TestServer.source(42, bytes));
        var stalled = TestServer.start(TestServer.stalled())) {
      int toSink = Ports.free();
      int toSource = Ports.free();
      int toStalled = Ports.free();
      int socks = Ports.free();
      List<Object> flags =
          mode.equals("-D")
              ? List.of("-D", socks)
              : List.of(
                  mode, toSink + ":127.0.0.1:" + sink.port(),
                  mode, toSource + ":127.0.0.1:" + source.port(),
                  mode, toStalled + ":127.0.0.1:" + stalled.port());
      try (var tunnel =
          client
              .arguments(flags.toArray())
              .arguments("127.0.0.1")
              .noStdin()
              .start()
              .awaitListening(mode.equals("-D") ? socks : toStalled)) {
        var ports =
            mode.equals("-D")
                ? new int[] {sink.port(), source.port(), stalled.port()}
                : new int[] {toSink, toSource, toStalled};
        long started = System.nanoTime();
        try (Socket neighbour = connect(mode, socks, ports[2])) {
          var filling =
              CompletableFuture.runAsync(
                  () -> {
                    try {
                      RandomBytes.send(neighbour.getOutputStream(), 1, bytes);
                    } catch (IOException e) {
                      // It ends when the test does.
                    }
                  },
                  THREADS);
          var down = CompletableFuture.supplyAsync(() -> take(mode, socks, ports[1]), THREADS);
          try (Socket up = connect(mode, socks, ports[0])) {
            String sent = RandomBytes.send(up.getOutputStream(), 43, bytes);
            up.shutdownOutput();
            assertThat(new String(up.getInputStream().readAllBytes(), US_ASCII)).isEqualTo(sent);
          }
          assertThat(down.get())
              .isEqualTo(new RandomBytes.Received(bytes, RandomBytes.digest(42, bytes)));
          assertThat(filling).isNotDone();
          long resident = ours.apply(tunnel).residentBytes();
          System.out.printf(
              "%s: %d bytes each way in %d s, resident %d%n",
              mode, bytes, Duration.ofNanos(System.nanoTime() - started).toSeconds(), resident);
          assertThat(resident).isLessThan(MEMORY_BUDGET);
        }
      }
    }
  }

  private static RandomBytes.Received take(String mode, int socks, int port) {
    try (Socket socket = connect(mode, socks, port)) {
      // Half-closed at once: the other direction must go on.
      socket.shutdownOutput();
      return RandomBytes.receive(socket.getInputStream());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Socket connect(String mode, int socks, int port) throws IOException {
    if (!mode.equals("-D")) {
      return Tunnels.connect(port);
    }
    var proxy = new Proxy(Proxy.Type.SOCKS, new InetSocketAddress("127.0.0.1", socks));
    Socket socket = new Socket(proxy);
    socket.connect(new InetSocketAddress("127.0.0.1", port));
    return socket;
  }
}
