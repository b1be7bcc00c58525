package dev.adit.ssh;

import dev.adit.ssh.keys.CertifiedSigner;
import dev.adit.ssh.keys.GeneratedKey;
import dev.adit.ssh.keys.PrivateKeyFile;
import dev.adit.ssh.keys.Signer;
import dev.adit.ssh.keys.SshPublicKey;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A key with which a server proves who it is, with its certificates. Immutable. */
public final class HostKey {
  private final SshPublicKey publicKey;
  private final Signer key;
  private final List<CertifiedSigner> certificates;

  private HostKey(SshPublicKey publicKey, Signer key, List<CertifiedSigner> certificates) {
    this.publicKey = publicKey;
    this.key = key;
    this.certificates = List.copyOf(certificates);
  }

  /**
   * Reads a private key file of any kind that ssh-keygen writes, without a passphrase.
   *
   * @throws IOException naming the file and what is wrong with it: no such file, permissions that
   *     are too open, damaged, encrypted
   */
  public static HostKey read(Path file) throws IOException {
    PrivateKeyFile key = PrivateKeyFile.read(file, _ -> null, 1);
    if (key.needsPassphrase()) {
      throw new IOException(file + ": the key has a passphrase, and a server has nobody to ask");
    }
    return new HostKey(key.publicKey(), key, List.of());
  }

  /** A new Ed25519 key, in memory only. */
  public static HostKey generate() {
    GeneratedKey key = GeneratedKey.ed25519();
    return new HostKey(key.publicKey(), key, List.of());
  }

  /**
   * A new Ed25519 key in a new file, and its public half in FILE.pub.
   *
   * @throws IOException if it can't be written, or is there already
   */
  public static HostKey generate(Path file, String comment) throws IOException {
    GeneratedKey key = GeneratedKey.ed25519();
    key.write(file, comment);
    return new HostKey(key.publicKey(), key, List.of());
  }

  /**
   * This key with one more certificate (HostCertificate).
   *
   * @throws IOException naming the file, if it isn't a host certificate for this key
   */
  public HostKey withCertificate(Path file) throws IOException {
    List<CertifiedSigner> more = new ArrayList<>(certificates);
    more.add(CertifiedSigner.readHost(file, key));
    return new HostKey(publicKey, key, more);
  }

  /** {@code ssh-ed25519} */
  public String type() {
    return publicKey.typeName();
  }

  /** {@code SHA256:...} */
  public String fingerprint() {
    return publicKey.fingerprint();
  }

  /** Type and key in base64, as in .pub files and behind the name in known_hosts. */
  public String publicKeyLine() {
    return publicKey.toLine();
  }

  /** Its certificates first, then the bare key. */
  List<Signer> signers() {
    List<Signer> all = new ArrayList<>(certificates);
    all.add(key);
    return all;
  }

  Signer bare() {
    return key;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof HostKey that && that.publicKey.equals(publicKey);
  }

  @Override
  public int hashCode() {
    return publicKey.hashCode();
  }

  /** {@code ED25519 SHA256:...} */
  @Override
  public String toString() {
    return publicKey.toString();
  }
}
