package dev.adit.ssh.keys;

import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.WireReader;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a key may be used for: the options on its line in authorized_keys (sshd(8), AUTHORIZED_KEYS
 * FILE FORMAT), or in a certificate (PROTOCOL.certkeys). Where several speak about one login, each
 * of them must allow what is asked.
 *
 * @param certAuthority the key is an authority's: not it but its certificates let users in
 * @param portForwarding TCP and Unix sockets, in both directions
 * @param agentForwarding the client may lend its agent
 * @param pty sessions may have a terminal
 * @param requiresTouch a security key must vouch that someone touched it
 * @param requiresVerification a security key must vouch that it checked a PIN or a finger
 * @param command runs in place of what the client asks for; null for the client's choice
 * @param environment variables for sessions, in their order; for PermitUserEnvironment to allow
 * @param validBefore the last moment at which it holds; null for always
 * @param from patterns for the client's name and address; null for any
 * @param sourceAddress a certificate's list of addresses and CIDR blocks; null for any
 * @param principals names of which a certificate must have one; null for the user's name
 * @param permitOpen targets of direct-tcpip; empty for any
 * @param permitListen addresses of tcpip-forward; empty for any
 */
public record KeyOptions(
    boolean certAuthority,
    boolean portForwarding,
    boolean agentForwarding,
    boolean pty,
    boolean requiresTouch,
    boolean requiresVerification,
    @Nullable String command,
    Map<String, String> environment,
    @Nullable Instant validBefore,
    @Nullable String from,
    @Nullable String sourceAddress,
    @Nullable List<String> principals,
    List<Permit> permitOpen,
    List<Permit> permitListen) {

  /** A line without options. */
  public static final KeyOptions NONE = new Parser("").options();

  /**
   * An address with a port.
   *
   * @param host without brackets, to be compared to the letter; {@code *} for any
   * @param port 1 to 65535, or {@link #ANY_PORT}
   */
  public record Permit(String host, int port) {
    /** Written as {@code *}. */
    public static final int ANY_PORT = 0;
  }

  public KeyOptions {
    environment = Collections.unmodifiableMap(new LinkedHashMap<>(environment));
    principals = principals == null ? null : List.copyOf(principals);
    permitOpen = List.copyOf(permitOpen);
    permitListen = List.copyOf(permitListen);
  }

  /**
   * Reads options as they stand before a key, separated by commas.
   *
   * @throws MalformedDataException in sshd's words; a line with such options must not be used
   */
  public static KeyOptions parse(String text) throws MalformedDataException {
    Parser parser = new Parser(text);
    parser.parse();
    return parser.options();
  }

  /**
   * What a user's certificate allows: nothing but what its extensions name, under the conditions
   * that its critical options name.
   *
   * @throws InvalidCertificateException if an option isn't known or its data isn't what it should
   *     be
   */
  public static KeyOptions of(Certificate certificate) throws InvalidCertificateException {
    Parser parser = new Parser("");
    parser.restrict();
    for (var option : certificate.criticalOptions().entrySet()) {
      switch (option.getKey()) {
        case "force-command" -> parser.command = content(option);
        case "source-address" -> parser.sourceAddress = content(option);
        case "verify-required" -> parser.requiresVerification = flag(option);
        default ->
            throw new InvalidCertificateException(
                "Certificate contains unsupported critical options");
      }
    }
    for (var extension : certificate.extensions().entrySet()) {
      switch (extension.getKey()) {
        case "permit-port-forwarding" -> parser.portForwarding = flag(extension);
        case "permit-agent-forwarding" -> parser.agentForwarding = flag(extension);
        case "permit-pty" -> parser.pty = flag(extension);
        case "no-touch-required" -> parser.requiresTouch = !flag(extension);
        default -> {
          // What isn't known grants nothing.
        }
      }
    }
    return parser.options();
  }

  private static String content(Map.Entry<String, byte[]> option)
      throws InvalidCertificateException {
    try {
      WireReader in = WireReader.over(option.getValue());
      String content = in.readUtf8();
      in.expectEnd(option.getKey());
      return content;
    } catch (MalformedDataException e) {
      throw corrupt(option);
    }
  }

  private static boolean flag(Map.Entry<String, byte[]> option) throws InvalidCertificateException {
    if (option.getValue().length > 0) {
      throw corrupt(option);
    }
    return true;
  }

  private static InvalidCertificateException corrupt(Map.Entry<String, byte[]> option) {
    return new InvalidCertificateException(
        "Certificate option \"" + option.getKey() + "\" is corrupt");
  }

  /**
   * Where the options end that stand at the beginning of a line: at the first space or tab outside
   * of quotes.
   *
   * @return -1 if a quote isn't closed
   */
  static int end(String line) {
    boolean quoted = false;
    int at = 0;
    for (; at < line.length() && (quoted || !isSpace(line.charAt(at))); at++) {
      if (line.startsWith("\\\"", at)) {
        at++;
      } else if (line.charAt(at) == '"') {
        quoted = !quoted;
      }
    }
    return quoted ? -1 : Math.min(at, line.length());
  }

  static boolean isSpace(char c) {
    return c == ' ' || c == '\t';
  }

  /** Reads from left to right; a later flag wins over an earlier one, as with sshd. */
  private static final class Parser {
    private final String text;
    private int at;

    private boolean certAuthority;
    private boolean portForwarding = true;
    private boolean agentForwarding = true;
    private boolean pty = true;
    private boolean requiresTouch = true;
    private boolean requiresVerification;
    private @Nullable String command;
    private final Map<String, String> environment = new LinkedHashMap<>();
    private @Nullable Instant validBefore;
    private @Nullable String from;
    private @Nullable String sourceAddress;
    private @Nullable List<String> principals;
    private final List<Permit> permitOpen = new ArrayList<>();
    private final List<Permit> permitListen = new ArrayList<>();

    Parser(String text) {
      this.text = text;
    }

    KeyOptions options() {
      return new KeyOptions(
          certAuthority,
          portForwarding,
          agentForwarding,
          pty,
          requiresTouch,
          requiresVerification,
          command,
          environment,
          validBefore,
          from,
          sourceAddress,
          principals,
          permitOpen,
          permitListen);
    }

    void restrict() {
      portForwarding = false;
      agentForwarding = false;
      pty = false;
    }

    void parse() throws MalformedDataException {
      while (at < text.length()) {
        String name = name();
        if (at < text.length() && text.charAt(at) == '=') {
          at++;
          valued(name, quoted());
        } else {
          flag(name);
        }
        if (at == text.length()) {
          return;
        }
        if (text.charAt(at) != ',') {
          throw new MalformedDataException("unknown key option");
        }
        // sshd takes a comma behind the last one, too.
        at++;
      }
    }

    private String name() {
      int start = at;
      while (at < text.length() && text.charAt(at) != '=' && text.charAt(at) != ',') {
        at++;
      }
      return text.substring(start, at).toLowerCase(Locale.ROOT);
    }

    private void flag(String name) throws MalformedDataException {
      switch (name) {
        case "restrict" -> restrict();
        case "cert-authority" -> certAuthority = true;
        case "port-forwarding" -> portForwarding = true;
        case "no-port-forwarding" -> portForwarding = false;
        case "agent-forwarding" -> agentForwarding = true;
        case "no-agent-forwarding" -> agentForwarding = false;
        case "pty" -> pty = true;
        case "no-pty" -> pty = false;
        case "touch-required" -> requiresTouch = true;
        case "no-touch-required" -> requiresTouch = false;
        case "verify-required" -> requiresVerification = true;
        case "no-verify-required" -> requiresVerification = false;
        case "user-rc", "no-user-rc", "x11-forwarding", "no-x11-forwarding" -> {
          // Neither ~/.ssh/rc is run nor X11 forwarded, whatever the line says.
        }
        default -> throw new MalformedDataException("unknown key option");
      }
    }

    private void valued(String name, String value) throws MalformedDataException {
      switch (name) {
        case "command" -> command = once(name, command, value);
        case "from" -> from = once(name, from, value);
        case "principals" -> {
          once(name, principals, value);
          principals = List.of(value.split(",", -1));
        }
        case "expiry-time" -> {
          Instant time = time(value);
          validBefore = validBefore == null || time.isBefore(validBefore) ? time : validBefore;
        }
        case "environment" -> variable(value);
        case "permitopen" -> permit(permitOpen, value);
        case "permitlisten" -> permit(permitListen, value.contains(":") ? value : "*:" + value);
        case "tunnel" -> {
          if (!value.equals("any") && !value.matches("\\d{1,9}")) {
            throw new MalformedDataException("invalid tun device");
          }
        }
        default -> throw new MalformedDataException("unknown key option");
      }
    }

    /** In double quotes, of which a backslash keeps one inside. */
    private String quoted() throws MalformedDataException {
      if (at == text.length() || text.charAt(at) != '"') {
        throw new MalformedDataException("missing start quote");
      }
      at++;
      StringBuilder value = new StringBuilder();
      while (at < text.length() && text.charAt(at) != '"') {
        if (text.startsWith("\\\"", at)) {
          at++;
        }
        value.append(text.charAt(at++));
      }
      if (at == text.length()) {
        throw new MalformedDataException("missing end quote");
      }
      at++;
      return value.toString();
    }

    private static String once(String name, @Nullable Object earlier, String value)
        throws MalformedDataException {
      if (earlier != null) {
        throw new MalformedDataException("multiple \"" + name + "\" clauses");
      }
      return value;
    }

    private void variable(String value) throws MalformedDataException {
      int equals = value.indexOf('=');
      if (equals < 0 || !value.substring(0, equals).matches("[A-Za-z0-9_]+")) {
        throw new MalformedDataException("invalid environment string");
      }
      environment.putIfAbsent(value.substring(0, equals), value.substring(equals + 1));
      if (environment.size() > KeyLimits.MAX_KEY_VARIABLES) {
        throw new MalformedDataException("too many environment strings");
      }
    }

    private static void permit(List<Permit> permits, String value) throws MalformedDataException {
      int end = value.startsWith("[") ? value.indexOf(']') + 1 : value.indexOf(':');
      if (end <= 0 || end > KeyLimits.MAX_PERMITTED_HOST) {
        throw new MalformedDataException("invalid permission hostname");
      }
      String host = value.startsWith("[") ? value.substring(1, end - 1) : value.substring(0, end);
      if (permits.size() == KeyLimits.MAX_PERMITS) {
        throw new MalformedDataException("too many permission directives");
      }
      permits.add(new Permit(host, port(value.substring(end))));
    }

    private static int port(String behindHost) throws MalformedDataException {
      if (behindHost.equals(":*")) {
        return Permit.ANY_PORT;
      }
      if (behindHost.matches(":\\d{1,5}")) {
        int port = Integer.parseInt(behindHost.substring(1));
        if (port > 0 && port <= 65535) {
          return port;
        }
      }
      throw new MalformedDataException("invalid permission port");
    }

    /** {@code YYYYMMDD[HHMM[SS]]} in this machine's time, or in UTC with a {@code Z} behind it. */
    private static Instant time(String value) throws MalformedDataException {
      boolean utc = value.endsWith("Z");
      String digits = utc ? value.substring(0, value.length() - 1) : value;
      if (!digits.matches("\\d{8}(\\d{4}(\\d{2})?)?")) {
        throw new MalformedDataException("invalid expires time");
      }
      String all = (digits + "000000").substring(0, 14);
      try {
        var time =
            LocalDateTime.of(
                Integer.parseInt(all, 0, 4, 10),
                Integer.parseInt(all, 4, 6, 10),
                Integer.parseInt(all, 6, 8, 10),
                Integer.parseInt(all, 8, 10, 10),
                Integer.parseInt(all, 10, 12, 10),
                Integer.parseInt(all, 12, 14, 10));
        Instant instant = time.atZone(utc ? ZoneOffset.UTC : ZoneId.systemDefault()).toInstant();
        if (instant.getEpochSecond() > 0) {
          return instant;
        }
      } catch (DateTimeException e) {
        // The thirty-first of some June.
      }
      throw new MalformedDataException("invalid expires time");
    }
  }
}
