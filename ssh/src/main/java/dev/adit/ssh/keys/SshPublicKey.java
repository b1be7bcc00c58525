package dev.adit.ssh.keys;

import dev.adit.ssh.crypto.CryptoLimits;
import dev.adit.ssh.crypto.Ecdsa;
import dev.adit.ssh.crypto.Ed25519;
import dev.adit.ssh.crypto.Hash;
import dev.adit.ssh.crypto.NistCurve;
import dev.adit.ssh.crypto.Rsa;
import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.WireReader;
import dev.adit.ssh.wire.WireWriter;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/**
 * A public key that was found to be well-formed: RSA numbers of a sane size, points on their curve,
 * certificates with a CA signature that holds. Immutable; two are equal if their blobs are.
 */
public abstract sealed class SshPublicKey
    permits Certificate,
        SshPublicKey.Ed25519Key,
        SshPublicKey.EcdsaKey,
        SshPublicKey.RsaKey,
        SshPublicKey.SkKey {
  /** Smaller RSA keys are refused unless RequiredRSASize says otherwise. */
  public static final int DEFAULT_MIN_RSA_BITS = CryptoLimits.MIN_RSA_BITS;

  /** RequiredRSASize goes no lower than this. */
  public static final int LOWEST_MIN_RSA_BITS = 1024;

  /** Larger RSA keys would only burn the time of whoever verifies. */
  public static final int MAX_RSA_BITS = CryptoLimits.MAX_RSA_BITS;

  private final KeyType type;
  private final byte[] blob;

  SshPublicKey(KeyType type, byte[] blob) {
    this.type = type;
    this.blob = blob;
  }

  /**
   * A key or certificate from its blob (RFC 4253 section 6.6; PROTOCOL.certkeys).
   *
   * @throws MalformedDataException for anything that is not a key which we would use
   */
  public static SshPublicKey parse(byte[] blob) throws MalformedDataException {
    return parse(blob, DEFAULT_MIN_RSA_BITS);
  }

  /**
   * The same with another lower limit for RSA keys, that of the certifying key included.
   *
   * @param minRsaBits bits of the modulus, RequiredRSASize
   */
  public static SshPublicKey parse(byte[] blob, int minRsaBits) throws MalformedDataException {
    WireReader in = WireReader.over(blob);
    String name = readTypeName(in);
    var certified = KeyType.ofCertificateName(name);
    if (certified.isPresent()) {
      return Certificate.read(certified.get(), blob, in, minRsaBits);
    }
    KeyType type =
        KeyType.ofKeyName(name)
            .orElseThrow(() -> new MalformedDataException("unsupported key type " + name));
    SshPublicKey key = readFields(type, in, minRsaBits);
    in.expectEnd(name + " key");
    // One key must not have two blobs: known and revoked keys are looked up by the blob.
    if (!Arrays.equals(key.blob, blob)) {
      throw new MalformedDataException(name + " key has a number that is not in its shortest form");
    }
    return key;
  }

  /** A key with the comment that stands behind it on its line; the comment may be empty. */
  public record Commented(SshPublicKey key, String comment) {}

  /**
   * The one-line form of .pub files: type, base64, and perhaps a comment.
   *
   * @throws MalformedDataException if it isn't such a line, or not a key which we would use
   */
  public static Commented parseLine(String line) throws MalformedDataException {
    return parseLine(line, DEFAULT_MIN_RSA_BITS);
  }

  /** The same with another lower limit for RSA keys. */
  public static Commented parseLine(String line, int minRsaBits) throws MalformedDataException {
    String[] words = line.strip().split("[ \t]+", 3);
    if (words.length < 2) {
      throw new MalformedDataException("a public key line needs a type and the key in base64");
    }
    return new Commented(
        parseBase64(words[0], words[1], minRsaBits), words.length == 3 ? words[2] : "");
  }

  /** A key from the two words that it has in .pub files, known_hosts and authorized_keys. */
  static SshPublicKey parseBase64(String typeName, String base64, int minRsaBits)
      throws MalformedDataException {
    byte[] blob;
    try {
      blob = Base64.getDecoder().decode(base64);
    } catch (IllegalArgumentException e) {
      throw new MalformedDataException("the key is not base64", e);
    }
    SshPublicKey key = parse(blob, minRsaBits);
    if (!key.typeName().equals(typeName)) {
      throw new MalformedDataException(
          "the key is of type " + key.typeName() + ", not as labelled");
    }
    return key;
  }

  /** The kind of key; for a certificate, of the key that it certifies. */
  public final KeyType type() {
    return type;
  }

  /** The name in the blob: {@code ssh-rsa}, {@code ssh-ed25519-cert-v01@openssh.com}. */
  public String typeName() {
    return type.keyName();
  }

  /** The blob as it goes over the wire, copied. */
  public final byte[] blob() {
    return blob.clone();
  }

  /** Bits of the RSA modulus or of the curve. */
  public abstract int bits();

  /** This key without a certificate around it. */
  public SshPublicKey plain() {
    return this;
  }

  /** The algorithms with which this key can prove itself, best first. */
  public List<String> algorithms() {
    return type.signatureAlgorithms();
  }

  /** What ssh calls it in messages: {@code ED25519}, {@code RSA-CERT}. */
  public String describe() {
    return type.shortName();
  }

  /** The SHA256 fingerprint; of the bare key, where there is a certificate. */
  public final String fingerprint() {
    return fingerprint(FingerprintHash.SHA256);
  }

  /** The fingerprint under a certain hash. */
  public final String fingerprint(FingerprintHash hash) {
    return hash.write(hash.digest(plain().blob));
  }

  /** The fingerprint as a picture of eleven lines, without a line end behind the last. */
  public final String randomart(FingerprintHash hash) {
    return Randomart.draw(
        hash.digest(plain().blob), plain().describe() + " " + bits(), hash.name());
  }

  /** Type and key in base64, as in .pub files, without a comment. */
  public final String toLine() {
    return typeName() + " " + Base64.getEncoder().encodeToString(blob);
  }

  /**
   * Checks a signature, for security keys also that someone touched the key.
   *
   * @see #verify(String, byte[], byte[], SecurityKeyRules)
   */
  public final void verify(String algorithm, byte[] data, byte[] signature)
      throws InvalidSignatureException {
    verify(algorithm, data, signature, SecurityKeyRules.TOUCH);
  }

  /**
   * What a security key must vouch for in its signature.
   *
   * @param touchRequired that someone touched it
   * @param verificationRequired that it checked who that was, by a PIN or a finger
   */
  public record SecurityKeyRules(boolean touchRequired, boolean verificationRequired) {
    public static final SecurityKeyRules TOUCH = new SecurityKeyRules(true, false);
  }

  /**
   * Checks a signature. Returns quietly if it holds.
   *
   * @param algorithm what was agreed, one of {@link #algorithms}: for a certificate the form for
   *     certificates. A signature by another algorithm is refused, so that nobody can choose a
   *     weaker one later
   * @param signature string algorithm, string signature (RFC 4253 section 6.6)
   */
  public final void verify(String algorithm, byte[] data, byte[] signature, SecurityKeyRules rules)
      throws InvalidSignatureException {
    String wanted = KeyType.plainAlgorithm(algorithm);
    if (!algorithms().contains(algorithm)) {
      throw new InvalidSignatureException(
          "a " + typeName() + " key cannot be used with the signature algorithm " + algorithm);
    }
    boolean holds;
    try {
      WireReader in = WireReader.over(signature);
      String used = in.readName();
      if (!used.equals(wanted)) {
        throw new InvalidSignatureException(
            "the signature was made with " + used + " where " + wanted + " was agreed");
      }
      holds = plain().verifyFields(wanted, data, in, rules);
    } catch (MalformedDataException e) {
      throw new InvalidSignatureException("the signature is malformed: " + e.getMessage(), e);
    }
    if (!holds) {
      throw new InvalidSignatureException(
          "the signature does not match the " + describe() + " key " + fingerprint());
    }
  }

  /** Reads the signature behind its algorithm's name, to its end. */
  abstract boolean verifyFields(
      String algorithm, byte[] data, WireReader signature, SecurityKeyRules rules)
      throws MalformedDataException, InvalidSignatureException;

  @Override
  public final boolean equals(Object other) {
    return other instanceof SshPublicKey that && Arrays.equals(blob, that.blob);
  }

  @Override
  public final int hashCode() {
    return Arrays.hashCode(blob);
  }

  @Override
  public final String toString() {
    return describe() + " " + fingerprint();
  }

  private static String readTypeName(WireReader in) throws MalformedDataException {
    try {
      return in.readName();
    } catch (MalformedDataException e) {
      throw new MalformedDataException("key type: " + e.getMessage(), e);
    }
  }

  /** The fields behind the type's name, and in certificates behind the nonce. */
  static SshPublicKey readFields(KeyType type, WireReader in, int minRsaBits)
      throws MalformedDataException {
    try {
      return switch (type) {
        case ED25519 -> new Ed25519Key(readEd25519(in));
        case ECDSA_P256 -> readEcdsa(NistCurve.NISTP256, in);
        case ECDSA_P384 -> readEcdsa(NistCurve.NISTP384, in);
        case ECDSA_P521 -> readEcdsa(NistCurve.NISTP521, in);
        case RSA -> {
          BigInteger e = in.readMpint();
          yield rsa(in.readMpint(), e, minRsaBits);
        }
        case SK_ED25519 -> new SkKey(new Ed25519Key(readEd25519(in)), in.readUtf8());
        case SK_ECDSA_P256 -> new SkKey(readEcdsa(NistCurve.NISTP256, in), in.readUtf8());
      };
    } catch (MalformedDataException e) {
      throw new MalformedDataException(type.keyName() + " key: " + e.getMessage(), e);
    }
  }

  private static byte[] readEd25519(WireReader in) throws MalformedDataException {
    byte[] point = in.readString();
    if (point.length != Ed25519.KEY_LENGTH) {
      throw new MalformedDataException("has " + point.length + " bytes, not " + Ed25519.KEY_LENGTH);
    }
    return point;
  }

  private static EcdsaKey readEcdsa(NistCurve curve, WireReader in) throws MalformedDataException {
    String name = in.readName();
    if (!name.equals(curve.sshName())) {
      throw new MalformedDataException("names the curve " + name);
    }
    return ecdsa(curve, in.readString());
  }

  static SshPublicKey ed25519(byte[] point) {
    return new Ed25519Key(point.clone());
  }

  static EcdsaKey ecdsa(NistCurve curve, byte[] point) throws MalformedDataException {
    if (!curve.isPoint(point)) {
      throw new MalformedDataException(
          "holds no uncompressed point on the curve " + curve.sshName());
    }
    return new EcdsaKey(curve, point);
  }

  static SshPublicKey rsa(BigInteger n, BigInteger e, int minBits) throws MalformedDataException {
    if (n.signum() > 0 && (n.bitLength() < minBits || n.bitLength() > MAX_RSA_BITS)) {
      throw new MalformedDataException(
          "%d bits, and only RSA keys of %d to %d bits are used"
              .formatted(n.bitLength(), minBits, MAX_RSA_BITS));
    }
    if (!Rsa.isAcceptable(n, e, minBits)) {
      throw new MalformedDataException("modulus or exponent cannot belong to an RSA key");
    }
    return new RsaKey(n, e);
  }

  private static final class Ed25519Key extends SshPublicKey {
    private final byte[] point;

    Ed25519Key(byte[] point) {
      super(
          KeyType.ED25519,
          WireWriter.create().writeString(KeyType.ED25519.keyName()).writeString(point).toBytes());
      this.point = point;
    }

    @Override
    public int bits() {
      return 256;
    }

    @Override
    boolean verifyFields(String algorithm, byte[] data, WireReader in, SecurityKeyRules rules)
        throws MalformedDataException {
      byte[] signature = in.readString();
      in.expectEnd("the signature");
      return Ed25519.verify(point, data, signature);
    }
  }

  static final class EcdsaKey extends SshPublicKey {
    private final NistCurve curve;
    private final byte[] point;

    private EcdsaKey(NistCurve curve, byte[] point) {
      this(typeOn(curve), curve, point);
    }

    private EcdsaKey(KeyType type, NistCurve curve, byte[] point) {
      super(
          type,
          WireWriter.create()
              .writeString(type.keyName())
              .writeString(curve.sshName())
              .writeString(point)
              .toBytes());
      this.curve = curve;
      this.point = point;
    }

    private static KeyType typeOn(NistCurve curve) {
      return switch (curve) {
        case NISTP256 -> KeyType.ECDSA_P256;
        case NISTP384 -> KeyType.ECDSA_P384;
        case NISTP521 -> KeyType.ECDSA_P521;
      };
    }

    @Override
    public int bits() {
      return switch (curve) {
        case NISTP256 -> 256;
        case NISTP384 -> 384;
        case NISTP521 -> 521;
      };
    }

    @Override
    boolean verifyFields(String algorithm, byte[] data, WireReader in, SecurityKeyRules rules)
        throws MalformedDataException {
      WireReader numbers = in.readNested();
      in.expectEnd("the signature");
      var signature = new Ecdsa.RS(numbers.readMpint(), numbers.readMpint());
      numbers.expectEnd("the signature");
      return Ecdsa.verify(curve, point, data, signature);
    }
  }

  private static final class RsaKey extends SshPublicKey {
    private final BigInteger n;
    private final BigInteger e;

    RsaKey(BigInteger n, BigInteger e) {
      super(
          KeyType.RSA,
          WireWriter.create()
              .writeString(KeyType.RSA.keyName())
              .writeMpint(e)
              .writeMpint(n)
              .toBytes());
      this.n = n;
      this.e = e;
    }

    @Override
    public int bits() {
      return n.bitLength();
    }

    @Override
    boolean verifyFields(String algorithm, byte[] data, WireReader in, SecurityKeyRules rules)
        throws MalformedDataException {
      byte[] signature = in.readString();
      in.expectEnd("the signature");
      Hash hash = algorithm.equals("rsa-sha2-256") ? Hash.SHA256 : Hash.SHA512;
      // The size was judged when the key was parsed.
      return Rsa.verify(n, e, hash, data, signature, LOWEST_MIN_RSA_BITS);
    }
  }

  /** A key in a FIDO authenticator: it signs what it adds to the data (PROTOCOL.u2f). */
  private static final class SkKey extends SshPublicKey {
    private static final int TOUCHED = 1;
    private static final int VERIFIED = 4;
    private final SshPublicKey inner;
    private final String application;

    SkKey(Ed25519Key inner, String application) {
      super(
          KeyType.SK_ED25519,
          WireWriter.create()
              .writeString(KeyType.SK_ED25519.keyName())
              .writeString(inner.point)
              .writeString(application)
              .toBytes());
      this.inner = inner;
      this.application = application;
    }

    SkKey(EcdsaKey inner, String application) {
      super(
          KeyType.SK_ECDSA_P256,
          WireWriter.create()
              .writeString(KeyType.SK_ECDSA_P256.keyName())
              .writeString(inner.curve.sshName())
              .writeString(inner.point)
              .writeString(application)
              .toBytes());
      this.inner = inner;
      this.application = application;
    }

    @Override
    public int bits() {
      return inner.bits();
    }

    @Override
    boolean verifyFields(String algorithm, byte[] data, WireReader in, SecurityKeyRules rules)
        throws MalformedDataException, InvalidSignatureException {
      byte[] signature = in.readString();
      int flags = in.readByte();
      long counter = in.readUint32();
      in.expectEnd("the signature");
      if (rules.verificationRequired() && (flags & VERIFIED) == 0) {
        throw new InvalidSignatureException(
            "the security key signed without checking a PIN or finger, and that is required");
      }
      if (rules.touchRequired() && (flags & TOUCHED) == 0) {
        throw new InvalidSignatureException(
            "the security key signed without being touched, and a touch is required");
      }
      byte[] signed =
          WireWriter.create()
              .writeBytes(Hash.SHA256.of(application.getBytes(StandardCharsets.UTF_8)))
              .writeByte(flags)
              .writeUint32(counter)
              .writeBytes(Hash.SHA256.of(data))
              .toBytes();
      WireReader innerSignature =
          WireReader.over(WireWriter.create().writeString(signature).toBytes());
      return inner.verifyFields(inner.type().keyName(), signed, innerSignature, rules);
    }
  }
}
