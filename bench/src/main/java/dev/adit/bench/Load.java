package dev.adit.bench;

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

/** What a user of a tunnel does, through the local port of one. */
final class Load {
  private final int port;

  Load(int port) {
    this.port = port;
  }

  private SocketChannel connect() throws IOException {
    SocketChannel socket =
        SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
    return socket;
  }

  /** Sends bytes to the far end; megabytes (10^6) a second, until the far end has counted them. */
  double up(long bytes) throws IOException {
    try (SocketChannel socket = connect()) {
      ByteBuffer buffer = ByteBuffer.allocateDirect(LoadServer.CHUNK);
      LoadServer.writeAll(socket, buffer.clear().put(LoadServer.SINK).flip());
      long start = System.nanoTime();
      for (long left = bytes; left > 0; ) {
        buffer.clear().limit((int) Math.min(LoadServer.CHUNK, left));
        left -= buffer.remaining();
        LoadServer.writeAll(socket, buffer);
      }
      socket.shutdownOutput();
      buffer.clear().limit(8);
      LoadServer.readAll(socket, buffer);
      long nanos = System.nanoTime() - start;
      if (buffer.getLong(0) != bytes) {
        throw new IOException("the far end got " + buffer.getLong(0) + " of " + bytes + " bytes");
      }
      return bytes * 1000.0 / nanos;
    }
  }

  /** Takes bytes from the far end; megabytes (10^6) a second. */
  double down(long bytes) throws IOException {
    try (SocketChannel socket = connect()) {
      ByteBuffer buffer = ByteBuffer.allocateDirect(LoadServer.CHUNK);
      LoadServer.writeAll(socket, buffer.clear().put(LoadServer.SOURCE).putLong(bytes).flip());
      long start = System.nanoTime();
      long got = 0;
      while (true) {
        buffer.clear();
        int n = socket.read(buffer);
        if (n < 0) {
          break;
        }
        got += n;
      }
      long nanos = System.nanoTime() - start;
      if (got != bytes) {
        throw new IOException("got " + got + " of " + bytes + " bytes");
      }
      return bytes * 1000.0 / nanos;
    }
  }

  /** Times round trips of 64 bytes over one connection; microseconds, sorted. */
  double[] roundTrips(int count) throws IOException {
    try (SocketChannel socket = connect()) {
      ByteBuffer buffer = ByteBuffer.allocateDirect(64);
      LoadServer.writeAll(socket, buffer.clear().put(LoadServer.ECHO).flip());
      double[] micros = new double[count];
      int warmUp = Math.min(count, 2000);
      for (int i = -warmUp; i < count; i++) {
        long start = System.nanoTime();
        LoadServer.writeAll(socket, buffer.clear());
        LoadServer.readAll(socket, buffer.clear());
        if (i >= 0) {
          micros[i] = (System.nanoTime() - start) / 1000.0;
        }
      }
      Arrays.sort(micros);
      return micros;
    }
  }

  /** Opens connections, has one byte echoed over each and closes them; connections a second. */
  double connections(int count, int atOnce) throws IOException, InterruptedException {
    long start = System.nanoTime();
    try (var threads = Executors.newFixedThreadPool(atOnce)) {
      List<Future<Void>> done = new ArrayList<>();
      for (int t = 0; t < atOnce; t++) {
        int share = count / atOnce;
        done.add(threads.submit((Callable<Void>) () -> connectAndEcho(share)));
      }
      for (Future<Void> future : done) {
        future.get();
      }
    } catch (ExecutionException e) {
      throw new IOException("a connection failed: " + e.getCause(), e);
    }
    return (count / atOnce) * atOnce * 1e9 / (System.nanoTime() - start);
  }

  private Void connectAndEcho(int count) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(2);
    for (int i = 0; i < count; i++) {
      try (SocketChannel socket = connect()) {
        LoadServer.writeAll(socket, buffer.clear().put(LoadServer.ECHO).put((byte) 1).flip());
        LoadServer.readAll(socket, buffer.clear().limit(1));
      }
    }
    return null;
  }
}
