package dev.adit.interop;

import java.nio.file.Files;
import java.nio.file.Path;

/** The real ssh-agent, with no keys at first. */
final class SshAgent implements AutoCloseable {
  private final Scratch scratch = new Scratch();
  private final Program.Running agent;

  private SshAgent() {
    Path program = Judges.require("ssh").resolveSibling("ssh-agent");
    agent = Program.of(program, "-D", "-a", socket()).noStdin().start();
    Ports.await("ssh-agent's socket", () -> Files.exists(socket()));
  }

  static SshAgent start() {
    return new SshAgent();
  }

  /** The value for SSH_AUTH_SOCK. */
  Path socket() {
    return scratch.path("agent");
  }

  /** Adds a key file, together with the certificate beside it if there is one. */
  SshAgent add(Path privateKey) {
    sshAdd("-q", privateKey);
    return this;
  }

  /** Runs ssh-add with these arguments; returns its output. */
  String sshAdd(Object... arguments) {
    return Program.of(Judges.require("ssh").resolveSibling("ssh-add"))
        .arguments(arguments)
        .env("SSH_AUTH_SOCK", socket())
        .run();
  }

  @Override
  public void close() {
    agent.close();
    scratch.close();
  }
}
