package dev.adit.ssh.keys;

import java.io.IOException;

/** A signature does not prove what it should; the message says why. */
public final class InvalidSignatureException extends IOException {
  private static final long serialVersionUID = 1L;

  public InvalidSignatureException(String message) {
    super(message);
  }

  public InvalidSignatureException(String message, Throwable cause) {
    super(message, cause);
  }
}
