package dev.adit.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** adit's own algorithms, in the order in which they are offered. */
public final class StandardAlgorithms implements AlgorithmNames {
  private static final List<String> CIPHERS =
      List.of(
          "aes128-gcm@openssh.com",
          "aes256-gcm@openssh.com",
          "chacha20-poly1305@openssh.com",
          "aes128-ctr",
          "aes256-ctr");

  private static final List<String> MACS =
      List.of(
          "hmac-sha2-256-etm@openssh.com",
          "hmac-sha2-512-etm@openssh.com",
          "hmac-sha2-256",
          "hmac-sha2-512");

  private static final List<String> KEX =
      List.of(
          "mlkem768x25519-sha256",
          "sntrup761x25519-sha512",
          "sntrup761x25519-sha512@openssh.com",
          "curve25519-sha256",
          "curve25519-sha256@libssh.org",
          "ecdh-sha2-nistp256",
          "ecdh-sha2-nistp384",
          "ecdh-sha2-nistp521",
          "diffie-hellman-group-exchange-sha256",
          "diffie-hellman-group16-sha512",
          "diffie-hellman-group14-sha256");

  private static final List<String> PLAIN_HOST_KEYS =
      List.of(
          "ssh-ed25519",
          "ecdsa-sha2-nistp256",
          "ecdsa-sha2-nistp384",
          "ecdsa-sha2-nistp521",
          "rsa-sha2-512",
          "rsa-sha2-256");

  private static final List<String> TOKEN_KEYS =
      List.of("sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com");

  private static final Set<String> ELSEWHERE =
      Set.of(
          "3des-cbc",
          "aes128-cbc",
          "aes192-cbc",
          "aes256-cbc",
          "aes192-ctr",
          "umac-64@openssh.com",
          "umac-128@openssh.com",
          "umac-64-etm@openssh.com",
          "umac-128-etm@openssh.com",
          "hmac-sha1",
          "hmac-sha1-96",
          "hmac-md5",
          "hmac-md5-96",
          "hmac-sha1-etm@openssh.com",
          "hmac-sha1-96-etm@openssh.com",
          "hmac-md5-etm@openssh.com",
          "hmac-md5-96-etm@openssh.com",
          "diffie-hellman-group1-sha1",
          "diffie-hellman-group14-sha1",
          "diffie-hellman-group18-sha512",
          "diffie-hellman-group-exchange-sha1",
          "ssh-rsa",
          "ssh-rsa-cert-v01@openssh.com",
          "ssh-dss",
          "ssh-dss-cert-v01@openssh.com",
          "webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
          "sk-ssh-ed25519@openssh.com",
          "sk-ecdsa-sha2-nistp256@openssh.com",
          "sk-ssh-ed25519-cert-v01@openssh.com",
          "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com");

  private final boolean ofServer;

  /** A client's. */
  public StandardAlgorithms() {
    this(false);
  }

  private StandardAlgorithms(boolean ofServer) {
    this.ofServer = ofServer;
  }

  /**
   * A server's: by default without key exchanges on NIST's curves, which ssh-audit counts as
   * failures. Whoever has those has curve25519 or a Diffie-Hellman group as well.
   */
  public static StandardAlgorithms ofServer() {
    return new StandardAlgorithms(true);
  }

  @Override
  public List<String> supported(Kind kind) {
    return switch (kind) {
      case CIPHER -> CIPHERS;
      case MAC -> MACS;
      case KEX -> KEX;
      case HOST_KEY -> withCertificates(PLAIN_HOST_KEYS);
      case USER_KEY, HOSTBASED -> {
        var all = new ArrayList<>(PLAIN_HOST_KEYS);
        all.addAll(TOKEN_KEYS);
        yield withCertificates(all);
      }
      case CA_SIGNATURE -> PLAIN_HOST_KEYS;
    };
  }

  @Override
  public List<String> defaults(Kind kind) {
    return kind == Kind.KEX && ofServer
        ? KEX.stream().filter(name -> !name.startsWith("ecdh-sha2-nistp")).toList()
        : supported(kind);
  }

  @Override
  public boolean isKnownElsewhere(Kind kind, String name) {
    return ELSEWHERE.contains(name);
  }

  private static List<String> withCertificates(List<String> plain) {
    var names = new ArrayList<String>();
    for (var name : plain) {
      var base = name.endsWith("@openssh.com") ? name.substring(0, name.indexOf('@')) : name;
      names.add(base + "-cert-v01@openssh.com");
    }
    names.addAll(plain);
    return List.copyOf(names);
  }
}
