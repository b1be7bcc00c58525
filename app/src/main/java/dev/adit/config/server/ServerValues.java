package dev.adit.config.server;

import dev.adit.config.ClientOptions;
import dev.adit.config.ConfigException;
import dev.adit.config.Values;
import dev.adit.config.Words;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** How the arguments of sshd's keywords are read; what is wrong is told in sshd's words. */
final class ServerValues {
  private static final Set<String> METHODS =
      Set.of(
          "gssapi-keyex",
          "gssapi-with-mic",
          "hostbased",
          "keyboard-interactive",
          "none",
          "password",
          "publickey");

  /** Classes of addresses that DenyOpen knows by name. */
  static final Set<String> ADDRESS_CLASSES =
      Set.of("link-local", "loopback", "metadata", "multicast", "private");

  private ServerValues() {}

  // --- words ---

  private static String required(Words words) throws ConfigException {
    return words.next("%s missing argument.".formatted(words.keyword()));
  }

  static Object word(Words words) throws ConfigException {
    return required(words);
  }

  static Object list(Words words) throws ConfigException {
    var values = words.remaining();
    if (values.contains("")) {
      throw new BadLineException("keyword %s empty argument".formatted(words.keyword()));
    }
    return limited(values);
  }

  private static List<String> limited(List<String> values) throws ConfigException {
    if (values.size() > Values.MAX_LIST) {
      throw new ConfigException("more than %d values.".formatted(Values.MAX_LIST));
    }
    return values;
  }

  /** The rest of the line, to the letter. */
  static Object rest(Words words) {
    return words.takeRest();
  }

  static Object flag(Words words) throws ConfigException {
    var word = required(words);
    return switch (word.toLowerCase(Locale.ROOT)) {
      case "yes" -> true;
      case "no" -> false;
      default -> throw unsupported(word);
    };
  }

  private static ConfigException unsupported(String word) {
    return new ConfigException("unsupported option \"%s\".".formatted(word));
  }

  /** One of several words; each spelling stands for the word that {@code -T} prints. */
  private static String choice(Words words, Map<String, String> spellings) throws ConfigException {
    var word = required(words);
    var value = spellings.get(word.toLowerCase(Locale.ROOT));
    if (value == null) {
      throw unsupported(word);
    }
    return value;
  }

  private static final Map<String, String> YES_NO = Map.of("yes", "yes", "no", "no");

  /** {@code yes}, {@code no} and some words besides. */
  static Values.Reader yesNoOr(String... others) {
    var spellings = new HashMap<>(YES_NO);
    for (var other : others) {
      spellings.put(other, other);
    }
    return words -> choice(words, spellings);
  }

  static Values.Reader oneOf(String... choices) {
    var spellings = new HashMap<String, String>();
    for (var choice : choices) {
      spellings.put(choice, choice);
    }
    return words -> choice(words, spellings);
  }

  static Object forwarding(Words words) throws ConfigException {
    var spellings = new HashMap<>(YES_NO);
    spellings.putAll(Map.of("all", "yes", "local", "local", "remote", "remote"));
    return choice(words, spellings);
  }

  static Object compression(Words words) throws ConfigException {
    var spellings = new HashMap<>(YES_NO);
    spellings.put("delayed", "yes");
    return choice(words, spellings);
  }

  static Object tunnel(Words words) throws ConfigException {
    var spellings = new HashMap<>(YES_NO);
    spellings.putAll(Map.of("point-to-point", "point-to-point", "ethernet", "ethernet"));
    var word = required(words);
    var value = spellings.get(word.toLowerCase(Locale.ROOT));
    if (value == null) {
      throw new ConfigException("bad PermitTunnel argument " + word);
    }
    return value;
  }

  static Object permitRootLogin(Words words) throws ConfigException {
    var spellings = new HashMap<>(YES_NO);
    spellings.put("without-password", "without-password");
    spellings.put("prohibit-password", "without-password");
    spellings.put("forced-commands-only", "forced-commands-only");
    return choice(words, spellings);
  }

  static Object fingerprintHash(Words words) throws ConfigException {
    var word = required(words);
    return switch (word.toUpperCase(Locale.ROOT)) {
      case "SHA256" -> "SHA256";
      case "MD5" -> "MD5";
      default ->
          throw new ConfigException("Invalid FingerprintHash algorithm \"%s\".".formatted(word));
    };
  }

  static Object algorithms(Words words) throws ConfigException {
    return required(words);
  }

  // --- numbers ---

  /** Not negative. */
  static Object count(Words words) throws ConfigException {
    return count(words.keyword(), required(words));
  }

  private static int count(String keyword, String word) throws ConfigException {
    long value;
    try {
      value = Long.parseLong(word);
    } catch (NumberFormatException e) {
      throw new ConfigException(keyword + " integer value invalid.", e);
    }
    if (value < 0) {
      throw new ConfigException(keyword + " integer value too small.");
    }
    if (value > Integer.MAX_VALUE) {
      throw new ConfigException(keyword + " integer value too large.");
    }
    return (int) value;
  }

  /** As text, since {@code none} is a value. */
  static Object countOrNone(Words words) throws ConfigException {
    var word = required(words);
    return word.equals("none") ? word : Integer.toString(count(words.keyword(), word));
  }

  static Object port(Words words) throws ConfigException {
    var word = words.next("missing port number.");
    try {
      return Values.parsePort(word);
    } catch (ConfigException e) {
      throw new ConfigException("Badly formatted port number.", e);
    }
  }

  /** Seconds. */
  static Object time(Words words) throws ConfigException {
    return Values.seconds(words.next("missing time value."));
  }

  /** Seconds; {@code none} is 0. */
  static Object timeOrNone(Words words) throws ConfigException {
    var word = words.next("missing time value.");
    return word.equals("none") ? 0 : Values.seconds(word);
  }

  static Object rekeyLimit(Words words) throws ConfigException {
    var data = required(words);
    long limit = 0;
    if (!data.equals("default")) {
      try {
        limit = Values.bytes(data);
      } catch (ConfigException e) {
        throw new ConfigException(
            String.valueOf(e.getMessage()).replace("Bad number", "Bad RekeyLimit number"), e);
      }
    }
    if (limit != 0 && limit < ClientOptions.RekeyLimit.LEAST_BYTES) {
      throw new ConfigException("RekeyLimit too small");
    }
    int time = 0;
    if (words.hasNext()) {
      var word = words.next();
      time = word.equals("none") ? 0 : Values.seconds(word);
    }
    return new ClientOptions.RekeyLimit(limit, time);
  }

  static Object octal(Words words) throws ConfigException {
    var word = words.next("missing StreamLocalBindMask argument.");
    if (!word.matches("[0-7]{1,6}") || Integer.parseInt(word, 8) > 0777) {
      throw new ConfigException("Invalid StreamLocalBindMask.");
    }
    return Integer.parseInt(word, 8);
  }

  // --- files ---

  /** A file of the server's: {@code none}, or made absolute. */
  static Object path(Words words) throws ConfigException {
    var word = words.next("missing file name.");
    if (word.equalsIgnoreCase("none")) {
      return "none";
    }
    return absolute(word);
  }

  /** Home directories are the server's own: {@code ~user} has no use here. */
  static String absolute(String file) {
    var expanded =
        file.equals("~") || file.startsWith("~/")
            ? System.getProperty("user.home") + file.substring(1)
            : file;
    return Path.of(expanded).toAbsolutePath().normalize().toString();
  }

  /** A file of a user's, which may have tokens. */
  static Object file(Words words) throws ConfigException {
    return words.next("missing file name.");
  }

  static Object files(Words words) throws ConfigException {
    @SuppressWarnings("unchecked")
    var files = (List<String>) list(words);
    if (files.size() > 1 && files.contains("none")) {
      throw new ConfigException(
          "keyword %s \"none\" argument must appear alone.".formatted(words.keyword()));
    }
    return files;
  }

  static Object agent(Words words) throws ConfigException {
    var word = words.next("missing socket name.");
    return word.equals("SSH_AUTH_SOCK") || word.equals("none") ? word : absolute(word);
  }

  /** A program with its arguments, to the letter. */
  static Object command(Words words) throws ConfigException {
    var rest = words.takeRest();
    if (!rest.equalsIgnoreCase("none") && !rest.startsWith("/")) {
      throw new ConfigException("%s must be an absolute path".formatted(words.keyword()));
    }
    return rest;
  }

  // --- who and what ---

  static Object userPatterns(Words words) throws ConfigException {
    var values = words.remaining();
    for (var value : values) {
      if (!UserPattern.isValid(value)) {
        throw new ConfigException("invalid %s pattern: \"%s\"".formatted(words.keyword(), value));
      }
    }
    return limited(values);
  }

  static Object acceptEnv(Words words) throws ConfigException {
    for (var value : words.copy().remaining()) {
      if (value.isEmpty() || value.indexOf('=') >= 0) {
        throw new ConfigException("Invalid environment name.");
      }
    }
    return limited(words.remaining());
  }

  static Object setEnv(Words words) throws ConfigException {
    var kept = new ArrayList<String>();
    var names = new ArrayList<String>();
    for (var value : words.remaining()) {
      int equals = value.indexOf('=');
      if (equals <= 0) {
        throw new ConfigException("Invalid environment.");
      }
      // As everywhere, the first one wins.
      if (!names.contains(value.substring(0, equals))) {
        names.add(value.substring(0, equals));
        kept.add(value);
      }
    }
    return limited(List.copyOf(kept));
  }

  /** {@code yes}, {@code no} or patterns of names. */
  static Object userEnvironment(Words words) throws ConfigException {
    var word = required(words);
    return word;
  }

  static Object authenticationMethods(Words words) throws ConfigException {
    var lists = words.remaining();
    for (var list : lists) {
      if (list.equals("any")) {
        if (lists.size() > 1) {
          throw new ConfigException("\"any\" must appear alone in AuthenticationMethods");
        }
        continue;
      }
      for (var method : list.split(",", -1)) {
        int colon = method.indexOf(':');
        if (!METHODS.contains(colon < 0 ? method : method.substring(0, colon))) {
          throw new ConfigException("invalid AuthenticationMethods method list.");
        }
      }
    }
    return limited(lists);
  }

  static Object pubkeyAuthOptions(Words words) throws ConfigException {
    var options = new ArrayList<String>();
    for (var option : words.remaining()) {
      switch (option.toLowerCase(Locale.ROOT)) {
        case "none" -> {
          // The default.
        }
        case "touch-required", "verify-required" -> options.add(option.toLowerCase(Locale.ROOT));
        default ->
            throw new BadLineException("unsupported PubkeyAuthOptions option %s".formatted(option));
      }
    }
    return List.copyOf(options);
  }

  // --- listening and forwarding ---

  static Object listenAddress(Words words) throws ConfigException {
    var word = words.next("missing address");
    if (words.hasNext() && words.copy().next().equalsIgnoreCase("rdomain")) {
      throw new ConfigException("bad routing domain");
    }
    return ListenAddress.parse(word);
  }

  static Object permitOpen(Words words) throws ConfigException {
    return permits(words, false);
  }

  static Object permitListen(Words words) throws ConfigException {
    return permits(words, true);
  }

  private static List<String> permits(Words words, boolean mayBePortAlone) throws ConfigException {
    var first = words.copy().next("%s missing specification".formatted(words.keyword()));
    if (first.equals("any") || first.equals("none")) {
      return List.of(words.next());
    }
    var permits = new ArrayList<String>();
    for (var value : words.remaining()) {
      var permit = mayBePortAlone && value.indexOf(':') < 0 ? "*:" + value : value;
      HostPort.parse(words.keyword(), permit);
      permits.add(permit);
    }
    return limited(List.copyOf(permits));
  }

  static Object denyOpen(Words words) throws ConfigException {
    var values = words.remaining();
    if (values.equals(List.of("none"))) {
      return List.of();
    }
    for (var value : values) {
      if (!ADDRESS_CLASSES.contains(value) && !AddressList.isAddressOrBlock(value)) {
        throw new ConfigException(
            "invalid DenyOpen address \"%s\": a CIDR block, %s or none is expected"
                .formatted(value, String.join(", ", ADDRESS_CLASSES.stream().sorted().toList())));
      }
    }
    return limited(values);
  }

  static Object channelTimeouts(Words words) throws ConfigException {
    var values = words.remaining();
    if (values.equals(List.of("none"))) {
      return List.of();
    }
    for (var value : values) {
      try {
        var unused = ChannelTimeout.parse(value);
      } catch (ConfigException e) {
        throw new ConfigException("invalid channel timeout " + value, e);
      }
    }
    return limited(values);
  }

  static Object subsystem(Words words) throws ConfigException {
    var name = words.next("Missing subsystem name.");
    var program = words.next("Missing subsystem command.");
    var command = new StringBuilder(program);
    for (var argument : words.remaining()) {
      command.append(' ');
      boolean isPlain = argument.indexOf(' ') < 0 && argument.indexOf('\t') < 0;
      command.append(isPlain ? argument : "\"" + argument + "\"");
    }
    return new Subsystem(name, command.toString());
  }

  // --- limits ---

  static Object maxStartups(Words words) throws ConfigException {
    var word = required(words);
    var parts = word.split(":", -1);
    if ((parts.length == 1 || parts.length == 3) && word.matches("\\d{1,9}(:\\d{1,9}:\\d{1,9})?")) {
      int begin = Integer.parseInt(parts[0]);
      int rate = parts.length == 3 ? Integer.parseInt(parts[1]) : 30;
      int full = parts.length == 3 ? Integer.parseInt(parts[2]) : begin;
      if (begin > 0 && begin <= full && rate >= 1 && rate <= 100) {
        return new MaxStartups(begin, rate, full);
      }
    }
    throw new ConfigException("Invalid MaxStartups spec.");
  }

  static Object netBlockSize(Words words) throws ConfigException {
    var word = required(words);
    var parts = word.split(":", -1);
    if (word.matches("\\d{1,3}(:\\d{1,3})?")) {
      int v4 = Integer.parseInt(parts[0]);
      int v6 = parts.length == 2 ? Integer.parseInt(parts[1]) : 0;
      if (v4 <= 32 && v6 <= 128) {
        return new NetBlockSize(v4, v6);
      }
    }
    throw new ConfigException("Invalid PerSourceNetBlockSize spec.");
  }

  static Object penalties(Words words) throws ConfigException {
    var values = words.remaining();
    for (var value : values) {
      Penalties.DEFAULT.with(value);
    }
    return limited(values);
  }
}
