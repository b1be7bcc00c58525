package dev.adit.client;

/** The client can't do what it was asked for; the message is the line that says why. */
public final class ClientFailure extends Exception {
  private static final long serialVersionUID = 1L;

  ClientFailure(String message) {
    super(message);
  }
}
