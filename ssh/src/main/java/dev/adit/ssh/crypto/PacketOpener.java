package dev.adit.ssh.crypto;

import io.netty.buffer.ByteBuf;

/**
 * Decrypts the packets of one direction in place in the buffer that came from the kernel. Stateful:
 * for each packet, in order, one call of {@link #packetLength} and, unless that is refused, one of
 * {@link #open}. Confined to one thread.
 */
public interface PacketOpener extends AutoCloseable {

  /** Bytes that must be in the buffer before {@link #packetLength} may be called. */
  int headLength();

  /** What the padded part of a packet must be a multiple of, in bytes; at least 8. */
  int blockSize();

  /** See {@link PacketSealer#lengthIsPadded}. */
  boolean lengthIsPadded();

  /** Bytes of MAC or tag behind the packet. */
  int tagLength();

  /**
   * The packet_length of the packet at {@code index}, as an unsigned 32-bit value, not yet
   * authenticated unless the mode has the length in clear: the caller must bound it. May decrypt
   * the first {@link #headLength} bytes in place, so it is called exactly once a packet.
   */
  long packetLength(ByteBuf buffer, int index, int sequence);

  /**
   * Verifies and decrypts in place: afterwards padding_length stands at {@code index + 4}.
   *
   * @throws PacketIntegrityException if the tag or MAC is wrong; the connection must end
   */
  void open(ByteBuf buffer, int index, int packetLength, int sequence)
      throws PacketIntegrityException;

  /** Forgets the keys; nothing may be opened after that. Memory is freed with the object itself. */
  @Override
  default void close() {}
}
