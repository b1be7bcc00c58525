package dev.adit.interop;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Carries one TCP connection to a port of this machine, until it cuts it as it was told. */
final class CuttingProxy implements AutoCloseable {
  /** What happens to the connection. */
  enum Cut {
    /** Both ends get RST. */
    RESET,
    /** Nothing is carried any more, and neither end hears of it. */
    SILENCE,
    /** The client reads an end; its own bytes are still carried. */
    END_FOR_CLIENT,
    /** The server reads an end; its own bytes are still carried. */
    END_FOR_SERVER
  }

  private final ServerSocket listener;
  private final int target;
  private final Cut cut;
  private final CountDownLatch done = new CountDownLatch(1);
  private Socket client = new Socket();
  private Socket server = new Socket();

  /** Bytes that are still carried, both ways together; endless until {@link #cutAfter}. */
  private long left = Long.MAX_VALUE;

  CuttingProxy(int target, Cut cut) throws IOException {
    this.target = target;
    this.cut = cut;
    listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    Thread.ofPlatform().daemon().start(this::carry);
  }

  int port() {
    return listener.getLocalPort();
  }

  synchronized void cutAfter(long bytes) {
    left = bytes;
  }

  void awaitCut() throws InterruptedException {
    if (!done.await(60, TimeUnit.SECONDS)) {
      throw new AssertionError("not enough came to be cut: " + left + " bytes are missing");
    }
  }

  private void carry() {
    try {
      client = listener.accept();
      server = new Socket(InetAddress.getLoopbackAddress(), target);
      client.setTcpNoDelay(true);
      server.setTcpNoDelay(true);
      Thread.ofPlatform().daemon().start(() -> carry(server, client));
      carry(client, server);
    } catch (IOException _) {
      // Closed before anybody came.
    }
  }

  private void carry(Socket from, Socket to) {
    byte[] buffer = new byte[16 * 1024];
    try {
      for (int n; (n = from.getInputStream().read(buffer)) >= 0; ) {
        if (!mayCarry(n)) {
          if (cut == Cut.SILENCE) {
            return;
          }
          boolean isEnded = to == (cut == Cut.END_FOR_CLIENT ? client : server);
          if (cut != Cut.RESET && !isEnded) {
            to.getOutputStream().write(buffer, 0, n);
          }
          continue;
        }
        to.getOutputStream().write(buffer, 0, n);
      }
      to.shutdownOutput();
    } catch (IOException _) {
      reset(client);
      reset(server);
    }
  }

  /** False from the cut on. */
  private synchronized boolean mayCarry(int bytes) throws IOException {
    if (left < 0) {
      return false;
    }
    left -= bytes;
    if (left >= 0) {
      return true;
    }
    switch (cut) {
      case RESET -> {
        reset(client);
        reset(server);
      }
      case SILENCE -> {}
      case END_FOR_CLIENT -> client.shutdownOutput();
      case END_FOR_SERVER -> server.shutdownOutput();
    }
    done.countDown();
    return false;
  }

  private static void reset(Socket socket) {
    try {
      socket.setSoLinger(true, 0);
      socket.close();
    } catch (IOException _) {
      // It is closed.
    }
  }

  @Override
  public void close() {
    try {
      listener.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    reset(client);
    reset(server);
  }
}
