package dev.adit.ssh.keys;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The kinds of public keys (RFC 4253 section 6.6, RFC 5656, RFC 8709, and OpenSSH's PROTOCOL.u2f),
 * with the names that each goes by: as a key, as a certificate, and in signatures.
 */
public enum KeyType {
  ED25519("ssh-ed25519", "ED25519"),
  ECDSA_P256("ecdsa-sha2-nistp256", "ECDSA"),
  ECDSA_P384("ecdsa-sha2-nistp384", "ECDSA"),
  ECDSA_P521("ecdsa-sha2-nistp521", "ECDSA"),
  RSA("ssh-rsa", "RSA", "rsa-sha2-512", "rsa-sha2-256"),
  SK_ED25519("sk-ssh-ed25519@openssh.com", "ED25519-SK"),
  SK_ECDSA_P256("sk-ecdsa-sha2-nistp256@openssh.com", "ECDSA-SK");

  private static final String VENDOR = "@openssh.com";
  private static final String CERTIFICATE = "-cert-v01" + VENDOR;

  private final String keyName;
  private final String shortName;
  private final List<String> signatureAlgorithms;

  /** Without signature algorithms of its own a type signs under its own name. */
  KeyType(String keyName, String shortName, String... signatureAlgorithms) {
    this.keyName = keyName;
    this.shortName = shortName;
    this.signatureAlgorithms =
        signatureAlgorithms.length == 0 ? List.of(keyName) : List.of(signatureAlgorithms);
  }

  /** The name in a key blob: {@code ssh-ed25519}. */
  public String keyName() {
    return keyName;
  }

  /** The name in a certificate's blob: {@code ssh-ed25519-cert-v01@openssh.com}. */
  public String certificateName() {
    return certificateForm(keyName);
  }

  /** The name that people see: {@code ED25519}. */
  public String shortName() {
    return shortName;
  }

  /** The names of the signatures that such a key makes, best first. SHA-1 is not among them. */
  public List<String> signatureAlgorithms() {
    return signatureAlgorithms;
  }

  /** The same for a certificate of such a key: {@code rsa-sha2-512-cert-v01@openssh.com}. */
  public List<String> certificateAlgorithms() {
    return signatureAlgorithms.stream().map(KeyType::certificateForm).toList();
  }

  /** By the name in the blob of a key; empty for certificates and for types that we don't have. */
  public static Optional<KeyType> ofKeyName(String name) {
    return Arrays.stream(values()).filter(type -> type.keyName.equals(name)).findAny();
  }

  /** By the name in the blob of a certificate. */
  public static Optional<KeyType> ofCertificateName(String name) {
    return Arrays.stream(values()).filter(type -> type.certificateName().equals(name)).findAny();
  }

  /**
   * By an algorithm name as it is negotiated or used in authentication, in the form for keys or for
   * certificates.
   */
  public static Optional<KeyType> ofAlgorithm(String algorithm) {
    String plain = plainAlgorithm(algorithm);
    return Arrays.stream(values())
        .filter(type -> type.signatureAlgorithms.contains(plain))
        .findAny();
  }

  /** All signature algorithms that we verify, best first. */
  public static List<String> allSignatureAlgorithms() {
    List<String> all = new ArrayList<>();
    for (KeyType type : values()) {
      all.addAll(type.signatureAlgorithms);
    }
    return List.copyOf(all);
  }

  /** Whether an algorithm name is the form for certificates. */
  public static boolean isCertificateAlgorithm(String algorithm) {
    return algorithm.endsWith(CERTIFICATE);
  }

  /**
   * The name that stands inside the signature when a certificate's algorithm was agreed: {@code
   * rsa-sha2-512} for {@code rsa-sha2-512-cert-v01@openssh.com}. Other names come back unchanged.
   */
  public static String plainAlgorithm(String algorithm) {
    if (!isCertificateAlgorithm(algorithm)) {
      return algorithm;
    }
    String plain = algorithm.substring(0, algorithm.length() - CERTIFICATE.length());
    return plain.startsWith("sk-") ? plain + VENDOR : plain;
  }

  private static String certificateForm(String name) {
    String base = name.endsWith(VENDOR) ? name.substring(0, name.length() - VENDOR.length()) : name;
    return base + CERTIFICATE;
  }
}
