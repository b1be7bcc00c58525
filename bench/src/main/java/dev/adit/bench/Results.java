package dev.adit.bench;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What runs have measured, as it stands in a result file.
 *
 * @param runs in the order in which they were made
 * @param figures in the order of the rows
 */
record Results(List<Run> runs, List<Figure> figures) {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /**
   * One start of the benchmark.
   *
   * @param date when it began, in UTC
   * @param loadBefore the load average of the last minute when it began; {@code loadAfter} when it
   *     ended, its own load included
   */
  record Run(
      String date,
      String command,
      String commit,
      Map<String, String> machine,
      Map<String, String> versions,
      double seconds,
      double loadBefore,
      double loadAfter) {}

  /**
   * One line of the table.
   *
   * @param row the name for {@code --rows}
   * @param moreIsBetter whether a higher value is the better one
   * @param yardstick the column that ratios are to
   * @param run index of the run that measured it
   * @param cells by pair
   */
  record Figure(
      String row,
      String title,
      String unit,
      boolean moreIsBetter,
      String yardstick,
      int run,
      Map<String, Cell> cells) {}

  /**
   * A figure of one pair.
   *
   * @param values by round; null where that round failed
   * @param ratio median of the rounds' ratios to the yardstick
   * @param missing why there is no value
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Cell(
      @JsonInclude(content = JsonInclude.Include.ALWAYS) List<@Nullable Double> values,
      @Nullable Double median,
      @Nullable Double ratio,
      @Nullable String missing) {

    static Cell of(
        List<@Nullable Double> values, List<@Nullable Double> yardstick, @Nullable String missing) {
      List<Double> ratios = new ArrayList<>();
      for (int i = 0; i < Math.min(values.size(), yardstick.size()); i++) {
        Double value = values.get(i);
        Double other = yardstick.get(i);
        if (value != null && other != null && other != 0) {
          ratios.add(value / other);
        }
      }
      Double median = Results.median(values.stream().filter(Objects::nonNull).toList());
      return new Cell(values, median, Results.median(ratios), median == null ? missing : null);
    }

    /** Greatest less least value, as a part of the median; 0 if there is only one. */
    double spread() {
      var there = values.stream().filter(Objects::nonNull).mapToDouble(v -> v).summaryStatistics();
      return median == null || median == 0 ? 0 : (there.getMax() - there.getMin()) / median;
    }
  }

  static @Nullable Double median(List<Double> values) {
    if (values.isEmpty()) {
      return null;
    }
    List<Double> sorted = values.stream().sorted().toList();
    int middle = sorted.size() / 2;
    return sorted.size() % 2 == 1
        ? sorted.get(middle)
        : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
  }

  /** The rows of both; where both have a row, all of it is the other's. */
  Results with(Results later) {
    List<Run> allRuns = new ArrayList<>(runs);
    allRuns.addAll(later.runs);
    Map<String, List<Figure>> byRow = new LinkedHashMap<>();
    for (Figure figure : figures) {
      byRow.computeIfAbsent(figure.row, _ -> new ArrayList<>()).add(figure);
    }
    later.figures.forEach(figure -> byRow.remove(figure.row));
    for (Figure f : later.figures) {
      byRow
          .computeIfAbsent(f.row, _ -> new ArrayList<>())
          .add(
              new Figure(
                  f.row,
                  f.title,
                  f.unit,
                  f.moreIsBetter,
                  f.yardstick,
                  f.run + runs.size(),
                  f.cells));
    }
    List<Figure> ordered = new ArrayList<>();
    for (Row row : Row.ALL) {
      ordered.addAll(byRow.getOrDefault(row.key(), List.of()));
    }
    return new Results(allRuns, ordered);
  }

  static Results read(Path file) throws IOException {
    return JSON.readValue(file.toFile(), Results.class);
  }

  void write(Path file) throws IOException {
    Files.writeString(file, JSON.writeValueAsString(this) + "\n");
  }
}
