package dev.adit.bench.peer;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * What tunnels lead to: a server that drinks, pours or echoes, as the first byte of a connection
 * asks. Argument: port. A connection's thread is a platform thread, so that blocking reads cost
 * what they cost in other programs; only connections that are to stay idle have virtual ones.
 */
public final class LoadTarget {

  /** Sends back what it gets. */
  public static final byte ECHO = 'E';

  /** The same for connections that are kept by the thousand. */
  public static final byte HOLD = 'H';

  /**
   * Takes the bytes of a stream. Two numbers follow: the stream's name and its length; when as much
   * has come, it answers with one byte.
   */
  public static final byte SINK = 'S';

  /** Sends a stream, with the same two numbers, until it has that length or is stopped. */
  public static final byte SOURCE = 'P';

  /** Questions about streams, see {@link #COUNT} and {@link #STOP}; each is answered at once. */
  public static final byte CONTROL = 'C';

  /** The name of a stream follows; answered with the bytes so far, as eight bytes. */
  public static final byte COUNT = 'c';

  /** The same; besides, the stream ends. */
  public static final byte STOP = 's';

  /** Of one read or write. */
  public static final int CHUNK = 256 * 1024;

  private static final int BACKLOG = 4096;

  private static final class Stream {
    volatile long count;
    volatile boolean stopped;
  }

  private final Map<Long, Stream> streams = new ConcurrentHashMap<>();
  private final ExecutorService threads =
      Executors.newCachedThreadPool(Thread.ofPlatform().name("load-", 0).factory());

  private LoadTarget() {}

  public static void main(String[] args) throws IOException {
    try (var listener = ServerSocketChannel.open()) {
      listener.bind(
          new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(args[0])),
          BACKLOG);
      var target = new LoadTarget();
      while (true) {
        SocketChannel socket = listener.accept();
        target.threads.execute(() -> target.serve(socket));
      }
    }
  }

  private void serve(SocketChannel socket) {
    try {
      socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
      // A short connection must not pay for a big buffer.
      ByteBuffer command = ByteBuffer.allocate(1);
      if (socket.read(command) == 1) {
        switch (command.get(0)) {
          case ECHO -> echo(socket);
          case HOLD -> {
            Thread.ofVirtual().start(() -> hold(socket));
            return;
          }
          case SINK -> sink(socket);
          case SOURCE -> source(socket);
          case CONTROL -> control(socket);
          default -> throw new IOException("unknown command " + command.get(0));
        }
      }
      socket.close();
    } catch (IOException e) {
      closeQuietly(socket);
    }
  }

  private static void hold(SocketChannel socket) {
    try {
      echo(socket);
      socket.close();
    } catch (IOException e) {
      closeQuietly(socket);
    }
  }

  /** The tunnel was taken down in the middle: whoever measures notices. */
  private static void closeQuietly(SocketChannel socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // It is gone.
    }
  }

  private static void echo(SocketChannel socket) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(64);
    while (socket.read(buffer.clear()) >= 0) {
      writeAll(socket, buffer.flip());
    }
  }

  private void sink(SocketChannel socket) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(CHUNK);
    readAll(socket, buffer.limit(16));
    Stream stream = stream(buffer.getLong(0));
    long length = buffer.getLong(8);
    long count = 0;
    int n;
    while (count < length && (n = socket.read(buffer.clear())) >= 0) {
      count += n;
      stream.count = count;
    }
    writeAll(socket, buffer.clear().limit(1));
    // The client hangs up first.
    while (socket.read(buffer.clear()) >= 0) {}
  }

  private void source(SocketChannel socket) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(CHUNK);
    readAll(socket, buffer.limit(16));
    Stream stream = stream(buffer.getLong(0));
    long length = buffer.getLong(8);
    long count = 0;
    while (count < length && !stream.stopped) {
      buffer.clear().limit((int) Math.min(CHUNK, length - count));
      count += buffer.remaining();
      writeAll(socket, buffer);
      stream.count = count;
    }
    while (socket.read(buffer.clear()) >= 0) {}
  }

  private void control(SocketChannel socket) throws IOException {
    ByteBuffer question = ByteBuffer.allocateDirect(9);
    ByteBuffer answer = ByteBuffer.allocateDirect(8);
    while (true) {
      readAll(socket, question.clear());
      Stream stream = stream(question.getLong(1));
      stream.stopped |= question.get(0) == STOP;
      writeAll(socket, answer.clear().putLong(stream.count).flip());
    }
  }

  private Stream stream(long name) {
    return streams.computeIfAbsent(name, _ -> new Stream());
  }

  public static void writeAll(SocketChannel socket, ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      socket.write(buffer);
    }
  }

  public static void readAll(SocketChannel socket, ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      if (socket.read(buffer) < 0) {
        throw new IOException("the connection ended early");
      }
    }
  }
}
