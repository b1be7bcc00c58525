package dev.adit.ssh.keys;

import dev.adit.ssh.crypto.Hash;
import dev.adit.ssh.wire.WireReader;
import dev.adit.ssh.wire.WireWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;

/** A signature file of {@code ssh-keygen -Y} (OpenSSH's PROTOCOL.sshsig), namespace "adit". */
record SshSig(SshPublicKey key, byte[] signature) {
  private static final byte[] MAGIC = "SSHSIG".getBytes(StandardCharsets.US_ASCII);

  static SshSig by(SshPublicKey key, String message) {
    return new SshSig(key, new byte[0]);
  }

  SshSig with(byte[] other) {
    return new SshSig(key, other);
  }

  static SshSig read(String armoured) throws Exception {
    WireReader in =
        WireReader.over(Pem.parse(armoured.getBytes(StandardCharsets.US_ASCII)).bytes());
    in.readBytes(MAGIC.length);
    in.readUint32();
    SshPublicKey key = SshPublicKey.parse(in.readString());
    in.readString();
    in.readString();
    in.readString();
    return new SshSig(key, in.readString());
  }

  /** What is signed for a message. */
  byte[] data(String message) {
    return WireWriter.create()
        .writeBytes(MAGIC)
        .writeString("adit")
        .writeString("")
        .writeString("sha512")
        .writeString(Hash.SHA512.of(message.getBytes(StandardCharsets.UTF_8)))
        .toBytes();
  }

  /** Has ssh-keygen verify it. */
  TestKeys.Said judge(Path directory, String message) throws Exception {
    byte[] bytes =
        WireWriter.create()
            .writeBytes(MAGIC)
            .writeUint32(1)
            .writeString(key.blob())
            .writeString("adit")
            .writeString("")
            .writeString("sha512")
            .writeString(signature)
            .toBytes();
    String base64 = Base64.getMimeEncoder(70, new byte[] {'\n'}).encodeToString(bytes);
    Path file = directory.resolve("judged.sig");
    Files.writeString(
        file, "-----BEGIN SSH SIGNATURE-----\n" + base64 + "\n-----END SSH SIGNATURE-----\n");
    Path signers = directory.resolve("allowed_signers");
    Files.writeString(signers, "somebody " + key.plain().toLine() + "\n");
    return TestKeys.run(
        message.getBytes(StandardCharsets.UTF_8),
        "ssh-keygen",
        "-Y",
        "verify",
        "-f",
        signers,
        "-I",
        "somebody",
        "-n",
        "adit",
        "-s",
        file);
  }
}
