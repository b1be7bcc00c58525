package dev.adit.bench.peer;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A long path: holds each byte for the one-way delay, and limits nothing else. Arguments: port,
 * target's port, one-way delay in milliseconds.
 *
 * <p>What is on its way stands in a ring of {@link #RING} bytes for each direction, enough for 2.6
 * GB/s over 50 ms; who fills it would be slowed down.
 */
public final class DelayRelay {
  private static final int RING = 128 << 20;
  private static final int READ = 256 * 1024;

  /** Bytes that came together, and when they may go on. */
  private record Burst(int bytes, long dueNanos) {}

  private final SocketChannel from;
  private final SocketChannel to;
  private final long delayNanos;
  private final LinkedBlockingQueue<Burst> onTheWay = new LinkedBlockingQueue<>();
  private final Semaphore free = new Semaphore(RING);

  private DelayRelay(SocketChannel from, SocketChannel to, long delayNanos) {
    this.from = from;
    this.to = to;
    this.delayNanos = delayNanos;
  }

  public static void main(String[] args) throws Exception {
    // Without memory for a ring its connection would hang, and so would who measures over it.
    Thread.setDefaultUncaughtExceptionHandler(
        (_, failure) -> {
          System.err.println(failure);
          Runtime.getRuntime().halt(1);
        });
    var target = new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(args[1]));
    long delayNanos = TimeUnit.MILLISECONDS.toNanos(Long.parseLong(args[2]));
    try (var listener = ServerSocketChannel.open()) {
      listener.bind(
          new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(args[0])));
      while (true) {
        SocketChannel accepted = listener.accept();
        SocketChannel dialled = SocketChannel.open(target);
        for (SocketChannel socket : new SocketChannel[] {accepted, dialled}) {
          socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
        }
        new DelayRelay(accepted, dialled, delayNanos).start();
        new DelayRelay(dialled, accepted, delayNanos).start();
      }
    }
  }

  private void start() {
    Thread.ofPlatform().name("delay-in").start(this::read);
  }

  private void read() {
    try {
      // Not before there is something: who only looks whether the port is open costs no ring.
      ByteBuffer first = ByteBuffer.allocateDirect(READ);
      int n = from.read(first);
      if (n > 0) {
        ByteBuffer ring = ByteBuffer.allocateDirect(RING);
        ring.put(first.flip());
        free.acquire(n);
        Thread.ofPlatform().name("delay-out").start(() -> write(ring.duplicate().clear()));
        while (n > 0) {
          onTheWay.add(new Burst(n, System.nanoTime() + delayNanos));
          if (!ring.hasRemaining()) {
            ring.clear();
          }
          int room = Math.min(READ, ring.remaining());
          free.acquire(room);
          n = from.read(ring.limit(ring.position() + room));
          free.release(room - Math.max(n, 0));
          ring.limit(RING);
        }
        onTheWay.add(new Burst(0, System.nanoTime() + delayNanos));
      } else {
        to.shutdownOutput();
      }
    } catch (IOException | InterruptedException e) {
      close();
    }
  }

  private void write(ByteBuffer ring) {
    try {
      while (true) {
        Burst burst = onTheWay.take();
        long early;
        while ((early = burst.dueNanos - System.nanoTime()) > 0) {
          LockSupport.parkNanos(early);
        }
        if (burst.bytes == 0) {
          to.shutdownOutput();
          return;
        }
        if (!ring.hasRemaining()) {
          ring.clear();
        }
        ring.limit(ring.position() + burst.bytes);
        while (ring.hasRemaining()) {
          to.write(ring);
        }
        ring.limit(RING);
        free.release(burst.bytes);
      }
    } catch (IOException | InterruptedException e) {
      close();
    }
  }

  private void close() {
    try (from;
        to) {
      // Both ends go: what held them together is gone.
    } catch (IOException e) {
      // Already gone.
    }
  }
}
