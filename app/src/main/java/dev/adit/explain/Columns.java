package dev.adit.explain;

import java.lang.Character.UnicodeScript;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Text on a grid of character cells: how wide it is, where it breaks, what of it can be shown. */
final class Columns {
  private static final Set<UnicodeScript> WIDE_SCRIPTS =
      Set.of(
          UnicodeScript.HAN,
          UnicodeScript.HIRAGANA,
          UnicodeScript.KATAKANA,
          UnicodeScript.HANGUL,
          UnicodeScript.BOPOMOFO,
          UnicodeScript.YI,
          UnicodeScript.TANGUT);

  private Columns() {}

  /**
   * Text from a command line or a file, made safe for a terminal and a grid: what has no width of
   * its own, moves the cursor or turns the direction of text is shown as {@code \\u{202e}}.
   *
   * @param onlyAscii whether everything beyond ASCII is shown so
   */
  static String printable(String text, boolean onlyAscii) {
    var shown = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            c -> {
              if (c == ' ' || (isPlain(c) && (c < 0x7f || !onlyAscii))) {
                shown.appendCodePoint(c);
              } else {
                shown.append("\\u{%x}".formatted(c));
              }
            });
    return shown.toString();
  }

  private static boolean isPlain(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SPACE_SEPARATOR,
          Character.NON_SPACING_MARK,
          Character.ENCLOSING_MARK,
          Character.COMBINING_SPACING_MARK ->
          false;
      // Vowels and finals of Hangul that join the syllable before them.
      default -> !(c >= 0x1160 && c <= 0x11ff) && !(c >= 0xd7b0 && c <= 0xd7ff);
    };
  }

  /** In columns, of {@linkplain #printable printable} text. */
  static int width(String text) {
    return text.codePoints().map(Columns::width).sum();
  }

  /** Two columns as terminals have it: ideographs, full-width forms and emoji. */
  static int width(int c) {
    boolean isWide =
        c >= 0x1100
            && ((WIDE_SCRIPTS.contains(UnicodeScript.of(c)) && !isHalfWidth(c))
                || Character.isEmojiPresentation(c)
                || (c >= 0x3000 && c <= 0x33ff && c != 0x303f)
                || (c >= 0xff01 && c <= 0xff60)
                || (c >= 0xffe0 && c <= 0xffe6));
    return isWide ? 2 : 1;
  }

  private static boolean isHalfWidth(int c) {
    return c >= 0xff61 && c <= 0xffdc;
  }

  /** A space at which no line is broken. Names have none: {@link #printable} shows it by number. */
  static final char STICKY_SPACE = '\u00a0';

  /** Breaks at spaces; a word that is longer than a line stays whole and so makes a longer line. */
  static List<String> wrap(String text, int columns) {
    var lines = new ArrayList<String>();
    var line = new StringBuilder();
    for (var word : text.split(" +")) {
      if (!line.isEmpty() && width(line.toString()) + 1 + width(word) > columns) {
        lines.add(line.toString());
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : " ").append(word);
    }
    lines.add(line.toString());
    lines.replaceAll(each -> each.replace(STICKY_SPACE, ' '));
    return lines;
  }

  /** As {@link #wrap}, and breaks words that are too long: no line is longer. */
  static List<String> wrapHard(String text, int columns) {
    var lines = new ArrayList<String>();
    for (var line : wrap(text, columns)) {
      var rest = line;
      while (width(rest) > columns) {
        var head = cut(rest, columns);
        lines.add(head);
        rest = rest.substring(head.length());
      }
      lines.add(rest);
    }
    return lines;
  }

  /** As much of the beginning as fits, and at least one character. */
  static String cut(String text, int columns) {
    int end = 0;
    int width = 0;
    while (end < text.length()) {
      int c = text.codePointAt(end);
      width += width(c);
      if (width > columns && end > 0) {
        break;
      }
      end += Character.charCount(c);
    }
    return text.substring(0, end);
  }
}
