package dev.adit.config.server;

import dev.adit.config.AlgorithmList;
import dev.adit.config.AlgorithmNames;
import dev.adit.config.AlgorithmNames.Kind;
import dev.adit.config.ClientOptions;
import dev.adit.config.ConfigException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a server is told: the settings that hold for all connections, or, from {@link
 * #forConnection}, for one. Each accessor is named for its keyword in sshd_config(5) and gives the
 * effective value. Immutable; safe for several threads, and reads no file.
 */
public final class ServerConfig {
  /** Where sshd has its host keys. */
  public static final List<Path> DEFAULT_HOST_KEYS =
      List.of(
          Path.of("/etc/ssh/ssh_host_rsa_key"),
          Path.of("/etc/ssh/ssh_host_ecdsa_key"),
          Path.of("/etc/ssh/ssh_host_ed25519_key"));

  /** For an account that may not listen on ports below 1024, when no file says anything. */
  public static final int UNPRIVILEGED_PORT = 2222;

  /** Where SSH is looked for. */
  public static final int DEFAULT_PORT = 22;

  private final EnumMap<ServerKeyword, Object> values = new EnumMap<>(ServerKeyword.class);
  private final AlgorithmNames names;
  private final List<Directive> directives;
  private final List<String> notes;
  private final EnumMap<Kind, List<String>> algorithms = new EnumMap<>(Kind.class);

  ServerConfig(
      Map<ServerKeyword, Object> values,
      AlgorithmNames names,
      List<Directive> directives,
      List<String> notes)
      throws ConfigException {
    this.values.putAll(values);
    this.names = names;
    this.directives = directives;
    this.notes = notes;
    for (var keyword : ServerKeyword.values()) {
      var kind = kindOf(keyword);
      if (kind != null) {
        var spec = (String) values.get(keyword);
        algorithms.put(
            kind,
            spec == null
                ? names.defaults(kind)
                : algorithms(keyword, spec, kind, names, new ArrayList<>()));
      }
    }
  }

  /**
   * The settings for one connection: Match blocks are applied, of which the first that sets a
   * keyword counts, before what stands outside of them.
   */
  public ServerConfig forConnection(ConnectionFacts facts) {
    try {
      var matched = new ServerSettings();
      apply(directives, new Pass(facts, matched), false, true, false);
      var merged = new EnumMap<>(values);
      merged.putAll(matched.values());
      return new ServerConfig(merged, names, directives, notes);
    } catch (ConfigException e) {
      throw new IllegalStateException("every line was read before", e);
    }
  }

  private record Pass(ConnectionFacts facts, ServerSettings settings) {}

  /**
   * @param isActive whether the first lines count
   * @param isBeforeMatch nothing counts until a Match is met in this very file
   * @param neverMatches the file is included from a block that doesn't match
   */
  private static void apply(
      List<Directive> lines,
      Pass pass,
      boolean isActive,
      boolean isBeforeMatch,
      boolean neverMatches)
      throws ConfigException {
    boolean active = isActive;
    boolean beforeMatch = isBeforeMatch;
    boolean never = neverMatches;
    for (var line : lines) {
      switch (line) {
        case Directive.Setting(var keyword, var value) -> {
          if (active) {
            pass.settings().add(keyword, value);
          }
        }
        case Directive.Match(var criteria) -> {
          active = !never && criteria.matches(pass.facts());
          beforeMatch = false;
        }
        case Directive.Include(var files) -> {
          for (var file : files) {
            apply(file, pass, active, beforeMatch, !beforeMatch && !active);
          }
        }
      }
    }
  }

  /** What to tell about lines that do nothing, each with its place. */
  public List<String> notes() {
    return notes;
  }

  // --- values ---

  /** The value that was set, or null. */
  @Nullable Object explicit(ServerKeyword keyword) {
    return values.get(keyword);
  }

  /** Whether a line or a flag sets it. */
  public boolean isSet(ServerKeyword keyword) {
    return values.containsKey(keyword);
  }

  /** The effective value; the type of it belongs to the keyword. */
  Object value(ServerKeyword keyword) {
    var value = values.get(keyword);
    return Objects.requireNonNull(value == null ? keyword.otherwise() : value, keyword.text());
  }

  private boolean flag(ServerKeyword keyword) {
    return (Boolean) value(keyword);
  }

  private int number(ServerKeyword keyword) {
    return (Integer) value(keyword);
  }

  private String text(ServerKeyword keyword) {
    return (String) value(keyword);
  }

  /** Null for {@code none}. */
  private @Nullable String textOrNull(ServerKeyword keyword) {
    var text = text(keyword);
    return text.equalsIgnoreCase("none") ? null : text;
  }

  private @Nullable Path pathOrNull(ServerKeyword keyword) {
    var text = textOrNull(keyword);
    return text == null ? null : Path.of(text);
  }

  @SuppressWarnings("unchecked") // Each list has elements of one type, which its accessor names.
  private <T> List<T> list(ServerKeyword keyword) {
    return List.copyOf((List<T>) value(keyword));
  }

  // --- listening ---

  /** {@code any}, {@code inet} or {@code inet6}. */
  public String addressFamily() {
    return text(ServerKeyword.ADDRESS_FAMILY);
  }

  /** Never empty. */
  public List<Integer> ports() {
    return values.containsKey(ServerKeyword.PORT)
        ? list(ServerKeyword.PORT)
        : List.of(DEFAULT_PORT);
  }

  /** Empty: on all addresses. */
  public List<ListenAddress> listenAddresses() {
    return list(ServerKeyword.LISTEN_ADDRESS);
  }

  /** Empty when none are named: then {@link #DEFAULT_HOST_KEYS} are looked for. */
  public List<Path> hostKeys() {
    return values.containsKey(ServerKeyword.HOST_KEY) ? paths(ServerKeyword.HOST_KEY) : List.of();
  }

  public List<Path> hostCertificates() {
    return values.containsKey(ServerKeyword.HOST_CERTIFICATE)
        ? paths(ServerKeyword.HOST_CERTIFICATE)
        : List.of();
  }

  private List<Path> paths(ServerKeyword keyword) {
    return this.<String>list(keyword).stream().map(Path::of).toList();
  }

  public @Nullable Path pidFile() {
    return pathOrNull(ServerKeyword.PID_FILE);
  }

  public boolean tcpKeepAlive() {
    return flag(ServerKeyword.TCP_KEEP_ALIVE);
  }

  /** Behind our version in the first line that goes to a client; empty for nothing. */
  public String versionAddendum() {
    return Objects.requireNonNullElse(textOrNull(ServerKeyword.VERSION_ADDENDUM), "");
  }

  // --- limits ---

  /** Seconds; 0 for no limit. */
  public int loginGraceTime() {
    return number(ServerKeyword.LOGIN_GRACE_TIME);
  }

  public int maxAuthTries() {
    return number(ServerKeyword.MAX_AUTH_TRIES);
  }

  public int maxSessions() {
    return number(ServerKeyword.MAX_SESSIONS);
  }

  public MaxStartups maxStartups() {
    return (MaxStartups) value(ServerKeyword.MAX_STARTUPS);
  }

  /** {@link Integer#MAX_VALUE} for none. */
  public int perSourceMaxStartups() {
    var text = textOrNull(ServerKeyword.PER_SOURCE_MAX_STARTUPS);
    return text == null ? Integer.MAX_VALUE : Integer.parseInt(text);
  }

  public NetBlockSize perSourceNetBlockSize() {
    return (NetBlockSize) value(ServerKeyword.PER_SOURCE_NET_BLOCK_SIZE);
  }

  public Penalties perSourcePenalties() {
    return Penalties.of(list(ServerKeyword.PER_SOURCE_PENALTIES));
  }

  /** A list for {@link AddressList}; empty for nobody. */
  public String perSourcePenaltyExemptList() {
    return Objects.requireNonNullElse(textOrNull(ServerKeyword.PER_SOURCE_PENALTY_EXEMPT_LIST), "");
  }

  /** Seconds; 0 for none. */
  public int clientAliveInterval() {
    return number(ServerKeyword.CLIENT_ALIVE_INTERVAL);
  }

  /** 0: a client that doesn't answer is kept. */
  public int clientAliveCountMax() {
    return number(ServerKeyword.CLIENT_ALIVE_COUNT_MAX);
  }

  public List<ChannelTimeout> channelTimeouts() {
    var timeouts = new ArrayList<ChannelTimeout>();
    for (String text : this.<String>list(ServerKeyword.CHANNEL_TIMEOUT)) {
      try {
        timeouts.add(ChannelTimeout.parse(text));
      } catch (ConfigException e) {
        throw new IllegalStateException("was read before", e);
      }
    }
    return timeouts;
  }

  /** Seconds; 0 for never. */
  public int unusedConnectionTimeout() {
    return number(ServerKeyword.UNUSED_CONNECTION_TIMEOUT);
  }

  /** Seconds. */
  public int drainTime() {
    return number(ServerKeyword.DRAIN_TIME);
  }

  // --- algorithms ---

  /** What is offered or taken, in order. */
  public List<String> algorithms(Kind kind) {
    return Objects.requireNonNull(algorithms.get(kind));
  }

  public boolean allowNonStrictKex() {
    return flag(ServerKeyword.ALLOW_NON_STRICT_KEX);
  }

  public boolean compression() {
    return text(ServerKeyword.COMPRESSION).equals("yes");
  }

  public ClientOptions.RekeyLimit rekeyLimit() {
    return (ClientOptions.RekeyLimit) value(ServerKeyword.REKEY_LIMIT);
  }

  /** Bits. */
  public int requiredRsaSize() {
    return number(ServerKeyword.REQUIRED_RSA_SIZE);
  }

  // --- who gets in ---

  public List<String> allowUsers() {
    return list(ServerKeyword.ALLOW_USERS);
  }

  public List<String> denyUsers() {
    return list(ServerKeyword.DENY_USERS);
  }

  public List<String> allowGroups() {
    return list(ServerKeyword.ALLOW_GROUPS);
  }

  public List<String> denyGroups() {
    return list(ServerKeyword.DENY_GROUPS);
  }

  /** Users that exist only here. */
  public List<String> tunnelUsers() {
    return list(ServerKeyword.TUNNEL_USERS);
  }

  /** True: this connection is ended as soon as its user is known. */
  public boolean refuseConnection() {
    return flag(ServerKeyword.REFUSE_CONNECTION);
  }

  /** Lists of methods parted by commas; {@code [any]} when nothing is said. */
  public List<String> authenticationMethods() {
    return list(ServerKeyword.AUTHENTICATION_METHODS);
  }

  public boolean pubkeyAuthentication() {
    return flag(ServerKeyword.PUBKEY_AUTHENTICATION);
  }

  public boolean passwordAuthentication() {
    return flag(ServerKeyword.PASSWORD_AUTHENTICATION);
  }

  public boolean kbdInteractiveAuthentication() {
    return flag(ServerKeyword.KBD_INTERACTIVE_AUTHENTICATION);
  }

  /** Bcrypt hashes of passwords, or null. */
  public @Nullable Path passwordFile() {
    return pathOrNull(ServerKeyword.PASSWORD_FILE);
  }

  /** Who may log in as root. */
  public enum RootLogin {
    YES,
    NO,
    PROHIBIT_PASSWORD,
    FORCED_COMMANDS_ONLY
  }

  public RootLogin permitRootLogin() {
    return switch (text(ServerKeyword.PERMIT_ROOT_LOGIN)) {
      case "yes" -> RootLogin.YES;
      case "no" -> RootLogin.NO;
      case "forced-commands-only" -> RootLogin.FORCED_COMMANDS_ONLY;
      default -> RootLogin.PROHIBIT_PASSWORD;
    };
  }

  public boolean strictModes() {
    return flag(ServerKeyword.STRICT_MODES);
  }

  /** With tokens (%h, %u, %U); relative ones begin at the user's home. Empty for none. */
  public List<String> authorizedKeysFiles() {
    List<String> files = list(ServerKeyword.AUTHORIZED_KEYS_FILE);
    return files.equals(List.of("none")) ? List.of() : files;
  }

  /** With tokens, or null. */
  public @Nullable String authorizedPrincipalsFile() {
    return textOrNull(ServerKeyword.AUTHORIZED_PRINCIPALS_FILE);
  }

  public @Nullable Path trustedUserCaKeys() {
    return pathOrNull(ServerKeyword.TRUSTED_USER_CA_KEYS);
  }

  public @Nullable Path revokedKeys() {
    return pathOrNull(ServerKeyword.REVOKED_KEYS);
  }

  /** Whether the holder of a security key must have touched it. */
  public boolean touchRequired() {
    return list(ServerKeyword.PUBKEY_AUTH_OPTIONS).contains("touch-required");
  }

  /** Whether a security key must have checked a PIN or a finger. */
  public boolean verifyRequired() {
    return list(ServerKeyword.PUBKEY_AUTH_OPTIONS).contains("verify-required");
  }

  /** A file, or null. */
  public @Nullable Path banner() {
    return pathOrNull(ServerKeyword.BANNER);
  }

  // --- what they may do ---

  /** Which directions of forwarding are allowed. */
  public enum Forwarding {
    YES,
    NO,
    LOCAL,
    REMOTE;

    /** From the client to targets here (-L, -D, -W). */
    public boolean allowsLocal() {
      return this == YES || this == LOCAL;
    }

    /** Listeners here (-R). */
    public boolean allowsRemote() {
      return this == YES || this == REMOTE;
    }
  }

  /** With DisableForwarding looked at. */
  public Forwarding allowTcpForwarding() {
    return forwarding(ServerKeyword.ALLOW_TCP_FORWARDING);
  }

  /** With DisableForwarding looked at. */
  public Forwarding allowStreamLocalForwarding() {
    return forwarding(ServerKeyword.ALLOW_STREAM_LOCAL_FORWARDING);
  }

  private Forwarding forwarding(ServerKeyword keyword) {
    if (disableForwarding()) {
      return Forwarding.NO;
    }
    return switch (text(keyword)) {
      case "yes" -> Forwarding.YES;
      case "local" -> Forwarding.LOCAL;
      case "remote" -> Forwarding.REMOTE;
      default -> Forwarding.NO;
    };
  }

  /** With DisableForwarding looked at. */
  public boolean allowAgentForwarding() {
    return !disableForwarding() && flag(ServerKeyword.ALLOW_AGENT_FORWARDING);
  }

  public boolean disableForwarding() {
    return flag(ServerKeyword.DISABLE_FORWARDING);
  }

  /** Where listeners of remote forwardings may be. */
  public enum GatewayPorts {
    /** On loopback. */
    NO,
    /** On all addresses. */
    YES,
    /** Where the client asks for. */
    CLIENT_SPECIFIED
  }

  public GatewayPorts gatewayPorts() {
    return switch (text(ServerKeyword.GATEWAY_PORTS)) {
      case "yes" -> GatewayPorts.YES;
      case "clientspecified" -> GatewayPorts.CLIENT_SPECIFIED;
      default -> GatewayPorts.NO;
    };
  }

  /** Null for any target, empty for none. */
  public @Nullable List<HostPort> permitOpen() {
    return permits(ServerKeyword.PERMIT_OPEN);
  }

  /** Null for any address, empty for none. */
  public @Nullable List<HostPort> permitListen() {
    return permits(ServerKeyword.PERMIT_LISTEN);
  }

  private @Nullable List<HostPort> permits(ServerKeyword keyword) {
    List<String> words = list(keyword);
    if (words.equals(List.of("any"))) {
      return null;
    }
    var permits = new ArrayList<HostPort>();
    if (!words.equals(List.of("none"))) {
      for (var word : words) {
        try {
          permits.add(HostPort.parse(keyword.text(), word));
        } catch (ConfigException e) {
          throw new IllegalStateException("was read before", e);
        }
      }
    }
    return permits;
  }

  /**
   * Addresses that nothing is forwarded to unless PermitOpen names the target: CIDR blocks, and
   * {@code link-local}, {@code loopback}, {@code metadata}, {@code multicast}, {@code private}.
   */
  public List<String> denyOpen() {
    return list(ServerKeyword.DENY_OPEN);
  }

  /** Permission bits that a listening Unix socket doesn't get. */
  public int streamLocalBindMask() {
    return number(ServerKeyword.STREAM_LOCAL_BIND_MASK);
  }

  public boolean streamLocalBindUnlink() {
    return flag(ServerKeyword.STREAM_LOCAL_BIND_UNLINK);
  }

  public boolean permitTty() {
    return flag(ServerKeyword.PERMIT_TTY);
  }

  /** A command line for the user's shell, or null. */
  public @Nullable String forceCommand() {
    return textOrNull(ServerKeyword.FORCE_COMMAND);
  }

  /** Patterns of names. */
  public List<String> acceptEnv() {
    return list(ServerKeyword.ACCEPT_ENV);
  }

  public Map<String, String> setEnv() {
    var variables = new LinkedHashMap<String, String>();
    for (String text : this.<String>list(ServerKeyword.SET_ENV)) {
      int equals = text.indexOf('=');
      variables.put(text.substring(0, equals), text.substring(equals + 1));
    }
    return variables;
  }

  /** {@code yes}, {@code no} or patterns of names that {@code environment=} may set. */
  public String permitUserEnvironment() {
    return text(ServerKeyword.PERMIT_USER_ENVIRONMENT);
  }

  public List<Subsystem> subsystems() {
    return list(ServerKeyword.SUBSYSTEM);
  }

  // --- logs ---

  public ClientOptions.LogLevel logLevel() {
    return (ClientOptions.LogLevel) value(ServerKeyword.LOG_LEVEL);
  }

  /** {@code AUTH} and the like. */
  public String syslogFacility() {
    return text(ServerKeyword.SYSLOG_FACILITY);
  }

  /** {@code SHA256} or {@code MD5}. */
  public String fingerprintHash() {
    return text(ServerKeyword.FINGERPRINT_HASH);
  }

  public @Nullable Path auditLog() {
    return pathOrNull(ServerKeyword.AUDIT_LOG);
  }

  public boolean auditsAsJson() {
    return text(ServerKeyword.AUDIT_FORMAT).equals("json");
  }

  // --- checks and lists ---

  /**
   * As sshd: a list of methods of which one is off can't be completed, and one list that can be is
   * needed.
   */
  void refuseImpossibleMethods() throws ConfigException {
    var lists = authenticationMethods();
    if (lists.equals(List.of("any"))) {
      return;
    }
    var problems = new ArrayList<String>();
    for (var list : lists) {
      for (var method : list.split(",", -1)) {
        int colon = method.indexOf(':');
        if (!isEnabled(colon < 0 ? method : method.substring(0, colon))) {
          problems.add(
              "Disabled method \"%s\" in AuthenticationMethods list \"%s\""
                  .formatted(method, list));
          break;
        }
      }
    }
    if (problems.size() == lists.size()) {
      problems.add("AuthenticationMethods cannot be satisfied by enabled authentication methods");
      throw new ConfigException(String.join("\n", problems));
    }
  }

  private boolean isEnabled(String method) {
    return switch (method) {
      case "publickey" -> pubkeyAuthentication();
      case "password" -> passwordAuthentication();
      case "keyboard-interactive" -> kbdInteractiveAuthentication();
      default -> false;
    };
  }

  /** The kind of list that a keyword sets, or null for other keywords. */
  static @Nullable Kind kindOf(ServerKeyword keyword) {
    return switch (keyword) {
      case CIPHERS -> Kind.CIPHER;
      case MACS -> Kind.MAC;
      case KEX_ALGORITHMS -> Kind.KEX;
      case HOST_KEY_ALGORITHMS -> Kind.HOST_KEY;
      case PUBKEY_ACCEPTED_ALGORITHMS -> Kind.USER_KEY;
      case CA_SIGNATURE_ALGORITHMS -> Kind.CA_SIGNATURE;
      case HOSTBASED_ACCEPTED_ALGORITHMS -> Kind.HOSTBASED;
      default -> null;
    };
  }

  static List<String> algorithms(
      ServerKeyword keyword, String spec, Kind kind, AlgorithmNames names, List<String> notes)
      throws ConfigException {
    try {
      return AlgorithmList.assemble(keyword.text(), spec, names, kind, notes);
    } catch (ConfigException e) {
      // sshd and ssh write this one differently.
      throw new ConfigException(
          String.valueOf(e.getMessage()).replace("Bad SSH2 MAC spec", "Bad SSH2 mac spec"), e);
    }
  }
}
