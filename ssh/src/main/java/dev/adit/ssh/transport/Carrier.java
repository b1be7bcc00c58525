package dev.adit.ssh.transport;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import org.jspecify.annotations.Nullable;

/**
 * What carries an SSH connection's bytes: a TCP socket, a channel of another SSH connection (-J),
 * or a process (ProxyCommand). All methods but {@link #eventLoop} and {@link #remote} are called on
 * the event loop.
 */
public interface Carrier {

  /** The loop on which the connection's data lane runs. */
  EventLoop eventLoop();

  /** Where it leads, for messages: {@code 192.0.2.1 port 22}, or a command. */
  String remote();

  /** Begins to deliver what arrives. Called once. */
  void start(Listener listener);

  /** Queues bytes; takes ownership of the buffer. Nothing moves before {@link #flush}. */
  void write(ByteBuf bytes);

  void flush();

  /** Whether less than {@link TransportLimits#OUT_HIGH_WATER} waits to be sent. */
  boolean isWritable();

  /** Bytes that were written and that the carrier has not yet taken. */
  long pendingBytes();

  /** Sends what is queued, then closes. Idempotent. */
  void close();

  /**
   * From now on, what comes in small pieces is acknowledged at once where the carrier would wait
   * for an answer to send along.
   */
  default void acknowledgeAtOnce() {}

  /**
   * Runs it, on the event loop, when what was queued is in memory no more; it is closed by then.
   */
  default void whenReleased(Runnable then) {
    then.run();
  }

  /** Closes at once and drops what is queued. Idempotent. */
  default void abort() {
    close();
  }

  /** Takes what arrives; called on the event loop. */
  interface Listener {

    /**
     * Where to put the next bytes: a buffer with room at its writer index. The carrier writes there
     * and then calls {@link #received}. The listener keeps ownership.
     */
    ByteBuf readBuffer();

    /** The writer index of {@link #readBuffer} has moved. */
    void received();

    /** {@link Carrier#isWritable} has changed. */
    void writabilityChanged();

    /** The carrier has ended: closed by either side, or failed. Called once. */
    void inactive(@Nullable Throwable cause);
  }
}
