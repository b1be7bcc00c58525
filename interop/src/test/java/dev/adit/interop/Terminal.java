package dev.adit.interop;

import static java.util.stream.Collectors.joining;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Pattern;
import org.awaitility.core.ConditionTimeoutException;

/**
 * A shell on a pseudo-terminal, in which a test types as a user does. The terminal is util-linux's
 * {@code script}, which carries it to our pipes. Output is looked for behind what was found before.
 */
final class Terminal implements AutoCloseable {
  private final Program.Running script;
  private int seen;

  private Terminal(Program.Running script) {
    this.script = script;
  }

  /**
   * @param home the user's home directory
   * @param environment pairs of name and value
   */
  static Terminal open(Path home, String... environment) {
    Program program =
        Program.of(Judges.require("script"), "-qfec", "sh -i", "/dev/null")
            .env("HOME", home)
            .env("PS1", "local> ")
            .env("SHELL", "/bin/sh")
            .directory(home);
    for (int i = 0; i < environment.length; i += 2) {
      program.env(environment[i], environment[i + 1]);
    }
    Terminal terminal = new Terminal(program.start());
    return terminal.await("local> ");
  }

  /** The command line that starts {@code adit} with these arguments. */
  static String adit(Object... arguments) {
    return AditProcess.path("adit")
        + " "
        + Arrays.stream(arguments)
            .map(a -> "'" + a.toString().replace("'", "'\\''") + "'")
            .collect(joining(" "));
  }

  /** Types this, as it is. */
  Terminal type(String text) {
    script.type(text);
    return this;
  }

  /** Types a line. */
  Terminal enter(String line) {
    return type(line + "\r");
  }

  /**
   * Waits until a match is on the screen, behind the last one that was waited for. What was typed
   * is on the screen too: a test types {@code ec''ho} where it waits for the command's own word.
   */
  Terminal await(String regex) {
    var pattern = Pattern.compile(regex);
    try {
      Ports.await(
          regex,
          () -> {
            var matcher = pattern.matcher(screen());
            boolean found = matcher.find(seen);
            if (found) {
              seen = matcher.end();
            }
            return found;
          });
    } catch (ConditionTimeoutException e) {
      String screen = screen();
      throw new AssertionError(
          "\"%s\" did not come behind%n%s%n--- but%n%s"
              .formatted(regex, screen.substring(0, seen), screen.substring(seen)),
          e);
    }
    return this;
  }

  /** All that was on the screen, with the control characters. */
  String screen() {
    return script.stdout();
  }

  /** Until the shell has ended. */
  boolean isOpen() {
    return script.isAlive();
  }

  @Override
  public void close() {
    script.close();
  }
}
