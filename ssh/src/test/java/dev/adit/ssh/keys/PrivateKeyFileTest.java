package dev.adit.ssh.keys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.WireWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.EncryptedPrivateKeyInfo;
import org.bouncycastle.asn1.pkcs.EncryptionScheme;
import org.bouncycastle.asn1.pkcs.KeyDerivationFunc;
import org.bouncycastle.asn1.pkcs.PBES2Parameters;
import org.bouncycastle.asn1.pkcs.PBKDF2Params;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PrivateKeyFileTest {
  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource({
    "ed25519, ed25519",
    "ecdsa256, ecdsa256",
    "ecdsa384, ecdsa384",
    "ecdsa521, ecdsa521",
    "rsa, rsa",
    "openssh-aes128-ctr, ed25519",
    "openssh-aes192-ctr, ed25519",
    "openssh-aes256-ctr, ed25519",
    "openssh-aes128-cbc, ed25519",
    "openssh-aes256-cbc, ed25519",
    "openssh-aes128-gcm, ed25519",
    "openssh-aes256-gcm, ed25519",
    "rsa-pem, rsa",
    "rsa-pkcs8, rsa",
    "rsa-pem-aes128, rsa",
    "rsa-pem-aes256, rsa",
    "rsa-pem-des3, rsa",
    "rsa-pkcs8-aes256, rsa",
    "ecdsa256-pem, ecdsa256",
    "ecdsa256-pkcs8, ecdsa256",
    "ecdsa256-pem-aes192, ecdsa256",
    "ecdsa256-pkcs8-scrypt, ecdsa256",
    "ecdsa384-pem, ecdsa384",
    "ecdsa384-pkcs8, ecdsa384",
    "ecdsa384-pkcs8-sha1, ecdsa384",
    "ecdsa521-pem, ecdsa521",
    "ecdsa521-pkcs8, ecdsa521",
    "ecdsa521-pkcs8-des3, ecdsa521",
    "pkcs8-ed25519, pkcs8-ed25519",
  })
  void signsAsItsPublicKeyAndSshKeygenAgrees(String name, String publicName) throws Exception {
    Path file = TestKeys.copy(name, directory);
    PrivateKeyFile key = PrivateKeyFile.read(file, TestKeys.KNOWS);
    assertThat(key.publicKey()).isEqualTo(TestKeys.key(publicName + ".pub"));
    for (String algorithm : key.algorithms()) {
      SshSig draft = SshSig.by(key.publicKey(), "a message");
      byte[] data = draft.data("a message");
      byte[] signature = key.sign(algorithm, data);
      key.publicKey().verify(algorithm, data, signature);
      assertThat(draft.with(signature).judge(directory, "a message").text())
          .startsWith("Good \"adit\" signature for somebody");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ed25519",
        "ecdsa256",
        "rsa",
        "openssh-aes256-ctr",
        "openssh-aes256-gcm",
        "ecdsa256-pem",
        "rsa-pem-aes128",
        "ecdsa256-pkcs8",
        "ecdsa384-pkcs8-sha1",
        "pkcs8-ed25519"
      })
  void filesCutShortSayWhatIsMissing(String name) throws Exception {
    byte[] whole = TestKeys.line(name).getBytes(StandardCharsets.US_ASCII);
    for (int length = 0; length < whole.length; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      assertThatThrownBy(() -> PrivateKeyFile.parse(cut))
          .isInstanceOf(MalformedDataException.class);
    }
    Path file =
        TestKeys.write(directory.resolve("cut"), Arrays.copyOf(whole, whole.length * 2 / 3));
    assertThatThrownBy(() -> PrivateKeyFile.read(file, TestKeys.KNOWS))
        .isInstanceOf(KeyFileException.class)
        .hasMessageStartingWith("Load key \"" + file + "\": invalid format: cut short: ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"ed25519", "ecdsa256", "rsa", "openssh-aes256-ctr", "openssh-aes256-gcm"})
  void openSshFormatCutShortInsideItsArmour(String name) throws Exception {
    byte[] whole = Pem.parse(TestKeys.bytes(name)).bytes();
    for (int length = 0; length < whole.length; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      assertThatThrownBy(() -> OpenSshKeyFormat.parse(cut)).isInstanceOf(IOException.class);
    }
    assertThatThrownBy(() -> OpenSshKeyFormat.parse(Arrays.copyOf(whole, whole.length + 1)))
        .hasMessageContaining("1 bytes after its last field");
  }

  @ParameterizedTest
  @ValueSource(strings = {"ecdsa256-pem", "rsa-pem", "ecdsa256-pkcs8", "pkcs8-ed25519"})
  void derCutShortOrDamagedNeverThrowsAnythingElse(String name) throws Exception {
    Pem pem = Pem.parse(TestKeys.bytes(name));
    for (int length = 0; length < pem.bytes().length; length++) {
      Pem cut = new Pem(pem.label(), pem.headers(), Arrays.copyOf(pem.bytes(), length));
      assertThatThrownBy(() -> PemKeyFormat.parse(cut)).isInstanceOf(IOException.class);
    }
    for (int at = 0; at < pem.bytes().length; at++) {
      for (int flip : new int[] {1, 0x80, 0xff}) {
        byte[] damaged = pem.bytes().clone();
        damaged[at] ^= (byte) flip;
        try {
          PemKeyFormat.parse(new Pem(pem.label(), pem.headers(), damaged));
        } catch (IOException expected) {
          // Some bits may be flipped and still give a key; nothing else may be thrown.
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "openssh-aes256-ctr",
        "openssh-aes256-gcm",
        "openssh-aes256-cbc",
        "rsa-pem-aes128",
        "ecdsa256-pkcs8-scrypt"
      })
  void wrongPassphraseIsAskedAgainSoManyTimes(String name) throws Exception {
    Path file = TestKeys.copy(name, directory);
    List<String> prompts = new ArrayList<>();
    PassphraseSource wrong =
        prompt -> {
          prompts.add(prompt);
          return "not it".toCharArray();
        };
    assertThatThrownBy(
            () -> {
              PrivateKeyFile key = PrivateKeyFile.read(file, wrong, 2);
              key.sign(key.algorithms().getFirst(), new byte[1]);
            })
        .isInstanceOf(KeyFileException.class)
        .hasMessage(
            "Load key \"" + file + "\": incorrect passphrase supplied to decrypt private key");
    assertThat(prompts).hasSize(2).containsOnly("Enter passphrase for key '" + file + "': ");

    AtomicInteger asked = new AtomicInteger();
    PassphraseSource second =
        prompt -> (asked.incrementAndGet() == 1 ? "not it" : "tunnel").toCharArray();
    PrivateKeyFile key = PrivateKeyFile.read(file, second);
    key.publicKey()
        .verify(
            key.algorithms().getFirst(),
            new byte[1],
            key.sign(key.algorithms().getFirst(), new byte[1]));
  }

  @Test
  void passphraseIsAskedForAtTheFirstSignature() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    PassphraseSource counting =
        prompt -> {
          asked.incrementAndGet();
          return "tunnel".toCharArray();
        };
    PrivateKeyFile key =
        PrivateKeyFile.read(TestKeys.copy("openssh-aes256-ctr", directory), counting);
    assertThat(key.publicKey()).isEqualTo(TestKeys.key("ed25519.pub"));
    assertThat(key.needsPassphrase()).isTrue();
    assertThat(asked).hasValue(0);
    key.sign("ssh-ed25519", new byte[1]);
    key.sign("ssh-ed25519", new byte[1]);
    assertThat(asked).hasValue(1);

    // A PEM file hides its public key, but its neighbour shows it.
    Files.write(directory.resolve("rsa-pem-aes128.pub"), TestKeys.bytes("rsa.pub"));
    key = PrivateKeyFile.read(TestKeys.copy("rsa-pem-aes128", directory), counting);
    assertThat(key.publicKey()).isEqualTo(TestKeys.key("rsa.pub"));
    assertThat(asked).hasValue(1);
  }

  @Test
  void passphrasesAndUnlockedKeysAreWiped() throws Exception {
    char[] wrong = "nonsense".toCharArray();
    char[] right = TestKeys.PASSPHRASE.toCharArray();
    Deque<char[]> answers = new ArrayDeque<>(List.of(wrong, right));
    PrivateKeyFile key =
        PrivateKeyFile.read(
            TestKeys.copy("openssh-aes256-ctr", directory), prompt -> answers.remove());
    key.sign("ssh-ed25519", new byte[1]);
    assertThat(wrong).containsOnly('\0');
    assertThat(right).containsOnly('\0');

    byte[] seed = ((PrivateKey.Ed25519Private) key.open().key()).seed();
    assertThat(seed).isNotEqualTo(new byte[seed.length]);
    key.close();
    assertThat(seed).containsOnly(0);
    assertThat(key.needsPassphrase()).isTrue();
  }

  @Test
  void nobodyToAskMeansTheKeyIsPassedOver() throws Exception {
    Path file = TestKeys.copy("openssh-aes256-ctr", directory);
    PrivateKeyFile key = PrivateKeyFile.read(file, PassphraseSource.NONE);
    assertThatThrownBy(() -> key.sign("ssh-ed25519", new byte[1]))
        .hasMessage("Load key \"" + file + "\": no passphrase given");
  }

  @Test
  void publicKeyOfAnotherPrivateKeyIsNoticed() throws Exception {
    Files.write(directory.resolve("rsa-pem-aes128.pub"), TestKeys.bytes("ed25519.pub"));
    PrivateKeyFile key =
        PrivateKeyFile.read(TestKeys.copy("rsa-pem-aes128", directory), TestKeys.KNOWS);
    assertThatThrownBy(() -> key.sign("ssh-ed25519", new byte[1]))
        .isInstanceOf(KeyFileException.class)
        .hasMessageContaining("is another one");
  }

  @ParameterizedTest
  @ValueSource(strings = {"rw-r--r--", "rw-rw----", "rw-----w-", "rw------x"})
  void filesThatOthersMayUseAreRefused(String permissions) throws Exception {
    Path file = TestKeys.copy("ed25519", directory);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
    assertThatThrownBy(() -> PrivateKeyFile.read(file, TestKeys.KNOWS))
        .isInstanceOfSatisfying(
            KeyFileException.class,
            e -> {
              assertThat(e.getMessage()).isEqualTo("Load key \"" + file + "\": bad permissions");
              assertThat(e.warning()).contains("UNPROTECTED PRIVATE KEY FILE!");
              try {
                assertThat(TestKeys.keygen("-y", "-f", file).replace("\r", ""))
                    .contains(e.warning());
              } catch (Exception other) {
                throw new AssertionError(other);
              }
            });
  }

  @Test
  void missingFileIsNamed() {
    assertThatThrownBy(() -> PrivateKeyFile.read(directory.resolve("nowhere"), TestKeys.KNOWS))
        .isInstanceOf(NoSuchFileException.class);
  }

  @ParameterizedTest
  @CsvSource({"ed25519", "ecdsa256", "ecdsa384", "ecdsa521", "rsa"})
  void certificateBesideTheKeyIsOfferedFirst(String name) throws Exception {
    Files.write(directory.resolve(name + "-cert.pub"), TestKeys.bytes(name + "-cert.pub"));
    var signers = PrivateKeyFile.signers(TestKeys.copy(name, directory), TestKeys.KNOWS, 1);
    assertThat(signers).hasSize(2);
    var certified = signers.getFirst();
    assertThat(certified.publicKeyBlob()).isEqualTo(TestKeys.key(name + "-cert.pub").blob());
    for (String algorithm : certified.algorithms()) {
      assertThat(algorithm).endsWith("-cert-v01@openssh.com");
      TestKeys.key(name + "-cert.pub")
          .verify(algorithm, new byte[9], certified.sign(algorithm, new byte[9]));
    }
    assertThat(signers.getLast().publicKeyBlob()).isEqualTo(TestKeys.key(name + ".pub").blob());
  }

  @Test
  void certificateForAnotherKeyOrForAHostIsNotTaken() throws Exception {
    Files.write(directory.resolve("rsa-cert.pub"), TestKeys.bytes("ed25519-cert.pub"));
    Path rsa = TestKeys.copy("rsa", directory);
    assertThatThrownBy(() -> PrivateKeyFile.signers(rsa, TestKeys.KNOWS, 1))
        .hasMessageContaining("not for the key " + rsa);
    Files.write(directory.resolve("ed25519-cert.pub"), TestKeys.bytes("host-any-cert.pub"));
    Path ed25519 = TestKeys.copy("ed25519", directory);
    assertThatThrownBy(() -> PrivateKeyFile.signers(ed25519, TestKeys.KNOWS, 1))
        .hasMessageContaining("a host's certificate");
  }

  @Test
  void filesTooLargeForAKeyAreRefused() throws Exception {
    byte[] key = TestKeys.bytes("ed25519");
    byte[] atLimit = Arrays.copyOf(key, 1 << 20);
    Arrays.fill(atLimit, key.length, atLimit.length, (byte) '\n');
    Path file = TestKeys.write(directory.resolve("large"), atLimit);
    assertThat(PrivateKeyFile.read(file, TestKeys.KNOWS)).isNotNull();
    TestKeys.write(file, Arrays.copyOf(atLimit, atLimit.length + 1));
    assertThatThrownBy(() -> PrivateKeyFile.read(file, TestKeys.KNOWS))
        .hasMessageContaining("more than 1048576 bytes");
  }

  /** Each would take hours, or all the memory there is. */
  @Test
  void filesThatWouldKeepUsBusyAreRefused() throws Exception {
    byte[] kdf = WireWriter.create().writeString(new byte[16]).writeUint32(10_001).toBytes();
    assertRefused(
        "OPENSSH PRIVATE KEY",
        WireWriter.create()
            .writeBytes("openssh-key-v1\0".getBytes(StandardCharsets.US_ASCII))
            .writeString("aes256-ctr")
            .writeString("bcrypt")
            .writeString(kdf)
            .writeUint32(1)
            .writeString(TestKeys.key("ed25519.pub").blob())
            .writeString(new byte[160])
            .toBytes(),
        "the number of bcrypt rounds");
    assertRefused(
        "ENCRYPTED PRIVATE KEY",
        encrypted(PKCSObjectIdentifiers.id_PBKDF2, new PBKDF2Params(new byte[16], 10_000_001)),
        "the number of PBKDF2 iterations is 10000001");
    for (int[] cost : new int[][] {{1 << 19, 8, 1}, {1 << 14, 8, 17}, {2, 1 << 22, 1}}) {
      assertRefused(
          "ENCRYPTED PRIVATE KEY",
          encrypted(
              new ASN1ObjectIdentifier("1.3.6.1.4.1.11591.4.11"),
              new DERSequence(
                  new ASN1Encodable[] {
                    new DEROctetString(new byte[16]),
                    new ASN1Integer(cost[0]),
                    new ASN1Integer(cost[1]),
                    new ASN1Integer(cost[2])
                  })),
          "scrypt with N=" + cost[0]);
    }
  }

  private static byte[] encrypted(ASN1ObjectIdentifier kdf, ASN1Encodable parameters)
      throws IOException {
    var scheme =
        new PBES2Parameters(
            new KeyDerivationFunc(kdf, parameters),
            new EncryptionScheme(
                NISTObjectIdentifiers.id_aes256_CBC, new DEROctetString(new byte[16])));
    return new EncryptedPrivateKeyInfo(
            new AlgorithmIdentifier(PKCSObjectIdentifiers.id_PBES2, scheme), new byte[64])
        .getEncoded();
  }

  private void assertRefused(String label, byte[] content, String why) throws Exception {
    String text =
        "-----BEGIN %s-----\n%s\n-----END %s-----\n"
            .formatted(label, Base64.getMimeEncoder().encodeToString(content), label);
    Path file = TestKeys.write(directory.resolve("busy"), text.getBytes(StandardCharsets.US_ASCII));
    assertThatThrownBy(
            () -> PrivateKeyFile.read(file, TestKeys.KNOWS).sign("ssh-ed25519", new byte[1]))
        .hasStackTraceContaining(why);
  }
}
