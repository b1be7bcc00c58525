package dev.adit.ssh.keys;

import dev.adit.ssh.wire.MalformedDataException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A private key in a file. Its public half is known from the start; where the file is encrypted,
 * the passphrase is asked for at the first signature, that is, when a server has said that it would
 * take the key. Safe on any thread.
 */
public final class PrivateKeyFile implements Signer, AutoCloseable {
  /** The default of NumberOfPasswordPrompts. */
  public static final int DEFAULT_PROMPTS = 3;

  private static final int OTHERS_MAY = 077;

  private final Path file;
  private final KeyFormat format;
  private final PassphraseSource passphrases;
  private final int prompts;
  private final ReentrantLock lock = new ReentrantLock();
  private final SshPublicKey publicKey;

  /** Guarded by the lock; null until the first use. */
  private KeyFormat.@Nullable Opened opened;

  private PrivateKeyFile(Path file, KeyFormat format, PassphraseSource passphrases, int prompts)
      throws KeyFileException {
    this.file = file;
    this.format = format;
    this.passphrases = passphrases;
    this.prompts = prompts;
    var known = format.publicKey();
    if (known == null) {
      known = publicKeyBeside(file).orElse(null);
    }
    // An encrypted PEM file without its .pub file says nothing before the passphrase.
    this.publicKey = known == null ? open().key().publicKey() : known.plain();
  }

  /** Reads a key file; up to {@link #DEFAULT_PROMPTS} times asked for its passphrase. */
  public static PrivateKeyFile read(Path file, PassphraseSource passphrases) throws IOException {
    return read(file, passphrases, DEFAULT_PROMPTS);
  }

  /**
   * Reads a key file: OpenSSH's format, PKCS#8, PKCS#1 or SEC1.
   *
   * @param prompts how often to ask for a passphrase, NumberOfPasswordPrompts
   * @throws NoSuchFileException if there is no such file
   * @throws KeyFileException if it can't be used: too open permissions, damaged, of an unknown kind
   */
  public static PrivateKeyFile read(Path file, PassphraseSource passphrases, int prompts)
      throws IOException {
    checkPermissions(file);
    byte[] text = readFile(file);
    try {
      return new PrivateKeyFile(file, parse(text), passphrases, prompts);
    } catch (MalformedDataException e) {
      throw new KeyFileException(file, "invalid format: " + e.getMessage(), e);
    } finally {
      Arrays.fill(text, (byte) 0);
    }
  }

  /**
   * All that a key file can be used as: first with the certificate in FILE-cert.pub, where there is
   * one, then alone.
   */
  public static List<Signer> signers(Path file, PassphraseSource passphrases, int prompts)
      throws IOException {
    PrivateKeyFile key = read(file, passphrases, prompts);
    List<Signer> signers = new ArrayList<>();
    Path certificate = sibling(file, "-cert.pub");
    if (Files.exists(certificate)) {
      signers.add(CertifiedSigner.read(certificate, key));
    }
    signers.add(key);
    return signers;
  }

  /**
   * The public half of a key file without asking for anything: from the file itself where its
   * format shows it, or if the file is a public key (so that the agent's key can be named by it),
   * or from FILE.pub. Empty if there is none.
   */
  public static Optional<SshPublicKey> publicKeyOf(Path file) {
    try {
      byte[] text = readFile(file);
      try {
        var known = parse(text).publicKey();
        if (known != null) {
          return Optional.of(known);
        }
      } finally {
        Arrays.fill(text, (byte) 0);
      }
    } catch (IOException notPrivate) {
      try {
        return Optional.of(PublicKeyFile.read(file).key());
      } catch (IOException notPublic) {
        // Its neighbour may be readable.
      }
    }
    return publicKeyBeside(file);
  }

  private static Optional<SshPublicKey> publicKeyBeside(Path file) {
    try {
      return Optional.of(PublicKeyFile.read(sibling(file, ".pub")).key());
    } catch (IOException absent) {
      return Optional.empty();
    }
  }

  static Path sibling(Path file, String suffix) {
    return file.resolveSibling(file.getFileName() + suffix);
  }

  static KeyFormat parse(byte[] text) throws MalformedDataException {
    Pem pem = Pem.parse(text);
    if (pem.label().equals(OpenSshKeyFormat.LABEL)) {
      return OpenSshKeyFormat.parse(pem.bytes());
    }
    KeyFormat format = PemKeyFormat.parse(pem);
    if (format == null) {
      throw new MalformedDataException("it is a " + pem.label() + ", which is not supported");
    }
    return format;
  }

  private static byte[] readFile(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(KeyLimits.MAX_KEY_FILE + 1);
      if (bytes.length > KeyLimits.MAX_KEY_FILE) {
        throw new KeyFileException(
            file, "invalid format: more than " + KeyLimits.MAX_KEY_FILE + " bytes", null);
      }
      return bytes;
    }
  }

  /** As ssh: only a file of one's own is judged, for only that could be mended. */
  private static void checkPermissions(Path file) throws IOException {
    if (!Files.getFileStore(file).supportsFileAttributeView("posix")) {
      return;
    }
    int mode = (Integer) Files.getAttribute(file, "unix:mode") & 07777;
    if ((mode & OTHERS_MAY) == 0 || !CurrentUser.owns(file)) {
      return;
    }
    throw new KeyFileException(
        file,
        "bad permissions",
        """
        @@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
        @         WARNING: UNPROTECTED PRIVATE KEY FILE!          @
        @@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
        Permissions 0%03o for '%s' are too open.
        It is required that your private key files are NOT accessible by others.
        This private key will be ignored.
        """
            .formatted(mode & 0777, file),
        null);
  }

  public Path file() {
    return file;
  }

  public SshPublicKey publicKey() {
    return publicKey;
  }

  @Override
  public byte[] publicKeyBlob() {
    return publicKey.blob();
  }

  @Override
  public String name() {
    return file.toString();
  }

  @Override
  public List<String> algorithms() {
    return publicKey.algorithms();
  }

  /** Whether using it will ask for a passphrase. */
  public boolean needsPassphrase() {
    lock.lock();
    try {
      return opened == null && format.isEncrypted();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public byte[] sign(String algorithm, byte[] data) throws IOException {
    if (!algorithms().contains(algorithm)) {
      throw new IllegalArgumentException(publicKey.describe() + " key asked for " + algorithm);
    }
    PrivateKey key = open().key();
    try {
      return key.sign(algorithm, data);
    } catch (IllegalArgumentException e) {
      throw new KeyFileException(file, "the key does not sign: " + e.getMessage(), e);
    }
  }

  /** Forgets the private key; it is read from the encrypted file again if it is needed again. */
  @Override
  public void close() {
    lock.lock();
    try {
      if (opened != null && format.isEncrypted()) {
        opened.key().wipe();
        opened = null;
      }
    } finally {
      lock.unlock();
    }
  }

  /** The private key and its comment, asking for the passphrase if it wasn't yet. */
  KeyFormat.Opened open() throws KeyFileException {
    lock.lock();
    try {
      var known = opened;
      if (known == null) {
        known = format.isEncrypted() ? ask() : format.open(new byte[0]);
        // Null only while the constructor runs.
        if (publicKey != null && !known.key().publicKey().equals(publicKey)) {
          throw new KeyFileException(
              file, "the public key in " + sibling(file, ".pub") + " is another one", null);
        }
        opened = known;
      }
      return known;
    } catch (MalformedDataException e) {
      throw new KeyFileException(file, "invalid format: " + e.getMessage(), e);
    } catch (WrongPassphraseException e) {
      throw new KeyFileException(file, String.valueOf(e.getMessage()), e);
    } catch (KeyFileException e) {
      throw e;
    } catch (IOException e) {
      throw new KeyFileException(file, "the passphrase cannot be asked: " + e.getMessage(), e);
    } finally {
      lock.unlock();
    }
  }

  private KeyFormat.Opened ask() throws IOException, WrongPassphraseException {
    for (int i = 0; i < prompts; i++) {
      char[] passphrase = passphrases.ask("Enter passphrase for key '" + file + "': ");
      if (passphrase == null || passphrase.length == 0) {
        throw new KeyFileException(file, "no passphrase given", null);
      }
      byte[] bytes = utf8(passphrase);
      try {
        return format.open(bytes);
      } catch (WrongPassphraseException e) {
        // Asked again, unless that was the last time.
      } finally {
        Arrays.fill(bytes, (byte) 0);
        Arrays.fill(passphrase, '\0');
      }
    }
    throw new WrongPassphraseException();
  }

  private static byte[] utf8(char[] chars) {
    ByteBuffer encoded = StandardCharsets.UTF_8.encode(CharBuffer.wrap(chars));
    byte[] bytes = new byte[encoded.remaining()];
    encoded.get(bytes);
    Arrays.fill(encoded.array(), (byte) 0);
    return bytes;
  }
}
