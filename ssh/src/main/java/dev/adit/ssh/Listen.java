package dev.adit.ssh;

import org.jspecify.annotations.Nullable;

/** Where a forwarding waits for connections: a TCP port or a Unix socket. */
public sealed interface Listen {

  /**
   * A TCP port.
   *
   * @param bindAddress the address to bind as it was asked for, to the letter and without brackets;
   *     null when none was given (then it is loopback, or with GatewayPorts everything), empty or
   *     {@code *} for all interfaces
   * @param port 1 to 65535; 0 lets the listening side choose
   */
  record Tcp(@Nullable String bindAddress, int port) implements Listen {
    public Tcp {
      if (port < 0 || port > 65535) {
        throw new IllegalArgumentException("port out of range: " + port);
      }
    }

    /** True when the address says, in so many words, all interfaces. */
    public boolean isWildcard() {
      return bindAddress != null && (bindAddress.isEmpty() || bindAddress.equals("*"));
    }

    /** As in a specification: {@code 9001}, {@code *:9001}, {@code [::1]:9001}. */
    @Override
    public String toString() {
      return bindAddress == null
          ? Integer.toString(port)
          : SpecReader.bracketed(bindAddress) + ":" + port;
    }
  }

  /**
   * A Unix socket.
   *
   * @param path where it is, on the listening side
   */
  record Unix(String path) implements Listen {
    @Override
    public String toString() {
      return SpecReader.escaped(path);
    }
  }
}
