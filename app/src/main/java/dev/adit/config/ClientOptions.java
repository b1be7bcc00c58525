package dev.adit.config;

import dev.adit.ssh.Destination;
import dev.adit.ssh.ForwardSpec;
import dev.adit.ssh.Target;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Everything that a client run needs to know: the command line, the configuration files and the
 * defaults, put together and expanded. Immutable. Unless a method says otherwise its default is
 * that of ssh_config(5).
 */
public final class ClientOptions {
  public static final int DEFAULT_PORT = 22;

  /**
   * Unlike ssh's, which is 0: a dead connection is noticed within 45 seconds, after three of these.
   */
  public static final int DEFAULT_ALIVE_INTERVAL = 15;

  static final List<String> DEFAULT_IDENTITY_FILES =
      List.of(
          "~/.ssh/id_rsa",
          "~/.ssh/id_ecdsa",
          "~/.ssh/id_ecdsa_sk",
          "~/.ssh/id_ed25519",
          "~/.ssh/id_ed25519_sk");

  static final List<String> DEFAULT_USER_KNOWN_HOSTS =
      List.of("~/.ssh/known_hosts", "~/.ssh/known_hosts2");

  static final List<String> DEFAULT_GLOBAL_KNOWN_HOSTS =
      List.of("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2");

  // --- what values look like ---

  /** Which of IPv4 and IPv6 may be used. */
  public enum AddressFamily {
    ANY,
    INET,
    INET6
  }

  /** What to do about a host key that is new or has changed. */
  public enum StrictHostKeyChecking {
    /** New ones are refused, changed ones too. */
    YES,
    /** Everything is accepted, changed ones with a warning and without passwords. */
    NO,
    /** New ones are asked about, changed ones refused. */
    ASK,
    /** New ones are accepted, changed ones refused. */
    ACCEPT_NEW
  }

  /** A choice between yes, no and a question. */
  public enum YesNoAsk {
    YES,
    NO,
    ASK
  }

  /** When to ask for a terminal at the other end. */
  public enum RequestTty {
    /** When there is no command, and standard input is a terminal. */
    AUTO,
    /** Never. */
    NO,
    /** Also with a command, if standard input is a terminal. */
    YES,
    /** Always. */
    FORCE
  }

  /** What to start at the other end. */
  public enum SessionType {
    /** A shell, or the command. */
    DEFAULT,
    /** Nothing: forwardings only. */
    NONE,
    /** The subsystem that the command names. */
    SUBSYSTEM
  }

  /** How much to say. */
  public enum LogLevel {
    QUIET,
    FATAL,
    ERROR,
    INFO,
    VERBOSE,
    DEBUG,
    DEBUG2,
    DEBUG3
  }

  /**
   * When to exchange keys again.
   *
   * @param bytes after that many each way; 0 leaves it to the cipher (RFC 4344)
   * @param seconds after that time; 0 for never
   */
  public record RekeyLimit(long bytes, int seconds) {
    /** As in ssh: less than a cipher block makes no progress. */
    public static final long LEAST_BYTES = 16;
  }

  /**
   * The type-of-service byte of the connection's packets.
   *
   * @param interactive for sessions with a terminal
   * @param bulk for all others
   */
  public record IpQos(int interactive, int bulk) {
    /** Leave the byte to the operating system. */
    public static final int NONE = -1;
  }

  /**
   * Whether keys that were loaded from files go to the agent.
   *
   * @param seconds how long they stay there; 0 for ever
   */
  public record AddKeys(Mode mode, int seconds) {
    /** Whether, and with whose consent. */
    public enum Mode {
      NO,
      YES,
      /** Ask before adding. */
      ASK,
      /** Have the agent ask before each use. */
      CONFIRM
    }
  }

  private final EnumMap<Keyword, Object> values;
  private final String originalHost;
  private final String host;
  private final String localUser;
  private final List<String> command;
  private final @Nullable Target stdioForward;
  private final @Nullable String logFile;
  private final List<Path> identityFiles;
  private final List<Path> certificateFiles;
  private final Map<AlgorithmNames.Kind, List<String>> algorithms;
  private final @Nullable Path revokedHostKeys;
  private final Tokens tokens;
  private final List<String> notes;
  private final @Nullable String configFile;
  private final @Nullable String shellProxyCommand;
  private final @Nullable String shellLocalCommand;

  ClientOptions(
      Map<Keyword, Object> values,
      String originalHost,
      String host,
      String localUser,
      CommandLine commandLine,
      List<Path> identityFiles,
      List<Path> certificateFiles,
      Map<AlgorithmNames.Kind, List<String>> algorithms,
      @Nullable Path revokedHostKeys,
      Tokens tokens,
      List<String> notes)
      throws ConfigException {
    this.values = new EnumMap<>(Keyword.class);
    this.values.putAll(values);
    this.originalHost = originalHost;
    this.host = host;
    this.localUser = localUser;
    this.command = commandLine.command();
    this.stdioForward = commandLine.stdioForward();
    this.logFile = commandLine.logFile();
    this.configFile = commandLine.configFile();
    this.identityFiles = List.copyOf(identityFiles);
    this.certificateFiles = List.copyOf(certificateFiles);
    this.algorithms = Map.copyOf(algorithms);
    this.revokedHostKeys = revokedHostKeys;
    this.tokens = tokens;
    this.notes = List.copyOf(notes);
    var proxyCommand = textOrNull(Keyword.PROXY_COMMAND);
    this.shellProxyCommand =
        proxyCommand == null
            ? null
            : tokens.expandForShell("ProxyCommand", proxyCommand, Tokens.PROXY);
    var localCommand =
        flag(Keyword.PERMIT_LOCAL_COMMAND, false) ? textOrNull(Keyword.LOCAL_COMMAND) : null;
    this.shellLocalCommand =
        localCommand == null
            ? null
            : tokens.expandForShell("LocalCommand", localCommand, Tokens.LOCAL_COMMAND);
  }

  // --- where to ---

  /** The host as it stood on the command line. */
  public String originalHost() {
    return originalHost;
  }

  /** The host to connect to: after Hostname and canonicalization, in lower case. */
  public String host() {
    return host;
  }

  public int port() {
    return number(Keyword.PORT, DEFAULT_PORT);
  }

  /** The account there; by default the local one's name. */
  public String user() {
    return text(Keyword.USER, localUser);
  }

  public AddressFamily addressFamily() {
    return switch (text(Keyword.ADDRESS_FAMILY, "any")) {
      case "inet" -> AddressFamily.INET;
      case "inet6" -> AddressFamily.INET6;
      default -> AddressFamily.ANY;
    };
  }

  /** The local address to connect from, or null. */
  public @Nullable String bindAddress() {
    return textOrNull(Keyword.BIND_ADDRESS);
  }

  public int connectionAttempts() {
    return number(Keyword.CONNECTION_ATTEMPTS, 1);
  }

  /** For the connection and the handshake together; null when none was asked for. */
  public @Nullable Duration connectTimeout() {
    int seconds = number(Keyword.CONNECT_TIMEOUT, -1);
    return seconds <= 0 ? null : Duration.ofSeconds(seconds);
  }

  public boolean tcpKeepAlive() {
    return flag(Keyword.TCP_KEEP_ALIVE, true);
  }

  public IpQos ipQos() {
    return get(Keyword.IPQOS, new IpQos(0x10, 0x08));
  }

  /** Hops before the destination, in the order of travel; empty without ProxyJump. */
  public List<Destination> proxyJump() {
    return get(Keyword.PROXY_JUMP, List.<Destination>of());
  }

  /** The command for the shell whose standard streams are the connection, expanded, or null. */
  public @Nullable String proxyCommand() {
    return shellProxyCommand;
  }

  // --- the transport ---

  /** The names to offer, in order; never empty. */
  public List<String> algorithms(AlgorithmNames.Kind kind) {
    return Objects.requireNonNull(algorithms.get(kind));
  }

  /** True when the host key algorithms are ours, and so may be put in the order of known keys. */
  public boolean hasDefaultHostKeyAlgorithms() {
    return !values.containsKey(Keyword.HOST_KEY_ALGORITHMS);
  }

  /** Whether a server without strict key exchange may agree on what Terrapin can exploit. */
  public boolean allowNonStrictKex() {
    return flag(Keyword.ALLOW_NON_STRICT_KEX, false);
  }

  public boolean compression() {
    return flag(Keyword.COMPRESSION, false);
  }

  public RekeyLimit rekeyLimit() {
    return get(Keyword.REKEY_LIMIT, new RekeyLimit(0, 0));
  }

  /** Seconds between questions to a silent server; 0 for none. Default 15, where ssh has 0. */
  public int serverAliveInterval() {
    return Math.max(0, number(Keyword.SERVER_ALIVE_INTERVAL, DEFAULT_ALIVE_INTERVAL));
  }

  /** How many questions may stay unanswered. */
  public int serverAliveCountMax() {
    return number(Keyword.SERVER_ALIVE_COUNT_MAX, 3);
  }

  // --- the server's key ---

  public StrictHostKeyChecking strictHostKeyChecking() {
    return switch (text(Keyword.STRICT_HOST_KEY_CHECKING, "ask")) {
      case "true" -> StrictHostKeyChecking.YES;
      case "false" -> StrictHostKeyChecking.NO;
      case "accept-new" -> StrictHostKeyChecking.ACCEPT_NEW;
      default -> StrictHostKeyChecking.ASK;
    };
  }

  /** The first one is written to; empty for {@code none}. */
  public List<Path> userKnownHostsFiles() {
    return paths(get(Keyword.USER_KNOWN_HOSTS_FILE, List.<String>of()));
  }

  public List<Path> globalKnownHostsFiles() {
    return paths(get(Keyword.GLOBAL_KNOWN_HOSTS_FILE, DEFAULT_GLOBAL_KNOWN_HOSTS));
  }

  /** A command that prints more known_hosts lines, with its tokens, or null. */
  public @Nullable String knownHostsCommand() {
    return textOrNull(Keyword.KNOWN_HOSTS_COMMAND);
  }

  /** A file of keys that are refused, or null. */
  public @Nullable Path revokedHostKeys() {
    return revokedHostKeys;
  }

  public boolean hashKnownHosts() {
    return flag(Keyword.HASH_KNOWN_HOSTS, false);
  }

  /** The name under which the host key is known, in lower case, or null. */
  public @Nullable String hostKeyAlias() {
    return textOrNull(Keyword.HOST_KEY_ALIAS);
  }

  public boolean checkHostIp() {
    return flag(Keyword.CHECK_HOST_IP, false);
  }

  public boolean noHostAuthenticationForLocalhost() {
    return flag(Keyword.NO_HOST_AUTHENTICATION_FOR_LOCALHOST, false);
  }

  /**
   * Whether to learn the server's other keys. By default yes, unless other known_hosts files are
   * set or VerifyHostKeyDNS is used.
   */
  public YesNoAsk updateHostKeys() {
    return switch (text(Keyword.UPDATE_HOST_KEYS, "false")) {
      case "true" -> YesNoAsk.YES;
      case "ask" -> YesNoAsk.ASK;
      default -> YesNoAsk.NO;
    };
  }

  /** Whether to draw a picture of the server's key. */
  public boolean visualHostKey() {
    return flag(Keyword.VISUAL_HOST_KEY, false);
  }

  /** {@code SHA256} or {@code MD5}. */
  public String fingerprintHash() {
    return text(Keyword.FINGERPRINT_HASH, "SHA256");
  }

  /** Bits; smaller keys of either side are refused. Default 2048, where ssh has 1024. */
  public int requiredRsaSize() {
    return number(Keyword.REQUIRED_RSA_SIZE, 2048);
  }

  // --- login ---

  /** Methods in the order in which they are tried. */
  public List<String> preferredAuthentications() {
    return List.of(
        text(Keyword.PREFERRED_AUTHENTICATIONS, "publickey,keyboard-interactive,password")
            .split(","));
  }

  public boolean pubkeyAuthentication() {
    return !text(Keyword.PUBKEY_AUTHENTICATION, "true").equals("false");
  }

  public boolean passwordAuthentication() {
    return flag(Keyword.PASSWORD_AUTHENTICATION, true);
  }

  public boolean kbdInteractiveAuthentication() {
    return flag(Keyword.KBD_INTERACTIVE_AUTHENTICATION, true);
  }

  /** The submethods to ask for, parted by commas; empty for the server's choice. */
  public String kbdInteractiveDevices() {
    return text(Keyword.KBD_INTERACTIVE_DEVICES, "");
  }

  public int numberOfPasswordPrompts() {
    return number(Keyword.NUMBER_OF_PASSWORD_PROMPTS, 3);
  }

  /** Never ask anything. */
  public boolean batchMode() {
    return flag(Keyword.BATCH_MODE, false);
  }

  /** Private keys to try, expanded, in order. Those that are missing are no error. */
  public List<Path> identityFiles() {
    return identityFiles;
  }

  /** True when the identity files were asked for, so that a missing one deserves a word. */
  public boolean hasExplicitIdentityFiles() {
    return values.containsKey(Keyword.IDENTITY_FILE);
  }

  public List<Path> certificateFiles() {
    return certificateFiles;
  }

  /** Use no key of the agent's that isn't also in a file. */
  public boolean identitiesOnly() {
    return flag(Keyword.IDENTITIES_ONLY, false);
  }

  /**
   * The agent's socket: null when none is to be used or SSH_AUTH_SOCK is not set.
   *
   * @param environment the process' environment variables
   */
  public @Nullable Path identityAgent(Map<String, String> environment) {
    var agent = text(Keyword.IDENTITY_AGENT, "SSH_AUTH_SOCK");
    if (agent.equals("none")) {
      return null;
    }
    if (agent.equals("SSH_AUTH_SOCK")) {
      return socketPath(environment.get("SSH_AUTH_SOCK"));
    }
    return agent.startsWith("$")
        ? socketPath(environment.get(agent.substring(1)))
        : socketPath(agent);
  }

  private static @Nullable Path socketPath(@Nullable String path) {
    return path == null || path.isEmpty() ? null : Path.of(path);
  }

  public AddKeys addKeysToAgent() {
    return get(Keyword.ADD_KEYS_TO_AGENT, new AddKeys(AddKeys.Mode.NO, 0));
  }

  // --- the session ---

  /**
   * What to run there: the command line's words joined by spaces, or RemoteCommand, or null. With
   * {@link SessionType#SUBSYSTEM} it is the subsystem's name.
   */
  public @Nullable String command() {
    return command.isEmpty() ? textOrNull(Keyword.REMOTE_COMMAND) : String.join(" ", command);
  }

  public SessionType sessionType() {
    return switch (text(Keyword.SESSION_TYPE, "default")) {
      case "none" -> SessionType.NONE;
      case "subsystem" -> SessionType.SUBSYSTEM;
      default -> SessionType.DEFAULT;
    };
  }

  public RequestTty requestTty() {
    return switch (text(Keyword.REQUEST_TTY, "auto")) {
      case "true" -> RequestTty.YES;
      case "false" -> RequestTty.NO;
      case "force" -> RequestTty.FORCE;
      default -> RequestTty.AUTO;
    };
  }

  /** Read nothing from standard input; in the background always. */
  public boolean stdinNull() {
    return flag(Keyword.STDIN_NULL, false) || forkAfterAuthentication();
  }

  public boolean forkAfterAuthentication() {
    return flag(Keyword.FORK_AFTER_AUTHENTICATION, false);
  }

  /** The character that begins an escape, or -1 for none. */
  public int escapeChar() {
    return number(Keyword.ESCAPE_CHAR, '~');
  }

  /** Patterns of variables to send. */
  public List<String> sendEnv() {
    return get(Keyword.SEND_ENV, List.<String>of());
  }

  /** {@code NAME=value}, to be sent as they are. */
  public List<String> setEnv() {
    return get(Keyword.SET_ENV, List.<String>of());
  }

  /**
   * The variables to send: those of the environment that SendEnv names, and SetEnv's, which win.
   */
  public Map<String, String> sentEnvironment(Map<String, String> environment) {
    var sent = new LinkedHashMap<String, String>();
    environment.forEach(
        (name, value) -> {
          if (sendEnv().stream().anyMatch(pattern -> Patterns.matches(name, pattern))) {
            sent.put(name, value);
          }
        });
    for (String assignment : setEnv()) {
      int equals = assignment.indexOf('=');
      if (equals > 0) {
        sent.put(assignment.substring(0, equals), assignment.substring(equals + 1));
      }
    }
    return sent;
  }

  /**
   * The command to run with the local shell after the login, expanded, or null: also without
   * PermitLocalCommand.
   */
  public @Nullable String localCommand() {
    return shellLocalCommand;
  }

  // --- forwardings ---

  /** LocalForward and -L; empty with ClearAllForwardings. */
  public List<ForwardSpec> localForwards() {
    return forwards(Keyword.LOCAL_FORWARD);
  }

  /** RemoteForward and -R, with and without a target; empty with ClearAllForwardings. */
  public List<ForwardSpec> remoteForwards() {
    return forwards(Keyword.REMOTE_FORWARD);
  }

  /** DynamicForward and -D; empty with ClearAllForwardings. */
  public List<ForwardSpec> dynamicForwards() {
    return forwards(Keyword.DYNAMIC_FORWARD);
  }

  private List<ForwardSpec> forwards(Keyword keyword) {
    return get(keyword, List.<ForwardSpec>of());
  }

  /** {@code -W}: standard input and output become this channel. */
  public @Nullable Target stdioForward() {
    return stdioForward;
  }

  /**
   * Where clients of a remote dynamic forwarding may go, {@code host:port} with {@code *} for
   * either; {@code any} or {@code none} alone.
   */
  public List<String> permitRemoteOpen() {
    return get(Keyword.PERMIT_REMOTE_OPEN, List.of("any"));
  }

  /** Whether forwardings without a bind address listen on all interfaces. */
  public boolean gatewayPorts() {
    return flag(Keyword.GATEWAY_PORTS, false);
  }

  public boolean exitOnForwardFailure() {
    return flag(Keyword.EXIT_ON_FORWARD_FAILURE, false);
  }

  /** The umask under which Unix sockets are made. */
  public int streamLocalBindMask() {
    return number(Keyword.STREAM_LOCAL_BIND_MASK, 0177);
  }

  public boolean streamLocalBindUnlink() {
    return flag(Keyword.STREAM_LOCAL_BIND_UNLINK, false);
  }

  public boolean forwardAgent() {
    return !text(Keyword.FORWARD_AGENT, "no").equals("no");
  }

  /**
   * The socket of the agent to forward: that of ForwardAgent, or the one we use ourselves.
   *
   * @param environment the process' environment variables
   */
  public @Nullable Path forwardedAgent(Map<String, String> environment) {
    var agent = text(Keyword.FORWARD_AGENT, "no");
    return switch (agent) {
      case "no" -> null;
      case "yes" -> identityAgent(environment);
      default ->
          agent.startsWith("$")
              ? socketPath(environment.get(agent.substring(1)))
              : socketPath(agent);
    };
  }

  // --- talking to the user ---

  public LogLevel logLevel() {
    return get(Keyword.LOG_LEVEL, LogLevel.INFO);
  }

  /** {@code -E}: where the log is appended to, or null for standard error. */
  public @Nullable String logFile() {
    return logFile;
  }

  /** {@code -F}: for jump hosts, whose configuration comes from the same file. Null for ours. */
  public @Nullable String configFile() {
    return configFile;
  }

  /** What to tell at -v: keywords that are accepted and do nothing yet. One line each. */
  public List<String> notes() {
    return notes;
  }

  /** The tokens of this destination, for what can be expanded only later (KnownHostsCommand). */
  public Tokens tokens() {
    return tokens;
  }

  // --- the values behind ---

  boolean has(Keyword keyword) {
    return values.containsKey(keyword);
  }

  @Nullable Object value(Keyword keyword) {
    return values.get(keyword);
  }

  private boolean flag(Keyword keyword, boolean otherwise) {
    return get(keyword, otherwise);
  }

  private int number(Keyword keyword, int otherwise) {
    return get(keyword, otherwise);
  }

  private String text(Keyword keyword, String otherwise) {
    return get(keyword, otherwise);
  }

  private @Nullable String textOrNull(Keyword keyword) {
    return (String) values.get(keyword);
  }

  /** The keyword's reader yields nothing but the type of its default. */
  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  private <T> T get(Keyword keyword, T otherwise) {
    var value = values.get(keyword);
    if (value == null) {
      return otherwise;
    }
    return value instanceof List<?> list ? (T) List.copyOf(list) : (T) value;
  }

  private static List<Path> paths(List<String> names) {
    var paths = new ArrayList<Path>();
    for (var name : names) {
      if (!name.equalsIgnoreCase("none")) {
        paths.add(Path.of(name));
      }
    }
    return List.copyOf(paths);
  }

  /** A jump list as it is written; empty for none. */
  static String jumpText(@Nullable Object jumps) {
    return jumps instanceof List<?> hops
        ? hops.stream().map(Object::toString).collect(Collectors.joining(","))
        : "";
  }
}
