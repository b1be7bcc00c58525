package dev.adit.client;

import dev.adit.config.ClientOptions;
import dev.adit.terminal.Tty;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What to run at the server, and how it meets the terminal and the streams here.
 *
 * @param host the server as the user knows it, for messages
 * @param start what to run
 * @param requestTty when to ask for a terminal there
 * @param escapeChar the character that begins an escape, or -1 for none
 * @param environment variables for the remote program
 * @param stdinNull whether standard input is left alone
 * @param agentSocket the agent to lend to the server, or null for none
 */
public record SessionOptions(
    String host,
    Start start,
    ClientOptions.RequestTty requestTty,
    int escapeChar,
    Map<String, String> environment,
    boolean stdinNull,
    @Nullable Path agentSocket) {

  public SessionOptions {
    environment = Map.copyOf(environment);
  }

  /**
   * As the user's options say.
   *
   * @param localEnvironment of this process
   */
  static SessionOptions of(ClientOptions options, Map<String, String> localEnvironment) {
    String command = options.command();
    Start start =
        command == null
            ? new Shell()
            : options.sessionType() == ClientOptions.SessionType.SUBSYSTEM
                ? new Subsystem(command)
                : new Exec(command);
    return new SessionOptions(
        options.host(),
        start,
        options.requestTty(),
        options.escapeChar(),
        options.sentEnvironment(localEnvironment),
        options.stdinNull(),
        options.forwardedAgent(localEnvironment));
  }

  /** Whether there will be a terminal at the server: asked for, and possible here. */
  boolean getsTerminal() {
    return wantsTerminal()
        && (requestTty == ClientOptions.RequestTty.FORCE || (!stdinNull && Tty.isStdin()));
  }

  /** Whether a terminal is asked for. */
  boolean wantsTerminal() {
    return switch (requestTty) {
      case NO -> false;
      case YES, FORCE -> true;
      case AUTO -> start instanceof Shell;
    };
  }

  /** What runs at the server. */
  public sealed interface Start {}

  /** The user's shell. */
  public record Shell() implements Start {
    @Override
    public String toString() {
      return "shell";
    }
  }

  /** A command, which the user's shell there takes apart. */
  public record Exec(String command) implements Start {
    @Override
    public String toString() {
      return "command: " + command;
    }
  }

  /** A subsystem by its name, such as {@code sftp}. */
  public record Subsystem(String name) implements Start {
    @Override
    public String toString() {
      return "subsystem: " + name;
    }
  }
}
