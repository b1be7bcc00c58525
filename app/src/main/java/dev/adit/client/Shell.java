package dev.adit.client;

/** The user's shell, which commands of the configuration are given to. */
final class Shell {

  private Shell() {}

  /** {@code $SHELL}, or /bin/sh. */
  static String path() {
    String shell = System.getenv("SHELL");
    return shell == null || shell.isEmpty() ? "/bin/sh" : shell;
  }
}
