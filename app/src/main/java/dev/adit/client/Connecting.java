package dev.adit.client;

import dev.adit.config.AlgorithmNames.Kind;
import dev.adit.config.ClientOptions;
import dev.adit.ssh.ConnectOptions;
import dev.adit.ssh.HostKeyPolicy;
import dev.adit.ssh.IdentitySource;
import dev.adit.ssh.KnownHostsOptions;
import dev.adit.ssh.UserInteraction;
import java.net.InetAddress;
import java.net.StandardProtocolFamily;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** What the library needs to know to connect, from what the user said. */
final class Connecting {

  private Connecting() {}

  /**
   * @param interaction the person, or {@link UserInteraction#NONE} in batch mode
   */
  static ConnectOptions.Builder options(ClientOptions options, UserInteraction interaction)
      throws ClientFailure {
    ConnectOptions.Builder to =
        ConnectOptions.to(options.host())
            .port(options.port())
            .user(options.user())
            .addressFamily(
                switch (options.addressFamily()) {
                  case ANY -> null;
                  case INET -> StandardProtocolFamily.INET;
                  case INET6 -> StandardProtocolFamily.INET6;
                })
            .connectionAttempts(options.connectionAttempts())
            .tcpKeepAlive(options.tcpKeepAlive())
            .kexAlgorithms(options.algorithms(Kind.KEX))
            .ciphers(options.algorithms(Kind.CIPHER))
            .macs(options.algorithms(Kind.MAC))
            .publicKeyAlgorithms(options.algorithms(Kind.USER_KEY))
            .compression(options.compression())
            .allowNonStrictKex(options.allowNonStrictKex())
            .rekeyLimit(
                options.rekeyLimit().bytes(), Duration.ofSeconds(options.rekeyLimit().seconds()))
            .requiredRsaSize(options.requiredRsaSize())
            .serverAlive(
                Duration.ofSeconds(options.serverAliveInterval()), options.serverAliveCountMax())
            .authentications(authentications(options))
            .passwordPrompts(options.numberOfPasswordPrompts())
            .events(EventLog::tunnel)
            .handshakes(EventLog::handshake);
    if (!options.hasDefaultHostKeyAlgorithms()) {
      to.hostKeyAlgorithms(options.algorithms(Kind.HOST_KEY));
    }
    if (options.connectTimeout() != null) {
      to.connectTimeout(options.connectTimeout());
    }
    ClientOptions.IpQos qos = options.ipQos();
    // As in ssh: whoever has a terminal, or forwards only, must not wait.
    boolean interactive =
        options.sessionType() == ClientOptions.SessionType.NONE
            || SessionOptions.of(options, System.getenv()).getsTerminal();
    to.trafficClass(interactive ? qos.interactive() : qos.bulk());
    String proxyCommand = options.proxyCommand();
    if (proxyCommand != null) {
      to.proxyCommand(List.of(Shell.path(), "-c", "exec " + proxyCommand));
    }
    String bindAddress = options.bindAddress();
    if (bindAddress != null) {
      try {
        to.bindAddress(InetAddress.getByName(bindAddress));
      } catch (UnknownHostException e) {
        throw new ClientFailure("BindAddress " + bindAddress + ": not an address of this machine");
      }
    }
    return to.interaction(interaction)
        .identities(identities(options))
        .hostKeyPolicy(HostKeyPolicy.knownHosts(knownHosts(options, interaction)));
  }

  private static IdentitySource identities(ClientOptions options) {
    Path agent = options.identityAgent(System.getenv());
    ClientOptions.AddKeys add = options.addKeysToAgent();
    IdentitySource.Builder identities =
        IdentitySource.builder()
            .certificates(options.certificateFiles())
            .identitiesOnly(options.identitiesOnly())
            .agent(agent == null ? "none" : agent.toString(), System.getenv())
            .addKeysToAgent(
                switch (add.mode()) {
                  case NO -> IdentitySource.AddToAgent.NO;
                  case YES -> IdentitySource.AddToAgent.YES;
                  case ASK -> IdentitySource.AddToAgent.ASK;
                  case CONFIRM -> IdentitySource.AddToAgent.CONFIRM;
                },
                Duration.ofSeconds(add.seconds()));
    if (options.hasExplicitIdentityFiles()) {
      options.identityFiles().forEach(identities::explicitFile);
    } else {
      identities.files(options.identityFiles());
    }
    return identities.build();
  }

  private static KnownHostsOptions knownHosts(ClientOptions options, UserInteraction interaction) {
    return KnownHostsOptions.files(options.userKnownHostsFiles())
        .globalFiles(options.globalKnownHostsFiles())
        .strictness(
            switch (options.strictHostKeyChecking()) {
              case YES -> KnownHostsOptions.Strictness.YES;
              case NO -> KnownHostsOptions.Strictness.OFF;
              case ASK -> KnownHostsOptions.Strictness.ASK;
              case ACCEPT_NEW -> KnownHostsOptions.Strictness.ACCEPT_NEW;
            })
        .updateHostKeys(
            switch (options.updateHostKeys()) {
              case YES -> KnownHostsOptions.Update.YES;
              case NO -> KnownHostsOptions.Update.NO;
              case ASK -> KnownHostsOptions.Update.ASK;
            })
        .hashNames(options.hashKnownHosts())
        .hostKeyAlias(options.hostKeyAlias())
        .checkHostIp(options.checkHostIp())
        .noHostAuthenticationForLocalhost(options.noHostAuthenticationForLocalhost())
        .visualHostKey(options.visualHostKey())
        .fingerprintHash(options.fingerprintHash())
        .revokedHostKeys(options.revokedHostKeys())
        .caSignatureAlgorithms(options.algorithms(Kind.CA_SIGNATURE))
        .requiredRsaSize(options.requiredRsaSize())
        .interaction(interaction)
        .build();
  }

  private static List<String> authentications(ClientOptions options) {
    return options.preferredAuthentications().stream()
        .filter(
            method ->
                switch (method) {
                  case "publickey" -> options.pubkeyAuthentication();
                  case "password" -> options.passwordAuthentication();
                  case "keyboard-interactive" -> options.kbdInteractiveAuthentication();
                  default -> false;
                })
        .toList();
  }
}
