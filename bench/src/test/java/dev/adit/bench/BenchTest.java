package dev.adit.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.tuple;

import dev.adit.bench.Peers.Pair;
import dev.adit.bench.Results.Cell;
import dev.adit.bench.Results.Figure;
import dev.adit.bench.Results.Run;
import dev.adit.bench.Scene.Setting;
import dev.adit.bench.peer.DelayRelay;
import dev.adit.bench.peer.LoadTarget;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The benchmark against itself: equals measure as equals, and who is slow is seen to be. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(180)
class BenchTest {
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

  private static final Run RUN =
      new Run("2026-01-02T03:04:05Z", "bench/run", "abc", Map.of(), Map.of(), 1, 0, 0);

  private World world;

  @BeforeAll
  void makeWorld() throws Exception {
    world = new World(ROOT);
  }

  @AfterAll
  void closeWorld() throws IOException {
    world.close();
  }

  @Test
  void twoRelaysMeasureAlikeAndOneThatWastesTimeMeasuresSlow() throws Exception {
    // Fresh processes: so nothing is warmed up, which would take longer than all the rest.
    var row =
        new Row(
            "rtt",
            "",
            new Setting(Cipher.AES128_GCM, 0, true),
            "relay-relay",
            "",
            "",
            1,
            1,
            TunnelRows::roundTrip);
    var schedule = new Schedule(world, true, List.of(row), "relay-relay/2,slowed-relay", "");
    Results results = schedule.run().results(RUN);
    Figure p50 = results.figures().getFirst();
    assertThat(p50.title()).isEqualTo("64-byte round trip p50");
    assertThat(p50.cells().keySet())
        .containsExactly("relay-relay", "relay-relay/2", "slowed-relay");
    // As far apart as a busy machine may bring them.
    assertThat(cell(p50, "relay-relay/2").ratio()).isBetween(0.25, 4.0);
    // 200 us there and 200 us back are wasted, whatever else the machine does.
    assertThat(cell(p50, "slowed-relay").median()).isGreaterThan(400);
    assertThat(cell(p50, "slowed-relay").ratio()).isGreaterThan(1);
  }

  @Test
  void whatCannotBeMeasuredSaysWhy() throws Exception {
    var row =
        new Row(
            "bulk",
            "",
            new Setting(Cipher.AES128_GCM, 0, true),
            "relay-relay",
            "",
            "",
            1,
            1,
            scene -> {
              if (scene.pair.twin() == 2) {
                throw new Scene.Unavailable("nobody has one");
              }
              scene.note("something", Unit.MS, 1);
            });
    var schedule = new Schedule(world, true, List.of(row), "relay-relay/2", "");
    assertThat(Report.of(schedule.run().results(RUN)))
        .containsPattern("something, ms +1.00 +\\* +\\[1]")
        .contains("[1] nobody has one");
  }

  @Test
  void longPathHoldsEachByteAndLosesNone() throws Exception {
    int port = World.freePort();
    int target = world.target().port();
    try (Program relay =
        world.java(
            "delay", DelayRelay.class, Integer.toString(port), Integer.toString(target), "25")) {
      relay.awaitPort(port);
      double[] micros = Load.roundTrips(port, 0.5);
      assertThat(micros[0]).isGreaterThan(50_000);
      try (SocketChannel echo = IdleRows.hold(port)) {
        byte[] sent = new byte[5_000_000];
        new Random(7).nextBytes(sent);
        Thread sending =
            Thread.ofVirtual()
                .start(
                    () -> {
                      try {
                        LoadTarget.writeAll(echo, ByteBuffer.wrap(sent));
                      } catch (IOException e) {
                        // What comes back tells.
                      }
                    });
        ByteBuffer received = ByteBuffer.allocate(sent.length);
        LoadTarget.readAll(echo, received);
        sending.join();
        assertThat(Arrays.equals(received.array(), sent)).isTrue();
      }
    }
  }

  @Test
  void relaysOverAFarPathAreWarmedUpAndMeasured() throws Exception {
    var row =
        new Row(
            "delay50",
            "",
            new Setting(Cipher.AES128_GCM, 50, false),
            "relay-relay",
            "",
            "",
            1,
            1,
            TunnelRows::bulkFarAway);
    Results results = new Schedule(world, true, List.of(row), "", "").run().results(RUN);
    assertThat(results.figures())
        .extracting(Figure::title, figure -> cell(figure, "relay-relay").missing())
        .containsExactly(
            tuple("bulk up at 50 ms round trip", null),
            tuple("bulk down at 50 ms round trip", null));
  }

  @Test
  void ratioIsTheMedianOfTheRoundsRatios() {
    var cell = Cell.of(Arrays.asList(10.0, 30.0, null, 8.0), List.of(10.0, 10.0, 1.0, 2.0), "no");
    assertThat(cell.median()).isEqualTo(10);
    assertThat(cell.ratio()).isEqualTo(3);
    assertThat(cell.missing()).isNull();
    assertThat(Cell.of(List.of(), List.of(1.0), "no").missing()).isEqualTo("no");
  }

  @Test
  void filesOfResultsAreMergedRowByRow(@TempDir Path dir) throws Exception {
    Path first = dir.resolve("first.json");
    results("rtt", 1, "ready", 2).write(first);
    Results merged = Results.read(first).with(results("ready", 3, "conns", 4));
    assertThat(merged.figures())
        .extracting(Figure::row, Figure::run, figure -> cell(figure, "ssh-sshd").median())
        .containsExactly(tuple("ready", 1, 3.0), tuple("rtt", 0, 1.0), tuple("conns", 1, 4.0));
    merged.write(first);
    assertThat(Results.read(first)).isEqualTo(merged);
  }

  private static Cell cell(Figure figure, String pair) {
    return Objects.requireNonNull(figure.cells().get(pair));
  }

  private static Results results(String row, double value, String other, double otherValue) {
    return new Results(List.of(RUN), List.of(figure(row, value), figure(other, otherValue)));
  }

  private static Figure figure(String row, double value) {
    Cell cell = Cell.of(List.of(value), List.of(value), null);
    return new Figure(row, row, "us", false, "ssh-sshd", 0, Map.of("ssh-sshd", cell));
  }

  /** Whoever changes one of them by hand is told: {@code bench/run --publish}. */
  @Test
  void readmeTableAndChartAreMadeFromTheResults() throws IOException {
    for (var file : Publication.files(ROOT).entrySet()) {
      assertThat(Files.readString(file.getKey()))
          .as(file.getKey().toString())
          .isEqualTo(file.getValue());
    }
  }

  @Test
  void pairsThatCannotBeAreRefused() {
    for (String name : List.of("ssh-relay", "relay-sshd", "ssh", "ssh-nobody", "")) {
      assertThatIllegalArgumentException().isThrownBy(() -> Pair.of(name));
    }
  }
}
