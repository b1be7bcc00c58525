package dev.adit.config.server;

import dev.adit.config.AlgorithmNames.Kind;
import dev.adit.config.ClientOptions;
import dev.adit.config.Tokens;
import dev.adit.config.Values;
import io.netty.util.NetUtil;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * What {@code -T} prints: the effective settings in the order and the words of {@code sshd -T} of
 * OpenSSH 9.2, so that programs which read that can read this. Keywords of later versions, and
 * adit's own, come behind the others.
 */
public final class ServerConfigDump {
  private final ServerConfig config;
  private final StringBuilder out = new StringBuilder();

  private ServerConfigDump(ServerConfig config) {
    this.config = config;
  }

  /**
   * The settings, one a line. Looks the names in ListenAddress up.
   *
   * @throws UnknownHostException if one is unknown; the message is sshd's
   */
  public static String of(ServerConfig config) throws UnknownHostException {
    return new ServerConfigDump(config).dump();
  }

  private String dump() throws UnknownHostException {
    config.ports().forEach(port -> line("port", port));
    plain(ServerKeyword.ADDRESS_FAMILY);
    for (var listen : listenAddresses(config)) {
      line("listenaddress", text(listen));
    }
    plain(
        ServerKeyword.USE_PAM,
        ServerKeyword.LOGIN_GRACE_TIME,
        ServerKeyword.X11_DISPLAY_OFFSET,
        ServerKeyword.MAX_AUTH_TRIES,
        ServerKeyword.MAX_SESSIONS,
        ServerKeyword.CLIENT_ALIVE_INTERVAL,
        ServerKeyword.CLIENT_ALIVE_COUNT_MAX,
        ServerKeyword.REQUIRED_RSA_SIZE);
    line("streamlocalbindmask", "0%o".formatted(config.streamLocalBindMask()));
    int unused = config.unusedConnectionTimeout();
    line("unusedconnectiontimeout", unused == 0 ? "none" : unused);
    plain(
        ServerKeyword.PERMIT_ROOT_LOGIN,
        ServerKeyword.IGNORE_RHOSTS,
        ServerKeyword.IGNORE_USER_KNOWN_HOSTS,
        ServerKeyword.HOSTBASED_AUTHENTICATION,
        ServerKeyword.HOSTBASED_USES_NAME_FROM_PACKET_ONLY,
        ServerKeyword.PUBKEY_AUTHENTICATION,
        ServerKeyword.KERBEROS_AUTHENTICATION,
        ServerKeyword.KERBEROS_OR_LOCAL_PASSWD,
        ServerKeyword.KERBEROS_TICKET_CLEANUP,
        ServerKeyword.GSSAPI_AUTHENTICATION,
        ServerKeyword.GSSAPI_CLEANUP_CREDENTIALS,
        ServerKeyword.GSSAPI_KEY_EXCHANGE,
        ServerKeyword.GSSAPI_STRICT_ACCEPTOR_CHECK,
        ServerKeyword.GSSAPI_STORE_CREDENTIALS_ON_REKEY,
        ServerKeyword.GSSAPI_KEX_ALGORITHMS,
        ServerKeyword.PASSWORD_AUTHENTICATION,
        ServerKeyword.KBD_INTERACTIVE_AUTHENTICATION,
        ServerKeyword.PRINT_MOTD,
        ServerKeyword.PRINT_LAST_LOG,
        ServerKeyword.X11_FORWARDING,
        ServerKeyword.X11_USE_LOCALHOST,
        ServerKeyword.PERMIT_TTY,
        ServerKeyword.PERMIT_USER_RC,
        ServerKeyword.STRICT_MODES,
        ServerKeyword.TCP_KEEP_ALIVE,
        ServerKeyword.PERMIT_EMPTY_PASSWORDS,
        ServerKeyword.COMPRESSION,
        ServerKeyword.GATEWAY_PORTS,
        ServerKeyword.USE_DNS,
        ServerKeyword.ALLOW_TCP_FORWARDING,
        ServerKeyword.ALLOW_AGENT_FORWARDING,
        ServerKeyword.DISABLE_FORWARDING,
        ServerKeyword.ALLOW_STREAM_LOCAL_FORWARDING,
        ServerKeyword.STREAM_LOCAL_BIND_UNLINK,
        ServerKeyword.FINGERPRINT_HASH,
        ServerKeyword.EXPOSE_AUTH_INFO,
        ServerKeyword.PID_FILE,
        ServerKeyword.MODULI_FILE,
        ServerKeyword.XAUTH_LOCATION);
    algorithms("ciphers", Kind.CIPHER);
    algorithms("macs", Kind.MAC);
    plain(
        ServerKeyword.BANNER,
        ServerKeyword.FORCE_COMMAND,
        ServerKeyword.CHROOT_DIRECTORY,
        ServerKeyword.TRUSTED_USER_CA_KEYS,
        ServerKeyword.REVOKED_KEYS,
        ServerKeyword.SECURITY_KEY_PROVIDER,
        ServerKeyword.AUTHORIZED_PRINCIPALS_FILE,
        ServerKeyword.VERSION_ADDENDUM,
        ServerKeyword.AUTHORIZED_KEYS_COMMAND,
        ServerKeyword.AUTHORIZED_KEYS_COMMAND_USER,
        ServerKeyword.AUTHORIZED_PRINCIPALS_COMMAND,
        ServerKeyword.AUTHORIZED_PRINCIPALS_COMMAND_USER,
        ServerKeyword.HOST_KEY_AGENT);
    algorithms("kexalgorithms", Kind.KEX);
    algorithms("casignaturealgorithms", Kind.CA_SIGNATURE);
    algorithms("hostbasedacceptedalgorithms", Kind.HOSTBASED);
    algorithms("hostkeyalgorithms", Kind.HOST_KEY);
    algorithms("pubkeyacceptedalgorithms", Kind.USER_KEY);
    plain(ServerKeyword.LOG_LEVEL, ServerKeyword.SYSLOG_FACILITY);
    joined(ServerKeyword.AUTHORIZED_KEYS_FILE);
    (config.hostKeys().isEmpty() ? ServerConfig.DEFAULT_HOST_KEYS : config.hostKeys())
        .forEach(file -> line("hostkey", file));
    config.hostCertificates().forEach(file -> line("hostcertificate", file));
    each(
        ServerKeyword.ALLOW_USERS,
        ServerKeyword.DENY_USERS,
        ServerKeyword.ALLOW_GROUPS,
        ServerKeyword.DENY_GROUPS,
        ServerKeyword.ACCEPT_ENV,
        ServerKeyword.SET_ENV);
    joined(ServerKeyword.AUTHENTICATION_METHODS);
    joinedIfAny(ServerKeyword.LOG_VERBOSE);
    joinedIfAny(ServerKeyword.CHANNEL_TIMEOUT);
    each(ServerKeyword.SUBSYSTEM);
    plain(
        ServerKeyword.MAX_STARTUPS,
        ServerKeyword.PER_SOURCE_MAX_STARTUPS,
        ServerKeyword.PER_SOURCE_NET_BLOCK_SIZE,
        ServerKeyword.PERMIT_TUNNEL,
        ServerKeyword.IPQOS,
        ServerKeyword.REKEY_LIMIT);
    joined(ServerKeyword.PERMIT_OPEN);
    joined(ServerKeyword.PERMIT_LISTEN);
    plain(ServerKeyword.PERMIT_USER_ENVIRONMENT);
    var options = (List<?>) config.value(ServerKeyword.PUBKEY_AUTH_OPTIONS);
    line("pubkeyauthoptions", options.isEmpty() ? "none" : joined(options));
    later();
    return out.toString();
  }

  /** What sshd 9.2 doesn't know. */
  private void later() {
    line("persourcepenalties", config.perSourcePenalties());
    plain(
        ServerKeyword.PER_SOURCE_PENALTY_EXEMPT_LIST,
        ServerKeyword.REFUSE_CONNECTION,
        ServerKeyword.ALLOW_NON_STRICT_KEX,
        ServerKeyword.AUDIT_LOG,
        ServerKeyword.AUDIT_FORMAT);
    var denied = config.denyOpen();
    line("denyopen", denied.isEmpty() ? "none" : joined(denied));
    plain(ServerKeyword.DRAIN_TIME, ServerKeyword.PASSWORD_FILE);
    joinedIfAny(ServerKeyword.TUNNEL_USERS);
  }

  /**
   * All addresses to listen on, in the order in which -T shows them. As sshd: of a name with
   * several addresses, the last comes first.
   *
   * @throws UnknownHostException with sshd's message
   */
  public static List<InetSocketAddress> listenAddresses(ServerConfig config)
      throws UnknownHostException {
    var family = config.addressFamily();
    var all = new ArrayList<InetSocketAddress>();
    if (config.listenAddresses().isEmpty()) {
      for (int port : config.ports()) {
        if (!family.equals("inet")) {
          all.add(new InetSocketAddress(InetAddress.getByAddress(new byte[16]), port));
        }
        if (!family.equals("inet6")) {
          all.add(new InetSocketAddress(InetAddress.getByAddress(new byte[4]), port));
        }
      }
      return all;
    }
    for (var listen : config.listenAddresses()) {
      for (int port : listen.port() == 0 ? config.ports() : List.of(listen.port())) {
        for (var address : addresses(listen.host(), family)) {
          all.add(new InetSocketAddress(address, port));
        }
      }
    }
    return all;
  }

  private static String text(InetSocketAddress listen) {
    var address = NetUtil.toAddressString(listen.getAddress());
    return listen.getAddress() instanceof Inet6Address
        ? "[%s]:%d".formatted(address, listen.getPort())
        : "%s:%d".formatted(address, listen.getPort());
  }

  private static List<InetAddress> addresses(String host, String family)
      throws UnknownHostException {
    InetAddress[] found;
    try {
      found = InetAddress.getAllByName(host);
    } catch (UnknownHostException e) {
      throw bad(host, "Name or service not known");
    }
    var fitting =
        new ArrayList<>(
            Arrays.stream(found)
                .filter(
                    address ->
                        family.equals("any")
                            || family.equals("inet6") == (address.getAddress().length == 16))
                .toList());
    if (fitting.isEmpty()) {
      throw bad(host, "Address family for hostname not supported");
    }
    Collections.reverse(fitting);
    return fitting;
  }

  private static UnknownHostException bad(String host, String why) {
    return new UnknownHostException("bad addr or host: %s (%s)".formatted(host, why));
  }

  // --- lines ---

  private void plain(ServerKeyword... keywords) {
    for (var keyword : keywords) {
      line(name(keyword), text(config.value(keyword)));
    }
  }

  /** A value as -T writes it. */
  static String text(Object value) {
    return switch (value) {
      case Boolean flag -> flag ? "yes" : "no";
      // sshd calls its lowest level SILENT here, and QUIET everywhere else.
      case ClientOptions.LogLevel level ->
          switch (level) {
            case QUIET -> "SILENT";
            case DEBUG -> "DEBUG";
            default -> level.name();
          };
      case ClientOptions.IpQos(int interactive, int bulk) ->
          Values.ipqosName(interactive) + " " + Values.ipqosName(bulk);
      case ClientOptions.RekeyLimit(long bytes, int seconds) -> bytes + " " + seconds;
      default -> value.toString();
    };
  }

  private void algorithms(String name, Kind kind) {
    line(name, String.join(",", config.algorithms(kind)));
  }

  private void each(ServerKeyword... keywords) {
    for (var keyword : keywords) {
      for (var value : (List<?>) config.value(keyword)) {
        line(name(keyword), Objects.requireNonNull(value));
      }
    }
  }

  private void joined(ServerKeyword keyword) {
    line(name(keyword), joined((List<?>) config.value(keyword)));
  }

  private void joinedIfAny(ServerKeyword keyword) {
    if (!((List<?>) config.value(keyword)).isEmpty()) {
      joined(keyword);
    }
  }

  private static String joined(List<?> values) {
    return String.join(" ", values.stream().map(Object::toString).toList());
  }

  private static String name(ServerKeyword keyword) {
    return keyword.text().toLowerCase(Locale.ROOT);
  }

  private void line(String name, Object value) {
    out.append(name).append(' ').append(Tokens.printable(value.toString())).append('\n');
  }
}
