package dev.adit.bench;

import dev.adit.bench.Load.Direction;
import dev.adit.bench.Load.Stream;
import dev.adit.bench.Scene.Unavailable;
import java.io.IOException;

/** The rows that need one tunnel and a minute's patience. */
final class TunnelRows {
  /** Of transfers, in megabytes. */
  private static final int[] SIZES = {1, 10, 100, 1_000, 4_000};

  private static final int[] QUICK_SIZES = {1, 30, 1_000};

  /** Megabytes that the transfers of a small size add up to. */
  private static final int SIZES_TOTAL = 500;

  private TunnelRows() {}

  static void ready(Scene scene) throws IOException, InterruptedException, Unavailable {
    scene.note("process start to port open", Unit.MS, scene.tunnel().readyMillis());
  }

  static void bulk(Scene scene) throws IOException, InterruptedException, Unavailable {
    for (Direction direction : Direction.values()) {
      Flow flow = flow(scene, direction, scene.seconds(0.15, 0.3), scene.seconds(0.4, 1.5));
      String label = direction + ", " + scene.cipher();
      scene.note("bulk " + label, Unit.MB_PER_S, flow.megabytesPerSecond);
      scene.note("CPU of the client, " + label, Unit.S_PER_GB, flow.clientSecondsPerGigabyte);
      scene.note("CPU of the server, " + label, Unit.S_PER_GB, flow.serverSecondsPerGigabyte);
    }
  }

  /** The first seconds, in which windows grow, don't count. */
  static void bulkFarAway(Scene scene) throws IOException, InterruptedException, Unavailable {
    for (Direction direction : Direction.values()) {
      Flow flow = flow(scene, direction, scene.seconds(0.8, 3), scene.seconds(0.5, 3));
      scene.note(
          "bulk " + direction + " at " + scene.roundTripMillis() + " ms round trip",
          Unit.MB_PER_S,
          flow.megabytesPerSecond);
    }
  }

  static void firstSecond(Scene scene) throws IOException, InterruptedException, Unavailable {
    Tunnel tunnel = scene.tunnel();
    try (Stream stream = new Stream(Direction.UP, tunnel.port(), scene.world.target())) {
      Sample start = Sample.of(stream, tunnel);
      sleep(1);
      Flow flow = Flow.between(start, Sample.of(stream, tunnel));
      scene.note("first second of fresh processes, up", Unit.MB_PER_S, flow.megabytesPerSecond);
    }
  }

  static void roundTrip(Scene scene) throws IOException, InterruptedException, Unavailable {
    double[] micros = Load.roundTrips(scene.tunnel().port(), scene.seconds(0.3, 1.5));
    noteRoundTrip(scene, "64-byte round trip", micros);
  }

  private static void noteRoundTrip(Scene scene, String title, double[] sorted) {
    scene.note(title + " p50", Unit.US, sorted[sorted.length / 2]);
    scene.note(title + " p99", Unit.US, sorted[sorted.length * 99 / 100]);
  }

  static void roundTripUnderLoad(Scene scene)
      throws IOException, InterruptedException, Unavailable {
    Tunnel tunnel = scene.tunnel();
    for (Direction direction : Direction.values()) {
      try (Stream stream = new Stream(direction, tunnel.port(), scene.world.target())) {
        sleep(scene.seconds(0.15, 0.3));
        Sample start = Sample.of(stream, tunnel);
        sleep(scene.seconds(0.3, 1));
        Sample meanwhile = Sample.of(stream, tunnel);
        double[] micros = Load.roundTrips(tunnel.port(), scene.seconds(0.4, 1.5));
        double beside = Flow.between(meanwhile, Sample.of(stream, tunnel)).megabytesPerSecond;
        stream.drain();
        String title = "round trip beside bulk " + direction;
        noteRoundTrip(scene, title, micros);
        scene.note(title + " max", Unit.US, micros[micros.length - 1]);
        scene.note("bulk " + direction + " beside round trips", Unit.MB_PER_S, beside);
        scene.note(
            "bulk " + direction + " beside round trips, to itself alone",
            Unit.SHARE,
            beside / Flow.between(start, meanwhile).megabytesPerSecond);
      }
    }
  }

  static void connections(Scene scene) throws IOException, InterruptedException, Unavailable {
    int port = scene.tunnel().port();
    double seconds = scene.seconds(0.3, 1.5);
    scene.note("connections, one at a time", Unit.PER_S, Load.connections(port, seconds, 1));
    scene.note("connections, 50 at a time", Unit.PER_S, Load.connections(port, seconds, 50));
  }

  /** Up, whole transfers of a size, each over its own connection, as many as make it measurable. */
  static void costOfSize(Scene scene) throws IOException, InterruptedException, Unavailable {
    Tunnel tunnel = scene.tunnel();
    for (int megabytes : scene.quick ? QUICK_SIZES : SIZES) {
      int times = Math.max(1, SIZES_TOTAL / megabytes);
      double before = tunnel.client().cpuSeconds() + tunnel.server().cpuSeconds();
      for (int i = 0; i < times; i++) {
        Load.send(tunnel.port(), scene.world.target(), megabytes * 1_000_000L);
      }
      double seconds = tunnel.client().cpuSeconds() + tunnel.server().cpuSeconds() - before;
      scene.note(
          "CPU of both, in transfers of %,d MB".formatted(megabytes),
          Unit.S_PER_GB,
          seconds * 1000 / (times * (double) megabytes));
    }
  }

  static void memoryAfterLoad(Scene scene) throws IOException, InterruptedException, Unavailable {
    Tunnel tunnel = scene.tunnel();
    scene.note("memory of the client afterwards", Unit.MB, tunnel.client().residentMegabytes());
    scene.note("memory of the server afterwards", Unit.MB, tunnel.server().residentMegabytes());
  }

  /** How far a stream was at a moment, and what it had cost. */
  private record Sample(long nanos, long bytes, double clientSeconds, double serverSeconds) {
    static Sample of(Stream stream, Tunnel tunnel) throws IOException {
      return new Sample(
          System.nanoTime(),
          stream.arrived(),
          tunnel.client().cpuSeconds(),
          tunnel.server().cpuSeconds());
    }
  }

  private record Flow(
      double megabytesPerSecond, double clientSecondsPerGigabyte, double serverSecondsPerGigabyte) {
    static Flow between(Sample start, Sample end) throws IOException {
      double bytes = end.bytes - start.bytes;
      if (bytes == 0) {
        throw new IOException("the stream stood still");
      }
      return new Flow(
          bytes * 1e3 / (end.nanos - start.nanos),
          (end.clientSeconds - start.clientSeconds) * 1e9 / bytes,
          (end.serverSeconds - start.serverSeconds) * 1e9 / bytes);
    }
  }

  /** One stream, whose first {@code settling} seconds don't count; all of it must arrive. */
  private static Flow flow(Scene scene, Direction direction, double settling, double seconds)
      throws IOException, InterruptedException, Unavailable {
    Tunnel tunnel = scene.tunnel();
    try (Stream stream = new Stream(direction, tunnel.port(), scene.world.target())) {
      sleep(settling);
      Sample start = Sample.of(stream, tunnel);
      sleep(seconds);
      Sample end = Sample.of(stream, tunnel);
      stream.drain();
      return Flow.between(start, end);
    }
  }

  private static void sleep(double seconds) throws InterruptedException {
    Thread.sleep((long) (seconds * 1000));
  }
}
