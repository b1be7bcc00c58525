package dev.adit.ssh.transport;

import dev.adit.ssh.SshException;
import dev.adit.ssh.wire.Message;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;

/** The way out for channels; all methods but {@link #eventLoop} are called on the event loop. */
public interface PacketSink {

  EventLoop eventLoop();

  /** Sends a message, or keeps it until a key exchange in progress has ended. Flushes by itself. */
  void send(Message message);

  /**
   * Sends a payload in place: {@link TransportLimits#PACKET_HEAD} bytes before its reader index are
   * free, and it can grow by {@link TransportLimits#PACKET_TAIL}. Takes ownership. Only to be
   * called while {@link #dataAllowed}. Flushes by itself, at the end of the loop's turn.
   */
  void sendInPlace(ByteBuf payload);

  /** Whether data may go out now: no key exchange is on, and little enough is waiting. */
  boolean dataAllowed();

  /**
   * So many bytes more that came, or less, wait in memory for whoever is to have them. Counts, with
   * those of all other connections of the process, towards {@link
   * TransportLimits#HELD_PART_OF_MEMORY}.
   */
  void hold(long bytes);

  /** Ends the connection, saying why to the peer and to everyone who waits for it. */
  void fail(SshException cause);
}
