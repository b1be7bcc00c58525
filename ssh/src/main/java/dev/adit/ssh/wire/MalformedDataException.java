package dev.adit.ssh.wire;

import java.io.IOException;

/** Bytes that do not hold what their format promises; the message says which field. */
public final class MalformedDataException extends IOException {
  private static final long serialVersionUID = 1L;

  public MalformedDataException(String message) {
    super(message);
  }

  public MalformedDataException(String message, Throwable cause) {
    super(message, cause);
  }
}
