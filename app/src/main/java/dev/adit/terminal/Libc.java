package dev.adit.terminal;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.adit.ssh.session.Termios;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/** The system calls for terminals that Java has no way to make. Linux and macOS. */
final class Libc {
  static final int STDIN = 0;
  static final int STDOUT = 1;
  static final boolean MACOS = System.getProperty("os.name", "").startsWith("Mac");

  private static final int O_RDWR = 2;
  private static final int O_NOCTTY = MACOS ? 0x20000 : 0x100;
  private static final long TIOCGWINSZ = MACOS ? 0x40087468L : 0x5413L;
  private static final int SIGTSTP = MACOS ? 18 : 20;

  /** After what was written has gone out, and keeping what was typed ahead. */
  static final int TCSADRAIN = 1;

  /** As TCSADRAIN; what was typed before was shown, or was for someone else, and is thrown away. */
  static final int TCSAFLUSH = 2;

  private static final short POLLIN = 1;

  /** Size of {@code struct pollfd}: int fd, short events, short revents. */
  private static final int POLLFD = 8;

  /** More than {@code struct termios} has anywhere. */
  static final int TERMIOS_ROOM = 256;

  private static final Linker LINKER = Linker.nativeLinker();

  private static final MethodHandle ISATTY = function("isatty", JAVA_INT, JAVA_INT);
  private static final MethodHandle TCGETATTR = function("tcgetattr", JAVA_INT, JAVA_INT, ADDRESS);
  private static final MethodHandle TCSETATTR =
      function("tcsetattr", JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS);
  private static final MethodHandle POLL = function("poll", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);

  private Libc() {}

  /** What only some runs need, so that the others don't pay for it at start-up. */
  private static final class Rare {
    static final MethodHandle PIPE = function("pipe", JAVA_INT, ADDRESS);
    static final MethodHandle CLOSE = function("close", JAVA_INT, JAVA_INT);
    static final MethodHandle READ = function("read", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
    static final MethodHandle WRITE = function("write", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
    static final MethodHandle RAISE = function("raise", JAVA_INT, JAVA_INT);
    // Variadic in C, and macOS on ARM passes variadic arguments in another way.
    static final MethodHandle OPEN =
        LINKER.downcallHandle(
            LINKER.defaultLookup().find("open").orElseThrow(),
            FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT),
            Linker.Option.firstVariadicArg(2));
    static final MethodHandle IOCTL =
        LINKER.downcallHandle(
            LINKER.defaultLookup().find("ioctl").orElseThrow(),
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS),
            Linker.Option.firstVariadicArg(2));
  }

  @SuppressWarnings("restricted") // The launcher's --enable-native-access allows it.
  private static MethodHandle function(
      String name,
      java.lang.foreign.MemoryLayout result,
      java.lang.foreign.MemoryLayout... arguments) {
    return LINKER.downcallHandle(
        LINKER.defaultLookup().find(name).orElseThrow(), FunctionDescriptor.of(result, arguments));
  }

  static boolean isTerminal(int fd) {
    try {
      return (int) ISATTY.invokeExact(fd) == 1;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /** The terminal's settings as the system has them; null if this is no terminal. */
  static @Nullable Termios termios(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment termios = arena.allocate(TERMIOS_ROOM, 8);
      return (int) TCGETATTR.invokeExact(fd, termios) == 0
          ? Termios.of(termios.toArray(java.lang.foreign.ValueLayout.JAVA_BYTE))
          : null;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  static void setTermios(int fd, int when, Termios settings) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment termios = arena.allocate(TERMIOS_ROOM, 8);
      termios.copyFrom(MemorySegment.ofArray(settings.toBytes()));
      // It fails when the terminal is gone, and then nothing is left to set.
      int _ = (int) TCSETATTR.invokeExact(fd, when, termios);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /** Rows, columns, width and height in pixels; null where they aren't known. */
  static int @Nullable [] windowSize(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment size = arena.allocate(8, 2);
      if ((int) Rare.IOCTL.invokeExact(fd, TIOCGWINSZ, size) != 0) {
        return null;
      }
      int[] values = new int[4];
      for (int i = 0; i < 4; i++) {
        values[i] = Short.toUnsignedInt(size.getAtIndex(JAVA_SHORT, i));
      }
      return values;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /**
   * Waits until one of the files has something to read or has ended.
   *
   * @param timeoutMillis -1 for no limit
   * @return bit i for file i; 0 after the time, or when a signal came
   */
  static int awaitReadable(int timeoutMillis, int... fds) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment polls = arena.allocate((long) POLLFD * fds.length, 4);
      for (int i = 0; i < fds.length; i++) {
        polls.set(JAVA_INT, (long) POLLFD * i, fds[i]);
        polls.set(JAVA_SHORT, (long) POLLFD * i + 4, POLLIN);
      }
      int ready = (int) POLL.invokeExact(polls, (long) fds.length, timeoutMillis);
      int bits = 0;
      for (int i = 0; ready > 0 && i < fds.length; i++) {
        if (polls.get(JAVA_SHORT, (long) POLLFD * i + 6) != 0) {
          bits |= 1 << i;
        }
      }
      return bits;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /** The two ends of a new pipe: where to read, where to write. */
  static int[] pipe() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment ends = arena.allocate(8, 4);
      if ((int) Rare.PIPE.invokeExact(ends) != 0) {
        throw new IllegalStateException("no pipe can be made");
      }
      return ends.toArray(JAVA_INT);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /** Opens a terminal for reading and writing; -1 if it can't be. */
  static int open(String path) {
    try (Arena arena = Arena.ofConfined()) {
      return (int) Rare.OPEN.invokeExact(arena.allocateFrom(path), O_RDWR | O_NOCTTY);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  static void close(int fd) {
    try {
      int _ = (int) Rare.CLOSE.invokeExact(fd);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /** Reads one byte; -1 at the end or after an error. */
  static int read(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment one = arena.allocate(1);
      return (long) Rare.READ.invokeExact(fd, one, 1L) == 1
          ? Byte.toUnsignedInt(one.get(java.lang.foreign.ValueLayout.JAVA_BYTE, 0))
          : -1;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  static void write(int fd, byte[] bytes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment from = arena.allocate(Math.max(1, bytes.length));
      from.copyFrom(MemorySegment.ofArray(bytes));
      for (long done = 0; done < bytes.length; ) {
        long n =
            (long) Rare.WRITE.invokeExact(fd, from.asSlice(done), (long) (bytes.length - done));
        if (n <= 0) {
          return;
        }
        done += n;
      }
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /**
   * Stops this process as Ctrl-Z does; returns when it is continued. A signal for the process
   * (kill) may be taken by another thread, and this one would run on for a moment before it stops:
   * it would make the terminal raw again, under the shell.
   */
  static void stop() {
    try {
      int _ = (int) Rare.RAISE.invokeExact(SIGTSTP);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  private static RuntimeException impossible(Throwable e) {
    if (e instanceof RuntimeException r) {
      throw r;
    }
    if (e instanceof Error error) {
      throw error;
    }
    return new IllegalStateException("a system call threw", e);
  }
}
