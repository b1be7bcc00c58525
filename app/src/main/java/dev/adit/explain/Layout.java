package dev.adit.explain;

import dev.adit.explain.Drawing.Arrow;
import dev.adit.explain.Drawing.Box;
import dev.adit.explain.Drawing.Point;
import dev.adit.explain.Drawing.Shape;
import dev.adit.explain.Drawing.Text;
import dev.adit.explain.Drawing.Tone;
import dev.adit.explain.Drawing.Tube;
import dev.adit.explain.Scene.Lane;
import dev.adit.explain.Scene.Outside;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Puts a scene on the grid: the machines from left to right where that fits into the width, else
 * from top to bottom.
 */
final class Layout {
  /** Columns of text in a box: lines longer than this are hard to read, shorter ones are too. */
  private static final int WIDEST = 30;

  private static final int NARROWEST = 13;

  /** What a picture takes even if the terminal has less. */
  static final int LEAST_COLUMNS = 30;

  /** Of the SSH connection between two boxes, their borders included. */
  private static final int TUBE = 13;

  private static final int INDENT = 2;

  /** Where the SSH connection comes in from above, the title stands behind it. */
  private static final int FAR_INDENT = 11;

  private static final String ENCRYPTED = "encrypted";

  private final Scene scene;
  private final List<Shape> shapes = new ArrayList<>();

  private Layout(Scene scene) {
    this.scene = scene;
  }

  static Drawing of(Scene scene, int columns) {
    for (int text = WIDEST; text >= NARROWEST; text--) {
      var drawing = new Layout(scene).sideBySide(text);
      if (drawing.width() <= columns) {
        return drawing;
      }
    }
    return new Layout(scene).stacked(Math.max(columns, LEAST_COLUMNS));
  }

  // --- from left to right ---

  private Drawing sideBySide(int columns) {
    int last = scene.machines().size() - 1;
    var abouts = new ArrayList<List<String>>();
    int top = 1;
    for (var machine : scene.machines()) {
      var lines = machine.about().stream().flatMap(t -> Columns.wrap(t, columns).stream()).toList();
      abouts.add(lines);
      top = Math.max(top, 1 + lines.size());
    }
    var here = scene.lanes().stream().map(l -> numbered(l, l.here(), columns, false)).toList();
    var server = scene.lanes().stream().map(l -> numbered(l, l.server(), columns, false)).toList();

    // Down: each lane begins with a free row, for the label of its last leg.
    int[] rows = new int[scene.lanes().size() + 1];
    rows[0] = top;
    for (int i = 0; i < scene.lanes().size(); i++) {
      int texts = 1 + Math.max(here.get(i).size(), server.get(i).size());
      rows[i + 1] = rows[i] + Math.max(texts, scene.lanes().get(i).outside() == null ? 0 : 3);
    }
    int bottom = rows[rows.length - 1];

    // Across.
    int x = outsideWidth(false);
    var boxes = new ArrayList<Box>();
    for (int i = 0; i <= last; i++) {
      var machine = scene.machines().get(i);
      int text = Math.max(Columns.width(machine.title()), widest(abouts.get(i)));
      if (i == 0 || i == last) {
        for (var lines : i == 0 ? here : server) {
          text = Math.max(text, widest(lines));
        }
      }
      boxes.add(new Box(x, 0, text + 4, bottom + 2, INDENT, machine.title()));
      x += text + 4 + TUBE - 2;
    }
    int width = x - (TUBE - 2) + outsideWidth(true);

    for (int i = 0; i < last; i++) {
      shapes.add(new Tube(boxes.get(i).right(), 1, TUBE, bottom, true, "SSH"));
    }
    for (int i = 0; i <= last; i++) {
      shapes.add(boxes.get(i));
      text(boxes.get(i), 1, abouts.get(i));
    }
    for (int i = 0; i < scene.lanes().size(); i++) {
      var lane = scene.lanes().get(i);
      text(boxes.getFirst(), rows[i] + 1, here.get(i));
      text(boxes.getLast(), rows[i] + 1, server.get(i));
      for (int gap = 0; gap < last; gap++) {
        int left = boxes.get(gap).right();
        int right = boxes.get(gap + 1).x();
        level(
            lane.outwards() ? left : right,
            lane.outwards() ? right : left,
            rows[i] + 1,
            Tone.ENCRYPTED);
        if (i == 0) {
          centred(left, right, rows[i], ENCRYPTED, Tone.ENCRYPTED);
        }
      }
      if (lane.outside() != null) {
        outsideBeside(lane, lane.outside(), boxes, rows[i]);
      }
    }
    return new Drawing(width, bottom + 2, List.copyOf(shapes));
  }

  /** Columns for the machines beyond one end, with the leg to them. */
  private int outsideWidth(boolean atServer) {
    return scene.lanes().stream()
        .filter(lane -> lane.outwards() == atServer)
        .map(Lane::outside)
        .filter(Objects::nonNull)
        .mapToInt(outside -> boxWidth(outside) + legWidth(atServer))
        .max()
        .orElse(0);
  }

  private int legWidth(boolean atServer) {
    return scene.lanes().stream()
        .filter(lane -> lane.outwards() == atServer)
        .map(Lane::outside)
        .filter(Objects::nonNull)
        .mapToInt(outside -> Columns.width(outside.leg()) + 2)
        .max()
        .orElse(0);
  }

  private static int boxWidth(Outside outside) {
    return Math.max(Columns.width(outside.title()), Columns.width(outside.about())) + 4;
  }

  private void outsideBeside(Lane lane, Outside outside, List<Box> boxes, int row) {
    int leg = legWidth(lane.outwards());
    int width = boxWidth(outside);
    int border = lane.outwards() ? boxes.getLast().right() : boxes.getFirst().x();
    int x = lane.outwards() ? border + leg + 1 : border - leg - width;
    var box = new Box(x, row, width, 3, INDENT, outside.title());
    int end = lane.outwards() ? box.x() : box.right();
    shapes.add(box);
    text(box, row + 1, List.of(outside.about()));
    level(border, end, row + 1, tone(outside));
    centred(Math.min(border, end), Math.max(border, end), row, outside.leg(), tone(outside));
  }

  private void level(int from, int to, int y, Tone tone) {
    shapes.add(new Arrow(List.of(new Point(from, y), new Point(to, y)), tone));
  }

  private void centred(int left, int right, int y, String text, Tone tone) {
    int free = right - left - 1 - Columns.width(text);
    shapes.add(new Text(left + 1 + free / 2, y, text, tone));
  }

  // --- from top to bottom ---

  private Drawing stacked(int columns) {
    var inwards = scene.lanes().stream().filter(lane -> !lane.outwards()).toList();
    var outwards = scene.lanes().stream().filter(Lane::outwards).toList();
    int last = scene.machines().size() - 1;
    var texts = new ArrayList<List<String>>();
    int width = 0;
    for (int i = 0; i <= last; i++) {
      var machine = scene.machines().get(i);
      var lines = new ArrayList<String>();
      machine.about().forEach(t -> lines.addAll(Columns.wrapHard(t, columns - 4)));
      for (var lane : scene.lanes()) {
        if (i == 0 || i == last) {
          lines.addAll(numbered(lane, i == 0 ? lane.here() : lane.server(), columns - 4, true));
        }
      }
      texts.add(lines);
      int title = Columns.width(title(machine.title(), columns - FAR_INDENT));
      width = Math.max(width, Math.max(widest(lines) + 4, FAR_INDENT + title + 2));
    }
    int y = outsidesAbove(inwards, columns);
    for (int i = 0; i <= last; i++) {
      var title = title(scene.machines().get(i).title(), columns - FAR_INDENT);
      var box = new Box(0, y, width, texts.get(i).size() + 2, FAR_INDENT, title);
      shapes.add(box);
      text(box, y + 1, texts.get(i));
      y = box.bottom();
      if (i < last) {
        upright(y, !outwards.isEmpty(), !inwards.isEmpty());
        y += 3;
      }
    }
    return new Drawing(columns, outsidesBelow(outwards, y, columns) + 1, List.copyOf(shapes));
  }

  /** The connection from a bottom border to the top border three rows below. */
  private void upright(int y, boolean hasOutwards, boolean hasInwards) {
    int lines = (hasOutwards ? 1 : 0) + (hasInwards ? 1 : 0);
    int width = 3 + 2 * lines;
    shapes.add(new Tube(3, y, width, 4, false, ""));
    int x = 5;
    if (hasOutwards) {
      shapes.add(new Arrow(List.of(new Point(x, y), new Point(x, y + 3)), Tone.ENCRYPTED));
      x += 2;
    }
    if (hasInwards) {
      shapes.add(new Arrow(List.of(new Point(x, y + 3), new Point(x, y)), Tone.ENCRYPTED));
    }
    shapes.add(new Text(3 + width + 1, y + 1, "SSH, " + ENCRYPTED, Tone.ENCRYPTED));
  }

  /** Returns the row for what comes below. */
  private int outsidesAbove(List<Lane> lanes, int columns) {
    var outsides = lanes.stream().map(Lane::outside).filter(Objects::nonNull).toList();
    int below = 0;
    for (var outside : outsides) {
      below += outsideHeight(outside, columns);
    }
    below += outsides.isEmpty() ? 0 : 1;
    int y = 0;
    for (var outside : outsides) {
      outsideOnBranch(outside, y, below, columns);
      y += outsideHeight(outside, columns);
    }
    return below;
  }

  /** Returns the last row. */
  private int outsidesBelow(List<Lane> lanes, int bottom, int columns) {
    int y = bottom + 1;
    for (var lane : lanes) {
      var outside = lane.outside();
      if (outside != null) {
        outsideOnBranch(outside, y, bottom, columns);
        y += outsideHeight(outside, columns);
      }
    }
    return y - 1;
  }

  private static int outsideText(Outside outside, int columns) {
    return columns - outsideX(outside) - 4;
  }

  private static int outsideX(Outside outside) {
    return 3 + Columns.width(outside.leg()) + 5;
  }

  private static int outsideHeight(Outside outside, int columns) {
    return 2 + Columns.wrapHard(outside.about(), outsideText(outside, columns)).size();
  }

  /** A box to the right of a line that hangs from, or stands on, the border in row {@code from}. */
  private void outsideOnBranch(Outside outside, int y, int from, int columns) {
    int x = outsideX(outside);
    var lines = Columns.wrapHard(outside.about(), outsideText(outside, columns));
    var title = title(outside.title(), columns - x - INDENT);
    int width = Math.max(Columns.width(title), widest(lines)) + 4;
    var box = new Box(x, y, width, lines.size() + 2, INDENT, title);
    shapes.add(box);
    text(box, y + 1, lines);
    shapes.add(
        new Arrow(
            List.of(new Point(3, from), new Point(3, y + 1), new Point(x, y + 1)), tone(outside)));
    shapes.add(new Text(5, y + 1, " " + outside.leg() + " ", tone(outside)));
  }

  // --- both ---

  private static String title(String title, int columns) {
    int room = columns - 2;
    return Columns.width(title) <= room ? title : Columns.cut(title, room - 3) + "...";
  }

  private static List<String> numbered(Lane lane, String text, int columns, boolean isHard) {
    int indent = lane.number().length();
    var lines =
        isHard ? Columns.wrapHard(text, columns - indent) : Columns.wrap(text, columns - indent);
    var result = new ArrayList<String>();
    for (var line : lines) {
      result.add((result.isEmpty() ? lane.number() : " ".repeat(indent)) + line);
    }
    return result;
  }

  private void text(Box box, int y, List<String> lines) {
    for (int i = 0; i < lines.size(); i++) {
      shapes.add(new Text(box.x() + 2, y + i, lines.get(i), Tone.NORMAL));
    }
  }

  private static Tone tone(Outside outside) {
    return outside.protection() == Route.Protection.NOT_ENCRYPTED
        ? Tone.NOT_ENCRYPTED
        : Tone.AS_IT_CAME;
  }

  private static int widest(List<String> lines) {
    return lines.stream().mapToInt(Columns::width).max().orElse(0);
  }
}
