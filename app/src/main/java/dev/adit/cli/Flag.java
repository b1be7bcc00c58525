package dev.adit.cli;

import org.jspecify.annotations.Nullable;

/**
 * The flags of adit: those of ssh(1). The command line is read, and the manual page and the
 * completions are written, from this table.
 */
public enum Flag {
  IPV4('4', null, "Connect over IPv4 only."),
  IPV6('6', null, "Connect over IPv6 only."),
  AGENT('A', null, "Forward the authentication agent. Off by default."),
  NO_AGENT('a', null, "Do not forward the authentication agent."),
  BIND_INTERFACE(
      'B', "interface", "Connect from the address of an interface.", "-B: binding to an interface"),
  BIND_ADDRESS('b', "address", "Connect from this local address."),
  COMPRESS('C', null, "Compress all data."),
  CIPHERS('c', "ciphers", "Offer these ciphers, in this order; as Ciphers in ssh_config(5)."),
  DYNAMIC(
      'D',
      "[bind_address:]port",
      "Listen on a local port for SOCKS 4, 4A, 5 and HTTP CONNECT, and connect from the server to"
          + " wherever a client asks for."),
  LOG_FILE('E', "file", "Append the log to a file instead of standard error."),
  ESCAPE(
      'e',
      "character",
      "The character that begins an escape at the start of a line; none for none."),
  CONFIG('F', "file", "Read this configuration file only; none for no file at all."),
  FORK(
      'f',
      null,
      "Go to the background when the login is done and the forwardings are up. Implies -n."),
  SHOW_CONFIG('G', null, "Print the effective configuration and exit."),
  GATEWAY('g', null, "Let other hosts connect to local forwardings."),
  PKCS11(
      'I', "library", "Use the keys of a PKCS#11 token.", "-I: PKCS#11 (ssh-agent has such keys)"),
  IDENTITY('i', "file", "Log in with this private key. May be given several times."),
  JUMP('J', "destination[,...]", "Travel through these hosts, in this order."),
  GSSAPI('K', null, "Use and forward Kerberos credentials.", "-K: Kerberos"),
  NO_GSSAPI('k', null, "Do not forward Kerberos credentials. Nothing is ever forwarded."),
  LOCAL(
      'L',
      "[bind_address:]port:host:hostport",
      "Listen on a local port, or a Unix socket, and connect from the server to a host and port, or"
          + " a Unix socket."),
  LOGIN('l', "user", "Log in as this user."),
  MASTER('M', null, "Share the connection as its master.", "-M: connection sharing"),
  MACS('m', "macs", "Offer these MACs, in this order; as MACs in ssh_config(5)."),
  NO_COMMAND('N', null, "Run nothing at the server: forwardings only."),
  NO_STDIN('n', null, "Read nothing from standard input."),
  CONTROL('O', "command", "Talk to a master.", "-O: connection sharing"),
  OPTION('o', "keyword=value", "Any line of ssh_config(5)."),
  TAG('P', "tag", "A tag for Match tagged in ssh_config(5)."),
  PORT('p', "port", "Connect to this port."),
  QUERY('Q', "what", "List what is supported; -Q help lists the questions."),
  QUIET('q', null, "Say nothing but fatal errors."),
  REMOTE(
      'R',
      "[bind_address:]port[:host:hostport]",
      "Have the server listen on a port, or a Unix socket, and connect from here to a host and"
          + " port, or a Unix socket; without a target, to wherever a SOCKS client asks for. Port 0"
          + " lets the server choose."),
  CONTROL_PATH('S', "path", "Where a master's socket is. A plain connection is made."),
  SUBSYSTEM('s', null, "The command is the name of a subsystem."),
  NO_TTY('T', null, "Ask for no terminal."),
  TTY('t', null, "Ask for a terminal; twice: even if there is none here."),
  VERSION('V', null, "Print the version and exit."),
  VERBOSE('v', null, "Say what is going on; up to three times for more."),
  STDIO('W', "host:port", "Connect standard input and output to a host and port."),
  TUNNEL('w', "local_tun[:remote_tun]", "Forward a tun device.", "-w: forwarding of tun devices"),
  X11('X', null, "Forward X11.", "-X: X11 forwarding"),
  NO_X11('x', null, "Do not forward X11. Nothing is ever forwarded."),
  TRUSTED_X11('Y', null, "Forward trusted X11.", "-Y: X11 forwarding"),
  SYSLOG('y', null, "Log to syslog.", "-y: logging to syslog");

  private final char letter;
  private final @Nullable String argument;
  private final String description;
  private final @Nullable String missing;

  Flag(char letter, @Nullable String argument, String description) {
    this(letter, argument, description, null);
  }

  Flag(char letter, @Nullable String argument, String description, @Nullable String missing) {
    this.letter = letter;
    this.argument = argument;
    this.description = description;
    this.missing = missing;
  }

  static @Nullable Flag of(char letter) {
    for (var flag : values()) {
      if (flag.letter == letter) {
        return flag;
      }
    }
    return null;
  }

  public char letter() {
    return letter;
  }

  /** What its argument is called, or null when it takes none. */
  public @Nullable String argument() {
    return argument;
  }

  public String description() {
    return description;
  }

  /** What is not there yet, or null when the flag works. */
  public @Nullable String missing() {
    return missing;
  }
}
