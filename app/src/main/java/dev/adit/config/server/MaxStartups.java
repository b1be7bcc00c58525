package dev.adit.config.server;

/**
 * How many connections may be open whose users are not logged in yet. From {@code begin} on each
 * new one is dropped with a chance of {@code rate} percent, which grows to certainty at {@code
 * full}.
 */
public record MaxStartups(int begin, int rate, int full) {
  @Override
  public String toString() {
    return "%d:%d:%d".formatted(begin, rate, full);
  }
}
