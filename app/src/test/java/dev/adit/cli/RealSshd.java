package dev.adit.cli;

import dev.adit.config.AlgorithmNames;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** The sshd(8) of this machine, as the judge of how a configuration is read. */
final class RealSshd {
  private static final String PROGRAM = "/usr/sbin/sshd";

  /** As root, sshd wants this directory even to check a file. */
  private static final Path PRIVILEGE_SEPARATION = Path.of("/run/sshd");

  private RealSshd() {}

  static RealSsh.Result run(List<String> args) throws IOException, InterruptedException {
    if (System.getProperty("user.name").equals("root")) {
      Files.createDirectories(PRIVILEGE_SEPARATION);
    }
    var command = new ArrayList<>(List.of(PROGRAM));
    command.addAll(args);
    var err = Files.createTempFile("sshd", ".err");
    try {
      var process =
          new ProcessBuilder(command)
              .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
              .redirectError(err.toFile())
              .start();
      var out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      int status = process.waitFor();
      return new RealSsh.Result(
          status, out, Files.readString(err).replace("\r", "").replace("sshd: ", ""));
    } finally {
      Files.delete(err);
    }
  }

  /** A host key, without which sshd shows nothing. */
  static Path hostKey(Path directory) throws IOException, InterruptedException {
    var file = directory.resolve("host_key");
    var process =
        new ProcessBuilder("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file.toString())
            .inheritIO()
            .start();
    if (process.waitFor() != 0) {
      throw new IOException("ssh-keygen failed");
    }
    return file;
  }

  /** The algorithms of that sshd, so that even their lists can be compared. */
  static AlgorithmNames algorithms(Path hostKey) throws IOException, InterruptedException {
    var keywords =
        Map.of(
            AlgorithmNames.Kind.CIPHER, "ciphers",
            AlgorithmNames.Kind.MAC, "macs",
            AlgorithmNames.Kind.KEX, "kexalgorithms",
            AlgorithmNames.Kind.HOST_KEY, "hostkeyalgorithms",
            AlgorithmNames.Kind.USER_KEY, "pubkeyacceptedalgorithms",
            AlgorithmNames.Kind.CA_SIGNATURE, "casignaturealgorithms",
            AlgorithmNames.Kind.HOSTBASED, "hostbasedacceptedalgorithms");
    var defaults = new EnumMap<AlgorithmNames.Kind, List<String>>(AlgorithmNames.Kind.class);
    var dump = run(List.of("-T", "-f", "none", "-h", hostKey.toString())).lines();
    for (var kind : AlgorithmNames.Kind.values()) {
      var start = keywords.get(kind) + " ";
      var line = dump.stream().filter(l -> l.startsWith(start)).findFirst().orElseThrow();
      defaults.put(kind, List.of(line.substring(start.length()).split(",")));
    }
    var supported = RealSsh.algorithms();
    return new AlgorithmNames() {
      @Override
      public List<String> supported(Kind kind) {
        return supported.supported(kind);
      }

      @Override
      public List<String> defaults(Kind kind) {
        return Objects.requireNonNull(defaults.get(kind));
      }

      @Override
      public boolean isKnownElsewhere(Kind kind, String name) {
        return false;
      }
    };
  }
}
