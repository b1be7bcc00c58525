package dev.adit.interop;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Key files and certificates, made by the real ssh-keygen. */
final class Keys {
  /** Every type of key that OpenSSH generates without a security key. */
  enum Type {
    ED25519("ed25519", 0),
    ECDSA_256("ecdsa", 256),
    ECDSA_384("ecdsa", 384),
    ECDSA_521("ecdsa", 521),
    RSA("rsa", 2048);

    private final String name;
    private final int bits;

    Type(String name, int bits) {
      this.name = name;
      this.bits = bits;
    }
  }

  /** The format of the private key's file, as ssh-keygen's {@code -m} has it. */
  enum Format {
    /** OpenSSH's own. */
    OPENSSH,
    /** PKCS#1 for RSA, SEC1 for ECDSA; there is none for Ed25519. */
    PEM,
    PKCS8
  }

  /** The files of a key: {@code path}, {@code path.pub} and, once certified, the certificate. */
  record KeyFile(Path path) {
    Path publicPath() {
      return Path.of(path + ".pub");
    }

    Path certificatePath() {
      return Path.of(path + "-cert.pub");
    }

    /** The line of the .pub file: type, base64, comment. */
    String publicLine() {
      try {
        return Files.readString(publicPath()).strip();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /** {@code SHA256:...}, as people compare it. */
    String fingerprint() {
      return Program.of(keygen(), "-l", "-f", path).run().split(" ", -1)[1];
    }
  }

  private static final Scratch SHARED = Scratch.untilExit();
  private static final Map<Type, KeyFile> CACHE = new ConcurrentHashMap<>();

  private Keys() {}

  /** A key without a passphrase that all tests of this JVM share: RSA keys take long to make. */
  static KeyFile shared(Type type) {
    return CACHE.computeIfAbsent(type, t -> generate(SHARED.path(t.name()), t));
  }

  static KeyFile generate(Path path, Type type) {
    return generate(path, type, Format.OPENSSH, "");
  }

  static KeyFile generate(Path path, Type type, Format format, String passphrase, String... more) {
    Program keygen =
        Program.of(keygen(), "-q", "-t", type.name, "-f", path, "-N", passphrase, "-C", "test");
    if (type.bits != 0) {
      keygen.arguments("-b", type.bits);
    }
    if (format != Format.OPENSSH) {
      keygen.arguments("-m", format);
    }
    keygen.arguments((Object[]) more).run();
    return new KeyFile(path);
  }

  /**
   * Certifies a user's key.
   *
   * @param more further arguments of ssh-keygen, such as {@code -O force-command=...} or {@code -V}
   */
  static Path certifyUser(KeyFile authority, KeyFile user, String principals, String... more) {
    Program.of(keygen(), "-q", "-s", authority.path, "-I", "test", "-n", principals)
        .arguments((Object[]) more)
        .arguments(user.publicPath())
        .run();
    return user.certificatePath();
  }

  /** Certifies a host's key for the names, which are separated by commas. */
  static Path certifyHost(KeyFile authority, KeyFile host, String names, String... more) {
    Program.of(keygen(), "-q", "-s", authority.path, "-I", "test", "-h", "-n", names)
        .arguments((Object[]) more)
        .arguments(host.publicPath())
        .run();
    return host.certificatePath();
  }

  static Path keygen() {
    return Judges.require("ssh").resolveSibling("ssh-keygen");
  }
}
