package dev.adit.ssh.crypto;

import io.netty.buffer.ByteBuf;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * chacha20-poly1305@openssh.com, as OpenSSH's PROTOCOL.chacha20poly1305 describes it, in place: one
 * key encrypts the packet's length, another the rest, and Poly1305 covers both as they are sent.
 */
final class NativeChaCha20Poly1305 implements PacketSealer, PacketOpener {
  private static final int TAG_LENGTH = 16;
  private static final int KEY_LENGTH = 32;
  private static final int BLOCK = 64;

  // Where things stand in the scratch memory.
  private static final int IV = 0;
  private static final int NONCE = IV + 8;
  private static final int STREAM = 16;
  private static final int TAG = STREAM + BLOCK;
  private static final int TAG_SIZE = TAG + TAG_LENGTH;
  private static final int SCRATCH_LENGTH = TAG_SIZE + 8;

  private final Libcrypto.Cipher payloadCipher;
  private final Libcrypto.Cipher lengthCipher;
  private final Libcrypto.Mac poly1305 = Libcrypto.Mac.poly1305();
  private final ByteBuffer zeros = Libcrypto.allocate(BLOCK);
  private final ByteBuffer scratch = Libcrypto.allocate(SCRATCH_LENGTH).order(ByteOrder.BIG_ENDIAN);
  private final long zerosAddress = Libcrypto.addressOf(zeros);
  private final long scratchAddress = Libcrypto.addressOf(scratch);

  NativeChaCha20Poly1305(byte[] bothKeys) {
    payloadCipher = cipher(Arrays.copyOf(bothKeys, KEY_LENGTH));
    lengthCipher = cipher(Arrays.copyOfRange(bothKeys, KEY_LENGTH, 2 * KEY_LENGTH));
  }

  private static Libcrypto.Cipher cipher(byte[] key) {
    var cipher = new Libcrypto.Cipher("EVP_chacha20", key, true);
    Arrays.fill(key, (byte) 0);
    return cipher;
  }

  @Override
  public int headLength() {
    return 4;
  }

  @Override
  public int blockSize() {
    return 8;
  }

  @Override
  public boolean lengthIsPadded() {
    return false;
  }

  @Override
  public int tagLength() {
    return TAG_LENGTH;
  }

  @Override
  public void seal(ByteBuf buffer, int index, int packetLength, int sequence) {
    int length = 4 + packetLength;
    long packet = Libcrypto.address(buffer, index, length + TAG_LENGTH);
    buffer.setInt(index, cryptLength(packetLength, sequence));
    startPayload(sequence);
    payloadCipher.update(packet + 4, packet + 4, packetLength);
    authenticate(packet, length, packet + length);
    Reference.reachabilityFence(this);
  }

  @Override
  public long packetLength(ByteBuf buffer, int index, int sequence) {
    // The buffer keeps the encrypted length, which the tag covers.
    return Integer.toUnsignedLong(cryptLength(buffer.getInt(index), sequence));
  }

  @Override
  public void open(ByteBuf buffer, int index, int packetLength, int sequence)
      throws PacketIntegrityException {
    int length = 4 + packetLength;
    long packet = Libcrypto.address(buffer, index, length + TAG_LENGTH);
    startPayload(sequence);
    authenticate(packet, length, scratchAddress + TAG);
    long difference =
        (scratch.getLong(TAG) ^ buffer.getLong(index + length))
            | (scratch.getLong(TAG + 8) ^ buffer.getLong(index + length + 8));
    if (difference != 0) {
      throw PacketIntegrityException.of("tag", sequence);
    }
    payloadCipher.update(packet + 4, packet + 4, packetLength);
    buffer.setInt(index, packetLength);
    Reference.reachabilityFence(this);
  }

  private int cryptLength(int value, int sequence) {
    setNonce(sequence);
    lengthCipher.start(scratchAddress + IV);
    lengthCipher.update(scratchAddress + STREAM, zerosAddress, 4);
    Reference.reachabilityFence(this);
    return value ^ scratch.getInt(STREAM);
  }

  /** Takes block 0 of the key stream for Poly1305's key; the payload's begins with block 1. */
  private void startPayload(int sequence) {
    setNonce(sequence);
    payloadCipher.start(scratchAddress + IV);
    payloadCipher.update(scratchAddress + STREAM, zerosAddress, BLOCK);
  }

  private void setNonce(int sequence) {
    // OpenSSL's IV is the 64-bit block counter and then the original ChaCha20's 64-bit nonce.
    scratch.putLong(NONCE, Integer.toUnsignedLong(sequence));
  }

  private void authenticate(long packet, int length, long tag) {
    poly1305.start(scratchAddress + STREAM, KEY_LENGTH);
    poly1305.update(packet, length);
    poly1305.end(tag, scratchAddress + TAG_SIZE, TAG_LENGTH);
  }

  @Override
  public void close() {
    payloadCipher.wipe();
    lengthCipher.wipe();
    poly1305.wipe();
  }
}
