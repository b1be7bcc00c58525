package dev.adit.ssh.crypto;

import io.netty.buffer.ByteBuf;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * AES-GCM as RFC 5647 frames it (section 7), with OpenSSH's names, in place: packet_length is
 * authenticated and in clear, and the IV's last eight bytes count the packets.
 */
final class NativeGcm implements PacketSealer, PacketOpener {
  private static final int TAG_LENGTH = 16;
  private static final int IV_COUNTER = 4;

  private final Libcrypto.Cipher cipher;
  private final ByteBuffer iv = Libcrypto.allocate(12).order(ByteOrder.BIG_ENDIAN);
  private final long ivAddress = Libcrypto.addressOf(iv);

  NativeGcm(boolean seals, byte[] key, byte[] iv) {
    cipher =
        new Libcrypto.Cipher(key.length == 16 ? "EVP_aes_128_gcm" : "EVP_aes_256_gcm", key, seals);
    this.iv.put(0, iv);
  }

  @Override
  public int headLength() {
    return 4;
  }

  @Override
  public int blockSize() {
    return 16;
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
  public long packetLength(ByteBuf buffer, int index, int sequence) {
    return buffer.getUnsignedInt(index);
  }

  @Override
  public void seal(ByteBuf buffer, int index, int packetLength, int sequence) {
    long packet = Libcrypto.address(buffer, index, 4 + packetLength + TAG_LENGTH);
    long tag = packet + 4 + packetLength;
    crypt(packet, packetLength);
    cipher.end(tag);
    cipher.tag(Libcrypto.GET_TAG, tag, TAG_LENGTH);
    Reference.reachabilityFence(this);
  }

  @Override
  public void open(ByteBuf buffer, int index, int packetLength, int sequence)
      throws PacketIntegrityException {
    long packet = Libcrypto.address(buffer, index, 4 + packetLength + TAG_LENGTH);
    long tag = packet + 4 + packetLength;
    crypt(packet, packetLength);
    cipher.tag(Libcrypto.SET_TAG, tag, TAG_LENGTH);
    boolean genuine = cipher.end(tag);
    Reference.reachabilityFence(this);
    if (!genuine) {
      buffer.setZero(index + 4, packetLength);
      throw PacketIntegrityException.of("tag", sequence);
    }
  }

  private void crypt(long packet, int packetLength) {
    cipher.start(ivAddress);
    iv.putLong(IV_COUNTER, iv.getLong(IV_COUNTER) + 1);
    cipher.update(0, packet, 4);
    cipher.update(packet + 4, packet + 4, packetLength);
  }

  @Override
  public void close() {
    cipher.wipe();
  }
}
