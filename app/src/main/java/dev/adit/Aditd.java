package dev.adit;

import dev.adit.cli.ServerCommandLine;
import dev.adit.config.LocalSide;
import dev.adit.config.StandardAlgorithms;
import dev.adit.gateway.SystemGroups;

/** The gateway, {@code aditd}. */
public final class Aditd {
  private Aditd() {}

  static void main(String[] args) {
    System.exit(run(args));
  }

  /** Runs the gateway with the arguments of a command line; returns the exit status. */
  public static int run(String... args) {
    var commandLine =
        new ServerCommandLine(
            LocalSide.ofProcess(),
            new StandardAlgorithms(),
            "aditd " + Version.of(),
            SystemGroups::of);
    return switch (commandLine.read(args)) {
      case ServerCommandLine.Exit exit -> {
        System.out.print(exit.out());
        System.out.flush();
        System.err.print(exit.err());
        yield exit.status();
      }
      case ServerCommandLine.Check check -> {
        check.warnings().forEach(System.err::println);
        System.out.print(check.out());
        System.out.flush();
        yield 0;
      }
      case ServerCommandLine.Serve _ -> {
        System.err.println("aditd: the gateway does not serve yet; -t and -T work");
        yield ServerCommandLine.FAILURE;
      }
    };
  }
}
