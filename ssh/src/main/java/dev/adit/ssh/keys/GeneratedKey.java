package dev.adit.ssh.keys;

import dev.adit.ssh.crypto.Ed25519;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.List;
import java.util.Set;

/** A new Ed25519 key, which lives in memory unless it is {@linkplain #write written} to a file. */
public final class GeneratedKey implements Signer {
  private final byte[] seed;
  private final PrivateKey key;

  private GeneratedKey(byte[] seed) {
    this.seed = seed;
    this.key = PrivateKey.ed25519(seed);
  }

  public static GeneratedKey ed25519() {
    byte[] seed = new byte[Ed25519.KEY_LENGTH];
    new SecureRandom().nextBytes(seed);
    return new GeneratedKey(seed);
  }

  public SshPublicKey publicKey() {
    return key.publicKey();
  }

  @Override
  public byte[] publicKeyBlob() {
    return key.publicKey().blob();
  }

  @Override
  public String name() {
    return key.publicKey().toString();
  }

  @Override
  public List<String> algorithms() {
    return key.publicKey().algorithms();
  }

  @Override
  public byte[] sign(String algorithm, byte[] data) {
    return key.sign(algorithm, data);
  }

  /**
   * Writes the key as ssh-keygen does without a passphrase, for its owner alone, and the public
   * half to FILE.pub.
   *
   * @throws java.nio.file.FileAlreadyExistsException if there is such a file; it stays as it is
   */
  public void write(Path file, String comment) throws IOException {
    create(file, OpenSshKeyFormat.write(seed, comment), "rw-------");
    create(
        PrivateKeyFile.sibling(file, ".pub"),
        publicKey().toLine() + " " + comment + "\n",
        "rw-r--r--");
  }

  private static void create(Path file, String text, String permissions) throws IOException {
    FileSystem system = file.getFileSystem();
    FileAttribute<?>[] attributes =
        system.supportedFileAttributeViews().contains("posix")
            ? new FileAttribute<?>[] {
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
            }
            : new FileAttribute<?>[0];
    try (var out =
        Files.newByteChannel(
            file, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), attributes)) {
      var bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        out.write(bytes);
      }
    }
  }
}
