package dev.adit.ssh;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A program that a server starts for a session. TERM, SSH_TTY and SSH_AUTH_SOCK are added where the
 * session has a terminal or a forwarded agent.
 *
 * @param argv what is executed: a path, then the arguments; argv0 where it differs is {@code
 *     loginName}
 * @param loginName argument zero, {@code -bash} for a login shell; empty for the path itself
 * @param directory where it starts
 * @param environment the whole environment; nothing of the server's own is inherited
 */
public record Launch(
    List<String> argv, String loginName, Path directory, Map<String, String> environment) {

  public Launch {
    argv = List.copyOf(argv);
    environment = Map.copyOf(environment);
  }
}
