package dev.adit.bench;

import dev.adit.bench.Peers.Pair;
import dev.adit.bench.Peers.Server;
import java.io.IOException;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Where a round of neighbouring rows is measured for one pair: its servers and its one tunnel. */
final class Scene implements AutoCloseable {

  /**
   * What rows share a tunnel by.
   *
   * @param roundTripMillis of the path between client and server
   * @param fresh whether the server, too, has just been started
   */
  record Setting(Cipher cipher, int roundTripMillis, boolean fresh) {}

  /** Takes the figures. */
  interface Notebook {
    void note(String title, Unit unit, double value);

    /** Instead of a value. */
    void missing(String title, Unit unit, String why);
  }

  /** The row can't be measured for this pair; the message says why. */
  static final class Unavailable extends Exception {
    Unavailable(String why) {
      super(why);
    }
  }

  /** A server that runs. */
  record Running(Program program, int port) {}

  /** Servers that live from their first use to the end of the benchmark. */
  static final class Servers implements AutoCloseable {
    private final World world;
    private final Map<Server, Running> running = new EnumMap<>(Server.class);

    Servers(World world) {
      this.world = world;
    }

    Running get(Server server) throws IOException {
      Running there = running.get(server);
      if (there == null) {
        there = start(world, server);
        running.put(server, there);
      }
      return there;
    }

    static Running start(World world, Server server) throws IOException {
      int port = World.freePort();
      Program program = world.start("server-" + server, server.command(world, port));
      program.awaitPort(port);
      return new Running(program, port);
    }

    @Override
    public void close() {
      running.values().forEach(each -> each.program.close());
    }
  }

  final World world;
  final Pair pair;
  final boolean quick;
  private final Setting setting;
  private final Running server;
  private @Nullable Tunnel tunnel;
  private Notebook notebook;

  Scene(World world, Servers servers, Pair pair, Setting setting, boolean quick, Notebook notebook)
      throws IOException {
    this.world = world;
    this.pair = pair;
    this.setting = setting;
    this.quick = quick;
    this.notebook = notebook;
    server = setting.fresh ? Servers.start(world, pair.server()) : servers.get(pair.server());
  }

  /** The next row writes somewhere else. */
  void writeTo(Notebook next) {
    notebook = next;
  }

  void note(String title, Unit unit, double value) {
    notebook.note(title, unit, value);
  }

  void missing(String title, Unit unit, String why) {
    notebook.missing(title, unit, why);
  }

  Cipher cipher() {
    return setting.cipher;
  }

  int roundTripMillis() {
    return setting.roundTripMillis;
  }

  Running server() {
    return server;
  }

  /** The tunnel of all rows of this scene, started by the first that asks. */
  Tunnel tunnel() throws IOException, InterruptedException, Unavailable {
    if (setting.cipher != Cipher.AES128_GCM && !pair.client().speaksSsh()) {
      throw new Unavailable("a relay has no cipher");
    }
    Tunnel there = tunnel;
    if (there == null) {
      there =
          new Tunnel(
              world, pair, server.program, server.port, setting.cipher, setting.roundTripMillis);
      tunnel = there;
      if (pair.client().needsWarmUp() && !setting.fresh) {
        warmUp(there.port());
      }
    }
    return there;
  }

  /** What is compiled while it runs is to be measured as it is after a while, see README.md. */
  private void warmUp(int port) throws IOException, InterruptedException {
    for (Load.Direction direction : Load.Direction.values()) {
      try (var stream = new Load.Stream(direction, port, world.target())) {
        Thread.sleep(quick ? 700 : 2000);
      }
    }
    if (setting.roundTripMillis > 0) {
      return; // Only streams are measured over a far path, where each connection has large rings.
    }
    Load.roundTrips(port, seconds(0.2, 0.5));
    Load.connections(port, seconds(0.2, 0.5), 50);
  }

  /** Seconds to measure for: less with {@code --quick}. */
  double seconds(double quickly, double fully) {
    return quick ? quickly : fully;
  }

  @Override
  public void close() {
    if (tunnel != null) {
      tunnel.close();
    }
    if (setting.fresh) {
      server.program.close();
    }
  }
}
