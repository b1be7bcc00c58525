package dev.adit.ssh.crypto;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicReference;
import org.bouncycastle.pqc.crypto.ntruprime.SNTRUPrimeKEMExtractor;
import org.bouncycastle.pqc.crypto.ntruprime.SNTRUPrimeKEMGenerator;
import org.bouncycastle.pqc.crypto.ntruprime.SNTRUPrimeKeyGenerationParameters;
import org.bouncycastle.pqc.crypto.ntruprime.SNTRUPrimeKeyPairGenerator;
import org.bouncycastle.pqc.crypto.ntruprime.SNTRUPrimeParameters;
import org.bouncycastle.pqc.crypto.ntruprime.SNTRUPrimePrivateKeyParameters;
import org.bouncycastle.pqc.crypto.ntruprime.SNTRUPrimePublicKeyParameters;
import org.jspecify.annotations.Nullable;

/** Streamlined NTRU Prime 761, Bouncy Castle's. */
final class Sntrup761 implements Hybrid.Kem {
  static final Sntrup761 INSTANCE = new Sntrup761();

  private static final AtomicReference<@Nullable FutureTask<Hybrid.Decapsulator>> AHEAD =
      new AtomicReference<>();

  private Sntrup761() {}

  /**
   * Makes the key pair of the next {@link #generate} now: code that nobody has compiled yet takes
   * some 80 ms for it. That one takes it away, so that no key is used twice.
   */
  static void generateAhead() {
    FutureTask<Hybrid.Decapsulator> key = new FutureTask<>(Sntrup761::newKeyPair);
    if (AHEAD.compareAndSet(null, key)) {
      key.run();
    }
  }

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
    FutureTask<Hybrid.Decapsulator> ahead = AHEAD.getAndSet(null);
    if (ahead != null) {
      try {
        return ahead.get();
      } catch (InterruptedException e) {
        // Whoever interrupts gets his way at the next wait; meanwhile this is as good.
        Thread.currentThread().interrupt();
      } catch (ExecutionException e) {
        throw new IllegalStateException(e.getCause());
      }
    }
    return newKeyPair();
  }

  private static Hybrid.Decapsulator newKeyPair() {
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
