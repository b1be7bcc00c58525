package dev.adit.bench;

import dev.adit.bench.Peers.Pair;
import dev.adit.bench.Results.Cell;
import dev.adit.bench.Results.Figure;
import dev.adit.bench.Results.Run;
import dev.adit.bench.Scene.Notebook;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The figures of a run as they come, until they are {@link Results}. */
final class Collected {
  private static final class Column {
    final List<@Nullable Double> values = new ArrayList<>();
    @Nullable String missing;
  }

  private static final class Line {
    final Row row;
    final Unit unit;
    final Map<String, Column> columns = new LinkedHashMap<>();

    Line(Row row, Unit unit) {
      this.row = row;
      this.unit = unit;
    }

    Column column(Pair pair) {
      return columns.computeIfAbsent(pair.toString(), _ -> new Column());
    }
  }

  private final String yardstick;
  private final Map<String, Line> lines = new LinkedHashMap<>();

  /** By row and pair: why a row has failed as a whole. */
  private final Map<Row, Map<Pair, String>> failures = new LinkedHashMap<>();

  /**
   * @param yardstick instead of the rows' own, or empty
   */
  Collected(String yardstick) {
    this.yardstick = yardstick;
  }

  /** For the figures of one row, pair and round. */
  Notebook notebook(Row row, Pair pair, int round) {
    return new Notebook() {
      @Override
      public void note(String title, Unit unit, double value) {
        List<@Nullable Double> values = line(row, title, unit).column(pair).values;
        while (values.size() < round) {
          values.add(null);
        }
        values.add(value);
      }

      @Override
      public void missing(String title, Unit unit, String why) {
        line(row, title, unit).column(pair).missing = why;
      }
    };
  }

  private Line line(Row row, String title, Unit unit) {
    return lines.computeIfAbsent(title, _ -> new Line(row, unit));
  }

  /** A round of a row has failed. */
  void failed(Row row, Pair pair, String why) {
    failures.computeIfAbsent(row, _ -> new LinkedHashMap<>()).put(pair, why);
  }

  Results results(Run run) {
    Map<Row, List<Figure>> byRow = new LinkedHashMap<>();
    lines.forEach(
        (title, line) -> {
          failures
              .getOrDefault(line.row, Map.of())
              .forEach((pair, why) -> line.column(pair).missing = why);
          byRow.computeIfAbsent(line.row, _ -> new ArrayList<>()).add(figure(title, line));
        });
    failures.forEach(
        (row, failed) -> {
          if (!byRow.containsKey(row)) {
            Line line = new Line(row, Unit.NONE);
            failed.forEach((pair, why) -> line.column(pair).missing = why);
            byRow.put(row, List.of(figure(row.what(), line)));
          }
        });
    return new Results(List.of(run), byRow.values().stream().flatMap(List::stream).toList());
  }

  private Figure figure(String title, Line line) {
    String to = yardstick.isEmpty() ? line.row.yardstick() : yardstick;
    Column other = line.columns.getOrDefault(to, new Column());
    Map<String, Cell> cells = new LinkedHashMap<>();
    line.columns.forEach(
        (pair, column) -> cells.put(pair, Cell.of(column.values, other.values, column.missing)));
    return new Figure(
        line.row.key(), title, line.unit.toString(), line.unit.moreIsBetter(), to, 0, cells);
  }
}
