package dev.adit.ssh.transport;

/** Text from the peer, made safe for a terminal and a log. */
public final class Text {

  private Text() {}

  /**
   * Shows control characters instead of passing them on: C0, DEL and C1 as {@code \xNN} or their
   * short form, and the characters that turn the direction of text as {@code \\uNNNN}.
   */
  public static String escape(String text) {
    return escape(text, false);
  }

  /** As {@link #escape(String)}, but line feeds and tabs stay: for banners of several lines. */
  public static String escapeLines(String text) {
    return escape(text.replace("\r\n", "\n"), true);
  }

  private static String escape(String text, boolean keepLines) {
    StringBuilder out = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            c -> {
              if (keepLines && (c == '\n' || c == '\t')) {
                out.append((char) c);
              } else if (c == '\n') {
                out.append("\\n");
              } else if (c == '\r') {
                out.append("\\r");
              } else if (c == '\t') {
                out.append("\\t");
              } else if (Character.isISOControl(c)) {
                out.append(String.format("\\x%02x", c));
              } else if (Character.getType(c) == Character.FORMAT
                  || Character.getType(c) == Character.LINE_SEPARATOR
                  || Character.getType(c) == Character.PARAGRAPH_SEPARATOR
                  || Character.getType(c) == Character.SURROGATE) {
                out.append(String.format("\\u%04x", c));
              } else {
                out.appendCodePoint(c);
              }
            });
    return out.toString();
  }
}
