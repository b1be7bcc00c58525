package dev.adit.ssh.crypto;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPairGenerator;
import java.security.Provider;
import java.security.PublicKey;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.HexFormat;
import javax.crypto.DecapsulateException;
import javax.crypto.KEM;

/** ML-KEM-768 (FIPS 203), the JDK's. */
final class MlKem768 implements Hybrid.Kem {
  static final MlKem768 INSTANCE = new MlKem768();

  /** What stands before the raw public key in its X.509 form: OID 2.16.840.1.101.3.4.4.2. */
  private static final byte[] X509_PREFIX =
      HexFormat.of().parseHex("308204b2300b0609608648016503040402038204a100");

  private MlKem768() {}

  @Override
  public String name() {
    return "ML-KEM-768";
  }

  @Override
  public int publicKeyLength() {
    return 1184;
  }

  @Override
  public int ciphertextLength() {
    return 1088;
  }

  @Override
  public Hybrid.Decapsulator generate() {
    try {
      var generator = KeyPairGenerator.getInstance("ML-KEM-768", Provided.SUN_JCE);
      var pair = generator.generateKeyPair();
      byte[] x509 = pair.getPublic().getEncoded();
      byte[] publicKey = Arrays.copyOfRange(x509, X509_PREFIX.length, x509.length);
      return new Hybrid.Decapsulator() {
        @Override
        public byte[] publicKey() {
          return publicKey;
        }

        @Override
        public byte[] decapsulate(byte[] ciphertext) throws InvalidKeyExchangeException {
          try {
            return KEM.getInstance("ML-KEM", Provided.SUN_JCE)
                .newDecapsulator(pair.getPrivate())
                .decapsulate(ciphertext)
                .getEncoded();
          } catch (DecapsulateException e) {
            throw new InvalidKeyExchangeException("the ML-KEM-768 ciphertext cannot be used");
          } catch (GeneralSecurityException e) {
            throw Jdk.missing(name(), e);
          }
        }
      };
    } catch (GeneralSecurityException e) {
      throw Jdk.missing(name(), e);
    }
  }

  @Override
  public Hybrid.Encapsulated encapsulate(byte[] publicKey) throws InvalidKeyExchangeException {
    try {
      byte[] x509 = Arrays.copyOf(X509_PREFIX, X509_PREFIX.length + publicKey.length);
      System.arraycopy(publicKey, 0, x509, X509_PREFIX.length, publicKey.length);
      PublicKey key =
          KeyFactory.getInstance("ML-KEM", Provided.SUN_JCE)
              .generatePublic(new X509EncodedKeySpec(x509));
      var encapsulated =
          KEM.getInstance("ML-KEM", Provided.SUN_JCE)
              .newEncapsulator(key, Randomness.source())
              .encapsulate();
      return new Hybrid.Encapsulated(encapsulated.encapsulation(), encapsulated.key().getEncoded());
    } catch (InvalidKeySpecException | java.security.InvalidKeyException e) {
      // FIPS 203 section 7.2: the coefficients must be below the modulus.
      throw new InvalidKeyExchangeException("the ML-KEM-768 public key cannot be used");
    } catch (GeneralSecurityException e) {
      throw Jdk.missing(name(), e);
    }
  }

  private static final class Provided {
    static final Provider SUN_JCE = Jdk.provider("SunJCE");
  }
}
