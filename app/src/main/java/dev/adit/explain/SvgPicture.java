package dev.adit.explain;

import dev.adit.explain.Drawing.Arrow;
import dev.adit.explain.Drawing.Box;
import dev.adit.explain.Drawing.Point;
import dev.adit.explain.Drawing.Shape;
import dev.adit.explain.Drawing.Text;
import dev.adit.explain.Drawing.Tone;
import dev.adit.explain.Drawing.Tube;
import java.io.StringWriter;
import java.util.Locale;
import java.util.stream.Collectors;
import javax.xml.stream.XMLOutputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamWriter;

/** Draws for documents. On dark pages it is dark itself, where the reader's browser says so. */
final class SvgPicture {
  /** Of a character cell, in pixels: as wide as the widest usual font needs on average. */
  private static final double CELL = 8.5;

  private static final double ROW = 20;
  private static final double MARGIN = 14;

  private static final String STYLE =
      """

      svg { --card: #fbfaf7; --box: #ffffff; --ink: #22272e; --frame: #5b6470; --safe: #2b7a4b;
            --pipe: #d9eee0; --open: #b3372b; --as-it-came: #8a6410; }
      @media (prefers-color-scheme: dark) {
        svg { --card: #1b1f24; --box: #262c33; --ink: #e6e8ea; --frame: #8b949e; --safe: #6cc58d;
              --pipe: #1f3d2b; --open: #ff8f82; --as-it-came: #e0b252; } }
      text { font: 14px system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif; fill: var(--ink); }
      .card { fill: var(--card); }
      .box { fill: var(--box); stroke: var(--frame); stroke-width: 1.4; }
      .pipe { fill: var(--pipe); stroke: var(--safe); stroke-width: 2; }
      .title { font-weight: 700; font-size: 13px; }
      .not-encrypted, .as-it-came { paint-order: stroke; stroke: var(--card); stroke-width: 8; }
      .encrypted { fill: var(--safe); } .not-encrypted { fill: var(--open); }
      .as-it-came { fill: var(--as-it-came); } .normal { fill: var(--ink); }
      path { stroke: none !important; }
      polyline { fill: none; stroke-width: 2; }
      .encrypted-line { stroke: var(--safe); }
      .not-encrypted-line { stroke: var(--open); stroke-dasharray: 6 4; }
      .as-it-came-line { stroke: var(--as-it-came); stroke-dasharray: 6 4; }
      """;

  private final XMLStreamWriter xml;

  private SvgPicture(XMLStreamWriter xml) {
    this.xml = xml;
  }

  /**
   * A whole document.
   *
   * @param description what the picture shows, for those who can't see it
   */
  static String of(Drawing drawing, String description) {
    var out = new StringWriter();
    try {
      var xml = XMLOutputFactory.newFactory().createXMLStreamWriter(out);
      new SvgPicture(xml).document(drawing, description);
      xml.close();
    } catch (XMLStreamException e) {
      throw new IllegalStateException(e); // Nothing is written but to memory.
    }
    return out.append('\n').toString();
  }

  private void document(Drawing drawing, String description) throws XMLStreamException {
    double width = drawing.width() * CELL + 2 * MARGIN;
    double height = drawing.height() * ROW + 2 * MARGIN;
    xml.writeStartElement("svg");
    xml.writeDefaultNamespace("http://www.w3.org/2000/svg");
    attributes(
        "viewBox", "0 0 %s %s".formatted(number(width), number(height)),
        "width", number(width),
        "height", number(height),
        "role", "img");
    newLine();
    text("desc", description);
    text("style", STYLE);
    element("rect", "class", "card", "width", number(width), "height", number(height), "rx", "10");
    xml.writeStartElement("g");
    attributes("transform", "translate(%s %s)".formatted(number(MARGIN), number(MARGIN)));
    newLine();
    // Pipes below, then lines, then boxes; words on top.
    for (var order : new Class<?>[] {Tube.class, Arrow.class, Box.class, Text.class}) {
      for (var shape : drawing.shapes()) {
        if (order.isInstance(shape)) {
          draw(shape);
        }
      }
    }
    xml.writeEndElement();
    newLine();
    xml.writeEndElement();
  }

  private void draw(Shape shape) throws XMLStreamException {
    switch (shape) {
      case Tube tube -> draw(tube);
      case Arrow arrow -> draw(arrow);
      case Box box -> draw(box);
      case Text text -> words(text.x(), text.y(), text.text(), tone(text.tone()));
    }
  }

  private void draw(Box box) throws XMLStreamException {
    element(
        "rect",
        "class",
        "box",
        "x",
        number(middle(box.x())),
        "y",
        number(box.y() * ROW + 1),
        "width",
        number((box.width() - 1) * CELL),
        "height",
        number((box.height() - 0.5) * ROW + 2),
        "rx",
        "6");
    words(box.x() + 2, box.y(), box.title(), "title");
  }

  private void draw(Tube tube) throws XMLStreamException {
    double x = middle(tube.x());
    double y = tube.isLevel() ? tube.y() * ROW : (tube.y() + 0.5) * ROW;
    element(
        "rect",
        "class",
        "pipe",
        "x",
        number(x),
        "y",
        number(y),
        "width",
        number((tube.width() - 1) * CELL),
        "height",
        number((tube.height() - (tube.isLevel() ? 0.4 : 1)) * ROW));
    if (tube.isLevel()) {
      int free = tube.width() - Columns.width(tube.label()) - 2;
      words(tube.x() + free / 2 + 1, tube.y(), tube.label() + " \u2192", "encrypted");
    }
  }

  private void draw(Arrow arrow) throws XMLStreamException {
    var tone = tone(arrow.tone());
    element(
        "polyline",
        "class",
        tone + "-line",
        "points",
        arrow.points().stream()
            .map(p -> number(middle(p.x())) + "," + number((p.y() + 0.5) * ROW))
            .collect(Collectors.joining(" ")));
    head(arrow.points().get(arrow.points().size() - 2), arrow.points().getLast(), tone);
  }

  /** A triangle whose tip touches the border. */
  private void head(Point from, Point to, String tone) throws XMLStreamException {
    int dx = Integer.signum(to.x() - from.x());
    int dy = Integer.signum(to.y() - from.y());
    double x = middle(to.x());
    // A box's upper border lies at the top of its row, the lower one in the middle.
    double y = dy > 0 ? to.y() * ROW - 2 : (to.y() + 0.5) * ROW;
    double back = 9;
    double side = 5;
    element(
        "path",
        "class",
        tone,
        "d",
        "M%s %s L%s %s L%s %s Z"
            .formatted(
                number(x),
                number(y),
                number(x - dx * back + dy * side),
                number(y - dy * back + dx * side),
                number(x - dx * back - dy * side),
                number(y - dy * back - dx * side)));
  }

  private void words(int x, int y, String text, String style) throws XMLStreamException {
    xml.writeStartElement("text");
    attributes("class", style, "x", number(x * CELL), "y", number((y + 0.5) * ROW + 5));
    xml.writeCharacters(text);
    xml.writeEndElement();
    newLine();
  }

  private static String tone(Tone tone) {
    return tone.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private static double middle(int cell) {
    return (cell + 0.5) * CELL;
  }

  private void text(String element, String text) throws XMLStreamException {
    xml.writeStartElement(element);
    xml.writeCharacters(text);
    xml.writeEndElement();
    newLine();
  }

  private void element(String name, String... attributes) throws XMLStreamException {
    xml.writeEmptyElement(name);
    attributes(attributes);
    newLine();
  }

  private void attributes(String... namesAndValues) throws XMLStreamException {
    for (int i = 0; i < namesAndValues.length; i += 2) {
      xml.writeAttribute(namesAndValues[i], namesAndValues[i + 1]);
    }
  }

  private void newLine() throws XMLStreamException {
    xml.writeCharacters("\n");
  }

  private static String number(double value) {
    return value == Math.rint(value)
        ? Long.toString(Math.round(value))
        : String.format(Locale.ROOT, "%.1f", value);
  }
}
