package dev.adit.ssh;

/**
 * One port forwarding, as {@code -L}, {@code -R} and {@code -D} ask for it.
 *
 * <p>The parsers take every form that ssh(1) takes: {@code [bind_address:]port:host:hostport},
 * {@code [bind_address:]port:remote_socket}, {@code local_socket:host:hostport} and {@code
 * local_socket:remote_socket}, with IPv6 addresses in square brackets, a backslash before a colon
 * that belongs to a path, and the older {@code bind_address/port/host/hostport}. A field with a
 * slash in it is the path of a Unix socket. Ports are numbers, not service names.
 */
public sealed interface ForwardSpec {

  /** Where connections are awaited: here for local ones, at the server for remote ones. */
  Listen listen();

  /** {@code -L}: we listen, the server connects. */
  record Local(Listen listen, Target target) implements ForwardSpec {
    @Override
    public String toString() {
      return listen + ":" + target;
    }
  }

  /** {@code -R}: the server listens, we connect. */
  record Remote(Listen listen, Target target) implements ForwardSpec {
    @Override
    public String toString() {
      return listen + ":" + target;
    }
  }

  /** {@code -D}: we listen and speak SOCKS and HTTP CONNECT, the server connects. */
  record Dynamic(Listen listen) implements ForwardSpec {
    @Override
    public String toString() {
      return listen.toString();
    }
  }

  /** {@code -R} without a target: the server listens, we speak SOCKS and connect. */
  record RemoteDynamic(Listen listen) implements ForwardSpec {
    @Override
    public String toString() {
      return listen.toString();
    }
  }

  /**
   * Reads the argument of {@code -L}.
   *
   * @throws BadSpecException naming the character that is wrong
   */
  static Local parseLocal(String spec) {
    return new SpecReader("local forwarding specification", spec).local();
  }

  /**
   * Reads the argument of {@code -R}: a {@link Remote}, or without a target a {@link
   * RemoteDynamic}. Port 0 lets the server choose.
   *
   * @throws BadSpecException naming the character that is wrong
   */
  static ForwardSpec parseRemote(String spec) {
    return new SpecReader("remote forwarding specification", spec).remote();
  }

  /**
   * Reads the argument of {@code -D}: {@code [bind_address:]port}, or the path of a Unix socket.
   *
   * @throws BadSpecException naming the character that is wrong
   */
  static Dynamic parseDynamic(String spec) {
    return new SpecReader("dynamic forwarding specification", spec).dynamic();
  }
}
