package dev.adit;

import dev.adit.cli.Background;
import dev.adit.cli.ServerCommandLine;
import dev.adit.config.LocalSide;
import dev.adit.config.StandardAlgorithms;
import dev.adit.gateway.Gateway;
import dev.adit.gateway.HostKeys;
import dev.adit.gateway.SystemGroups;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** The gateway, {@code aditd}. */
public final class Aditd {
  /** sshd's exit status where no host key can be used. */
  private static final int NO_HOST_KEYS = 1;

  private Aditd() {}

  static void main(String[] args) {
    System.exit(run(args));
  }

  /** Runs the gateway with the arguments of a command line; returns the exit status. */
  public static int run(String... args) {
    var commandLine =
        new ServerCommandLine(
            LocalSide.ofProcess(),
            StandardAlgorithms.ofServer(),
            "aditd " + Version.of(),
            SystemGroups::of);
    return switch (commandLine.read(args)) {
      case ServerCommandLine.Exit exit -> {
        System.out.print(exit.out());
        System.out.flush();
        System.err.print(exit.err());
        yield exit.status();
      }
      case ServerCommandLine.Check check -> check(check);
      case ServerCommandLine.Serve serve -> serve(serve, commandLine, args);
    };
  }

  /** As sshd -t and -T: keys that can't be read are told; without any, nothing would work. */
  private static int check(ServerCommandLine.Check check) {
    check.warnings().forEach(System.err::println);
    var keys = HostKeys.load(check.config(), null, stateFolder());
    keys.problems().forEach(System.err::println);
    if (keys.keys().isEmpty() && keys.news().isEmpty()) {
      System.err.println("aditd: no hostkeys available -- exiting.");
      return NO_HOST_KEYS;
    }
    System.out.print(check.out());
    System.out.flush();
    return 0;
  }

  private static int serve(
      ServerCommandLine.Serve serve, ServerCommandLine commandLine, String... args) {
    serve.warnings().forEach(System.err::println);
    var manner = serve.manner();
    if (!manner.isForeground() && !manner.isInetd() && !Background.isChild()) {
      try {
        return Background.spawnAndWait(Aditd.class, List.of(args));
      } catch (IOException e) {
        System.err.println("aditd: " + e.getMessage());
        return ServerCommandLine.FAILURE;
      }
    }
    return new Gateway(serve, stateFolder(), () -> commandLine.read(args)).run();
  }

  private static Path stateFolder() {
    var local = LocalSide.ofProcess();
    return HostKeys.stateFolder(
        local.uid(), local.home(), local.environment().get("XDG_STATE_HOME"));
  }
}
