package dev.adit.ssh;

import dev.adit.ssh.keys.Signer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Where the keys to offer come from. Immutable. */
public final class IdentitySource {

  /** Yields signers, in the order in which they are to be offered; may block. */
  @FunctionalInterface
  interface Loader {
    List<Signer> load(UserInteraction interaction) throws IOException;
  }

  private final Loader loader;

  private IdentitySource(Loader loader) {
    this.loader = loader;
  }

  List<Signer> load(UserInteraction interaction) throws IOException {
    return loader.load(interaction);
  }

  static IdentitySource of(Loader loader) {
    return new IdentitySource(loader);
  }

  /** No keys. */
  public static IdentitySource none() {
    return new IdentitySource(_ -> List.of());
  }

  /** Private key files. */
  public static IdentitySource files(List<Path> files) {
    throw new UnsupportedOperationException("not yet: " + files);
  }
}
