package dev.adit.interop;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.opentest4j.TestAbortedException;

/**
 * The programs of other people's that judge adit: the table {@code interop/judges.txt}. A test asks
 * for what it needs, and fails where it is missing.
 */
final class Judges {
  private Judges() {}

  private record Judge(String name, String found, String debianPackage) {}

  /**
   * The path of a judge of the table. Fails the test if it is missing; only where a person said
   * {@code -Dadit.withoutJudges=true} is the test reported as skipped instead, and never in CI.
   */
  static Path require(String name) {
    Judge judge =
        table().stream()
            .filter(j -> j.name.equals(name))
            .findFirst()
            .orElseThrow(() -> new AssertionError(name + " is not in interop/judges.txt"));
    for (Path path : candidates(judge.found)) {
      if (Files.exists(path)) {
        return path;
      }
    }
    String message =
        "this test needs %s (Debian package %s); interop/install-judges installs it"
            .formatted(name, judge.debianPackage);
    if (Boolean.getBoolean("adit.withoutJudges") && !"true".equals(System.getenv("CI"))) {
      throw new TestAbortedException(message);
    }
    throw new AssertionError(message);
  }

  /** Debian's own Python, which has Debian's Python packages; the PATH may hold another one. */
  static Path python(String judge) {
    require(judge);
    return Path.of("/usr/bin/python3");
  }

  private static List<Path> candidates(String found) {
    if (found.contains("/")) {
      return List.of(Repository.root().resolve("interop").resolve(found));
    }
    List<Path> paths = new ArrayList<>();
    // Servers live in sbin, which is not on everyone's PATH.
    String path = System.getenv("PATH") + ":/usr/local/sbin:/usr/sbin:/sbin";
    for (String dir : path.split(":", -1)) {
      paths.add(Path.of(dir, found));
    }
    return paths;
  }

  private static List<Judge> table() {
    try (Stream<String> lines = Files.lines(Repository.root().resolve("interop/judges.txt"))) {
      return lines
          .filter(line -> !line.isBlank() && !line.startsWith("#"))
          .map(line -> line.split("\\s*\\|\\s*", -1))
          .map(columns -> new Judge(columns[0].strip(), columns[1], columns[2]))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
