package dev.adit.config;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.function.Supplier;

/**
 * The percent tokens of ssh_config(5) for one destination. Values that go into a shell command are
 * refused when a shell would take them for more than a name: the names come from URLs, from git
 * submodules, from others' files.
 */
public final class Tokens {
  /** For IdentityFile, Match exec and the like. */
  static final String COMMON = "CdhijkLlnpru";

  static final String HOSTNAME = "h";
  static final String PROXY = "hnpr";
  static final String LOCAL_COMMAND = COMMON + "T";
  static final String KNOWN_HOSTS_COMMAND = COMMON + "fHIKt";

  /** The tokens whose value somebody else may have chosen. */
  private static final String NAMES_OF_HOSTS = "hnkHj";

  /** Longer texts are a mistake: the shell and the file system stop long before. */
  private static final int MAX_EXPANDED = 128 * 1024;

  private final Map<Character, Supplier<String>> values;
  private final Map<String, String> environment;

  private Tokens(Map<Character, Supplier<String>> values, Map<String, String> environment) {
    this.values = values;
    this.environment = environment;
  }

  /**
   * The tokens of one destination.
   *
   * @param host the host that is connected to
   * @param originalHost as it stood on the command line
   * @param keyAlias HostKeyAlias, or the original host
   * @param jump ProxyJump's text, or nothing
   */
  static Tokens of(
      LocalSide local,
      String host,
      String originalHost,
      String keyAlias,
      int port,
      String user,
      String jump) {
    var values = new HashMap<Character, Supplier<String>>();
    values.put('h', () -> host);
    values.put('n', () -> originalHost);
    values.put('k', () -> keyAlias);
    values.put('p', () -> Integer.toString(port));
    values.put('r', () -> user);
    values.put('j', () -> jump);
    values.put('u', local::user);
    values.put('i', () -> Long.toString(local.uid()));
    values.put('d', () -> local.home().toString());
    values.put('l', local::hostName);
    values.put('L', local::shortHostName);
    values.put('C', () -> connectionHash(local.hostName() + host + port + user + jump));
    values.put('T', () -> "NONE");
    return new Tokens(values, local.environment());
  }

  /** %h alone, as Hostname takes it: there it stands for the name that is being replaced. */
  static Tokens forHostname(String host) {
    return new Tokens(Map.of('h', () -> host), Map.of());
  }

  /** The same tokens and one more, for what is known only when the server has spoken. */
  public Tokens with(char token, String value) {
    var more = new HashMap<>(values);
    more.put(token, () -> value);
    return new Tokens(more, environment);
  }

  private static String connectionHash(String text) {
    try {
      var digest = MessageDigest.getInstance("SHA-1");
      return HexFormat.of().formatHex(digest.digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-1", e);
    }
  }

  /**
   * Replaces tokens.
   *
   * @param allowed the letters that this keyword takes
   * @throws ConfigException for another letter
   */
  String expand(String keyword, String text, String allowed) throws ConfigException {
    return expand(keyword, text, allowed, false, false);
  }

  /** Replaces tokens and <code>${VARIABLES}</code>. */
  String expandWithEnvironment(String keyword, String text, String allowed) throws ConfigException {
    return expand(keyword, text, allowed, true, false);
  }

  /**
   * Replaces tokens in a command for the shell.
   *
   * @throws ConfigException also when a host's or user's name holds what a shell would act on
   */
  public String expandForShell(String keyword, String command, String allowed)
      throws ConfigException {
    return expand(keyword, command, allowed, false, true);
  }

  private String expand(
      String keyword, String text, String allowed, boolean withEnvironment, boolean forShell)
      throws ConfigException {
    var result = new StringBuilder(text.length() + 32);
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (withEnvironment && c == '$' && text.startsWith("${", i)) {
        int close = text.indexOf('}', i);
        if (close < 0) {
          throw new ConfigException("%s: '${' without '}' in '%s'".formatted(keyword, text));
        }
        var name = text.substring(i + 2, close);
        var value = environment.get(name);
        if (value == null) {
          throw new ConfigException(
              "%s: environment variable ${%s} is not set".formatted(keyword, name));
        }
        result.append(value);
        i = close;
      } else if (c == '%') {
        i++;
        if (i == text.length()) {
          throw new ConfigException("%s: '%%' at the end of '%s'".formatted(keyword, text));
        }
        char token = text.charAt(i);
        if (token == '%') {
          result.append('%');
          continue;
        }
        var value = allowed.indexOf(token) < 0 ? null : values.get(token);
        if (value == null) {
          throw new ConfigException(
              "%s: unknown token %%%c in '%s'".formatted(keyword, token, text));
        }
        var replacement = value.get();
        if (forShell) {
          refuseForShell(keyword, token, replacement);
        }
        result.append(replacement);
      } else {
        result.append(c);
      }
      if (result.length() > MAX_EXPANDED) {
        throw new ConfigException("%s: too long when expanded".formatted(keyword));
      }
    }
    return result.toString();
  }

  private static void refuseForShell(String keyword, char token, String value)
      throws ConfigException {
    if (NAMES_OF_HOSTS.indexOf(token) >= 0 && !isSafeHost(value)) {
      throw new ConfigException(
          "%s: hostname contains invalid characters for %%%c in a shell command: '%s'"
              .formatted(keyword, token, printable(value)));
    }
    if (token == 'r' && !isSafeUser(value)) {
      throw new ConfigException(
          "%s: remote username contains invalid characters for %%r in a shell command: '%s'"
              .formatted(keyword, printable(value)));
    }
  }

  public static String printable(String text) {
    var shown = new StringBuilder(text.length());
    text.chars().forEach(c -> shown.append(Character.isISOControl(c) ? '?' : (char) c));
    return shown.toString();
  }

  /** No shell does more with it than pass it on, and no program takes it for a flag. */
  public static boolean isSafeHost(String host) {
    return !host.startsWith("-")
        && host.chars()
            .noneMatch(
                c ->
                    "'`\"$\\;&<>|(){}".indexOf(c) >= 0
                        || Character.isISOControl(c)
                        || Character.isWhitespace(c));
  }

  /**
   * Looser than {@link #isSafeHost}, as accounts of other systems have spaces, dollars and
   * backslashes: those are let pass where a shell makes no second command of them.
   */
  public static boolean isSafeUser(String user) {
    if (user.startsWith("-") || user.endsWith("\\")) {
      return false;
    }
    for (int i = 0; i < user.length(); i++) {
      char c = user.charAt(i);
      if ("'`\";&<>|(){}".indexOf(c) >= 0 || Character.isISOControl(c)) {
        return false;
      }
      if (Character.isWhitespace(c) && i + 1 < user.length() && user.charAt(i + 1) == '-') {
        return false;
      }
    }
    return true;
  }
}
