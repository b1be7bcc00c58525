package dev.adit.interop;

import static java.util.stream.Collectors.joining;

import dev.adit.interop.Keys.KeyFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Debian's sshd on a free loopback port, with a configuration, host keys and authorized keys of the
 * test's own. It knows nothing of the machine's own sshd and ends with the test.
 */
final class OpenSshServer implements AutoCloseable {
  private final Scratch scratch;
  private final Program.Running sshd;
  private final Path log;
  private final int port;

  private OpenSshServer(Scratch scratch, Program.Running sshd, Path log, int port) {
    this.scratch = scratch;
    this.sshd = sshd;
    this.log = log;
    this.port = port;
  }

  /** With every type of host key and these further lines of sshd_config. */
  static OpenSshServer start(String... configLines) {
    return start(List.of(Keys.Type.values()), configLines);
  }

  /**
   * sshd takes a keyword's first value, so the lines given here win over those that stand here.
   *
   * @param hostKeys the types of host keys that the server has
   */
  static OpenSshServer start(List<Keys.Type> hostKeys, String... configLines) {
    Path program = Judges.require("sshd");
    makePrivilegeSeparationDirectory();
    var scratch = new Scratch();
    scratch.write("authorized_keys", Keys.shared(Keys.Type.ED25519).publicLine() + "\n");
    // The port may be taken between the look and the bind: then another one.
    for (int attempt = 1; ; attempt++) {
      int port = Ports.free();
      Path config = scratch.write("sshd_config", config(scratch, port, hostKeys, configLines));
      Path log = scratch.path("sshd.log");
      Program.Running sshd = Program.of(program, "-D", "-f", config, "-E", log).noStdin().start();
      try {
        sshd.awaitListening(port);
        return new OpenSshServer(scratch, sshd, log, port);
      } catch (AssertionError e) {
        sshd.close();
        if (attempt == 3 || !read(log).contains("Address already in use")) {
          String text = Files.exists(log) ? read(log) : "";
          scratch.close();
          throw new AssertionError(e.getMessage() + "\n" + text, e);
        }
      }
    }
  }

  private static String config(
      Scratch scratch, int port, List<Keys.Type> hostKeys, String... configLines) {
    List<String> lines = new ArrayList<>(Arrays.asList(configLines));
    // A Match block runs to the end of the file, so ours must stand before it.
    int match = 0;
    while (match < lines.size() && !lines.get(match).startsWith("Match ")) {
      match++;
    }
    List<String> ours = new ArrayList<>();
    for (Keys.Type type : hostKeys) {
      ours.add("HostKey " + Keys.shared(type).path());
    }
    ours.addAll(
        List.of(
            "Port " + port,
            "ListenAddress 127.0.0.1",
            "ListenAddress ::1",
            "PidFile none",
            "LogLevel DEBUG1",
            "AuthorizedKeysFile " + scratch.path("authorized_keys"),
            "StrictModes no",
            "UsePAM no",
            "UseDNS no",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin yes",
            // Tests connect quickly and many at once: no random early drop.
            "MaxStartups 1000",
            "MaxSessions 1000",
            "PrintMotd no",
            "AcceptEnv LANG LC_* ADIT_*",
            "Subsystem sftp internal-sftp"));
    lines.addAll(match, ours);
    return String.join("\n", lines) + "\n";
  }

  /** Where sshd, run as root, locks itself in before login. Debian's init script makes it. */
  private static void makePrivilegeSeparationDirectory() {
    if (System.getProperty("user.name").equals("root")) {
      try {
        Files.createDirectories(Path.of("/run/sshd"));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  int port() {
    return port;
  }

  /** The account that the tests run as: {@link #userKey} lets it in. */
  String user() {
    return System.getProperty("user.name");
  }

  /** A private key that the server accepts. */
  Path userKey() {
    return Keys.shared(Keys.Type.ED25519).path();
  }

  KeyFile hostKey(Keys.Type type) {
    return Keys.shared(type);
  }

  /** Adds a line to the server's authorized_keys: a public key, with or without options. */
  void authorize(String line) {
    try {
      Files.writeString(
          scratch.path("authorized_keys"), line.strip() + "\n", StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Replaces the server's authorized_keys. */
  void authorizeOnly(String... lines) {
    scratch.write("authorized_keys", String.join("\n", lines) + "\n");
  }

  /** The lines of a known_hosts file that knows this server by all of its names and keys. */
  String knownHostsLines() {
    return Arrays.stream(Keys.Type.values())
        .map(type -> Keys.shared(type).publicLine())
        .map(key -> "[localhost]:%1$d,[127.0.0.1]:%1$d,[::1]:%1$d %2$s%n".formatted(port, key))
        .collect(joining());
  }

  /** A known_hosts file that knows this server. */
  Path knownHosts() {
    return scratch.write("known_hosts", knownHostsLines());
  }

  /** A directory that goes when the server goes. */
  Scratch scratch() {
    return scratch;
  }

  long pid() {
    return sshd.pid();
  }

  /** What sshd has logged so far. */
  String log() {
    return read(log);
  }

  /** Waits until sshd has logged a match. */
  void awaitLog(String regex) {
    var pattern = Pattern.compile(regex, Pattern.MULTILINE);
    Ports.await("\"" + regex + "\" in sshd's log", () -> pattern.matcher(log()).find());
  }

  private static String read(Path log) {
    try {
      return Files.readString(log);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Ends sshd and every connection that it serves, at once. */
  @Override
  public void close() {
    sshd.close();
    scratch.close();
  }
}
