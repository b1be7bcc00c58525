package dev.adit.ssh.crypto;

import io.netty.buffer.ByteBuf;

/**
 * Encrypts the packets of one direction (RFC 4253 section 6), each in place in the buffer that goes
 * to the kernel. Stateful: packets must be sealed in the order in which they are sent. Confined to
 * one thread.
 */
public interface PacketSealer extends AutoCloseable {

  /** What the padded part of a packet is a multiple of, in bytes; at least 8. */
  int blockSize();

  /**
   * Whether the four bytes of packet_length count towards the multiple of {@link #blockSize}. They
   * do unless the length is authenticated apart (AEAD and encrypt-then-MAC modes).
   */
  boolean lengthIsPadded();

  /** Bytes of MAC or tag behind the packet. */
  int tagLength();

  /**
   * Seals the packet whose plain form (packet_length, padding_length, payload, padding) stands at
   * {@code index}, and writes the tag behind it. Absolute: the buffer's indexes don't move.
   *
   * @param packetLength the value of packet_length: bytes after the four of the length itself
   * @param sequence the packet's sequence number, an unsigned 32-bit value
   */
  void seal(ByteBuf buffer, int index, int packetLength, int sequence);

  /** Forgets the keys; nothing may be sealed after that. Memory is freed with the object itself. */
  @Override
  default void close() {}
}
