package dev.adit.ssh.crypto;

import java.security.GeneralSecurityException;
import java.security.Provider;
import java.security.Security;

/**
 * The JDK's own providers, each asked for by name, so that what an embedding program has registered
 * before them changes nothing here.
 */
final class Jdk {
  static final Provider SUN = provider("SUN");

  private Jdk() {}

  static Provider provider(String name) {
    Provider provider = Security.getProvider(name);
    if (provider == null) {
      throw new IllegalStateException(
          "this Java runtime has no " + name + " security provider; use a complete JDK 25");
    }
    return provider;
  }

  static IllegalStateException missing(String algorithm, GeneralSecurityException cause) {
    return new IllegalStateException("this Java runtime has no " + algorithm, cause);
  }
}
