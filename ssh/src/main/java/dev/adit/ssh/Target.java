package dev.adit.ssh;

/** Where a forwarding leads to: a TCP port of a host or a Unix socket. */
public sealed interface Target {

  /**
   * A TCP port of a host.
   *
   * @param host a name or an address without brackets; the side that connects resolves it
   * @param port 1 to 65535
   */
  record Tcp(String host, int port) implements Target {
    public Tcp {
      if (host.isEmpty()) {
        throw new IllegalArgumentException("no host");
      }
      if (port < 1 || port > 65535) {
        throw new IllegalArgumentException("port out of range: " + port);
      }
    }

    /** As in a specification: {@code yahoo.com:80}, {@code [::1]:80}. */
    @Override
    public String toString() {
      return SpecReader.bracketed(host) + ":" + port;
    }
  }

  /**
   * A Unix socket.
   *
   * @param path where it is, on the side that connects
   */
  record Unix(String path) implements Target {
    @Override
    public String toString() {
      return SpecReader.escaped(path);
    }
  }

  /**
   * Reads {@code host:port}, {@code [address]:port} or {@code host/port}, as {@code -W} takes it.
   *
   * @throws BadSpecException when it is something else
   */
  static Tcp parseHostPort(String spec) {
    return new SpecReader("stdio forwarding specification", spec).hostPort();
  }
}
