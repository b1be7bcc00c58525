package dev.adit.config;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The machine and the account on which the client runs, as far as a configuration can ask for them.
 *
 * @param user the local user's name
 * @param uid the local user's number
 * @param home the home directory; {@code ~} stands for it
 * @param environment the environment variables
 * @param systemConfig usually /etc/ssh/ssh_config; its directory is where its includes are
 * @param names looks names up, for CanonicalizeHostname
 * @param shell runs the commands of {@code Match exec}
 */
public record LocalSide(
    String user,
    long uid,
    Path home,
    Map<String, String> environment,
    Path systemConfig,
    NameLookup names,
    Shell shell) {

  /** Runs a command with the user's shell and waits for its end. */
  @FunctionalInterface
  public interface Shell {
    /**
     * Returns the exit status.
     *
     * @throws IOException when it could not be run
     */
    int run(String command) throws IOException, InterruptedException;
  }

  /** What CanonicalizeHostname needs of a resolver. */
  @FunctionalInterface
  public interface NameLookup {
    /** The canonical name of a host that exists: itself, or where its CNAMEs lead. */
    Optional<String> canonicalName(String host);
  }

  /** Where most systems have it. */
  public static final Path SYSTEM_CONFIG = Path.of("/etc/ssh/ssh_config");

  /** This machine and this process' account. */
  public static LocalSide ofProcess() {
    return new LocalSide(
        System.getProperty("user.name"),
        processUid(),
        Path.of(System.getProperty("user.home")),
        System.getenv(),
        SYSTEM_CONFIG,
        LocalSide::systemLookup,
        LocalSide::runWithShell);
  }

  private static long processUid() {
    try {
      return ((Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid")).longValue();
    } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
      return -1;
    }
  }

  /** getaddrinfo alone: it follows CNAMEs, but only a search of our own could name the last one. */
  private static Optional<String> systemLookup(String host) {
    try {
      return Optional.of(InetAddress.getByName(host).getHostName());
    } catch (UnknownHostException e) {
      return Optional.empty();
    }
  }

  private static int runWithShell(String command) throws IOException, InterruptedException {
    var shell = System.getenv("SHELL");
    var process =
        new ProcessBuilder(shell == null || shell.isEmpty() ? "/bin/sh" : shell, "-c", command)
            .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    return process.waitFor();
  }

  /** {@code ~/.ssh}. */
  public Path sshDirectory() {
    return home.resolve(".ssh");
  }

  /** This machine's name as gethostname(2) has it. */
  public String hostName() {
    try {
      var name = Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
      if (!name.isEmpty()) {
        return name;
      }
    } catch (IOException e) {
      // Not Linux: ask the library, at the price of a look-up.
    }
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "localhost";
    }
  }

  /**
   * A path with {@code ~} and {@code ~user} replaced.
   *
   * @throws ConfigException when there is no such user
   */
  String expandTilde(String path) throws ConfigException {
    if (!path.startsWith("~")) {
      return path;
    }
    int slash = path.indexOf('/');
    var name = slash < 0 ? path.substring(1) : path.substring(1, slash);
    var rest = slash < 0 ? "" : path.substring(slash);
    var directory = name.isEmpty() ? home.toString() : homeOf(name);
    if (directory == null) {
      throw new ConfigException("tilde_expand: No such user " + name);
    }
    return directory + rest;
  }

  private static @Nullable String homeOf(String name) {
    try (var lines = Files.lines(Path.of("/etc/passwd"))) {
      return lines
          .map(line -> line.split(":", -1))
          .filter(fields -> fields.length > 5 && fields[0].equals(name))
          .map(fields -> fields[5])
          .findFirst()
          .orElse(null);
    } catch (IOException e) {
      return null;
    }
  }

  /** The machine's name up to the first dot. */
  String shortHostName() {
    var name = hostName();
    int dot = name.indexOf('.');
    return dot < 0 ? name : name.substring(0, dot);
  }
}
