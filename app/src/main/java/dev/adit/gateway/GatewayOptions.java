package dev.adit.gateway;

import dev.adit.config.AlgorithmNames.Kind;
import dev.adit.config.server.ServerConfig;
import dev.adit.ssh.Authenticator;
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
    var rekey = config.rekeyLimit();
    return ServerOptions.with(authenticator)
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
        .rekeyLimit(rekey.bytes(), Duration.ofSeconds(rekey.seconds()))
        .requiredRsaSize(config.requiredRsaSize())
        .maxAuthTries(config.maxAuthTries())
        .loginGraceTime(Duration.ofSeconds(config.loginGraceTime()))
        .clientAlive(Duration.ofSeconds(config.clientAliveInterval()), config.clientAliveCountMax())
        .unusedTimeout(Duration.ofSeconds(config.unusedConnectionTimeout()))
        .gate(gate)
        .events(events)
        .build();
  }
}
