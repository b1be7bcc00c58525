package dev.adit.config;

import dev.adit.ssh.BadSpecException;
import dev.adit.ssh.Destination;
import dev.adit.ssh.ForwardSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** How the arguments of keywords are read; each reader says in ssh's words what is wrong. */
public final class Values {
  private Values() {}

  /** Reads a keyword's arguments. The type of what it yields belongs to the keyword. */
  @FunctionalInterface
  public interface Reader {
    Object read(Words words) throws ConfigException;
  }

  /** How many values one line may add; ssh has INT_MAX or 100, depending on the keyword. */
  public static final int MAX_LIST = 1000;

  private static final List<String> IPQOS_NAMES =
      List.of(
          "af11",
          "af12",
          "af13",
          "af21",
          "af22",
          "af23",
          "af31",
          "af32",
          "af33",
          "af41",
          "af42",
          "af43",
          "cs0",
          "cs1",
          "cs2",
          "cs3",
          "cs4",
          "cs5",
          "cs6",
          "cs7",
          "ef",
          "le",
          "lowdelay",
          "throughput",
          "reliability");

  /** The bytes behind {@link #IPQOS_NAMES}, RFC 2474 and RFC 1349. */
  private static final int[] IPQOS_BYTES = {
    0x28, 0x30, 0x38, 0x48, 0x50, 0x58, 0x68, 0x70, 0x78, 0x88, 0x90, 0x98, 0x00, 0x20, 0x40, 0x60,
    0x80, 0xa0, 0xc0, 0xe0, 0xb8, 0x04, 0x10, 0x08, 0x04
  };

  private static final Pattern TIME_PART = Pattern.compile("(\\d{1,10})([sSmMhHdDwW]?)");

  // --- words ---

  static Object word(Words words) throws ConfigException {
    return words.next();
  }

  static Object list(Words words) throws ConfigException {
    var values = words.remaining();
    if (values.isEmpty() || values.contains("")) {
      throw new ConfigException("missing argument.");
    }
    return limited(values);
  }

  /** A list in which {@code none} must stand alone. */
  static Object listOrNone(Words words) throws ConfigException {
    var values = words.remaining();
    if (values.size() > 1 && values.stream().anyMatch("none"::equalsIgnoreCase)) {
      throw new ConfigException(
          "keyword %s \"none\" argument must appear alone."
              .formatted(words.keyword().toLowerCase(Locale.ROOT)));
    }
    if (values.isEmpty() || values.contains("")) {
      throw new ConfigException("missing argument.");
    }
    return limited(values);
  }

  private static List<String> limited(List<String> values) throws ConfigException {
    if (values.size() > MAX_LIST) {
      throw new ConfigException("more than %d values.".formatted(MAX_LIST));
    }
    return values;
  }

  /** The rest of the line, to the letter. */
  static Object command(Words words) {
    return words.takeRest();
  }

  static Object flag(Words words) throws ConfigException {
    var word = words.next("missing argument.");
    return switch (word.toLowerCase(Locale.ROOT)) {
      case "yes", "true" -> true;
      case "no", "false" -> false;
      default -> throw unsupported(words, word);
    };
  }

  private static ConfigException unsupported(Words words, String word) {
    return new ConfigException(
        "unsupported option \"%s\" for %s.".formatted(word, words.keyword()));
  }

  /** One of several words; each spelling stands for the word that {@code -G} prints. */
  static Reader choice(Map<String, String> spellings) {
    return words -> {
      var word = words.next("missing argument.");
      var value = spellings.get(word.toLowerCase(Locale.ROOT));
      if (value == null) {
        throw unsupported(words, word);
      }
      return value;
    };
  }

  /** {@code yes}, {@code no} and some words besides. */
  static Reader yesNoOr(String... others) {
    var spellings = new HashMap<String, String>();
    spellings.put("yes", "true");
    spellings.put("true", "true");
    spellings.put("no", "false");
    spellings.put("false", "false");
    for (var other : others) {
      spellings.put(other, other);
    }
    return choice(spellings);
  }

  static Reader oneOf(String... words) {
    var spellings = new HashMap<String, String>();
    for (var word : words) {
      spellings.put(word, word);
    }
    return choice(spellings);
  }

  // --- numbers ---

  static Object number(Words words) throws ConfigException {
    return parseInt(words.next("missing argument."));
  }

  static Object attempts(Words words) throws ConfigException {
    int value = parseInt(words.next("missing argument."));
    if (value < 1) {
      throw new ConfigException("Invalid number of ConnectionAttempts");
    }
    return value;
  }

  private static int parseInt(String word) throws ConfigException {
    try {
      return Integer.parseInt(word);
    } catch (NumberFormatException e) {
      throw new ConfigException("integer value invalid.", e);
    }
  }

  static Object port(Words words) throws ConfigException {
    return parsePort(words.next("missing argument."));
  }

  public static int parsePort(String word) throws ConfigException {
    if (word.matches("\\d{1,9}")) {
      int value = Integer.parseInt(word);
      if (value >= 1 && value <= 65535) {
        return value;
      }
    }
    throw new ConfigException("Bad port '%s'.".formatted(word));
  }

  /** Seconds; {@code none} is -1. */
  static Object time(Words words) throws ConfigException {
    var word = words.next("missing time value.");
    return word.equals("none") ? Integer.valueOf(-1) : Integer.valueOf(seconds(word));
  }

  /** Whole seconds of {@code 90}, {@code 1h30m} and the like. */
  public static int seconds(String word) throws ConfigException {
    var parts = TIME_PART.matcher(word);
    long total = 0;
    int at = 0;
    while (at < word.length()) {
      if (!parts.find(at) || parts.start() != at) {
        throw new ConfigException("invalid time value.");
      }
      long unit =
          switch (parts.group(2).toLowerCase(Locale.ROOT)) {
            case "m" -> 60;
            case "h" -> 3600;
            case "d" -> 86_400;
            case "w" -> 604_800;
            default -> 1;
          };
      total += Long.parseLong(parts.group(1)) * unit;
      at = parts.end();
    }
    if (total > Integer.MAX_VALUE || word.isEmpty()) {
      throw new ConfigException("invalid time value.");
    }
    return (int) total;
  }

  /** Bytes of {@code 16}, {@code 1K}, {@code 2M}, {@code 3G}. */
  public static long bytes(String word) throws ConfigException {
    if (!word.matches("\\d{1,18}[kKmMgG]?")) {
      throw new ConfigException("Bad number '%s': Invalid argument".formatted(word));
    }
    char last = Character.toLowerCase(word.charAt(word.length() - 1));
    int shift = last == 'k' ? 10 : last == 'm' ? 20 : last == 'g' ? 30 : 0;
    long value = Long.parseLong(shift == 0 ? word : word.substring(0, word.length() - 1));
    if (value > Long.MAX_VALUE >> shift) {
      throw new ConfigException("Bad number '%s': too large".formatted(word));
    }
    return value << shift;
  }

  static Object rekeyLimit(Words words) throws ConfigException {
    var data = words.next("missing argument.");
    long limit = data.equals("default") ? 0 : bytes(data);
    if (limit != 0 && limit < ClientOptions.RekeyLimit.LEAST_BYTES) {
      throw new ConfigException("RekeyLimit too small");
    }
    int time = 0;
    if (words.hasNext()) {
      var word = words.next();
      time = word.equals("none") ? 0 : seconds(word);
    }
    return new ClientOptions.RekeyLimit(limit, time);
  }

  static Object octal(Words words) throws ConfigException {
    var word = words.next("missing StreamLocalBindMask argument.");
    if (!word.matches("[0-7]{1,6}") || Integer.parseInt(word, 8) > 0777) {
      throw new ConfigException("Bad mask.");
    }
    return Integer.parseInt(word, 8);
  }

  // --- forwardings and hosts ---

  static Object localForward(Words words) throws ConfigException {
    var listen = words.next("missing argument.");
    var target = words.next("Missing target argument.");
    return forward(() -> ForwardSpec.parseLocal(listen + ":" + target));
  }

  static Object remoteForward(Words words) throws ConfigException {
    var listen = words.next("missing argument.");
    if (!words.hasNext()) {
      return forward(
          () -> {
            var spec = ForwardSpec.parseRemote(listen);
            if (!(spec instanceof ForwardSpec.RemoteDynamic)) {
              throw new BadSpecException(
                  "remote forwarding specification",
                  listen,
                  listen.length(),
                  "a space and a target");
            }
            return spec;
          });
    }
    var target = words.next();
    return forward(() -> ForwardSpec.parseRemote(listen + ":" + target));
  }

  static Object dynamicForward(Words words) throws ConfigException {
    var listen = words.next("missing argument.");
    return forward(() -> ForwardSpec.parseDynamic(listen));
  }

  @FunctionalInterface
  private interface SpecReading {
    ForwardSpec read();
  }

  private static ForwardSpec forward(SpecReading reading) throws ConfigException {
    try {
      return reading.read();
    } catch (BadSpecException e) {
      throw new ConfigException(
          "Bad forwarding specification. %s\n%s".formatted(e.getMessage(), e.pointer()), e);
    }
  }

  static Object proxyJump(Words words) throws ConfigException {
    var rest = words.takeRest();
    int remark = rest.indexOf('#');
    var spec = (remark < 0 ? rest : rest.substring(0, remark)).strip();
    try {
      return Destination.parseJumps(spec);
    } catch (BadSpecException e) {
      throw new ConfigException(
          "Invalid ProxyJump \"%s\". %s\n%s".formatted(spec, e.getMessage(), e.pointer()), e);
    }
  }

  static Object permitRemoteOpen(Words words) throws ConfigException {
    var values = words.remaining();
    if (values.isEmpty()) {
      throw new ConfigException("missing permitremoteopen specification");
    }
    boolean isOneWord =
        values.size() == 1 && (values.get(0).equals("any") || values.get(0).equals("none"));
    if (!isOneWord) {
      for (var value : values) {
        int colon = value.lastIndexOf(':');
        if (colon < 0) {
          throw new ConfigException("bad port number in permitremoteopen");
        }
        if (colon == 0) {
          throw new ConfigException("missing host in permitremoteopen");
        }
        var port = value.substring(colon + 1);
        if (!port.equals("*")) {
          try {
            parsePort(port);
          } catch (ConfigException e) {
            throw new ConfigException("bad port number in permitremoteopen", e);
          }
        }
      }
    }
    return limited(values);
  }

  static Object canonicalDomains(Words words) throws ConfigException {
    var values = words.remaining();
    for (var domain : values) {
      if (domain.equalsIgnoreCase("none") && values.size() == 1) {
        continue;
      }
      var problem = domainProblem(domain);
      if (problem != null) {
        throw new ConfigException("domain name \"%s\" %s".formatted(domain, problem));
      }
    }
    if (values.isEmpty()) {
      throw new ConfigException("missing argument.");
    }
    return limited(values);
  }

  private static @Nullable String domainProblem(String domain) {
    if (domain.isEmpty()) {
      return "is empty";
    }
    char first = domain.charAt(0);
    if (!isAsciiLetterOrDigit(first) && first != '_') {
      return "starts with invalid character";
    }
    for (int i = 0; i < domain.length(); i++) {
      char c = domain.charAt(i);
      if (!isAsciiLetterOrDigit(c) && c != '-' && c != '.' && c != '_') {
        return "contains invalid characters";
      }
      if (c == '.' && i > 0 && domain.charAt(i - 1) == '.') {
        return "contains consecutive separators";
      }
    }
    return null;
  }

  private static boolean isAsciiLetterOrDigit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  }

  static Object permittedCnames(Words words) throws ConfigException {
    var values = words.remaining();
    boolean isNone = values.size() == 1 && values.get(0).equalsIgnoreCase("none");
    for (var value : values) {
      int colon = value.indexOf(':');
      if (!isNone && (colon <= 0 || colon == value.length() - 1)) {
        throw new ConfigException("Invalid permitted CNAME \"%s\"".formatted(value));
      }
    }
    if (values.isEmpty()) {
      throw new ConfigException("missing argument.");
    }
    return limited(values);
  }

  // --- the rest ---

  /** A character, or -1 for {@code none}. */
  static Object escapeChar(Words words) throws ConfigException {
    return parseEscapeChar(words.next("missing argument."));
  }

  static Object parseEscapeChar(String word) throws ConfigException {
    if (word.equals("none")) {
      return -1;
    }
    if (word.length() == 1) {
      return (int) word.charAt(0);
    }
    if (word.length() == 2
        && word.charAt(0) == '^'
        && word.charAt(1) >= 64
        && word.charAt(1) < 128) {
      return word.charAt(1) & 31;
    }
    throw new ConfigException("Bad escape character.");
  }

  public static Object ipqos(Words words) throws ConfigException {
    int interactive = parseIpqos(words.next("missing argument."));
    int bulk = words.hasNext() ? parseIpqos(words.next()) : interactive;
    return new ClientOptions.IpQos(interactive, bulk);
  }

  private static int parseIpqos(String word) throws ConfigException {
    var name = word.toLowerCase(Locale.ROOT);
    if (name.equals("none")) {
      return ClientOptions.IpQos.NONE;
    }
    int index = IPQOS_NAMES.indexOf(name);
    if (index >= 0) {
      return IPQOS_BYTES[index];
    }
    try {
      int value = Integer.decode(word);
      if (value >= 0 && value <= 255) {
        return value;
      }
    } catch (NumberFormatException e) {
      // Falls through to the one message for all that is wrong.
    }
    throw new ConfigException("Bad IPQoS value: " + word);
  }

  public static String ipqosName(int value) {
    if (value == ClientOptions.IpQos.NONE) {
      return "none";
    }
    for (int i = 0; i < IPQOS_BYTES.length; i++) {
      if (IPQOS_BYTES[i] == value) {
        return IPQOS_NAMES.get(i);
      }
    }
    return "0x%02x".formatted(value);
  }

  public static Object logLevel(Words words) throws ConfigException {
    var word = words.next("missing argument.");
    return switch (word.toUpperCase(Locale.ROOT)) {
      case "QUIET", "SILENT" -> ClientOptions.LogLevel.QUIET;
      case "FATAL" -> ClientOptions.LogLevel.FATAL;
      case "ERROR" -> ClientOptions.LogLevel.ERROR;
      case "INFO" -> ClientOptions.LogLevel.INFO;
      case "VERBOSE" -> ClientOptions.LogLevel.VERBOSE;
      case "DEBUG", "DEBUG1" -> ClientOptions.LogLevel.DEBUG;
      case "DEBUG2" -> ClientOptions.LogLevel.DEBUG2;
      case "DEBUG3" -> ClientOptions.LogLevel.DEBUG3;
      default -> throw new ConfigException("unsupported log level '%s'".formatted(word));
    };
  }

  public static Object facility(Words words) throws ConfigException {
    var word = words.next("missing argument.");
    var name = word.toUpperCase(Locale.ROOT);
    if (!name.matches("DAEMON|USER|AUTH|AUTHPRIV|LOCAL[0-7]")) {
      throw new ConfigException("unsupported log facility '%s'".formatted(word));
    }
    return name;
  }

  static Object fingerprintHash(Words words) throws ConfigException {
    var word = words.next("missing argument.");
    return switch (word.toUpperCase(Locale.ROOT)) {
      case "SHA256" -> "SHA256";
      case "MD5" -> "MD5";
      default -> throw new ConfigException("Invalid hash algorithm \"%s\".".formatted(word));
    };
  }

  static Object addKeysToAgent(Words words) throws ConfigException {
    var word = words.next("missing argument.");
    switch (word.toLowerCase(Locale.ROOT)) {
      case "yes", "true":
        return new ClientOptions.AddKeys(ClientOptions.AddKeys.Mode.YES, 0);
      case "no", "false":
        return new ClientOptions.AddKeys(ClientOptions.AddKeys.Mode.NO, 0);
      case "ask":
        return new ClientOptions.AddKeys(ClientOptions.AddKeys.Mode.ASK, 0);
      case "confirm":
        int lifetime = words.hasNext() ? seconds(words.next()) : 0;
        return new ClientOptions.AddKeys(ClientOptions.AddKeys.Mode.CONFIRM, lifetime);
      default:
        return new ClientOptions.AddKeys(ClientOptions.AddKeys.Mode.YES, seconds(word));
    }
  }

  /** {@code yes}, {@code no}, or seconds; as {@code -G} prints it. */
  static Object controlPersist(Words words) throws ConfigException {
    var word = words.next("missing argument.");
    return switch (word) {
      case "no", "false" -> "no";
      case "yes", "true" -> "yes";
      default -> {
        try {
          int value = seconds(word);
          yield value == 0 ? "yes" : Integer.toString(value);
        } catch (ConfigException e) {
          throw new ConfigException("Bad ControlPersist argument.", e);
        }
      }
    };
  }

  /** {@code yes}, {@code no}, a socket's path or {@code $VARIABLE}. */
  static Object forwardAgent(Words words) throws ConfigException {
    var word = words.next("missing argument.");
    return switch (word.toLowerCase(Locale.ROOT)) {
      case "yes", "true" -> "yes";
      case "no", "false" -> "no";
      default -> word;
    };
  }

  static Object tunnelDevice(Words words) throws ConfigException {
    var word = words.next("missing argument.");
    if (!word.matches("(any|\\d{1,9})(:(any|\\d{1,9}))?")) {
      throw new ConfigException("Bad tun device.");
    }
    return word.contains(":") ? word : word + ":any";
  }

  public static Object sendEnv(Words words) throws ConfigException {
    var values = words.remaining();
    for (var value : values) {
      if (value.isEmpty() || value.indexOf('=') >= 0) {
        throw new ConfigException("Invalid environment name.");
      }
    }
    if (values.isEmpty()) {
      throw new ConfigException("missing argument.");
    }
    return limited(values);
  }

  static Object setEnv(Words words) throws ConfigException {
    var values = words.remaining();
    var names = new ArrayList<String>();
    var kept = new ArrayList<String>();
    for (var value : values) {
      int equals = value.indexOf('=');
      if (equals <= 0) {
        throw new ConfigException("Invalid SetEnv.");
      }
      // As everywhere, the first one wins.
      if (!names.contains(value.substring(0, equals))) {
        names.add(value.substring(0, equals));
        kept.add(value);
      }
    }
    if (values.isEmpty()) {
      throw new ConfigException("missing argument.");
    }
    return limited(List.copyOf(kept));
  }

  /** One agreed spelling for each list of algorithms, with an optional {@code +}, - or ^ before. */
  static Object algorithms(Words words) throws ConfigException {
    return words.next("missing argument.");
  }

  /** Anything at all: keywords that are known and skipped. */
  public static Object anything(Words words) {
    return words.takeRest();
  }
}
