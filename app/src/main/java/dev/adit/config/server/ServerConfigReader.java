package dev.adit.config.server;

import dev.adit.config.AlgorithmNames;
import dev.adit.config.ConfigException;
import dev.adit.config.Globs;
import dev.adit.config.Values;
import dev.adit.config.Words;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The way from a command line and a file to a {@link ServerConfig}, as sshd goes it: what the
 * command line says comes first, then the file's lines, of which the first counts. Files are read
 * once, with all that they include; Match blocks are kept for each connection. One thread, one use.
 */
public final class ServerConfigReader {
  /** As in sshd: deeper includes are a circle. */
  private static final int MAX_DEPTH = 16;

  /** Longer files are not configuration; a stopper for /dev/zero. */
  private static final int MAX_FILE = 16 * 1024 * 1024;

  /** As sshd has it: more ports than anybody listens on. */
  private static final int MAX_PORTS = 256;

  /** Where relative includes begin, whatever file has them: sshd's own. */
  public static final Path INCLUDE_DIRECTORY = Path.of("/etc/ssh");

  private final AlgorithmNames algorithms;
  private final ServerSettings settings = new ServerSettings();
  private final List<String> notes = new ArrayList<>();
  private List<Directive> directives = List.of();
  private boolean hasPortFromFlag;

  public ServerConfigReader(AlgorithmNames algorithms) {
    this.algorithms = algorithms;
  }

  /** Where a line stands. */
  private record Place(String file, int line, int depth, boolean neverMatches) {
    String at(String problem) {
      return "%s line %d: %s".formatted(file, line, problem);
    }
  }

  /** A problem of one line: those of later lines are told too. */
  private static final class LineProblem extends Exception {
    private static final long serialVersionUID = 1L;

    LineProblem(String message) {
      super(message);
    }
  }

  /** A problem that says where it is, and ends the reading. */
  private static final class PlacedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    PlacedException(String message) {
      super(message);
    }
  }

  /**
   * Takes the argument of {@code -o}.
   *
   * @return null, or what is wrong with the line as a whole
   * @throws ConfigException naming a value that is wrong; sshd tells the two apart by its exit
   *     status
   */
  public @Nullable String option(String line) throws ConfigException {
    try {
      line(line, new Place("command-line", 0, 0, false), true, null);
      return null;
    } catch (LineProblem e) {
      return e.getMessage();
    } catch (PlacedException e) {
      throw new ConfigException(String.valueOf(e.getMessage()), e);
    }
  }

  /**
   * Takes the argument of {@code -p}: from here on Port doesn't count.
   *
   * @throws ConfigException if it is no port
   */
  public void port(String port) throws ConfigException {
    try {
      settings.add(ServerKeyword.PORT, Values.parsePort(port));
    } catch (ConfigException e) {
      throw new ConfigException("Bad port number.", e);
    }
    hasPortFromFlag = true;
  }

  /** Takes the argument of {@code -h}. */
  public void hostKey(String file) throws ConfigException {
    settings.add(ServerKeyword.HOST_KEY, ServerValues.absolute(file));
  }

  /** Takes a value of the command line; the first one counts. */
  public void add(ServerKeyword keyword, Object value) throws ConfigException {
    settings.add(keyword, value);
  }

  /** Takes a value of the command line, whatever stood before. */
  public void override(ServerKeyword keyword, Object value) {
    settings.values().put(keyword, value);
  }

  /**
   * Reads the file.
   *
   * @throws ConfigException when it can't be read or used: a line for each problem, in sshd's words
   */
  public void file(Path file) throws ConfigException {
    try {
      directives = file(file.toString(), text(file), true, 0, false);
    } catch (IOException e) {
      throw new ConfigException("%s: %s".formatted(file, Globs.reason(e)), e);
    } catch (PlacedException e) {
      throw new ConfigException(String.valueOf(e.getMessage()), e);
    }
  }

  private static List<String> text(Path file) throws IOException {
    try (var in = Files.newInputStream(file)) {
      var bytes = in.readNBytes(MAX_FILE + 1);
      if (bytes.length > MAX_FILE) {
        throw new IOException("longer than %d bytes".formatted(MAX_FILE));
      }
      return new String(bytes, StandardCharsets.UTF_8).lines().toList();
    }
  }

  private List<Directive> file(
      String name, List<String> lines, boolean startsActive, int depth, boolean neverMatches)
      throws ConfigException {
    if (depth > MAX_DEPTH) {
      throw new ConfigException("Too many recursive configuration includes");
    }
    var read = new ArrayList<Directive>();
    var problems = new ArrayList<String>();
    boolean isActive = startsActive;
    for (int i = 0; i < lines.size(); i++) {
      try {
        isActive = line(lines.get(i), new Place(name, i + 1, depth, neverMatches), isActive, read);
      } catch (LineProblem e) {
        problems.add(String.valueOf(e.getMessage()));
      } catch (PlacedException e) {
        problems.add(String.valueOf(e.getMessage()));
        throw new PlacedException(String.join("\n", problems));
      }
    }
    if (!problems.isEmpty()) {
      problems.add(
          "%s: terminating, %d bad configuration options".formatted(name, problems.size()));
      throw new PlacedException(String.join("\n", problems));
    }
    return List.copyOf(read);
  }

  /**
   * @param into where the line goes for {@link ServerConfig#forConnection}; null on the command
   *     line
   * @return whether the next lines count for all connections
   */
  private boolean line(String text, Place place, boolean isActive, @Nullable List<Directive> into)
      throws LineProblem {
    Words unparted;
    try {
      unparted = Words.of(text);
    } catch (ConfigException e) {
      throw new LineProblem(place.at(String.valueOf(e.getMessage())));
    }
    if (unparted == null) {
      return isActive;
    }
    var name = unparted.keyword();
    if (unparted.rest().isEmpty()) {
      throw new LineProblem(place.at("no argument after keyword \"%s\"".formatted(name)));
    }
    var keyword = ServerKeyword.of(name);
    if (keyword == null) {
      throw new LineProblem(
          "%s: line %d: Bad configuration option: %s".formatted(place.file, place.line, name));
    }
    Words words;
    try {
      words = unparted.parted();
    } catch (ConfigException e) {
      throw new LineProblem(place.at(String.valueOf(e.getMessage())));
    }
    if (!isActive && keyword.scope() == ServerKeyword.Scope.GLOBAL) {
      throw new PlacedException(
          place.at("Directive '%s' is not allowed within a Match block".formatted(name)));
    }
    if (keyword.state() == ServerKeyword.State.IGNORED) {
      notes.add(place.at("Deprecated option " + name));
      return isActive;
    }
    try {
      switch (keyword) {
        case MATCH -> {
          refuseOnCommandLine(keyword, into);
          var criteria = match(words.rest(), place);
          if (into != null) {
            into.add(new Directive.Match(criteria));
          }
          return criteria.isAll() && !place.neverMatches;
        }
        case INCLUDE -> {
          refuseOnCommandLine(keyword, into);
          include(words.remaining(), place, isActive, into == null ? List.of() : into);
          return isActive;
        }
        default -> {
          var value = read(keyword, words, place);
          if (into != null && keyword.scope() == ServerKeyword.Scope.MATCH) {
            into.add(new Directive.Setting(keyword, value));
          }
          boolean isOverridden = keyword == ServerKeyword.PORT && hasPortFromFlag;
          if (isActive && !isOverridden) {
            settings.add(keyword, value);
          }
          return isActive;
        }
      }
    } catch (BadLineException e) {
      throw new LineProblem(place.at(String.valueOf(e.getMessage())));
    } catch (ConfigException e) {
      throw new PlacedException(place.at(String.valueOf(e.getMessage())));
    }
  }

  private static void refuseOnCommandLine(ServerKeyword keyword, @Nullable List<Directive> into) {
    if (into == null) {
      throw new PlacedException(
          "%s directive not supported as a command-line option".formatted(keyword.text()));
    }
  }

  private Object read(ServerKeyword keyword, Words words, Place place)
      throws ConfigException, LineProblem {
    var value = keyword.read(words);
    var kind = ServerConfig.kindOf(keyword);
    if (kind != null) {
      // The list is made when all is read; what is wrong with it is told with its line.
      var unused = ServerConfig.algorithms(keyword, (String) value, kind, algorithms, notes);
    }
    if (words.hasNext()) {
      throw new LineProblem(
          place.at("keyword %s extra arguments at end of line".formatted(words.keyword())));
    }
    boolean asksForMore = keyword.asksForMore(value);
    switch (keyword.state()) {
      case REFUSED -> {
        if (asksForMore) {
          throw new LineProblem(
              place.at(
                  "Unsupported option %s %s: %s"
                      .formatted(keyword.text(), ServerConfigDump.text(value), keyword.note())));
        }
      }
      case NOTED -> {
        if (asksForMore) {
          notes.add(
              place.at(
                  "Unsupported option %s%s"
                      .formatted(
                          keyword.text(), keyword.note().isEmpty() ? "" : ": " + keyword.note())));
        }
      }
      case IMPLEMENTED, IGNORED -> {
        // Nothing to tell.
      }
    }
    if (keyword == ServerKeyword.PORT
        && settings.get(ServerKeyword.PORT) instanceof List<?> ports
        && ports.size() >= MAX_PORTS) {
      throw new ConfigException("too many ports.");
    }
    return value;
  }

  private static MatchCriteria match(String text, Place place) {
    try {
      return MatchCriteria.parse(text, place.line);
    } catch (ConfigException e) {
      var message = String.valueOf(e.getMessage());
      throw new PlacedException(
          message.startsWith("Invalid Match")
              ? message
              : message + "\n" + place.at("Bad Match condition"));
    }
  }

  private void include(List<String> patterns, Place place, boolean isActive, List<Directive> into)
      throws ConfigException, LineProblem {
    var files = new ArrayList<List<Directive>>();
    for (var pattern : patterns) {
      if (pattern.isEmpty()) {
        throw new LineProblem(place.at("keyword Include empty argument"));
      }
      boolean isAbsolute = pattern.startsWith("/") || pattern.startsWith("~");
      var path = isAbsolute ? pattern : INCLUDE_DIRECTORY + "/" + pattern;
      for (var file : Globs.files(path)) {
        List<String> lines;
        try {
          lines = text(file);
        } catch (IOException e) {
          throw new PlacedException("%s: %s".formatted(file, Globs.reason(e)));
        }
        try {
          files.add(
              file(
                  file.toString(),
                  lines,
                  isActive,
                  place.depth + 1,
                  place.neverMatches || !isActive));
        } catch (ConfigException e) {
          throw new PlacedException(String.valueOf(e.getMessage()));
        }
      }
    }
    into.add(new Directive.Include(List.copyOf(files)));
  }

  /**
   * Puts everything together.
   *
   * @throws ConfigException when values contradict one another
   */
  public ServerConfig build() throws ConfigException {
    var config =
        new ServerConfig(
            settings.values(), algorithms, directives, notes.stream().distinct().toList());
    config.refuseImpossibleMethods();
    return config;
  }
}
