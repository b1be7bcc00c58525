package dev.adit.ssh.crypto;

import io.netty.buffer.ByteBuf;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * AES in counter mode (RFC 4344 section 4) with an HMAC beside it (RFC 6668), in place, in both
 * orders: MAC of the plain packet (RFC 4253 section 6.4), or encrypt-then-MAC with packet_length in
 * clear as the -etm@openssh.com algorithms have it.
 */
final class NativeCtrHmac implements PacketSealer, PacketOpener {
  private static final int BLOCK = 16;

  // Where things stand in the scratch memory.
  private static final int IV = 0;
  private static final int SEQUENCE = 16;
  private static final int TAG_SIZE = 24;
  private static final int TAG = 32;
  private static final int SCRATCH_LENGTH = TAG + 64;

  private final Libcrypto.Cipher cipher;
  private final Libcrypto.Mac mac;
  private final boolean etm;
  private final int tagLength;
  private final ByteBuffer scratch = Libcrypto.allocate(SCRATCH_LENGTH).order(ByteOrder.BIG_ENDIAN);
  private final long scratchAddress = Libcrypto.addressOf(scratch);

  NativeCtrHmac(byte[] key, byte[] iv, MacAlgorithm macAlgorithm, byte[] macKey) {
    // Counter mode decrypts by encrypting again.
    cipher = new Libcrypto.Cipher("EVP_aes_" + 8 * key.length + "_ctr", key, true);
    mac = Libcrypto.Mac.hmac(macAlgorithm.hash(), macKey);
    etm = macAlgorithm.isEtm();
    tagLength = macAlgorithm.hash().length();
    scratch.put(IV, iv);
    cipher.start(scratchAddress + IV);
  }

  @Override
  public int headLength() {
    return etm ? 4 : BLOCK;
  }

  @Override
  public int blockSize() {
    return BLOCK;
  }

  @Override
  public boolean lengthIsPadded() {
    return !etm;
  }

  @Override
  public int tagLength() {
    return tagLength;
  }

  @Override
  public void seal(ByteBuf buffer, int index, int packetLength, int sequence) {
    int length = 4 + packetLength;
    long packet = Libcrypto.address(buffer, index, length + tagLength);
    if (etm) {
      cipher.update(packet + 4, packet + 4, packetLength);
      authenticate(packet, length, sequence, packet + length);
    } else {
      authenticate(packet, length, sequence, packet + length);
      cipher.update(packet, packet, length);
    }
    Reference.reachabilityFence(this);
  }

  @Override
  public long packetLength(ByteBuf buffer, int index, int sequence) {
    if (!etm) {
      long packet = Libcrypto.address(buffer, index, BLOCK);
      cipher.update(packet, packet, BLOCK);
      Reference.reachabilityFence(this);
    }
    return buffer.getUnsignedInt(index);
  }

  @Override
  public void open(ByteBuf buffer, int index, int packetLength, int sequence)
      throws PacketIntegrityException {
    int length = 4 + packetLength;
    long packet = Libcrypto.address(buffer, index, length + tagLength);
    if (etm) {
      verify(buffer, index, packet, length, sequence);
      cipher.update(packet + 4, packet + 4, packetLength);
    } else {
      // The first block was decrypted for the sake of the length.
      if (length < BLOCK) {
        throw new IndexOutOfBoundsException("a packet shorter than a block");
      }
      cipher.update(packet + BLOCK, packet + BLOCK, length - BLOCK);
      verify(buffer, index, packet, length, sequence);
    }
    Reference.reachabilityFence(this);
  }

  private void verify(ByteBuf buffer, int index, long packet, int length, int sequence)
      throws PacketIntegrityException {
    authenticate(packet, length, sequence, scratchAddress + TAG);
    long difference = 0;
    for (int i = 0; i < tagLength; i += 8) {
      difference |= scratch.getLong(TAG + i) ^ buffer.getLong(index + length + i);
    }
    if (difference != 0) {
      throw PacketIntegrityException.of("MAC", sequence);
    }
  }

  private void authenticate(long packet, int length, int sequence, long tag) {
    scratch.putInt(SEQUENCE, sequence);
    mac.start();
    mac.update(scratchAddress + SEQUENCE, 4);
    mac.update(packet, length);
    mac.end(tag, scratchAddress + TAG_SIZE, tagLength);
  }

  @Override
  public void close() {
    cipher.wipe();
    mac.wipe();
  }
}
