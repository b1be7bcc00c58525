package dev.adit.explain;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Every picture in the pages and in the golden files is what the program prints. A picture is a
 * block between fences whose first line is {@code $ adit explain ...}. To write them again: {@code
 * mvn -pl ssh,app test -Dtest=ExplainedPagesTest -Dsurefire.failIfNoSpecifiedTests=false
 * -Dadit.writePictures=true}, and then read what has changed.
 */
class ExplainedPagesTest {
  private static final Path DOCS = Path.of("../docs");
  private static final Path GOLDEN = Path.of("src/test/resources/explain");

  @TestFactory
  Stream<DynamicTest> picturesAreWhatTheProgramPrints() throws IOException {
    var pages = new ArrayList<Path>();
    for (var root : List.of(DOCS, GOLDEN)) {
      try (var files = Files.walk(root)) {
        files.filter(file -> file.toString().endsWith(".md")).sorted().forEach(pages::add);
      }
    }
    return pages.stream()
        .map(page -> DynamicTest.dynamicTest(page.toString(), () -> checkPage(page)));
  }

  private static void checkPage(Path page) throws IOException {
    var text = Files.readString(page);
    var drawn = drawAgain(text);
    if (Boolean.getBoolean("adit.writePictures")) {
      Files.writeString(page, drawn);
    } else {
      assertThat(text).isEqualTo(drawn);
    }
  }

  /** The page with each picture replaced by what the program prints now. */
  private static String drawAgain(String text) {
    var drawn = new StringBuilder();
    boolean isPicture = false;
    for (var line : text.lines().toList()) {
      boolean isCommand = line.startsWith("$ ") && line.contains("adit explain ");
      isPicture = (isPicture && !line.equals("```")) || isCommand;
      if (isCommand) {
        drawn.append(line).append('\n').append(ExplainRun.ofLine(line.substring(2)));
      } else if (!isPicture) {
        drawn.append(line).append('\n');
      }
    }
    return drawn.toString();
  }

  @Test
  void goldenFilesAreThere() throws IOException {
    try (var files = Files.list(GOLDEN)) {
      assertThat(files).isNotEmpty();
    }
  }

  @Test
  void pictureOfTheReadmeIsWhatTheProgramDraws() throws IOException {
    var exit =
        ExplainRun.of(
            new Screen(80, true, false),
            "--here",
            "work",
            "--svg",
            "-",
            "-L",
            "9001:yahoo.com:80",
            "home");
    var file = DOCS.resolve("tunnel.svg");
    if (Boolean.getBoolean("adit.writePictures")) {
      Files.writeString(file, exit.out());
    }
    assertThat(Files.readString(file))
        .as(
            "write it again with: ./adit explain --here work --svg docs/tunnel.svg -F none"
                + " -L 9001:yahoo.com:80 home")
        .isEqualTo(exit.out());
  }
}
