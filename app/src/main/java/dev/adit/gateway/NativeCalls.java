package dev.adit.gateway;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;

/** The calls of the C library that a daemon needs and Java has no way to make. */
final class NativeCalls {
  private static final int LOG_PID = 0x01;
  private static final int LOG_NDELAY = 0x08;

  private static final int F_SETFD = 2;
  private static final int F_SETFL = 4;
  private static final int FD_CLOEXEC = 1;
  private static final int O_NONBLOCK_OF_LINUX = 04000;

  private static final int AF_UNIX = 1;
  private static final int SOCK_DGRAM = 2;
  private static final int SOCK_CLOEXEC_OF_LINUX = 02000000;

  /** struct sockaddr_un on Linux: a 16-bit family, then the path. */
  private static final int PATH_OFFSET = 2;

  private static final int LONGEST_PATH = 108;

  private static final Linker LINKER = Linker.nativeLinker();

  /** syslog keeps the pointer to its name. */
  private static final MemorySegment NAME = Arena.global().allocateFrom("aditd");

  private static final MemorySegment FORMAT = Arena.global().allocateFrom("%s");

  private NativeCalls() {}

  @SuppressWarnings("restricted") // The launcher's --enable-native-access allows it.
  private static MethodHandle function(
      String name, FunctionDescriptor type, Linker.Option... options) {
    return LINKER.downcallHandle(LINKER.defaultLookup().find(name).orElseThrow(), type, options);
  }

  /** The handles are made when the first of them is needed. */
  private static final class Syslog {
    static final MethodHandle OPEN =
        function("openlog", FunctionDescriptor.ofVoid(ADDRESS, JAVA_INT, JAVA_INT));
    // Variadic in C, and macOS on ARM passes variadic arguments in another way.
    static final MethodHandle WRITE =
        function(
            "syslog",
            FunctionDescriptor.ofVoid(JAVA_INT, ADDRESS, ADDRESS),
            Linker.Option.firstVariadicArg(2));
  }

  /**
   * openlog(3).
   *
   * @param facility its number, of RFC 5424 section 6.2.1
   */
  static void openSyslog(int facility) {
    // Without the braces the call's type would be one that returns an object.
    call(
        () -> {
          Syslog.OPEN.invokeExact(NAME, LOG_PID | LOG_NDELAY, facility << 3);
        });
  }

  /**
   * syslog(3). May block.
   *
   * @param severity of RFC 5424 section 6.2.1
   */
  static void syslog(int severity, String line) {
    try (var arena = Arena.ofConfined()) {
      var text = arena.allocateFrom(line.replace("\0", "\\0"));
      call(
          () -> {
            Syslog.WRITE.invokeExact(severity, FORMAT, text);
          });
    }
  }

  /** A descriptor that somebody handed to us: ours alone, and reads and writes don't wait. */
  static void adopt(int descriptor) throws IOException {
    var fcntl =
        function(
            "fcntl",
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT),
            Linker.Option.firstVariadicArg(2));
    int[] result = new int[2];
    call(() -> result[0] = (int) fcntl.invokeExact(descriptor, F_SETFD, FD_CLOEXEC));
    call(() -> result[1] = (int) fcntl.invokeExact(descriptor, F_SETFL, O_NONBLOCK_OF_LINUX));
    if (result[0] < 0 || result[1] < 0) {
      throw new IOException("descriptor %d is not open".formatted(descriptor));
    }
  }

  /**
   * Sends one datagram to a Unix socket. Linux.
   *
   * @param path one that begins with {@code @} is abstract
   */
  static void sendDatagram(String path, String text) throws IOException {
    var socket = function("socket", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
    var sendTo =
        function(
            "sendto",
            FunctionDescriptor.of(
                JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT));
    var close = function("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    byte[] name = path.getBytes(StandardCharsets.UTF_8);
    if (name.length >= LONGEST_PATH) {
      throw new IOException("the path is longer than a socket's may be");
    }
    if (name[0] == '@') {
      name[0] = 0;
    }
    long[] sent = {-1};
    try (var arena = Arena.ofConfined()) {
      var address =
          arena.allocate(
              MemoryLayout.sequenceLayout(PATH_OFFSET + LONGEST_PATH, ValueLayout.JAVA_BYTE));
      address.set(ValueLayout.JAVA_SHORT_UNALIGNED, 0, (short) AF_UNIX);
      MemorySegment.copy(name, 0, address, ValueLayout.JAVA_BYTE, PATH_OFFSET, name.length);
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      var message = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
      // An abstract name ends with its length, a path with its NUL.
      int length = PATH_OFFSET + name.length + (name[0] == 0 ? 0 : 1);
      int[] descriptor = new int[1];
      call(
          () ->
              descriptor[0] =
                  (int) socket.invokeExact(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC_OF_LINUX, 0));
      if (descriptor[0] < 0) {
        throw new IOException("no socket can be made");
      }
      call(
          () ->
              sent[0] =
                  (long)
                      sendTo.invokeExact(
                          descriptor[0], message, (long) bytes.length, 0, address, length));
      call(
          () -> {
            int unused = (int) close.invokeExact(descriptor[0]);
          });
    }
    if (sent[0] < 0) {
      throw new IOException("nobody listens on " + path);
    }
  }

  @FunctionalInterface
  private interface Call {
    void make() throws Throwable;
  }

  private static void call(Call call) {
    try {
      call.make();
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("a system call threw", e);
    }
  }
}
