package dev.adit.interop;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What a program of ours holds, asked of its JVM from outside with jcmd: nothing of the program's
 * own has to be right for it. Linux only.
 *
 * @param heap bytes of live objects, after a collection
 * @param direct bytes of memory outside of the heap that Java code has allocated: Netty's buffers
 * @param descriptors open files of any kind
 * @param sockets those of the descriptors that are sockets
 * @param threads of the system, without the compiler's, which come and go by themselves
 * @param virtualThreads that are alive
 */
record JvmUsage(
    long heap, long direct, long descriptors, long sockets, long threads, long virtualThreads) {

  /** A program must be started with this for {@link #direct} to be known. */
  static final Map<String, String> ENVIRONMENT =
      Map.of("JDK_JAVA_OPTIONS", "-XX:NativeMemoryTracking=summary");

  private static final Pattern TOTAL = Pattern.compile("^Total +\\d+ +(\\d+)$", Pattern.MULTILINE);
  private static final Pattern VIRTUAL =
      Pattern.compile("^ *\\d+: +(\\d+) +\\d+ +java\\.lang\\.VirtualThread ", Pattern.MULTILINE);

  /** Unsafe.allocateMemory and foreign memory are "Other" to the JVM. */
  private static final Pattern DIRECT =
      Pattern.compile("Other \\(reserved=\\d+KB, committed=(\\d+)KB");

  /** Collects garbage in the program, and looks. */
  static JvmUsage of(long pid) {
    String histogram = jcmd(pid, "GC.class_histogram");
    return new JvmUsage(
        number(TOTAL, histogram),
        number(DIRECT, jcmd(pid, "VM.native_memory", "summary", "scale=KB")) * 1024,
        descriptors(pid, ""),
        sockets(pid),
        threads(pid),
        virtualThreads(histogram));
  }

  /** Virtual threads of any JVM; collects garbage in it. */
  static long virtualThreads(long pid) {
    return virtualThreads(jcmd(pid, "GC.class_histogram"));
  }

  private static long virtualThreads(String histogram) {
    return VIRTUAL.matcher(histogram).results().mapToLong(JvmUsage::number).sum();
  }

  /** In words, what is more than it was by more than the tolerance. */
  List<String> above(JvmUsage was, JvmUsage tolerance, String program) {
    List<String> found = new ArrayList<>();
    for (RecordComponent part : JvmUsage.class.getRecordComponents()) {
      long now = value(part);
      if (now > was.value(part) + tolerance.value(part)) {
        found.add(
            "%s: %s was %d and is %d".formatted(program, part.getName(), was.value(part), now));
      }
    }
    return found;
  }

  private long value(RecordComponent part) {
    try {
      return (long) part.getAccessor().invoke(this);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  /** Open sockets of any program. */
  static long sockets(long pid) {
    return descriptors(pid, "socket:");
  }

  private static long descriptors(long pid, String kind) {
    try (Stream<Path> all = Files.list(Path.of("/proc/" + pid + "/fd"))) {
      return all.filter(fd -> target(fd).startsWith(kind)).count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String target(Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor).toString();
    } catch (IOException _) {
      return "closed meanwhile";
    }
  }

  private static long threads(long pid) {
    try (Stream<Path> all = Files.list(Path.of("/proc/" + pid + "/task"))) {
      return all.filter(task -> !name(task).matches("C[12] CompilerThre.*")).count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String name(Path task) {
    try {
      return Files.readString(task.resolve("comm")).strip();
    } catch (NoSuchFileException _) {
      return "ended meanwhile";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Into a file: a JVM that asks itself stands still while it answers, and could not read a pipe
   * that its long answer has filled.
   */
  private static String jcmd(long pid, String... command) {
    List<String> words = new ArrayList<>();
    words.add(Path.of(System.getProperty("java.home"), "bin", "jcmd").toString());
    words.add(Long.toString(pid));
    words.addAll(List.of(command));
    try {
      Path answer = Files.createTempFile("adit-jcmd", ".txt");
      try {
        int status =
            new ProcessBuilder(words)
                .redirectErrorStream(true)
                .redirectOutput(answer.toFile())
                .start()
                .waitFor();
        String text = Files.readString(answer);
        if (status != 0) {
          throw new AssertionError(words + " exited with " + status + ": " + text);
        }
        return text;
      } finally {
        Files.delete(answer);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  private static long number(Pattern pattern, String text) {
    return pattern
        .matcher(text)
        .results()
        .map(JvmUsage::number)
        .findFirst()
        .orElseThrow(() -> new AssertionError("no \"" + pattern + "\" in " + text));
  }

  private static long number(MatchResult match) {
    return Long.parseLong(match.group(1));
  }
}
