package dev.adit;

import dev.adit.cli.Background;
import dev.adit.cli.ClientCommandLine;
import dev.adit.client.Client;
import dev.adit.client.Logs;
import dev.adit.config.ClientOptions;
import dev.adit.config.ClientOptions.LogLevel;
import dev.adit.config.LocalSide;
import dev.adit.config.StandardAlgorithms;
import dev.adit.demo.Demo;
import dev.adit.explain.Explain;
import dev.adit.explain.Screen;
import dev.adit.ssh.SshClient;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.slf4j.LoggerFactory;
import sun.misc.Signal;

/** The client, {@code adit}. */
public final class Adit {
  /** -f, -G, -Q and -V, also behind other flags without a value, and long options. */
  private static final Pattern OTHERS =
      Pattern.compile("-[46AaCgKkMNnqsTtvXxYy]*[fGQV].*|--.+", Pattern.DOTALL);

  private Adit() {}

  static void main(String[] args) {
    System.exit(run(args));
  }

  /** Runs the client with the arguments of a command line; returns the exit status. */
  public static int run(String... args) {
    if (args.length > 0 && args[0].equals("explain")) {
      return explain(Arrays.copyOfRange(args, 1, args.length));
    }
    if (args.length > 0 && args[0].equals("demo")) {
      return demo(List.of(args).subList(1, args.length));
    }
    // Before there are threads: SLF4J complains of those that log while another one sets it up.
    LoggerFactory.getILoggerFactory();
    boolean prepared = Background.isChild() || willProbablyConnect(args);
    if (prepared) {
      SshClient.prepare();
    }
    ClientCommandLine commandLine =
        new ClientCommandLine(
            LocalSide.ofProcess(), new StandardAlgorithms(), "adit " + Version.of());
    return switch (commandLine.read(args)) {
      case ClientCommandLine.Exit exit -> print(exit);
      case ClientCommandLine.Connect connect -> connect(connect, commandLine, prepared, args);
    };
  }

  /**
   * Not if it asks for the version, say, nor with -f, where this process only waits for its child.
   */
  private static boolean willProbablyConnect(String... args) {
    return args.length > 0 && Arrays.stream(args).noneMatch(arg -> OTHERS.matcher(arg).matches());
  }

  private static int explain(String... args) {
    return print(
        new Explain(
                LocalSide.ofProcess(),
                new StandardAlgorithms(),
                "adit " + Version.of(),
                Screen.ofProcess(System.getenv()))
            .run(args));
  }

  private static int demo(List<String> arguments) {
    try {
      Logs.configure(LogLevel.ERROR, null);
      return Demo.run(System.out, System.err, Screen.ofProcess(System.getenv()), arguments);
    } catch (IOException e) {
      System.err.println("adit: " + e.getMessage());
      return ClientCommandLine.FAILURE;
    } finally {
      Logs.flush();
    }
  }

  private static int print(ClientCommandLine.Exit exit) {
    System.out.print(exit.out());
    System.out.flush();
    System.err.print(exit.err());
    return exit.status();
  }

  private static int connect(
      ClientCommandLine.Connect connect,
      ClientCommandLine commandLine,
      boolean prepared,
      String... args) {
    ClientOptions options = connect.options();
    try {
      connect.warnings().forEach(System.err::println);
      if (options.forkAfterAuthentication() && !Background.isChild()) {
        return Background.spawnAndWait(Adit.class, List.of(args));
      }
      endOnSignals();
      Logs.configure(options.logLevel(), options.logFile());
      if (!prepared) {
        SshClient.prepare();
      }
      options.notes().forEach(LoggerFactory.getLogger(Adit.class)::debug);
      return new Client(options, commandLine).run();
    } catch (IOException e) {
      System.err.println("adit: " + e.getMessage());
      return ClientCommandLine.FAILURE;
    } catch (InterruptedException e) {
      return ClientCommandLine.FAILURE;
    } finally {
      Logs.flush();
    }
  }

  /** As ssh: a signal ends the connection and the program, with 255 and, at {@code -v}, a word. */
  private static void endOnSignals() {
    for (String name : List.of("INT", "TERM", "HUP")) {
      Signal.handle(
          new Signal(name),
          signal -> {
            LoggerFactory.getLogger(Adit.class).debug("Killed by signal {}.", signal.getNumber());
            Logs.flush();
            System.exit(ClientCommandLine.FAILURE);
          });
    }
  }
}
