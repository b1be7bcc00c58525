package dev.adit.bench;

import dev.adit.bench.Results.Cell;
import dev.adit.bench.Results.Figure;
import dev.adit.bench.Results.Run;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Results as a table of text: a line a figure, a column a pair. */
final class Report {
  private static final int TITLE_WIDTH = 64;
  private static final int CELL_WIDTH = 16;

  private final StringBuilder out = new StringBuilder();

  /** Why there is no value; a cell has its number. */
  private final Set<String> notes = new LinkedHashSet<>();

  private Report() {}

  static String of(Results results) {
    var report = new Report();
    for (int i = 0; i < results.runs().size(); i++) {
      report.run(results, i);
    }
    report.table(results);
    return report.out.toString();
  }

  private void run(Results results, int index) {
    Run run = results.runs().get(index);
    if (results.figures().stream().noneMatch(figure -> figure.run() == index)) {
      return; // A later run has measured all of it again.
    }
    line("%s  %s", run.date(), run.command());
    line(
        "  commit %s; %.0f s; load average %.1f before, %.1f after",
        run.commit(), run.seconds(), run.loadBefore(), run.loadAfter());
    run.machine().forEach((name, value) -> line("  %s: %s", name, value));
    run.versions().forEach((name, value) -> line("  %s: %s", name, value));
  }

  private void table(Results results) {
    Set<String> pairs = new LinkedHashSet<>();
    results.figures().forEach(figure -> pairs.addAll(figure.cells().keySet()));
    line("");
    line(
        "Medians, and behind them the median of the rounds' ratios to the yardstick (*). Spread:"
            + " greatest less least");
    line("round, as a part of the median, of the column where that is worst. '-': not asked for.");
    String row = "";
    for (Figure figure : results.figures()) {
      if (!figure.row().equals(row)) {
        row = figure.row();
        line("");
        head(row, pairs);
      }
      line(figure, pairs);
    }
    line("");
    int number = 0;
    for (String note : notes) {
      line("[%d] %s", ++number, note);
    }
  }

  private void head(String row, Set<String> pairs) {
    List<String> cells = new ArrayList<>();
    pairs.forEach(pair -> cells.add(padded(pair)));
    line("%-" + TITLE_WIDTH + "s%s  spread", "-- " + row, String.join("", cells));
  }

  private void line(Figure figure, Set<String> pairs) {
    List<String> cells = new ArrayList<>();
    double spread = 0;
    for (String pair : pairs) {
      Cell cell = figure.cells().get(pair);
      cells.add(padded(text(figure, pair, cell)));
      spread = Math.max(spread, cell == null ? 0 : cell.spread());
    }
    line(
        "%-" + TITLE_WIDTH + "s%s  %5.0f %%",
        figure.title() + ", " + figure.unit(),
        String.join("", cells),
        spread * 100);
  }

  private String text(Figure figure, String pair, @Nullable Cell cell) {
    if (cell == null) {
      return "-";
    }
    if (cell.missing() != null) {
      notes.add(cell.missing());
      return "[" + (new ArrayList<>(notes).indexOf(cell.missing()) + 1) + "]";
    }
    String value = number(cell.median());
    if (pair.equals(figure.yardstick())) {
      return value + "    *";
    }
    return cell.ratio() == null ? value + "     " : "%s %4s".formatted(value, ratio(cell.ratio()));
  }

  /** Three digits that count, or all before the point. */
  static String number(@Nullable Double value) {
    if (value == null) {
      return "-";
    }
    int decimals = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
    return String.format(Locale.ROOT, "%." + decimals + "f", value);
  }

  static String ratio(double ratio) {
    return String.format(Locale.ROOT, ratio >= 10 ? "%.0f" : "%.2f", ratio);
  }

  private static String padded(String text) {
    return ("%" + CELL_WIDTH + "s").formatted(text);
  }

  private void line(String format, Object... values) {
    out.append(String.format(Locale.ROOT, format, values).stripTrailing()).append('\n');
  }
}
