package dev.adit.gateway;

import dev.adit.config.AlgorithmNames.Kind;
import dev.adit.config.server.ChannelTimeout;
import dev.adit.config.server.ServerConfig;
import dev.adit.ssh.Authenticator;
import dev.adit.ssh.ChannelTimeouts;
import dev.adit.ssh.ConnectionGate;
import dev.adit.ssh.HostKey;
import dev.adit.ssh.ServerEvent;
import dev.adit.ssh.ServerOptions;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/** The library's options from sshd's configuration. */
final class GatewayOptions {
  private GatewayOptions() {}

  static ServerOptions of(
      ServerConfig config,
      Authenticator authenticator,
      List<HostKey> hostKeys,
      List<InetSocketAddress> listen,
      List<Integer> descriptors,
      ConnectionGate gate,
      Consumer<ServerEvent> events) {
    return ofConnection(ServerOptions.with(authenticator), config)
        .hostKeys(hostKeys)
        .listen(listen)
        .listenDescriptors(descriptors)
        .tcpKeepAlive(config.tcpKeepAlive())
        .kexAlgorithms(config.algorithms(Kind.KEX))
        .hostKeyAlgorithms(config.algorithms(Kind.HOST_KEY))
        .ciphers(config.algorithms(Kind.CIPHER))
        .macs(config.algorithms(Kind.MAC))
        .publicKeyAlgorithms(config.algorithms(Kind.USER_KEY))
        .compression(config.compression())
        .allowNonStrictKex(config.allowNonStrictKex())
        .requiredRsaSize(config.requiredRsaSize())
        .loginGraceTime(Duration.ofSeconds(config.loginGraceTime()))
        .gate(gate)
        .events(events)
        .build();
  }

  /** What a Match block may set for one connection. */
  static ServerOptions.Builder ofConnection(ServerOptions.Builder options, ServerConfig config) {
    var rekey = config.rekeyLimit();
    return options
        .maxAuthTries(config.maxAuthTries())
        .rekeyLimit(rekey.bytes(), Duration.ofSeconds(rekey.seconds()))
        .clientAlive(Duration.ofSeconds(config.clientAliveInterval()), config.clientAliveCountMax())
        .unusedTimeout(Duration.ofSeconds(config.unusedConnectionTimeout()))
        .channelTimeouts(timeouts(config.channelTimeouts()));
  }

  /** The first that is about a type counts. */
  private static ChannelTimeouts timeouts(List<ChannelTimeout> configured) {
    return configured.isEmpty()
        ? ChannelTimeouts.NONE
        : type ->
            configured.stream()
                .filter(each -> each.isFor(type))
                .findFirst()
                .map(each -> Duration.ofSeconds(each.seconds()))
                .orElse(Duration.ZERO);
  }
}
