package dev.adit.ssh.keys;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Files with a public key or a certificate on one line: {@code id_ed25519.pub}. */
public final class PublicKeyFile {
  private PublicKeyFile() {}

  /**
   * The first key in a file; lines that are empty or begin with # are passed over.
   *
   * @throws NoSuchFileException if there is no such file
   * @throws KeyFileException if there is no key in it that we would use
   */
  public static SshPublicKey.Commented read(Path file) throws IOException {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(KeyLimits.MAX_KEY_FILE);
    }
    String text = new String(bytes, StandardCharsets.UTF_8);
    for (String line : text.lines().map(String::strip).toList()) {
      if (!line.isEmpty() && !line.startsWith("#")) {
        try {
          return SshPublicKey.parseLine(line, SshPublicKey.LOWEST_MIN_RSA_BITS);
        } catch (IOException e) {
          throw new KeyFileException(file, "invalid format: " + e.getMessage(), e);
        }
      }
    }
    throw new KeyFileException(file, "invalid format: no public key in it", null);
  }
}
