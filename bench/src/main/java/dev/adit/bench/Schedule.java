package dev.adit.bench;

import dev.adit.bench.Peers.Pair;
import dev.adit.bench.Scene.Notebook;
import dev.adit.bench.Scene.Servers;
import dev.adit.bench.Scene.Setting;
import dev.adit.bench.Scene.Unavailable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Who is measured when: row by row, and for each the pairs in turn (A B A B ...), so that the ratio
 * of a row holds although the machine's speed drifts.
 */
final class Schedule {
  /** What a round of one pair may take; who hangs then is given up. */
  private static final long PATIENCE_SECONDS = 240;

  private final World world;
  private final boolean quick;
  private final List<Row> rows;
  private final String pairs;
  private final String yardstick;
  private final Collected collected;

  /**
   * @param pairs instead of the rows' own, separated by commas, or empty
   * @param yardstick instead of the rows' own, or empty
   */
  Schedule(World world, boolean quick, List<Row> rows, String pairs, String yardstick) {
    this.world = world;
    this.quick = quick;
    this.rows = rows;
    this.pairs = pairs;
    this.yardstick = yardstick;
    collected = new Collected(yardstick);
  }

  /**
   * By their names.
   *
   * @throws IllegalArgumentException naming the one that there isn't
   */
  static Set<Pair> pairs(String names) {
    Set<Pair> pairs = new LinkedHashSet<>();
    for (String name : names.isEmpty() ? new String[0] : names.split(",")) {
      try {
        pairs.add(Pair.of(name));
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException("there is no pair " + name, e);
      }
    }
    return pairs;
  }

  /** Measures, and says on standard error what. */
  Collected run() throws Exception {
    warmUp();
    try (Servers servers = new Servers(world)) {
      for (int from = 0, to; from < rows.size(); from = to) {
        to = from + 1;
        while (to < rows.size() && rows.get(from).isNeighbourOf(rows.get(to))) {
          to++;
        }
        rounds(servers, rows.subList(from, to));
      }
    }
    return collected;
  }

  /** The benchmark's own code and the target's are compiled before they measure anybody. */
  private void warmUp() throws IOException, InterruptedException {
    System.err.println("warming up");
    int port = world.target().port();
    for (Load.Direction direction : Load.Direction.values()) {
      try (var stream = new Load.Stream(direction, port, world.target())) {
        TimeUnit.MILLISECONDS.sleep(500);
        stream.drain();
      }
    }
    Load.roundTrips(port, 1);
    Load.connections(port, 0.5, 1);
    Load.connections(port, 0.5, 50);
  }

  private void rounds(Servers servers, List<Row> neighbours) throws InterruptedException {
    Row first = neighbours.getFirst();
    String others = pairs.isEmpty() ? first.pairs(quick) : pairs;
    String to = yardstick.isEmpty() ? first.yardstick() : yardstick;
    List<Pair> order = new ArrayList<>(pairs(to + "," + others));
    int rounds = first.rounds(quick);
    for (int round = 0; round < rounds; round++) {
      for (Pair pair : order) {
        System.err.printf(
            "%s, round %d of %d: %s%n",
            String.join(",", neighbours.stream().map(Row::key).toList()), round + 1, rounds, pair);
        measure(servers, neighbours, pair, round);
      }
      // Who begins changes, so that nobody always finds the machine as the same other left it.
      Collections.rotate(order, -1);
    }
  }

  /** On a thread that can be given up. */
  private void measure(Servers servers, List<Row> neighbours, Pair pair, int round)
      throws InterruptedException {
    try (var thread = Executors.newSingleThreadExecutor()) {
      Future<?> measured =
          thread.submit(
              () -> {
                measureNow(servers, neighbours, pair, round);
                return null;
              });
      try {
        measured.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
      } catch (TimeoutException e) {
        measured.cancel(true);
        neighbours.forEach(
            row -> collected.failed(row, pair, "not done in " + PATIENCE_SECONDS + " s"));
      } catch (ExecutionException e) {
        neighbours.forEach(
            row ->
                collected.failed(row, pair, reason(Objects.requireNonNullElse(e.getCause(), e))));
      }
    }
  }

  private void measureNow(Servers servers, List<Row> neighbours, Pair pair, int round)
      throws Exception {
    String missing = pair.missing();
    if (missing != null) {
      throw new Unavailable(missing);
    }
    Setting setting = neighbours.getFirst().setting();
    Notebook nowhere = collected.notebook(neighbours.getFirst(), pair, round);
    try (Scene scene = new Scene(world, servers, pair, setting, quick, nowhere)) {
      for (Row row : neighbours) {
        scene.writeTo(collected.notebook(row, pair, round));
        try {
          row.measure().of(scene);
        } catch (IOException | Unavailable e) {
          collected.failed(row, pair, reason(e));
        }
      }
    }
  }

  private static String reason(Throwable e) {
    String message = e.getMessage();
    if (!(e instanceof Unavailable)) {
      System.err.println("  " + e);
    }
    return message == null ? e.toString() : message;
  }
}
