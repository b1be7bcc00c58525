package dev.adit.terminal;

import org.jspecify.annotations.Nullable;

/**
 * Finds the escapes in what the user types: the escape character at the beginning of a line, and
 * the one after it. Not thread-safe.
 */
public final class Escapes {

  /** No character is the escape character. */
  public static final int NONE = -1;

  /** What the user may ask for. */
  public enum Command {
    DISCONNECT('.'),
    HELP('?'),
    CONNECTIONS('#'),
    BACKGROUND('&'),
    REKEY('R'),
    BREAK('B'),
    COMMAND_LINE('C'),
    MORE_VERBOSE('v'),
    LESS_VERBOSE('V'),
    SUSPEND('Z' - '@');

    private final int key;

    Command(int key) {
      this.key = key;
    }

    private static @Nullable Command of(int key) {
      for (Command command : values()) {
        if (command.key == key) {
          return command;
        }
      }
      return null;
    }
  }

  /** Takes what was typed, in its order. */
  public interface Sink {

    /** Bytes for the remote side, maybe none; the array is used again. */
    void data(byte[] bytes, int offset, int length);

    void command(Command command);
  }

  private final int escape;
  private boolean lineBegins = true;
  private boolean pending;

  /**
   * @param escape the escape character, or {@link #NONE}
   */
  public Escapes(int escape) {
    this.escape = escape;
  }

  /** Goes through what was typed. */
  public void accept(byte[] typed, int length, Sink to) {
    if (escape == NONE) {
      to.data(typed, 0, length);
      return;
    }
    // An escape character that was held back may come first.
    byte[] out = new byte[length + 1];
    int filled = 0;
    for (int i = 0; i < length; i++) {
      int c = Byte.toUnsignedInt(typed[i]);
      if (pending) {
        pending = false;
        Command command = Command.of(c);
        if (command != null) {
          to.data(out, 0, filled);
          filled = 0;
          to.command(command);
          continue;
        }
        // Twice the escape character is once itself; before anything else it stands for itself.
        if (c != escape) {
          out[filled++] = (byte) escape;
        }
      } else if (lineBegins && c == escape) {
        pending = true;
        continue;
      }
      lineBegins = c == '\r' || c == '\n';
      out[filled++] = typed[i];
    }
    to.data(out, 0, filled);
  }

  /** The escape character as people write it: {@code ~} or {@code ^B}. */
  public String name() {
    return escape < ' ' ? "^" + (char) (escape + '@') : String.valueOf((char) escape);
  }
}
