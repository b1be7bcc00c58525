package dev.adit.config;

import dev.adit.ssh.ForwardSpec;
import dev.adit.ssh.Listen;
import dev.adit.ssh.Target;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What {@code -G} prints: the effective settings in the order and the words of {@code ssh -G} of
 * OpenSSH 9.2, so that programs which read that can read this. Keywords of later versions are
 * printed behind the others of their kind, when they are set.
 */
public final class ConfigDump {
  private final ClientOptions options;
  private final StringBuilder out = new StringBuilder();

  private ConfigDump(ClientOptions options) {
    this.options = options;
  }

  /** The settings, one a line. */
  public static String of(ClientOptions options) {
    return new ConfigDump(options).dump();
  }

  private String dump() {
    line("host", options.originalHost());
    line("user", options.user());
    line("hostname", options.host());
    line("port", options.port());
    choices();
    numbers();
    texts();
    forwards();
    lists();
    oddities();
    return out.toString();
  }

  private void choices() {
    word(Keyword.ADDRESS_FAMILY, "any");
    flag(Keyword.BATCH_MODE, false);
    flag(Keyword.CANONICALIZE_FALLBACK_LOCAL, true);
    word(Keyword.CANONICALIZE_HOSTNAME, "false");
    flag(Keyword.CHECK_HOST_IP, false);
    flag(Keyword.COMPRESSION, false);
    word(Keyword.CONTROL_MASTER, "false");
    flag(Keyword.ENABLE_SSH_KEYSIGN, false);
    flag(Keyword.CLEAR_ALL_FORWARDINGS, false);
    flag(Keyword.EXIT_ON_FORWARD_FAILURE, false);
    word(Keyword.FINGERPRINT_HASH, "SHA256");
    flag(Keyword.FORWARD_X11, false);
    flag(Keyword.FORWARD_X11_TRUSTED, true);
    flag(Keyword.GATEWAY_PORTS, false);
    flag(Keyword.GSSAPI_AUTHENTICATION, false);
    flag(Keyword.GSSAPI_KEY_EXCHANGE, false);
    flag(Keyword.GSSAPI_DELEGATE_CREDENTIALS, false);
    flag(Keyword.GSSAPI_TRUST_DNS, false);
    flag(Keyword.GSSAPI_RENEWAL_FORCES_REKEY, false);
    wordIfSet(Keyword.GSSAPI_CLIENT_IDENTITY);
    wordIfSet(Keyword.GSSAPI_SERVER_IDENTITY);
    wordIfSet(Keyword.GSSAPI_KEX_ALGORITHMS);
    flag(Keyword.HASH_KNOWN_HOSTS, false);
    flag(Keyword.HOSTBASED_AUTHENTICATION, false);
    flag(Keyword.IDENTITIES_ONLY, false);
    flag(Keyword.KBD_INTERACTIVE_AUTHENTICATION, true);
    flag(Keyword.NO_HOST_AUTHENTICATION_FOR_LOCALHOST, false);
    flag(Keyword.PASSWORD_AUTHENTICATION, true);
    flag(Keyword.PERMIT_LOCAL_COMMAND, false);
    flag(Keyword.PROXY_USE_FDPASS, false);
    word(Keyword.PUBKEY_AUTHENTICATION, "true");
    word(Keyword.REQUEST_TTY, "auto");
    word(Keyword.SESSION_TYPE, "default");
    flag(Keyword.STDIN_NULL, false);
    flag(Keyword.FORK_AFTER_AUTHENTICATION, false);
    flag(Keyword.STREAM_LOCAL_BIND_UNLINK, false);
    word(Keyword.STRICT_HOST_KEY_CHECKING, "ask");
    flag(Keyword.TCP_KEEP_ALIVE, true);
    word(Keyword.TUNNEL, "false");
    word(Keyword.VERIFY_HOST_KEY_DNS, "false");
    flag(Keyword.VISUAL_HOST_KEY, false);
    word(Keyword.UPDATE_HOST_KEYS, "false");
    flag(Keyword.ENABLE_ESCAPE_COMMANDLINE, false);
    wordIfSet(Keyword.WARN_WEAK_CRYPTO);
  }

  private void numbers() {
    number(Keyword.CANONICALIZE_MAX_DOTS, 1);
    number(Keyword.CONNECTION_ATTEMPTS, 1);
    number(Keyword.FORWARD_X11_TIMEOUT, 1200);
    number(Keyword.NUMBER_OF_PASSWORD_PROMPTS, 3);
    number(Keyword.SERVER_ALIVE_COUNT_MAX, 3);
    line("serveraliveinterval", options.serverAliveInterval());
    number(Keyword.REQUIRED_RSA_SIZE, 2048);
    wordIfSet(Keyword.OBSCURE_KEYSTROKE_TIMING);
  }

  private void texts() {
    wordIfSet(Keyword.BIND_ADDRESS);
    wordIfSet(Keyword.BIND_INTERFACE);
    algorithms(AlgorithmNames.Kind.CIPHER);
    wordIfSet(Keyword.CONTROL_PATH);
    algorithms(AlgorithmNames.Kind.HOST_KEY);
    wordIfSet(Keyword.HOST_KEY_ALIAS);
    algorithms(AlgorithmNames.Kind.HOSTBASED);
    wordIfSet(Keyword.IDENTITY_AGENT);
    wordIfSet(Keyword.IGNORE_UNKNOWN);
    wordIfSet(Keyword.KBD_INTERACTIVE_DEVICES);
    algorithms(AlgorithmNames.Kind.KEX);
    algorithms(AlgorithmNames.Kind.CA_SIGNATURE);
    wordIfSet(Keyword.LOCAL_COMMAND);
    wordIfSet(Keyword.REMOTE_COMMAND);
    // ssh calls its lowest level SILENT here, and QUIET everywhere else.
    var level = options.logLevel();
    line("loglevel", level == ClientOptions.LogLevel.QUIET ? "SILENT" : level.name());
    algorithms(AlgorithmNames.Kind.MAC);
    wordIfSet(Keyword.PKCS11_PROVIDER);
    word(Keyword.SECURITY_KEY_PROVIDER, "internal");
    wordIfSet(Keyword.PREFERRED_AUTHENTICATIONS);
    algorithms(AlgorithmNames.Kind.USER_KEY);
    wordIfSet(Keyword.REVOKED_HOST_KEYS);
    word(Keyword.XAUTH_LOCATION, "/usr/bin/xauth");
    wordIfSet(Keyword.KNOWN_HOSTS_COMMAND);
    wordIfSet(Keyword.TAG);
    wordIfSet(Keyword.VERSION_ADDENDUM);
  }

  private void forwards() {
    for (var forward : options.dynamicForwards()) {
      line("dynamicforward", listen(forward.listen()));
    }
    for (var forward : options.localForwards()) {
      line("localforward", listen(forward.listen()) + " " + target(forward));
    }
    for (var forward : options.remoteForwards()) {
      line("remoteforward", listen(forward.listen()) + " " + target(forward));
    }
  }

  private static String listen(Listen listen) {
    return switch (listen) {
      case Listen.Tcp(var address, var port) ->
          address == null ? Integer.toString(port) : "[%s]:%d".formatted(address, port);
      case Listen.Unix(var path) -> path;
    };
  }

  private static String target(ForwardSpec forward) {
    return switch (forward) {
      case ForwardSpec.Local(_, var target) -> target(target);
      case ForwardSpec.Remote(_, var target) -> target(target);
      case ForwardSpec.RemoteDynamic _ -> "[socks]:0";
      case ForwardSpec.Dynamic _ -> "";
    };
  }

  private static String target(Target target) {
    return switch (target) {
      case Target.Tcp(var host, var port) -> "[%s]:%d".formatted(host, port);
      case Target.Unix(var path) -> path;
    };
  }

  private void lists() {
    each(Keyword.IDENTITY_FILE, ClientOptions.DEFAULT_IDENTITY_FILES);
    joined(Keyword.CANONICAL_DOMAINS, List.of("none"), " ");
    each(Keyword.CERTIFICATE_FILE, List.of());
    joined(Keyword.GLOBAL_KNOWN_HOSTS_FILE, ClientOptions.DEFAULT_GLOBAL_KNOWN_HOSTS, " ");
    joined(Keyword.USER_KNOWN_HOSTS_FILE, List.of(), " ");
    each(Keyword.SEND_ENV, List.of());
    each(Keyword.SET_ENV, List.of());
    joined(Keyword.LOG_VERBOSE, List.of("none"), ",");
    if (options.has(Keyword.CHANNEL_TIMEOUT)) {
      joined(Keyword.CHANNEL_TIMEOUT, List.of(), " ");
    }
  }

  /** Each of these is written in its own way. */
  private void oddities() {
    joined(Keyword.PERMIT_REMOTE_OPEN, List.of("any"), " ");
    var addKeys = options.addKeysToAgent();
    line(
        "addkeystoagent",
        switch (addKeys.mode()) {
          case NO -> "false";
          case ASK -> "ask";
          case YES -> addKeys.seconds() == 0 ? "true" : Integer.toString(addKeys.seconds());
          case CONFIRM -> addKeys.seconds() == 0 ? "confirm" : "confirm " + addKeys.seconds();
        });
    word(Keyword.FORWARD_AGENT, "no");
    var timeout = options.value(Keyword.CONNECT_TIMEOUT);
    line("connecttimeout", timeout == null || timeout.equals(-1) ? "none" : timeout);
    word(Keyword.TUNNEL_DEVICE, "any:any");
    var cnames = options.value(Keyword.CANONICALIZE_PERMITTED_CNAMES);
    // The capital P is ssh's.
    line("canonicalizePermittedcnames", cnames == null ? "none" : joined((List<?>) cnames, " "));
    word(Keyword.CONTROL_PERSIST, "no");
    line("escapechar", escapeChar(options.escapeChar()));
    var qos = options.ipQos();
    line("ipqos", Values.ipqosName(qos.interactive()) + " " + Values.ipqosName(qos.bulk()));
    var rekey = options.rekeyLimit();
    line("rekeylimit", rekey.bytes() + " " + rekey.seconds());
    line("streamlocalbindmask", "0%o".formatted(options.streamLocalBindMask()));
    word(Keyword.SYSLOG_FACILITY, "USER");
    wordIfSet(Keyword.PROXY_COMMAND);
    if (!options.proxyJump().isEmpty()) {
      line("proxyjump", ClientOptions.jumpText(options.proxyJump()));
    }
  }

  private static String escapeChar(int c) {
    if (c < 0) {
      return "none";
    }
    // As vis(3) writes control characters.
    return c < 32 ? "\\^" + (char) (c + 64) : Character.toString(c);
  }

  private void algorithms(AlgorithmNames.Kind kind) {
    line(name(AlgorithmList.keywordOf(kind)), String.join(",", options.algorithms(kind)));
  }

  private void flag(Keyword keyword, boolean otherwise) {
    var value = options.value(keyword);
    boolean isYes = value == null ? otherwise : (Boolean) value;
    line(name(keyword), isYes ? "yes" : "no");
  }

  private void word(Keyword keyword, String otherwise) {
    var value = options.value(keyword);
    line(name(keyword), value == null ? otherwise : value);
  }

  private void wordIfSet(Keyword keyword) {
    var value = options.value(keyword);
    if (value != null) {
      line(name(keyword), value);
    }
  }

  private void number(Keyword keyword, int otherwise) {
    word(keyword, Integer.toString(otherwise));
  }

  private void each(Keyword keyword, List<String> otherwise) {
    for (var value : list(keyword, otherwise)) {
      line(name(keyword), value);
    }
  }

  private void joined(Keyword keyword, List<String> otherwise, String separator) {
    line(name(keyword), joined(list(keyword, otherwise), separator));
  }

  private List<?> list(Keyword keyword, List<String> otherwise) {
    var value = (@Nullable List<?>) options.value(keyword);
    return value == null ? otherwise : value;
  }

  private static String joined(List<?> values, String separator) {
    return String.join(separator, values.stream().map(Object::toString).toList());
  }

  private static String name(Keyword keyword) {
    return keyword.text().toLowerCase(Locale.ROOT);
  }

  private void line(String name, Object value) {
    // A newline in a value would look like another setting.
    out.append(name).append(' ').append(Tokens.printable(value.toString())).append('\n');
  }
}
