package dev.adit.explain;

import dev.adit.cli.ClientCommandLine;
import dev.adit.config.LocalSide;
import dev.adit.config.StandardAlgorithms;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * {@code adit explain} of an ordinary user, on a machine that has no configuration and no names.
 */
final class ExplainRun {
  private ExplainRun() {}

  static ClientCommandLine.Exit of(Screen screen, String... args) {
    return of(Path.of("/nonexistent"), screen, args);
  }

  static ClientCommandLine.Exit of(Path home, Screen screen, String... args) {
    return new Explain(local(home), new StandardAlgorithms(), "adit", screen).run(args);
  }

  static LocalSide local(Path home) {
    return new LocalSide(
        "ada",
        1000,
        home,
        Map.of(),
        Path.of("/nonexistent/ssh_config"),
        name -> {
          throw new AssertionError("looked up " + name);
        },
        command -> {
          throw new AssertionError("ran " + command);
        });
  }

  /** What is printed for a line of a shell, {@code [COLUMNS=n] adit explain ...}. */
  static String ofLine(String line) {
    var words = new ArrayList<>(words(line));
    int columns = 80;
    if (words.getFirst().startsWith("COLUMNS=")) {
      columns = Integer.parseInt(words.removeFirst().substring("COLUMNS=".length()));
    }
    if (!words.subList(0, 2).equals(List.of("adit", "explain"))) {
      throw new IllegalArgumentException(line);
    }
    var args = words.subList(2, words.size()).toArray(String[]::new);
    var exit = of(new Screen(columns, true, false), args);
    return exit.out() + exit.err();
  }

  /** Parted at spaces, with single quotes as a shell has them. */
  private static List<String> words(String line) {
    var words = new ArrayList<String>();
    var parts = line.split("'", -1);
    for (int i = 0; i < parts.length; i++) {
      if (i % 2 == 1) {
        words.add(parts[i]);
      } else if (!parts[i].isBlank()) {
        words.addAll(List.of(parts[i].strip().split(" +")));
      }
    }
    return words;
  }
}
