package dev.adit.config.server;

/**
 * How many leading bits of an address make a source, for limits that are counted by source.
 *
 * @param v4 0 to 32
 * @param v6 0 to 128
 */
public record NetBlockSize(int v4, int v6) {
  @Override
  public String toString() {
    return v4 + ":" + v6;
  }
}
