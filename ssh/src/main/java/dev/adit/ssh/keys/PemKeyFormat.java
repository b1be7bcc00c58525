package dev.adit.ssh.keys;

import dev.adit.ssh.crypto.NistCurve;
import dev.adit.ssh.crypto.Rsa;
import dev.adit.ssh.wire.MalformedDataException;
import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;
import javax.crypto.BadPaddingException;
import javax.crypto.Cipher;
import javax.crypto.IllegalBlockSizeException;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.EncryptedPrivateKeyInfo;
import org.bouncycastle.asn1.pkcs.PBES2Parameters;
import org.bouncycastle.asn1.pkcs.PBKDF2Params;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.pkcs.RSAPrivateKey;
import org.bouncycastle.asn1.sec.ECPrivateKey;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.crypto.Digest;
import org.bouncycastle.crypto.digests.SHA1Digest;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.digests.SHA512Digest;
import org.bouncycastle.crypto.generators.PKCS5S2ParametersGenerator;
import org.bouncycastle.crypto.generators.SCrypt;
import org.bouncycastle.crypto.params.KeyParameter;
import org.jspecify.annotations.Nullable;

/**
 * A private key as OpenSSL writes it: PKCS#1 (RFC 8017) and SEC1 (RFC 5915), perhaps encrypted the
 * old way of PEM (RFC 1421 headers), or PKCS#8 (RFC 5208, RFC 8410), perhaps encrypted with PBES2
 * (RFC 8018).
 */
final class PemKeyFormat implements KeyFormat {
  /** RFC 7914 section 7. */
  private static final ASN1ObjectIdentifier SCRYPT =
      new ASN1ObjectIdentifier("1.3.6.1.4.1.11591.4.11");

  /** RFC 8410 section 3. */
  private static final ASN1ObjectIdentifier ED25519 = new ASN1ObjectIdentifier("1.3.101.112");

  /** What is in the DER bytes, once they are decrypted. */
  private enum Content {
    PKCS1,
    SEC1,
    PKCS8,
    ENCRYPTED_PKCS8
  }

  /** The old encryption of PEM: a cipher, and an IV whose first 8 bytes are the salt, too. */
  private record DekInfo(BlockCipher cipher, byte[] iv) {}

  private enum BlockCipher {
    AES128("AES/CBC/PKCS5Padding", 16),
    AES192("AES/CBC/PKCS5Padding", 24),
    AES256("AES/CBC/PKCS5Padding", 32),
    TRIPLE_DES("DESede/CBC/PKCS5Padding", 24);

    final String transformation;
    final int keyLength;

    BlockCipher(String transformation, int keyLength) {
      this.transformation = transformation;
      this.keyLength = keyLength;
    }

    int blockLength() {
      return this == TRIPLE_DES ? 8 : 16;
    }

    byte[] decrypt(byte[] key, byte[] iv, byte[] data)
        throws MalformedDataException, WrongPassphraseException {
      try {
        String algorithm = transformation.substring(0, transformation.indexOf('/'));
        Cipher cipher = Cipher.getInstance(transformation);
        cipher.init(
            Cipher.DECRYPT_MODE, new SecretKeySpec(key, algorithm), new IvParameterSpec(iv));
        return cipher.doFinal(data);
      } catch (BadPaddingException e) {
        throw new WrongPassphraseException();
      } catch (IllegalBlockSizeException e) {
        throw new MalformedDataException(
            "the encrypted part is cut short: " + data.length + " bytes", e);
      } catch (GeneralSecurityException e) {
        throw new MalformedDataException("the encrypted part cannot be decrypted", e);
      }
    }
  }

  private final Content content;
  private final byte[] der;
  private final @Nullable DekInfo dekInfo;
  private final @Nullable PrivateKey plain;

  private PemKeyFormat(Content content, byte[] der, @Nullable DekInfo dekInfo)
      throws MalformedDataException {
    this.content = content;
    this.der = der;
    this.dekInfo = dekInfo;
    this.plain = isEncrypted() ? null : readKey(content, der);
    if (content == Content.ENCRYPTED_PKCS8) {
      decode(() -> EncryptedPrivateKeyInfo.getInstance(ASN1Primitive.fromByteArray(der)));
    }
  }

  /** Null for a label that isn't one of a private key. */
  static @Nullable PemKeyFormat parse(Pem pem) throws MalformedDataException {
    Content content =
        switch (pem.label()) {
          case "RSA PRIVATE KEY" -> Content.PKCS1;
          case "EC PRIVATE KEY" -> Content.SEC1;
          case "PRIVATE KEY" -> Content.PKCS8;
          case "ENCRYPTED PRIVATE KEY" -> Content.ENCRYPTED_PKCS8;
          default -> null;
        };
    if (content == null) {
      return null;
    }
    String dekInfo = pem.headers().get("DEK-Info");
    return new PemKeyFormat(content, pem.bytes(), dekInfo == null ? null : readDekInfo(dekInfo));
  }

  private static DekInfo readDekInfo(String header) throws MalformedDataException {
    String[] parts = header.split(",", 2);
    BlockCipher cipher =
        switch (parts[0].strip().toUpperCase(Locale.ROOT)) {
          case "AES-128-CBC" -> BlockCipher.AES128;
          case "AES-192-CBC" -> BlockCipher.AES192;
          case "AES-256-CBC" -> BlockCipher.AES256;
          case "DES-EDE3-CBC" -> BlockCipher.TRIPLE_DES;
          default ->
              throw new MalformedDataException(
                  "DEK-Info: the cipher " + parts[0] + " is not supported");
        };
    try {
      byte[] iv = HexFormat.of().parseHex(parts.length == 2 ? parts[1].strip() : "");
      if (iv.length == cipher.blockLength()) {
        return new DekInfo(cipher, iv);
      }
    } catch (IllegalArgumentException e) {
      throw new MalformedDataException("DEK-Info: the IV is not hexadecimal", e);
    }
    throw new MalformedDataException(
        "DEK-Info: the IV is not of " + cipher.blockLength() + " bytes");
  }

  @Override
  public boolean isEncrypted() {
    return dekInfo != null || content == Content.ENCRYPTED_PKCS8;
  }

  @Override
  public @Nullable SshPublicKey publicKey() {
    return plain == null ? null : plain.publicKey();
  }

  @Override
  public Opened open(byte[] passphrase) throws MalformedDataException, WrongPassphraseException {
    if (plain != null) {
      return new Opened(plain, "");
    }
    if (passphrase.length == 0) {
      throw new WrongPassphraseException();
    }
    byte[] decrypted =
        dekInfo != null ? decryptOldStyle(dekInfo, passphrase) : decryptPbes2(passphrase);
    try {
      // One wrong passphrase in some 250 gives padding that looks right, and nonsense before it.
      if (!isAsn1(decrypted)) {
        throw new WrongPassphraseException();
      }
      Content inner = content == Content.ENCRYPTED_PKCS8 ? Content.PKCS8 : content;
      return new Opened(readKey(inner, decrypted), "");
    } finally {
      Arrays.fill(decrypted, (byte) 0);
    }
  }

  /** OpenSSL's EVP_BytesToKey with MD5 and one round. */
  private byte[] decryptOldStyle(DekInfo info, byte[] passphrase)
      throws MalformedDataException, WrongPassphraseException {
    byte[] key = new byte[info.cipher.keyLength];
    try {
      MessageDigest md5 = MessageDigest.getInstance("MD5");
      byte[] digest = new byte[0];
      for (int at = 0; at < key.length; at += digest.length) {
        md5.update(digest);
        md5.update(passphrase);
        md5.update(info.iv, 0, 8);
        digest = md5.digest();
        System.arraycopy(digest, 0, key, at, Math.min(digest.length, key.length - at));
      }
      return info.cipher.decrypt(key, info.iv, der);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("this Java runtime has no MD5", e);
    } finally {
      Arrays.fill(key, (byte) 0);
    }
  }

  private byte[] decryptPbes2(byte[] passphrase)
      throws MalformedDataException, WrongPassphraseException {
    var info = decode(() -> EncryptedPrivateKeyInfo.getInstance(ASN1Primitive.fromByteArray(der)));
    var algorithm = info.getEncryptionAlgorithm();
    if (!algorithm.getAlgorithm().equals(PKCSObjectIdentifiers.id_PBES2)) {
      throw new MalformedDataException(
          "the encryption "
              + algorithm.getAlgorithm()
              + " is not supported; openssl pkcs8 -topk8 -v2 aes256 writes the file anew");
    }
    var parameters = decode(() -> PBES2Parameters.getInstance(algorithm.getParameters()));
    var scheme = parameters.getEncryptionScheme();
    BlockCipher cipher = pbes2Cipher(scheme.getAlgorithm());
    byte[] iv = decode(() -> ASN1OctetString.getInstance(scheme.getParameters()).getOctets());
    if (iv.length != cipher.blockLength()) {
      throw new MalformedDataException("the IV has " + iv.length + " bytes");
    }
    var kdf = parameters.getKeyDerivationFunc();
    byte[] key =
        kdf.getAlgorithm().equals(SCRYPT)
            ? scrypt(passphrase, kdf.getParameters(), cipher.keyLength)
            : kdf.getAlgorithm().equals(PKCSObjectIdentifiers.id_PBKDF2)
                ? pbkdf2(passphrase, kdf.getParameters(), cipher.keyLength)
                : unsupported("key derivation", kdf.getAlgorithm());
    try {
      return cipher.decrypt(key, iv, info.getEncryptedData());
    } finally {
      Arrays.fill(key, (byte) 0);
    }
  }

  private static BlockCipher pbes2Cipher(ASN1ObjectIdentifier id) throws MalformedDataException {
    if (id.equals(NISTObjectIdentifiers.id_aes128_CBC)) {
      return BlockCipher.AES128;
    }
    if (id.equals(NISTObjectIdentifiers.id_aes192_CBC)) {
      return BlockCipher.AES192;
    }
    if (id.equals(NISTObjectIdentifiers.id_aes256_CBC)) {
      return BlockCipher.AES256;
    }
    if (id.equals(PKCSObjectIdentifiers.des_EDE3_CBC)) {
      return BlockCipher.TRIPLE_DES;
    }
    throw new MalformedDataException("the cipher " + id + " is not supported");
  }

  private static byte[] pbkdf2(byte[] passphrase, ASN1Encodable encoded, int keyLength)
      throws MalformedDataException {
    var parameters = decode(() -> PBKDF2Params.getInstance(encoded));
    BigInteger iterations = parameters.getIterationCount();
    if (iterations.signum() <= 0
        || iterations.compareTo(BigInteger.valueOf(KeyLimits.MAX_PBKDF2_ITERATIONS)) > 0) {
      throw new MalformedDataException(
          "the number of PBKDF2 iterations is %s, not 1 to %d"
              .formatted(iterations, KeyLimits.MAX_PBKDF2_ITERATIONS));
    }
    ASN1ObjectIdentifier prf = parameters.getPrf().getAlgorithm();
    Digest digest =
        prf.equals(PKCSObjectIdentifiers.id_hmacWithSHA256)
            ? SHA256Digest.newInstance()
            : prf.equals(PKCSObjectIdentifiers.id_hmacWithSHA512)
                ? new SHA512Digest()
                : prf.equals(PKCSObjectIdentifiers.id_hmacWithSHA1) ? new SHA1Digest() : null;
    if (digest == null) {
      throw new MalformedDataException("PBKDF2 with " + prf + " is not supported");
    }
    var generator = new PKCS5S2ParametersGenerator(digest);
    generator.init(passphrase, parameters.getSalt(), iterations.intValueExact());
    return ((KeyParameter) generator.generateDerivedMacParameters(8 * keyLength)).getKey();
  }

  private static byte[] scrypt(byte[] passphrase, ASN1Encodable encoded, int keyLength)
      throws MalformedDataException {
    return decode(
        () -> {
          var parameters = ASN1Sequence.getInstance(encoded);
          byte[] salt = ASN1OctetString.getInstance(parameters.getObjectAt(0)).getOctets();
          long n = ASN1Integer.getInstance(parameters.getObjectAt(1)).longValueExact();
          long r = ASN1Integer.getInstance(parameters.getObjectAt(2)).longValueExact();
          int p = ASN1Integer.getInstance(parameters.getObjectAt(3)).intValueExact();
          if (n < 2
              || r < 1
              || p < 1
              || p > KeyLimits.MAX_SCRYPT_PARALLEL
              || r > KeyLimits.MAX_SCRYPT_MEMORY / 128
              || n > KeyLimits.MAX_SCRYPT_MEMORY / 128 / r) {
            throw new MalformedDataException("scrypt with N=" + n + ", r=" + r + ", p=" + p);
          }
          return SCrypt.generate(passphrase, salt, (int) n, (int) r, p, keyLength);
        });
  }

  private static byte[] unsupported(String what, ASN1ObjectIdentifier id)
      throws MalformedDataException {
    throw new MalformedDataException("the " + what + " " + id + " is not supported");
  }

  private static PrivateKey readKey(Content content, byte[] der) throws MalformedDataException {
    return switch (content) {
      case PKCS1 ->
          readRsa(decode(() -> RSAPrivateKey.getInstance(ASN1Primitive.fromByteArray(der))));
      case SEC1 ->
          readEc(decode(() -> ECPrivateKey.getInstance(ASN1Primitive.fromByteArray(der))), null);
      case PKCS8 -> readPkcs8(der);
      case ENCRYPTED_PKCS8 -> throw new IllegalArgumentException("still encrypted");
    };
  }

  private static PrivateKey readPkcs8(byte[] der) throws MalformedDataException {
    var info = decode(() -> PrivateKeyInfo.getInstance(ASN1Primitive.fromByteArray(der)));
    ASN1ObjectIdentifier algorithm = info.getPrivateKeyAlgorithm().getAlgorithm();
    if (algorithm.equals(PKCSObjectIdentifiers.rsaEncryption)) {
      return readRsa(decode(() -> RSAPrivateKey.getInstance(info.parsePrivateKey())));
    }
    if (algorithm.equals(X9ObjectIdentifiers.id_ecPublicKey)) {
      return readEc(
          decode(() -> ECPrivateKey.getInstance(info.parsePrivateKey())),
          info.getPrivateKeyAlgorithm().getParameters());
    }
    if (algorithm.equals(ED25519)) {
      byte[] seed = decode(() -> ASN1OctetString.getInstance(info.parsePrivateKey()).getOctets());
      if (seed.length != 32) {
        throw new MalformedDataException("the Ed25519 key has " + seed.length + " bytes, not 32");
      }
      try {
        return PrivateKey.ed25519(seed);
      } finally {
        Arrays.fill(seed, (byte) 0);
      }
    }
    throw new MalformedDataException("a key of the type " + algorithm + " is not supported");
  }

  private static PrivateKey readRsa(RSAPrivateKey rsa) throws MalformedDataException {
    return PrivateKey.rsa(
        new Rsa.PrivateNumbers(
            rsa.getModulus(),
            rsa.getPublicExponent(),
            rsa.getPrivateExponent(),
            rsa.getPrime1(),
            rsa.getPrime2(),
            rsa.getCoefficient()));
  }

  private static PrivateKey readEc(ECPrivateKey ec, @Nullable ASN1Encodable outerCurve)
      throws MalformedDataException {
    Object curve = outerCurve != null ? outerCurve : decode(ec::getParametersObject);
    BigInteger d = decode(ec::getKey);
    if (X9ObjectIdentifiers.prime256v1.equals(curve)) {
      return PrivateKey.ecdsa(NistCurve.NISTP256, d);
    }
    if (SECObjectIdentifiers.secp384r1.equals(curve)) {
      return PrivateKey.ecdsa(NistCurve.NISTP384, d);
    }
    if (SECObjectIdentifiers.secp521r1.equals(curve)) {
      return PrivateKey.ecdsa(NistCurve.NISTP521, d);
    }
    throw new MalformedDataException(
        "the curve " + (curve instanceof ASN1ObjectIdentifier ? curve : "") + " is not supported");
  }

  private static boolean isAsn1(byte[] bytes) {
    try {
      return ASN1Primitive.fromByteArray(bytes) instanceof ASN1Sequence;
    } catch (IOException | RuntimeException e) {
      return false;
    }
  }

  private interface Decoding<T> {
    @Nullable T run() throws IOException;
  }

  /** Bouncy Castle reports bad structure by whatever exception comes up. */
  private static <T> T decode(Decoding<T> decoding) throws MalformedDataException {
    T value;
    try {
      value = decoding.run();
    } catch (MalformedDataException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      throw new MalformedDataException("the ASN.1 structure is broken or cut short", e);
    }
    if (value == null) {
      throw new MalformedDataException("the ASN.1 structure lacks a field");
    }
    return value;
  }
}
