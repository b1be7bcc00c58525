package dev.adit.config;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One line of a configuration file: its keyword, the rest to the letter (commands take that), and
 * the rest as words without quotes.
 */
public final class Words {
  private final String keyword;
  private final String rest;
  private final List<String> words;
  private int next;

  private Words(String keyword, String rest, List<String> words) {
    this.keyword = keyword;
    this.rest = rest;
    this.words = words;
  }

  /**
   * Null for an empty line and a comment.
   *
   * @throws ConfigException when a quote is not closed, or a NUL is in the line: ssh would take
   *     what is before it, and a file system takes no name with it
   */
  public static @Nullable Words of(String line) throws ConfigException {
    if (line.indexOf('\0') >= 0) {
      throw new ConfigException("a NUL character in the line");
    }
    int i = skipSpaces(line, 0);
    int end = line.length();
    while (end > i && isSpace(line.charAt(end - 1))) {
      end--;
    }
    if (i == end || line.charAt(i) == '#') {
      return null;
    }
    String keyword;
    if (line.charAt(i) == '"') {
      int close = line.indexOf('"', i + 1);
      if (close < 0) {
        throw new ConfigException("invalid quotes");
      }
      keyword = line.substring(i + 1, close);
      i = close + 1;
    } else {
      int start = i;
      while (i < end && !isSpace(line.charAt(i)) && line.charAt(i) != '=') {
        i++;
      }
      keyword = line.substring(start, i);
    }
    // Spaces, at most one '=', spaces.
    i = skipSpaces(line, i);
    if (i < end && line.charAt(i) == '=') {
      i = skipSpaces(line, i + 1);
    }
    var rest = i < end ? line.substring(i, end) : "";
    return new Words(keyword, rest, List.of());
  }

  /**
   * The same line with its rest parted into words.
   *
   * @throws ConfigException when a quote is not closed
   */
  public Words parted() throws ConfigException {
    return new Words(keyword, rest, split(rest));
  }

  private static boolean isSpace(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
  }

  private static int skipSpaces(String line, int from) {
    int i = from;
    while (i < line.length() && isSpace(line.charAt(i))) {
      i++;
    }
    return i;
  }

  /**
   * Words are parted by spaces; both kinds of quotes keep spaces, a backslash keeps a quote, a
   * backslash or (outside quotes) a space; a word that begins with {@code #} starts a comment.
   */
  private static List<String> split(String text) throws ConfigException {
    var words = new ArrayList<String>();
    int i = 0;
    while (true) {
      while (i < text.length() && (text.charAt(i) == ' ' || text.charAt(i) == '\t')) {
        i++;
      }
      if (i == text.length() || text.charAt(i) == '#') {
        return words;
      }
      var word = new StringBuilder();
      char quote = 0;
      for (; i < text.length(); i++) {
        char c = text.charAt(i);
        if (c == '\\' && i + 1 < text.length() && escapes(text.charAt(i + 1), quote)) {
          word.append(text.charAt(++i));
        } else if (quote == 0 && (c == ' ' || c == '\t')) {
          break;
        } else if (quote == 0 && (c == '"' || c == '\'')) {
          quote = c;
        } else if (quote != 0 && c == quote) {
          quote = 0;
        } else {
          word.append(c);
        }
      }
      if (quote != 0) {
        throw new ConfigException("invalid quotes");
      }
      words.add(word.toString());
    }
  }

  private static boolean escapes(char next, char quote) {
    return next == '"' || next == '\'' || next == '\\' || (quote == 0 && next == ' ');
  }

  /** The same words from the next one on; reading them leaves these where they are. */
  public Words copy() {
    return new Words(keyword, rest, words.subList(next, words.size()));
  }

  public String keyword() {
    return keyword;
  }

  /** Everything behind the keyword, quotes and {@code #} included. */
  public String rest() {
    return rest;
  }

  public boolean hasNext() {
    return next < words.size();
  }

  /**
   * The next word.
   *
   * @throws ConfigException when there is none, or it is empty
   */
  public String next(String missing) throws ConfigException {
    if (!hasNext() || words.get(next).isEmpty()) {
      throw new ConfigException(missing);
    }
    return words.get(next++);
  }

  public String next() throws ConfigException {
    return next("missing argument.");
  }

  /** All that are left. */
  public List<String> remaining() {
    var left = words.subList(next, words.size());
    next = words.size();
    return List.copyOf(left);
  }

  /** Takes the rest of the line as one piece. */
  public String takeRest() {
    next = words.size();
    return rest;
  }
}
