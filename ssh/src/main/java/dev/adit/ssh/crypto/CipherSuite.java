package dev.adit.ssh.crypto;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What protects the packets of one direction: a cipher, and the MAC beside it unless the cipher
 * authenticates by itself.
 *
 * @param mac null exactly if the cipher is an AEAD
 */
public record CipherSuite(CipherAlgorithm cipher, @Nullable MacAlgorithm mac) {
  private static final Logger log = LoggerFactory.getLogger(CipherSuite.class);

  public CipherSuite {
    if (cipher.isAead() != (mac == null)) {
      throw new IllegalArgumentException(
          cipher.sshName() + (mac == null ? " needs a MAC" : " takes no MAC"));
    }
  }

  /** The suite of two negotiated algorithms; an AEAD drops the MAC. */
  public static CipherSuite of(CipherAlgorithm cipher, @Nullable MacAlgorithm mac) {
    return new CipherSuite(cipher, cipher.isAead() ? null : mac);
  }

  /** Bytes of MAC key to derive. */
  public int macKeyLength() {
    return mac == null ? 0 : mac.keyLength();
  }

  /** Whether the packet's length goes out in clear and the MAC covers the encrypted packet. */
  public boolean isEtm() {
    return mac != null && mac.isEtm();
  }

  /**
   * Whether Terrapin (CVE-2023-48795) can cut messages off the start of a connection under this
   * suite, so that it is fit for use only with strict key exchange.
   */
  public boolean needsStrictKex() {
    return isEtm() || cipher == CipherAlgorithm.CHACHA20_POLY1305;
  }

  /**
   * A sealer with the fastest implementation there is, which has copies of the keys: the arrays are
   * overwritten.
   *
   * @param key of {@link CipherAlgorithm#keyLength} bytes
   * @param iv of {@link CipherAlgorithm#ivLength} bytes
   * @param macKey of {@link #macKeyLength} bytes
   */
  public PacketSealer newSealer(byte[] key, byte[] iv, byte[] macKey) {
    CryptoProvider fastest = CryptoProvider.fastest();
    try {
      return newSealer(fastest, key, iv, macKey);
    } catch (IllegalStateException e) {
      logFallback(fastest, e);
      return newSealer(CryptoProvider.JDK, key, iv, macKey);
    } finally {
      wipe(key, iv, macKey);
    }
  }

  /** An opener with the fastest implementation there is; see {@link #newSealer}. */
  public PacketOpener newOpener(byte[] key, byte[] iv, byte[] macKey) {
    CryptoProvider fastest = CryptoProvider.fastest();
    try {
      return newOpener(fastest, key, iv, macKey);
    } catch (IllegalStateException e) {
      logFallback(fastest, e);
      return newOpener(CryptoProvider.JDK, key, iv, macKey);
    } finally {
      wipe(key, iv, macKey);
    }
  }

  /** A sealer with the given provider, for tests and benchmarks. */
  public PacketSealer newSealer(CryptoProvider provider, byte[] key, byte[] iv, byte[] macKey) {
    require(key, iv, macKey);
    if (provider == CryptoProvider.OPENSSL) {
      return switch (cipher) {
        case AES128_GCM, AES256_GCM -> new NativeGcm(true, key, iv);
        case CHACHA20_POLY1305 -> new NativeChaCha20Poly1305(key);
        case AES128_CTR, AES192_CTR, AES256_CTR -> new NativeCtrHmac(key, iv, macOrThrow(), macKey);
      };
    }
    return switch (cipher) {
      case AES128_GCM, AES256_GCM -> new JcaGcm.Sealer(provider, key, iv);
      case CHACHA20_POLY1305 -> new JcaChaCha20Poly1305.Sealer(key);
      case AES128_CTR, AES192_CTR, AES256_CTR ->
          new JcaCtrHmac.Sealer(provider, key, iv, macOrThrow(), macKey);
    };
  }

  /** An opener with the given provider, for tests and benchmarks. */
  public PacketOpener newOpener(CryptoProvider provider, byte[] key, byte[] iv, byte[] macKey) {
    require(key, iv, macKey);
    if (provider == CryptoProvider.OPENSSL) {
      return switch (cipher) {
        case AES128_GCM, AES256_GCM -> new NativeGcm(false, key, iv);
        case CHACHA20_POLY1305 -> new NativeChaCha20Poly1305(key);
        case AES128_CTR, AES192_CTR, AES256_CTR -> new NativeCtrHmac(key, iv, macOrThrow(), macKey);
      };
    }
    return switch (cipher) {
      case AES128_GCM, AES256_GCM -> new JcaGcm.Opener(provider, key, iv);
      case CHACHA20_POLY1305 -> new JcaChaCha20Poly1305.Opener(key);
      case AES128_CTR, AES192_CTR, AES256_CTR ->
          new JcaCtrHmac.Opener(provider, key, iv, macOrThrow(), macKey);
    };
  }

  /** As it is said to people: {@code aes128-ctr, hmac-sha2-256}. */
  @Override
  public String toString() {
    return mac == null ? cipher.sshName() : cipher.sshName() + ", " + mac.sshName();
  }

  /** An OpenSSL that is confined to approved algorithms has no ChaCha20, for example. */
  private void logFallback(CryptoProvider provider, IllegalStateException cause) {
    log.debug("{} has no {}; taking the JDK", provider.description(), this, cause);
  }

  private MacAlgorithm macOrThrow() {
    if (mac == null) {
      throw new IllegalStateException("no MAC");
    }
    return mac;
  }

  private static void wipe(byte[]... arrays) {
    for (byte[] array : arrays) {
      Arrays.fill(array, (byte) 0);
    }
  }

  private void require(byte[] key, byte[] iv, byte[] macKey) {
    if (key.length != cipher.keyLength()
        || iv.length != cipher.ivLength()
        || macKey.length != macKeyLength()) {
      throw new IllegalArgumentException("a key of a wrong length for " + this);
    }
  }
}
