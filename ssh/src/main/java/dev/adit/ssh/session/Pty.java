package dev.adit.ssh.session;

import dev.adit.ssh.PtyOptions;

/**
 * A pseudo-terminal: the master is ours, the slave becomes a program's terminal. We keep the slave
 * open until the program has it, for a terminal that nobody has open counts as hung up.
 */
final class Pty {
  private final int master;
  private final int slave;
  private final String path;
  private boolean slaveOpen = true;
  private boolean masterOpen = true;

  private Pty(int master, int slave, String path) {
    this.master = master;
    this.slave = slave;
    this.path = path;
  }

  /** A new terminal of this size and with these modes (RFC 4254 section 8). */
  static Pty open(PtyOptions options) throws Posix.Failure {
    int master = Posix.openMaster();
    try {
      String path = Posix.slavePath(master);
      int slave = Posix.openTerminal(path);
      byte[] settings = Posix.termios(slave);
      if (settings != null) {
        Posix.setTermios(slave, Termios.of(settings).with(options.modes()).toBytes());
      }
      Posix.setWindowSize(
          master, options.rows(), options.columns(), options.widthPixels(), options.heightPixels());
      return new Pty(master, slave, path);
    } catch (Posix.Failure e) {
      Posix.close(master);
      throw e;
    }
  }

  /** The slave's path: {@code /dev/pts/3}. */
  String path() {
    return path;
  }

  void resize(int columns, int rows, int widthPixels, int heightPixels) {
    if (masterOpen) {
      Posix.setWindowSize(master, rows, columns, widthPixels, heightPixels);
    }
  }

  boolean sendBreak() {
    return masterOpen && Posix.sendBreak(master);
  }

  /** The master, whose new owner closes it; no method here touches it after {@link #hungUp}. */
  int takeMaster() {
    return master;
  }

  /** The master was closed by its new owner. */
  void hungUp() {
    masterOpen = false;
    closeSlave();
  }

  /** The program has the slave now, or there will be none. Idempotent. */
  void closeSlave() {
    if (slaveOpen) {
      slaveOpen = false;
      Posix.close(slave);
    }
  }

  /** When nobody has taken the master. Idempotent. */
  void close() {
    closeSlave();
    if (masterOpen) {
      masterOpen = false;
      Posix.close(master);
    }
  }
}
