package dev.adit.ssh.session;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The system calls that Java has no way to make: terminals, and processes that begin a session of
 * their own. Linux with glibc 2.34 or later. No call waits for anything but {@link #spawn}, which
 * waits for the child's exec, and {@link #awaitEnd}.
 */
final class Posix {
  static final int SIGHUP = 1;
  static final int SIGCONT = 18;

  private static final int O_RDWR = 2;
  private static final int O_NOCTTY = 0x100;
  private static final int O_NONBLOCK = 0x800;
  private static final int O_CLOEXEC = 0x80000;
  private static final int F_GETFL = 3;
  private static final int F_SETFL = 4;
  private static final int TCSANOW = 0;
  private static final long TIOCSWINSZ = 0x5414;
  private static final int WNOHANG = 1;
  private static final long SYS_PIDFD_OPEN = 434;

  private static final short POSIX_SPAWN_SETSIGDEF = 0x04;
  private static final short POSIX_SPAWN_SETSIGMASK = 0x08;
  private static final short POSIX_SPAWN_SETSID = 0x80;

  /** More than posix_spawnattr_t, posix_spawn_file_actions_t, sigset_t or termios have. */
  private static final int STRUCT_ROOM = 1024;

  private static final int PATH_ROOM = 128;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");
  private static final StructLayout STATE = Linker.Option.captureStateLayout();
  private static final long ERRNO_AT =
      STATE.byteOffset(MemoryLayout.PathElement.groupElement("errno"));

  private static final MethodHandle PIPE2 = errnoFunction("pipe2", 0, ADDRESS, JAVA_INT);
  private static final MethodHandle FCNTL = errnoFunction("fcntl", 2, JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle OPEN = errnoFunction("open", 2, ADDRESS, JAVA_INT);
  private static final MethodHandle OPENPT = errnoFunction("posix_openpt", 0, JAVA_INT);
  private static final MethodHandle GRANTPT = errnoFunction("grantpt", 0, JAVA_INT);
  private static final MethodHandle UNLOCKPT = errnoFunction("unlockpt", 0, JAVA_INT);
  private static final MethodHandle WAITPID =
      errnoFunction("waitpid", 0, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle PIDFD_OPEN =
      errnoFunction("syscall", 1, JAVA_LONG, JAVA_INT, JAVA_INT);
  private static final MethodHandle PTSNAME =
      function("ptsname_r", JAVA_INT, JAVA_INT, ADDRESS, JAVA_LONG);
  private static final MethodHandle CLOSE = function("close", JAVA_INT, JAVA_INT);
  private static final MethodHandle KILL = function("kill", JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle STRERROR = function("strerror", ADDRESS, JAVA_INT);
  private static final MethodHandle TCGETATTR = function("tcgetattr", JAVA_INT, JAVA_INT, ADDRESS);
  private static final MethodHandle TCSETATTR =
      function("tcsetattr", JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS);
  private static final MethodHandle TCSENDBREAK =
      function("tcsendbreak", JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle IOCTL =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("ioctl"),
          FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS),
          Linker.Option.firstVariadicArg(2));

  private static final MethodHandle SIGEMPTYSET = function("sigemptyset", JAVA_INT, ADDRESS);
  private static final MethodHandle SIGFILLSET = function("sigfillset", JAVA_INT, ADDRESS);
  private static final MethodHandle ATTR_INIT = function("posix_spawnattr_init", JAVA_INT, ADDRESS);
  private static final MethodHandle ATTR_DESTROY =
      function("posix_spawnattr_destroy", JAVA_INT, ADDRESS);
  private static final MethodHandle ATTR_FLAGS =
      function("posix_spawnattr_setflags", JAVA_INT, ADDRESS, JAVA_SHORT);
  private static final MethodHandle ATTR_SIGMASK =
      function("posix_spawnattr_setsigmask", JAVA_INT, ADDRESS, ADDRESS);
  private static final MethodHandle ATTR_SIGDEFAULT =
      function("posix_spawnattr_setsigdefault", JAVA_INT, ADDRESS, ADDRESS);
  private static final MethodHandle ACTIONS_INIT =
      function("posix_spawn_file_actions_init", JAVA_INT, ADDRESS);
  private static final MethodHandle ACTIONS_DESTROY =
      function("posix_spawn_file_actions_destroy", JAVA_INT, ADDRESS);
  private static final MethodHandle ADD_DUP2 =
      function("posix_spawn_file_actions_adddup2", JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
  private static final MethodHandle ADD_OPEN =
      function(
          "posix_spawn_file_actions_addopen",
          JAVA_INT,
          ADDRESS,
          JAVA_INT,
          ADDRESS,
          JAVA_INT,
          JAVA_INT);
  private static final MethodHandle ADD_CHDIR =
      function("posix_spawn_file_actions_addchdir_np", JAVA_INT, ADDRESS, ADDRESS);
  private static final MethodHandle ADD_CLOSEFROM =
      function("posix_spawn_file_actions_addclosefrom_np", JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle SPAWN =
      function("posix_spawn", JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS);

  private Posix() {}

  @SuppressWarnings("restricted") // The launcher's --enable-native-access allows it.
  private static MethodHandle function(
      String name, MemoryLayout result, MemoryLayout... arguments) {
    return LINKER.downcallHandle(
        LINKER.defaultLookup().findOrThrow(name), FunctionDescriptor.of(result, arguments));
  }

  /**
   * A function whose first argument in Java is where errno goes.
   *
   * @param variadicFrom the first argument that C declares as {@code ...}, or 0 for none
   */
  @SuppressWarnings("restricted")
  private static MethodHandle errnoFunction(
      String name, int variadicFrom, MemoryLayout... arguments) {
    Linker.Option[] options =
        variadicFrom == 0
            ? new Linker.Option[] {ERRNO}
            : new Linker.Option[] {ERRNO, Linker.Option.firstVariadicArg(variadicFrom)};
    return LINKER.downcallHandle(
        LINKER.defaultLookup().findOrThrow(name),
        FunctionDescriptor.of(name.equals("syscall") ? JAVA_LONG : JAVA_INT, arguments),
        options);
  }

  /** A call of the system has failed; the message is the system's own. */
  static final class Failure extends IOException {
    private static final long serialVersionUID = 1L;

    private final int errno;

    Failure(int errno) {
      super(describe(errno));
      this.errno = errno;
    }

    int errno() {
      return errno;
    }
  }

  private static Failure failure(MemorySegment state) {
    return new Failure(state.get(JAVA_INT, ERRNO_AT));
  }

  @SuppressWarnings("restricted") // A C string without a length.
  private static String describe(int errno) {
    try {
      MemorySegment text = (MemorySegment) STRERROR.invokeExact(errno);
      return text.reinterpret(Long.MAX_VALUE).getString(0);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  // ---- Files ----------------------------------------------------------------------------------

  /** A new pipe, which no child inherits: its reading end, then its writing end. */
  static int[] pipe() throws Failure {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      MemorySegment ends = arena.allocate(JAVA_INT, 2);
      if ((int) PIPE2.invokeExact(state, ends, O_CLOEXEC) != 0) {
        throw failure(state);
      }
      return ends.toArray(JAVA_INT);
    } catch (Throwable e) {
      throw asFailure(e);
    }
  }

  static void setNonBlocking(int fd) throws Failure {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int flags = (int) FCNTL.invokeExact(state, fd, F_GETFL, 0);
      if (flags < 0 || (int) FCNTL.invokeExact(state, fd, F_SETFL, flags | O_NONBLOCK) != 0) {
        throw failure(state);
      }
    } catch (Throwable e) {
      throw asFailure(e);
    }
  }

  static void close(int fd) {
    try {
      int _ = (int) CLOSE.invokeExact(fd);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  // ---- Terminals ------------------------------------------------------------------------------

  /** The master side of a new pseudo-terminal, not blocking, inherited by no child. */
  static int openMaster() throws Failure {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int fd = (int) OPENPT.invokeExact(state, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
      if (fd < 0) {
        throw failure(state);
      }
      if ((int) GRANTPT.invokeExact(state, fd) != 0 || (int) UNLOCKPT.invokeExact(state, fd) != 0) {
        Failure failure = failure(state);
        close(fd);
        throw failure;
      }
      return fd;
    } catch (Throwable e) {
      throw asFailure(e);
    }
  }

  /** The path of a pseudo-terminal's other side: {@code /dev/pts/3}. */
  static String slavePath(int master) throws Failure {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment path = arena.allocate(PATH_ROOM);
      int errno = (int) PTSNAME.invokeExact(master, path, (long) PATH_ROOM);
      if (errno != 0) {
        throw new Failure(errno);
      }
      return path.getString(0);
    } catch (Throwable e) {
      throw asFailure(e);
    }
  }

  /** Opens a terminal without making it anybody's controlling one. */
  static int openTerminal(String path) throws Failure {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int fd =
          (int) OPEN.invokeExact(state, arena.allocateFrom(path), O_RDWR | O_NOCTTY | O_CLOEXEC);
      if (fd < 0) {
        throw failure(state);
      }
      return fd;
    } catch (Throwable e) {
      throw asFailure(e);
    }
  }

  /** The terminal's settings as the system has them; null if this is no terminal. */
  static byte @Nullable [] termios(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment termios = arena.allocate(STRUCT_ROOM, 8);
      return (int) TCGETATTR.invokeExact(fd, termios) == 0
          ? termios.toArray(ValueLayout.JAVA_BYTE)
          : null;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /** Returns whether the terminal took them. */
  static boolean setTermios(int fd, byte[] settings) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment termios = arena.allocate(STRUCT_ROOM, 8);
      termios.copyFrom(MemorySegment.ofArray(settings));
      return (int) TCSETATTR.invokeExact(fd, TCSANOW, termios) == 0;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /** The kernel tells the programs in the foreground when the size has changed. */
  static void setWindowSize(int fd, int rows, int columns, int widthPixels, int heightPixels) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment size = arena.allocate(JAVA_SHORT, 4);
      size.setAtIndex(JAVA_SHORT, 0, (short) rows);
      size.setAtIndex(JAVA_SHORT, 1, (short) columns);
      size.setAtIndex(JAVA_SHORT, 2, (short) widthPixels);
      size.setAtIndex(JAVA_SHORT, 3, (short) heightPixels);
      int _ = (int) IOCTL.invokeExact(fd, TIOCSWINSZ, size);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  static boolean sendBreak(int fd) {
    try {
      return (int) TCSENDBREAK.invokeExact(fd, 0) == 0;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  // ---- Processes ------------------------------------------------------------------------------

  /** What becomes of a child's standard streams. */
  sealed interface Streams {

    /** Each is a file of ours. */
    record Files(int stdin, int stdout, int stderr) implements Streams {}

    /** All are a terminal, which the child's session gets for its own. */
    record Terminal(String path) implements Streams {}
  }

  /**
   * Starts a program in a session of its own, with no other file open, no signal blocked and none
   * ignored: a JVM blocks SIGQUIT in its threads, and a child would inherit that.
   *
   * @return its process id, which is its process group's and its session's too
   */
  static int spawn(
      String path, List<String> argv, List<String> environment, String directory, Streams streams)
      throws Failure {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment attributes = arena.allocate(STRUCT_ROOM, 16);
      MemorySegment actions = arena.allocate(STRUCT_ROOM, 16);
      check((int) ATTR_INIT.invokeExact(attributes));
      check((int) ACTIONS_INIT.invokeExact(actions));
      try {
        MemorySegment signals = arena.allocate(STRUCT_ROOM, 16);
        check((int) SIGEMPTYSET.invokeExact(signals));
        check((int) ATTR_SIGMASK.invokeExact(attributes, signals));
        check((int) SIGFILLSET.invokeExact(signals));
        check((int) ATTR_SIGDEFAULT.invokeExact(attributes, signals));
        short flags = (short) (POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        check((int) ATTR_FLAGS.invokeExact(attributes, flags));
        switch (streams) {
          case Streams.Files files -> {
            check((int) ADD_DUP2.invokeExact(actions, files.stdin(), 0));
            check((int) ADD_DUP2.invokeExact(actions, files.stdout(), 1));
            check((int) ADD_DUP2.invokeExact(actions, files.stderr(), 2));
          }
          case Streams.Terminal terminal -> {
            // Opened by the leader of a session that has none, it becomes the controlling terminal.
            MemorySegment name = arena.allocateFrom(terminal.path());
            check((int) ADD_OPEN.invokeExact(actions, 0, name, O_RDWR, 0));
            check((int) ADD_DUP2.invokeExact(actions, 0, 1));
            check((int) ADD_DUP2.invokeExact(actions, 0, 2));
          }
        }
        check((int) ADD_CLOSEFROM.invokeExact(actions, 3));
        check((int) ADD_CHDIR.invokeExact(actions, string(arena, directory)));
        MemorySegment pid = arena.allocate(JAVA_INT);
        check(
            (int)
                SPAWN.invokeExact(
                    pid,
                    string(arena, path),
                    actions,
                    attributes,
                    strings(arena, argv),
                    strings(arena, environment)));
        return pid.get(JAVA_INT, 0);
      } finally {
        int _ = (int) ACTIONS_DESTROY.invokeExact(actions);
        int _ = (int) ATTR_DESTROY.invokeExact(attributes);
      }
    } catch (Throwable e) {
      throw asFailure(e);
    }
  }

  private static void check(int errno) throws Failure {
    if (errno != 0) {
      throw new Failure(errno);
    }
  }

  private static MemorySegment string(Arena arena, String text) {
    byte[] bytes = UnixText.encode(text);
    MemorySegment string = arena.allocate(bytes.length + 1L);
    return string.copyFrom(MemorySegment.ofArray(bytes));
  }

  private static MemorySegment strings(Arena arena, List<String> texts) {
    MemorySegment array = arena.allocate(ADDRESS, texts.size() + 1L);
    for (int i = 0; i < texts.size(); i++) {
      array.setAtIndex(ADDRESS, i, string(arena, texts.get(i)));
    }
    return array;
  }

  /** A file that becomes readable when the child ends. */
  static int openProcess(int pid) throws Failure {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      long fd = (long) PIDFD_OPEN.invokeExact(state, SYS_PIDFD_OPEN, pid, 0);
      if (fd < 0) {
        throw failure(state);
      }
      return (int) fd;
    } catch (Throwable e) {
      throw asFailure(e);
    }
  }

  /** The status of a child that has ended, as waitpid(2) tells it; -1 while it runs. */
  static int ended(int pid) throws Failure {
    return waitFor(pid, WNOHANG);
  }

  /** As {@link #ended}, and blocks until it has. */
  static int awaitEnd(int pid) throws Failure {
    return waitFor(pid, 0);
  }

  private static int waitFor(int pid, int options) throws Failure {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      MemorySegment status = arena.allocate(JAVA_INT);
      int found = (int) WAITPID.invokeExact(state, pid, status, options);
      if (found < 0) {
        throw failure(state);
      }
      return found == 0 ? -1 : status.get(JAVA_INT, 0);
    } catch (Throwable e) {
      throw asFailure(e);
    }
  }

  static boolean signalGroup(int leader, int signal) {
    try {
      return (int) KILL.invokeExact(-leader, signal) == 0;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  private static Failure asFailure(Throwable e) {
    if (e instanceof Failure failure) {
      return failure;
    }
    throw impossible(e);
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
