package dev.adit.cli;

import dev.adit.config.AlgorithmNames;
import dev.adit.config.ClientOptions.LogLevel;
import dev.adit.config.ConfigException;
import dev.adit.config.LocalSide;
import dev.adit.config.Values;
import dev.adit.config.server.ConnectionFacts;
import dev.adit.config.server.ServerConfig;
import dev.adit.config.server.ServerConfigDump;
import dev.adit.config.server.ServerConfigReader;
import dev.adit.config.server.ServerKeyword;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Reads the command line of {@code aditd} as sshd(8) reads its own, and the file it leads to. */
public final class ServerCommandLine {
  /** What sshd exits with when a configuration can't be used. */
  public static final int FAILURE = 255;

  /** What sshd exits with when the command line is wrong, or a file is missing. */
  private static final int USAGE = 1;

  private static final int WIDTH = 79;

  /** What the command line asks for. */
  public sealed interface Outcome {}

  /**
   * Serve.
   *
   * @param file the configuration file that was read, or null
   * @param warnings lines for standard error
   */
  public record Serve(
      ServerConfig config, Manner manner, @Nullable Path file, List<String> warnings)
      implements Outcome {}

  /** Check the host keys that the configuration names, and print. */
  public record Check(ServerConfig config, String out, List<String> warnings) implements Outcome {}

  /**
   * Print and exit.
   *
   * @param out for standard output, ending in a newline unless it is empty
   * @param err for standard error, likewise
   */
  public record Exit(int status, String out, String err) implements Outcome {}

  /**
   * How the process behaves, which the configuration doesn't say.
   *
   * @param isForeground -D or -d
   * @param isInetd -i
   * @param logsToStderr -e or -d
   * @param debug how often -d was given
   * @param logFile the argument of -E, or null
   * @param hostKeysToMake the arguments of -h: those that aren't there are made
   */
  public record Manner(
      boolean isForeground,
      boolean isInetd,
      boolean logsToStderr,
      int debug,
      @Nullable String logFile,
      List<Path> hostKeysToMake) {}

  private final LocalSide local;
  private final AlgorithmNames algorithms;
  private final String version;
  private final Function<String, List<String>> groupsOf;

  /**
   * @param version the line that -V prints
   * @param groupsOf the groups of a user of this system, for -C; empty for one who doesn't exist
   */
  public ServerCommandLine(
      LocalSide local,
      AlgorithmNames algorithms,
      String version,
      Function<String, List<String>> groupsOf) {
    this.local = local;
    this.algorithms = algorithms;
    this.version = version;
    this.groupsOf = groupsOf;
  }

  /** Reads arguments and the file that they lead to. Never throws for bad input. */
  public Outcome read(String... args) {
    try {
      return args.length > 0 && args[0].startsWith("--") && args[0].length() > 2
          ? longOption(args)
          : new Reading().read(args);
    } catch (ConfigException e) {
      return failure(FAILURE, String.valueOf(e.getMessage()));
    } catch (InvalidPathException e) {
      return failure(FAILURE, "Bad path: " + e.getMessage());
    } catch (UnknownHostException e) {
      return failure(FAILURE, String.valueOf(e.getMessage()));
    } catch (UsageException e) {
      return failure(USAGE, String.valueOf(e.getMessage()));
    } catch (Getopt.BadFlagException e) {
      return failure(USAGE, e.getMessage() + "\n" + version + "\n" + usage());
    }
  }

  private static Exit failure(int status, String message) {
    return new Exit(status, "", message.endsWith("\n") ? message : message + "\n");
  }

  /** The command line itself is wrong. */
  private static final class UsageException extends Exception {
    private static final long serialVersionUID = 1L;

    UsageException(String message) {
      super(message);
    }
  }

  private Exit longOption(String... args) {
    return switch (args[0]) {
      case "--help" -> new Exit(0, usage(), "");
      case "--version" -> new Exit(0, version + "\n", "");
      case "--generate" -> {
        var page = args.length == 2 ? ServerPages.of(args[1]) : null;
        yield page == null
            ? failure(USAGE, "--generate takes one of " + ServerPages.NAMES)
            : new Exit(0, page, "");
      }
      default -> failure(USAGE, "unknown option " + args[0] + "\n" + usage());
    };
  }

  /** As sshd prints it: flags without an argument in one cluster, then those with one. */
  static String usage() {
    var cluster = new StringBuilder("[-");
    var pieces = new ArrayList<String>();
    for (var flag : ServerFlag.values()) {
      if (flag.argument() == null) {
        cluster.append(flag.letter());
      } else {
        pieces.add("[-%c %s]".formatted(flag.letter(), flag.argument()));
      }
    }
    pieces.addFirst(cluster.append(']').toString());
    var lines = new StringBuilder("usage: aditd");
    int column = lines.length();
    for (var piece : pieces) {
      if (column + 1 + piece.length() > WIDTH) {
        lines.append("\n           ");
        column = 11;
      }
      lines.append(' ').append(piece);
      column += 1 + piece.length();
    }
    return lines.append('\n').toString();
  }

  /** Where an account's own configuration is, which need not be there. */
  Path defaultFile() {
    if (local.uid() == 0) {
      return Path.of("/etc/adit/sshd_config");
    }
    var xdg = local.environment().get("XDG_CONFIG_HOME");
    var directory = xdg == null || xdg.isEmpty() ? local.home().resolve(".config") : Path.of(xdg);
    return directory.resolve("adit/sshd_config");
  }

  /** The state of one reading. */
  private final class Reading {
    private final ServerConfigReader reader = new ServerConfigReader(algorithms);
    private final List<Path> hostKeys = new ArrayList<>();
    private ConnectionFacts facts = ConnectionFacts.NOTHING;
    private @Nullable String configFile;
    private @Nullable String logFile;
    private boolean isForeground;
    private boolean isInetd;
    private boolean logsToStderr;
    private int debug;
    private boolean checks;
    private boolean prints;
    private boolean hasPort;

    Outcome read(String... args)
        throws ConfigException, UsageException, UnknownHostException, Getopt.BadFlagException {
      var letters = new LinkedHashMap<Character, Boolean>();
      for (var flag : ServerFlag.values()) {
        letters.put(flag.letter(), flag.argument() != null);
      }
      var found = Getopt.read(letters, List.of(args));
      for (var each : found.flags()) {
        var flag = Objects.requireNonNull(ServerFlag.of(each.letter()));
        if (flag == ServerFlag.VERSION) {
          return new Exit(0, "", version + "\n");
        }
        take(flag, Objects.requireNonNullElse(each.argument(), ""));
      }
      if (!found.rest().isEmpty()) {
        throw new UsageException("Extra argument %s.".formatted(found.rest().getFirst()));
      }
      if (debug > 0) {
        reader.override(
            ServerKeyword.LOG_LEVEL,
            debug == 1 ? LogLevel.DEBUG : debug == 2 ? LogLevel.DEBUG2 : LogLevel.DEBUG3);
      }
      var file = file();
      if (file != null) {
        reader.file(file);
      } else if (local.uid() != 0 && !hasPort) {
        reader.add(ServerKeyword.PORT, ServerConfig.UNPRIVILEGED_PORT);
      }
      var config = reader.build();
      if (prints || checks) {
        // As sshd: what is shown is what holds for a connection, if only for an unknown one.
        return new Check(
            config, prints ? ServerConfigDump.of(config.forConnection(facts)) : "", config.notes());
      }
      return new Serve(
          config,
          new Manner(
              isForeground || debug > 0,
              isInetd,
              logsToStderr || debug > 0,
              debug,
              logFile,
              List.copyOf(hostKeys)),
          file,
          config.notes());
    }

    private @Nullable Path file() throws UsageException {
      if (configFile == null) {
        var file = defaultFile();
        return Files.exists(file) ? file : null;
      }
      if (configFile.equalsIgnoreCase("none")) {
        return null;
      }
      var file = Path.of(configFile);
      if (!Files.exists(file)) {
        throw new UsageException(configFile + ": No such file or directory");
      }
      return file;
    }

    private void take(ServerFlag flag, String argument) throws ConfigException, UsageException {
      switch (flag) {
        case IPV4 -> reader.add(ServerKeyword.ADDRESS_FAMILY, "inet");
        case IPV6 -> reader.add(ServerKeyword.ADDRESS_FAMILY, "inet6");
        case FACTS -> facts = facts(argument);
        case CERTIFICATE -> option("HostCertificate=" + argument);
        case FOREGROUND -> isForeground = true;
        case DEBUG -> debug = Math.min(debug + 1, 3);
        case LOG_FILE -> logFile = argument;
        case STDERR -> logsToStderr = true;
        case CONFIG -> configFile = argument;
        case GRACE_TIME -> {
          try {
            reader.add(ServerKeyword.LOGIN_GRACE_TIME, Values.seconds(argument));
          } catch (ConfigException e) {
            throw new UsageException("Invalid login grace time.");
          }
        }
        case HOST_KEY -> {
          reader.hostKey(argument);
          hostKeys.add(Path.of(argument).toAbsolutePath().normalize());
        }
        case INETD -> isInetd = true;
        case OPTION -> option(argument);
        case PORT -> {
          hasPort = true;
          try {
            reader.port(argument);
          } catch (ConfigException e) {
            throw new UsageException(String.valueOf(e.getMessage()));
          }
        }
        case QUIET -> reader.add(ServerKeyword.LOG_LEVEL, LogLevel.QUIET);
        case SHOW_CONFIG, SHOW_AND_CHECK -> prints = true;
        case CHECK -> checks = true;
        case NAME_LENGTH, VERSION -> {
          // Nothing, or dealt with.
        }
      }
    }

    private void option(String line) throws ConfigException, UsageException {
      var problem = reader.option(line);
      if (problem != null) {
        throw new UsageException(problem);
      }
    }

    private ConnectionFacts facts(String spec) throws UsageException {
      var old = facts;
      String user = old.user();
      String host = old.host();
      String address = old.address();
      String localAddress = old.localAddress();
      String routingDomain = old.routingDomain();
      int localPort = old.localPort();
      for (var part : spec.split(",", -1)) {
        int equals = part.indexOf('=');
        var value = part.substring(equals + 1);
        switch (equals < 0 ? "" : part.substring(0, equals)) {
          case "user" -> user = value;
          case "host" -> host = value;
          case "addr" -> address = value;
          case "laddr" -> localAddress = value;
          case "rdomain" -> routingDomain = value;
          case "lport" -> {
            try {
              localPort = Values.parsePort(value);
            } catch (ConfigException e) {
              throw new UsageException(
                  "Invalid port '%s' in test mode specification %s".formatted(value, part));
            }
          }
          default -> throw new UsageException("Invalid test mode specification " + part);
        }
      }
      return new ConnectionFacts(
          user,
          user == null ? List.of() : groupsOf.apply(user),
          host,
          address,
          localAddress,
          localPort,
          routingDomain);
    }
  }
}
