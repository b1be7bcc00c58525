package dev.adit.ssh.crypto;

/** Sizes of the arrays that are kept between packets. */
final class Scratch {
  private static final int SMALLEST = 4096;

  private Scratch() {}

  /** The next power of two, so that packets that grow a little don't cost an array each. */
  static int sizeFor(int needed) {
    return needed <= SMALLEST ? SMALLEST : Integer.highestOneBit(needed - 1) << 1;
  }
}
