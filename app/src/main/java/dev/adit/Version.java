package dev.adit;

/** The version of adit, from the manifest of its jar. */
public final class Version {
  private Version() {}

  /** Such as {@code 0.1.0}, or {@code unpackaged} when adit runs from class files. */
  public static String of() {
    String version = Version.class.getPackage().getImplementationVersion();
    return version == null ? "unpackaged" : version;
  }
}
