package dev.adit.ssh.transport;

import dev.adit.ssh.SshException;
import dev.adit.ssh.wire.MalformedDataException;
import io.netty.buffer.ByteBuf;

/**
 * What lies between packets and channels: it takes the messages 80 to 100 of an authenticated
 * connection, in wire order, on the event loop. Small on purpose: channels are tested over it
 * without crypto or sockets.
 */
public interface PacketHandler {

  /** Packets come from now on. What is sent in here goes right behind a USERAUTH_SUCCESS. */
  default void opened() {}

  /**
   * A payload, message number included, at {@code index} of a buffer that is only lent: whoever
   * keeps a part of it retains a slice.
   */
  void packet(int number, ByteBuf buffer, int index, int length)
      throws SshException, MalformedDataException;

  /** Data may be sent again: the carrier has room, or a key exchange has ended. */
  void sendable();

  /** The transport is gone. Called once; nothing can be sent any more. */
  void closed(SshException cause);

  /** Memory is short: what is still held behind the end of the transport must go now. */
  default void letGo(SshException cause) {}
}
