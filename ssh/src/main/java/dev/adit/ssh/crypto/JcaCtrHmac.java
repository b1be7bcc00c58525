package dev.adit.ssh.crypto;

import io.netty.buffer.ByteBuf;
import java.security.GeneralSecurityException;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.ShortBufferException;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * AES in counter mode (RFC 4344 section 4) with an HMAC beside it (RFC 6668), in both orders: MAC
 * of the plain packet (RFC 4253 section 6.4), or encrypt-then-MAC with packet_length in clear as
 * the -etm@openssh.com algorithms have it.
 */
final class JcaCtrHmac {
  private static final int BLOCK = 16;

  private final Cipher cipher;
  private final Mac mac;
  private final boolean etm;
  private final int tagLength;

  /**
   * The sequence number, the packet, and behind it the tag: what the MAC covers is in one piece.
   */
  private byte[] scratch = new byte[Scratch.sizeFor(0)];

  private final byte[] theirTag;

  private JcaCtrHmac(
      CryptoProvider provider,
      int mode,
      byte[] key,
      byte[] iv,
      MacAlgorithm macAlgorithm,
      byte[] macKey) {
    cipher = provider.cipher("AES/CTR/NoPadding");
    String hmac = "Hmac" + macAlgorithm.hash().name();
    mac = provider.mac(hmac);
    etm = macAlgorithm.isEtm();
    tagLength = mac.getMacLength();
    theirTag = new byte[tagLength];
    try {
      cipher.init(mode, new SecretKeySpec(key, "AES"), new IvParameterSpec(iv));
      mac.init(new SecretKeySpec(macKey, hmac));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("AES-CTR cannot be set up", e);
    }
  }

  private void load(ByteBuf buffer, int index, int length, int sequence) {
    if (scratch.length < 4 + length + tagLength) {
      scratch = new byte[Scratch.sizeFor(4 + length + tagLength)];
    }
    scratch[0] = (byte) (sequence >>> 24);
    scratch[1] = (byte) (sequence >>> 16);
    scratch[2] = (byte) (sequence >>> 8);
    scratch[3] = (byte) sequence;
    buffer.getBytes(index, scratch, 4, length);
  }

  /** Encrypts or decrypts the packet's bytes from {@code from} to {@code to}, in the scratch. */
  private void crypt(int from, int to) {
    try {
      cipher.update(scratch, 4 + from, to - from, scratch, 4 + from);
    } catch (ShortBufferException e) {
      throw new IllegalStateException("AES-CTR made more bytes than it was given", e);
    }
  }

  /** Writes the tag of a packet of {@code length} bytes behind it, in the scratch. */
  private void tag(int length) {
    try {
      mac.update(scratch, 0, 4 + length);
      mac.doFinal(scratch, 4 + length);
    } catch (ShortBufferException e) {
      throw new IllegalStateException("an HMAC longer than it said", e);
    }
  }

  static final class Sealer implements PacketSealer {
    private final JcaCtrHmac keys;

    Sealer(
        CryptoProvider provider, byte[] key, byte[] iv, MacAlgorithm macAlgorithm, byte[] macKey) {
      keys = new JcaCtrHmac(provider, Cipher.ENCRYPT_MODE, key, iv, macAlgorithm, macKey);
    }

    @Override
    public int blockSize() {
      return BLOCK;
    }

    @Override
    public boolean lengthIsPadded() {
      return !keys.etm;
    }

    @Override
    public int tagLength() {
      return keys.tagLength;
    }

    @Override
    public void seal(ByteBuf buffer, int index, int packetLength, int sequence) {
      int length = 4 + packetLength;
      keys.load(buffer, index, length, sequence);
      if (keys.etm) {
        keys.crypt(4, length);
        keys.tag(length);
      } else {
        keys.tag(length);
        keys.crypt(0, length);
      }
      buffer.setBytes(index, keys.scratch, 4, length + keys.tagLength);
    }
  }

  static final class Opener implements PacketOpener {
    private final JcaCtrHmac keys;

    Opener(
        CryptoProvider provider, byte[] key, byte[] iv, MacAlgorithm macAlgorithm, byte[] macKey) {
      keys = new JcaCtrHmac(provider, Cipher.DECRYPT_MODE, key, iv, macAlgorithm, macKey);
    }

    @Override
    public int headLength() {
      return keys.etm ? 4 : BLOCK;
    }

    @Override
    public int blockSize() {
      return BLOCK;
    }

    @Override
    public boolean lengthIsPadded() {
      return !keys.etm;
    }

    @Override
    public int tagLength() {
      return keys.tagLength;
    }

    @Override
    public long packetLength(ByteBuf buffer, int index, int sequence) {
      if (!keys.etm) {
        keys.load(buffer, index, BLOCK, sequence);
        keys.crypt(0, BLOCK);
        buffer.setBytes(index, keys.scratch, 4, BLOCK);
      }
      return buffer.getUnsignedInt(index);
    }

    @Override
    public void open(ByteBuf buffer, int index, int packetLength, int sequence)
        throws PacketIntegrityException {
      int length = 4 + packetLength;
      keys.load(buffer, index, length, sequence);
      buffer.getBytes(index + length, keys.theirTag);
      if (keys.etm) {
        verify(length, sequence);
        keys.crypt(4, length);
      } else {
        // The first block was decrypted for the sake of the length.
        keys.crypt(BLOCK, length);
        verify(length, sequence);
      }
      buffer.setBytes(index, keys.scratch, 4, length);
    }

    private void verify(int length, int sequence) throws PacketIntegrityException {
      keys.tag(length);
      int difference = 0;
      for (int i = 0; i < keys.tagLength; i++) {
        difference |= keys.scratch[4 + length + i] ^ keys.theirTag[i];
      }
      if (difference != 0) {
        throw PacketIntegrityException.of("MAC", sequence);
      }
    }
  }
}
