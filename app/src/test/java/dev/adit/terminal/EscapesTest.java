package dev.adit.terminal;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What ssh(1), section ESCAPE CHARACTERS, says; the commands are shown as [NAME]. */
class EscapesTest {

  /** Types the pieces, one read each; what the remote side and the commands saw, in order. */
  private static String type(int escape, String... pieces) {
    StringBuilder seen = new StringBuilder();
    Escapes escapes = new Escapes(escape);
    for (String piece : pieces) {
      byte[] typed = piece.getBytes(ISO_8859_1);
      escapes.accept(
          typed,
          typed.length,
          new Escapes.Sink() {
            @Override
            public void data(byte[] bytes, int offset, int length) {
              seen.append(new String(bytes, offset, length, ISO_8859_1));
            }

            @Override
            public void command(Escapes.Command command) {
              seen.append('[').append(command).append(']');
            }
          });
    }
    return seen.toString();
  }

  @ParameterizedTest
  @CsvSource({
    // At the very beginning, after CR and after LF, and nowhere else.
    "~.,        [DISCONNECT]",
    "a|~?,      a|[HELP]",
    "a;~#,      a;[CONNECTIONS]",
    "a~.,       a~.",
    "~~.,       ~.",
    "~~,        ~",
    "~x,        ~x",
    "~|~.,      ~|[DISCONNECT]",
    // A command leaves the line at its beginning.
    "~R~.,      [REKEY][DISCONNECT]",
    "~v~V~B~C~&, [MORE_VERBOSE][LESS_VERBOSE][BREAK][COMMAND_LINE][BACKGROUND]",
    // Upper and lower case are not the same.
    "~r,        ~r",
  })
  void escapes(String typed, String seen) {
    assertThat(lines(type('~', lines(typed)))).isEqualTo(lines(seen));
  }

  /** | stands for CR and ; for LF. */
  private static String lines(String text) {
    return text.replace('|', '\r').replace(';', '\n');
  }

  @Test
  void controlZSuspendsAndAControlCharacterMayBeTheEscape() {
    assertThat(type('~', "~\032")).isEqualTo("[SUSPEND]");
    assertThat(type('\002', "\002.")).isEqualTo("[DISCONNECT]");
    assertThat(new Escapes('\002').name()).isEqualTo("^B");
    assertThat(new Escapes('~').name()).isEqualTo("~");
  }

  @Test
  void withoutAnEscapeCharacterEverythingPasses() {
    assertThat(type(Escapes.NONE, "~.\r~.")).isEqualTo("~.\r~.");
  }

  @Test
  void howTheBytesAreCutIntoReadsMakesNoDifference() {
    Random random = new Random(42);
    String alphabet = "~~~.?#Rab\r\n\032\377";
    for (int round = 0; round < 2000; round++) {
      StringBuilder typed = new StringBuilder();
      for (int i = random.nextInt(20); i >= 0; i--) {
        typed.append(alphabet.charAt(random.nextInt(alphabet.length())));
      }
      String text = typed.toString();
      assertThat(type('~', text.split("", -1))).isEqualTo(type('~', text));
    }
  }
}
