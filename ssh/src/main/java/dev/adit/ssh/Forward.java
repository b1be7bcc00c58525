package dev.adit.ssh;

import java.net.InetSocketAddress;
import java.util.List;

/** A forwarding that is up. Closing it frees its port; connections through it go on. */
public interface Forward extends AutoCloseable {

  ForwardSpec spec();

  /**
   * The port that is listened on, here or at the server; the one that was chosen where 0 was asked
   * for. 0 for a Unix socket.
   */
  int port();

  /**
   * Where we listen: loopback has two families. Empty for a forwarding that the server listens for.
   */
  List<InetSocketAddress> boundAddresses();

  /** Stops listening. Idempotent; returns when the port is free or the connection has ended. */
  @Override
  void close();
}
