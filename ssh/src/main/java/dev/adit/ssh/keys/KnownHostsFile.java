package dev.adit.ssh.keys;

import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Changes a known_hosts file. The new content is written beside it and then takes its place, so
 * that a reader, a crash or a full disk finds the old file or the new one and nothing between.
 * Writers of this kind, in this program and others, wait for each other; ssh and editors don't.
 */
public final class KnownHostsFile {
  private static final FileAttribute<Set<PosixFilePermission>> OWNER_ONLY =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
  private static final FileAttribute<Set<PosixFilePermission>> DIRECTORY =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

  private static final int SALT_LENGTH = 20;
  private static final int MAX_LINKS = 32;

  /** File locks are the process's: threads of one process need their own. */
  private static final ReentrantLock THREADS = new ReentrantLock();

  private static final SecureRandom RANDOM = new SecureRandom();

  private KnownHostsFile() {}

  /**
   * Adds a host's key at the end. The file is made if it isn't there, and so is its directory.
   *
   * @param hash whether to hide the name (HashKnownHosts)
   */
  public static void add(Path file, String host, int port, SshPublicKey key, boolean hash)
      throws IOException {
    update(file, host, port, List.of(key), List.of(), hash);
  }

  /**
   * Adds and removes keys of a host in one step, as UpdateHostKeys does. Removed are lines without
   * a marker on which the host is the only name; from lines with further names only this name goes;
   * lines that match it by a wildcard stay. A key that is already there under this name is not
   * added again.
   */
  public static void update(
      Path file,
      String host,
      int port,
      Collection<SshPublicKey> add,
      Collection<SshPublicKey> remove,
      boolean hash)
      throws IOException {
    String name = KnownHosts.name(host, port);
    rewrite(
        file,
        lines -> {
          List<String> result = new ArrayList<>();
          List<SshPublicKey> missing = new ArrayList<>(add);
          for (String line : lines) {
            String kept = withoutKey(line, name, remove);
            if (kept != null) {
              result.add(kept);
              missing.removeIf(key -> holds(kept, name, key));
            }
          }
          for (SshPublicKey key : missing) {
            result.add((hash ? HostPatterns.hash(name, salt()) : name) + " " + key.toLine());
          }
          return result;
        });
  }

  private static byte[] salt() {
    byte[] salt = new byte[SALT_LENGTH];
    RANDOM.nextBytes(salt);
    return salt;
  }

  /** Null if nothing is left of the line. */
  private static @Nullable String withoutKey(
      String line, String name, Collection<SshPublicKey> remove) {
    for (SshPublicKey key : remove) {
      if (holds(line, name, key)) {
        String stripped = line.strip();
        String names = stripped.split("[ \t]+", 2)[0];
        String left = HostPatterns.without(names, name);
        return left.isEmpty() ? null : left + stripped.substring(names.length());
      }
    }
    return line;
  }

  /** Whether an unmarked line has this key, and this name as one of its names. */
  private static boolean holds(String line, String name, SshPublicKey key) {
    String[] words = line.strip().split("[ \t]+", 4);
    return words.length >= 3
        && !words[0].startsWith("@")
        && !words[0].startsWith("#")
        // Under another type's name it is no key, and no lookup finds it.
        && words[1].equals(key.typeName())
        && words[2].equals(Base64.getEncoder().encodeToString(key.blob()))
        && !HostPatterns.without(words[0], name).equals(words[0]);
  }

  private interface Change {
    List<String> apply(List<String> lines);
  }

  private static void rewrite(Path link, Change change) throws IOException {
    Path file = followLinks(link.toAbsolutePath());
    Path directory = Objects.requireNonNull(file.getParent(), "a file has a directory");
    if (!Files.isDirectory(directory)) {
      Files.createDirectory(directory, DIRECTORY);
    }
    if (Files.isDirectory(file)) {
      throw new IOException(file + ": is a directory");
    }
    if (Files.exists(file) && !Files.isRegularFile(file)) {
      // /dev/null takes everything and keeps nothing. It must not be replaced by a file.
      return;
    }
    THREADS.lock();
    try {
      while (!tryRewrite(file, directory, change)) {
        // Another writer's file took the place of the one that was locked.
      }
    } finally {
      THREADS.unlock();
    }
  }

  private static boolean tryRewrite(Path file, Path directory, Change change) throws IOException {
    try {
      Files.createFile(file, OWNER_ONLY);
    } catch (FileAlreadyExistsException there) {
      // As nearly always.
    }
    // Closing any descriptor of a file gives up all locks that the process has on it, so the file
    // is read through this one, and the second is open to the end.
    try (FileChannel channel = FileChannel.open(file, READ, WRITE);
        var lock = channel.lock();
        FileChannel now = FileChannel.open(file, READ, WRITE)) {
      if (!isLocked(now)) {
        return false;
      }
      // Bytes that are no UTF-8 survive in ISO 8859-1; all that we look for is ASCII.
      String text =
          new String(Channels.newInputStream(channel).readAllBytes(), StandardCharsets.ISO_8859_1);
      List<String> lines = new ArrayList<>(List.of(text.split("\n", -1)));
      // The end of the last line isn't a line.
      if (lines.getLast().isEmpty()) {
        lines.removeLast();
      }
      List<String> changed = change.apply(lines);
      if (!changed.equals(lines)) {
        replace(file, directory, String.join("\n", changed) + (changed.isEmpty() ? "" : "\n"));
      }
      return lock.isValid();
    } catch (NoSuchFileException removed) {
      return false;
    }
  }

  private static void replace(Path file, Path directory, String text) throws IOException {
    Path fresh = Files.createTempFile(directory, file.getFileName() + ".", ".new", OWNER_ONLY);
    try {
      try (FileChannel out = FileChannel.open(fresh, WRITE)) {
        var bytes = StandardCharsets.ISO_8859_1.encode(text);
        while (bytes.hasRemaining()) {
          out.write(bytes);
        }
        out.force(true);
      }
      // A file that others may read, such as the system's, stays readable to them.
      Files.setPosixFilePermissions(fresh, Files.getPosixFilePermissions(file));
      Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(fresh);
    }
  }

  /**
   * Whether this file is the one that we have locked. Java finds out by the open files; a
   * comparison of inode numbers could be deceived, for the number of a file that was replaced is
   * used again.
   */
  private static boolean isLocked(FileChannel channel) throws IOException {
    try (var _ = channel.tryLock()) {
      return false;
    } catch (OverlappingFileLockException ours) {
      return true;
    }
  }

  /** A link stays a link: what it points to is replaced, even if that isn't there yet. */
  private static Path followLinks(Path path) throws IOException {
    Path file = path;
    for (int i = 0; Files.isSymbolicLink(file); i++) {
      if (i == MAX_LINKS) {
        throw new IOException(path + ": too many symbolic links");
      }
      file = file.resolveSibling(Files.readSymbolicLink(file));
    }
    Path parent = Objects.requireNonNull(file.getParent(), "a file has a directory");
    return Files.exists(parent, LinkOption.NOFOLLOW_LINKS)
        ? parent.toRealPath().resolve(file.getFileName())
        : file;
  }
}
