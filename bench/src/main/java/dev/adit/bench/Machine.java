package dev.adit.bench;

import com.jcraft.jsch.JSch;
import dev.adit.ssh.crypto.CryptoProvider;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** On what and with what was measured. */
final class Machine {
  private Machine() {}

  static Map<String, String> description() throws IOException {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put(
        "processor",
        Runtime.getRuntime().availableProcessors() + " x " + field("/proc/cpuinfo", "model name"));
    facts.put("memory", field("/proc/meminfo", "MemTotal"));
    facts.put("system", System.getProperty("os.name") + " " + System.getProperty("os.version"));
    return facts;
  }

  static Map<String, String> versions(Path root) throws IOException, InterruptedException {
    Map<String, String> versions = new LinkedHashMap<>();
    versions.put("adit", said(List.of(root.resolve("adit").toString(), "-V"), root));
    versions.put("packets of adit sealed by", CryptoProvider.fastest().description());
    versions.put("OpenSSH", said(List.of("ssh", "-V"), root));
    versions.put(
        "MINA SSHD",
        String.valueOf(
            org.apache.sshd.client.SshClient.class.getPackage().getImplementationVersion()));
    versions.put("JSch", JSch.VERSION);
    versions.put("Java", System.getProperty("java.runtime.version"));
    return versions;
  }

  /** Of the sources; with a plus if they have been changed since. */
  static String commit(Path root) throws IOException, InterruptedException {
    String commit = said(List.of("git", "rev-parse", "--short", "HEAD"), root);
    String changed = said(List.of("git", "status", "--porcelain", "ssh", "app", "bench"), root);
    return commit + (changed.isEmpty() ? "" : "+");
  }

  private static String field(String file, String name) throws IOException {
    for (String line : Files.readAllLines(Path.of(file))) {
      if (line.startsWith(name)) {
        return line.substring(line.indexOf(':') + 1).strip();
      }
    }
    return "unknown";
  }

  private static String said(List<String> command, Path directory)
      throws IOException, InterruptedException {
    try {
      Process process =
          new ProcessBuilder(command)
              .directory(directory.toFile())
              .redirectErrorStream(true)
              .start();
      process.getOutputStream().close();
      String said =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      return process.waitFor() == 0 ? said : "unknown";
    } catch (IOException e) {
      return "there is none";
    }
  }
}
