package dev.adit.bench;

/** What a figure is in, and whether more of it is better. Mega and giga are powers of ten. */
enum Unit {
  MB_PER_S("MB/s", true),
  PER_S("/s", true),
  SHARE("x", true),
  S_PER_GB("s/GB", false),
  MS("ms", false),
  US("us", false),
  MB("MB", false),
  KIB("KiB", false),
  TIMES("x", false),
  /** Of a row that nobody could be measured in. */
  NONE("-", false);

  private final String text;
  private final boolean moreIsBetter;

  Unit(String text, boolean moreIsBetter) {
    this.text = text;
    this.moreIsBetter = moreIsBetter;
  }

  boolean moreIsBetter() {
    return moreIsBetter;
  }

  @Override
  public String toString() {
    return text;
  }
}
