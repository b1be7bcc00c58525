package dev.adit.client;

import dev.adit.config.AlgorithmNames.Kind;
import dev.adit.config.ClientOptions;
import dev.adit.ssh.ConnectOptions;
import dev.adit.ssh.HostKeyPolicy;
import java.net.StandardProtocolFamily;
import java.time.Duration;
import java.util.List;

/** What the library needs to know to connect, from what the user said. */
final class Connecting {

  private Connecting() {}

  static ConnectOptions.Builder options(ClientOptions options) {
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
    return to.hostKeyPolicy(HostKeyPolicy.refuseAll());
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
