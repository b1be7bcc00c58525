package dev.adit.interop;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * The far end of a tunnel: a server on a loopback port (or a Unix socket) of this JVM that does one
 * plain thing with each connection, on a virtual thread of its own.
 */
final class TestServer implements AutoCloseable {
  /** What a server does with a connection, which is closed afterwards. */
  interface Handler {
    void serve(Connection connection) throws IOException, InterruptedException;
  }

  /** One connection, as streams. */
  record Connection(SocketChannel channel, InputStream in, OutputStream out) {
    /** Ends our direction only: the other side reads an end of file and may go on sending. */
    void finishSending() throws IOException {
      channel.shutdownOutput();
    }
  }

  private final ServerSocketChannel listener;
  private final Handler handler;
  private final AtomicInteger accepted = new AtomicInteger();
  private final Set<SocketChannel> open = ConcurrentHashMap.newKeySet();
  private final List<String> failures = new CopyOnWriteArrayList<>();

  private TestServer(ServerSocketChannel listener, Handler handler) {
    this.listener = listener;
    this.handler = handler;
    Thread.ofVirtual().start(this::accept);
  }

  /** On a free port of 127.0.0.1. */
  static TestServer start(Handler handler) {
    return startOn(InetAddress.getLoopbackAddress(), handler);
  }

  static TestServer startOn(InetAddress address, Handler handler) {
    return listen(new InetSocketAddress(address, 0), handler);
  }

  static TestServer startOn(Path unixSocket, Handler handler) {
    return listen(UnixDomainSocketAddress.of(unixSocket), handler);
  }

  private static TestServer listen(SocketAddress address, Handler handler) {
    try {
      ServerSocketChannel listener =
          address instanceof UnixDomainSocketAddress
              ? ServerSocketChannel.open(StandardProtocolFamily.UNIX)
              : ServerSocketChannel.open();
      return new TestServer(listener.bind(address, 1000), handler);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Sends back what comes, and the end of file after it. */
  static Handler echo() {
    return connection -> {
      byte[] buffer = new byte[64 * 1024];
      for (int n; (n = connection.in.read(buffer)) >= 0; ) {
        connection.out.write(buffer, 0, n);
      }
    };
  }

  /** Reads to the end of file, and only then answers with the SHA-256 of what came, in hex. */
  static Handler sink() {
    return connection ->
        connection.out.write(RandomBytes.receive(connection.in).digest().getBytes(US_ASCII));
  }

  /** Reads to the end of file, and only then sends so many pieces; {@code sent} counts bytes. */
  static Handler answer(byte[] piece, int pieces, AtomicLong sent) {
    return connection -> {
      connection.in.readAllBytes();
      for (int i = 0; i < pieces; i++) {
        connection.out.write(piece);
        sent.addAndGet(piece.length);
      }
    };
  }

  /** Sends the first {@code count} bytes of the seed's stream and ends. */
  static Handler source(long seed, long count) {
    return connection -> RandomBytes.send(connection.out, seed, count);
  }

  /**
   * Ends its own direction at once and goes on reading; what it has read by the end of file goes to
   * {@code received}.
   */
  static Handler halfClosed(Consumer<RandomBytes.Received> received) {
    return connection -> {
      connection.finishSending();
      received.accept(RandomBytes.receive(connection.in));
    };
  }

  /**
   * Takes connections and never reads from them: what a dead program behind a tunnel looks like.
   */
  static Handler stalled() {
    return connection -> Thread.sleep(Long.MAX_VALUE);
  }

  /** Sends this and ends. */
  static Handler say(String text) {
    return connection -> connection.out.write(text.getBytes(US_ASCII));
  }

  /** Sends a greeting and then echoes: for many short connections. */
  static Handler greet(String greeting) {
    return connection -> {
      connection.out.write(greeting.getBytes(US_ASCII));
      echo().serve(connection);
    };
  }

  int port() {
    try {
      return ((InetSocketAddress) listener.getLocalAddress()).getPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** How many connections have come so far. */
  int accepted() {
    return accepted.get();
  }

  /** How many connections are open now. */
  int open() {
    return open.size();
  }

  /** What went wrong on connections, such as a reset: for tests that say there must be nothing. */
  List<String> failures() {
    return List.copyOf(failures);
  }

  private void accept() {
    try {
      while (true) {
        SocketChannel channel = listener.accept();
        accepted.incrementAndGet();
        open.add(channel);
        Thread.ofVirtual().start(() -> serve(channel));
      }
    } catch (IOException _) {
      // Closed.
    }
  }

  private void serve(SocketChannel channel) {
    try (channel) {
      handler.serve(
          new Connection(
              channel, Channels.newInputStream(channel), Channels.newOutputStream(channel)));
    } catch (IOException | InterruptedException e) {
      failures.add(e.toString());
    } finally {
      open.remove(channel);
    }
  }

  @Override
  public void close() {
    try {
      listener.close();
      for (SocketChannel channel : open) {
        channel.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
