package dev.adit.ssh;

import org.jspecify.annotations.Nullable;

/** How a remote command ended (RFC 4254 section 6.10). */
public sealed interface ExitStatus {

  /**
   * It ended by itself.
   *
   * @param code its exit status, 0 to 255 on Unix
   */
  record Exited(int code) implements ExitStatus {}

  /**
   * A signal ended it.
   *
   * @param name without SIG: {@code TERM}; from the server, with control characters escaped
   * @param coreDumped whether it left a core dump
   * @param message for people, may be empty; from the server, with control characters escaped
   */
  record Signaled(String name, boolean coreDumped, String message) implements ExitStatus {}

  /**
   * The session ended and nobody told how the command did.
   *
   * @param cause how the connection died under it; null when the server just closed the session
   */
  record Unknown(@Nullable SshException cause) implements ExitStatus {}
}
