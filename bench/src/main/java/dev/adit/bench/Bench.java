package dev.adit.bench;

import dev.adit.bench.Results.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import joptsimple.OptionException;
import joptsimple.OptionParser;
import joptsimple.OptionSet;
import joptsimple.OptionSpec;

/** The command: clients and servers of SSH side by side. */
public final class Bench {
  private final OptionParser parser = new OptionParser();
  private final OptionSpec<Void> quick =
      parser.accepts("quick", "fewer rounds, shorter ones, and fewer pairs");
  private final OptionSpec<String> rows =
      parser
          .accepts("rows", "which, separated by commas; see below")
          .withRequiredArg()
          .withValuesSeparatedBy(',');
  private final OptionSpec<String> pairs =
      parser
          .accepts("pairs", "client-server, separated by commas, instead of each row's own")
          .withRequiredArg()
          .defaultsTo("");
  private final OptionSpec<String> yardstick =
      parser
          .accepts("yardstick", "the pair that ratios are to, instead of each row's own")
          .withRequiredArg()
          .defaultsTo("");
  private final OptionSpec<String> json =
      parser.accepts("json", "file to write the results to").withRequiredArg();
  private final OptionSpec<String> svg =
      parser.accepts("svg", "file to write a chart to").withRequiredArg();
  private final OptionSpec<String> merge =
      parser
          .accepts("merge", "measure nothing, take files of results; of a row the last one's")
          .withRequiredArg()
          .withValuesSeparatedBy(',');
  private final OptionSpec<Void> publish =
      parser.accepts(
          "publish", "measure nothing, write what is made from bench/results/results.json");
  private final OptionSpec<Void> help = parser.accepts("help").forHelp();

  private Bench() {}

  /** Arguments: the directory of the launchers and the options of bench/run. */
  public static void main(String[] args) throws Exception {
    try {
      new Bench().run(Path.of(args[0]), Arrays.asList(args).subList(1, args.length));
    } catch (OptionException | IllegalArgumentException e) {
      System.err.println("bench/run: " + e.getMessage() + " (--help tells what there is)");
      System.exit(255);
    }
  }

  private void run(Path root, List<String> args) throws Exception {
    OptionSet options = parser.parse(args.toArray(String[]::new));
    if (!options.nonOptionArguments().isEmpty()) {
      throw new IllegalArgumentException(
          "what is " + options.nonOptionArguments().getFirst() + "?");
    }
    if (options.has(help)) {
      parser.printHelpOn(System.out);
      System.out.println();
      Row.ALL.forEach(row -> System.out.printf("%-10s %s%n", row.key(), row.what()));
      return;
    }
    if (options.has(publish)) {
      Publication.publish(root);
      return;
    }
    Results results = options.has(merge) ? merged(options) : measured(root, args, options);
    System.out.print(Report.of(results));
    if (options.has(json)) {
      results.write(Path.of(options.valueOf(json)));
    }
    if (options.has(svg)) {
      Files.writeString(Path.of(options.valueOf(svg)), Chart.of(results));
    }
  }

  private Results merged(OptionSet options) throws IOException {
    Results results = new Results(List.of(), List.of());
    for (String file : options.valuesOf(merge)) {
      results = results.with(Results.read(Path.of(file)));
    }
    return results;
  }

  private Results measured(Path root, List<String> args, OptionSet options) throws Exception {
    List<Row> chosen = rows(options.valuesOf(rows));
    String others = options.valueOf(pairs);
    String to = options.valueOf(yardstick);
    Schedule.pairs(others);
    Schedule.pairs(to);

    String date = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    double loadBefore = Proc.loadAverage();
    long start = System.nanoTime();
    Collected collected;
    try (World world = new World(root)) {
      collected = new Schedule(world, options.has(quick), chosen, others, to).run();
    }
    return collected.results(
        new Run(
            date,
            ("bench/run " + String.join(" ", args)).strip(),
            Machine.commit(root),
            Machine.description(),
            Machine.versions(root),
            (System.nanoTime() - start) / 1e9,
            loadBefore,
            Proc.loadAverage()));
  }

  private static List<Row> rows(List<String> keys) {
    List<String> unknown = new ArrayList<>(keys);
    unknown.removeAll(Row.ALL.stream().map(Row::key).toList());
    if (!unknown.isEmpty()) {
      throw new IllegalArgumentException("there is no row " + unknown.getFirst());
    }
    return Row.ALL.stream().filter(row -> keys.isEmpty() || keys.contains(row.key())).toList();
  }
}
