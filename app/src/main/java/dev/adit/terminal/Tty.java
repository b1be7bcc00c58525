package dev.adit.terminal;

import dev.adit.ssh.PtyOptions;
import dev.adit.ssh.session.Termios;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The terminal of this process: its standard input where that is one. What is changed is changed
 * back when the process ends, also by a signal. Thread-safe.
 */
public final class Tty {

  /** Held while someone reads from the terminal: the session's input waits while a user answers. */
  static final ReentrantLock INPUT = new ReentrantLock();

  private static final Object LOCK = new Object();

  /** Settings to return to, by file. Guarded by LOCK. */
  private static final Map<Integer, Termios> CHANGED = new LinkedHashMap<>();

  private static boolean hooked;

  private Tty() {}

  /** Whether standard input is a terminal. */
  public static boolean isStdin() {
    return mayBeTerminal() && Libc.isTerminal(Libc.STDIN);
  }

  /** Cheaper than to ask the system, whose calls take a while to prepare: no means no. */
  private static boolean mayBeTerminal() {
    try {
      String file = Files.readSymbolicLink(Path.of("/proc/self/fd/0")).toString();
      return file.startsWith("/dev/") && !file.equals("/dev/null");
    } catch (IOException e) {
      return true;
    }
  }

  /** Prepares the system calls on a thread of its own, while the caller does something else. */
  public static void prepare() {
    if (mayBeTerminal()) {
      Thread.ofPlatform().daemon().name("adit-terminal").start(Tty::size);
    }
  }

  /** Whether standard output is a terminal. */
  public static boolean isStdout() {
    return Libc.isTerminal(Libc.STDOUT);
  }

  /** The columns of the terminal at standard output; 0 where they aren't known. */
  public static int outputColumns() {
    int[] size = Libc.windowSize(Libc.STDOUT);
    return size == null ? 0 : size[1];
  }

  /** Hands every key on as it is, until {@link #leaveRaw}. */
  public static void enterRaw() {
    Termios now = Libc.termios(Libc.STDIN);
    if (now != null) {
      Termios cooked = remember(Libc.STDIN, now);
      Libc.setTermios(Libc.STDIN, Libc.TCSADRAIN, cooked.raw());
    }
  }

  /** Back to the settings before {@link #enterRaw}. Idempotent. */
  public static void leaveRaw() {
    restore(Libc.STDIN);
  }

  /** Stops this process as Ctrl-Z would; returns when it is continued. */
  public static void suspend() {
    Libc.stop();
  }

  /** The terminal as a server is asked for it; what isn't known is 0, and no settings. */
  public static PtyOptions describe(String term) {
    int[] size = size();
    Termios now;
    synchronized (LOCK) {
      now = CHANGED.get(Libc.STDIN);
    }
    if (now == null) {
      now = Libc.termios(Libc.STDIN);
    }
    return new PtyOptions(
        term, size[1], size[0], size[2], size[3], now == null ? Map.of() : now.modes());
  }

  /** Rows, columns, width and height in pixels; 0 where they aren't known. */
  public static int[] size() {
    int[] size = Libc.windowSize(Libc.STDIN);
    return size == null ? new int[4] : size;
  }

  /**
   * Notes the settings to return to.
   *
   * @return those settings, which are older ones if the terminal is changed already
   */
  static Termios remember(int fd, Termios now) {
    synchronized (LOCK) {
      if (!hooked) {
        hooked = true;
        Runtime.getRuntime().addShutdownHook(new Thread(Tty::restoreAll, "adit-terminal"));
      }
      Termios before = CHANGED.putIfAbsent(fd, now);
      return before == null ? now : before;
    }
  }

  static void restore(int fd) {
    synchronized (LOCK) {
      Termios before = CHANGED.remove(fd);
      if (before != null) {
        Libc.setTermios(fd, Libc.TCSADRAIN, before);
      }
    }
  }

  /** The settings that standard input had before raw mode; null if it isn't changed. */
  static @Nullable Termios cooked() {
    synchronized (LOCK) {
      return CHANGED.get(Libc.STDIN);
    }
  }

  /** In the reverse order: two files may be the same terminal. */
  private static void restoreAll() {
    synchronized (LOCK) {
      List.copyOf(CHANGED.keySet()).reversed().forEach(Tty::restore);
    }
  }
}
