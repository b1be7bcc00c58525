package dev.adit.ssh.keys;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A key file that cannot be used. The message is the one line that ssh prints. */
public final class KeyFileException extends IOException {
  private static final long serialVersionUID = 1L;
  private final String warning;

  KeyFileException(Path file, String problem, @Nullable Throwable cause) {
    this(file, problem, "", cause);
  }

  KeyFileException(Path file, String problem, String warning, @Nullable Throwable cause) {
    super("Load key \"" + file + "\": " + problem, cause);
    this.warning = warning;
  }

  /** What ssh prints above the message: several lines, or empty. */
  public String warning() {
    return warning;
  }
}
