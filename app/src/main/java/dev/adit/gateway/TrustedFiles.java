package dev.adit.gateway;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Reads files that say who gets in, and refuses those that somebody else could have written
 * (StrictModes): as sshd, the file and each directory above it, up to the user's home, must belong
 * to the user or to root and be writable by nobody else.
 */
final class TrustedFiles {
  private static final int GROUP_AND_OTHERS_WRITE = 022;
  private static final int ROOT = 0;

  private TrustedFiles() {}

  /** A file that is there and isn't to be trusted; the message is sshd's. */
  static final class UntrustedFileException extends IOException {
    private static final long serialVersionUID = 1L;

    UntrustedFileException(String message) {
      super(message);
    }
  }

  /**
   * Reads a user's file.
   *
   * @param strict whether owners and modes are looked at
   * @param maxLength bytes
   * @return null if there is no such file
   * @throws UntrustedFileException if somebody else could have written it, or it is no file
   * @throws IOException if it can't be read, or is longer
   */
  static byte @Nullable [] read(Path file, Account account, boolean strict, int maxLength)
      throws IOException {
    try {
      // What is looked at is what is read, wherever links lead.
      Path real = file.toRealPath();
      if (!Files.readAttributes(real, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
          .isRegularFile()) {
        throw new UntrustedFileException(
            "User %s authorized keys %s is not a regular file".formatted(account.name(), file));
      }
      if (strict) {
        check(real, account);
      }
      return read(real, maxLength);
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  /** Reads a file of the server's own, whose place the configuration names. */
  static byte[] read(Path file, int maxLength) throws IOException {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(maxLength + 1);
    }
    if (bytes.length > maxLength) {
      throw new IOException(file + ": more than " + maxLength + " bytes");
    }
    return bytes;
  }

  private static void check(Path real, Account account) throws IOException {
    if (isOpen(real, account)) {
      throw new UntrustedFileException("bad ownership or modes for file " + real);
    }
    Path home = account.home() == null ? null : realPathOrNull(account.home());
    for (Path directory = real.getParent(); directory != null; directory = directory.getParent()) {
      if (isOpen(directory, account)) {
        throw new UntrustedFileException("bad ownership or modes for directory " + directory);
      }
      if (directory.equals(home)) {
        return;
      }
    }
  }

  private static @Nullable Path realPathOrNull(Path path) {
    try {
      return path.toRealPath();
    } catch (IOException e) {
      return null;
    }
  }

  /**
   * Whether others than the user, root and the account that runs aditd could write there. sshd runs
   * as root, so the last two are one for it.
   */
  private static boolean isOpen(Path path, Account account) throws IOException {
    Map<String, Object> attributes =
        Files.readAttributes(path, "unix:uid,mode", LinkOption.NOFOLLOW_LINKS);
    long uid = Integer.toUnsignedLong((Integer) Objects.requireNonNull(attributes.get("uid")));
    int mode = (Integer) Objects.requireNonNull(attributes.get("mode"));
    return (uid != ROOT && uid != account.uid() && uid != SystemUsers.ownUid())
        || (mode & GROUP_AND_OTHERS_WRITE) != 0;
  }
}
