package dev.adit.gateway;

import dev.adit.config.server.ConnectionFacts;
import dev.adit.config.server.ServerConfig;
import dev.adit.ssh.Authenticator;
import dev.adit.ssh.Peer;
import java.net.InetSocketAddress;
import java.time.InstantSource;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Who gets in, as sshd_config(5) says: the system's accounts and those of TunnelUsers, by keys,
 * certificates and passwords from files. Each connection is judged by the configuration of the
 * moment at which it names its user.
 */
public final class GatewayAuthenticator implements Authenticator {
  private final Supplier<ServerConfig> config;
  private final BiConsumer<Peer, ServerConfig> named;
  private final Accounts accounts;
  private final InstantSource clock;
  private final RevocationFiles revocations = new RevocationFiles();

  /** For the system's accounts and its clock. */
  public GatewayAuthenticator(Supplier<ServerConfig> config) {
    this(config, (_, _) -> {});
  }

  /**
   * @param named hears by what a connection is judged, as soon as its user is named
   */
  GatewayAuthenticator(Supplier<ServerConfig> config, BiConsumer<Peer, ServerConfig> named) {
    this(config, named, Accounts.SYSTEM, InstantSource.system());
  }

  GatewayAuthenticator(
      Supplier<ServerConfig> config,
      BiConsumer<Peer, ServerConfig> named,
      Accounts accounts,
      InstantSource clock) {
    this.config = config;
    this.named = named;
    this.accounts = accounts;
    this.clock = clock;
  }

  @Override
  public Login begin(Peer peer, String user) {
    ServerConfig whole = config.get();
    Account account = accounts.find(user, whole.tunnelUsers());
    ServerConfig mine = whole.forConnection(facts(peer, user, account));
    named.accept(peer, mine);
    return new GatewayLogin(peer, user, account, mine, clock, revocations);
  }

  private static ConnectionFacts facts(Peer peer, String user, @Nullable Account account) {
    InetSocketAddress local = peer.local();
    String address = Addresses.text(peer.remote());
    return new ConnectionFacts(
        account == null ? user : account.name(),
        account == null ? List.of() : account.groups(),
        address,
        address,
        Addresses.text(local),
        local == null ? -1 : local.getPort());
  }
}
