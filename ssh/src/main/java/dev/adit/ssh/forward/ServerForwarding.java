package dev.adit.ssh.forward;

import dev.adit.ssh.AccessPolicy;
import dev.adit.ssh.ForwardLimits;
import dev.adit.ssh.TargetResolver;
import dev.adit.ssh.UserKey;
import dev.adit.ssh.connection.Connection;
import org.jspecify.annotations.Nullable;

/**
 * What a server does for its clients' forwardings (RFC 4254 section 7, and section 2.4 of OpenSSH's
 * PROTOCOL for Unix sockets). One for all connections of a server: they share the threads that look
 * names up, and have to agree on who listens where. Thread-safe.
 */
public final class ServerForwarding {
  private final TargetLookups lookups = new TargetLookups();
  private final ListenerRegistry registry;
  private final Timer timer;

  public ServerForwarding() {
    this(Timer.SYSTEM);
  }

  ServerForwarding(Timer timer) {
    this.registry = new ListenerRegistry(timer);
    this.timer = timer;
  }

  /**
   * Serves one connection. To be called while it is set up, before the client can open channels.
   *
   * @param policy what the user may do; asked each time
   * @param key with which the user logged in, or null: it says whose listeners are whose when a
   *     client comes back
   * @param resolver finds the targets' addresses
   */
  public void on(
      Connection connection,
      AccessPolicy policy,
      @Nullable UserKey key,
      TargetResolver resolver,
      ForwardLimits limits) {
    Admission admission = new Admission(connection, limits, timer);
    connection.onEnd(admission::abandon);
    var names = lookups.of(connection.eventLoop(), resolver, limits.lookupTimeout());
    var _ = new DirectForwards(connection, policy, limits, names, admission);
    var owner = key == null ? null : new ListenerRegistry.Owner(policy.user(), key.fingerprint());
    var _ = new ServerListeners(connection, policy, owner, registry, limits, admission);
  }
}
