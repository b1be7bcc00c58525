package dev.adit.interop;

import java.nio.file.Path;

/** Dropbear's server on a free loopback port; it lets an account in by password or key. */
final class DropbearServer implements AutoCloseable {
  private final Scratch scratch = new Scratch();
  private final Program.Running dropbear;
  private final int port = Ports.free();

  private DropbearServer(Object... arguments) {
    Path program = Judges.require("dropbear");
    Path key = scratch.path("host_key");
    Program.of("dropbearkey", "-t", "ed25519", "-f", key).run();
    dropbear =
        Program.of(program, "-F", "-E", "-p", "127.0.0.1:" + port, "-r", key)
            .arguments("-P", scratch.path("pid"))
            .arguments(arguments)
            .noStdin()
            .start()
            .awaitListening(port);
  }

  /**
   * @param arguments further flags of dropbear, such as {@code -j} (no local forwarding)
   */
  static DropbearServer start(Object... arguments) {
    return new DropbearServer(arguments);
  }

  int port() {
    return port;
  }

  /** What dropbear has logged so far. */
  String log() {
    return dropbear.stderr();
  }

  /** A known_hosts file that knows this server. */
  Path knownHosts() {
    String output = Program.of("dropbearkey", "-y", "-f", scratch.path("host_key")).run();
    String key = output.lines().filter(line -> line.startsWith("ssh-")).findFirst().orElseThrow();
    return scratch.write("known_hosts", "[127.0.0.1]:%d %s%n".formatted(port, key));
  }

  @Override
  public void close() {
    dropbear.close();
    scratch.close();
  }
}
