package dev.adit.ssh;

import dev.adit.ssh.keys.Certificate;
import dev.adit.ssh.keys.FingerprintHash;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How host keys are checked and remembered. Immutable; the names and defaults are those of
 * ssh_config(5).
 */
public final class KnownHostsOptions {

  /** StrictHostKeyChecking: what happens with the key of a host that isn't known. */
  public enum Strictness {
    /** It is refused. */
    YES,
    /** It is remembered; a changed key is refused. */
    ACCEPT_NEW,
    /** The user decides; a changed key is refused. */
    ASK,
    /** It is remembered; even a changed key is accepted, with {@link HostKeyPolicy.Trust}. */
    OFF
  }

  /** UpdateHostKeys: whether keys that the server announces after login are learned. */
  public enum Update {
    NO,
    YES,
    ASK
  }

  final Builder b;

  private KnownHostsOptions(Builder b) {
    this.b = new Builder(b);
  }

  /** The user's and the system's files in their usual places. */
  public static Builder defaults() {
    Path ssh = Path.of(System.getProperty("user.home"), ".ssh");
    return files(List.of(ssh.resolve("known_hosts"), ssh.resolve("known_hosts2")))
        .globalFiles(
            List.of(Path.of("/etc/ssh/ssh_known_hosts"), Path.of("/etc/ssh/ssh_known_hosts2")));
  }

  /** UserKnownHostsFile: new keys go into the first. No global files. */
  public static Builder files(List<Path> userFiles) {
    return new Builder(userFiles);
  }

  /** Collects options; not thread-safe. */
  public static final class Builder {
    List<Path> userFiles;
    List<Path> globalFiles = List.of();
    Strictness strictness = Strictness.ASK;
    Update update = Update.NO;
    boolean hashNames;
    @Nullable String hostKeyAlias;
    boolean checkHostIp;
    boolean trustsLoopback;
    boolean picture;
    FingerprintHash fingerprintHash = FingerprintHash.SHA256;
    @Nullable Path revokedHostKeys;
    List<String> caSignatureAlgorithms = Certificate.DEFAULT_CA_ALGORITHMS;
    int requiredRsaSize = 2048;
    UserInteraction interaction = UserInteraction.NONE;

    private Builder(List<Path> userFiles) {
      this.userFiles = List.copyOf(userFiles);
    }

    private Builder(Builder from) {
      userFiles = from.userFiles;
      globalFiles = from.globalFiles;
      strictness = from.strictness;
      update = from.update;
      hashNames = from.hashNames;
      hostKeyAlias = from.hostKeyAlias;
      checkHostIp = from.checkHostIp;
      trustsLoopback = from.trustsLoopback;
      picture = from.picture;
      fingerprintHash = from.fingerprintHash;
      revokedHostKeys = from.revokedHostKeys;
      caSignatureAlgorithms = from.caSignatureAlgorithms;
      requiredRsaSize = from.requiredRsaSize;
      interaction = from.interaction;
    }

    public KnownHostsOptions build() {
      return new KnownHostsOptions(this);
    }

    /** UserKnownHostsFile. */
    public Builder userFiles(List<Path> value) {
      userFiles = List.copyOf(value);
      return this;
    }

    /** GlobalKnownHostsFile. */
    public Builder globalFiles(List<Path> value) {
      globalFiles = List.copyOf(value);
      return this;
    }

    /** StrictHostKeyChecking. */
    public Builder strictness(Strictness value) {
      strictness = value;
      return this;
    }

    /** UpdateHostKeys. Off by default: who says which file to use may not want it changed. */
    public Builder updateHostKeys(Update value) {
      update = value;
      return this;
    }

    /** HashKnownHosts. */
    public Builder hashNames(boolean value) {
      hashNames = value;
      return this;
    }

    /** HostKeyAlias: the name that stands in the files instead of the host's. */
    public Builder hostKeyAlias(@Nullable String value) {
      hostKeyAlias = value;
      return this;
    }

    /** CheckHostIP: whether the address must have the same key as the name. */
    public Builder checkHostIp(boolean value) {
      checkHostIp = value;
      return this;
    }

    /**
     * NoHostAuthenticationForLocalhost: a server on this machine may have any key, as when
     * forwardings lead to several machines by ports of this one.
     */
    public Builder noHostAuthenticationForLocalhost(boolean value) {
      trustsLoopback = value;
      return this;
    }

    /** VisualHostKey. */
    public Builder visualHostKey(boolean value) {
      picture = value;
      return this;
    }

    /**
     * FingerprintHash.
     *
     * @param value {@code sha256} or {@code md5}
     * @throws IllegalArgumentException for others
     */
    public Builder fingerprintHash(String value) {
      fingerprintHash = FingerprintHash.valueOf(value.toUpperCase(java.util.Locale.ROOT));
      return this;
    }

    /** RevokedHostKeys. */
    public Builder revokedHostKeys(@Nullable Path value) {
      revokedHostKeys = value;
      return this;
    }

    /** CASignatureAlgorithms. */
    public Builder caSignatureAlgorithms(List<String> value) {
      caSignatureAlgorithms = List.copyOf(value);
      return this;
    }

    /** RequiredRSASize, in bits. */
    public Builder requiredRsaSize(int bits) {
      requiredRsaSize = bits;
      return this;
    }

    /** Whom to ask about new keys, and to warn. */
    public Builder interaction(UserInteraction value) {
      interaction = value;
      return this;
    }
  }
}
