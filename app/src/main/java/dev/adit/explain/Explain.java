package dev.adit.explain;

import dev.adit.cli.ClientCommandLine;
import dev.adit.cli.ExplainOption;
import dev.adit.client.ClientFailure;
import dev.adit.client.Hops;
import dev.adit.config.AlgorithmNames;
import dev.adit.config.LocalSide;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** {@code adit explain}: reads a command line of adit and says what it would do. */
public final class Explain {
  /** Of the text below the picture: longer lines are hard to read. */
  private static final int WIDEST_TEXT = 80;

  /** Of a picture for documents, in columns. */
  private static final int SVG_COLUMNS = 100;

  /** Ports from here on are everybody's, unless the system says otherwise. */
  private static final int LOWEST_PORT = 1024;

  private static final Path LOWEST_PORT_OF_SYSTEM =
      Path.of("/proc/sys/net/ipv4/ip_unprivileged_port_start");

  private final LocalSide local;
  private final AlgorithmNames algorithms;
  private final String version;
  private final Screen screen;

  /** Names that the configuration wanted to look up. */
  private final List<String> namesAsked = new ArrayList<>();

  /**
   * @param version as in {@link ClientCommandLine}
   */
  public Explain(LocalSide local, AlgorithmNames algorithms, String version, Screen screen) {
    this.local = local;
    this.algorithms = algorithms;
    this.version = version;
    this.screen = screen;
  }

  /**
   * Explains a command line. Writes a file if --svg asks for one; everything else is in the answer.
   *
   * @param args what follows the word explain
   */
  public ClientCommandLine.Exit run(String... args) {
    var options = new EnumMap<ExplainOption, String>(ExplainOption.class);
    int at = 0;
    while (at < args.length && args[at].startsWith("--") && args[at].length() > 2) {
      var option = ExplainOption.of(args[at]);
      if (option == null) {
        return failure("unknown option %s\n%s".formatted(args[at], ExplainOption.usage()));
      }
      if (option == ExplainOption.HELP) {
        return new ClientCommandLine.Exit(0, ExplainOption.help(), "");
      }
      at++;
      if (option.argument() != null && at == args.length) {
        return failure("%s requires an argument".formatted(option.text()));
      }
      options.put(option, option.argument() == null ? "" : args[at++]);
    }
    if (at == args.length) {
      return failure(ExplainOption.usage().stripTrailing());
    }
    return explain(options, List.of(args).subList(at, args.length).toArray(String[]::new));
  }

  private ClientCommandLine.Exit explain(Map<ExplainOption, String> options, String... args) {
    var commandLine = new ClientCommandLine(localWithoutNames(), algorithms, version);
    return switch (commandLine.read(args)) {
      case ClientCommandLine.Exit exit -> exit.status() == 0 ? exit : withHint(exit, args);
      case ClientCommandLine.Connect connect -> {
        try {
          var jumps = new Hops(commandLine).of(connect.options());
          var route = Route.of(here(options.get(ExplainOption.HERE)), connect.options(), jumps);
          yield options.containsKey(ExplainOption.SVG)
              ? svg(route, options.getOrDefault(ExplainOption.SVG, ""))
              : text(
                  route, connect, !screen.isUnicode() || options.containsKey(ExplainOption.ASCII));
        } catch (ClientFailure e) {
          yield failure(String.valueOf(e.getMessage()));
        }
      }
    };
  }

  /** An option of ours among adit's flags is an unknown one there: the usage would be no help. */
  private static ClientCommandLine.Exit withHint(ClientCommandLine.Exit exit, String... args) {
    return Stream.of(args)
        .filter(arg -> ExplainOption.of(arg) != null)
        .findFirst()
        .map(option -> failure(option + " has to stand before the command line to explain"))
        .orElse(exit);
  }

  /**
   * CanonicalizeHostname would ask a name server; here the first of its domains is taken, and the
   * answer says so.
   */
  private LocalSide localWithoutNames() {
    return new LocalSide(
        local.user(),
        local.uid(),
        local.home(),
        local.environment(),
        local.systemConfig(),
        name -> {
          namesAsked.add(name);
          return Optional.of(name);
        },
        local.shell());
  }

  private Route.Here here(@Nullable String name) {
    return name == null
        ? new Route.Here(local.hostName(), local.uid() == 0 ? 0 : lowestPort())
        : new Route.Here(name, LOWEST_PORT);
  }

  private static int lowestPort() {
    try {
      return Integer.parseInt(Files.readString(LOWEST_PORT_OF_SYSTEM).strip());
    } catch (IOException | NumberFormatException e) {
      return LOWEST_PORT;
    }
  }

  private ClientCommandLine.Exit text(
      Route route, ClientCommandLine.Connect connect, boolean isAscii) {
    var words = new Words(route, isAscii);
    var out = new StringBuilder();
    var drawing = Layout.of(words.scene(), screen.columns());
    for (var line : TextPicture.lines(drawing, !isAscii, screen.isColoured())) {
      out.append(line.stripTrailing()).append('\n');
    }
    out.append('\n');
    int columns = Math.clamp(screen.columns(), Layout.LEAST_COLUMNS, WIDEST_TEXT);
    words.sentences().forEach(each -> paragraph(out, each.mark(), each.text(), columns));
    var hints = Hints.of(route, isAscii);
    if (!hints.isEmpty() || !namesAsked.isEmpty()) {
      out.append('\n');
    }
    hints.forEach(hint -> paragraph(out, "! ", hint, columns));
    for (var name : namesAsked) {
      paragraph(
          out,
          "! ",
          "CanonicalizeHostname would look %s up; here nobody is asked, and it is taken to exist."
              .formatted(Columns.printable(name, isAscii)),
          columns);
    }
    var warnings = new StringBuilder();
    connect.warnings().forEach(warning -> warnings.append(warning).append('\n'));
    return new ClientCommandLine.Exit(0, out.toString(), warnings.toString());
  }

  private static void paragraph(StringBuilder out, String mark, String text, int columns) {
    var indent = mark;
    for (var line : Columns.wrapHard(text, columns - mark.length())) {
      out.append(indent).append(line).append('\n');
      indent = " ".repeat(mark.length());
    }
  }

  private static ClientCommandLine.Exit svg(Route route, String file) {
    var words = new Words(route, false);
    var picture =
        SvgPicture.of(
            Layout.of(words.scene(), SVG_COLUMNS),
            words.sentences().stream()
                .map(each -> each.mark() + each.text())
                .collect(Collectors.joining(" ")));
    if (file.equals("-")) {
      return new ClientCommandLine.Exit(0, picture, "");
    }
    try {
      Files.writeString(Path.of(file), picture);
      return new ClientCommandLine.Exit(0, "", "");
    } catch (InvalidPathException e) {
      return failure("Bad path: " + e.getMessage());
    } catch (IOException e) {
      return failure("can't write %s: %s".formatted(file, e));
    }
  }

  private static ClientCommandLine.Exit failure(String message) {
    return new ClientCommandLine.Exit(
        ClientCommandLine.FAILURE, "", "adit explain: " + message.stripTrailing() + "\n");
  }
}
