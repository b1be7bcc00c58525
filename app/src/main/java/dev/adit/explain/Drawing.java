package dev.adit.explain;

import java.util.List;

/**
 * A picture as shapes on a grid of character cells: x to the right and y down, both from 0. What
 * comes later in the list lies above what came before.
 *
 * @param width in cells
 * @param height in cells
 */
record Drawing(int width, int height, List<Shape> shapes) {

  /** What something is drawn for; renderers choose the colour. */
  enum Tone {
    NORMAL,
    TITLE,
    ENCRYPTED,
    AS_IT_CAME,
    NOT_ENCRYPTED
  }

  sealed interface Shape {}

  /**
   * A frame with a title at its top; width and height include the frame.
   *
   * @param indent columns from the left border to the title, where lines may cross the border
   */
  record Box(int x, int y, int width, int height, int indent, String title) implements Shape {
    int right() {
      return x + width - 1;
    }

    int bottom() {
      return y + height - 1;
    }
  }

  /**
   * The SSH connection between two boxes. A level one reaches from one box's right border to the
   * next one's left border, an upright one from a bottom border to a top border.
   *
   * @param label what its upper edge says; empty for an upright one
   */
  record Tube(int x, int y, int width, int height, boolean isLevel, String label)
      implements Shape {}

  /**
   * A line of one or two straight pieces from one box's border to another's, with its head there.
   *
   * @param points the corners, the ends included
   */
  record Arrow(List<Point> points, Tone tone) implements Shape {}

  record Point(int x, int y) {}

  record Text(int x, int y, String text, Tone tone) implements Shape {}
}
