package dev.adit.ssh.crypto;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * AES-GCM as RFC 5647 frames it (section 7), with OpenSSH's names, through JCA: packet_length is
 * authenticated and in clear, and the IV's last eight bytes count the packets.
 *
 * <p>Both JCA providers are fastest between two arrays, so packets go through arrays of ours.
 */
final class JcaGcm {
  private static final int TAG_LENGTH = 16;

  private final Cipher cipher;
  private final int mode;
  private final SecretKeySpec key;
  private final byte[] iv;
  private final byte[] lengthField = new byte[4];
  private byte[] input = new byte[0];
  private byte[] output = new byte[0];

  private JcaGcm(CryptoProvider provider, int mode, byte[] key, byte[] iv) {
    this.cipher = provider.cipher("AES/GCM/NoPadding");
    this.mode = mode;
    this.key = new SecretKeySpec(key, "AES");
    this.iv = iv.clone();
  }

  /** Runs {@code length} bytes behind the length field through the cipher and back into place. */
  private void run(ByteBuf buffer, int index, int length) throws GeneralSecurityException {
    cipher.init(mode, key, new GCMParameterSpec(8 * TAG_LENGTH, iv));
    buffer.getBytes(index, lengthField);
    cipher.updateAAD(lengthField);
    if (input.length < length + TAG_LENGTH) {
      input = new byte[Scratch.sizeFor(length + TAG_LENGTH)];
      output = new byte[input.length];
    }
    buffer.getBytes(index + 4, input, 0, length);
    int done = cipher.doFinal(input, 0, length, output, 0);
    buffer.setBytes(index + 4, output, 0, done);
    countUp();
  }

  private void countUp() {
    var counter = ByteBuffer.wrap(iv);
    counter.putLong(4, counter.getLong(4) + 1);
  }

  static final class Sealer implements PacketSealer {
    private final JcaGcm gcm;

    Sealer(CryptoProvider provider, byte[] key, byte[] iv) {
      gcm = new JcaGcm(provider, Cipher.ENCRYPT_MODE, key, iv);
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
    public void seal(ByteBuf buffer, int index, int packetLength, int sequence) {
      try {
        gcm.run(buffer, index, packetLength);
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException("AES-GCM cannot encrypt", e);
      }
    }
  }

  static final class Opener implements PacketOpener {
    private final JcaGcm gcm;

    Opener(CryptoProvider provider, byte[] key, byte[] iv) {
      gcm = new JcaGcm(provider, Cipher.DECRYPT_MODE, key, iv);
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
    public void open(ByteBuf buffer, int index, int packetLength, int sequence)
        throws PacketIntegrityException {
      try {
        gcm.run(buffer, index, packetLength + TAG_LENGTH);
      } catch (AEADBadTagException e) {
        throw PacketIntegrityException.of("tag", sequence);
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException("AES-GCM cannot decrypt", e);
      }
    }
  }
}
