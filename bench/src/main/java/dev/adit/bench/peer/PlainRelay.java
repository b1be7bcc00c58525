package dev.adit.bench.peer;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * One hop without encryption: what comes in at its port goes on to another port of loopback. Two of
 * them in a row are the limit for a tunnel of two processes: a thread for each direction of each
 * connection, which reads up to 256 KiB and writes it, and nothing else. Arguments: port, target's
 * port, and for how long it wastes the processor at each read, in microseconds (0 but where the
 * benchmark itself is tested).
 */
public final class PlainRelay {
  private static final int READ = 256 * 1024;
  private static final int BACKLOG = 4096;

  /** A thread that has served a connection serves the next one with the same buffer. */
  private static final ThreadLocal<ByteBuffer> BUFFER =
      ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(READ));

  private final InetSocketAddress target;
  private final long wasteNanos;
  private final ExecutorService threads = Executors.newCachedThreadPool();

  private PlainRelay(int target, long wasteNanos) {
    this.target = loopback(target);
    this.wasteNanos = wasteNanos;
  }

  public static void main(String[] args) throws IOException {
    long wasteNanos = TimeUnit.MICROSECONDS.toNanos(Long.parseLong(args[2]));
    var relay = new PlainRelay(Integer.parseInt(args[1]), wasteNanos);
    try (var listener = ServerSocketChannel.open()) {
      listener.bind(loopback(Integer.parseInt(args[0])), BACKLOG);
      while (true) {
        SocketChannel accepted = listener.accept();
        relay.threads.execute(() -> relay.connect(accepted));
      }
    }
  }

  private static InetSocketAddress loopback(int port) {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
  }

  private void connect(SocketChannel accepted) {
    try (accepted;
        SocketChannel dialled = SocketChannel.open(target)) {
      accepted.setOption(StandardSocketOptions.TCP_NODELAY, true);
      dialled.setOption(StandardSocketOptions.TCP_NODELAY, true);
      var back = threads.submit(() -> pump(dialled, accepted));
      pump(accepted, dialled);
      back.get();
    } catch (Exception e) {
      // One of the two is gone, and so goes the other.
    }
  }

  /** Until the one side ends; then the other is told. */
  private Void pump(SocketChannel from, SocketChannel to) throws IOException {
    ByteBuffer buffer = BUFFER.get();
    while (from.read(buffer.clear()) >= 0) {
      for (long end = System.nanoTime() + wasteNanos; System.nanoTime() < end; ) {
        Thread.onSpinWait();
      }
      LoadTarget.writeAll(to, buffer.flip());
    }
    to.shutdownOutput();
    return null;
  }
}
