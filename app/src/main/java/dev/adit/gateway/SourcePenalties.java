package dev.adit.gateway;

import dev.adit.config.Patterns;
import dev.adit.config.server.AddressList;
import dev.adit.config.server.NetBlockSize;
import dev.adit.config.server.Penalties;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Turns sources of trouble away for a while (PerSourcePenalties, as in OpenSSH 9.8): each offence
 * adds to a source's time, and from a least time on it counts. Thread-safe.
 */
final class SourcePenalties {

  /** What a source is made to wait for. */
  enum Offence {
    CRASH("caused crash"),
    AUTHFAIL("failed authentication"),
    NOAUTH("connections without attempting authentication"),
    GRACE_EXCEEDED("exceeded LoginGraceTime"),
    REFUSE_CONNECTION("connection prohibited by RefuseConnection");

    final String words;

    Offence(String words) {
      this.words = words;
    }
  }

  private static final class Entry {
    long until;
    boolean counts;
    Offence reason;

    Entry(long until, Offence reason) {
      this.until = until;
      this.reason = reason;
    }
  }

  private final Penalties rules;
  private final NetBlockSize blocks;
  private final String exempt;
  private final InstantSource clock;
  private final Map<Source, Entry> sources4 = new HashMap<>();
  private final Map<Source, Entry> sources6 = new HashMap<>();

  /**
   * @param exempt a list of addresses that nothing is held against; may be empty
   * @param clock must not jump
   */
  SourcePenalties(Penalties rules, NetBlockSize blocks, String exempt, InstantSource clock) {
    this.rules = rules;
    this.blocks = blocks;
    this.exempt = exempt;
    this.clock = clock;
  }

  /** Holds an offence against a source. */
  synchronized void penalise(InetAddress address, Offence offence) {
    long seconds =
        switch (offence) {
          case CRASH -> rules.crash();
          case AUTHFAIL -> rules.authfail();
          case NOAUTH -> rules.noauth();
          case GRACE_EXCEEDED -> rules.graceExceeded();
          case REFUSE_CONNECTION -> rules.refuseConnection();
        };
    if (!rules.enabled() || seconds == 0 || isExempt(address)) {
      return;
    }
    var sources = sources(address);
    long now = now();
    var source = Source.of(address, blocks);
    var entry = sources.get(source);
    if (entry == null || entry.until <= now) {
      if (entry == null && isFull(address, sources, now)) {
        return;
      }
      entry = new Entry(now, offence);
      sources.put(source, entry);
    }
    entry.until = Math.min(entry.until + seconds, now + rules.max());
    entry.reason = offence;
    entry.counts |= entry.until - now > rules.min();
  }

  /** Null if a source may connect, otherwise why not. */
  synchronized @Nullable String refusal(InetAddress address) {
    if (!rules.enabled() || isExempt(address)) {
      return null;
    }
    var sources = sources(address);
    long now = now();
    var source = Source.of(address, blocks);
    var entry = sources.get(source);
    if (entry == null) {
      return deniesAll(address) && isFull(address, sources, now)
          ? "penalty: too many sources have penalties"
          : null;
    }
    if (entry.until <= now) {
      sources.remove(source);
      return null;
    }
    return entry.counts ? "penalty: " + entry.reason.words : null;
  }

  /** Makes room first: of what has run out, and in permissive mode of what runs out next. */
  private boolean isFull(InetAddress address, Map<Source, Entry> sources, long now) {
    int most = address instanceof Inet4Address ? rules.maxSources4() : rules.maxSources6();
    if (sources.size() < most) {
      return false;
    }
    sources.values().removeIf(entry -> entry.until <= now);
    if (sources.size() < most) {
      return false;
    }
    if (deniesAll(address)) {
      return true;
    }
    sources.entrySet().stream()
        .min(Comparator.comparingLong(entry -> entry.getValue().until))
        .ifPresent(entry -> sources.remove(entry.getKey()));
    return false;
  }

  private boolean deniesAll(InetAddress address) {
    return address instanceof Inet4Address ? rules.denyAll4() : rules.denyAll6();
  }

  private Map<Source, Entry> sources(InetAddress address) {
    return address instanceof Inet4Address ? sources4 : sources6;
  }

  private boolean isExempt(InetAddress address) {
    return !exempt.isEmpty()
        && AddressList.verdict(Addresses.text(address), exempt) == Patterns.Verdict.MATCHED;
  }

  private long now() {
    return clock.millis() / 1000;
  }
}
