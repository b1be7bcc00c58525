package dev.adit.interop;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What docs/library.md shows is Java that compiles against the library as it is. */
class LibraryPageTest {
  private static final Pattern BLOCK = Pattern.compile("(?s)```java\n(.*?)```");

  /** What a reader's file has around it, and the one name that the page leaves to the reader. */
  private static final String AROUND =
      """
      import dev.adit.ssh.%3$s;
      import java.net.InetAddress;
      import java.net.InetSocketAddress;
      import java.nio.file.Path;
      import java.util.%3$s;

      class Example%1$d {
        private final Set<String> allowedKeys = Set.of();

        void run() throws Exception {
      %2$s
        }
      }
      """;

  @Test
  void everyExampleCompiles() throws Exception {
    List<String> blocks =
        BLOCK
            .matcher(Files.readString(Repository.root().resolve("docs/library.md")))
            .results()
            .map((MatchResult block) -> block.group(1))
            .toList();
    assertThat(blocks).hasSizeGreaterThanOrEqualTo(2);
    try (var scratch = new Scratch()) {
      List<Object> files = new ArrayList<>();
      for (int i = 0; i < blocks.size(); i++) {
        files.add(scratch.write("Example" + i + ".java", AROUND.formatted(i, blocks.get(i), "*")));
      }
      Program.of(
              Path.of(System.getProperty("java.home"), "bin", "javac"),
              "-d",
              scratch.path("classes"),
              "-cp",
              System.getProperty("java.class.path"))
          .arguments(files.toArray())
          .run();
    }
  }
}
