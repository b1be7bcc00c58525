package dev.adit.interop;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The real {@code ./aditd} on a free loopback port, with a configuration, host keys and authorized
 * keys of the test's own. It logs to standard error and ends with the test.
 */
final class AditdServer implements AutoCloseable {
  private final Scratch scratch;
  private final Program.Running aditd;
  private final int port;

  private AditdServer(Scratch scratch, Program.Running aditd, int port) {
    this.scratch = scratch;
    this.aditd = aditd;
    this.port = port;
    // Once: a client may be reading it when the next one is started.
    scratch.write(
        "known_hosts",
        "[localhost]:%1$d,[127.0.0.1]:%1$d,[::1]:%1$d %2$s%n"
            .formatted(port, Keys.shared(Keys.Type.ED25519).publicLine()));
  }

  /** With an Ed25519 host key and these further lines of sshd_config, which win over those here. */
  static AditdServer start(String... configLines) {
    return start(List.of(Keys.Type.ED25519), configLines);
  }

  /**
   * @param hostKeys the types of host keys that the server has
   */
  static AditdServer start(List<Keys.Type> hostKeys, String... configLines) {
    return start(Map.of(), hostKeys, configLines);
  }

  /**
   * @param environment further variables, such as JDK_JAVA_OPTIONS for flags of the JVM
   */
  static AditdServer start(
      Map<String, String> environment, List<Keys.Type> hostKeys, String... configLines) {
    var scratch = new Scratch();
    scratch.write("authorized_keys", Keys.shared(Keys.Type.ED25519).publicLine() + "\n");
    // The port may be taken between the look and the bind: then another one.
    for (int attempt = 1; ; attempt++) {
      int port = Ports.free();
      Path config = scratch.write("sshd_config", config(scratch, port, hostKeys, configLines));
      Program program = AditProcess.aditd(scratch.dir(), "-D", "-e", "-f", config).noStdin();
      environment.forEach(program::env);
      Program.Running aditd = program.start();
      try {
        aditd.awaitStderr("Server listening on .* port " + port);
        return new AditdServer(scratch, aditd, port);
      } catch (AssertionError e) {
        aditd.close();
        if (attempt == 3 || !aditd.stderr().contains("Address already in use")) {
          scratch.close();
          throw e;
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
            "LogLevel VERBOSE",
            "AuthorizedKeysFile " + scratch.path("authorized_keys"),
            "StrictModes no",
            "PermitRootLogin yes",
            // Tests connect quickly and many at once: no random early drop, no penalties.
            "MaxStartups 1000",
            "MaxSessions 1000"));
    if (lines.stream().noneMatch(line -> line.startsWith("PerSourcePenalties"))) {
      ours.add("PerSourcePenalties no");
    }
    lines.addAll(match, ours);
    return String.join("\n", lines) + "\n";
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

  /** Replaces the server's configuration; SIGHUP makes it hold. */
  void configure(String text) {
    scratch.write("sshd_config", text);
  }

  Path config() {
    return scratch.path("sshd_config");
  }

  /** A known_hosts file that knows this server. */
  Path knownHosts() {
    return scratch.path("known_hosts");
  }

  /** The flags with which {@code adit} or {@code ssh} reaches the server without a question. */
  Object[] to(Object... more) {
    Object[] flags = {
      "-F", "none",
      "-p", port,
      "-i", userKey(),
      "-o", "IdentitiesOnly=yes",
      "-o", "UserKnownHostsFile=" + knownHosts(),
      "-o", "GlobalKnownHostsFile=/dev/null",
      "-o", "StrictHostKeyChecking=yes",
      "-o", "BatchMode=yes",
    };
    return Stream.of(flags, more).flatMap(Arrays::stream).toArray();
  }

  /** OpenSSH's client on its way to this server. */
  Program ssh(Object... more) {
    return Program.of(Judges.require("ssh")).arguments(to(more));
  }

  Scratch scratch() {
    return scratch;
  }

  Program.Running process() {
    return aditd;
  }

  /** What it has logged so far. */
  String log() {
    return aditd.stderr();
  }

  void awaitLog(String regex) {
    aditd.awaitStderr(regex);
  }

  /** Ends it and every connection that it serves, at once. */
  @Override
  public void close() {
    aditd.close();
    scratch.close();
  }
}
