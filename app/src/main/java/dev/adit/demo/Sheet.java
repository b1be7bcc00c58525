package dev.adit.demo;

import dev.adit.explain.Screen;
import java.io.PrintStream;

/** Where the demo writes: in colour and with box drawing where the screen has them. */
final class Sheet {
  private static final String BOLD = "\u001b[1m";
  private static final String GREEN = "\u001b[32m";
  private static final String YELLOW = "\u001b[33m";
  private static final String RESET = "\u001b[0m";

  private final PrintStream out;
  private final Screen screen;

  Sheet(PrintStream out, Screen screen) {
    this.out = out;
    this.screen = screen;
  }

  void line(String text) {
    out.println(text);
    out.flush();
  }

  void line() {
    line("");
  }

  String strong(String text) {
    return coloured(BOLD, text);
  }

  /** A way on which nobody can listen. */
  String encrypted(int length) {
    return coloured(GREEN, arrow(screen.isUnicode() ? "═" : "=", length));
  }

  /** A way on which the data goes as it is. */
  String plain(int length) {
    return coloured(YELLOW, arrow(screen.isUnicode() ? "╌" : "-", length));
  }

  private String arrow(String shaft, int length) {
    return shaft.repeat(length - 1) + (screen.isUnicode() ? "►" : ">");
  }

  private String coloured(String colour, String text) {
    return screen.isColoured() ? colour + text + RESET : text;
  }
}
