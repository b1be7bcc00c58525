package dev.adit.ssh.crypto;

import java.security.GeneralSecurityException;
import java.security.Provider;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who does the symmetric work of the packets; where that is OpenSSL, {@link Curves} and {@link
 * NativeNumbers} are its work as well. Nothing is registered with the JVM, so an embedding program's
 * own choice of providers is left alone, and its choice does not reach us.
 */
public enum CryptoProvider {
  /** The system's OpenSSL: native code that works in place on the packets. */
  OPENSSL("OpenSSL"),
  /** Amazon Corretto Crypto Provider: AWS-LC's native code, at full speed from the first packet. */
  ACCP("AmazonCorrettoCryptoProvider"),
  /** The JDK's own, which the JIT compiler brings up to speed in a second or so. */
  JDK("SunJCE");

  /**
   * Set to a name of this enum, it forces that provider: for comparisons, or around a bad library.
   */
  public static final String PROPERTY = "dev.adit.crypto";

  private static final Logger log = LoggerFactory.getLogger(CryptoProvider.class);

  private final String description;

  CryptoProvider(String description) {
    this.description = description;
  }

  /**
   * The first that loads, unless the system property {@value #PROPERTY} names one. Loading happens
   * once, at the first call.
   */
  public static CryptoProvider fastest() {
    return Fastest.PROVIDER;
  }

  /**
   * Does now what the first connection would otherwise wait for, in the order in which it would:
   * makes one key pair for the key exchange that costs most, loads native code and the classes of
   * the usual key exchanges and host keys. Some 100 ms of work in a new process, so a program calls
   * it on a thread of its own while it resolves and connects. Harmless if called twice.
   */
  public static void prepare() {
    Sntrup761.generateAhead();
    KexAlgorithm.MLKEM768_X25519.initiate();
    byte[] seed = Randomness.bytes(Ed25519.KEY_LENGTH);
    byte[] message = Hash.SHA256.of(seed);
    Ed25519.verify(Ed25519.publicKey(seed), message, Ed25519.sign(seed, message));
    var suite = new CipherSuite(CipherAlgorithm.AES128_GCM, null);
    byte[] noMac = {};
    suite.newSealer(Randomness.bytes(16), Randomness.bytes(12), noMac).close();
    suite.newOpener(Randomness.bytes(16), Randomness.bytes(12), noMac).close();
  }

  /** Whether it can be used on this machine. */
  public boolean isAvailable() {
    return switch (this) {
      case OPENSSL -> Libcrypto.isAvailable();
      case ACCP -> Accp.PROVIDER != null;
      case JDK -> true;
    };
  }

  /** Its name and version, for a verbose log. */
  public String description() {
    if (this == OPENSSL && isAvailable()) {
      return Libcrypto.version();
    }
    Provider accp = this == ACCP ? Accp.PROVIDER : null;
    return accp != null ? accp.getName() + " " + accp.getVersionStr() : description;
  }

  Cipher cipher(String transformation) {
    Provider accp = this == ACCP ? Accp.PROVIDER : null;
    if (accp != null && accp.getService("Cipher", transformation) != null) {
      try {
        return Cipher.getInstance(transformation, accp);
      } catch (GeneralSecurityException e) {
        log.debug("{} has no {}", accp, transformation, e);
      }
    }
    try {
      return Cipher.getInstance(transformation, SunJce.PROVIDER);
    } catch (GeneralSecurityException e) {
      throw Jdk.missing(transformation, e);
    }
  }

  Mac mac(String algorithm) {
    Provider accp = this == ACCP ? Accp.PROVIDER : null;
    if (accp != null) {
      try {
        return Mac.getInstance(algorithm, accp);
      } catch (GeneralSecurityException e) {
        log.debug("{} has no {}", accp, algorithm, e);
      }
    }
    try {
      return Mac.getInstance(algorithm, SunJce.PROVIDER);
    } catch (GeneralSecurityException e) {
      throw Jdk.missing(algorithm, e);
    }
  }

  // Each holder loads its provider when it is first asked for, and not before.

  private static final class Fastest {
    static final CryptoProvider PROVIDER = choose();

    private static CryptoProvider choose() {
      String forced = System.getProperty(PROPERTY);
      for (CryptoProvider provider : values()) {
        boolean wanted = forced == null || forced.equalsIgnoreCase(provider.name());
        if (wanted && provider.isAvailable()) {
          return provider;
        }
      }
      log.warn("{}={} is not to be had here; taking the JDK", PROPERTY, forced);
      return JDK;
    }
  }

  private static final class SunJce {
    static final Provider PROVIDER = Jdk.provider("SunJCE");
  }

  private static final class Accp {
    static final @Nullable Provider PROVIDER = load();

    private static @Nullable Provider load() {
      try {
        // By name: the jar is optional, and its native code exists for some platforms only.
        Class<?> type =
            Class.forName("com.amazon.corretto.crypto.provider.AmazonCorrettoCryptoProvider");
        var provider = (Provider) type.getField("INSTANCE").get(null);
        // It loads without its library, too, and then fails at the first use.
        type.getMethod("assertHealthy").invoke(provider);
        return provider;
      } catch (ReflectiveOperationException | LinkageError | RuntimeException e) {
        log.debug("Amazon Corretto Crypto Provider is not usable here", e);
        return null;
      }
    }
  }
}
