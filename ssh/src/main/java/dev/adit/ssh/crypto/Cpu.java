package dev.adit.ssh.crypto;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the processor can do. */
final class Cpu {
  private Cpu() {}

  /**
   * Whether AES is done in hardware. All 64-bit desktop and server processors of the last ten years
   * do it, so only a Linux that says it lacks it counts as no.
   */
  static boolean hasAes() {
    return Aes.IN_HARDWARE;
  }

  private static final class Aes {
    static final boolean IN_HARDWARE = detect();

    private static boolean detect() {
      Path cpuinfo = Path.of("/proc/cpuinfo");
      try (BufferedReader reader = Files.newBufferedReader(cpuinfo, StandardCharsets.UTF_8)) {
        String line;
        while ((line = reader.readLine()) != null) {
          // x86 has a line "flags", ARM a line "Features".
          if (line.startsWith("flags") || line.startsWith("Features")) {
            return (line + " ").contains(" aes ");
          }
        }
      } catch (IOException notLinux) {
        return true;
      }
      return true;
    }
  }
}
