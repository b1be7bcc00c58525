package dev.adit.ssh;

import java.util.List;
import java.util.stream.Stream;

/** The signature algorithms that adit knows, best first. */
final class SignatureAlgorithms {
  private static final List<String> PLAIN =
      List.of(
          "ssh-ed25519",
          "ecdsa-sha2-nistp256",
          "ecdsa-sha2-nistp384",
          "ecdsa-sha2-nistp521",
          "sk-ssh-ed25519@openssh.com",
          "sk-ecdsa-sha2-nistp256@openssh.com",
          "rsa-sha2-512",
          "rsa-sha2-256");

  static final List<String> DEFAULT =
      Stream.concat(PLAIN.stream().map(SignatureAlgorithms::certificate), PLAIN.stream()).toList();

  private SignatureAlgorithms() {}

  private static String certificate(String plain) {
    return plain.endsWith("@openssh.com")
        ? plain.replace("@openssh.com", "-cert-v01@openssh.com")
        : plain + "-cert-v01@openssh.com";
  }
}
