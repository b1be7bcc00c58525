package dev.adit;

import java.io.OutputStream;
import java.io.PrintStream;

/**
 * The run from which the build makes the AOT cache (see app/src/main/launcher/make-image): it does
 * what a start of adit does, so that the JVM finds those classes loaded, linked and profiled. What
 * is not done here still works, only later by the time that its classes take to load.
 *
 * <p>It runs on the machine that builds, so nothing in it may need a network, an account or a file
 * of the user's. It fails the build when what it calls fails.
 */
final class Training {
  private Training() {}

  static void main() {
    PrintStream out = System.out;
    System.setOut(new PrintStream(OutputStream.nullOutputStream()));
    expect(0, Adit.run("-V"));
    expect(0, Adit.run("-F", "none", "-L", "9001:yahoo.com:80", "-G", "localhost"));
    System.setOut(out);
    System.exit(0);
  }

  private static void expect(int status, int got) {
    if (got != status) {
      throw new IllegalStateException("exit status " + got + " instead of " + status);
    }
  }
}
