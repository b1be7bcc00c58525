package dev.adit.cli;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.adit.Adit;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * {@code -f}: the program that the user started returns once the forwards are up, and another one
 * goes on in the background. A JVM can't fork, so there are two from the beginning:
 *
 * <ol>
 *   <li>the first JVM calls {@link #spawnAndWait}, which starts a second one with the same
 *       arguments and on the same terminal;
 *   <li>the second one ({@link #isChild} is true) asks for passwords, connects and forwards;
 *   <li>when all is up it calls {@link #ready}, which cuts it loose from the terminal and tells the
 *       first one, which then exits with 0;
 *   <li>if the second one ends before that, the first one exits with its exit status.
 * </ol>
 *
 * The word passes through a Unix socket in a directory that only this user may enter: Java closes
 * all other files when it starts a process. Linux and macOS.
 */
public final class Background {
  /** The first JVM's process id, a colon, and the socket that it listens on. */
  private static final String ENVIRONMENT = "ADIT_BACKGROUND";

  private Background() {}

  /** What a background process keeps of the terminal or the files that it was started with. */
  public enum Keep {
    /** Nothing: for {@code -N}. What reads our output sees its end, as {@code $(adit -fN ...)}. */
    NOTHING,
    /** Standard output and standard error: for {@code -f host command}, whose output they are. */
    OUTPUT
  }

  /**
   * Whether this process is the one that goes to the background. The variable alone doesn't say so:
   * a ProxyCommand that is adit again inherits it, but has another parent.
   */
  public static boolean isChild() {
    return socketOfParent() != null;
  }

  /**
   * Starts this program again and waits until that one is {@linkplain #ready ready} or ends. A
   * SIGTERM or Ctrl-C that comes before ends it too.
   *
   * @param main the class to start
   * @return the exit status for this process: 0 when the other one is ready, else its own
   * @throws IOException if it can't be started
   */
  public static int spawnAndWait(Class<?> main, List<String> arguments) throws IOException {
    Path directory = Files.createTempDirectory("adit-"); // Only for this user, as Java makes them.
    Path socket = directory.resolve("ready");
    try (var listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      listener.bind(UnixDomainSocketAddress.of(socket));
      var builder = new ProcessBuilder(command(main, arguments)).inheritIO();
      builder.environment().put(ENVIRONMENT, ProcessHandle.current().pid() + ":" + socket);
      Process child = builder.start();
      var endWithUs = new Thread(child::destroy);
      Runtime.getRuntime().addShutdownHook(endWithUs);
      boolean ready = awaitReady(listener, child);
      try {
        Runtime.getRuntime().removeShutdownHook(endWithUs);
      } catch (IllegalStateException _) {
        // A signal is ending us, and the hook the child.
        return child.waitFor();
      }
      return ready ? 0 : child.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while the background process was starting", e);
    } finally {
      Files.deleteIfExists(socket);
      Files.deleteIfExists(directory);
    }
  }

  private static boolean awaitReady(ServerSocketChannel listener, Process child)
      throws InterruptedException {
    var ready = new CompletableFuture<Boolean>();
    var _ = child.onExit().thenRun(() -> ready.complete(false));
    Thread.ofVirtual()
        .start(
            () -> {
              try (SocketChannel channel = listener.accept()) {
                // An end without a byte is the child's death: its exit status is what counts.
                if (channel.read(ByteBuffer.allocate(1)) == 1) {
                  ready.complete(true);
                }
              } catch (IOException _) {
                // The listener was closed, since the child has ended.
              }
            });
    try {
      return ready.get();
    } catch (ExecutionException e) {
      throw new AssertionError(e);
    }
  }

  /** The launcher's command line again: the same Java, flags, image and AOT cache. */
  private static List<String> command(Class<?> main, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Duser.home=" + System.getProperty("user.home"));
    String home = System.getProperty("adit.home");
    if (home != null) {
      command.add("-Dadit.home=" + home);
      command.add("-Djava.library.path=" + home + "/native");
      command.add("-XX:AOTCache=" + home + "/adit.aot");
      command.add("@" + home + (main == Adit.class ? "/client.options" : "/gateway.options"));
    } else {
      command.add("--enable-native-access=ALL-UNNAMED");
    }
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(main.getName());
    command.addAll(arguments);
    return command;
  }

  /**
   * Cuts this process loose from its terminal (a session of its own, standard streams on /dev/null)
   * and tells the first process to exit. Does nothing in a process that isn't {@linkplain #isChild
   * a child}.
   *
   * @throws IOException if a system call fails, or if the first process is gone: then nobody is
   *     left who wanted this one, and it should end
   */
  public static void ready(Keep keep) throws IOException {
    Path socket = socketOfParent();
    if (socket == null) {
      return;
    }
    try (var channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      Libc.detach(keep);
      channel.write(ByteBuffer.wrap(new byte[] {1}));
    } catch (IOException e) {
      throw new IOException("could not go to the background: " + e.getMessage(), e);
    }
  }

  private static @Nullable Path socketOfParent() {
    String value = System.getenv(ENVIRONMENT);
    if (value == null) {
      return null;
    }
    int colon = value.indexOf(':');
    String parent =
        ProcessHandle.current().parent().map(p -> String.valueOf(p.pid())).orElse("none");
    return colon > 0 && value.substring(0, colon).equals(parent)
        ? Path.of(value.substring(colon + 1))
        : null;
  }

  /**
   * The three calls that Java has no way to make; their signatures are the same on Linux and macOS.
   */
  private static final class Libc {
    private static final int O_RDWR = 2;

    private static final MethodHandle SETSID = function("setsid", FunctionDescriptor.of(JAVA_INT));
    private static final MethodHandle DUP2 =
        function("dup2", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
    private static final MethodHandle CLOSE =
        function("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    // open is variadic in C, and macOS on ARM passes variadic arguments in another way. Without
    // O_CREAT there are none, but the call has to say where they would begin.
    private static final MethodHandle OPEN =
        function(
            "open",
            FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT),
            Linker.Option.firstVariadicArg(2));

    @SuppressWarnings("restricted") // The launcher's --enable-native-access allows it.
    private static MethodHandle function(
        String name, FunctionDescriptor type, Linker.Option... options) {
      Linker linker = Linker.nativeLinker();
      return linker.downcallHandle(linker.defaultLookup().find(name).orElseThrow(), type, options);
    }

    static void detach(Keep keep) throws IOException {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment name = arena.allocateFrom("/dev/null");
        int devNull = (int) OPEN.invokeExact(name, O_RDWR);
        check("open /dev/null", devNull);
        check("setsid", (int) SETSID.invokeExact());
        int last = keep == Keep.OUTPUT ? 0 : 2;
        for (int stream = 0; stream <= last; stream++) {
          check("dup2", (int) DUP2.invokeExact(devNull, stream));
        }
        if (devNull > 2) {
          check("close", (int) CLOSE.invokeExact(devNull));
        }
      } catch (IOException | RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new AssertionError("a system call threw", e);
      }
    }

    private static void check(String call, int result) throws IOException {
      if (result < 0) {
        throw new IOException(call + " failed");
      }
    }
  }
}
