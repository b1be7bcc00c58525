package dev.adit.gateway;

import dev.adit.ssh.keys.RevokedKeys;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/** Revocation lists as they are on disk, parsed once for each change. Safe on any thread. */
final class RevocationFiles {
  /** The configuration names them, so there are few. */
  private final ConcurrentMap<Path, Parsed> files = new ConcurrentHashMap<>();

  /** What a file looks like from outside: a new one differs in one of these. */
  private record Identity(@Nullable Object fileKey, FileTime modified, long size) {
    static Identity of(Path file) throws IOException {
      var attributes = Files.readAttributes(file, BasicFileAttributes.class);
      return new Identity(attributes.fileKey(), attributes.lastModifiedTime(), attributes.size());
    }
  }

  private record Parsed(Identity identity, RevokedKeys keys) {}

  /**
   * @throws IOException if the list isn't there or can't be understood: then no key is to be taken
   */
  RevokedKeys get(Path file) throws IOException {
    // Looked at before reading: a change in between is seen at the next call.
    Identity identity = Identity.of(file);
    Parsed parsed = files.get(file);
    if (parsed == null || !parsed.identity.equals(identity)) {
      parsed = new Parsed(identity, RevokedKeys.read(file));
      files.put(file, parsed);
    }
    return parsed.keys;
  }
}
