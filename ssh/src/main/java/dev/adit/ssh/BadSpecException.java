package dev.adit.ssh;

/**
 * A forwarding, address or destination that is not written as it should be. It knows which
 * character is wrong and what was expected there, so that a program can point at it.
 */
public final class BadSpecException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  private final String kind;
  private final String spec;
  private final int column;
  private final String expected;

  /**
   * @param kind what the text was meant to be, for example {@code local forwarding specification}
   * @param spec the whole text
   * @param column index of the offending character, from 0; the length of the text when it ends too
   *     early
   * @param expected what should have stood there, for example {@code a port number}
   */
  public BadSpecException(String kind, String spec, int column, String expected) {
    super(
        "Bad %s '%s': %s was expected %s"
            .formatted(
                kind,
                printable(spec),
                expected,
                column >= spec.length() ? "at the end" : "at character " + (column + 1)));
    this.kind = kind;
    this.spec = spec;
    this.column = column;
    this.expected = expected;
  }

  /** What the text was meant to be, for example {@code local forwarding specification}. */
  public String kind() {
    return kind;
  }

  /** The whole text as it was given. */
  public String spec() {
    return spec;
  }

  /** Index of the offending character, from 0; the text's length when it ends too early. */
  public int column() {
    return column;
  }

  /** What should have stood at {@link #column}. */
  public String expected() {
    return expected;
  }

  /** The headline in ssh's words, without the place: {@code Bad ... '...'}. */
  public String headline() {
    return "Bad %s '%s'".formatted(kind, printable(spec));
  }

  /** Two lines for a terminal: the text, and below it a caret at the offending character. */
  public String pointer() {
    return "  %s%n  %s^ %s was expected here"
        .formatted(printable(spec), " ".repeat(column), expected);
  }

  /** One column for each character, so that the caret stays under its character. */
  private static String printable(String text) {
    var shown = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      shown.append(Character.isISOControl(c) ? '?' : c);
    }
    return shown.toString();
  }
}
