package dev.adit.cli;

import org.jspecify.annotations.Nullable;

/**
 * The flags of aditd: those of sshd(8). The command line is read, and the manual page and the
 * completions are written, from this table.
 */
public enum ServerFlag {
  IPV4('4', null, "Listen on IPv4 addresses only."),
  IPV6('6', null, "Listen on IPv6 addresses only."),
  FACTS(
      'C',
      "connection_spec",
      "With -T: apply Match blocks for a connection, as user=ada,addr=192.0.2.1,host=name,"
          + "laddr=address,lport=port."),
  CERTIFICATE('c', "host_certificate_file", "A certificate of a host key."),
  FOREGROUND('D', null, "Stay in the foreground."),
  DEBUG(
      'd',
      null,
      "Stay in the foreground and say what is going on, on standard error; up to three times for"
          + " more. Unlike sshd, it serves more than one connection."),
  LOG_FILE('E', "log_file", "Append the log to a file instead of the system's log."),
  STDERR('e', null, "Write the log to standard error instead of the system's log."),
  CONFIG(
      'f',
      "config_file",
      "Read this configuration file; none for no file at all. Without the flag it is"
          + " ~/.config/adit/sshd_config, or /etc/adit/sshd_config for root, if that is there."),
  SHOW_CONFIG('G', null, "Print the effective configuration and exit."),
  GRACE_TIME('g', "login_grace_time", "How long a client may take to log in."),
  HOST_KEY(
      'h', "host_key_file", "A host key. One that isn't there is made, and its fingerprint told."),
  INETD('i', null, "Serve one connection, over standard input and output (inetd)."),
  OPTION('o', "option", "Any line of sshd_config(5)."),
  PORT('p', "port", "Listen on this port, whatever Port says. May be given several times."),
  QUIET('q', null, "Log nothing."),
  SHOW_AND_CHECK('T', null, "Check configuration and host keys, print the effective settings."),
  CHECK('t', null, "Check configuration and host keys, and say nothing when all is well."),
  NAME_LENGTH(
      'u',
      "len",
      "How long a host name utmp has room for; does nothing, as nothing is" + " written there."),
  VERSION('V', null, "Print the version and exit.");

  private final char letter;
  private final @Nullable String argument;
  private final String description;

  ServerFlag(char letter, @Nullable String argument, String description) {
    this.letter = letter;
    this.argument = argument;
    this.description = description;
  }

  static @Nullable ServerFlag of(char letter) {
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
}
