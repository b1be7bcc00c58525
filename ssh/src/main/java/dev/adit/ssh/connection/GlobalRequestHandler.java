package dev.adit.ssh.connection;

import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.WireReader;
import java.util.concurrent.CompletableFuture;

/**
 * Answers the peer's global requests of one name (RFC 4254 section 4). Called on the event loop.
 */
@FunctionalInterface
public interface GlobalRequestHandler {

  /**
   * @return the fields of REQUEST_SUCCESS, or a failure (any exception) for REQUEST_FAILURE; may be
   *     completed later, on the event loop: replies still go out in the order of the requests
   */
  CompletableFuture<byte[]> handle(WireReader fields) throws MalformedDataException;
}
