package dev.adit.config;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Reads ssh_config(5) into {@link Settings}: Host and Match decide what counts, the first value
 * wins. One pass over the files; a second one may follow for {@code Match final} and canonical
 * names, with a reader of its own.
 */
final class ConfigReader {
  /** As in ssh: deeper includes are a circle. */
  private static final int MAX_DEPTH = 16;

  /** Longer files are not configuration; a stopper for /dev/zero. */
  private static final int MAX_FILE = 16 * 1024 * 1024;

  /** For whom a file counts, and with it where its relative includes are. */
  enum Origin {
    USER,
    SYSTEM
  }

  private final Settings settings;
  private final LocalSide local;
  private final AlgorithmNames algorithms;

  /** What Host patterns and %h see: the target as far as it is known in this pass. */
  private final String host;

  private final String originalHost;
  private final boolean isFinalPass;
  private boolean wantsFinalPass;

  ConfigReader(
      Settings settings,
      LocalSide local,
      AlgorithmNames algorithms,
      String host,
      String originalHost,
      boolean isFinalPass) {
    this.settings = settings;
    this.local = local;
    this.algorithms = algorithms;
    this.host = host;
    this.originalHost = originalHost;
    this.isFinalPass = isFinalPass;
  }

  /** True when {@code Match final} stood somewhere: then the files are to be read once more. */
  boolean wantsFinalPass() {
    return wantsFinalPass;
  }

  /** Where a line stands. */
  private record Place(
      String file,
      int line,
      Origin origin,
      int depth,
      boolean neverMatches,
      boolean isCommandLine) {
    ConfigException error(String problem) {
      return new ConfigException("%s line %d: %s".formatted(file, line, problem));
    }
  }

  /**
   * Takes the argument of {@code -o}.
   *
   * @throws ConfigException naming what is wrong
   */
  void commandLineOption(String option) throws ConfigException {
    line(option, new Place("command-line", 0, Origin.USER, 0, false, true), true);
  }

  /**
   * Reads a file, if it is there.
   *
   * @return false when there is no such file
   * @throws ConfigException when it can't be read or used: a line for each problem
   */
  boolean file(Path file, Origin origin, boolean checkPermissions) throws ConfigException {
    return file(file, origin, checkPermissions, 0, true, false);
  }

  private boolean file(
      Path file,
      Origin origin,
      boolean checkPermissions,
      int depth,
      boolean active,
      boolean neverMatches)
      throws ConfigException {
    if (depth > MAX_DEPTH) {
      throw new ConfigException("Too many recursive configuration includes");
    }
    if (checkPermissions && !isTrusted(file)) {
      throw new ConfigException("Bad owner or permissions on " + file);
    }
    List<String> lines;
    try (var in = Files.newInputStream(file)) {
      var bytes = in.readNBytes(MAX_FILE + 1);
      if (bytes.length > MAX_FILE) {
        throw new ConfigException("%s: longer than %d bytes".formatted(file, MAX_FILE));
      }
      lines = new String(bytes, StandardCharsets.UTF_8).lines().toList();
    } catch (NoSuchFileException e) {
      return false;
    } catch (IOException e) {
      throw new ConfigException(
          "Can't open user config file %s: %s".formatted(file, Globs.reason(e)), e);
    }
    var problems = new ArrayList<String>();
    boolean isActive = active;
    for (int i = 0; i < lines.size(); i++) {
      var place = new Place(file.toString(), i + 1, origin, depth, neverMatches, false);
      try {
        isActive = line(lines.get(i), place, isActive);
      } catch (ConfigException e) {
        problems.add(e.getMessage());
      }
    }
    if (!problems.isEmpty()) {
      problems.add(
          "%s: terminating, %d bad configuration options".formatted(file, problems.size()));
      throw new ConfigException(String.join("\n", problems));
    }
    return true;
  }

  /**
   * Owned by root or us and writable by nobody else. A group that is named as its owner is the
   * owner alone, on systems that give each user a group.
   */
  private boolean isTrusted(Path file) throws ConfigException {
    try {
      var attributes = Files.readAttributes(file, PosixFileAttributes.class);
      var owner = (Integer) Files.getAttribute(file, "unix:uid");
      var permissions = attributes.permissions();
      boolean isOwnGroup = attributes.group().getName().equals(attributes.owner().getName());
      return (owner == 0 || owner == local.uid())
          && !permissions.contains(PosixFilePermission.OTHERS_WRITE)
          && (isOwnGroup || !permissions.contains(PosixFilePermission.GROUP_WRITE));
    } catch (NoSuchFileException e) {
      return true;
    } catch (IOException e) {
      throw new ConfigException(
          "Can't open user config file %s: %s".formatted(file, Globs.reason(e)), e);
    } catch (UnsupportedOperationException e) {
      // A file system without owners, as on Windows.
      return true;
    }
  }

  /** Returns whether the next lines count. */
  private boolean line(String text, Place place, boolean isActive) throws ConfigException {
    Words unparted;
    try {
      unparted = Words.of(text);
    } catch (ConfigException e) {
      throw place.error(String.valueOf(e.getMessage()));
    }
    if (unparted == null) {
      return isActive;
    }
    var name = unparted.keyword().toLowerCase(Locale.ROOT);
    if (unparted.rest().isEmpty()) {
      throw place.error("no argument after keyword \"%s\"".formatted(name));
    }
    var keyword = Keyword.of(name);
    if (keyword == null) {
      var ignored = settings.text(Keyword.IGNORE_UNKNOWN);
      if (ignored != null && Patterns.hosts(name, ignored) == Patterns.Verdict.MATCHED) {
        return isActive;
      }
      throw new ConfigException(
          "%s: line %d: Bad configuration option: %s"
              .formatted(place.file, place.line, Tokens.printable(name)));
    }
    try {
      return apply(keyword, unparted, place, isActive);
    } catch (PlacedException e) {
      throw new ConfigException(String.valueOf(e.getMessage()), e);
    } catch (ConfigException e) {
      throw place.error(String.valueOf(e.getMessage()));
    }
  }

  /** A problem that already says where it is: that of an included file. */
  private static final class PlacedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    PlacedException(ConfigException cause) {
      super(cause.getMessage(), cause);
    }
  }

  private boolean apply(Keyword keyword, Words unparted, Place place, boolean isActive)
      throws ConfigException {
    if (keyword.state() == Keyword.State.IGNORED) {
      settings.note(
          "%s line %d: %s is history and does nothing"
              .formatted(place.file, place.line, keyword.text()));
      return isActive;
    }
    var words = takesRest(keyword) ? unparted : unparted.parted();
    switch (keyword) {
      case HOST -> {
        refuseOnCommandLine(keyword, place);
        return matchesHost(words.remaining(), place);
      }
      case MATCH -> {
        refuseOnCommandLine(keyword, place);
        return matches(words.remaining(), place);
      }
      case INCLUDE -> {
        for (var pattern : words.remaining()) {
          include(pattern, place, isActive);
        }
        return isActive;
      }
      default -> {
        var value = keyword.read(words);
        var kind = AlgorithmList.kindOf(keyword);
        if (kind != null) {
          // The list is made when all is read; what is wrong with it is told with its line.
          var unused =
              AlgorithmList.assemble(
                  keyword.text(), (String) value, algorithms, kind, new ArrayList<>());
        }
        if (words.hasNext()) {
          throw new ConfigException(
              "keyword %s extra arguments at end of line"
                  .formatted(keyword.text().toLowerCase(Locale.ROOT)));
        }
        if (isActive) {
          set(keyword, value, place);
        }
        return isActive;
      }
    }
  }

  private static boolean takesRest(Keyword keyword) {
    return switch (keyword) {
      case PROXY_COMMAND, LOCAL_COMMAND, REMOTE_COMMAND, KNOWN_HOSTS_COMMAND -> true;
      default -> false;
    };
  }

  private static void refuseOnCommandLine(Keyword keyword, Place place) throws ConfigException {
    if (place.isCommandLine) {
      throw new ConfigException(
          "%s directive not supported as a command-line option".formatted(keyword.text()));
    }
  }

  private void set(Keyword keyword, Object value, Place place) {
    if (keyword.state() == Keyword.State.ACCEPTED) {
      settings.note(
          "%s line %d: %s is accepted but does nothing yet%s"
              .formatted(
                  place.file,
                  place.line,
                  keyword.text(),
                  keyword.note().isEmpty() ? "" : " (" + keyword.note() + ")"));
    }
    settings.add(keyword, value);
  }

  // --- Include ---

  private void include(String pattern, Place place, boolean isActive) throws ConfigException {
    if (pattern.isEmpty()) {
      throw new ConfigException("missing include filename");
    }
    if (pattern.startsWith("~") && place.origin == Origin.SYSTEM) {
      throw new ConfigException("bad include path " + pattern + ".");
    }
    var path = local.expandTilde(pattern);
    if (!path.startsWith("/")) {
      var base =
          place.origin == Origin.USER ? local.sshDirectory() : local.systemConfig().getParent();
      path = base + "/" + path;
    }
    for (var file : Globs.files(path)) {
      try {
        file(file, place.origin, true, place.depth + 1, isActive, place.neverMatches || !isActive);
      } catch (ConfigException e) {
        throw new PlacedException(e);
      }
    }
  }

  // --- Host and Match ---

  private boolean matchesHost(List<String> patterns, Place place) throws ConfigException {
    if (patterns.contains("")) {
      throw new ConfigException("keyword host empty argument");
    }
    return !place.neverMatches
        && Patterns.anyOf(host, patterns.toArray(String[]::new)) == Patterns.Verdict.MATCHED;
  }

  private boolean matches(List<String> criteria, Place place) throws ConfigException {
    boolean result = true;
    boolean mayBeFollowedByAll = true;
    boolean isFirst = true;
    for (int i = 0; i < criteria.size(); i++) {
      var criterion = criteria.get(i);
      boolean negated = criterion.startsWith("!");
      var attribute = (negated ? criterion.substring(1) : criterion).toLowerCase(Locale.ROOT);
      String argument = null;
      int equals = attribute.indexOf('=');
      if (equals >= 0) {
        argument = criterion.substring(criterion.indexOf('=') + 1);
        attribute = attribute.substring(0, equals);
      }
      switch (attribute) {
        case "all" -> {
          if (!mayBeFollowedByAll || i != criteria.size() - 1) {
            throw new ConfigException("'all' cannot be combined with other Match attributes");
          }
          result &= !negated;
        }
        case "canonical", "final" -> {
          if (attribute.equals("final")) {
            wantsFinalPass = true;
          }
          result &= isFinalPass != negated;
        }
        default -> {
          if (argument == null || argument.isEmpty()) {
            if (i + 1 == criteria.size() || criteria.get(i + 1).isEmpty()) {
              throw new ConfigException("Missing Match criteria for " + attribute);
            }
            argument = criteria.get(++i);
          }
          // A command is run only when everything before it has matched, as ssh does it.
          boolean matched =
              attribute.equals("exec")
                  ? result && !place.neverMatches && execSucceeds(argument) != negated
                  : matchesCriterion(attribute, argument) != negated;
          result &= matched;
          mayBeFollowedByAll = false;
        }
      }
      isFirst = false;
    }
    if (isFirst) {
      throw new ConfigException("One or more attributes required for Match");
    }
    return result && !place.neverMatches;
  }

  private boolean matchesCriterion(String attribute, String argument) throws ConfigException {
    return switch (attribute) {
      case "host" -> Patterns.hosts(targetHost(), argument) == Patterns.Verdict.MATCHED;
      case "originalhost" -> Patterns.hosts(originalHost, argument) == Patterns.Verdict.MATCHED;
      case "user" -> Patterns.list(remoteUser(), argument) == Patterns.Verdict.MATCHED;
      case "localuser" -> Patterns.list(local.user(), argument) == Patterns.Verdict.MATCHED;
      case "tagged" -> {
        var tag = settings.text(Keyword.TAG);
        yield Patterns.list(tag == null ? "" : tag, argument) == Patterns.Verdict.MATCHED;
      }
      case "localnetwork", "command", "sessiontype", "version" ->
          throw new ConfigException("Match " + attribute + " is not there yet");
      default -> throw new ConfigException("Unsupported Match attribute " + attribute);
    };
  }

  private String targetHost() throws ConfigException {
    var hostname = settings.text(Keyword.HOSTNAME);
    return hostname == null ? host : expandHostname(hostname, host);
  }

  static String expandHostname(String hostname, String host) throws ConfigException {
    return hostname.indexOf('%') < 0
        ? hostname
        : Tokens.forHostname(host).expand("Hostname", hostname, Tokens.HOSTNAME);
  }

  private String remoteUser() {
    var user = settings.text(Keyword.USER);
    return user == null ? local.user() : user;
  }

  private boolean execSucceeds(String command) throws ConfigException {
    var port = (Integer) settings.get(Keyword.PORT);
    var alias = settings.text(Keyword.HOST_KEY_ALIAS);
    var tokens =
        Tokens.of(
            local,
            targetHost(),
            originalHost,
            alias == null ? originalHost : alias,
            port == null ? ClientOptions.DEFAULT_PORT : port,
            remoteUser(),
            ClientOptions.jumpText(settings.get(Keyword.PROXY_JUMP)));
    var expanded = tokens.expandForShell("Match exec", command, Tokens.COMMON);
    try {
      return local.shell().run(expanded) == 0;
    } catch (IOException e) {
      throw new ConfigException(
          "Match exec '%s' failed: %s".formatted(expanded, Globs.reason(e)), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ConfigException("Match exec '%s' was interrupted".formatted(expanded), e);
    }
  }
}
