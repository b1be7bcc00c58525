package dev.adit.bench;

import dev.adit.bench.Results.Cell;
import dev.adit.bench.Results.Figure;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import javax.xml.stream.XMLOutputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamWriter;

/**
 * Results as a picture: a line a figure, a dot a pair, and how many times better than the yardstick
 * it is, to the right. Written by ourselves, since Java's libraries for charts draw through AWT,
 * which needs fonts on the machine.
 */
final class Chart {
  private static final int LINE = 18;
  private static final int TITLES = 380;
  private static final int PLOT = 480;
  private static final int MARGIN = 14;

  /**
   * The scale is logarithmic, from 1/16 to 16 times as good; what lies beyond stands at the edge.
   */
  private static final int DOUBLINGS = 4;

  private static final List<String> COLOURS =
      List.of(
          "#8a929c", "#1b7f4d", "#3d7dd8", "#7a4fc0", "#d9822b", "#b3372b", "#c0a000", "#555555");

  private static final String STYLE =
      """

      svg { --card: #fbfaf7; --ink: #22272e; --grid: #d8d8d2; --one: #5b6470; }
      @media (prefers-color-scheme: dark) {
        svg { --card: #1b1f24; --ink: #e6e8ea; --grid: #363c44; --one: #8b949e; } }
      text { font: 12px system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif; fill: var(--ink); }
      .card { fill: var(--card); }
      .row { font-weight: 700; }
      .title { text-anchor: end; }
      .scale { text-anchor: middle; }
      line { stroke: var(--grid); }
      .one { stroke: var(--one); stroke-width: 2; }
      """;

  private final XMLStreamWriter xml;
  private final List<String> pairs = new ArrayList<>();
  private int y;

  private Chart(XMLStreamWriter xml) {
    this.xml = xml;
  }

  /** A whole document. */
  static String of(Results results) {
    var out = new StringWriter();
    try {
      var xml = XMLOutputFactory.newFactory().createXMLStreamWriter(out);
      new Chart(xml).document(results);
      xml.close();
    } catch (XMLStreamException e) {
      throw new IllegalStateException(e); // Nothing is written but to memory.
    }
    return out.append('\n').toString();
  }

  private void document(Results results) throws XMLStreamException {
    List<Figure> figures =
        results.figures().stream()
            .filter(figure -> figure.cells().values().stream().anyMatch(cell -> isDrawn(cell)))
            .toList();
    Set<String> drawn = new LinkedHashSet<>();
    for (Figure figure : figures) {
      figure
          .cells()
          .forEach(
              (pair, cell) -> {
                if (isDrawn(cell) && !pair.equals(figure.yardstick())) {
                  drawn.add(pair);
                }
              });
    }
    pairs.addAll(drawn);
    long rows = figures.stream().map(Figure::row).distinct().count();
    int top = 3 * LINE + MARGIN;
    int height = (int) (top + (figures.size() + rows + 1) * LINE + MARGIN);
    int width = TITLES + PLOT + 2 * MARGIN;
    xml.writeStartElement("svg");
    xml.writeDefaultNamespace("http://www.w3.org/2000/svg");
    attributes("viewBox", "0 0 " + width + " " + height, "width", width, "height", height);
    attributes("role", "img");
    newLine();
    text("desc", "How many times better than the yardstick each pair is, figure by figure.");
    text("style", STYLE);
    element("rect", "class", "card", "width", width, "height", height, "rx", 10);
    legend();
    scale(top, height - MARGIN - LINE);
    y = top;
    String row = "";
    for (Figure figure : figures) {
      if (!figure.row().equals(row)) {
        row = figure.row();
        y += LINE;
        words("row", MARGIN, y, row + ", yardstick " + figure.yardstick());
      }
      y += LINE;
      draw(figure);
    }
    xml.writeEndElement();
  }

  private static boolean isDrawn(Cell cell) {
    Double ratio = cell.ratio();
    return ratio != null && ratio > 0;
  }

  private void legend() throws XMLStreamException {
    int x = MARGIN;
    for (int i = 0; i < pairs.size(); i++) {
      dot(x + 5, MARGIN + 5, i);
      words("name", x + 14, MARGIN + 9, pairs.get(i));
      x += 110;
    }
  }

  private void scale(int top, int bottom) throws XMLStreamException {
    words("scale", x(1), top - LINE, "\u2190 worse than the yardstick    better \u2192");
    for (int i = -DOUBLINGS; i <= DOUBLINGS; i++) {
      int x = x(Math.pow(2, i));
      element(
          "line", "class", i == 0 ? "one" : "grid", "x1", x, "y1", top + 6, "x2", x, "y2", bottom);
      words("scale", x, top, i < 0 ? "1/" + (1 << -i) : Integer.toString(1 << i));
    }
  }

  private void draw(Figure figure) throws XMLStreamException {
    words("title", TITLES, y, figure.title());
    for (int i = 0; i < pairs.size(); i++) {
      Cell cell = figure.cells().get(pairs.get(i));
      if (cell != null && isDrawn(cell) && cell.ratio() != null) {
        double better = figure.moreIsBetter() ? cell.ratio() : 1 / cell.ratio();
        dot(x(better), y - 4, i);
      }
    }
  }

  private static int x(double better) {
    double doublings = Math.log(better) / Math.log(2);
    double part = Math.clamp(doublings / DOUBLINGS, -1, 1);
    return (int) Math.round(TITLES + MARGIN + PLOT / 2.0 * (1 + part) * 0.96 + 5);
  }

  private void dot(int x, int middle, int pair) throws XMLStreamException {
    xml.writeStartElement("circle");
    attributes("cx", x, "cy", middle, "r", 4.5, "fill", COLOURS.get(pair % COLOURS.size()));
    text("title", pairs.get(pair));
    xml.writeEndElement();
    newLine();
  }

  private void words(String kind, int x, int baseline, String words) throws XMLStreamException {
    xml.writeStartElement("text");
    attributes("class", kind, "x", x, "y", baseline);
    xml.writeCharacters(words);
    xml.writeEndElement();
    newLine();
  }

  private void text(String name, String text) throws XMLStreamException {
    xml.writeStartElement(name);
    xml.writeCharacters(text);
    xml.writeEndElement();
    newLine();
  }

  private void element(String name, Object... attributes) throws XMLStreamException {
    xml.writeEmptyElement(name);
    attributes(attributes);
    newLine();
  }

  private void attributes(Object... namesAndValues) throws XMLStreamException {
    for (int i = 0; i < namesAndValues.length; i += 2) {
      xml.writeAttribute(
          namesAndValues[i].toString(), String.format(Locale.ROOT, "%s", namesAndValues[i + 1]));
    }
  }

  private void newLine() throws XMLStreamException {
    xml.writeCharacters("\n");
  }
}
