package dev.adit;

/** The client, {@code adit}. */
public final class Adit {
  private Adit() {}

  static void main(String[] args) {
    System.exit(run(args));
  }

  /** Runs the client with the arguments of a command line; returns the exit status. */
  public static int run(String... args) {
    if (args.length == 1 && args[0].equals("-V")) {
      System.err.println("adit " + Version.of());
      return 0;
    }
    System.err.println("adit: only -V is there yet");
    return 255;
  }
}
