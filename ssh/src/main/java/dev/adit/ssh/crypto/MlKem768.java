package dev.adit.ssh.crypto;

import org.bouncycastle.crypto.generators.MLKEMKeyPairGenerator;
import org.bouncycastle.crypto.kems.MLKEMExtractor;
import org.bouncycastle.crypto.kems.MLKEMGenerator;
import org.bouncycastle.crypto.params.MLKEMKeyGenerationParameters;
import org.bouncycastle.crypto.params.MLKEMParameters;
import org.bouncycastle.crypto.params.MLKEMPrivateKeyParameters;
import org.bouncycastle.crypto.params.MLKEMPublicKeyParameters;

/**
 * ML-KEM-768 (FIPS 203), Bouncy Castle's: as fast as the JDK's, and its first use costs a new
 * process some 10 ms, where JCA's and the JDK's cost 25.
 */
final class MlKem768 implements Hybrid.Kem {
  static final MlKem768 INSTANCE = new MlKem768();

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
    var generator = new MLKEMKeyPairGenerator();
    generator.init(
        new MLKEMKeyGenerationParameters(Randomness.source(), MLKEMParameters.ml_kem_768));
    var pair = generator.generateKeyPair();
    byte[] publicKey = ((MLKEMPublicKeyParameters) pair.getPublic()).getEncoded();
    var privateKey = (MLKEMPrivateKeyParameters) pair.getPrivate();
    return new Hybrid.Decapsulator() {
      @Override
      public byte[] publicKey() {
        return publicKey;
      }

      @Override
      public byte[] decapsulate(byte[] ciphertext) {
        return new MLKEMExtractor(privateKey).extractSecret(ciphertext);
      }
    };
  }

  @Override
  public Hybrid.Encapsulated encapsulate(byte[] publicKey) throws InvalidKeyExchangeException {
    MLKEMPublicKeyParameters key;
    try {
      // Checks the modulus, as FIPS 203 section 7.2 asks for.
      key = new MLKEMPublicKeyParameters(MLKEMParameters.ml_kem_768, publicKey);
    } catch (IllegalArgumentException e) {
      throw new InvalidKeyExchangeException("the ML-KEM-768 public key cannot be used");
    }
    var encapsulated = new MLKEMGenerator(Randomness.source()).generateEncapsulated(key);
    return new Hybrid.Encapsulated(encapsulated.getEncapsulation(), encapsulated.getSecret());
  }
}
