package dev.adit.ssh.connection;

import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.WireReader;

/** Answers the peer's wish to open a channel of one type. Called on the event loop. */
@FunctionalInterface
public interface OpenHandler {

  /**
   * Must lead to exactly one call of {@link IncomingOpen#accept} or {@link IncomingOpen#refuse},
   * now or later, on the event loop.
   *
   * @param fields the fields that belong to the channel type
   */
  void open(IncomingOpen open, WireReader fields) throws MalformedDataException;
}
