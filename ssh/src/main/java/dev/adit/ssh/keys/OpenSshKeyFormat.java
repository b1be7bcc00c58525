package dev.adit.ssh.keys;

import dev.adit.ssh.crypto.BcryptPbkdf;
import dev.adit.ssh.crypto.Ed25519;
import dev.adit.ssh.crypto.NistCurve;
import dev.adit.ssh.crypto.Rsa;
import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.WireReader;
import dev.adit.ssh.wire.WireWriter;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.spec.AlgorithmParameterSpec;
import java.util.Arrays;
import java.util.Base64;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * A private key in OpenSSH's own format (PROTOCOL.key, "openssh-key-v1"): the public key in clear,
 * and a part that may be encrypted with a key that bcrypt makes of a passphrase.
 */
final class OpenSshKeyFormat implements KeyFormat {
  static final String LABEL = "OPENSSH PRIVATE KEY";

  private static final byte[] MAGIC = "openssh-key-v1\0".getBytes(StandardCharsets.US_ASCII);

  /** What the private part is a multiple of where nothing encrypts it. */
  private static final int PLAIN_BLOCK = 8;

  private static final int AES_BLOCK = 16;
  private static final int GCM_NONCE = 12;
  private static final int GCM_TAG = 16;

  private enum Mode {
    CTR("AES/CTR/NoPadding", AES_BLOCK),
    CBC("AES/CBC/NoPadding", AES_BLOCK),
    GCM("AES/GCM/NoPadding", GCM_NONCE);

    final String transformation;
    final int ivLength;

    Mode(String transformation, int ivLength) {
      this.transformation = transformation;
      this.ivLength = ivLength;
    }
  }

  private record Encryption(Mode mode, int keyLength) {}

  private final SshPublicKey publicKey;
  private final @Nullable Encryption encryption;
  private final byte[] salt;
  private final int rounds;

  /** With the tag behind it, where there is one. */
  private final byte[] privatePart;

  private OpenSshKeyFormat(
      SshPublicKey publicKey,
      @Nullable Encryption encryption,
      byte[] salt,
      int rounds,
      byte[] privatePart) {
    this.publicKey = publicKey;
    this.encryption = encryption;
    this.salt = salt;
    this.rounds = rounds;
    this.privatePart = privatePart;
  }

  /** Reads all that can be read without a passphrase. */
  static OpenSshKeyFormat parse(byte[] bytes) throws MalformedDataException {
    WireReader in = WireReader.over(bytes);
    String field = "the format's name";
    try {
      if (!Arrays.equals(in.readBytes(MAGIC.length), MAGIC)) {
        throw new MalformedDataException("is not openssh-key-v1");
      }
      field = "the cipher's name";
      Encryption encryption = encryption(in.readName());
      field = "the key derivation";
      String kdf = in.readName();
      WireReader options = in.readNested();
      byte[] salt = new byte[0];
      int rounds = 0;
      if (kdf.equals("bcrypt") && encryption != null) {
        salt = options.readString();
        rounds = options.readUint32AtMost(KeyLimits.MAX_FILE_ROUNDS, "the number of bcrypt rounds");
        if (salt.length == 0 || rounds == 0) {
          throw new MalformedDataException("has no salt or no rounds");
        }
      } else if (!kdf.equals("none") || encryption != null) {
        throw new MalformedDataException("does not fit the cipher: " + kdf);
      }
      options.expectEnd("it");
      field = "the number of keys";
      long count = in.readUint32();
      if (count != 1) {
        throw new MalformedDataException("is " + count + ", not 1");
      }
      field = "the public key";
      var publicKey = SshPublicKey.parse(in.readString(), SshPublicKey.LOWEST_MIN_RSA_BITS);
      field = "the private part";
      byte[] privatePart = in.readString();
      int block = encryption == null ? PLAIN_BLOCK : AES_BLOCK;
      if (privatePart.length == 0 || privatePart.length % block != 0) {
        throw new MalformedDataException("has " + privatePart.length + " bytes");
      }
      if (encryption != null && encryption.mode == Mode.GCM) {
        field = "the authentication tag";
        byte[] tag = in.readBytes(GCM_TAG);
        privatePart = concat(privatePart, tag);
      }
      in.expectEnd("the file");
      return new OpenSshKeyFormat(publicKey, encryption, salt, rounds, privatePart);
    } catch (MalformedDataException e) {
      throw new MalformedDataException(field + ": " + e.getMessage(), e);
    }
  }

  /** The file of an Ed25519 key that nothing encrypts. */
  static String write(byte[] seed, String comment) {
    SshPublicKey publicKey = SshPublicKey.ed25519(Ed25519.publicKey(seed));
    int check = new SecureRandom().nextInt();
    WireWriter secret =
        WireWriter.create()
            .writeUint32(check)
            .writeUint32(check)
            .writeString(publicKey.typeName())
            .writeString(Ed25519.publicKey(seed))
            .writeString(concat(seed, Ed25519.publicKey(seed)))
            .writeString(comment);
    for (int i = 1; secret.toBytes().length % PLAIN_BLOCK != 0; i++) {
      secret.writeByte(i);
    }
    byte[] all =
        WireWriter.create()
            .writeBytes(MAGIC)
            .writeString("none")
            .writeString("none")
            .writeString("")
            .writeUint32(1)
            .writeString(publicKey.blob())
            .writeString(secret.toBytes())
            .toBytes();
    return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
        .formatted(LABEL, Base64.getMimeEncoder(70, new byte[] {'\n'}).encodeToString(all), LABEL);
  }

  private static @Nullable Encryption encryption(String cipher) throws MalformedDataException {
    return switch (cipher) {
      case "none" -> null;
      case "aes128-ctr" -> new Encryption(Mode.CTR, 16);
      case "aes192-ctr" -> new Encryption(Mode.CTR, 24);
      case "aes256-ctr" -> new Encryption(Mode.CTR, 32);
      case "aes128-cbc" -> new Encryption(Mode.CBC, 16);
      case "aes192-cbc" -> new Encryption(Mode.CBC, 24);
      case "aes256-cbc" -> new Encryption(Mode.CBC, 32);
      case "aes128-gcm@openssh.com" -> new Encryption(Mode.GCM, 16);
      case "aes256-gcm@openssh.com" -> new Encryption(Mode.GCM, 32);
      default ->
          throw new MalformedDataException(
              cipher + " is not supported; ssh-keygen -p -Z aes256-ctr writes the file anew");
    };
  }

  @Override
  public SshPublicKey publicKey() {
    return publicKey;
  }

  @Override
  public boolean isEncrypted() {
    return encryption != null;
  }

  @Override
  public Opened open(byte[] passphrase) throws MalformedDataException, WrongPassphraseException {
    byte[] plain = decrypt(passphrase);
    try {
      return readPrivate(WireReader.over(plain));
    } finally {
      Arrays.fill(plain, (byte) 0);
    }
  }

  private byte[] decrypt(byte[] passphrase)
      throws MalformedDataException, WrongPassphraseException {
    if (encryption == null) {
      return privatePart.clone();
    }
    if (passphrase.length == 0) {
      throw new WrongPassphraseException();
    }
    int keyLength = encryption.keyLength;
    byte[] derived =
        BcryptPbkdf.derive(passphrase, salt, rounds, keyLength + encryption.mode.ivLength);
    try {
      Cipher cipher = Cipher.getInstance(encryption.mode.transformation);
      cipher.init(
          Cipher.DECRYPT_MODE,
          new SecretKeySpec(derived, 0, keyLength, "AES"),
          parameters(encryption, derived));
      return cipher.doFinal(privatePart);
    } catch (AEADBadTagException e) {
      throw new WrongPassphraseException();
    } catch (GeneralSecurityException e) {
      throw new MalformedDataException("the private part cannot be decrypted", e);
    } finally {
      Arrays.fill(derived, (byte) 0);
    }
  }

  private static AlgorithmParameterSpec parameters(Encryption encryption, byte[] derived) {
    int from = encryption.keyLength;
    int length = encryption.mode.ivLength;
    return encryption.mode == Mode.GCM
        ? new GCMParameterSpec(8 * GCM_TAG, derived, from, length)
        : new IvParameterSpec(derived, from, length);
  }

  private Opened readPrivate(WireReader in)
      throws MalformedDataException, WrongPassphraseException {
    String field = "the check numbers";
    try {
      long check = in.readUint32();
      if (in.readUint32() != check) {
        if (encryption != null) {
          throw new WrongPassphraseException();
        }
        throw new MalformedDataException("are not equal");
      }
      field = "the private key";
      PrivateKey key = readKey(in);
      if (!key.publicKey().equals(publicKey.plain())) {
        throw new MalformedDataException("does not belong to the public key in the same file");
      }
      field = "the comment";
      String comment = in.readText();
      field = "the padding";
      for (int expected = 1; in.remaining() > 0; expected++) {
        if (in.readByte() != (expected & 0xff)) {
          throw new MalformedDataException("is not 1, 2, 3...");
        }
      }
      return new Opened(key, comment);
    } catch (MalformedDataException e) {
      throw new MalformedDataException(field + ": " + e.getMessage(), e);
    }
  }

  private static PrivateKey readKey(WireReader in) throws MalformedDataException {
    String name = in.readName();
    KeyType type =
        KeyType.ofKeyName(name)
            .orElseThrow(() -> new MalformedDataException("is of the unsupported type " + name));
    return switch (type) {
      case ED25519 -> {
        byte[] point = in.readString();
        byte[] both = in.readString();
        if (both.length != 2 * Ed25519.KEY_LENGTH) {
          throw new MalformedDataException("has " + both.length + " bytes");
        }
        byte[] seed = Arrays.copyOf(both, Ed25519.KEY_LENGTH);
        boolean fits = Arrays.equals(point, 0, point.length, both, Ed25519.KEY_LENGTH, both.length);
        Arrays.fill(both, (byte) 0);
        PrivateKey key = PrivateKey.ed25519(seed);
        Arrays.fill(seed, (byte) 0);
        if (!fits) {
          throw new MalformedDataException("has two public halves that differ");
        }
        yield key;
      }
      case ECDSA_P256 -> readEcdsa(NistCurve.NISTP256, in);
      case ECDSA_P384 -> readEcdsa(NistCurve.NISTP384, in);
      case ECDSA_P521 -> readEcdsa(NistCurve.NISTP521, in);
      case RSA -> {
        BigInteger n = in.readMpint();
        BigInteger e = in.readMpint();
        BigInteger d = in.readMpint();
        BigInteger qInv = in.readMpint();
        BigInteger p = in.readMpint();
        BigInteger q = in.readMpint();
        yield PrivateKey.rsa(new Rsa.PrivateNumbers(n, e, d, p, q, qInv));
      }
      case SK_ED25519, SK_ECDSA_P256 ->
          throw new MalformedDataException(
              "lives in a security key, which adit reaches only through ssh-agent (ssh-add)");
    };
  }

  private static PrivateKey readEcdsa(NistCurve curve, WireReader in)
      throws MalformedDataException {
    String name = in.readName();
    if (!name.equals(curve.sshName())) {
      throw new MalformedDataException("names the curve " + name);
    }
    // The point follows from the number; that it is the public key's is checked at the end.
    in.readString();
    return PrivateKey.ecdsa(curve, in.readMpint());
  }

  private static byte[] concat(byte[] a, byte[] b) {
    byte[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }
}
