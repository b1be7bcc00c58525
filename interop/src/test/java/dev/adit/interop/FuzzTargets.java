package dev.adit.interop;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * All that reads bytes of strangers, one public method each, beside the code that it tries, with
 * its seeds in that module's test resources. Jazzer enters here too: see {@code interop/fuzz}.
 */
public final class FuzzTargets {

  /**
   * A run may allocate so much on its thread, in bytes. What a count of the peer drives is more.
   */
  private static final long MOST_ALLOCATED = 32 << 20;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private FuzzTargets() {}

  private record Room(String module, String type) {
    List<Target> targets() {
      ClassLoader loader = FuzzTargets.class.getClassLoader();
      try {
        return Arrays.stream(Class.forName(type, false, loader).getDeclaredMethods())
            .filter(method -> Modifier.isPublic(method.getModifiers()))
            .map(method -> new Target(module, method))
            .sorted(Comparator.comparing(Target::toString))
            .toList();
      } catch (ClassNotFoundException e) {
        throw new IllegalStateException(type + " is not built", e);
      }
    }
  }

  private static final List<Room> ROOMS =
      List.of(
          new Room("ssh", "dev.adit.ssh.wire.WireFuzz"),
          new Room("ssh", "dev.adit.ssh.crypto.PacketFuzz"),
          new Room("ssh", "dev.adit.ssh.keys.KeysFuzz"),
          new Room("ssh", "dev.adit.ssh.forward.ProxyFuzz"),
          new Room("ssh", "dev.adit.ssh.StateMachineFuzz"),
          new Room("app", "dev.adit.config.ConfigFuzz"));

  static List<Target> all() {
    return ROOMS.stream().flatMap(room -> room.targets().stream()).toList();
  }

  record Target(String module, Method method) {

    List<byte[]> seeds() throws IOException {
      List<byte[]> seeds = new ArrayList<>();
      try (Stream<Path> files = Files.list(seedDirectory())) {
        for (Path file : files.sorted().toList()) {
          seeds.add(Files.readAllBytes(file));
        }
      }
      return seeds;
    }

    private Path seedDirectory() {
      return Repository.root().resolve(module + "/src/test/resources/fuzz/" + this);
    }

    /** Throws what the target throws, whatever that is: none of it is expected. */
    void run(byte[] data) throws Throwable {
      // The first run may load classes; what still is too much the second time is the input's
      // doing.
      if (allocatedBy(data) > MOST_ALLOCATED) {
        long allocated = allocatedBy(data);
        if (allocated > MOST_ALLOCATED) {
          throw new AssertionError(
              "%d bytes of input made it allocate %d".formatted(data.length, allocated));
        }
      }
    }

    private long allocatedBy(byte[] data) throws Throwable {
      long before = THREADS.getCurrentThreadAllocatedBytes();
      try {
        method.invoke(null, (Object) data);
      } catch (InvocationTargetException e) {
        throw e.getCause();
      }
      return THREADS.getCurrentThreadAllocatedBytes() - before;
    }

    @Override
    public String toString() {
      return method.getName();
    }
  }

  // ---- For Jazzer -----------------------------------------------------------------------------

  private static Target chosen;

  public static void fuzzerInitialize() {
    String name = System.getProperty("adit.fuzz.target");
    chosen =
        all().stream()
            .filter(target -> target.toString().equals(name))
            .findAny()
            .orElseThrow(() -> new IllegalArgumentException("no fuzz target " + name));
  }

  public static void fuzzerTestOneInput(byte[] data) throws Throwable {
    chosen.run(data);
  }

  /** Prints each target's name and the directory of its seeds, for {@code interop/fuzz}. */
  public static void main(String[] arguments) {
    for (Target target : all()) {
      System.out.println(target + " " + target.seedDirectory());
    }
  }
}
