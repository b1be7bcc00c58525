package dev.adit.interop;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;

/** The real {@code ./adit} and {@code ./aditd}, as a user starts them. */
final class AditProcess {
  private AditProcess() {}

  /**
   * {@code adit} with these arguments, with a home directory of its own.
   *
   * @param home what the program takes for the user's home: ~/.ssh is looked for there
   */
  static Program adit(Path home, Object... arguments) {
    return launcher("adit", home, arguments);
  }

  /** {@code aditd} with these arguments. */
  static Program aditd(Path home, Object... arguments) {
    return launcher("aditd", home, arguments);
  }

  /** The launcher builds the program once for its sources, which no test's patience covers. */
  private static final class Built {
    static {
      try {
        new ProcessBuilder(Repository.root().resolve("adit").toString(), "-V")
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectErrorStream(true)
            .start()
            .waitFor();
      } catch (IOException | InterruptedException e) {
        throw new AssertionError(e);
      }
    }

    static Path launcher(String name) {
      return Repository.root().resolve(name);
    }
  }

  /** The path of {@code adit} or {@code aditd}, built. */
  static Path path(String name) {
    return Built.launcher(name);
  }

  private static Program launcher(String name, Path home, Object... arguments) {
    return Program.of(path(name)).arguments(arguments).env("HOME", home).directory(home);
  }

  /** The flags with which {@code adit} or {@code ssh} reaches the server without a question. */
  static Object[] to(OpenSshServer server, Object... more) {
    Object[] flags = {
      "-F", "none",
      "-p", server.port(),
      "-i", server.userKey(),
      "-o", "IdentitiesOnly=yes",
      "-o", "UserKnownHostsFile=" + server.knownHosts(),
      "-o", "GlobalKnownHostsFile=/dev/null",
      "-o", "StrictHostKeyChecking=yes",
      "-o", "BatchMode=yes",
      "-l", server.user(),
    };
    return Stream.of(flags, more).flatMap(Arrays::stream).toArray();
  }
}
