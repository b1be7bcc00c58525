package dev.adit.ssh;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** docs/hostile.md names a test for each danger; they are all there. */
class HostilePageTest {
  private static final Path ROOT = Path.of("..");
  private static final Pattern NAME = Pattern.compile("`(\\w+Test)\\.(\\w+)`");

  @Test
  void everyRowNamesTestsThatExist() throws IOException {
    Map<String, String> sources = sources();
    List<String> rows =
        Files.readAllLines(ROOT.resolve("docs/hostile.md")).stream()
            .filter(line -> line.startsWith("|"))
            .filter(line -> !line.startsWith("|---") && !line.startsWith("| what went wrong "))
            .toList();
    assertThat(rows).hasSizeGreaterThan(20);
    for (String row : rows) {
      String[] cells = row.split("\\|", -1);
      assertThat(cells).as(row).hasSize(5);
      List<MatchResult> names = NAME.matcher(cells[3]).results().toList();
      assertThat(names).as(row).isNotEmpty();
      for (MatchResult name : names) {
        assertThat(isTest(sources.getOrDefault(name.group(1), ""), name.group(2)))
            .as("a test %s.%s", name.group(1), name.group(2))
            .isTrue();
      }
    }
  }

  /** Between the method before and this one stands an annotation. */
  private static boolean isTest(String source, String method) {
    int at = source.indexOf("void " + method + "(");
    return at >= 0
        && Pattern.compile("@(Test|ParameterizedTest|RepeatedTest|FuzzTest)\\b")
            .matcher(source.substring(Math.max(0, source.lastIndexOf("void ", at - 1)), at))
            .find();
  }

  /** By the name of the class. */
  private static Map<String, String> sources() throws IOException {
    Map<String, String> sources = new HashMap<>();
    for (String module : List.of("ssh", "app", "interop")) {
      try (Stream<Path> files = Files.walk(ROOT.resolve(module).resolve("src"))) {
        for (Path file : files.filter(f -> f.toString().endsWith("Test.java")).toList()) {
          String name = file.getFileName().toString();
          sources.put(name.substring(0, name.length() - ".java".length()), Files.readString(file));
        }
      }
    }
    return sources;
  }
}
