package dev.adit.bench;

import dev.adit.bench.Peers.Pair;
import dev.adit.bench.peer.DelayRelay;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** A client of a server that runs with one local forward to the target, over a path. */
final class Tunnel implements AutoCloseable {
  private final List<Program> path = new ArrayList<>();
  private final Program client;
  private final Program server;
  private final int port;
  private final double readyMillis;

  /**
   * Starts a client and waits for its port.
   *
   * @param roundTripMillis of the path between client and server; 0 for no relay between them
   */
  Tunnel(World world, Pair pair, Program server, int serverPort, Cipher cipher, int roundTripMillis)
      throws IOException {
    this.server = server;
    int towards = serverPort;
    try {
      if (roundTripMillis > 0) {
        towards = World.freePort();
        String[] args = {
          Integer.toString(towards),
          Integer.toString(serverPort),
          Integer.toString(roundTripMillis / 2)
        };
        Program relay = world.java("delay", DelayRelay.class, args);
        path.add(relay);
        relay.awaitPort(towards);
      }
      port = World.freePort();
      client =
          world.start(
              pair.toString().replace('/', '_'),
              pair.client().command(world, towards, port, cipher));
      readyMillis = client.awaitPort(port);
    } catch (IOException | RuntimeException e) {
      path.forEach(Program::close);
      throw e;
    }
  }

  /** The local one that it forwards. */
  int port() {
    return port;
  }

  /** From the start of the client's process until its port was open. */
  double readyMillis() {
    return readyMillis;
  }

  Program client() {
    return client;
  }

  Program server() {
    return server;
  }

  @Override
  public void close() {
    client.close();
    path.forEach(Program::close);
  }
}
