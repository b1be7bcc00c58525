package dev.adit.ssh.wire;

/**
 * An SSH message with its fields. CHANNEL_DATA and CHANNEL_EXTENDED_DATA are not among them: they
 * stay slices of their packets.
 */
public interface Message {

  MessageType<?> type();

  /** Writes the fields behind the message number. */
  void writeFields(WireWriter out);

  /** Writes the payload: the number and the fields. */
  default void write(WireWriter out) {
    out.writeByte(type().number());
    writeFields(out);
  }

  /** The payload as bytes. */
  default byte[] toBytes() {
    WireWriter out = WireWriter.create();
    write(out);
    return out.toBytes();
  }
}
