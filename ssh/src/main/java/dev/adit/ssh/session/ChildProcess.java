package dev.adit.ssh.session;

import dev.adit.ssh.ExitStatus;
import dev.adit.ssh.Launch;
import dev.adit.ssh.transport.Umask;
import io.netty.channel.EventLoop;
import java.lang.foreign.Linker;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A program that runs for a session, leader of a process group and a session of its own. Confined
 * to the event loop, but for {@link #start}.
 */
final class ChildProcess {

  /** Exit statuses of a shell whose command can't be started, and isn't there. */
  private static final int CANNOT_START = 126;

  private static final int NOT_FOUND = 127;
  private static final int ENOENT = 2;

  /** What {@link Posix} needs and older systems don't have: glibc 2.34. */
  private static final String NEWEST_CALL = "posix_spawn_file_actions_addclosefrom_np";

  private static final boolean SUPPORTED =
      Linker.nativeLinker().defaultLookup().find(NEWEST_CALL).isPresent();

  /** Where programs are started: an exec may wait for a disk. */
  static final Executor STARTERS = starters();

  /** The signals that a client may send (RFC 4254 section 6.10), by Linux's numbers. */
  private static final Map<String, Integer> SIGNALS =
      Map.ofEntries(
          Map.entry("HUP", 1),
          Map.entry("INT", 2),
          Map.entry("QUIT", 3),
          Map.entry("ILL", 4),
          Map.entry("ABRT", 6),
          Map.entry("FPE", 8),
          Map.entry("KILL", 9),
          Map.entry("USR1", 10),
          Map.entry("SEGV", 11),
          Map.entry("USR2", 12),
          Map.entry("PIPE", 13),
          Map.entry("ALRM", 14),
          Map.entry("TERM", 15));

  /** For a signal that the RFC has no name for, as sshd says it. */
  private static final String OTHER_SIGNAL = "SIG@openssh.com";

  private final int pid;
  private final Consumer<ExitStatus> onEnd;
  private final Descriptor end;
  private boolean ended;

  private ChildProcess(int pid, int processFile, Consumer<ExitStatus> onEnd) {
    this.pid = pid;
    this.onEnd = onEnd;
    this.end =
        new Descriptor(processFile, this::lookForEnd) {
          @Override
          public void close() {
            super.close();
            if (!ended) {
              waitElsewhere(pid);
            }
          }
        };
  }

  /** The event loop has ended: somebody has to wait for the child, or it stays as a zombie. */
  private static void waitElsewhere(int pid) {
    Thread.ofPlatform()
        .daemon()
        .name("adit-wait")
        .start(
            () -> {
              try {
                int _ = Posix.awaitEnd(pid);
              } catch (Posix.Failure _) {
                // It is gone.
              }
            });
  }

  /** Whether this system, with this kind of event loop, can start and watch programs. */
  static boolean isSupported(EventLoop loop) {
    return SUPPORTED && Descriptor.canBeWatchedBy(loop);
  }

  private static Executor starters() {
    var pool =
        new ThreadPoolExecutor(
            SessionLimits.STARTERS,
            SessionLimits.STARTERS,
            SessionLimits.STARTERS_IDLE,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            Thread.ofPlatform().daemon().name("adit-start-", 0).factory());
    pool.allowCoreThreadTimeOut(true);
    return pool;
  }

  /**
   * What was started. The files are our ends of the program's standard streams, not blocking; with
   * a terminal there are none.
   *
   * @param note something that the user should read, with a line's end; may be empty
   */
  record Started(int pid, int process, int stdin, int stdout, int stderr, String note) {

    /** Nobody is there any more who wants them. */
    void closeStreams() {
      for (int file : new int[] {stdin, stdout, stderr}) {
        if (file >= 0) {
          Posix.close(file);
        }
      }
    }

    /** Nobody is there any more who wants it, nor an event loop that could watch it. */
    void abandon() {
      Posix.signalGroup(pid, Posix.SIGHUP);
      Posix.close(process);
      closeStreams();
      waitElsewhere(pid);
    }
  }

  /** Why a program wasn't started, and the exit status that a shell gives in such a case. */
  static final class NotStarted extends Exception {
    private static final long serialVersionUID = 1L;

    private final int status;

    NotStarted(String message, Posix.Failure cause) {
      super(message, cause);
      this.status = cause.errno() == ENOENT ? NOT_FOUND : CANNOT_START;
    }

    int status() {
      return status;
    }
  }

  /**
   * Starts a program. Blocks until it runs, so it isn't for the event loop.
   *
   * @param additions variables that its session adds
   * @param terminal its terminal, or null for pipes
   */
  static Started start(Launch launch, Map<String, String> additions, @Nullable Pty terminal)
      throws NotStarted {
    String directory = launch.directory().toString();
    String note = "";
    if (!Files.isDirectory(launch.directory())) {
      note = "Could not chdir to home directory " + directory + ": No such file or directory\n";
      directory = "/";
    }
    String path = launch.argv().getFirst();
    List<String> argv = new ArrayList<>(launch.argv());
    if (!launch.loginName().isEmpty()) {
      argv.set(0, launch.loginName());
    }
    Map<String, String> variables = new TreeMap<>(launch.environment());
    variables.putAll(additions);
    List<String> environment =
        variables.entrySet().stream().map(v -> v.getKey() + "=" + v.getValue()).toList();
    List<Integer> opened = new ArrayList<>();
    try {
      if (terminal != null) {
        var streams = new Posix.Streams.Terminal(terminal.path());
        int pid = spawn(path, argv, environment, directory, streams);
        return new Started(pid, Posix.openProcess(pid), -1, -1, -1, note);
      }
      int[] stdin = pipe(opened, 1);
      int[] stdout = pipe(opened, 0);
      int[] stderr = pipe(opened, 0);
      var streams = new Posix.Streams.Files(stdin[0], stdout[1], stderr[1]);
      int pid = spawn(path, argv, environment, directory, streams);
      int process = Posix.openProcess(pid);
      List.of(stdin[0], stdout[1], stderr[1]).forEach(Posix::close);
      return new Started(pid, process, stdin[1], stdout[0], stderr[0], note);
    } catch (Posix.Failure e) {
      opened.forEach(Posix::close);
      throw new NotStarted(path + ": " + e.getMessage(), e);
    }
  }

  private static int spawn(
      String path,
      List<String> argv,
      List<String> environment,
      String directory,
      Posix.Streams streams)
      throws Posix.Failure {
    return Umask.unchanged(() -> Posix.spawn(path, argv, environment, directory, streams));
  }

  private static int[] pipe(List<Integer> opened, int ours) throws Posix.Failure {
    int[] ends = Posix.pipe();
    opened.add(ends[0]);
    opened.add(ends[1]);
    Posix.setNonBlocking(ends[ours]);
    return ends;
  }

  // ---- On the event loop ----------------------------------------------------------------------

  /**
   * Watches a program that was started.
   *
   * @param onEnd hears how it ended, once
   */
  static ChildProcess watch(EventLoop loop, Started started, Consumer<ExitStatus> onEnd) {
    var child = new ChildProcess(started.pid(), started.process(), onEnd);
    child.end.watch(loop);
    return child;
  }

  private void lookForEnd() {
    int status;
    try {
      status = Posix.ended(pid);
    } catch (Posix.Failure _) {
      // Somebody else in this JVM has waited for it.
      ended(new ExitStatus.Unknown(null));
      return;
    }
    if (status >= 0) {
      ended(describe(status));
    }
  }

  private void ended(ExitStatus how) {
    ended = true;
    end.close();
    onEnd.accept(how);
  }

  private static ExitStatus describe(int status) {
    int signal = status & 0x7f;
    if (signal == 0) {
      return new ExitStatus.Exited(status >> 8 & 0xff);
    }
    String name =
        SIGNALS.entrySet().stream()
            .filter(known -> known.getValue() == signal)
            .map(Map.Entry::getKey)
            .findFirst()
            .orElse(OTHER_SIGNAL);
    return new ExitStatus.Signaled(name, (status & 0x80) != 0, "");
  }

  /** Sends a signal to its process group; false if it has ended or the signal is unknown. */
  boolean signal(String name) {
    Integer number = SIGNALS.get(name);
    return number != null && !ended && Posix.signalGroup(pid, number);
  }

  /** Its user has gone. A program that is stopped hears of it too. */
  void hangUp() {
    // Once it has been waited for, its number may be somebody else's.
    if (!ended) {
      Posix.signalGroup(pid, Posix.SIGHUP);
      Posix.signalGroup(pid, Posix.SIGCONT);
    }
  }
}
