package dev.adit.ssh;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.concurrent.CompletableFuture;

/**
 * A connection to a target beyond the server, as streams ({@code ssh -W}). Reading and writing
 * block, and may be done by two threads at once; virtual ones are fine. What waits in either
 * direction is bounded.
 */
public interface SshStream extends AutoCloseable {

  /**
   * What the target sends. It ends when the target ends its direction; when the connection dies
   * under it, reading throws the cause.
   */
  InputStream input();

  /** What the target gets. Closing it ends this direction only: the answer can still be read. */
  OutputStream output();

  /**
   * Copies to the channel until the target ends its direction, without copies on the way.
   *
   * @return the number of bytes
   */
  long transferTo(WritableByteChannel to) throws IOException;

  /**
   * Copies from the channel until its end, or until the target takes no more. {@link #output} is
   * still to be closed.
   *
   * @return the number of bytes
   */
  long transferFrom(ReadableByteChannel from) throws IOException;

  /**
   * Completes when the connection to the target has ended in both directions, or died; not on the
   * event loop.
   */
  CompletableFuture<Void> closed();

  /** Ends both directions; what was not read is thrown away. Idempotent. */
  @Override
  void close();
}
