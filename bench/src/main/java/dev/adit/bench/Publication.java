package dev.adit.bench;

import dev.adit.bench.Results.Cell;
import dev.adit.bench.Results.Figure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What the project says of its speed: the table and the chart beside the committed result file, and
 * the README's section, all made from that file.
 */
final class Publication {
  private static final String DIRECTORY = "bench/results";
  private static final String RESULTS = DIRECTORY + "/results.json";
  private static final String BEGIN = "<!-- bench/run --publish writes from here -->\n";
  private static final String END = "<!-- to here -->\n";

  /** In the README: whole titles, and what a reader calls them. */
  private static final List<List<String>> HEADLINES =
      List.of(
          List.of("bulk up, aes128-gcm", "one stream up"),
          List.of("bulk down, aes128-gcm", "one stream down"),
          List.of("bulk up at 100 ms round trip", "one stream up, 100 ms away"),
          List.of("64-byte round trip p50", "round trip of 64 bytes, median"),
          List.of("round trip beside bulk up p99", "the same beside a stream up, 99th percentile"),
          List.of("connections, 50 at a time", "new connections, 50 at a time"),
          List.of("process start to port open", "start until the port is open"),
          List.of("memory of a client at rest", "memory of a client at rest"));

  private Publication() {}

  /** Writes all of it below the root of the clone. */
  static void publish(Path root) throws IOException {
    for (var file : files(root).entrySet()) {
      Files.writeString(file.getKey(), file.getValue());
    }
  }

  /** Each file, and what it must contain. */
  static Map<Path, String> files(Path root) throws IOException {
    Results results = Results.read(root.resolve(RESULTS));
    Map<Path, String> files = new LinkedHashMap<>();
    files.put(root.resolve(DIRECTORY).resolve("results.txt"), Report.of(results));
    files.put(root.resolve(DIRECTORY).resolve("results.svg"), Chart.of(results));
    Path readme = root.resolve("README.md");
    String text = Files.readString(readme);
    int begin = text.indexOf(BEGIN);
    int end = text.indexOf(END);
    if (begin < 0 || end < begin) {
      throw new IOException(readme + " has no lines " + BEGIN.strip() + " and " + END.strip());
    }
    files.put(
        readme, text.substring(0, begin + BEGIN.length()) + section(results) + text.substring(end));
    return files;
  }

  private static String section(Results results) throws IOException {
    var table = new StringBuilder();
    var runs = new TreeSet<Integer>();
    for (List<String> headline : HEADLINES) {
      Figure figure =
          results.figures().stream()
              .filter(each -> each.title().equals(headline.getFirst()))
              .findFirst()
              .orElseThrow(() -> new IOException(RESULTS + " has no " + headline.getFirst()));
      runs.add(figure.run());
      Cell ours = figure.cells().get("adit-aditd");
      table.append(
          "| %s | %s | %s | %s | %s |\n"
              .formatted(
                  headline.getLast(),
                  value(figure, figure.cells().get("relay-relay")),
                  value(figure, figure.cells().get("ssh-sshd")),
                  value(figure, ours),
                  ours == null || ours.ratio() == null ? "" : Report.ratio(ours.ratio())));
    }
    String measured =
        runs.stream()
            .map(results.runs()::get)
            .map(
                run ->
                    "on %s by `%s` (%s)"
                        .formatted(
                            run.date().substring(0, 10),
                            run.command(),
                            run.machine().get("processor")))
            .collect(Collectors.joining(",\n"));
    return """
    | | plain relay | ssh to sshd | adit to aditd | ratio |
    |---|---|---|---|---|
    %s
    Measured %s; medians. All rows, also with one end swapped and other programs:
    [table](bench/results/results.txt), [chart](bench/results/results.svg),
    [how](bench/README.md).
    """
        .formatted(table, measured);
  }

  private static String value(Figure figure, @Nullable Cell cell) {
    return cell == null || cell.median() == null
        ? ""
        : Report.number(cell.median()) + " " + figure.unit();
  }
}
