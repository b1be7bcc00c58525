package dev.adit.interop;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BooleanSupplier;
import org.awaitility.Awaitility;

/** Free loopback ports, and waiting for somebody to listen on them. */
final class Ports {
  // Below Linux's ephemeral range (32768 up): tests that open thousands of connections take ports
  // there at random, and would now and then take one that was found free a moment ago.
  private static final int LOWEST = 15_000;
  private static final int HIGHEST = 32_000;

  private Ports() {}

  static int free() {
    for (int attempt = 0; attempt < 1000; attempt++) {
      int port = ThreadLocalRandom.current().nextInt(LOWEST, HIGHEST);
      if (isFree(port)) {
        return port;
      }
    }
    throw new AssertionError("no free port between " + LOWEST + " and " + HIGHEST);
  }

  /** Whether the port could be bound on every address of this machine. */
  static boolean isFree(int port) {
    try (var socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(port));
      return true;
    } catch (IOException _) {
      return false;
    }
  }

  static boolean accepts(int port) {
    try (var socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1000);
      return true;
    } catch (IOException _) {
      return false;
    }
  }

  static void awaitAccepting(int port) {
    await("port " + port + " to accept connections", () -> accepts(port));
  }

  /** Waits for a condition that has to come true, for at most 20 seconds. */
  static void await(String what, BooleanSupplier condition) {
    await(what, Duration.ofSeconds(20), condition);
  }

  /** As {@link #await}, for what takes minutes. */
  static void awaitLong(String what, BooleanSupplier condition) {
    await(what, Duration.ofMinutes(5), condition);
  }

  private static void await(String what, Duration patience, BooleanSupplier condition) {
    Awaitility.await(what)
        .atMost(patience)
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(5))
        .until(condition::getAsBoolean);
  }
}
