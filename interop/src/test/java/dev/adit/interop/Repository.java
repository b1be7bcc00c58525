package dev.adit.interop;

import java.nio.file.Files;
import java.nio.file.Path;

/** Where this clone of the project is. */
final class Repository {
  private static final Path ROOT = find();

  private Repository() {}

  static Path root() {
    return ROOT;
  }

  private static Path find() {
    Path dir = Path.of("").toAbsolutePath();
    while (!Files.exists(dir.resolve("interop/judges.txt"))) {
      dir = dir.getParent();
      if (dir == null) {
        throw new AssertionError("tests run inside a clone of adit");
      }
    }
    return dir;
  }
}
