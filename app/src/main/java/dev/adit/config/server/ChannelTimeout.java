package dev.adit.config.server;

import dev.adit.config.ConfigException;
import dev.adit.config.Patterns;
import dev.adit.config.Values;

/**
 * After how long without traffic a channel is closed.
 *
 * @param type a pattern of {@code session:shell}, {@code direct-tcpip} and the like
 * @param seconds 0 for never
 */
public record ChannelTimeout(String type, int seconds) {

  static ChannelTimeout parse(String text) throws ConfigException {
    int equals = text.indexOf('=');
    if (equals <= 0) {
      throw new ConfigException("a type of channel, '=' and a time were expected");
    }
    return new ChannelTimeout(
        text.substring(0, equals), Values.seconds(text.substring(equals + 1)));
  }

  /** Whether it is about channels of that type. */
  public boolean isFor(String channelType) {
    return Patterns.matches(channelType, type);
  }
}
