package dev.adit.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** What the kernel says of a process. */
final class Proc {
  /**
   * Ticks of /proc's times a second: 100 on every Linux that we have met (sysconf(_SC_CLK_TCK)).
   */
  private static final double TICKS = 100;

  private Proc() {}

  /**
   * User and system seconds of a process and of its children, ended or not: with sshd, the process
   * of each session is such a child.
   */
  static double cpuSecondsOfTree(long pid) {
    double sum = ProcessHandle.of(pid).map(p -> cpuSeconds(pid)).orElse(0.0);
    return sum
        + ProcessHandle.of(pid).stream()
            .flatMap(ProcessHandle::descendants)
            .mapToDouble(p -> cpuSeconds(p.pid()))
            .sum();
  }

  private static double cpuSeconds(long pid) {
    try {
      String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
      // Its own and, after them, those of children that it has waited for.
      long ticks = 0;
      for (int i = 11; i <= 14; i++) {
        ticks += Long.parseLong(fields[i]);
      }
      return ticks / TICKS;
    } catch (IOException e) {
      return 0;
    }
  }

  /** Resident megabytes (10^6) of a process and its children; what they share counts for each. */
  static double residentMegabytesOfTree(long pid) {
    return megabytesOfTree(pid, "status", "VmRSS:");
  }

  /** The same, with what processes share divided among them. */
  static double proportionalMegabytesOfTree(long pid) {
    return megabytesOfTree(pid, "smaps_rollup", "Pss:");
  }

  private static double megabytesOfTree(long pid, String file, String field) {
    return ProcessHandle.of(pid).stream()
        .flatMap(process -> Stream.concat(Stream.of(process), process.descendants()))
        .mapToDouble(process -> megabytes(process.pid(), file, field))
        .sum();
  }

  private static double megabytes(long pid, String file, String field) {
    try {
      for (String line : Files.readAllLines(Path.of("/proc", Long.toString(pid), file))) {
        if (line.startsWith(field)) {
          return Long.parseLong(line.replaceAll("\\D", "")) * 1024 / 1e6;
        }
      }
    } catch (IOException e) {
      // Ended between two looks.
    }
    return 0;
  }

  /** Of the last minute, as an indication of how quiet the machine was. */
  static double loadAverage() throws IOException {
    return Double.parseDouble(Files.readString(Path.of("/proc/loadavg")).split(" ")[0]);
  }
}
