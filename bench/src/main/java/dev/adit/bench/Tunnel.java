package dev.adit.bench;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** A tunnel program that runs with one local forward to the load server. */
final class Tunnel implements AutoCloseable {
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20);

  private static final long LOOK_AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  private final Process process;
  private final int port;
  private final double readyMillis;

  private Tunnel(Process process, int port, double readyMillis) {
    this.process = process;
    this.port = port;
    this.readyMillis = readyMillis;
  }

  /** Starts a command that opens a local port, and waits for the port. */
  static Tunnel start(List<String> command, int port, Path log) throws IOException {
    long start = System.nanoTime();
    Process process =
        new ProcessBuilder(command)
            .redirectInput(new File("/dev/null"))
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start();
    while (!isOpen(port)) {
      if (!process.isAlive() || System.nanoTime() - start > PATIENCE_NANOS) {
        process.destroyForcibly();
        throw new IOException(
            "no tunnel from " + String.join(" ", command) + "\n" + Files.readString(log));
      }
      // Looking all the time would take a processor from the one that is watched.
      LockSupport.parkNanos(LOOK_AGAIN_NANOS);
    }
    return new Tunnel(process, port, (System.nanoTime() - start) / 1e6);
  }

  private static boolean isOpen(int port) {
    try (SocketChannel probe =
        SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))) {
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  Load load() {
    return new Load(port);
  }

  /** From the start of the process until its port was open. */
  double readyMillis() {
    return readyMillis;
  }

  long pid() {
    return process.pid();
  }

  @Override
  public void close() throws IOException {
    process.destroy();
    try {
      if (!process.waitFor(5, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
