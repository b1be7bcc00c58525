package dev.adit.ssh.keys;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** A private key that is offered with a certificate for it. */
public final class CertifiedSigner implements Signer {
  private final Certificate certificate;
  private final Signer key;
  private final String name;

  private CertifiedSigner(Certificate certificate, Signer key, String name) {
    this.certificate = certificate;
    this.key = key;
    this.name = name;
  }

  /**
   * Joins a user's certificate from a file (CertificateFile, or the one beside the key) and its
   * key.
   *
   * @throws KeyFileException if it isn't a user certificate for that key
   */
  public static CertifiedSigner read(Path file, Signer key) throws IOException {
    return read(file, key, Certificate.Use.USER);
  }

  /**
   * Joins a host's certificate (HostCertificate) and its key.
   *
   * @throws KeyFileException if it isn't a host certificate for that key
   */
  public static CertifiedSigner readHost(Path file, Signer key) throws IOException {
    return read(file, key, Certificate.Use.HOST);
  }

  private static CertifiedSigner read(Path file, Signer key, Certificate.Use use)
      throws IOException {
    if (!(PublicKeyFile.read(file).key() instanceof Certificate certificate)) {
      throw new KeyFileException(file, "it is a plain key, not a certificate", null);
    }
    if (certificate.use() != use) {
      throw new KeyFileException(
          file,
          use == Certificate.Use.USER
              ? "it is a host's certificate, not a user's"
              : "it is a user's certificate, not a host's",
          null);
    }
    if (!fits(certificate, key)) {
      throw new KeyFileException(
          file, "the certificate is not for the key " + key.name() + " but for another", null);
    }
    return new CertifiedSigner(certificate, key, file.toString());
  }

  /** Whether a certificate is for this key. */
  public static boolean fits(Certificate certificate, Signer key) {
    return Arrays.equals(certificate.plain().blob(), key.publicKeyBlob());
  }

  public Certificate certificate() {
    return certificate;
  }

  @Override
  public byte[] publicKeyBlob() {
    return certificate.blob();
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public List<String> algorithms() {
    return certificate.algorithms();
  }

  @Override
  public byte[] sign(String algorithm, byte[] data) throws IOException {
    if (!algorithms().contains(algorithm)) {
      throw new IllegalArgumentException(certificate.describe() + " key asked for " + algorithm);
    }
    return key.sign(KeyType.plainAlgorithm(algorithm), data);
  }
}
