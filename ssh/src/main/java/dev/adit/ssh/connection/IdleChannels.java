package dev.adit.ssh.connection;

import dev.adit.ssh.ChannelTimeouts;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Closes channels through which nothing moves. It looks once a second at what each has moved so
 * far: so the way of the data keeps no time, and a channel lives up to a second longer than it may.
 * Confined to the event loop.
 */
final class IdleChannels {
  private static final int LOOK_SECONDS = 1;

  /**
   * What a look has found.
   *
   * @param since when a look first found this
   */
  private record Found(long moved, long since) {}

  private final Connection connection;
  private final ChannelTimeouts timeouts;
  private Map<SshChannel, Found> found = Map.of();
  private long anyMoved;

  private IdleChannels(Connection connection, ChannelTimeouts timeouts) {
    this.connection = connection;
    this.timeouts = timeouts;
  }

  /** Watches the channels of a connection until it ends. */
  static void watch(Connection connection, ChannelTimeouts timeouts) {
    var idle = new IdleChannels(connection, timeouts);
    var looks =
        connection
            .eventLoop()
            .scheduleWithFixedDelay(
                () -> idle.look(System.nanoTime()), LOOK_SECONDS, LOOK_SECONDS, TimeUnit.SECONDS);
    connection.onEnd(() -> looks.cancel(false));
  }

  private void look(long now) {
    List<SshChannel> channels = connection.channels();
    Map<SshChannel, Found> before = found;
    found = new HashMap<>();
    for (SshChannel channel : channels) {
      Found then = before.get(channel);
      boolean idle = then != null && then.moved() == channel.moved();
      if (!idle) {
        anyMoved = now;
      }
      found.put(channel, idle ? then : new Found(channel.moved(), now));
    }
    found.forEach((channel, then) -> endIfIdle(channel, channel.kind(), now - then.since()));
    channels.forEach(channel -> endIfIdle(channel, ChannelTimeouts.GLOBAL, now - anyMoved));
  }

  private void endIfIdle(SshChannel channel, String type, long idleNanos) {
    Duration patience = timeouts.of(type);
    if (patience.isPositive() && idleNanos >= patience.toNanos()) {
      channel.expire(patience);
    }
  }
}
