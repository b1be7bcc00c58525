package dev.adit.ssh.crypto;

import org.bouncycastle.pqc.crypto.ntruprime.SNTRUPrimeKEMExtractor;
import org.bouncycastle.pqc.crypto.ntruprime.SNTRUPrimeKEMGenerator;
import org.bouncycastle.pqc.crypto.ntruprime.SNTRUPrimeKeyGenerationParameters;
import org.bouncycastle.pqc.crypto.ntruprime.SNTRUPrimeKeyPairGenerator;
import org.bouncycastle.pqc.crypto.ntruprime.SNTRUPrimeParameters;
import org.bouncycastle.pqc.crypto.ntruprime.SNTRUPrimePrivateKeyParameters;
import org.bouncycastle.pqc.crypto.ntruprime.SNTRUPrimePublicKeyParameters;

/** Streamlined NTRU Prime 761, Bouncy Castle's. */
final class Sntrup761 implements Hybrid.Kem {
  static final Sntrup761 INSTANCE = new Sntrup761();

  private Sntrup761() {}

  @Override
  public String name() {
    return "sntrup761";
  }

  @Override
  public int publicKeyLength() {
    return 1158;
  }

  @Override
  public int ciphertextLength() {
    return 1039;
  }

  @Override
  public Hybrid.Decapsulator generate() {
    var generator = new SNTRUPrimeKeyPairGenerator();
    generator.init(
        new SNTRUPrimeKeyGenerationParameters(Randomness.source(), SNTRUPrimeParameters.sntrup761));
    var pair = generator.generateKeyPair();
    byte[] publicKey = ((SNTRUPrimePublicKeyParameters) pair.getPublic()).getEncoded();
    var privateKey = (SNTRUPrimePrivateKeyParameters) pair.getPrivate();
    return new Hybrid.Decapsulator() {
      @Override
      public byte[] publicKey() {
        return publicKey;
      }

      @Override
      public byte[] decapsulate(byte[] ciphertext) {
        return new SNTRUPrimeKEMExtractor(privateKey).extractSecret(ciphertext);
      }
    };
  }

  @Override
  public Hybrid.Encapsulated encapsulate(byte[] publicKey) {
    var encapsulated =
        new SNTRUPrimeKEMGenerator(Randomness.source())
            .generateEncapsulated(
                new SNTRUPrimePublicKeyParameters(SNTRUPrimeParameters.sntrup761, publicKey));
    return new Hybrid.Encapsulated(encapsulated.getEncapsulation(), encapsulated.getSecret());
  }
}
