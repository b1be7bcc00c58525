package dev.adit.config;

import dev.adit.ssh.ForwardSpec;
import dev.adit.ssh.Listen;
import dev.adit.ssh.Target;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The way from a command line to {@link ClientOptions}: the files are read (twice, where canonical
 * names or {@code Match final} ask for it), defaults filled in, tokens expanded. Not safe for
 * several threads; use one for one destination.
 */
public final class OptionsResolver {
  private final LocalSide local;
  private final AlgorithmNames algorithms;
  private final Settings settings = new Settings();
  private final ConfigReader commandLineReader;

  public OptionsResolver(LocalSide local, AlgorithmNames algorithms) {
    this.local = local;
    this.algorithms = algorithms;
    this.commandLineReader = new ConfigReader(settings, local, algorithms, "", "", false);
  }

  /**
   * Takes a setting of the command line, as {@code -o} has it. Earlier ones win.
   *
   * @throws ConfigException naming what is wrong
   */
  public void option(String line) throws ConfigException {
    commandLineReader.commandLineOption(line);
  }

  /** Takes a value of the command line; earlier ones win, or are added to. */
  public void add(Keyword keyword, Object value) {
    settings.add(keyword, value);
  }

  /** Takes a value of the command line, whatever stood before. */
  public void override(Keyword keyword, Object value) {
    settings.override(keyword, value);
  }

  /** The value so far, or null. */
  public @Nullable Object value(Keyword keyword) {
    return settings.get(keyword);
  }

  /**
   * A path with {@code ~} and {@code ~user} replaced.
   *
   * @throws ConfigException when there is no such user
   */
  public String expandTilde(String path) throws ConfigException {
    return local.expandTilde(path);
  }

  /**
   * Reads the files and puts everything together.
   *
   * @throws ConfigException when something can't be used; the message may have several lines
   */
  public ClientOptions resolve(CommandLine commandLine) throws ConfigException {
    var destination = commandLine.destination();
    var originalHost = destination.host();
    if (destination.user() != null) {
      settings.add(Keyword.USER, destination.user());
    }
    if (destination.port() != 0) {
      settings.add(Keyword.PORT, destination.port());
    }
    refuseUnsafeNames(originalHost, settings.text(Keyword.USER));

    boolean wantsFinalPass = readFiles(commandLine, originalHost, originalHost, false);
    // Canonicalization is settled with the first pass; the second can't change it any more.
    settings.add(Keyword.CANONICALIZE_HOSTNAME, "false");
    settings.add(Keyword.CANONICALIZE_FALLBACK_LOCAL, true);
    settings.add(Keyword.CANONICALIZE_MAX_DOTS, 1);
    var hostname = settings.text(Keyword.HOSTNAME);
    var host =
        (hostname == null ? originalHost : ConfigReader.expandHostname(hostname, originalHost));
    if (canonicalizes()) {
      host = new Canonicalizer(local.names(), settings).canonicalize(host);
      wantsFinalPass = true;
    }
    host = host.toLowerCase(Locale.ROOT);
    if (wantsFinalPass) {
      settings.override(Keyword.HOSTNAME, host);
      readFiles(commandLine, host, originalHost, true);
    }
    var refusal = settings.text(Keyword.REFUSE_CONNECTION);
    if (refusal != null) {
      throw new ConfigException("Connection refused by configuration: " + refusal);
    }
    return finish(commandLine, host);
  }

  /** As ssh: such a name has no good reason, and a command somewhere might take it apart. */
  private static void refuseUnsafeNames(String host, @Nullable String user) throws ConfigException {
    if (!Tokens.isSafeHost(host)) {
      throw new ConfigException("hostname contains invalid characters");
    }
    if (user != null && !Tokens.isSafeUser(user)) {
      throw new ConfigException("remote username contains invalid characters");
    }
  }

  private boolean readFiles(
      CommandLine commandLine, String host, String originalHost, boolean isFinalPass)
      throws ConfigException {
    var reader = new ConfigReader(settings, local, algorithms, host, originalHost, isFinalPass);
    var file = commandLine.configFile();
    if (file == null) {
      reader.file(local.sshDirectory().resolve("config"), ConfigReader.Origin.USER, true);
      reader.file(local.systemConfig(), ConfigReader.Origin.SYSTEM, false);
    } else if (!file.equalsIgnoreCase("none")
        && !reader.file(Path.of(file), ConfigReader.Origin.USER, false)) {
      throw new ConfigException(
          "Can't open user config file %s: No such file or directory".formatted(file));
    }
    return reader.wantsFinalPass();
  }

  private boolean canonicalizes() {
    var wanted = settings.text(Keyword.CANONICALIZE_HOSTNAME);
    boolean isProxied =
        isSet(Keyword.PROXY_COMMAND)
            || (settings.get(Keyword.PROXY_JUMP) instanceof List<?> hops && !hops.isEmpty());
    return Objects.equals(wanted, "always") || (Objects.equals(wanted, "true") && !isProxied);
  }

  private boolean isSet(Keyword keyword) {
    var text = settings.text(keyword);
    return text != null && !text.equalsIgnoreCase("none");
  }

  // --- defaults and expansion ---

  private ClientOptions finish(CommandLine commandLine, String host) throws ConfigException {
    var originalHost = commandLine.destination().host();
    clearNone(Keyword.PROXY_COMMAND);
    clearNone(Keyword.CONTROL_PATH);
    clearNone(Keyword.LOCAL_COMMAND);
    clearNone(Keyword.REMOTE_COMMAND);
    clearNone(Keyword.KNOWN_HOSTS_COMMAND);
    clearNone(Keyword.REVOKED_HOST_KEYS);
    clearNone(Keyword.PKCS11_PROVIDER);
    clearNone(Keyword.SECURITY_KEY_PROVIDER);

    var alias = settings.text(Keyword.HOST_KEY_ALIAS);
    if (alias != null) {
      settings.override(Keyword.HOST_KEY_ALIAS, alias.toLowerCase(Locale.ROOT));
    }
    var tokens = tokens(host, originalHost);
    expand(Keyword.CONTROL_PATH, tokens);
    expandAgents(tokens);
    expandKnownHosts(tokens);
    expandCommands(tokens);
    expandForwards(tokens);
    fillDefaults(commandLine);
    refuseContradictions(commandLine);

    var notes = new ArrayList<>(settings.notes());
    var lists = new EnumMap<AlgorithmNames.Kind, List<String>>(AlgorithmNames.Kind.class);
    for (var kind : AlgorithmNames.Kind.values()) {
      var keyword = AlgorithmList.keywordOf(kind);
      var spec = settings.text(keyword);
      lists.put(
          kind,
          spec == null
              ? algorithms.defaults(kind)
              : AlgorithmList.assemble(keyword.text(), spec, algorithms, kind, notes));
    }
    var revoked = settings.text(Keyword.REVOKED_HOST_KEYS);
    return new ClientOptions(
        settings.values(),
        originalHost,
        host,
        local.user(),
        commandLine,
        files(Keyword.IDENTITY_FILE, ClientOptions.DEFAULT_IDENTITY_FILES, tokens, notes),
        files(Keyword.CERTIFICATE_FILE, List.of(), tokens, notes),
        lists,
        revoked == null ? null : Path.of(local.expandTilde(revoked)),
        tokens,
        notes);
  }

  private void clearNone(Keyword keyword) {
    var text = settings.text(keyword);
    if (text != null && text.equalsIgnoreCase("none")) {
      settings.remove(keyword);
    }
  }

  private Tokens tokens(String host, String originalHost) {
    var alias = settings.text(Keyword.HOST_KEY_ALIAS);
    var user = settings.text(Keyword.USER);
    var port = (Integer) settings.get(Keyword.PORT);
    return Tokens.of(
        local,
        host,
        originalHost,
        alias == null ? originalHost : alias,
        port == null ? ClientOptions.DEFAULT_PORT : port,
        user == null ? local.user() : user,
        ClientOptions.jumpText(settings.get(Keyword.PROXY_JUMP)));
  }

  private void expand(Keyword keyword, Tokens tokens) throws ConfigException {
    var text = settings.text(keyword);
    if (text != null) {
      settings.override(keyword, path(keyword, text, tokens));
    }
  }

  private String path(Keyword keyword, String text, Tokens tokens) throws ConfigException {
    return tokens.expandWithEnvironment(keyword.text(), local.expandTilde(text), Tokens.COMMON);
  }

  private void expandAgents(Tokens tokens) throws ConfigException {
    for (var keyword : List.of(Keyword.IDENTITY_AGENT, Keyword.FORWARD_AGENT)) {
      var text = settings.text(keyword);
      boolean isVariable = text != null && text.startsWith("$") && !text.startsWith("${");
      if (text != null && !isVariable) {
        settings.override(keyword, path(keyword, text, tokens));
      }
    }
  }

  private void expandKnownHosts(Tokens tokens) throws ConfigException {
    var files = settings.get(Keyword.USER_KNOWN_HOSTS_FILE);
    boolean isDefault = files == null;
    var expanded = new ArrayList<String>();
    var names = isDefault ? ClientOptions.DEFAULT_USER_KNOWN_HOSTS : (List<?>) files;
    for (var file : Objects.requireNonNull(names)) {
      expanded.add(path(Keyword.USER_KNOWN_HOSTS_FILE, (String) file, tokens));
    }
    settings.override(Keyword.USER_KNOWN_HOSTS_FILE, expanded);
    var dns = settings.text(Keyword.VERIFY_HOST_KEY_DNS);
    boolean usesDns = dns != null && !dns.equals("false");
    settings.add(Keyword.UPDATE_HOST_KEYS, isDefault && !usesDns ? "true" : "false");
  }

  private void expandCommands(Tokens tokens) throws ConfigException {
    var remote = settings.text(Keyword.REMOTE_COMMAND);
    if (remote != null) {
      settings.override(
          Keyword.REMOTE_COMMAND, tokens.expand("RemoteCommand", remote, Tokens.COMMON));
    }
  }

  private void expandForwards(Tokens tokens) throws ConfigException {
    for (var keyword :
        List.of(Keyword.LOCAL_FORWARD, Keyword.REMOTE_FORWARD, Keyword.DYNAMIC_FORWARD)) {
      var forwards = settings.get(keyword);
      if (forwards == null) {
        continue;
      }
      var expanded = new ArrayList<ForwardSpec>();
      for (var forward : (List<?>) forwards) {
        expanded.add(expanded(keyword, (ForwardSpec) forward, tokens));
      }
      settings.override(keyword, expanded);
    }
  }

  private static ForwardSpec expanded(Keyword keyword, ForwardSpec forward, Tokens tokens)
      throws ConfigException {
    return switch (forward) {
      case ForwardSpec.Local(var listen, var target) ->
          new ForwardSpec.Local(
              expanded(keyword, listen, tokens), expanded(keyword, target, tokens));
      case ForwardSpec.Remote(var listen, var target) ->
          new ForwardSpec.Remote(
              expanded(keyword, listen, tokens), expanded(keyword, target, tokens));
      case ForwardSpec.Dynamic(var listen) ->
          new ForwardSpec.Dynamic(expanded(keyword, listen, tokens));
      case ForwardSpec.RemoteDynamic(var listen) ->
          new ForwardSpec.RemoteDynamic(expanded(keyword, listen, tokens));
    };
  }

  private static Listen expanded(Keyword keyword, Listen listen, Tokens tokens)
      throws ConfigException {
    return listen instanceof Listen.Unix(var path)
        ? new Listen.Unix(tokens.expandWithEnvironment(keyword.text(), path, Tokens.COMMON))
        : listen;
  }

  private static Target expanded(Keyword keyword, Target target, Tokens tokens)
      throws ConfigException {
    return target instanceof Target.Unix(var path)
        ? new Target.Unix(tokens.expandWithEnvironment(keyword.text(), path, Tokens.COMMON))
        : target;
  }

  private void fillDefaults(CommandLine commandLine) {
    if (commandLine.stdioForward() != null) {
      // -W is for other programs' standard streams: nothing else may speak there, unless asked to.
      settings.add(Keyword.EXIT_ON_FORWARD_FAILURE, true);
      settings.add(Keyword.CLEAR_ALL_FORWARDINGS, true);
    }
    if (Boolean.TRUE.equals(settings.get(Keyword.FORK_AFTER_AUTHENTICATION))
        && Objects.equals(settings.text(Keyword.UPDATE_HOST_KEYS), "ask")) {
      // Nobody can be asked in the background.
      settings.override(Keyword.UPDATE_HOST_KEYS, "false");
    }
    if (Boolean.TRUE.equals(settings.get(Keyword.CLEAR_ALL_FORWARDINGS))) {
      settings.remove(Keyword.LOCAL_FORWARD);
      settings.remove(Keyword.REMOTE_FORWARD);
      settings.remove(Keyword.DYNAMIC_FORWARD);
    }
  }

  private void refuseContradictions(CommandLine commandLine) throws ConfigException {
    boolean hasCommand = !commandLine.command().isEmpty();
    boolean hasRemoteCommand = settings.has(Keyword.REMOTE_COMMAND);
    var sessionType = settings.text(Keyword.SESSION_TYPE);
    if (hasCommand && hasRemoteCommand) {
      throw new ConfigException("Cannot execute command-line and remote command.");
    }
    if (Objects.equals(sessionType, "subsystem") && !hasCommand && !hasRemoteCommand) {
      throw new ConfigException("You must specify a subsystem to invoke.");
    }
    if (Boolean.TRUE.equals(settings.get(Keyword.FORK_AFTER_AUTHENTICATION))
        && !hasCommand
        && !hasRemoteCommand
        && !Objects.equals(sessionType, "none")) {
      throw new ConfigException("Cannot fork into background without a command to execute.");
    }
  }

  /** A file whose name can't be expanded is left out with a note, as in ssh. */
  private List<Path> files(
      Keyword keyword, List<String> otherwise, Tokens tokens, List<String> notes) {
    var names = settings.get(keyword);
    var files = new ArrayList<Path>();
    for (var name : names == null ? otherwise : (List<?>) names) {
      if (((String) name).equalsIgnoreCase("none")) {
        continue;
      }
      try {
        files.add(Path.of(path(keyword, (String) name, tokens)));
      } catch (ConfigException e) {
        notes.add("%s %s is left out: %s".formatted(keyword.text(), name, e.getMessage()));
      }
    }
    return files;
  }
}
