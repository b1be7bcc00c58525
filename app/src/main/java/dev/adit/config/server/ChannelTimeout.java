package dev.adit.config.server;

import dev.adit.config.ConfigException;
import dev.adit.config.Patterns;
import dev.adit.config.Values;

/**
 * After how long without traffic a channel is closed.
 *
 * @param type patterns of {@code session:shell}, {@code direct-tcpip} and the like, parted by
 *     commas; or {@code global}
 * @param seconds 0 for never
 */
public record ChannelTimeout(String type, int seconds) {

  private static final String GLOBAL = "global";

  static ChannelTimeout parse(String text) throws ConfigException {
    int equals = text.indexOf('=');
    if (equals <= 0) {
      throw new ConfigException("a type of channel, '=' and a time were expected");
    }
    return new ChannelTimeout(
        text.substring(0, equals), Values.seconds(text.substring(equals + 1)));
  }

  /** Whether it is about channels of that type; {@code global} has to be meant to the letter. */
  public boolean isFor(String channelType) {
    return channelType.equals(GLOBAL)
        ? type.equals(GLOBAL)
        : Patterns.list(channelType, type) == Patterns.Verdict.MATCHED;
  }
}
