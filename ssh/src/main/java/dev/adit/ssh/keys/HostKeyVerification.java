package dev.adit.ssh.keys;

import dev.adit.ssh.SshException.HostKeyRejected;
import dev.adit.ssh.keys.KnownHosts.Verdict;
import dev.adit.ssh.wire.MalformedDataException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether a host key is the right one: by known_hosts, certificates, and what the user
 * answers. Blocks while it asks and while it reads and writes files. Safe on any thread.
 */
public final class HostKeyVerification {

  /** StrictHostKeyChecking. */
  public enum Strictness {
    /** Only keys that are known. */
    YES("yes"),
    /** New hosts are added without asking; a changed key is refused. */
    ACCEPT_NEW("accept-new"),
    /** New hosts are added if the user says so; a changed key is refused. */
    ASK("ask"),
    /** Everything is accepted, a changed key with a warning and {@link Trust#NONE}. */
    OFF("off");

    private final String word;

    Strictness(String word) {
      this.word = word;
    }

    /** By the word in ssh_config; empty for others. */
    public static Optional<Strictness> of(String word) {
      String lower = word.toLowerCase(Locale.ROOT);
      return switch (lower) {
        case "no" -> Optional.of(OFF);
        case "true" -> Optional.of(YES);
        case "false" -> Optional.of(OFF);
        default -> List.of(values()).stream().filter(s -> s.word.equals(lower)).findAny();
      };
    }
  }

  /** The person at the terminal. */
  public interface User {
    /** Nobody: questions get no answer (BatchMode), and texts are not seen. */
    User NOBODY =
        new User() {
          @Override
          public @Nullable String ask(String question) {
            return null;
          }

          @Override
          public void show(String text) {}
        };

    /**
     * Asks a question, which may have several lines.
     *
     * @return the answer, or null for none: end of input, BatchMode
     */
    @Nullable String ask(String question) throws IOException;

    /** Shows a text, which may have several lines; without a line end behind the last. */
    void show(String text);

    /** The same for what is wrong. */
    default void showError(String text) {
      show(text);
    }
  }

  /** Why a key was taken. */
  public enum Trust {
    /** It stands in known_hosts. */
    KNOWN,
    /** A trusted authority certified it for this host. */
    CERTIFIED,
    /** The host is new, and the user or the configuration agreed. */
    NEW,
    /**
     * Nothing speaks for it; only StrictHostKeyChecking=no let it pass. Passwords,
     * keyboard-interactive answers, the agent and forwardings must be kept from this server.
     */
    NONE
  }

  /**
   * A key that was taken.
   *
   * @param entry the line that vouches for it; null where there is none
   */
  public record Decision(SshPublicKey key, Trust trust, KnownHosts.@Nullable Entry entry) {}

  /**
   * The keywords of ssh_config that matter here.
   *
   * @param strictness StrictHostKeyChecking
   * @param userFiles UserKnownHostsFile; new keys go into the first
   * @param globalFiles GlobalKnownHostsFile
   * @param revokedHostKeys RevokedHostKeys; null for none
   * @param hostKeyAlias HostKeyAlias; null for none
   * @param hashNames HashKnownHosts
   * @param picture VisualHostKey
   * @param fingerprintHash FingerprintHash
   * @param caAlgorithms CASignatureAlgorithms
   * @param minRsaBits RequiredRSASize
   */
  public record Settings(
      Strictness strictness,
      List<Path> userFiles,
      List<Path> globalFiles,
      @Nullable Path revokedHostKeys,
      @Nullable String hostKeyAlias,
      boolean hashNames,
      boolean picture,
      FingerprintHash fingerprintHash,
      List<String> caAlgorithms,
      int minRsaBits) {

    /** OpenSSH's defaults, with these files. */
    public static Settings of(Strictness strictness, List<Path> userFiles, List<Path> globalFiles) {
      return new Settings(
          strictness,
          userFiles,
          globalFiles,
          null,
          null,
          false,
          false,
          FingerprintHash.SHA256,
          Certificate.DEFAULT_CA_ALGORITHMS,
          SshPublicKey.DEFAULT_MIN_RSA_BITS);
    }
  }

  /** So often an answer that is neither yes nor no nor the fingerprint is asked for again. */
  private static final int MAX_ANSWERS = 20;

  private static final String FAILED = "Host key verification failed: ";

  private final Settings settings;
  private final User user;
  private final Clock clock;

  public HostKeyVerification(Settings settings, User user, Clock clock) {
    this.settings = settings;
    this.user = user;
    this.clock = clock;
  }

  /**
   * Returns if the key is to be taken. The server must have proven that it holds it.
   *
   * @param host as the user named it
   * @param address the IP address that was dialled; null if a proxy did that
   * @param blob the host key or certificate
   * @throws HostKeyRejected if it must not be taken, and also whatever goes wrong on the way:
   *     broken keys, unreadable files, a user interface that throws
   */
  public Decision check(String host, int port, @Nullable String address, byte[] blob)
      throws HostKeyRejected {
    try {
      return new Check(host, port, address).decide(SshPublicKey.parse(blob, settings.minRsaBits));
    } catch (HostKeyRejected e) {
      throw e;
    } catch (MalformedDataException e) {
      throw rejected("the server's host key is refused: " + e.getMessage(), e);
    } catch (Throwable e) {
      // Nothing that happens here may end in a key that is taken (CVE-2025-26465).
      throw rejected(e.getMessage() == null ? e.toString() : e.getMessage(), e);
    }
  }

  /** The host key algorithms with those first whose keys are known for the host. */
  public List<String> order(String host, int port, List<String> algorithms) throws IOException {
    return knownHosts().preferKnown(name(host), port(port), algorithms);
  }

  private static HostKeyRejected rejected(String why, Throwable cause) {
    HostKeyRejected rejected = new HostKeyRejected(FAILED + why);
    rejected.addSuppressed(cause);
    return rejected;
  }

  private String name(String host) {
    return settings.hostKeyAlias != null ? settings.hostKeyAlias : host;
  }

  private int port(int port) {
    return settings.hostKeyAlias != null ? KnownHosts.DEFAULT_PORT : port;
  }

  private KnownHosts knownHosts() throws IOException {
    List<Path> files = new ArrayList<>(settings.userFiles);
    files.addAll(settings.globalFiles);
    return KnownHosts.read(files);
  }

  /** One host's key under examination. */
  private final class Check {
    private final String host;
    private final int port;

    /** The host as it stands in known_hosts. */
    private final String name;

    private final String shownAddress;

    Check(String host, int port, @Nullable String address) {
      this.host = name(host);
      this.port = port(port);
      this.name = KnownHosts.name(this.host, this.port);
      this.shownAddress =
          address == null ? "<no hostip for proxy command>" : KnownHosts.name(address, port);
    }

    Decision decide(SshPublicKey key) throws IOException {
      if (settings.revokedHostKeys != null
          && RevokedKeys.read(settings.revokedHostKeys).contains(key)) {
        throw new HostKeyRejected(
            FAILED + HostKeyMessages.revokedByFile(key, settings.revokedHostKeys));
      }
      KnownHosts known = knownHosts();
      known.problems().forEach(problem -> user.showError(problem.toString()));
      return decide(key, known);
    }

    private Decision decide(SshPublicKey key, KnownHosts known) throws IOException {
      Verdict verdict = known.lookup(host, port, key);
      if (verdict instanceof Verdict.Unknown && port != KnownHosts.DEFAULT_PORT) {
        // A line without a port vouches for the host on every port, as long as it agrees.
        switch (known.lookup(host, KnownHosts.DEFAULT_PORT, key)) {
          case Verdict.Known agreeing -> verdict = agreeing;
          case Verdict.Certified agreeing -> verdict = agreeing;
          case Verdict.Revoked revoked -> verdict = revoked;
          case Verdict.Changed _, Verdict.Unknown _ -> {}
        }
      }
      return switch (verdict) {
        case Verdict.Known(var entry) -> new Decision(key.plain(), Trust.KNOWN, entry);
        case Verdict.Certified(var entry) -> certified((Certificate) key, entry, known);
        case Verdict.Unknown(var otherNames) -> unknown(key.plain(), otherNames);
        case Verdict.Changed(var entry, _) -> changed(key.plain(), entry);
        case Verdict.Revoked(var entry) -> revoked(key, entry);
      };
    }

    private Decision certified(Certificate certificate, KnownHosts.Entry entry, KnownHosts known)
        throws IOException {
      try {
        certificate.checkHost(
            host.toLowerCase(Locale.ROOT), clock.instant(), settings.caAlgorithms);
        return new Decision(certificate, Trust.CERTIFIED, entry);
      } catch (InvalidCertificateException e) {
        // The key in it may still be known by itself.
        user.showError(String.valueOf(e.getMessage()));
        return decide(certificate.plain(), known);
      }
    }

    private Decision unknown(SshPublicKey key, List<KnownHosts.Entry> otherNames)
        throws IOException {
      switch (settings.strictness) {
        case YES -> throw new HostKeyRejected(FAILED + HostKeyMessages.unknownStrict(name, key));
        case ASK -> {
          if (!userAgrees(key, otherNames)) {
            throw new HostKeyRejected(
                FAILED + "the %s key of %s is not known".formatted(key.describe(), name));
          }
        }
        case ACCEPT_NEW, OFF -> {}
      }
      remember(key);
      return new Decision(key, Trust.NEW, null);
    }

    private boolean userAgrees(SshPublicKey key, List<KnownHosts.Entry> otherNames)
        throws IOException {
      String question =
          HostKeyMessages.firstContact(
              name, shownAddress, key, otherNames, settings.fingerprintHash, settings.picture);
      for (int i = 0; i < MAX_ANSWERS; i++) {
        String answer = user.ask(question);
        if (answer == null) {
          return false;
        }
        String word = answer.strip();
        if (word.isEmpty() || word.equalsIgnoreCase("no")) {
          return false;
        }
        if (word.equalsIgnoreCase("yes")
            || word.equals(key.fingerprint(settings.fingerprintHash))) {
          return true;
        }
        question = HostKeyMessages.ANSWER_AGAIN;
      }
      return false;
    }

    private void remember(SshPublicKey key) {
      if (settings.userFiles.isEmpty()) {
        return;
      }
      Path file = settings.userFiles.getFirst();
      try {
        KnownHostsFile.add(file, host, port, key, settings.hashNames);
        user.show(HostKeyMessages.added(name, key));
      } catch (IOException e) {
        user.showError(HostKeyMessages.notAdded(file, String.valueOf(e.getMessage())));
      }
    }

    private Decision changed(SshPublicKey key, KnownHosts.Entry entry) throws HostKeyRejected {
      Path userFile = settings.userFiles.isEmpty() ? entry.file() : settings.userFiles.getFirst();
      user.showError(HostKeyMessages.changed(name, key, entry, userFile, settings.fingerprintHash));
      if (settings.strictness != Strictness.OFF) {
        user.showError(HostKeyMessages.changedStrict(name));
        throw new HostKeyRejected(
            FAILED
                + "the %s key of %s is not the one in %s"
                    .formatted(key.describe(), name, entry.where()));
      }
      return new Decision(key, Trust.NONE, entry);
    }

    private Decision revoked(SshPublicKey key, KnownHosts.Entry entry) throws HostKeyRejected {
      user.showError(HostKeyMessages.revoked(name, key));
      if (settings.strictness != Strictness.OFF) {
        user.showError(HostKeyMessages.revokedStrict(name, key));
        throw new HostKeyRejected(
            FAILED
                + "the %s key of %s is revoked in %s"
                    .formatted(key.describe(), name, entry.where()));
      }
      return new Decision(key, Trust.NONE, entry);
    }
  }
}
