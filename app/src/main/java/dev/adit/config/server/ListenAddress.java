package dev.adit.config.server;

import dev.adit.config.ConfigException;
import dev.adit.config.Values;

/**
 * Where a server listens.
 *
 * @param host a name or an address without brackets
 * @param port 0 for the ports that Port names
 */
public record ListenAddress(String host, int port) {

  static ListenAddress parse(String text) throws ConfigException {
    if (text.startsWith("[")) {
      int close = text.indexOf(']');
      if (close < 0) {
        throw new ConfigException("bad address");
      }
      var host = text.substring(1, close);
      var rest = text.substring(close + 1);
      if (rest.isEmpty()) {
        return new ListenAddress(host, 0);
      }
      if (!rest.startsWith(":")) {
        throw new ConfigException("bad address");
      }
      return new ListenAddress(host, port(rest.substring(1)));
    }
    int colon = text.indexOf(':');
    // More than one colon: an IPv6 address alone.
    if (colon < 0 || text.indexOf(':', colon + 1) >= 0) {
      return new ListenAddress(text, 0);
    }
    return new ListenAddress(text.substring(0, colon), port(text.substring(colon + 1)));
  }

  private static int port(String text) throws ConfigException {
    try {
      return Values.parsePort(text);
    } catch (ConfigException e) {
      throw new ConfigException("bad port number", e);
    }
  }
}
