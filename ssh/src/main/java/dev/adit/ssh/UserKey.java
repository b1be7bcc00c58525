package dev.adit.ssh;

import java.util.Arrays;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * A public key or certificate with which a client wants to log in. Whether the client holds the
 * private half is another question.
 *
 * @param type as in its blob: {@code ssh-ed25519}, {@code ssh-ed25519-cert-v01@openssh.com}
 * @param algorithm the signature algorithm that the client names: {@code rsa-sha2-512}
 * @param blob the key as in RFC 4253 section 6.6, well-formed; for a certificate, the certificate's
 * @param fingerprint {@code SHA256:...}; for a certificate, of the key that it certifies
 * @param certificate what the log tells of a certificate; null for a plain key
 */
public record UserKey(
    String type,
    String algorithm,
    byte[] blob,
    String fingerprint,
    @Nullable CertificateName certificate) {

  /**
   * @param id as its authority chose it, escaped
   * @param serial as its authority chose it, unsigned
   * @param authority type and fingerprint of the authority's key
   */
  public record CertificateName(String id, long serial, String authority) {}

  public UserKey {
    blob = blob.clone();
  }

  @Override
  public byte[] blob() {
    return blob.clone();
  }

  /** Two are equal if their blobs are. */
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof UserKey key && Arrays.equals(key.blob, blob);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(blob);
  }

  /** {@code ssh-ed25519 AAAA...} */
  @Override
  public String toString() {
    return type + " " + Base64.getEncoder().encodeToString(blob);
  }
}
