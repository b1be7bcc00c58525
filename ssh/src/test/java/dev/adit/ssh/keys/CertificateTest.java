package dev.adit.ssh.keys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.WireWriter;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CertificateTest {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
  private static final List<String> ALL = Certificate.DEFAULT_CA_ALGORITHMS;

  @ParameterizedTest
  @CsvSource({
    "host-by-ed25519, ca-ed25519, ssh-ed25519",
    "host-by-ecdsa, ca-ecdsa, ecdsa-sha2-nistp256",
    "host-by-rsa, ca-rsa, rsa-sha2-512",
    "host-by-rsa256, ca-rsa, rsa-sha2-256",
  })
  void hostCertificatesOfEachKindOfAuthorityHold(String name, String authority, String algorithm)
      throws Exception {
    Certificate certificate = TestKeys.certificate(name + "-cert.pub");
    assertThat(certificate.use()).isEqualTo(Certificate.Use.HOST);
    assertThat(certificate.serial()).isEqualTo(7);
    assertThat(certificate.keyId()).isEqualTo(name + " id");
    assertThat(certificate.plain()).isEqualTo(TestKeys.key("ed25519.pub"));
    assertThat(certificate.authority()).isEqualTo(TestKeys.key(authority + ".pub"));
    assertThat(certificate.authorityAlgorithm()).isEqualTo(algorithm);
    certificate.checkHost("host.example", NOW, ALL);
    certificate.checkHost("host.example", NOW, List.of(algorithm));
    assertThatThrownBy(() -> certificate.checkHost("host.example", NOW, List.of("other")))
        .hasMessage("Certificate signed with disallowed algorithm");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"ed25519", "ecdsa256", "ecdsa384", "ecdsa521", "rsa", "sk-ed25519", "sk-ecdsa256"})
  void userCertificatesOfEachTypeOfKeyHold(String name) throws Exception {
    Certificate certificate = TestKeys.certificate(name + "-cert.pub");
    assertThat(certificate.plain()).isEqualTo(TestKeys.key(name + ".pub"));
    assertThat(certificate.principals()).containsExactly("alice", "bob");
    assertThat(certificate.criticalOptions()).containsOnlyKeys("force-command", "source-address");
    assertThat(certificate.extensions()).containsKey("permit-port-forwarding");
    certificate.checkUser("bob", NOW, ALL);
    assertThatThrownBy(() -> certificate.checkUser("carol", NOW, ALL))
        .hasMessage("Certificate invalid: name is not a listed principal");
    assertThatThrownBy(() -> certificate.checkUser("alice,bob", NOW, ALL))
        .isInstanceOf(InvalidCertificateException.class);
    assertThatThrownBy(() -> certificate.checkUser("", NOW, ALL))
        .isInstanceOf(InvalidCertificateException.class);
    assertThatThrownBy(() -> certificate.checkHost("bob", NOW, ALL))
        .hasMessage("Certificate invalid: not a host certificate");
  }

  @Test
  void theTimeIsTheClocksAndTheEndIsExcluded() throws Exception {
    Certificate certificate = TestKeys.certificate("host-by-ed25519-cert.pub");
    Instant from = Instant.parse("2020-01-01T00:00:00Z");
    Instant to = Instant.parse("2040-01-01T00:00:00Z");
    certificate.checkHost("host.example", from, ALL);
    certificate.checkHost("host.example", to.minusMillis(1), ALL);
    assertThatThrownBy(() -> certificate.checkHost("host.example", to, ALL))
        .hasMessage("Certificate invalid: expired");
    assertThatThrownBy(() -> certificate.checkHost("host.example", from.minusMillis(1), ALL))
        .hasMessage("Certificate invalid: not yet valid");
    assertThatThrownBy(() -> certificate.checkHost("host.example", Instant.ofEpochSecond(-1), ALL))
        .hasMessage("Certificate invalid: not yet valid");
    assertThatCode(
            () ->
                TestKeys.certificate("host-any-cert.pub")
                    .checkHost("a", Instant.ofEpochSecond(1L << 40), ALL))
        .doesNotThrowAnyException();
  }

  @Test
  void namesAreComparedToTheLetter() {
    Certificate certificate = TestKeys.certificate("host-by-ed25519-cert.pub");
    for (String name : List.of("host", "host.example.", "xhost.example", "*", "host.example,x")) {
      assertThatThrownBy(() -> certificate.checkHost(name, NOW, ALL))
          .hasMessage("Certificate invalid: name is not a listed principal");
    }
  }

  @Test
  void withoutPrincipalsAnyHostButNoUser() throws Exception {
    TestKeys.certificate("host-any-cert.pub").checkHost("whatever", NOW, ALL);
    assertThatThrownBy(
            () -> TestKeys.certificate("user-any-cert.pub").checkUser("whoever", NOW, ALL))
        .hasMessage("Certificate lacks principal list");
  }

  @Test
  void unknownCriticalOptionsAreRefused() {
    assertThatThrownBy(
            () -> TestKeys.certificate("host-option-cert.pub").checkHost("host.example", NOW, ALL))
        .hasMessage("Certificate contains unsupported critical options");
    assertThatThrownBy(
            () -> TestKeys.certificate("user-option-cert.pub").checkUser("alice", NOW, ALL))
        .hasMessage("Certificate contains unsupported critical options");
  }

  @Test
  void sha1OfAnAuthorityIsRefused() {
    assertThatThrownBy(() -> SshPublicKey.parseLine(TestKeys.line("host-by-rsa-sha1-cert.pub")))
        .isInstanceOf(MalformedDataException.class)
        .hasMessageContaining("signature algorithm ssh-rsa");
  }

  @Test
  void everyChangedBitBreaksIt() {
    byte[] blob = TestKeys.key("ed25519-cert.pub").blob();
    for (int at = 0; at < blob.length; at++) {
      byte[] changed = blob.clone();
      changed[at] ^= 1;
      assertThatThrownBy(() -> SshPublicKey.parse(changed))
          .isInstanceOf(MalformedDataException.class);
    }
  }

  @Test
  void certificatesDoNotSignCertificates() throws Exception {
    byte[] authority = TestKeys.key("ed25519-cert.pub").blob();
    byte[] signed = certificate(authority, List.of("a"), List.of());
    assertThatThrownBy(() -> SshPublicKey.parse(signed))
        .hasMessageContaining("signed by a certificate");
  }

  @Test
  void aCommaInAPrincipalSeparatesNothing() throws Exception {
    byte[] authority = TestKeys.key("ed25519.pub").blob();
    var certificate =
        (Certificate) SshPublicKey.parse(certificate(authority, List.of("deploy,root"), List.of()));
    certificate.checkUser("deploy,root", NOW, ALL);
    assertThatThrownBy(() -> certificate.checkUser("root", NOW, ALL))
        .isInstanceOf(InvalidCertificateException.class);
  }

  @Test
  void anOptionTwiceIsRefused() throws Exception {
    byte[] authority = TestKeys.key("ed25519.pub").blob();
    byte[] twice = certificate(authority, List.of("a"), List.of("force-command", "force-command"));
    assertThatThrownBy(() -> SshPublicKey.parse(twice)).hasMessageContaining("twice");
  }

  @Test
  void anyOfSeveralNamesIsEnoughAndAnEmptyOneIsNoName() throws Exception {
    Certificate certificate = certified(List.of("ops", ""), Map.of(), Map.of());
    certificate.checkUser(List.of("alice", "ops"), NOW, ALL);
    for (List<String> names : List.of(List.of("alice"), List.of(""), List.<String>of())) {
      assertThatThrownBy(() -> certificate.checkUser(names, NOW, ALL))
          .hasMessage("Certificate invalid: name is not a listed principal");
    }
  }

  /** A user certificate as no ssh-keygen would make it. */
  private static byte[] certificate(
      byte[] authority, List<String> principals, List<String> criticalOptions) throws Exception {
    WireWriter options = WireWriter.create();
    criticalOptions.forEach(name -> options.writeString(name).writeString(new byte[0]));
    return certificate(authority, principals, options.toBytes(), new byte[0]);
  }

  /** A user certificate by the key that it certifies, with any options. */
  static Certificate certified(
      List<String> principals, Map<String, byte[]> criticalOptions, Map<String, byte[]> extensions)
      throws Exception {
    WireWriter options = WireWriter.create();
    criticalOptions.forEach((name, data) -> options.writeString(name).writeString(data));
    WireWriter permissions = WireWriter.create();
    extensions.forEach((name, data) -> permissions.writeString(name).writeString(data));
    return (Certificate)
        SshPublicKey.parse(
            certificate(
                TestKeys.key("ed25519.pub").blob(),
                principals,
                options.toBytes(),
                permissions.toBytes()));
  }

  private static byte[] certificate(
      byte[] authority, List<String> principals, byte[] criticalOptions, byte[] extensions)
      throws Exception {
    WireWriter names = WireWriter.create();
    principals.forEach(names::writeString);
    PrivateKey key =
        OpenSshKeyFormat.parse(Pem.parse(TestKeys.bytes("ed25519")).bytes())
            .open(new byte[0])
            .key();
    byte[] plain = key.publicKey().blob();
    byte[] signed =
        WireWriter.create()
            .writeString("ssh-ed25519-cert-v01@openssh.com")
            .writeString(new byte[32])
            .writeString(java.util.Arrays.copyOfRange(plain, plain.length - 32, plain.length))
            .writeUint64(1)
            .writeUint32(1)
            .writeString("id")
            .writeString(names.toBytes())
            .writeUint64(0)
            .writeUint64(-1)
            .writeString(criticalOptions)
            .writeString(extensions)
            .writeString("")
            .writeString(authority)
            .toBytes();
    return WireWriter.create()
        .writeBytes(signed)
        .writeString(key.sign("ssh-ed25519", signed))
        .toBytes();
  }

  @Test
  void principalsAndOptionsHaveALimit() throws Exception {
    for (int count : new int[] {256, 257}) {
      List<String> names =
          IntStream.range(0, count).mapToObj(i -> "name%03d".formatted(i)).toList();
      Map<String, byte[]> options = new TreeMap<>();
      names.forEach(name -> options.put(name, new byte[0]));
      if (count == 256) {
        assertThat(certified(names, options, options).principals()).hasSize(256);
      } else {
        assertThatThrownBy(() -> certified(names, Map.of(), Map.of()))
            .hasMessageContaining("more than 256 principals");
        assertThatThrownBy(() -> certified(List.of("a"), options, Map.of()))
            .hasMessageContaining("more than 256 of");
        assertThatThrownBy(() -> certified(List.of("a"), Map.of(), options))
            .hasMessageContaining("more than 256 of");
      }
    }
  }
}
