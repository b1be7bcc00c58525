package dev.adit.ssh.crypto;

import org.bouncycastle.crypto.params.KeyParameter;

/** Poly1305 over one message (RFC 8439 section 2.5). Not thread-safe. */
final class Poly1305 {
  private final org.bouncycastle.crypto.macs.Poly1305 mac =
      new org.bouncycastle.crypto.macs.Poly1305();

  /** Writes the 16 bytes of tag; the key is the first 32 bytes of {@code key}. */
  void compute(byte[] key, byte[] message, int from, int length, byte[] tag) {
    mac.init(new KeyParameter(key, 0, 32));
    mac.update(message, from, length);
    mac.doFinal(tag, 0);
  }
}
