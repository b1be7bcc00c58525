package dev.adit.gateway;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The groups of this system's users, from wherever the system has them (NSS). */
public final class SystemGroups {
  private static final int SECONDS_TO_WAIT = 10;

  private SystemGroups() {}

  /** The names of a user's groups, the main one first; empty for a user who doesn't exist. */
  public static List<String> of(String user) {
    if (user.isEmpty() || user.indexOf('\0') >= 0) {
      return List.of();
    }
    try {
      var process =
          new ProcessBuilder("id", "-Gnz", "--", user)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      process.getOutputStream().close();
      var out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      boolean isKnown =
          process.waitFor(SECONDS_TO_WAIT, TimeUnit.SECONDS) && process.exitValue() == 0;
      return isKnown && !out.isEmpty() ? List.of(out.split("\0")) : List.of();
    } catch (IOException e) {
      return List.of();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return List.of();
    }
  }
}
