package dev.adit.cli;

import dev.adit.config.AlgorithmNames;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** The ssh(1) of this machine, as the judge of how a configuration is read. */
final class RealSsh {
  private RealSsh() {}

  record Result(int status, String out, String err) {
    /** {@code keyword value} lines of -G. */
    List<String> lines() {
      return out.lines().toList();
    }
  }

  static Result run(List<String> args) throws IOException, InterruptedException {
    var command = new ArrayList<>(List.of("ssh"));
    command.addAll(args);
    var err = Files.createTempFile("ssh", ".err");
    try {
      var process =
          new ProcessBuilder(command)
              .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
              .redirectError(err.toFile())
              .start();
      var out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      int status = process.waitFor();
      return new Result(status, out, Files.readString(err));
    } finally {
      Files.delete(err);
    }
  }

  /** The algorithms of that ssh, so that even their lists can be compared. */
  static AlgorithmNames algorithms() throws IOException, InterruptedException {
    var questions =
        Map.of(
            AlgorithmNames.Kind.CIPHER, "cipher",
            AlgorithmNames.Kind.MAC, "mac",
            AlgorithmNames.Kind.KEX, "kex",
            AlgorithmNames.Kind.HOST_KEY, "key-sig",
            AlgorithmNames.Kind.USER_KEY, "key-sig",
            AlgorithmNames.Kind.CA_SIGNATURE, "sig",
            AlgorithmNames.Kind.HOSTBASED, "key-sig");
    var keywords =
        Map.of(
            AlgorithmNames.Kind.CIPHER, "ciphers",
            AlgorithmNames.Kind.MAC, "macs",
            AlgorithmNames.Kind.KEX, "kexalgorithms",
            AlgorithmNames.Kind.HOST_KEY, "hostkeyalgorithms",
            AlgorithmNames.Kind.USER_KEY, "pubkeyacceptedalgorithms",
            AlgorithmNames.Kind.CA_SIGNATURE, "casignaturealgorithms",
            AlgorithmNames.Kind.HOSTBASED, "hostbasedacceptedalgorithms");
    var supported = new EnumMap<AlgorithmNames.Kind, List<String>>(AlgorithmNames.Kind.class);
    var defaults = new EnumMap<AlgorithmNames.Kind, List<String>>(AlgorithmNames.Kind.class);
    var dump = run(List.of("-F", "none", "-G", "h")).lines();
    for (var kind : AlgorithmNames.Kind.values()) {
      var question = Objects.requireNonNull(questions.get(kind));
      supported.put(kind, run(List.of("-Q", question)).lines());
      var start = keywords.get(kind) + " ";
      var line = dump.stream().filter(l -> l.startsWith(start)).findFirst().orElseThrow();
      defaults.put(kind, List.of(line.substring(start.length()).split(",")));
    }
    return new AlgorithmNames() {
      @Override
      public List<String> supported(Kind kind) {
        return Objects.requireNonNull(supported.get(kind));
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
