package dev.adit.ssh.keys;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.ssh.crypto.Ed25519;
import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.WireReader;
import dev.adit.ssh.wire.WireWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Fuzz targets: keys, certificates, their files, and the agent's answers. See docs/building.md. */
public final class KeysFuzz {
  private static final SshPublicKey KEY = TestKeys.key("ed25519.pub");
  private static final Certificate CERTIFICATE = TestKeys.certificate("ed25519-cert.pub");
  private static final byte[] AUTHORITY_SEED = new byte[Ed25519.KEY_LENGTH];
  private static final SshPublicKey AUTHORITY =
      SshPublicKey.ed25519(Ed25519.publicKey(AUTHORITY_SEED));
  private static final List<byte[]> ENCRYPTED =
      Stream.of("openssh-aes256-ctr", "openssh-aes128-gcm", "rsa-pkcs8-aes256", "rsa-pem-aes128")
          .map(TestKeys::bytes)
          .toList();
  private static final Path FILE = temporary();

  private KeysFuzz() {}

  private static Path temporary() {
    try {
      Path directory = Files.createTempDirectory("adit-fuzz");
      directory.toFile().deleteOnExit();
      Path file = directory.resolve("file");
      file.toFile().deleteOnExit();
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A key blob, with two bytes of length in front, and a signature behind it. */
  public static void publicKeys(byte[] data) throws MalformedDataException {
    if (data.length < 2) {
      return;
    }
    int length = Math.min((data[0] & 0xff) << 8 | data[1] & 0xff, data.length - 2);
    byte[] blob = Arrays.copyOfRange(data, 2, 2 + length);
    byte[] signature = Arrays.copyOfRange(data, 2 + length, data.length);
    SshPublicKey key;
    try {
      key = SshPublicKey.parse(blob, SshPublicKey.LOWEST_MIN_RSA_BITS);
    } catch (MalformedDataException refused) {
      return;
    }
    assertThat(key.blob()).isEqualTo(blob);
    var line = SshPublicKey.parseLine(key.toLine() + " a comment", key.bits());
    assertThat(line.key()).isEqualTo(key);
    assertThat(key.describe() + key + key.randomart(FingerprintHash.SHA256)).isNotEmpty();
    for (String algorithm : key.algorithms()) {
      try {
        key.verify(algorithm, blob, signature);
        throw new AssertionError("a signature that nobody has made");
      } catch (InvalidSignatureException refused) {
        // As it should be.
      }
    }
  }

  /**
   * A certificate up to its reserved field; an authority and its signature, which nobody can guess,
   * are added.
   */
  public static void certificates(byte[] data) throws MalformedDataException {
    byte[] signed = WireWriter.create().writeBytes(data).writeString(AUTHORITY.blob()).toBytes();
    byte[] blob =
        WireWriter.create()
            .writeBytes(signed)
            .writeString(
                WireWriter.create()
                    .writeString("ssh-ed25519")
                    .writeString(Ed25519.sign(AUTHORITY_SEED, signed))
                    .toBytes())
            .toBytes();
    SshPublicKey key;
    try {
      key = SshPublicKey.parse(blob, SshPublicKey.LOWEST_MIN_RSA_BITS);
    } catch (MalformedDataException refused) {
      return;
    }
    Certificate certificate = (Certificate) key;
    assertThat(SshPublicKey.parseLine(certificate.toLine(), key.bits()).key())
        .isEqualTo(certificate);
    assertThat(certificate.describe() + certificate).isNotEmpty();
    Instant now = Instant.ofEpochSecond(1_767_225_600);
    try {
      certificate.checkHost("host.example.org", now, Certificate.DEFAULT_CA_ALGORITHMS);
      assertThat(certificate.use()).isEqualTo(Certificate.Use.HOST);
    } catch (InvalidCertificateException refused) {
      // Most are.
    }
    try {
      certificate.checkUser("ada", now, Certificate.DEFAULT_CA_ALGORITHMS);
      assertThat(certificate.use()).isEqualTo(Certificate.Use.USER);
    } catch (InvalidCertificateException refused) {
      // Most are.
    }
    try {
      assertThat(KeyOptions.of(certificate)).isNotNull();
    } catch (InvalidCertificateException refused) {
      // A critical option that we don't know, for example.
    }
  }

  /** A private key file. What opens must sign, and its signature must hold. */
  public static void privateKeys(byte[] data) throws Exception {
    KeyFormat format;
    PrivateKey key;
    try {
      format = PrivateKeyFile.parse(data);
      if (format.isEncrypted() && !cheap(data)) {
        return;
      }
      key = format.open(TestKeys.PASSPHRASE.getBytes(StandardCharsets.UTF_8)).key();
    } catch (MalformedDataException | WrongPassphraseException refused) {
      return;
    }
    SshPublicKey publicKey = key.publicKey();
    if (format.publicKey() != null) {
      assertThat(format.publicKey().plain()).isEqualTo(publicKey);
    }
    String algorithm = publicKey.algorithms().getFirst();
    byte[] signature;
    try {
      signature = key.sign(algorithm, data);
    } catch (IllegalArgumentException refused) {
      // Numbers that fit each other and are no RSA key: PrivateKeyFile.sign names the file.
      return;
    }
    publicKey.verify(algorithm, data, signature);
  }

  /**
   * A key derivation takes the time and the memory that the file names, within bounds that are far
   * above a fuzzer's patience: only those of recorded files are run, which stand in the first half.
   */
  private static boolean cheap(byte[] data) {
    return ENCRYPTED.stream()
        .map(file -> Arrays.copyOf(file, file.length / 2))
        .anyMatch(half -> Arrays.equals(half, Arrays.copyOf(data, half.length)));
  }

  /** A known_hosts file: any host can be looked up in it, and added to it. */
  public static void knownHosts(byte[] data) throws IOException {
    Files.write(FILE, data);
    KnownHosts before = KnownHosts.read(List.of(FILE));
    before.lookup("host.example.org", 22, KEY);
    before.lookup("192.0.2.7", 2222, CERTIFICATE);
    before.withKey(KEY);
    before.preferKnown("host.example.org", 22, KEY.algorithms());
    before.entries("[::1]", 22);
    before.problems().forEach(problem -> assertThat(problem.toString()).isNotEmpty());

    KnownHostsFile.add(FILE, "host.example.org", 22, KEY, data.length % 2 == 0);
    KnownHosts after = KnownHosts.read(List.of(FILE));
    assertThat(after.lookup("host.example.org", 22, KEY))
        .isInstanceOfAny(KnownHosts.Verdict.Known.class, KnownHosts.Verdict.Revoked.class);
  }

  /** An authorized_keys file, and the same bytes as a file of principals. */
  public static void authorizedKeys(byte[] data) throws IOException {
    AuthorizedKeys.Problems problems =
        (line, why) -> {
          assertThat(line).isPositive();
          assertThat(why).isNotEmpty();
        };
    AuthorizedKeys keys = AuthorizedKeys.parse(data);
    for (var entry : keys.find(KEY, problems)) {
      assertThat(entry.options().certAuthority()).isFalse();
    }
    for (var entry : keys.find(CERTIFICATE, problems)) {
      assertThat(entry.options().certAuthority()).isTrue();
    }
    AuthorizedPrincipals.parse(data).find(CERTIFICATE, problems);
  }

  /** A key revocation list, or lines of public keys. */
  public static void revokedKeys(byte[] data) {
    RevokedKeys revoked;
    try {
      revoked = RevokedKeys.parse(data, "revoked");
    } catch (IOException refused) {
      return;
    }
    // A certificate is revoked with its key at the latest.
    if (revoked.contains(CERTIFICATE.plain())) {
      assertThat(revoked.contains(CERTIFICATE)).isTrue();
    }
    revoked.contains(KEY);
  }

  /** What an agent says to one request, and then to another. */
  public static void agent(byte[] data) throws Exception {
    Path socket = Files.createTempDirectory("adit-fuzz").resolve("agent");
    try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      listener.bind(UnixDomainSocketAddress.of(socket));
      try (Agent agent = Agent.connect(socket);
          SocketChannel theirs = listener.accept()) {
        ByteBuffer answers = ByteBuffer.wrap(data);
        Thread talker =
            Thread.ofVirtual()
                .start(
                    () -> {
                      try {
                        theirs.write(answers);
                        theirs.shutdownOutput();
                        Channels.newInputStream(theirs).readAllBytes();
                      } catch (IOException e) {
                        // The client has hung up, as it does on nonsense.
                      }
                    });
        try {
          for (var identity : agent.identities()) {
            assertThat(identity.key().blob()).isNotEmpty();
          }
          byte[] signature = agent.sign(KEY, "ssh-ed25519", data);
          assertThat(WireReader.over(signature).readName()).isEqualTo("ssh-ed25519");
        } catch (IOException refused) {
          assertThat(refused).hasMessageContaining("agent at " + socket);
        }
        agent.close();
        talker.join();
      }
    } finally {
      Files.deleteIfExists(socket);
      Files.delete(socket.getParent());
    }
  }
}
