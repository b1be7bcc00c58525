package dev.adit.interop;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.stream.Stream;

/** A directory of the test's own, gone at the end. Its path is short: Unix sockets live in it. */
final class Scratch implements AutoCloseable {
  private final Path dir;

  Scratch() {
    try {
      dir = Files.createTempDirectory(Path.of("/tmp"), "adit-");
      // Other accounts may walk through, for the tests that log in as somebody else.
      Files.setPosixFilePermissions(dir, PosixFilePermissions.fromString("rwx--x--x"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** One that lives as long as this JVM. */
  static Scratch untilExit() {
    var scratch = new Scratch();
    Runtime.getRuntime().addShutdownHook(new Thread(scratch::close));
    return scratch;
  }

  Path dir() {
    return dir;
  }

  Path path(String name) {
    return dir.resolve(name);
  }

  /** A new file, readable by its owner only, as keys have to be. */
  Path write(String name, String text) {
    try {
      Path file = path(name);
      Files.createDirectories(file.getParent());
      Files.writeString(file, text);
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Removes it; a second time does nothing. */
  @Override
  public void close() {
    if (!Files.exists(dir)) {
      return;
    }
    try (Stream<Path> paths = Files.walk(dir)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    } catch (IOException | UncheckedIOException e) {
      // What a dying program still writes here is no reason to fail a test that has passed.
      System.err.println("could not remove all of " + dir + ": " + e);
    }
  }
}
