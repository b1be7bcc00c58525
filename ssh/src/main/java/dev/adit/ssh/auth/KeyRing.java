package dev.adit.ssh.auth;

import dev.adit.ssh.keys.Signer;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The keys to offer, one at a time, so that a file that has to be opened to be known is opened only
 * when its turn has come. Used by one thread at a time; may block.
 */
public interface KeyRing extends AutoCloseable {

  /** The next key, or null when there are no more. */
  @Nullable Signer next() throws IOException;

  /** Lets go of the agent. */
  @Override
  default void close() {}
}
