package dev.adit.ssh.crypto;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Single blocks of ChaCha20's key stream (RFC 8439 section 2.3) under one key, without the set-up
 * that a JCA cipher does for each: for the four bytes of a length, and for Poly1305's keys. Not
 * thread-safe.
 */
final class ChaCha20Block {
  static final int LENGTH = 64;

  private static final VarHandle INTS =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  private final int[] start = new int[16];
  private final int[] x = new int[16];

  ChaCha20Block(byte[] key) {
    start[0] = 0x61707865; // "expand 32-byte k"
    start[1] = 0x3320646e;
    start[2] = 0x79622d32;
    start[3] = 0x6b206574;
    for (int i = 0; i < 8; i++) {
      start[4 + i] = (int) INTS.get(key, 4 * i);
    }
  }

  /** Writes the block with this counter, under the packet's sequence number as nonce. */
  void generate(int counter, int sequence, byte[] out) {
    start[12] = counter;
    // The nonce is the number as a big-endian uint64, and its upper half is always 0.
    start[15] = Integer.reverseBytes(sequence);
    System.arraycopy(start, 0, x, 0, 16);
    for (int i = 0; i < 10; i++) {
      quarter(0, 4, 8, 12);
      quarter(1, 5, 9, 13);
      quarter(2, 6, 10, 14);
      quarter(3, 7, 11, 15);
      quarter(0, 5, 10, 15);
      quarter(1, 6, 11, 12);
      quarter(2, 7, 8, 13);
      quarter(3, 4, 9, 14);
    }
    for (int i = 0; i < 16; i++) {
      INTS.set(out, 4 * i, x[i] + start[i]);
    }
  }

  private void quarter(int a, int b, int c, int d) {
    x[a] += x[b];
    x[d] = Integer.rotateLeft(x[d] ^ x[a], 16);
    x[c] += x[d];
    x[b] = Integer.rotateLeft(x[b] ^ x[c], 12);
    x[a] += x[b];
    x[d] = Integer.rotateLeft(x[d] ^ x[a], 8);
    x[c] += x[d];
    x[b] = Integer.rotateLeft(x[b] ^ x[c], 7);
  }
}
