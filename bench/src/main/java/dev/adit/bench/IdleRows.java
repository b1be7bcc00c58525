package dev.adit.bench;

import dev.adit.bench.Scene.Unavailable;
import dev.adit.bench.peer.LoadTarget;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Thousands of forwarded connections of one SSH connection that do nothing. */
final class IdleRows {
  private static final int[] FEW = {1_000};
  private static final int[] MANY = {1_000, 5_000, 10_000};

  /** So many opens cost enough to be read from /proc, which counts in steps of 10 ms. */
  private static final int BATCH = 500;

  private IdleRows() {}

  static void idle(Scene scene) throws IOException, InterruptedException, Unavailable {
    if (!scene.pair.client().speaksSsh()) {
      throw new Unavailable("the relay has two threads for a connection, and no SSH connection");
    }
    Tunnel tunnel = scene.tunnel();
    TimeUnit.SECONDS.sleep(1);
    scene.note("memory of a client at rest", Unit.MB, tunnel.client().residentMegabytes());
    scene.note("memory of a server at rest", Unit.MB, tunnel.server().residentMegabytes());
    List<SocketChannel> held = new ArrayList<>();
    try {
      held.add(hold(tunnel.port()));
      Cost empty = Cost.of(tunnel);
      opening(scene, tunnel, held, "1 to " + BATCH);
      for (int count : scene.quick ? FEW : MANY) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(scene.quick ? 8 : 30);
        while (held.size() < count - BATCH) {
          held.add(hold(tunnel.port()));
          if (System.nanoTime() > end) {
            throw new Unavailable(
                "given up with %d connections open: it had taken too long".formatted(held.size()));
          }
        }
        opening(scene, tunnel, held, "up to " + count);
        allAlive(held);
        Cost full = Cost.of(tunnel);
        String of = " for each of " + count + " idle connections";
        scene.note(
            "memory of the client" + of,
            Unit.KIB,
            (full.clientMegabytes - empty.clientMegabytes) * 1e6 / 1024 / (count - 1));
        scene.note(
            "memory of the server" + of,
            Unit.KIB,
            (full.serverMegabytes - empty.serverMegabytes) * 1e6 / 1024 / (count - 1));
        double[] micros = Load.roundTrips(tunnel.port(), scene.seconds(0.7, 1.5));
        scene.note(
            "64-byte round trip p50, " + count + " idle", Unit.US, micros[micros.length / 2]);
      }
    } finally {
      for (SocketChannel socket : held) {
        socket.close();
      }
    }
  }

  private static void opening(Scene scene, Tunnel tunnel, List<SocketChannel> held, String which)
      throws IOException {
    Cost before = Cost.of(tunnel);
    for (int i = 0; i < BATCH; i++) {
      held.add(hold(tunnel.port()));
    }
    Cost after = Cost.of(tunnel);
    scene.note(
        "CPU of the client to open one more, " + which,
        Unit.MS,
        (after.clientSeconds - before.clientSeconds) * 1000 / BATCH);
    scene.note(
        "CPU of the server to open one more, " + which,
        Unit.MS,
        (after.serverSeconds - before.serverSeconds) * 1000 / BATCH);
  }

  /** Opens one and has a byte echoed, so that it is open at both ends. */
  static SocketChannel hold(int port) throws IOException {
    SocketChannel socket = Load.connect(port);
    ByteBuffer buffer = ByteBuffer.allocate(2);
    LoadTarget.writeAll(socket, buffer.put(LoadTarget.HOLD).put((byte) 1).flip());
    LoadTarget.readAll(socket, buffer.clear().limit(1));
    return socket;
  }

  /** A byte there and back over each, all at once. */
  private static void allAlive(List<SocketChannel> held) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(1);
    for (SocketChannel socket : held) {
      LoadTarget.writeAll(socket, buffer.clear());
    }
    for (SocketChannel socket : held) {
      LoadTarget.readAll(socket, buffer.clear());
    }
  }

  private record Cost(
      double clientSeconds, double serverSeconds, double clientMegabytes, double serverMegabytes) {
    static Cost of(Tunnel tunnel) {
      return new Cost(
          tunnel.client().cpuSeconds(),
          tunnel.server().cpuSeconds(),
          tunnel.client().residentMegabytes(),
          tunnel.server().residentMegabytes());
    }
  }
}
