package dev.adit.ssh.crypto;

/** A packet's MAC or tag is wrong: it was forged, or damaged on its way. */
public final class PacketIntegrityException extends Exception {
  private static final long serialVersionUID = 1L;

  public PacketIntegrityException(String message) {
    // A peer can provoke it at will: no stack trace to fill.
    super(message, null, false, false);
  }

  static PacketIntegrityException of(String what, int sequence) {
    return new PacketIntegrityException(
        "the %s of packet %s is wrong".formatted(what, Integer.toUnsignedString(sequence)));
  }
}
