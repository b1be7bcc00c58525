package dev.adit.ssh.crypto;

import io.netty.buffer.ByteBuf;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.spec.ChaCha20ParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * chacha20-poly1305@openssh.com, as OpenSSH's PROTOCOL.chacha20poly1305 describes it: one key
 * encrypts the packet's length, another the rest, and Poly1305 covers both as they are sent.
 */
final class JcaChaCha20Poly1305 {
  private static final int TAG_LENGTH = 16;
  private static final int KEY_LENGTH = 32;

  private final Cipher cipher;
  private final SecretKeySpec key;
  private final ChaCha20Block payloadKey;
  private final ChaCha20Block lengthKey;
  private final Poly1305 poly1305 = new Poly1305();
  private final byte[] nonce = new byte[12];
  private final byte[] block = new byte[ChaCha20Block.LENGTH];
  private final byte[] tag = new byte[TAG_LENGTH];
  private final byte[] theirTag = new byte[TAG_LENGTH];
  private byte[] scratch = new byte[0];

  private JcaChaCha20Poly1305(byte[] bothKeys) {
    // ACCP has no ChaCha20.
    cipher = CryptoProvider.JDK.cipher("ChaCha20");
    byte[] first = Arrays.copyOf(bothKeys, KEY_LENGTH);
    key = new SecretKeySpec(first, "ChaCha20");
    payloadKey = new ChaCha20Block(first);
    lengthKey = new ChaCha20Block(Arrays.copyOfRange(bothKeys, KEY_LENGTH, 2 * KEY_LENGTH));
  }

  /** Encrypts or decrypts the four bytes of packet_length. */
  private int cryptLength(int value, int sequence) {
    lengthKey.generate(0, sequence, block);
    int stream =
        (block[0] & 0xff) << 24
            | (block[1] & 0xff) << 16
            | (block[2] & 0xff) << 8
            | (block[3] & 0xff);
    return value ^ stream;
  }

  private void load(ByteBuf buffer, int index, int length) {
    if (scratch.length < length + TAG_LENGTH) {
      scratch = new byte[Scratch.sizeFor(length + TAG_LENGTH)];
    }
    buffer.getBytes(index, scratch, 0, length);
  }

  /** Encrypts or decrypts what is behind the length, in the scratch. */
  private void crypt(int packetLength, int sequence) {
    // The nonce of the original ChaCha20 has eight bytes: the sequence number as a uint64.
    nonce[8] = (byte) (sequence >>> 24);
    nonce[9] = (byte) (sequence >>> 16);
    nonce[10] = (byte) (sequence >>> 8);
    nonce[11] = (byte) sequence;
    try {
      cipher.init(Cipher.ENCRYPT_MODE, key, new ChaCha20ParameterSpec(nonce, 1));
      cipher.doFinal(scratch, 4, packetLength, scratch, 4);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("ChaCha20 cannot encrypt", e);
    }
  }

  private void computeTag(int length, int sequence) {
    payloadKey.generate(0, sequence, block);
    poly1305.compute(block, scratch, 0, length, tag);
  }

  static final class Sealer implements PacketSealer {
    private final JcaChaCha20Poly1305 keys;

    Sealer(byte[] key) {
      keys = new JcaChaCha20Poly1305(key);
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
      buffer.setInt(index, keys.cryptLength(packetLength, sequence));
      keys.load(buffer, index, length);
      keys.crypt(packetLength, sequence);
      keys.computeTag(length, sequence);
      buffer.setBytes(index + 4, keys.scratch, 4, packetLength);
      buffer.setBytes(index + length, keys.tag);
    }
  }

  static final class Opener implements PacketOpener {
    private final JcaChaCha20Poly1305 keys;

    Opener(byte[] key) {
      keys = new JcaChaCha20Poly1305(key);
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
    public long packetLength(ByteBuf buffer, int index, int sequence) {
      // The buffer keeps the encrypted length, which the tag covers.
      return Integer.toUnsignedLong(keys.cryptLength(buffer.getInt(index), sequence));
    }

    @Override
    public void open(ByteBuf buffer, int index, int packetLength, int sequence)
        throws PacketIntegrityException {
      int length = 4 + packetLength;
      keys.load(buffer, index, length);
      buffer.getBytes(index + length, keys.theirTag);
      keys.computeTag(length, sequence);
      int difference = 0;
      for (int i = 0; i < TAG_LENGTH; i++) {
        difference |= keys.tag[i] ^ keys.theirTag[i];
      }
      if (difference != 0) {
        throw PacketIntegrityException.of("tag", sequence);
      }
      keys.crypt(packetLength, sequence);
      buffer.setInt(index, packetLength);
      buffer.setBytes(index + 4, keys.scratch, 4, packetLength);
    }
  }
}
