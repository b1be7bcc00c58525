package dev.adit.interop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.ssh.ConnectOptions;
import dev.adit.ssh.HandshakeInfo;
import dev.adit.ssh.HostKey;
import dev.adit.ssh.ServerEvent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** OpenSSH's client speaks every algorithm that it has to adit's server. */
class ServerAlgorithmsTest {
  private static final int SIZE = 300_000;
  private static final String DIGEST = RandomBytes.digest(1, SIZE);

  private static EmbeddedServer server;
  private static TestServer sink;
  private static Path data;

  @BeforeAll
  static void start() throws Exception {
    server = EmbeddedServer.start(EmbeddedServer.hostKeys(Keys.Type.values()), o -> o);
    sink = TestServer.start(TestServer.sink());
    data = server.scratch().path("data");
    Files.write(data, RandomBytes.of(1, SIZE));
  }

  @AfterAll
  static void stop() {
    server.close();
    sink.close();
  }

  private static List<String> known(String what) {
    return Program.of(Judges.require("ssh")).arguments("-Q", what).run().lines().toList();
  }

  private static List<String> common(List<String> ours, String what) {
    List<String> theirs = known(what);
    return ours.stream().filter(theirs::contains).toList();
  }

  /** Sends the data through a channel; what was agreed comes back. */
  private static HandshakeInfo carryData(EmbeddedServer to, Object... options) {
    to.events().clear();
    try (var ssh =
        to.ssh(
                Stream.concat(Stream.of(options), Stream.of("-W", "127.0.0.1:" + sink.port()))
                    .toArray())
            .stdin(data)
            .start()) {
      assertThat(ssh.exitCode()).as(ssh.toString()).isZero();
      assertThat(ssh.stdout()).isEqualTo(DIGEST);
    }
    return to.events(ServerEvent.KeysExchanged.class).getFirst().handshake();
  }

  @Test
  void everyCipherWithEveryMac() {
    List<String> macs = common(ConnectOptions.defaultMacs(), "mac");
    List<String> ciphers = common(ConnectOptions.defaultCiphers(), "cipher");
    assertThat(ciphers).hasSizeGreaterThanOrEqualTo(6);
    assertThat(macs).hasSizeGreaterThanOrEqualTo(4);
    for (String cipher : ciphers) {
      boolean aead = cipher.contains("gcm") || cipher.contains("poly1305");
      for (String mac : aead ? macs.subList(0, 1) : macs) {
        var info = carryData(server, "-c", cipher, "-m", mac);
        assertThat(info.cipherToServer()).isEqualTo(cipher);
        assertThat(info.macToClient()).isEqualTo(aead ? null : mac);
        assertThat(info.strict()).isTrue();
      }
    }
  }

  @Test
  void everyKeyExchangeMethod() {
    List<String> methods = common(ConnectOptions.defaultKexAlgorithms(), "kex");
    assertThat(methods)
        .contains(
            "sntrup761x25519-sha512@openssh.com",
            "curve25519-sha256",
            "ecdh-sha2-nistp521",
            "diffie-hellman-group-exchange-sha256",
            "diffie-hellman-group16-sha512");
    for (String method : methods) {
      assertThat(carryData(server, "-o", "KexAlgorithms=" + method).kex()).isEqualTo(method);
    }
  }

  @Test
  void everyTypeOfHostKey() {
    for (String algorithm :
        List.of(
            "ssh-ed25519",
            "ecdsa-sha2-nistp256",
            "ecdsa-sha2-nistp384",
            "ecdsa-sha2-nistp521",
            "rsa-sha2-256",
            "rsa-sha2-512")) {
      assertThat(carryData(server, "-o", "HostKeyAlgorithms=" + algorithm).hostKeyAlgorithm())
          .isEqualTo(algorithm);
    }
  }

  @Test
  void everyTypeOfUserKey() {
    for (Keys.Type type : Keys.Type.values()) {
      server.events().clear();
      carryData(server, "-i", Keys.shared(type).path());
      var login = server.events(ServerEvent.LoggedIn.class).getFirst();
      assertThat(login.methods()).containsExactly("publickey");
      assertThat(login.key()).isNotNull();
      assertThat(login.key().fingerprint()).isEqualTo(Keys.shared(type).fingerprint());
    }
  }

  @Test
  void hostCertificates() throws Exception {
    var authority = Keys.generate(server.scratch().path("ca"), Keys.Type.ED25519);
    for (Keys.Type type : List.of(Keys.Type.ED25519, Keys.Type.RSA, Keys.Type.ECDSA_256)) {
      var key = Keys.generate(server.scratch().path("host-" + type), type);
      Path certificate = Keys.certifyHost(authority, key, "127.0.0.1");
      Path knownHosts =
          server
              .scratch()
              .write("ca-hosts", "@cert-authority [127.0.0.1]:* " + authority.publicLine() + "\n");
      var hostKey = HostKey.read(key.path()).withCertificate(certificate);
      try (var certified = EmbeddedServer.start(List.of(hostKey), o -> o)) {
        var info = carryData(certified, "-o", "UserKnownHostsFile=" + knownHosts);
        assertThat(info.hostKeyAlgorithm()).contains("-cert-v01@openssh.com");
      }
    }
  }

  @Test
  void userCertificates() {
    var authority = Keys.generate(server.scratch().path("user-ca"), Keys.Type.ECDSA_256);
    for (Keys.Type type : List.of(Keys.Type.ED25519, Keys.Type.RSA)) {
      var key = Keys.generate(server.scratch().path("user-" + type), type);
      Path certificate =
          Keys.certifyUser(authority, key, EmbeddedServer.USER, "-z", "12345678901234567890");
      server.accept(
          new Keys.KeyFile(Path.of(certificate.toString().replace(".pub", ""))).publicLine());
      carryData(server, "-i", key.path(), "-o", "CertificateFile=" + certificate);
      var login = server.events(ServerEvent.LoggedIn.class).getFirst();
      assertThat(login.key()).isNotNull();
      assertThat(login.key().certificate()).isNotNull();
      assertThat(Long.toUnsignedString(login.key().certificate().serial()))
          .isEqualTo("12345678901234567890");
      assertThat(login.key().certificate().id()).isEqualTo("test");
      assertThat(login.key().certificate().authority())
          .isEqualTo("ECDSA " + authority.fingerprint());
      assertThat(login.key().fingerprint()).isEqualTo(key.fingerprint());
    }
  }

  @Test
  void compressionBeginsBehindTheLogin() {
    assertThat(carryData(server, "-C").compression()).isEqualTo("zlib@openssh.com");
    assertThat(carryData(server, "-C", "-o", "RekeyLimit=50K").compression())
        .isEqualTo("zlib@openssh.com");
    try (var without =
        EmbeddedServer.start(
            EmbeddedServer.hostKeys(Keys.Type.ED25519), o -> o.compression(false))) {
      assertThat(carryData(without, "-C").compression()).isEqualTo("none");
    }
  }
}
