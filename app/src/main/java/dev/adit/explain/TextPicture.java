package dev.adit.explain;

import dev.adit.explain.Drawing.Arrow;
import dev.adit.explain.Drawing.Box;
import dev.adit.explain.Drawing.Point;
import dev.adit.explain.Drawing.Text;
import dev.adit.explain.Drawing.Tone;
import dev.adit.explain.Drawing.Tube;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Draws with the characters of a terminal. */
final class TextPicture {
  private static final int NORTH = 1;
  private static final int EAST = 2;
  private static final int SOUTH = 4;
  private static final int WEST = 8;

  /** By the sum of the directions in which lines leave a cell. */
  private static final String GLYPHS = " │─└││┌├─┘─┴┐┤┬┼";

  private static final String UNICODE = "─│┌┐└┘├┤┬┴┼═║╞╡╥╨╌╎►◄▲▼";
  private static final String ASCII = "-|+++++++++=#++++.:><^v";

  private final Drawing drawing;

  /** The directions of the lines in each cell. */
  private final int[][] lines;

  private final boolean[][] dashed;

  /** What stands in a cell; empty in the second one of a wide character; null for its lines. */
  private final @Nullable String[][] characters;

  private final Tone[][] tones;

  private TextPicture(Drawing drawing) {
    this.drawing = drawing;
    lines = new int[drawing.height()][drawing.width()];
    dashed = new boolean[drawing.height()][drawing.width()];
    characters = new String[drawing.height()][drawing.width()];
    tones = new Tone[drawing.height()][drawing.width()];
    for (var row : tones) {
      Arrays.fill(row, Tone.NORMAL);
    }
    for (var shape : drawing.shapes()) {
      switch (shape) {
        case Box box -> draw(box);
        case Tube tube -> draw(tube);
        case Arrow arrow -> draw(arrow);
        case Text text -> put(text.x(), text.y(), text.text(), text.tone());
      }
    }
  }

  /**
   * The picture's lines, each filled up to the picture's width.
   *
   * @param isUnicode box drawing instead of ASCII
   * @param isColoured with the escape sequences of ECMA-48
   */
  static List<String> lines(Drawing drawing, boolean isUnicode, boolean isColoured) {
    var picture = new TextPicture(drawing);
    var result = new ArrayList<String>();
    for (int y = 0; y < drawing.height(); y++) {
      result.add(picture.line(y, isUnicode, isColoured));
    }
    return result;
  }

  private String line(int y, boolean isUnicode, boolean isColoured) {
    var line = new StringBuilder();
    var tone = Tone.NORMAL;
    for (int x = 0; x < drawing.width(); x++) {
      if (isColoured && tones[y][x] != tone) {
        tone = tones[y][x];
        line.append(sgr(tone));
      }
      var character = characters[y][x];
      if (character == null) {
        line.append(glyph(lineAt(x, y), isUnicode));
      } else {
        line.append(character.length() == 1 ? glyph(character.charAt(0), isUnicode) : character);
      }
    }
    if (tone != Tone.NORMAL) {
      line.append(sgr(Tone.NORMAL));
    }
    return line.toString();
  }

  private char lineAt(int x, int y) {
    int directions = lines[y][x];
    if (dashed[y][x] && directions == (EAST | WEST)) {
      return '╌';
    }
    return dashed[y][x] && directions == (NORTH | SOUTH) ? '╎' : GLYPHS.charAt(directions);
  }

  private static char glyph(char c, boolean isUnicode) {
    int index = isUnicode ? -1 : UNICODE.indexOf(c);
    return index < 0 ? c : ASCII.charAt(index);
  }

  /** Select Graphic Rendition; the colours are those that a terminal lets its user choose. */
  static String sgr(Tone tone) {
    return switch (tone) {
      case NORMAL -> "\u001b[0m";
      case TITLE -> "\u001b[0;1m";
      case ENCRYPTED -> "\u001b[0;32m";
      case AS_IT_CAME -> "\u001b[0;33m";
      case NOT_ENCRYPTED -> "\u001b[0;31m";
    };
  }

  // --- shapes ---

  private void draw(Box box) {
    for (int x = box.x(); x <= box.right(); x++) {
      int directions = (x > box.x() ? WEST : 0) | (x < box.right() ? EAST : 0);
      lines[box.y()][x] |= directions;
      lines[box.bottom()][x] |= directions;
    }
    for (int y = box.y(); y <= box.bottom(); y++) {
      int directions = (y > box.y() ? NORTH : 0) | (y < box.bottom() ? SOUTH : 0);
      lines[y][box.x()] |= directions;
      lines[y][box.right()] |= directions;
    }
    put(box.x() + box.indent() - 1, box.y(), " " + box.title() + " ", Tone.TITLE);
  }

  private void draw(Tube tube) {
    int right = tube.x() + tube.width() - 1;
    int bottom = tube.y() + tube.height() - 1;
    if (tube.isLevel()) {
      var edge = "═".repeat(tube.width() - 2);
      put(tube.x(), tube.y(), "╞" + edge + "╡", Tone.ENCRYPTED);
      put(tube.x(), bottom, "╞" + edge + "╡", Tone.ENCRYPTED);
      int free = tube.width() - 4 - Columns.width(tube.label());
      put(tube.x() + 1 + free / 2, tube.y(), " " + tube.label() + " ", Tone.ENCRYPTED);
      put(right - 1, tube.y(), "►", Tone.ENCRYPTED);
    } else {
      for (int y = tube.y(); y <= bottom; y++) {
        var edge = y == tube.y() ? "╥" : y == bottom ? "╨" : "║";
        put(tube.x(), y, edge, Tone.ENCRYPTED);
        put(right, y, edge, Tone.ENCRYPTED);
      }
    }
  }

  private void draw(Arrow arrow) {
    var points = arrow.points();
    for (int i = 1; i < points.size(); i++) {
      boolean isLast = i == points.size() - 1;
      draw(points.get(i - 1), points.get(i), arrow.tone(), isLast);
    }
  }

  private void draw(Point from, Point to, Tone tone, boolean hasHead) {
    int dx = Integer.signum(to.x() - from.x());
    int dy = Integer.signum(to.y() - from.y());
    int forth = dx > 0 ? EAST : dx < 0 ? WEST : dy > 0 ? SOUTH : NORTH;
    int back = dx > 0 ? WEST : dx < 0 ? EAST : dy > 0 ? NORTH : SOUTH;
    int x = from.x();
    int y = from.y();
    while (x + dx != to.x() || y + dy != to.y()) {
      connect(x, y, forth, tone);
      x += dx;
      y += dy;
      connect(x, y, back, tone);
    }
    if (hasHead) {
      // The border where it ends stays whole.
      var head = dx > 0 ? "►" : dx < 0 ? "◄" : dy > 0 ? "▼" : "▲";
      put(x, y, head, tone);
    } else {
      connect(x, y, forth, tone);
      connect(to.x(), to.y(), back, tone);
    }
  }

  private void connect(int x, int y, int direction, Tone tone) {
    boolean isFree = lines[y][x] == 0;
    lines[y][x] |= direction;
    if (isFree) {
      dashed[y][x] = tone != Tone.ENCRYPTED;
    }
    if (isFree || dashed[y][x]) {
      tones[y][x] = tone;
    }
  }

  private void put(int x, int y, String text, Tone tone) {
    int column = x;
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      characters[y][column] = Character.toString(c);
      tones[y][column] = tone;
      if (Columns.width(c) == 2) {
        characters[y][column + 1] = "";
        tones[y][column + 1] = tone;
      }
      column += Columns.width(c);
      i += Character.charCount(c);
    }
  }
}
