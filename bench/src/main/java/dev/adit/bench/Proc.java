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

  /** Resident megabytes (10^6) of a process; 0 if it has ended. */
  static double residentMegabytes(long pid) {
    try {
      for (String line : Files.readAllLines(Path.of("/proc", Long.toString(pid), "status"))) {
        if (line.startsWith("VmRSS:")) {
          return Long.parseLong(line.replaceAll("\\D", "")) * 1024 / 1e6;
        }
      }
    } catch (IOException e) {
      // Ended between two looks.
    }
    return 0;
  }

  /** The sum over a process and its children; pages that they share count for each. */
  static double residentMegabytesOfTree(long pid) {
    return residentMegabytes(pid)
        + ProcessHandle.of(pid).stream()
            .flatMap(ProcessHandle::descendants)
            .mapToDouble(p -> residentMegabytes(p.pid()))
            .sum();
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
