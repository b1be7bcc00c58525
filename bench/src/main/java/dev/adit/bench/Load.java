package dev.adit.bench;

import dev.adit.bench.peer.LoadTarget;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** What a user of a tunnel does: streams, short questions, connections. */
final class Load {

  /** Which way the bytes of a stream go. */
  enum Direction {
    UP,
    DOWN;

    @Override
    public String toString() {
      return this == UP ? "up" : "down";
    }
  }

  /** Of round trips over a fresh connection that don't count. */
  private static final double WARM_UP_SECONDS = 0.05;

  private static final int MAX_TRIPS = 1 << 18;

  private static final int QUESTION = 64;

  private Load() {}

  static SocketChannel connect(int port) throws IOException {
    SocketChannel socket =
        SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
    return socket;
  }

  /** An endless stream over one connection; closing it cuts it. */
  static final class Stream implements AutoCloseable {
    private final Direction direction;
    private final Target target;
    private final long name;
    private final SocketChannel socket;
    private final Thread thread;
    private volatile long moved;
    private volatile boolean stopped;

    Stream(Direction direction, int port, Target target) throws IOException {
      this.direction = direction;
      this.target = target;
      name = target.nextName();
      socket = connect(port);
      command(
          socket,
          direction == Direction.UP ? LoadTarget.SINK : LoadTarget.SOURCE,
          name,
          Long.MAX_VALUE);
      thread =
          Thread.ofPlatform().daemon().start(direction == Direction.UP ? this::send : this::take);
    }

    private void send() {
      ByteBuffer buffer = ByteBuffer.allocateDirect(LoadTarget.CHUNK);
      try {
        for (long count = buffer.capacity(); !stopped; count += buffer.capacity()) {
          LoadTarget.writeAll(socket, buffer.clear());
          moved = count;
        }
      } catch (IOException e) {
        // Cut by close(), or by the tunnel: then what arrives stands still, which is noticed.
      }
    }

    private void take() {
      ByteBuffer buffer = ByteBuffer.allocateDirect(LoadTarget.CHUNK);
      try {
        long count = 0;
        for (int n; (n = socket.read(buffer.clear())) >= 0; ) {
          count += n;
          moved = count;
        }
      } catch (IOException e) {
        // As above.
      }
    }

    /** Bytes that have come out at the far end of the tunnel. */
    long arrived() throws IOException {
      return direction == Direction.UP ? target.count(name) : moved;
    }

    private long sent() throws IOException {
      return direction == Direction.UP ? moved : target.count(name);
    }

    /**
     * Sends no more and waits until everything has come out.
     *
     * @throws IOException if it doesn't
     */
    void drain() throws IOException, InterruptedException {
      stopped = true;
      target.stop(name);
      long last = -1;
      for (long quiet = System.nanoTime(); ; Thread.sleep(1)) {
        long arrived = arrived();
        boolean writing = direction == Direction.UP && thread.isAlive();
        if (arrived == last && arrived == sent() && !writing) {
          return;
        }
        if (arrived != last) {
          quiet = System.nanoTime();
        } else if (System.nanoTime() - quiet > 10e9) {
          throw new IOException("of " + sent() + " bytes " + direction + " came " + arrived);
        }
        last = arrived;
      }
    }

    @Override
    public void close() throws IOException {
      stopped = true;
      socket.close();
    }
  }

  private static void command(SocketChannel socket, byte what, long name, long length)
      throws IOException {
    LoadTarget.writeAll(
        socket, ByteBuffer.allocate(17).put(what).putLong(name).putLong(length).flip());
  }

  /** Sends so many bytes over a connection of their own, until the far end has taken them. */
  static void send(int port, Target target, long bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(LoadTarget.CHUNK);
    try (SocketChannel socket = connect(port)) {
      command(socket, LoadTarget.SINK, target.nextName(), bytes);
      for (long left = bytes; left > 0; ) {
        buffer.clear().limit((int) Math.min(LoadTarget.CHUNK, left));
        left -= buffer.remaining();
        LoadTarget.writeAll(socket, buffer);
      }
      LoadTarget.readAll(socket, buffer.clear().limit(1));
    }
  }

  /** Microseconds of 64-byte round trips over one connection, for so many seconds, sorted. */
  static double[] roundTrips(int port, double seconds) throws IOException {
    try (SocketChannel socket = connect(port)) {
      LoadTarget.writeAll(socket, ByteBuffer.wrap(new byte[] {LoadTarget.ECHO}));
      roundTrips(List.of(socket), WARM_UP_SECONDS);
      return roundTrips(List.of(socket), seconds);
    }
  }

  /** The same over connections that are echoed already, one after the other. At least one trip. */
  static double[] roundTrips(List<SocketChannel> sockets, double seconds) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(QUESTION);
    double[] micros = new double[MAX_TRIPS];
    int count = 0;
    long end = System.nanoTime() + (long) (seconds * 1e9);
    do {
      SocketChannel socket = sockets.get(count % sockets.size());
      long start = System.nanoTime();
      LoadTarget.writeAll(socket, buffer.clear());
      LoadTarget.readAll(socket, buffer.clear());
      micros[count++] = (System.nanoTime() - start) / 1e3;
    } while (System.nanoTime() < end && count < micros.length);
    double[] sorted = Arrays.copyOf(micros, count);
    Arrays.sort(sorted);
    return sorted;
  }

  /**
   * Opens connections for so many seconds, has one byte echoed over each and closes it; connections
   * a second.
   */
  static double connections(int port, double seconds, int atOnce)
      throws IOException, InterruptedException {
    long start = System.nanoTime();
    long end = start + (long) (seconds * 1e9);
    int count = 0;
    try (var threads = Executors.newFixedThreadPool(atOnce)) {
      List<Future<Integer>> counts = new ArrayList<>();
      for (int t = 0; t < atOnce; t++) {
        counts.add(threads.submit((Callable<Integer>) () -> connectAndEcho(port, end)));
      }
      for (Future<Integer> each : counts) {
        count += each.get();
      }
    } catch (ExecutionException e) {
      throw new IOException("a connection failed: " + e.getCause(), e);
    }
    return count * 1e9 / (System.nanoTime() - start);
  }

  private static int connectAndEcho(int port, long end) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(2);
    int count = 0;
    while (System.nanoTime() < end) {
      try (SocketChannel socket = connect(port)) {
        LoadTarget.writeAll(socket, buffer.clear().put(LoadTarget.ECHO).put((byte) 1).flip());
        LoadTarget.readAll(socket, buffer.clear().limit(1));
      }
      count++;
    }
    return count;
  }
}
