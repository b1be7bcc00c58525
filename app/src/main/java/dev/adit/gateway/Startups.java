package dev.adit.gateway;

import dev.adit.config.server.MaxStartups;
import dev.adit.config.server.ServerConfig;
import dev.adit.gateway.SourcePenalties.Offence;
import dev.adit.ssh.ConnectionGate;
import dev.adit.ssh.Peer;
import dev.adit.ssh.ServerEvent;
import dev.adit.ssh.SshException;
import java.net.InetAddress;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Limits connections whose users are not logged in yet: MaxStartups, PerSourceMaxStartups and
 * PerSourcePenalties. Must hear all events. Thread-safe, never blocks.
 */
final class Startups implements ConnectionGate {

  private static final String PAST_LIMIT = "past MaxStartups";

  /** A connection on its way to a login. */
  private static final class Startup {
    final @Nullable Source source;
    boolean triedToLogIn;

    Startup(@Nullable Source source) {
      this.source = source;
    }
  }

  private final InstantSource clock;
  private final RandomGenerator random;
  private final Map<Long, Startup> startups = new HashMap<>();
  private final Map<Source, Integer> bySource = new HashMap<>();
  private ServerConfig config;
  private SourcePenalties penalties;

  /**
   * @param clock for penalties; must not jump
   */
  Startups(ServerConfig config, InstantSource clock, RandomGenerator random) {
    this.clock = clock;
    this.random = random;
    this.config = config;
    this.penalties = penalties(config);
  }

  private SourcePenalties penalties(ServerConfig rules) {
    return new SourcePenalties(
        rules.perSourcePenalties(),
        rules.perSourceNetBlockSize(),
        rules.perSourcePenaltyExemptList(),
        clock);
  }

  /** Limits that hold from now on. Penalties are forgiven when their rules change. */
  synchronized void configure(ServerConfig changed) {
    boolean samePenalties =
        changed.perSourcePenalties().equals(config.perSourcePenalties())
            && changed.perSourceNetBlockSize().equals(config.perSourceNetBlockSize())
            && changed.perSourcePenaltyExemptList().equals(config.perSourcePenaltyExemptList());
    config = changed;
    if (!samePenalties) {
      penalties = penalties(changed);
    }
  }

  /** Connections that are not logged in. */
  synchronized int count() {
    return startups.size();
  }

  @Override
  public synchronized @Nullable String refusal(Peer peer) {
    var address = address(peer);
    if (address != null) {
      var penalty = penalties.refusal(address);
      if (penalty != null) {
        return penalty;
      }
    }
    if (isDropped(config.maxStartups(), startups.size())) {
      return PAST_LIMIT;
    }
    var source = address == null ? null : Source.of(address, config.perSourceNetBlockSize());
    if (source != null) {
      int before = bySource.getOrDefault(source, 0);
      if (before >= config.perSourceMaxStartups()) {
        return PAST_LIMIT;
      }
      bySource.put(source, before + 1);
    }
    startups.put(peer.connection(), new Startup(source));
    return null;
  }

  /** As sshd: never below begin, always from full on, in between with a growing chance. */
  private boolean isDropped(MaxStartups limit, int count) {
    if (count < limit.begin()) {
      return false;
    }
    if (count >= limit.full() || limit.rate() == 100) {
      return true;
    }
    int percent =
        limit.rate()
            + (100 - limit.rate()) * (count - limit.begin()) / (limit.full() - limit.begin());
    return random.nextInt(100) < percent;
  }

  /** Hears what becomes of connections. */
  synchronized void event(ServerEvent event) {
    switch (event) {
      case ServerEvent.LoginFailed e -> {
        var startup = startups.get(e.peer().connection());
        if (startup != null) {
          startup.triedToLogIn = true;
        }
      }
      case ServerEvent.LoggedIn e -> remove(e.peer());
      case ServerEvent.Disconnected e -> {
        var startup = remove(e.peer());
        var address = address(e.peer());
        if (startup != null && address != null) {
          penalties.penalise(address, offence(startup, e.cause()));
        }
      }
      default -> {
        // Nothing that is counted.
      }
    }
  }

  private static Offence offence(Startup startup, SshException cause) {
    String why = String.valueOf(cause.getMessage());
    if (why.startsWith("internal error")) {
      return Offence.CRASH;
    }
    if (why.startsWith("Timeout before authentication")) {
      return Offence.GRACE_EXCEEDED;
    }
    if (why.equals(GatewayLogin.PROHIBITED)) {
      return Offence.REFUSE_CONNECTION;
    }
    return startup.triedToLogIn ? Offence.AUTHFAIL : Offence.NOAUTH;
  }

  private @Nullable Startup remove(Peer peer) {
    var startup = startups.remove(peer.connection());
    if (startup != null && startup.source != null) {
      bySource.computeIfPresent(startup.source, (_, count) -> count > 1 ? count - 1 : null);
    }
    return startup;
  }

  private static @Nullable InetAddress address(Peer peer) {
    return peer.remote() == null ? null : peer.remote().getAddress();
  }
}
