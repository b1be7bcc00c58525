package dev.adit.ssh;

import java.util.Map;

/**
 * The pseudo-terminal that a session asks for (RFC 4254 section 6.2).
 *
 * @param term value of TERM for the remote program: {@code xterm-256color}
 * @param columns width in characters; 0 where it isn't known
 * @param rows height in characters; 0 where it isn't known
 * @param widthPixels width of the drawable area; 0 where it isn't known
 * @param heightPixels height of the drawable area; 0 where it isn't known
 * @param modes settings; what isn't named stays as the server has it. A control character's value
 *     is its code, or 255 for none; a flag's is 0 or 1
 */
public record PtyOptions(
    String term,
    int columns,
    int rows,
    int widthPixels,
    int heightPixels,
    Map<TerminalMode, Integer> modes) {

  public PtyOptions {
    modes = Map.copyOf(modes);
  }

  /** A terminal of this size with the server's own settings. */
  public static PtyOptions of(String term, int columns, int rows) {
    return new PtyOptions(term, columns, rows, 0, 0, Map.of());
  }
}
