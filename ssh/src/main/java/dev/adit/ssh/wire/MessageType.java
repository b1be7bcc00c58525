package dev.adit.ssh.wire;

/**
 * A message's number, its name in the RFCs, and how to read it. Numbers 30 to 49 and 60 to 79 mean
 * different things in different exchanges, so whoever expects a message says which type it expects.
 *
 * @param number the first byte of the payload (RFC 4250 section 4.1)
 * @param name as in the RFC, for logs and errors
 */
public record MessageType<M extends Message>(int number, String name, Parser<M> parser) {

  /** Reads the fields behind the message number. */
  @FunctionalInterface
  public interface Parser<M> {
    M parse(WireReader in) throws MalformedDataException;
  }

  /** Reads a whole payload, number included, and refuses bytes left over. */
  public M parse(WireReader in) throws MalformedDataException {
    int actual = in.readByte();
    if (actual != number) {
      throw new MalformedDataException(
          "message " + MessageNumbers.describe(actual) + " where " + name + " was expected");
    }
    M message = parser.parse(in);
    in.expectEnd(name);
    return message;
  }

  @Override
  public String toString() {
    return name;
  }
}
