package dev.adit.ssh.transport;

import org.jspecify.annotations.Nullable;

/** Hears of what people want to know of a handshake. Must not block; any thread. */
public interface TransportListener {

  /** A line that the server sent before its identification, control characters escaped. */
  default void preIdentificationLine(String line) {}

  /** The peer's identification line, as it came. */
  default void identified(String line) {}

  /** A key exchange has ended; {@code first} is false for a rekey. */
  default void keysExchanged(Negotiated algorithms, boolean strict, boolean first) {}

  /** SSH_MSG_DEBUG, escaped. */
  default void debugMessage(String text, boolean alwaysDisplay) {}

  /** The connection has ended; null when we closed it ourselves. */
  default void closed(@Nullable Throwable cause) {}
}
