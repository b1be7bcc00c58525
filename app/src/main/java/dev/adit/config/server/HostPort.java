package dev.adit.config.server;

import dev.adit.config.ConfigException;
import dev.adit.config.Values;

/**
 * One entry of PermitOpen or PermitListen.
 *
 * @param host without brackets; {@code *} for all
 * @param port or {@link #ANY_PORT}
 */
public record HostPort(String host, int port) {
  /** Written as {@code *}. */
  public static final int ANY_PORT = 0;

  static HostPort parse(String keyword, String text) throws ConfigException {
    String host;
    String rest;
    if (text.startsWith("[")) {
      int close = text.indexOf(']');
      host = close < 0 ? "" : text.substring(1, close);
      rest = close < 0 ? "" : text.substring(close + 1);
    } else {
      int colon = text.indexOf(':');
      host = colon < 0 ? text : text.substring(0, colon);
      rest = colon < 0 ? "" : text.substring(colon);
    }
    try {
      if (rest.equals(":*")) {
        return new HostPort(host, ANY_PORT);
      }
      if (rest.startsWith(":")) {
        return new HostPort(host, Values.parsePort(rest.substring(1)));
      }
    } catch (ConfigException e) {
      throw new ConfigException("%s bad port number".formatted(keyword), e);
    }
    throw new ConfigException("%s bad port number".formatted(keyword));
  }

  /** Whether it is that port or any port. */
  public boolean includesPort(int asked) {
    return port == ANY_PORT || port == asked;
  }
}
