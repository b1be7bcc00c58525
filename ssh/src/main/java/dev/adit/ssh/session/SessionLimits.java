package dev.adit.ssh.session;

import dev.adit.ssh.Limit;

/** Bounds of one session, in one place. */
final class SessionLimits {

  @Limit(
      bounds = "Variables that a client sets for one session",
      beyond = "the request fails",
      provenBy = "ServerSessionsTest.variablesHaveALimit")
  static final int MAX_VARIABLES = 128;

  @Limit(
      bounds = "Their names and values together",
      unit = "bytes",
      beyond = "the request fails",
      provenBy = "ServerSessionsTest.variablesHaveALimit")
  static final int MAX_VARIABLE_BYTES = 64 * 1024;

  @Limit(
      bounds = "A terminal's name (TERM)",
      unit = "bytes",
      beyond = "the request fails",
      provenBy = "ServerSessionsTest.aTerminalsNameAndSizeHaveALimit")
  static final int MAX_TERM = 128;

  @Limit(
      bounds = "Width and height of a terminal: the kernel counts in 16 bits",
      beyond = "it is cut",
      provenBy = "ServerSessionsTest.aTerminalsNameAndSizeHaveALimit")
  static final int MAX_WINDOW_SIZE = 65_535;

  /** What is read from a process before others get a turn, in bytes; a window limits it too. */
  static final int READ_BURST = 256 * 1024;

  @Limit(
      bounds = "Threads that start processes, for all connections of this JVM",
      beyond = "the next ones wait",
      provenBy = "ServerSessionsTest.fewThreadsStartPrograms")
  static final int STARTERS = 2;

  @Limit(
      bounds = "How long such a thread waits for the next process",
      unit = "seconds",
      beyond = "it ends",
      provenBy = "ServerSessionsTest.fewThreadsStartPrograms")
  static final int STARTERS_IDLE = 10;

  /**
   * Smaller pieces that wait for a program are copied together, so that a few bytes don't keep a
   * large buffer alive, in bytes.
   */
  static final int COPY_BELOW = 16 * 1024;

  /** From this many waiting bytes on larger pieces are copied too: the program lags. */
  static final int COPY_BEHIND = 256 * 1024;

  @Limit(
      bounds = "Memory of what was written to a session (SshStream) and hasn't been sent",
      unit = "bytes",
      beyond = "the writer waits",
      provenBy = "JumpTest.writerToAStalledTargetWaitsAndIsFreedByClose")
  static final int MAX_UNTAKEN_OUTPUT = 256 * 1024;

  @Limit(
      bounds =
          "How long a refusal waits behind the line that says why. OpenSSH's client "
              + "gives up as soon as it reads the refusal, and doesn't show what it has "
              + "read just before",
      unit = "milliseconds",
      beyond = "it is sent",
      provenBy = "ServerSessionsTest.aRefusalSaysWhyOnStandardErrorBeforeItFails")
  static final int REFUSAL_DELAY = 100;

  private SessionLimits() {}
}
