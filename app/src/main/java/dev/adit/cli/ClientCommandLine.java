package dev.adit.cli;

import dev.adit.config.AlgorithmNames;
import dev.adit.config.ClientOptions;
import dev.adit.config.CommandLine;
import dev.adit.config.ConfigDump;
import dev.adit.config.ConfigException;
import dev.adit.config.Keyword;
import dev.adit.config.LocalSide;
import dev.adit.config.OptionsResolver;
import dev.adit.ssh.BadSpecException;
import dev.adit.ssh.Destination;
import dev.adit.ssh.ForwardSpec;
import dev.adit.ssh.Target;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Reads the command line of {@code adit} as getopt(3) and ssh(1) do: flags may be clustered and
 * have their arguments attached, and may stand before and behind the destination; what follows is
 * the command. The first {@code --} ends the flags.
 *
 * <p>The order of the flags counts ({@code -p} and {@code -o Port} are the same setting, and the
 * first one wins), so they are kept in the order in which they stand.
 */
public final class ClientCommandLine {
  /** What ssh exits with when it could not do its work. */
  public static final int FAILURE = 255;

  /** What the command line asks for. */
  public sealed interface Outcome {}

  /**
   * Connect.
   *
   * @param warnings lines for standard error
   */
  public record Connect(ClientOptions options, List<String> warnings) implements Outcome {}

  /**
   * Print and exit.
   *
   * @param out for standard output, ending in a newline unless it is empty
   * @param err for standard error, likewise
   */
  public record Exit(int status, String out, String err) implements Outcome {}

  private final LocalSide local;
  private final AlgorithmNames algorithms;
  private final String version;

  /**
   * @param version the line that -V prints
   */
  public ClientCommandLine(LocalSide local, AlgorithmNames algorithms, String version) {
    this.local = local;
    this.algorithms = algorithms;
    this.version = version;
  }

  /** Reads arguments and the configuration files that they lead to. Never throws for bad input. */
  public Outcome read(String... args) {
    try {
      return new Reading().read(args);
    } catch (BadSpecException e) {
      return failure(e.headline() + "\n" + e.pointer());
    } catch (ConfigException e) {
      return failure(Objects.toString(e.getMessage()));
    } catch (InvalidPathException e) {
      return failure("Bad path: " + e.getMessage());
    } catch (UsageException e) {
      return failure(e.getMessage() + (e.showsUsage ? "\n" + Usage.text() : ""));
    }
  }

  private static Exit failure(String message) {
    return new Exit(FAILURE, "", message.endsWith("\n") ? message : message + "\n");
  }

  /** The command line itself is wrong. */
  private static final class UsageException extends Exception {
    private static final long serialVersionUID = 1L;
    final boolean showsUsage;

    UsageException(String message, boolean showsUsage) {
      super(message);
      this.showsUsage = showsUsage;
    }
  }

  /** A flag as it stood on the command line. */
  private record Given(Flag flag, @Nullable String argument) {
    String text() {
      return Objects.requireNonNull(argument);
    }
  }

  /** The state of one reading. */
  private final class Reading {
    private final List<Given> given = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();
    private final List<String> command = new ArrayList<>();
    private final OptionsResolver resolver = new OptionsResolver(local, algorithms);
    private @Nullable String destination;
    private @Nullable String configFile;
    private @Nullable String logFile;
    private Target.@Nullable Tcp stdioForward;
    private boolean showsConfig;
    private boolean hasJump;

    Outcome read(String... args) throws ConfigException, UsageException {
      if (args.length > 0 && args[0].startsWith("--") && args[0].length() > 2) {
        return Usage.longOption(version, args);
      }
      part(args);
      for (var each : given) {
        var missing = each.flag().missing();
        if (missing != null) {
          throw new UsageException(missing + " is not there yet", false);
        }
        switch (each.flag()) {
          case VERSION -> {
            return new Exit(0, "", version + "\n");
          }
          case QUERY -> {
            return query(each.text());
          }
          default -> take(each);
        }
      }
      var host = destination;
      if (host == null) {
        throw new UsageException(Usage.text(), false);
      }
      var commandLine =
          new CommandLine(Destination.parse(host), command, configFile, logFile, stdioForward);
      var options = resolver.resolve(commandLine);
      return showsConfig
          ? new Exit(
              0,
              ConfigDump.of(options),
              String.join("", warnings.stream().map(w -> w + "\n").toList()))
          : new Connect(options, List.copyOf(warnings));
    }

    /**
     * Parts the arguments into flags, destination and command. As in ssh, flags may also stand
     * behind the destination, unless {@code --} has ended them.
     */
    private void part(String... args) throws UsageException {
      var rest = flags(List.of(args));
      if (rest.isEmpty()) {
        return;
      }
      destination = rest.getFirst();
      int before = args.length - rest.size();
      rest = rest.subList(1, rest.size());
      boolean flagsEnded = before > 0 && args[before - 1].equals("--");
      command.addAll(flagsEnded ? rest : flags(rest));
    }

    /** Reads the flags up to the first argument that is none, and returns what is left. */
    private List<String> flags(List<String> args) throws UsageException {
      var letters = new LinkedHashMap<Character, Boolean>();
      for (var flag : Flag.values()) {
        letters.put(flag.letter(), flag.argument() != null);
      }
      try {
        var found = Getopt.read(letters, args);
        for (var each : found.flags()) {
          given.add(new Given(Objects.requireNonNull(Flag.of(each.letter())), each.argument()));
        }
        return found.rest();
      } catch (Getopt.BadFlagException e) {
        throw new UsageException(e.getMessage(), true);
      }
    }

    private void take(Given each) throws ConfigException, UsageException {
      switch (each.flag()) {
        case IPV4 -> resolver.override(Keyword.ADDRESS_FAMILY, "inet");
        case IPV6 -> resolver.override(Keyword.ADDRESS_FAMILY, "inet6");
        case AGENT -> resolver.override(Keyword.FORWARD_AGENT, "yes");
        case NO_AGENT -> resolver.override(Keyword.FORWARD_AGENT, "no");
        case BIND_ADDRESS -> resolver.override(Keyword.BIND_ADDRESS, each.text());
        case COMPRESS -> resolver.override(Keyword.COMPRESSION, true);
        case CIPHERS -> algorithms(Keyword.CIPHERS, each.text(), "Unknown cipher type");
        case MACS -> algorithms(Keyword.MACS, each.text(), "Unknown mac type");
        case DYNAMIC ->
            resolver.add(Keyword.DYNAMIC_FORWARD, ForwardSpec.parseDynamic(each.text()));
        case LOCAL -> resolver.add(Keyword.LOCAL_FORWARD, ForwardSpec.parseLocal(each.text()));
        case REMOTE -> resolver.add(Keyword.REMOTE_FORWARD, ForwardSpec.parseRemote(each.text()));
        case LOG_FILE -> logFile = each.text();
        case ESCAPE -> escape(each.text());
        case CONFIG -> configFile = each.text();
        case FORK -> {
          resolver.override(Keyword.FORK_AFTER_AUTHENTICATION, true);
          resolver.override(Keyword.STDIN_NULL, true);
        }
        case SHOW_CONFIG -> showsConfig = true;
        case GATEWAY -> resolver.override(Keyword.GATEWAY_PORTS, true);
        case IDENTITY -> identity(each.text());
        case JUMP -> jump(each.text());
        case LOGIN -> resolver.add(Keyword.USER, each.text());
        case NO_COMMAND -> {
          resolver.override(Keyword.SESSION_TYPE, "none");
          resolver.override(Keyword.REQUEST_TTY, "false");
        }
        case NO_STDIN -> resolver.override(Keyword.STDIN_NULL, true);
        case OPTION -> resolver.option(each.text());
        case TAG -> resolver.add(Keyword.TAG, each.text());
        case PORT -> port(each.text());
        case QUIET -> resolver.override(Keyword.LOG_LEVEL, ClientOptions.LogLevel.QUIET);
        case CONTROL_PATH -> resolver.override(Keyword.CONTROL_PATH, each.text());
        case SUBSYSTEM -> resolver.override(Keyword.SESSION_TYPE, "subsystem");
        case NO_TTY -> resolver.override(Keyword.REQUEST_TTY, "false");
        case TTY ->
            resolver.override(
                Keyword.REQUEST_TTY,
                "true".equals(resolver.value(Keyword.REQUEST_TTY)) ? "force" : "true");
        case VERBOSE -> verbose();
        case STDIO -> {
          if (stdioForward != null) {
            throw new UsageException("stdio forward already specified", false);
          }
          stdioForward = Target.parseHostPort(each.text());
          resolver.override(Keyword.SESSION_TYPE, "none");
          resolver.override(Keyword.REQUEST_TTY, "false");
        }
        case NO_GSSAPI, NO_X11 -> {
          // Never on.
        }
        // Those that end the reading, and those that are not there, have been dealt with.
        case VERSION,
            QUERY,
            BIND_INTERFACE,
            PKCS11,
            GSSAPI,
            MASTER,
            CONTROL,
            TUNNEL,
            X11,
            TRUSTED_X11,
            SYSLOG ->
            throw new IllegalStateException("flag " + each.flag());
      }
    }

    private void algorithms(Keyword keyword, String list, String complaint) throws UsageException {
      try {
        resolver.option(keyword.text() + "=" + list);
      } catch (ConfigException e) {
        throw new UsageException("%s '%s'".formatted(complaint, list), false);
      }
    }

    private void escape(String text) throws UsageException {
      try {
        resolver.option("EscapeChar=\"" + text + "\"");
      } catch (ConfigException e) {
        throw new UsageException("Bad escape character '%s'.".formatted(text), false);
      }
    }

    private void identity(String name) throws ConfigException {
      var path = resolver.expandTilde(name);
      if (!Files.exists(Path.of(path))) {
        warnings.add(
            "Warning: Identity file %s not accessible: No such file or directory.".formatted(path));
        return;
      }
      resolver.add(Keyword.IDENTITY_FILE, path);
    }

    private void jump(String hops) throws UsageException {
      if (hasJump) {
        throw new UsageException(
            "Only a single -J option is permitted (use commas to separate multiple jump hops)",
            false);
      }
      if (resolver.value(Keyword.PROXY_COMMAND) != null) {
        throw new UsageException("Cannot specify -J with ProxyCommand", false);
      }
      hasJump = true;
      resolver.add(Keyword.PROXY_JUMP, Destination.parseJumps(hops));
    }

    private void port(String text) throws UsageException {
      try {
        resolver.option("Port=" + text);
      } catch (ConfigException e) {
        throw new UsageException("Bad port '%s'".formatted(text), false);
      }
    }

    private void verbose() {
      var level = resolver.value(Keyword.LOG_LEVEL);
      resolver.override(
          Keyword.LOG_LEVEL,
          level == ClientOptions.LogLevel.DEBUG
              ? ClientOptions.LogLevel.DEBUG2
              : level == ClientOptions.LogLevel.DEBUG2 || level == ClientOptions.LogLevel.DEBUG3
                  ? ClientOptions.LogLevel.DEBUG3
                  : ClientOptions.LogLevel.DEBUG);
    }

    private Exit query(String what) throws UsageException {
      var answer = AlgorithmQuery.answer(what, algorithms);
      if (answer == null) {
        throw new UsageException("Unsupported query \"%s\"".formatted(what), false);
      }
      return new Exit(0, String.join("\n", answer) + "\n", "");
    }
  }
}
