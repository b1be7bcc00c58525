package dev.adit.config;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Finds the files of an Include. */
public final class Globs {
  private Globs() {}

  /** The files that a path with wildcards stands for, sorted. */
  public static List<Path> files(String path) throws ConfigException {
    var found = List.of(Path.of("/"));
    for (var part : Path.of(path)) {
      var name = part.toString();
      var next = new ArrayList<Path>();
      if (!isGlob(name)) {
        for (var directory : found) {
          var file = directory.resolve(part);
          if (Files.exists(file)) {
            next.add(file);
          }
        }
      } else {
        var matcher = FileSystems.getDefault().getPathMatcher("glob:" + escapeBraces(name));
        for (var directory : found) {
          if (!Files.isDirectory(directory)) {
            continue;
          }
          try (var entries = Files.list(directory)) {
            entries
                .filter(
                    entry ->
                        matcher.matches(entry.getFileName())
                            && (name.startsWith(".")
                                || !entry.getFileName().toString().startsWith(".")))
                .sorted()
                .forEach(next::add);
          } catch (IOException e) {
            throw new ConfigException(
                "Can't read directory %s: %s".formatted(directory, reason(e)), e);
          }
        }
      }
      found = next;
    }
    return found;
  }

  private static boolean isGlob(String name) {
    return name.indexOf('*') >= 0 || name.indexOf('?') >= 0 || name.indexOf('[') >= 0;
  }

  /** Braces mean nothing in glob(7), but something in Java's. */
  private static String escapeBraces(String name) {
    return name.replace("{", "\\{").replace("}", "\\}");
  }

  /** Why a file can't be read, in the system's words. */
  public static String reason(IOException e) {
    return switch (e) {
      case NoSuchFileException _ -> "No such file or directory";
      case AccessDeniedException _ -> "Permission denied";
      default -> String.valueOf(e.getMessage());
    };
  }
}
