package dev.adit.ssh.connection;

import dev.adit.ssh.SshException;
import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.WireReader;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/** What stands at our end of a channel. Called on the event loop; must not block. */
public interface ChannelHandler {

  /** The peer has confirmed the open. */
  default void opened(SshChannel channel) {}

  /** The peer has refused the open, or the connection ended before it answered. */
  default void refused(SshException.ChannelRefused why) {}

  /**
   * Data of the peer. The buffer is lent: to keep it, retain it. Every byte must sooner or later be
   * given back with {@link SshChannel#consumed}, or the peer's window stays shut.
   */
  void data(SshChannel channel, ByteBuf data);

  /** Data of another kind: 1 is standard error (RFC 4254 section 5.2). As {@link #data}. */
  default void extendedData(SshChannel channel, int type, ByteBuf data) {
    channel.consumed(data.readableBytes());
  }

  /** The peer sends no more data; we still may. */
  void eof(SshChannel channel);

  /**
   * A request of the peer (RFC 4254 section 5.4).
   *
   * @return whether it was understood and done
   */
  default boolean request(SshChannel channel, String name, WireReader fields)
      throws MalformedDataException {
    return false;
  }

  /** It is this channel's turn: {@link SshChannel#sendable} bytes may be read and sent. */
  void sendable(SshChannel channel);

  /**
   * The channel has ended.
   *
   * @param cause null when both sides closed it, otherwise how the connection died under it
   */
  void closed(SshChannel channel, @Nullable SshException cause);
}
