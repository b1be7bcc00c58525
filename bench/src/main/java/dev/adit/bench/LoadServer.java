package dev.adit.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * What tunnels lead to: a server that drinks, pours or echoes, as the first byte of a connection
 * asks. A connection's thread is a platform thread, so that blocking reads cost what they cost in
 * other programs.
 */
final class LoadServer implements AutoCloseable {

  /** Takes everything and answers with the count, as eight bytes, after the end. */
  static final byte SINK = 'S';

  /** Sends as many bytes as the next eight bytes say, then ends. */
  static final byte SOURCE = 'P';

  /** Sends back what it gets. */
  static final byte ECHO = 'E';

  static final int CHUNK = 256 * 1024;

  private final ServerSocketChannel listener;
  private final ExecutorService threads =
      Executors.newCachedThreadPool(Thread.ofPlatform().daemon().name("load-", 0).factory());

  LoadServer() throws IOException {
    listener = ServerSocketChannel.open();
    listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1024);
    Thread.ofPlatform().daemon().name("load-accept").start(this::accept);
  }

  int port() {
    return listener.socket().getLocalPort();
  }

  private void accept() {
    try {
      while (true) {
        SocketChannel socket = listener.accept();
        threads.execute(() -> serve(socket));
      }
    } catch (IOException e) {
      // Closed: the benchmark is over.
    }
  }

  private static void serve(SocketChannel socket) {
    try (socket) {
      socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
      // A short connection must not pay for a big buffer.
      ByteBuffer command = ByteBuffer.allocate(1);
      if (socket.read(command) < 1) {
        return;
      }
      switch (command.get(0)) {
        case SINK -> sink(socket, ByteBuffer.allocateDirect(CHUNK));
        case SOURCE -> source(socket, ByteBuffer.allocateDirect(CHUNK));
        case ECHO -> echo(socket, ByteBuffer.allocateDirect(64));
        default -> throw new IOException("unknown command " + command.get(0));
      }
    } catch (IOException e) {
      // The tunnel was taken down in the middle: whoever measures notices.
    }
  }

  private static void sink(SocketChannel socket, ByteBuffer buffer) throws IOException {
    long total = 0;
    while (true) {
      buffer.clear();
      int n = socket.read(buffer);
      if (n < 0) {
        break;
      }
      total += n;
    }
    buffer.clear().putLong(total).flip();
    writeAll(socket, buffer);
  }

  private static void source(SocketChannel socket, ByteBuffer buffer) throws IOException {
    buffer.clear().limit(8);
    readAll(socket, buffer);
    long left = buffer.getLong(0);
    while (left > 0) {
      buffer.clear().limit((int) Math.min(CHUNK, left));
      left -= buffer.remaining();
      writeAll(socket, buffer);
    }
  }

  private static void echo(SocketChannel socket, ByteBuffer buffer) throws IOException {
    while (true) {
      buffer.clear();
      if (socket.read(buffer) < 0) {
        return;
      }
      buffer.flip();
      writeAll(socket, buffer);
    }
  }

  static void writeAll(SocketChannel socket, ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      socket.write(buffer);
    }
  }

  static void readAll(SocketChannel socket, ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      if (socket.read(buffer) < 0) {
        throw new IOException("the connection ended early");
      }
    }
  }

  @Override
  public void close() throws IOException {
    listener.close();
  }
}
