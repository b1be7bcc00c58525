package dev.adit.interop;

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

  private static Program launcher(String name, Path home, Object... arguments) {
    return Program.of(Repository.root().resolve(name))
        .arguments(arguments)
        .env("HOME", home)
        .directory(home);
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
