package dev.adit.ssh.keys;

import java.io.IOException;

/** A certificate that is genuine but doesn't hold here and now; the message says why. */
public final class InvalidCertificateException extends IOException {
  private static final long serialVersionUID = 1L;

  public InvalidCertificateException(String message) {
    super(message);
  }
}
