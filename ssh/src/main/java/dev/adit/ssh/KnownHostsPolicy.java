package dev.adit.ssh;

import dev.adit.ssh.keys.HostKeyVerification;
import dev.adit.ssh.keys.HostKeyVerification.Decision;
import dev.adit.ssh.keys.KnownHosts;
import dev.adit.ssh.keys.KnownHosts.Verdict;
import dev.adit.ssh.keys.KnownHostsFile;
import dev.adit.ssh.keys.SshPublicKey;
import dev.adit.ssh.wire.MalformedDataException;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Clock;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Host keys by known_hosts files. */
final class KnownHostsPolicy implements HostKeyPolicy {
  private static final Logger log = LoggerFactory.getLogger(KnownHostsPolicy.class);

  private final KnownHostsOptions.Builder o;
  private final HostKeyVerification verification;

  KnownHostsPolicy(KnownHostsOptions options) {
    o = options.b;
    verification =
        new HostKeyVerification(
            new HostKeyVerification.Settings(
                switch (o.strictness) {
                  case YES -> HostKeyVerification.Strictness.YES;
                  case ACCEPT_NEW -> HostKeyVerification.Strictness.ACCEPT_NEW;
                  case ASK -> HostKeyVerification.Strictness.ASK;
                  case OFF -> HostKeyVerification.Strictness.OFF;
                },
                o.userFiles,
                o.globalFiles,
                o.revokedHostKeys,
                o.hostKeyAlias,
                o.hashNames,
                o.picture,
                o.fingerprintHash,
                o.caSignatureAlgorithms,
                o.requiredRsaSize),
            user(o.interaction),
            Clock.systemUTC());
  }

  private static HostKeyVerification.User user(UserInteraction interaction) {
    return new HostKeyVerification.User() {
      @Override
      public @Nullable String ask(String question) {
        return interaction.ask(question);
      }

      @Override
      public void show(String text) {
        interaction.show(text);
      }

      @Override
      public void showError(String text) {
        interaction.showError(text);
      }
    };
  }

  KnownHostsOptions.Builder options() {
    return o;
  }

  @Override
  public Trust check(String host, int port, @Nullable String address, byte[] hostKey)
      throws SshException {
    return trust(decide(host, port, address, hostKey));
  }

  static Trust trust(Decision decision) {
    return switch (decision.trust()) {
      case KNOWN, CERTIFIED, NEW -> Trust.VERIFIED;
      case NONE -> Trust.UNVERIFIED;
    };
  }

  /** As {@link #check}, with the reason: UpdateHostKeys asks for it. */
  Decision decide(String host, int port, @Nullable String address, byte[] hostKey)
      throws SshException {
    boolean loopback = address != null && InetAddress.ofLiteral(address).isLoopbackAddress();
    if (o.trustsLoopback && loopback && o.hostKeyAlias == null) {
      log.debug("Forcing accepting of host key for loopback/localhost.");
      return new Decision(parsed(hostKey), HostKeyVerification.Trust.NEW, null);
    }
    Decision decision = verification.check(host, port, address, hostKey);
    if (o.picture && decision.entry() != null) {
      SshPublicKey key = decision.key();
      o.interaction.show(
          "Host key fingerprint is %s\n%s"
              .formatted(key.fingerprint(o.fingerprintHash), key.randomart(o.fingerprintHash)));
    }
    if (o.checkHostIp
        && address != null
        && !loopback
        && o.hostKeyAlias == null
        && !address.equals(host)) {
      checkAddress(host, port, address, decision);
    }
    return decision;
  }

  private SshPublicKey parsed(byte[] hostKey) throws SshException {
    try {
      return SshPublicKey.parse(hostKey, o.requiredRsaSize);
    } catch (MalformedDataException e) {
      throw new SshException.HostKeyRejected("Host key verification failed: " + e.getMessage());
    }
  }

  @Override
  public List<String> order(String host, int port, List<String> algorithms) {
    try {
      return verification.order(host, port, algorithms);
    } catch (IOException e) {
      log.debug("known_hosts can't be read: {}", e.getMessage());
      return algorithms;
    }
  }

  /** How a host stands in the files. */
  String name(String host) {
    return o.hostKeyAlias != null ? o.hostKeyAlias : host;
  }

  int port(int port) {
    return o.hostKeyAlias != null ? ConnectOptions.DEFAULT_PORT : port;
  }

  KnownHosts userFiles() throws IOException {
    return KnownHosts.read(o.userFiles);
  }

  /** Whether it was a line of the user's own files that vouched for the key. */
  boolean isFromUserFile(Decision decision) {
    var entry = decision.entry();
    return decision.trust() == HostKeyVerification.Trust.KNOWN
        && entry != null
        && o.userFiles.contains(entry.file());
  }

  /** CheckHostIP: another key under the address may mean that DNS leads astray. */
  private void checkAddress(String host, int port, String address, Decision decision)
      throws SshException {
    SshPublicKey key = decision.key();
    switch (decision.trust()) {
      case CERTIFIED, NONE -> {
        return;
      }
      case KNOWN, NEW -> {}
    }
    try {
      switch (userFiles().lookup(address, port, key)) {
        case Verdict.Changed(var known, _) ->
            addressDiffers(host, port, address, decision, known.where());
        case Verdict.Revoked(var known) ->
            addressDiffers(host, port, address, decision, known.where());
        case Verdict.Unknown _ -> {
          if (!o.userFiles.isEmpty()) {
            KnownHostsFile.add(o.userFiles.getFirst(), address, port, key, o.hashNames);
            o.interaction.show(
                ("Warning: Permanently added the %s host key for IP address '%s' to the list of"
                        + " known hosts.")
                    .formatted(key.describe(), KnownHosts.name(address, port)));
          }
        }
        case Verdict.Known _, Verdict.Certified _ -> {}
      }
    } catch (SshException e) {
      throw e;
    } catch (IOException e) {
      o.interaction.showError("Failed to check the IP address of the host: " + e.getMessage());
    }
  }

  /** In ssh's words. */
  private void addressDiffers(
      String host, int port, String address, Decision decision, String where) throws SshException {
    String ip = KnownHosts.name(address, port);
    String warning =
        """
        Warning: the %s host key for '%s' differs from the key for the IP address '%s'
        Offending key for IP in %s"""
            .formatted(decision.key().describe(), KnownHosts.name(host, port), ip, where);
    KnownHosts.Entry matching = decision.entry();
    o.interaction.showError(
        matching == null ? warning : warning + "\nMatching host key in " + matching.where());
    boolean goOn =
        switch (o.strictness) {
          case YES, ACCEPT_NEW -> {
            o.interaction.showError("Exiting, you have requested strict checking.");
            yield false;
          }
          case OFF -> true;
          case ASK ->
              Objects.requireNonNullElse(
                      o.interaction.ask("Are you sure you want to continue connecting (yes/no)? "),
                      "no")
                  .strip()
                  .equalsIgnoreCase("yes");
        };
    if (!goOn) {
      throw new SshException.HostKeyRejected(
          "Host key verification failed: the key of the IP address %s in %s is another one"
              .formatted(ip, where));
    }
  }
}
