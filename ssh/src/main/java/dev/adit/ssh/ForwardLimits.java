package dev.adit.ssh;

import java.time.Duration;

/**
 * What one client of a server may have going at once in the way of forwarded connections, so that
 * none costs the others anything. What the connection may make the server buffer is bounded apart
 * from this, by the windows of its channels.
 *
 * @param channels channels open at once; sessions count
 * @param pendingOpens forwarded connections that are being made: a name is looked up, a target is
 *     connected to, the client hasn't answered yet; more are refused
 * @param opensPerSecond new forwarded connections a second in the long run; ten seconds' worth may
 *     come at once, and what comes faster waits as a pending one
 * @param listeners listeners of remote forwardings
 * @param connectTimeout how long connecting to one address of a target may take
 * @param lookupTimeout how long finding a target's addresses may take
 */
public record ForwardLimits(
    @Limit(
            bounds = "Channels of one client open at once; sessions count",
            beyond = "the open is refused",
            provenBy = "ServerForwardingTest.channelsAreLimited")
        int channels,
    @Limit(
            bounds = "Forwarded connections of one client that are being made",
            beyond = "the open is refused",
            provenBy = "ServerForwardingTest.connectionsThatAreBeingMadeAreLimited")
        int pendingOpens,
    @Limit(
            bounds = "New forwarded connections of one client a second in the long run",
            beyond = "it waits as a pending one",
            provenBy = "ServerForwardingTest.connectionsThatComeTooFastWait")
        int opensPerSecond,
    @Limit(
            bounds = "Listeners of remote forwardings of one client",
            beyond = "the request fails",
            provenBy = "ServerForwardingTest.refusalsOfListenersNameTheirReason")
        int listeners,
    @Limit(
            bounds = "How long connecting to one address of a target may take",
            beyond = "the next address, then the open is refused",
            provenBy = "ServerForwardingTest.targetThatDoesNotAnswerIsGivenUp")
        Duration connectTimeout,
    @Limit(
            bounds = "How long finding a target's addresses may take",
            beyond = "the open is refused",
            provenBy = "ServerForwardingTest.hangingNamesAreTheirOwnConnectionsTrouble")
        Duration lookupTimeout) {

  /** Enough for ten thousand connections over one session, and for a person's every day. */
  public static final ForwardLimits DEFAULT =
      new ForwardLimits(16_384, 512, 10_000, 256, Duration.ofSeconds(30), Duration.ofSeconds(10));

  public ForwardLimits {
    if (channels < 1 || pendingOpens < 1 || opensPerSecond < 1 || listeners < 0) {
      throw new IllegalArgumentException("a limit that lets nothing through");
    }
    if (!connectTimeout.isPositive() || !lookupTimeout.isPositive()) {
      throw new IllegalArgumentException("a timeout that lets nothing through");
    }
  }

  public ForwardLimits withChannels(int value) {
    return new ForwardLimits(
        value, pendingOpens, opensPerSecond, listeners, connectTimeout, lookupTimeout);
  }

  public ForwardLimits withPendingOpens(int value) {
    return new ForwardLimits(
        channels, value, opensPerSecond, listeners, connectTimeout, lookupTimeout);
  }

  public ForwardLimits withOpensPerSecond(int value) {
    return new ForwardLimits(
        channels, pendingOpens, value, listeners, connectTimeout, lookupTimeout);
  }

  public ForwardLimits withListeners(int value) {
    return new ForwardLimits(
        channels, pendingOpens, opensPerSecond, value, connectTimeout, lookupTimeout);
  }

  public ForwardLimits withConnectTimeout(Duration value) {
    return new ForwardLimits(
        channels, pendingOpens, opensPerSecond, listeners, value, lookupTimeout);
  }

  public ForwardLimits withLookupTimeout(Duration value) {
    return new ForwardLimits(
        channels, pendingOpens, opensPerSecond, listeners, connectTimeout, value);
  }
}
