package dev.adit.cli;

import java.util.ArrayList;

/** The usage lines, and the long options that ssh does not have. */
final class Usage {
  private static final int WIDTH = 79;

  private Usage() {}

  /** As ssh prints it: flags without an argument in one cluster, then those with one. */
  static String text() {
    var cluster = new StringBuilder("[-");
    var pieces = new ArrayList<String>();
    for (var flag : Flag.values()) {
      if (flag.missing() != null) {
        continue;
      }
      if (flag.argument() == null) {
        cluster.append(flag.letter());
      } else {
        pieces.add("[-%c %s]".formatted(flag.letter(), flag.argument()));
      }
    }
    pieces.addFirst(cluster.append(']').toString());
    pieces.add("destination");
    pieces.add("[command [argument ...]]");
    var lines = new StringBuilder("usage: adit");
    int column = lines.length();
    for (var piece : pieces) {
      if (column + 1 + piece.length() > WIDTH) {
        lines.append("\n          ");
        column = 10;
      }
      lines.append(' ').append(piece);
      column += 1 + piece.length();
    }
    return lines.append('\n').toString();
  }

  /** {@code --help}, {@code --version}, and what the build calls: {@code --generate what}. */
  static ClientCommandLine.Outcome longOption(String version, String... args) {
    return switch (args[0]) {
      case "--help" -> new ClientCommandLine.Exit(0, text() + ExplainOption.usage(), "");
      case "--version" -> new ClientCommandLine.Exit(0, version + "\n", "");
      case "--generate" -> {
        var page = args.length == 2 ? Pages.of(args[1]) : null;
        yield page == null
            ? new ClientCommandLine.Exit(
                ClientCommandLine.FAILURE, "", "--generate takes one of " + Pages.NAMES + "\n")
            : new ClientCommandLine.Exit(0, page, "");
      }
      default ->
          new ClientCommandLine.Exit(
              ClientCommandLine.FAILURE, "", "unknown option " + args[0] + "\n" + text());
    };
  }
}
