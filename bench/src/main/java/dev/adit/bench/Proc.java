package dev.adit.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the kernel says of a process. */
final class Proc {
  /**
   * Ticks of /proc's times a second: 100 on every Linux that we have met (sysconf(_SC_CLK_TCK)).
   */
  private static final double TICKS = 100;

  private Proc() {}

  /**
   * User and system seconds of a process and of those of its children that have not ended: with
   * sshd, the process of each session is such a child.
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
      return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / TICKS;
    } catch (IOException e) {
      return 0;
    }
  }

  /** Resident megabytes (10^6) of a process. */
  static double residentMegabytes(long pid) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc", Long.toString(pid), "status"))) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("\\D", "")) * 1024 / 1e6;
      }
    }
    throw new IOException("no VmRSS of " + pid);
  }

  /** Of the last minute, as an indication of how quiet the machine was. */
  static String loadAverage() {
    try {
      return Files.readString(Path.of("/proc/loadavg")).split(" ")[0];
    } catch (IOException e) {
      return "unknown";
    }
  }
}
