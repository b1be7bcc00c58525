package dev.adit.ssh.keys;

import dev.adit.ssh.wire.MalformedDataException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;

/**
 * The keys that must not be taken from any host (RevokedHostKeys): a text file with a public key on
 * each line. OpenSSH's binary key revocation lists are refused with an error.
 */
public final class RevokedHostKeys {
  /** More than a hundred thousand keys. */
  private static final int MAX_FILE_LENGTH = 64 << 20;

  private static final byte[] KRL_MAGIC = "SSHKRL\n\0".getBytes(StandardCharsets.ISO_8859_1);

  private final Path file;
  private final Set<SshPublicKey> keys = new HashSet<>();

  private RevokedHostKeys(Path file) {
    this.file = file;
  }

  /**
   * Reads the file whole: a list that can't be understood must not let a key pass.
   *
   * @throws IOException if it can't be read, or a line can't be understood
   */
  public static RevokedHostKeys read(Path file) throws IOException {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(MAX_FILE_LENGTH + 1);
    }
    if (bytes.length > MAX_FILE_LENGTH) {
      throw new IOException(file + ": more than " + MAX_FILE_LENGTH + " bytes");
    }
    int compared = Math.min(bytes.length, KRL_MAGIC.length);
    if (compared > 0 && Arrays.equals(bytes, 0, compared, KRL_MAGIC, 0, KRL_MAGIC.length)) {
      throw new IOException(
          file
              + ": binary key revocation lists (KRL) are not supported yet;"
              + " a text file with a public key on each line is");
    }
    RevokedHostKeys revoked = new RevokedHostKeys(file);
    int number = 0;
    for (String line : new String(bytes, StandardCharsets.UTF_8).split("\n", -1)) {
      number++;
      String text = line.strip();
      if (text.isEmpty() || text.startsWith("#")) {
        continue;
      }
      try {
        revoked.keys.add(
            SshPublicKey.parseLine(text, SshPublicKey.LOWEST_MIN_RSA_BITS).key().plain());
      } catch (MalformedDataException e) {
        throw new IOException(file + ":" + number + ": " + e.getMessage(), e);
      }
    }
    return revoked;
  }

  public Path file() {
    return file;
  }

  /** Whether the key is revoked, or the key in this certificate, or the authority behind it. */
  public boolean contains(SshPublicKey key) {
    return keys.contains(key.plain())
        || (key instanceof Certificate certificate && keys.contains(certificate.authority()));
  }
}
