package dev.adit.ssh.session;

/** Bounds of one session on the server's side, in one place. */
final class SessionLimits {

  /** Variables that a client may set for one session. */
  static final int MAX_VARIABLES = 128;

  /** Bytes that their names and values may have together. */
  static final int MAX_VARIABLE_BYTES = 64 * 1024;

  /** Length of a terminal's name (TERM), in bytes. */
  static final int MAX_TERM = 128;

  /** Widest and highest terminal: the kernel counts in 16 bits. */
  static final int MAX_WINDOW_SIZE = 65_535;

  /** What is read from a process before others get a turn, in bytes. */
  static final int READ_BURST = 256 * 1024;

  /** Threads that start processes, for all connections of this JVM. */
  static final int STARTERS = 2;

  private SessionLimits() {}
}
