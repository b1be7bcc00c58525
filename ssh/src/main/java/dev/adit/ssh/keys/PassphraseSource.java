package dev.adit.ssh.keys;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Where passphrases come from: a terminal, SSH_ASKPASS, or nowhere. May block. */
@FunctionalInterface
public interface PassphraseSource {
  /** Never knows one: BatchMode. */
  PassphraseSource NONE = prompt -> null;

  /**
   * Asks once.
   *
   * @return the passphrase, which the caller overwrites after use; null or empty to give up on this
   *     key
   */
  char @Nullable [] ask(String prompt) throws IOException;
}
