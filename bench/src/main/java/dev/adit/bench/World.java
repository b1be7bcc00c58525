package dev.adit.bench;

import dev.adit.bench.peer.LoadTarget;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * What all programs of a run share: a temporary directory with keys and logs, and the target that
 * tunnels lead to.
 */
final class World implements AutoCloseable {
  private final Path root;
  private final Path dir;
  private final Target target;

  /**
   * @param root of the clone, where the launchers are
   */
  World(Path root) throws IOException, InterruptedException {
    this.root = root;
    dir =
        Files.createTempDirectory(
            "adit-bench",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    keygen("host_key");
    keygen("user_key");
    Files.copy(dir.resolve("user_key.pub"), authorizedKeys());
    Files.writeString(
        knownHosts(), "bench-server " + Files.readString(dir.resolve("host_key.pub")));
    int port = freePort();
    target = new Target(java("target", LoadTarget.class, Integer.toString(port)), port);
  }

  private void keygen(String name) throws IOException, InterruptedException {
    String file = dir.resolve(name).toString();
    Process keygen =
        new ProcessBuilder("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file)
            .inheritIO()
            .start();
    if (keygen.waitFor() != 0) {
      throw new IOException("ssh-keygen failed");
    }
  }

  Path launcher(String name) {
    return root.resolve(name);
  }

  Path hostKey() {
    return dir.resolve("host_key");
  }

  Path userKey() {
    return dir.resolve("user_key");
  }

  Path authorizedKeys() {
    return dir.resolve("authorized_keys");
  }

  /** Has the host key under the name {@code bench-server}. */
  Path knownHosts() {
    return dir.resolve("known_hosts");
  }

  String user() {
    return System.getProperty("user.name");
  }

  Target target() {
    return target;
  }

  /** A file in the directory of the run. */
  Path file(String name) {
    return dir.resolve(name);
  }

  /** Starts a program that isn't ours. */
  Program start(String name, List<String> command) throws IOException {
    return new Program(command, file(name + ".log"));
  }

  /** Starts one of the programs in {@code dev.adit.bench.peer}. */
  Program java(String name, Class<?> main, String... args) throws IOException {
    return start(name, javaCommand(main, Arrays.asList(args)));
  }

  /** Its command: the Java, the class path and the native libraries of the benchmark itself. */
  List<String> javaCommand(Class<?> main, List<String> args) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-XX:MaxDirectMemorySize=4g"));
    command.add("--sun-misc-unsafe-memory-access=allow");
    for (String property :
        List.of(
            "java.library.path",
            "com.amazon.corretto.crypto.provider.useExternalLib",
            "slf4j.provider",
            "slf4j.internal.verbosity")) {
      String value = System.getProperty(property);
      if (value != null) {
        command.add("-D" + property + "=" + value);
      }
    }
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    command.addAll(args);
    return command;
  }

  static int freePort() throws IOException {
    try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return probe.getLocalPort();
    }
  }

  /** Keys, logs and all. */
  @Override
  public void close() throws IOException {
    target.close();
    try (Stream<Path> files = Files.walk(dir)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
