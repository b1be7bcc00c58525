package dev.adit.ssh.transport;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * The process's file mode creation mask. A socket file must be born with its permissions: between a
 * bind and a chmod anybody could connect. The mask belongs to the whole process, so it is changed
 * only for the moment of a bind; whoever creates a file just then gets it more private.
 */
public final class Umask {
  private static final MethodHandle UMASK = find();
  private static final Object LOCK = new Object();

  /** What inherits the mask. */
  public interface Action<T, X extends Exception> {
    T run() throws X;
  }

  private Umask() {}

  @SuppressWarnings("restricted")
  private static MethodHandle find() {
    var linker = Linker.nativeLinker();
    return linker.downcallHandle(
        linker.defaultLookup().findOrThrow("umask"),
        FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
  }

  /** Runs something under this mask. */
  public static void with(int mask, Runnable action) {
    synchronized (LOCK) {
      int before = set(mask);
      try {
        action.run();
      } finally {
        var _ = set(before);
      }
    }
  }

  /**
   * Runs something that inherits the mask, as a process does that is started: nobody changes it.
   */
  public static <T, X extends Exception> T unchanged(Action<T, X> action) throws X {
    synchronized (LOCK) {
      return action.run();
    }
  }

  private static int set(int mask) {
    try {
      return (int) UMASK.invokeExact(mask);
    } catch (Throwable e) {
      throw new IllegalStateException("umask", e);
    }
  }
}
