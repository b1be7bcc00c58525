package dev.adit.cli;

import dev.adit.config.AlgorithmNames;
import dev.adit.config.AlgorithmNames.Kind;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The answers of {@code -Q}. */
final class AlgorithmQuery {
  private static final List<String> QUESTIONS =
      List.of(
          "cipher",
          "cipher-auth",
          "compression",
          "kex",
          "key",
          "key-cert",
          "key-plain",
          "key-sig",
          "mac",
          "protocol-version",
          "sig");

  private AlgorithmQuery() {}

  /**
   * The names, or null when the question is unknown. Keywords of ssh_config(5) are questions too.
   */
  static @Nullable List<String> answer(String question, AlgorithmNames names) {
    return switch (question.toLowerCase(Locale.ROOT)) {
      case "help" -> QUESTIONS;
      case "cipher", "ciphers" -> names.supported(Kind.CIPHER);
      case "cipher-auth" ->
          names.supported(Kind.CIPHER).stream()
              .filter(name -> name.contains("gcm") || name.contains("poly1305"))
              .toList();
      case "compression" -> List.of("none", "zlib@openssh.com");
      case "mac", "macs" -> names.supported(Kind.MAC);
      case "kex", "kexalgorithms" -> names.supported(Kind.KEX);
      case "key" -> keys(names, true, true);
      case "key-cert" -> keys(names, true, false);
      case "key-plain" -> keys(names, false, true);
      case "key-sig", "pubkeyacceptedalgorithms", "pubkeyacceptedkeytypes" ->
          names.supported(Kind.USER_KEY);
      case "hostkeyalgorithms" -> names.supported(Kind.HOST_KEY);
      case "sig", "casignaturealgorithms" -> names.supported(Kind.CA_SIGNATURE);
      case "protocol-version" -> List.of("2");
      default -> null;
    };
  }

  /** Types of keys, where RSA has one name for all its signatures. */
  private static List<String> keys(AlgorithmNames names, boolean certificates, boolean plain) {
    return names.supported(Kind.USER_KEY).stream()
        .map(name -> name.replaceFirst("^rsa-sha2-(256|512)", "ssh-rsa"))
        .distinct()
        .filter(name -> name.contains("-cert-") ? certificates : plain)
        .toList();
  }
}
