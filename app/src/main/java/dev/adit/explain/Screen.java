package dev.adit.explain;

import dev.adit.terminal.Tty;
import java.util.Map;

/**
 * What the picture is drawn on.
 *
 * @param columns its width
 * @param isUnicode whether it shows box drawing
 * @param isColoured whether it shows colours
 */
public record Screen(int columns, boolean isUnicode, boolean isColoured) {
  private static final int USUAL_COLUMNS = 80;

  /** Enough for anybody; a number beyond is a mistake. */
  private static final int MOST_COLUMNS = 1000;

  /** Standard output of this process. */
  public static Screen ofProcess(Map<String, String> environment) {
    boolean isTerminal = Tty.isStdout();
    return new Screen(
        columns(environment.getOrDefault("COLUMNS", ""), isTerminal),
        System.getProperty("native.encoding", "").equalsIgnoreCase("UTF-8"),
        isTerminal
            && environment.getOrDefault("NO_COLOR", "").isEmpty()
            && !environment.getOrDefault("TERM", "dumb").equals("dumb"));
  }

  private static int columns(String wanted, boolean isTerminal) {
    if (wanted.matches("[1-9][0-9]{0,3}")) {
      return Math.min(Integer.parseInt(wanted), MOST_COLUMNS);
    }
    int columns = isTerminal ? Tty.outputColumns() : 0;
    return columns == 0 ? USUAL_COLUMNS : Math.min(columns, MOST_COLUMNS);
  }
}
