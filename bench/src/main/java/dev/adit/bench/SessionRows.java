package dev.adit.bench;

import dev.adit.bench.Load.Direction;
import dev.adit.bench.Load.Stream;
import dev.adit.bench.Peers.Client;
import dev.adit.bench.Scene.Unavailable;
import dev.adit.bench.peer.SessionsClient;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Many client connections to one server, with many forwarded connections each. */
final class SessionRows {
  /** Clients that log in at the same time. */
  private static final int STARTING = 8;

  private SessionRows() {}

  static void sessions(Scene scene) throws IOException, InterruptedException, Unavailable {
    int sessions = scene.quick ? 40 : 200;
    int forwards = scene.quick ? 25 : 50;
    List<Program> clients = new ArrayList<>();
    List<SocketChannel> held = new ArrayList<>();
    List<Stream> streams = new ArrayList<>();
    Program server = scene.server().program();
    try {
      double before = server.proportionalMegabytes();
      List<Integer> ports = connect(scene, sessions, clients);
      // One of each session's forwarded connections is its stream.
      for (int port : ports) {
        for (int i = 1; i < forwards; i++) {
          held.add(IdleRows.hold(port));
        }
      }
      scene.note(
          "memory of the server for each of " + sessions + " sessions of " + forwards,
          Unit.MB,
          (server.proportionalMegabytes() - before) / sessions);
      for (Direction direction : Direction.values()) {
        for (int port : ports) {
          streams.add(new Stream(direction, port, scene.world.target()));
        }
        TimeUnit.MILLISECONDS.sleep(500);
        measure(scene, direction, streams, held);
        for (Stream stream : streams) {
          stream.close();
        }
        streams.clear();
      }
    } finally {
      for (Stream stream : streams) {
        stream.close();
      }
      for (SocketChannel socket : held) {
        socket.close();
      }
      clients.forEach(Program::close);
    }
  }

  private static void measure(
      Scene scene, Direction direction, List<Stream> streams, List<SocketChannel> held)
      throws IOException {
    long start = System.nanoTime();
    long[] before = arrived(streams);
    double[] micros = Load.roundTrips(held, scene.seconds(1.5, 5));
    long[] moved = arrived(streams);
    double seconds = (System.nanoTime() - start) / 1e9;
    for (int i = 0; i < moved.length; i++) {
      moved[i] -= before[i];
    }
    String streamsUp = streams.size() + " streams " + direction;
    scene.note("sum of " + streamsUp, Unit.MB_PER_S, Arrays.stream(moved).sum() / 1e6 / seconds);
    Arrays.sort(moved);
    scene.note(
        "fastest to slowest of " + streamsUp,
        Unit.TIMES,
        moved[moved.length - 1] / (double) Math.max(1, moved[0]));
    scene.note("round trip p50 beside " + streamsUp, Unit.US, micros[micros.length / 2]);
    scene.note("round trip p99 beside " + streamsUp, Unit.US, micros[micros.length * 99 / 100]);
  }

  private static long[] arrived(List<Stream> streams) throws IOException {
    long[] counts = new long[streams.size()];
    for (int i = 0; i < counts.length; i++) {
      counts[i] = streams.get(i).arrived();
    }
    return counts;
  }

  /** The local port of each session. {@code ssh} has a process for each, adit one for all. */
  private static List<Integer> connect(Scene scene, int sessions, List<Program> clients)
      throws IOException, Unavailable {
    World world = scene.world;
    int serverPort = scene.server().port();
    List<Integer> ports = new ArrayList<>();
    if (scene.pair.client() == Client.SSH) {
      while (ports.size() < sessions) {
        int from = ports.size();
        for (int i = 0; i < STARTING; i++) {
          ports.add(World.freePort());
          clients.add(
              world.start(
                  "sessions",
                  Client.SSH.command(world, serverPort, ports.getLast(), scene.cipher())));
        }
        for (int i = from; i < ports.size(); i++) {
          clients.get(i).awaitPort(ports.get(i));
        }
      }
    } else if (scene.pair.client() == Client.ADIT) {
      List<String> command =
          world.javaCommand(
              SessionsClient.class,
              List.of(
                  Integer.toString(serverPort),
                  world.user(),
                  world.userKey().toString(),
                  Integer.toString(world.target().port())));
      Program client = Program.talking(command, world.file("sessions-adit.log"));
      clients.add(client);
      for (String port : client.ask(Integer.toString(sessions)).split(" ")) {
        ports.add(Integer.parseInt(port));
      }
    } else {
      throw new Unavailable("many sessions are made by ssh and by adit only");
    }
    return ports;
  }
}
