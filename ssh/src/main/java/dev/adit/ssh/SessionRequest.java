package dev.adit.ssh;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a client wants to run in a session (RFC 4254 section 6.5).
 *
 * @param kind a shell, a command or a subsystem
 * @param command the command, or the subsystem's name; empty for a shell. As the client sent it
 * @param environment the variables that the client sent and that the policy lets pass
 * @param pty the terminal that the client has asked for and got, or null
 */
public record SessionRequest(
    Kind kind, String command, Map<String, String> environment, @Nullable PtyOptions pty) {

  /** Which of the three requests it was. */
  public enum Kind {
    SHELL,
    EXEC,
    SUBSYSTEM
  }

  public SessionRequest {
    environment = Map.copyOf(environment);
  }
}
