package dev.adit.ssh.keys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.adit.ssh.crypto.Hash;
import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.WireReader;
import dev.adit.ssh.wire.WireWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SshPublicKeyTest {
  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ed25519.pub",
        "ecdsa256.pub",
        "ecdsa384.pub",
        "ecdsa521.pub",
        "rsa.pub",
        "sk-ed25519.pub",
        "sk-ecdsa256.pub",
        "rsa-cert.pub",
        "ed25519-cert.pub",
        "sk-ed25519-cert.pub"
      })
  void saysWhatSshKeygenSays(String name) throws Exception {
    Path file = TestKeys.copy(name, directory);
    SshPublicKey.Commented read = SshPublicKey.parseLine(TestKeys.line(name));
    SshPublicKey key = read.key();
    assertThat(key.toLine() + (read.comment().isEmpty() ? "" : " " + read.comment()))
        .isEqualTo(TestKeys.line(name));
    for (FingerprintHash hash : FingerprintHash.values()) {
      String[] said = TestKeys.keygen("-l", "-E", hash.name(), "-f", file).strip().split(" ", 3);
      assertThat(said[0]).isEqualTo(String.valueOf(key.bits()));
      assertThat(said[1]).isEqualTo(key.fingerprint(hash));
      assertThat(said[2]).endsWith("(" + key.describe() + ")");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"ed25519", "ecdsa521", "rsa", "sk-ecdsa256"})
  void picturesAreThoseOfSshKeygen(String name) throws Exception {
    Path file = TestKeys.copy(name + ".pub", directory);
    SshPublicKey key = TestKeys.key(name + ".pub");
    for (FingerprintHash hash : FingerprintHash.values()) {
      String said = TestKeys.keygen("-lv", "-E", hash.name(), "-f", file);
      assertThat(said.substring(said.indexOf('\n') + 1).stripTrailing())
          .isEqualTo(key.randomart(hash));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "ed25519, ssh-ed25519",
    "ecdsa256, ecdsa-sha2-nistp256",
    "ecdsa384, ecdsa-sha2-nistp384",
    "ecdsa521, ecdsa-sha2-nistp521",
    "rsa, rsa-sha2-512",
  })
  void verifiesWhatSshKeygenSigned(String name, String algorithm) throws Exception {
    Path key = TestKeys.copy(name, directory);
    Path file = TestKeys.write(directory.resolve("data"), "to be signed".getBytes(US_ASCII));
    TestKeys.keygen("-Y", "sign", "-n", "adit", "-f", key, file);
    SshSig signed = SshSig.read(Files.readString(directory.resolve("data.sig")));
    byte[] data = signed.data("to be signed");
    SshPublicKey publicKey = TestKeys.key(name + ".pub");

    publicKey.verify(algorithm, data, signed.signature());

    byte[] other = data.clone();
    other[other.length - 1] ^= 1;
    assertThatThrownBy(() -> publicKey.verify(algorithm, other, signed.signature()))
        .isInstanceOf(InvalidSignatureException.class)
        .hasMessageContaining("does not match");
    for (int length = 0; length < signed.signature().length; length++) {
      byte[] cut = Arrays.copyOf(signed.signature(), length);
      assertThatThrownBy(() -> publicKey.verify(algorithm, data, cut))
          .isInstanceOf(InvalidSignatureException.class);
    }
    byte[] longer = Arrays.copyOf(signed.signature(), signed.signature().length + 1);
    assertThatThrownBy(() -> publicKey.verify(algorithm, data, longer))
        .isInstanceOf(InvalidSignatureException.class);
  }

  @ParameterizedTest
  @CsvSource({"sk-ed25519, ed25519", "sk-ecdsa256, ecdsa256"})
  void securityKeySignaturesCountOnlyIfTouched(String name, String secretName) throws Exception {
    SshPublicKey key = TestKeys.key(name + ".pub");
    SshSig draft = SshSig.by(key, "to be signed");
    byte[] touched = skSignature(secretName, key, draft.data("to be signed"), 1);
    byte[] untouched = skSignature(secretName, key, draft.data("to be signed"), 0);

    // That the signature is made as a security key makes it is for ssh-keygen to say.
    assertThat(draft.with(touched).judge(directory, "to be signed").text())
        .startsWith("Good \"adit\" signature");
    key.verify(key.typeName(), draft.data("to be signed"), touched);

    assertThatThrownBy(() -> key.verify(key.typeName(), draft.data("to be signed"), untouched))
        .isInstanceOf(InvalidSignatureException.class)
        .hasMessageContaining("without being touched");
    key.verify(
        key.typeName(),
        draft.data("to be signed"),
        untouched,
        new SshPublicKey.SecurityKeyRules(false, false));

    byte[] verified = skSignature(secretName, key, draft.data("to be signed"), 1 | 4);
    var whoTouched = new SshPublicKey.SecurityKeyRules(true, true);
    key.verify(key.typeName(), draft.data("to be signed"), verified, whoTouched);
    assertThatThrownBy(
            () -> key.verify(key.typeName(), draft.data("to be signed"), touched, whoTouched))
        .isInstanceOf(InvalidSignatureException.class)
        .hasMessageContaining("without checking a PIN or finger");

    // The flags are signed: nobody else can set them.
    byte[] forged = untouched.clone();
    forged[forged.length - 5] = 1;
    assertThatThrownBy(() -> key.verify(key.typeName(), draft.data("to be signed"), forged))
        .hasMessageContaining("does not match");
  }

  private static byte[] skSignature(String secretName, SshPublicKey key, byte[] data, int flags)
      throws Exception {
    PrivateKey secret =
        OpenSshKeyFormat.parse(Pem.parse(TestKeys.bytes(secretName)).bytes())
            .open(new byte[0])
            .key();
    byte[] signed =
        WireWriter.create()
            .writeBytes(Hash.SHA256.of("ssh:".getBytes(US_ASCII)))
            .writeByte(flags)
            .writeUint32(41)
            .writeBytes(Hash.SHA256.of(data))
            .toBytes();
    WireReader inner =
        WireReader.over(secret.sign(secret.publicKey().algorithms().getFirst(), signed));
    inner.readString();
    return WireWriter.create()
        .writeString(key.typeName())
        .writeString(inner.readString())
        .writeByte(flags)
        .writeUint32(41)
        .toBytes();
  }

  @Test
  void sha1AndOtherAlgorithmsAreRefused() throws Exception {
    SshPublicKey rsa = TestKeys.key("rsa.pub");
    byte[] sha1 = WireWriter.create().writeString("ssh-rsa").writeString(new byte[256]).toBytes();
    assertThatThrownBy(() -> rsa.verify("ssh-rsa", new byte[0], sha1))
        .hasMessageContaining("cannot be used with the signature algorithm ssh-rsa");
    assertThatThrownBy(() -> rsa.verify("ssh-rsa-cert-v01@openssh.com", new byte[0], sha1))
        .isInstanceOf(InvalidSignatureException.class);
    assertThatThrownBy(() -> rsa.verify("rsa-sha2-256", new byte[0], sha1))
        .hasMessageContaining("was made with ssh-rsa where rsa-sha2-256 was agreed");
  }

  @Test
  void rsaKeysOfUnreasonableSizeAreRefused() throws Exception {
    assertThatThrownBy(() -> SshPublicKey.parseLine(TestKeys.line("rsa1024.pub")))
        .isInstanceOf(MalformedDataException.class)
        .hasMessageContaining("1024 bits, and only RSA keys of 2048 to 8192 bits");
    assertThat(SshPublicKey.parseLine(TestKeys.line("rsa1024.pub"), 1024).key().bits())
        .isEqualTo(1024);
    assertThatThrownBy(() -> SshPublicKey.parseLine(TestKeys.line("rsa8200.pub"), 1024))
        .isInstanceOf(MalformedDataException.class)
        .hasMessageContaining("8200 bits");
    assertThatThrownBy(() -> SshPublicKey.parseLine(TestKeys.line("rsa.pub"), 3072))
        .isInstanceOf(MalformedDataException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ed25519.pub",
        "ecdsa256.pub",
        "ecdsa521.pub",
        "rsa.pub",
        "sk-ed25519.pub",
        "sk-ecdsa256.pub",
        "ed25519-cert.pub",
        "rsa-cert.pub",
        "sk-ecdsa256-cert.pub",
        "host-by-rsa-cert.pub"
      })
  void blobsCutShortOrMadeLongerAreRefused(String name) {
    byte[] blob = TestKeys.key(name).blob();
    for (int length = 0; length < blob.length; length++) {
      byte[] cut = Arrays.copyOf(blob, length);
      assertThatThrownBy(() -> SshPublicKey.parse(cut)).isInstanceOf(MalformedDataException.class);
    }
    assertThatThrownBy(() -> SshPublicKey.parse(Arrays.copyOf(blob, blob.length + 1)))
        .isInstanceOf(MalformedDataException.class);
  }

  @Test
  void oneKeyHasOneBlobOnly() throws Exception {
    WireReader in = WireReader.over(TestKeys.key("rsa.pub").blob());
    byte[] padded =
        WireWriter.create()
            .writeString(in.readString())
            .writeString(in.readString())
            .writeString(prepend(in.readString()))
            .toBytes();
    assertThatThrownBy(() -> SshPublicKey.parse(padded)).hasMessageContaining("shortest form");
  }

  private static byte[] prepend(byte[] number) {
    byte[] longer = new byte[number.length + 1];
    System.arraycopy(number, 0, longer, 1, number.length);
    return longer;
  }

  @Test
  void pointsOffTheCurveAreRefused() {
    byte[] blob = TestKeys.key("ecdsa256.pub").blob();
    blob[blob.length - 1] ^= 1;
    assertThatThrownBy(() -> SshPublicKey.parse(blob))
        .hasMessageContaining("no uncompressed point on the curve nistp256");
  }

  @Test
  void labelsMustFitTheKey() {
    String base64 = Base64.getEncoder().encodeToString(TestKeys.key("rsa.pub").blob());
    assertThatThrownBy(() -> SshPublicKey.parseLine("ssh-ed25519 " + base64))
        .isInstanceOf(MalformedDataException.class);
    assertThatThrownBy(() -> SshPublicKey.parseLine("ssh-rsa " + base64 + "*"))
        .isInstanceOf(MalformedDataException.class);
    assertThatThrownBy(() -> SshPublicKey.parseLine("ssh-rsa"))
        .isInstanceOf(MalformedDataException.class);
  }

  private static final java.nio.charset.Charset US_ASCII = StandardCharsets.US_ASCII;
}
