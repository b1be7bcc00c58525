package dev.adit.ssh;

import dev.adit.ssh.auth.KeyRing;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Where the keys to offer come from: files and the agent, in the order in which ssh offers them.
 * Certificates of CertificateFile come first, then the keys of the agent that are also named as
 * files, then the agent's others, then the files that the agent doesn't have; each file's
 * certificate goes before the file. Immutable.
 */
public final class IdentitySource {

  /** AddKeysToAgent: what happens to a key of a file once it was used. */
  public enum AddToAgent {
    NO,
    YES,
    /** The user is asked, with {@link UserInteraction#ask}. */
    ASK,
    /** It is added, and the agent asks its user at each use. */
    CONFIRM
  }

  /**
   * @param explicit whether the user named it in so many words, and is told when it isn't there
   */
  record File(Path path, boolean explicit) {}

  final Builder b;

  private IdentitySource(Builder b) {
    this.b = new Builder(b);
  }

  KeyRing open(UserInteraction interaction, int passphrasePrompts) {
    return new Identities(b, interaction, passphrasePrompts);
  }

  /** No keys. */
  public static IdentitySource none() {
    return new Builder().build();
  }

  /** Private key files; no agent. */
  public static IdentitySource files(List<Path> files) {
    var builder = new Builder();
    files.forEach(builder::explicitFile);
    return builder.build();
  }

  /** The default files and the agent of SSH_AUTH_SOCK. */
  public static IdentitySource defaults() {
    return builder().files(defaultFiles()).agent(null, System.getenv()).build();
  }

  /** No files and no agent, yet. */
  public static Builder builder() {
    return new Builder();
  }

  /** The files that ssh tries where no IdentityFile is set, in its order. */
  public static List<Path> defaultFiles() {
    Path ssh = Path.of(System.getProperty("user.home"), ".ssh");
    return Stream.of("id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk")
        .map(ssh::resolve)
        .toList();
  }

  /** Collects options; not thread-safe. */
  public static final class Builder {
    List<File> files = new ArrayList<>();
    List<Path> certificates = List.of();
    boolean identitiesOnly;
    Optional<Path> agent = Optional.empty();
    AddToAgent addToAgent = AddToAgent.NO;
    Duration agentLifetime = Duration.ZERO;

    private Builder() {}

    private Builder(Builder from) {
      files = List.copyOf(from.files);
      certificates = from.certificates;
      identitiesOnly = from.identitiesOnly;
      agent = from.agent;
      addToAgent = from.addToAgent;
      agentLifetime = from.agentLifetime;
    }

    public IdentitySource build() {
      return new IdentitySource(this);
    }

    /** IdentityFile: private keys, or public keys of which the agent has the private half. */
    public Builder files(List<Path> value) {
      value.forEach(path -> files.add(new File(path, false)));
      return this;
    }

    /** One more file; the user is warned if it is missing, as with {@code ssh -i}. */
    public Builder explicitFile(Path value) {
      files.add(new File(value, true));
      return this;
    }

    /** CertificateFile. */
    public Builder certificates(List<Path> value) {
      certificates = List.copyOf(value);
      return this;
    }

    /** IdentitiesOnly: of the agent's keys only those that are named as files or certificates. */
    public Builder identitiesOnly(boolean value) {
      identitiesOnly = value;
      return this;
    }

    /**
     * IdentityAgent.
     *
     * @param value a path, {@code SSH_AUTH_SOCK}, {@code $VARIABLE} or {@code none}; null for the
     *     default, which is {@code SSH_AUTH_SOCK}
     */
    public Builder agent(@Nullable String value, Map<String, String> environment) {
      agent = dev.adit.ssh.keys.Agent.locate(value, environment);
      return this;
    }

    /**
     * AddKeysToAgent.
     *
     * @param lifetime after which the agent forgets the key; zero for never
     */
    public Builder addKeysToAgent(AddToAgent value, Duration lifetime) {
      addToAgent = value;
      agentLifetime = lifetime;
      return this;
    }
  }
}
