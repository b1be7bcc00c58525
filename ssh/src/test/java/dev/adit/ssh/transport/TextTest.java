package dev.adit.ssh.transport;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What a peer says must neither move the cursor nor turn the text around. */
class TextTest {
  @Test
  void nothingThatControlsATerminalGetsThrough() {
    for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
      String said = "a" + Character.toString(c) + "b";
      assertHarmless(c, Text.escape(said), false);
      assertHarmless(c, Text.escapeLines(said), true);
    }
    assertThat(Text.escape("Grüße 漢字 🚇")).isEqualTo("Grüße 漢字 🚇");
    assertThat(Text.escapeLines("a\r\nb\tc\rd")).isEqualTo("a\nb\tc\\rd");
  }

  private static void assertHarmless(int codePoint, String shown, boolean keepsLines) {
    boolean harmless =
        shown
            .codePoints()
            .allMatch(
                c ->
                    keepsLines && (c == '\n' || c == '\t')
                        || c >= ' ' && c != 0x7f && !(c >= 0x80 && c < 0xa0) && !isFormat(c));
    if (!harmless) {
      throw new AssertionError("U+%04X is shown as it is".formatted(codePoint));
    }
  }

  /** Bidi controls, zero-width characters, separators of lines, halves of characters. */
  private static boolean isFormat(int c) {
    return switch (Character.getType(c)) {
      case Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SURROGATE ->
          true;
      default -> false;
    };
  }
}
