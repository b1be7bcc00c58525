package dev.adit.gateway;

import dev.adit.config.AlgorithmNames.Kind;
import dev.adit.config.Patterns;
import dev.adit.config.server.AddressList;
import dev.adit.config.server.ServerConfig;
import dev.adit.config.server.UserPattern;
import dev.adit.gateway.TrustedFiles.UntrustedFileException;
import dev.adit.ssh.AccessPolicy;
import dev.adit.ssh.Authenticator;
import dev.adit.ssh.Authenticator.Conversation.Step;
import dev.adit.ssh.Peer;
import dev.adit.ssh.ServerOptions;
import dev.adit.ssh.UserInteraction.Question;
import dev.adit.ssh.UserKey;
import dev.adit.ssh.keys.AuthorizedKeys;
import dev.adit.ssh.keys.AuthorizedPrincipals;
import dev.adit.ssh.keys.Certificate;
import dev.adit.ssh.keys.InvalidCertificateException;
import dev.adit.ssh.keys.KeyLimits;
import dev.adit.ssh.keys.KeyOptions;
import dev.adit.ssh.keys.RevokedKeys;
import dev.adit.ssh.keys.SshPublicKey;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * One user's login, judged in sshd's order and told in sshd's words, which fail2ban looks for.
 * Nobody learns from an answer whether the user exists: whoever isn't let in has the same methods
 * to try, and all of them fail.
 */
final class GatewayLogin implements Authenticator.Login {
  /** What a client reads that RefuseConnection is for. */
  static final String PROHIBITED = "administratively prohibited";

  private static final String PUBLICKEY = "publickey";
  private static final String PASSWORD = "password";
  private static final String KEYBOARD = "keyboard-interactive";

  /** More than a screen; sshd's own limit is a megabyte. */
  private static final int MAX_BANNER = 64 << 10;

  private final Peer peer;
  private final String asked;
  private final ServerConfig config;
  private final ConnectionLog log;
  private final InstantSource clock;
  private final RevocationFiles revocations;

  /** Null for somebody who isn't let in whatever he shows. */
  private final @Nullable Account account;

  private final boolean isKnownUser;

  /**
   * @param asked the user's name, as the client sent it
   * @param account null if there is none of that name
   * @param config as it is for this connection
   */
  GatewayLogin(
      Peer peer,
      String asked,
      @Nullable Account account,
      ServerConfig config,
      InstantSource clock,
      RevocationFiles revocations) {
    this.peer = peer;
    this.asked = asked;
    this.config = config;
    this.log = new ConnectionLog(config.logLevel());
    this.clock = clock;
    this.revocations = revocations;
    String refusal = account == null ? null : refusal(account);
    isKnownUser = account != null && refusal == null;
    this.account = isKnownUser ? account : null;
    if (refusal != null) {
      log.info("{}", refusal);
    }
    if (account == null) {
      log.info("Invalid user {} from {}", LogText.of(asked), where());
    }
  }

  private String where() {
    var remote = peer.remote();
    return "%s port %d"
        .formatted(Addresses.text(remote), remote == null ? 65535 : remote.getPort());
  }

  // ---- who may try

  /** Why an account may not log in at all; null if it may. */
  private @Nullable String refusal(Account who) {
    String address = Addresses.text(peer.remote());
    Path shell = who.shell();
    if (shell != null && !Files.exists(shell)) {
      return "User %s not allowed because shell %s does not exist".formatted(who.name(), shell);
    }
    if (shell != null && !(Files.isRegularFile(shell) && Files.isExecutable(shell))) {
      return "User %s not allowed because shell %s is not executable".formatted(who.name(), shell);
    }
    Predicate<String> aboutUser =
        pattern -> UserPattern.matches(pattern, who.name(), address, address);
    Predicate<String> aboutGroup =
        pattern -> who.groups().stream().anyMatch(group -> Patterns.matches(group, pattern));
    String because = null;
    if (config.denyUsers().stream().anyMatch(aboutUser)) {
      because = "listed in DenyUsers";
    } else if (!config.allowUsers().isEmpty()
        && config.allowUsers().stream().noneMatch(aboutUser)) {
      because = "not listed in AllowUsers";
    } else if (config.denyGroups().stream().anyMatch(aboutGroup)) {
      because = "a group is listed in DenyGroups";
    } else if (!config.allowGroups().isEmpty()
        && config.allowGroups().stream().noneMatch(aboutGroup)) {
      because = "none of user's groups are listed in AllowGroups";
    }
    return because == null
        ? null
        : "User %s from %s not allowed because %s".formatted(who.name(), address, because);
  }

  @Override
  public @Nullable String refusal() {
    if (!config.refuseConnection()) {
      return null;
    }
    log.info(
        "administratively prohibited connection for {}{} from {}",
        isKnownUser ? "" : "invalid user ",
        LogText.of(asked),
        where());
    return PROHIBITED;
  }

  @Override
  public ServerOptions options(ServerOptions general) {
    return GatewayOptions.ofConnection(general.change(), config).build();
  }

  @Override
  public boolean isKnownUser() {
    return isKnownUser;
  }

  @Override
  public List<List<String>> waysIn() {
    List<List<String>> ways = new ArrayList<>();
    List<String> configured = config.authenticationMethods();
    if (configured.equals(List.of("any"))) {
      for (String method : List.of(PUBLICKEY, PASSWORD, KEYBOARD)) {
        if (isEnabled(method)) {
          ways.add(List.of(method));
        }
      }
    } else {
      for (String list : configured) {
        // What stands behind a colon names a device; ours has no name.
        List<String> way =
            Arrays.stream(list.split(",", -1)).map(method -> method.split(":", 2)[0]).toList();
        if (way.stream().allMatch(this::isEnabled)) {
          ways.add(way);
        }
      }
    }
    // With nothing enabled, keys may be shown, and none is taken.
    return ways.isEmpty() ? List.of(List.of(PUBLICKEY)) : ways;
  }

  private boolean isEnabled(String method) {
    return switch (method) {
      case PUBLICKEY -> config.pubkeyAuthentication();
      case PASSWORD -> config.passwordAuthentication() && config.passwordFile() != null;
      case KEYBOARD -> config.kbdInteractiveAuthentication() && config.passwordFile() != null;
      default -> false;
    };
  }

  @Override
  public String banner() {
    Path file = config.banner();
    if (file == null) {
      return "";
    }
    try {
      return new String(TrustedFiles.read(file, MAX_BANNER), StandardCharsets.UTF_8);
    } catch (IOException e) {
      log.warn("Banner: {}", e.toString());
      return "";
    }
  }

  // ---- keys

  /** A key that was taken, and what it is good for. */
  private record Accepted(List<Limits> limits, boolean requiresTouch, boolean requiresVerification)
      implements Authenticator.Proof {

    Accepted {
      limits = List.copyOf(limits);
    }
  }

  @Override
  public Authenticator.@Nullable Proof publicKey(UserKey offered) {
    Account who = account;
    if (who == null || !isEnabled(PUBLICKEY)) {
      return null;
    }
    if (!config.algorithms(Kind.USER_KEY).contains(offered.algorithm())) {
      log.info(
          "userauth_pubkey: signature algorithm {} not in PubkeyAcceptedAlgorithms",
          LogText.of(offered.algorithm()));
      return null;
    }
    SshPublicKey key;
    try {
      key = SshPublicKey.parse(offered.blob(), config.requiredRsaSize());
    } catch (IOException e) {
      log.info("refusing {} key: {}", LogText.of(offered.type()), LogText.of(e));
      return null;
    }
    if (isRevoked(key)) {
      return null;
    }
    List<Limits> limits = allowed(who, key);
    if (limits == null || !isRootAllowed(who, limits)) {
      return null;
    }
    return new Accepted(
        limits,
        config.touchRequired() || limits.stream().anyMatch(each -> each.options().requiresTouch()),
        config.verifyRequired()
            || limits.stream().anyMatch(each -> each.options().requiresVerification()));
  }

  private boolean isRevoked(SshPublicKey key) {
    Path file = config.revokedKeys();
    if (file == null) {
      return false;
    }
    try {
      RevokedKeys revoked = revocations.get(file);
      if (!revoked.contains(key)) {
        return false;
      }
      log.error("Authentication key {} revoked by file {}", key, file);
    } catch (IOException e) {
      // Then the list can't say that the key is still good.
      log.error(
          "Error checking authentication key {} in revoked keys file {}: {}",
          key,
          file,
          LogText.of(e));
    }
    return true;
  }

  /** PermitRootLogin, for keys. */
  private boolean isRootAllowed(Account who, List<Limits> limits) {
    if (who.uid() != 0 || who.isTunnelUser()) {
      return true;
    }
    boolean allowed =
        switch (config.permitRootLogin()) {
          case YES, PROHIBIT_PASSWORD -> true;
          case NO -> false;
          case FORCED_COMMANDS_ONLY ->
              limits.stream().anyMatch(each -> each.options().command() != null);
        };
    if (!allowed) {
      log.info("ROOT LOGIN REFUSED FROM {}", where());
    }
    return allowed;
  }

  /** The limits under which a key or certificate is taken; null if it isn't. */
  private @Nullable List<Limits> allowed(Account who, SshPublicKey key) {
    for (String pattern : config.authorizedKeysFiles()) {
      Path file = UserPaths.expand(pattern, who);
      if (file != null) {
        List<Limits> limits = allowedByFile(who, key, file);
        if (limits != null) {
          return limits;
        }
      }
    }
    return key instanceof Certificate certificate ? allowedByAuthority(who, certificate) : null;
  }

  private @Nullable List<Limits> allowedByFile(Account who, SshPublicKey key, Path file) {
    byte[] content = readTrusted(file, who);
    if (content == null) {
      return null;
    }
    List<AuthorizedKeys.Entry> entries;
    try {
      entries =
          AuthorizedKeys.parse(content)
              .find(key, (line, why) -> log.info("{}:{}: {}", file, line, why));
    } catch (IOException e) {
      log.error("{}: {}", file, LogText.of(e));
      return null;
    }
    for (AuthorizedKeys.Entry entry : entries) {
      List<Limits> limits = new ArrayList<>();
      limits.add(new Limits("the key", entry.options()));
      if (key instanceof Certificate certificate) {
        List<String> names = entry.options().principals();
        Limits certified = certified(certificate, names == null ? List.of(who.name()) : names);
        if (certified == null) {
          continue;
        }
        limits.add(certified);
      } else if (entry.options().principals() != null) {
        log.info("{}:{}: principals on non-CA key", file, entry.number());
        continue;
      }
      if (areMet(limits)) {
        log.debug("Accepted key {} found at {}:{}", key, file, entry.number());
        return limits;
      }
    }
    return null;
  }

  /** TrustedUserCAKeys, with AuthorizedPrincipalsFile where there is one. */
  private @Nullable List<Limits> allowedByAuthority(Account who, Certificate certificate) {
    Path authorities = config.trustedUserCaKeys();
    if (authorities == null || !isListed(certificate.authority(), authorities)) {
      return null;
    }
    String pattern = config.authorizedPrincipalsFile();
    if (pattern == null) {
      Limits certified = certified(certificate, List.of(who.name()));
      return certified != null && areMet(List.of(certified)) ? List.of(certified) : null;
    }
    Path file = UserPaths.expand(pattern, who);
    byte[] content = file == null ? null : readTrusted(file, who);
    if (content != null) {
      try {
        var entries =
            AuthorizedPrincipals.parse(content)
                .find(certificate, (line, why) -> log.info("{}:{}: {}", file, line, why));
        for (AuthorizedKeys.Entry entry : entries) {
          Limits certified = certified(certificate, certificate.principals());
          List<Limits> limits =
              certified == null
                  ? List.of()
                  : List.of(new Limits("the principal's line", entry.options()), certified);
          if (!limits.isEmpty() && areMet(limits)) {
            return limits;
          }
        }
      } catch (IOException e) {
        log.error("{}: {}", file, LogText.of(e));
      }
    }
    log.info("Certificate does not contain an authorized principal");
    return null;
  }

  private boolean isListed(SshPublicKey authority, Path file) {
    try {
      // A plain list of keys; the options of authorized_keys have no meaning there.
      return AuthorizedKeys.parse(TrustedFiles.read(file, KeyLimits.MAX_AUTHORIZED_KEYS))
          .find(authority, (line, why) -> log.error("{}:{}: {}", file, line, why))
          .stream()
          .anyMatch(entry -> entry.options().equals(KeyOptions.NONE));
    } catch (IOException e) {
      log.error("TrustedUserCAKeys: {}", LogText.of(e));
      return false;
    }
  }

  /** What a certificate allows; null if it doesn't hold now for one of these names. */
  private @Nullable Limits certified(Certificate certificate, Collection<String> names) {
    try {
      certificate.checkUser(names, clock.instant(), config.algorithms(Kind.CA_SIGNATURE));
      return new Limits("the certificate", KeyOptions.of(certificate));
    } catch (InvalidCertificateException e) {
      log.error("{}", LogText.of(e));
      return null;
    }
  }

  private byte @Nullable [] readTrusted(Path file, Account who) {
    try {
      return TrustedFiles.read(file, who, config.strictModes(), KeyLimits.MAX_AUTHORIZED_KEYS);
    } catch (UntrustedFileException e) {
      log.info("Authentication refused: {}", e.getMessage());
    } catch (IOException e) {
      log.info("Could not open user '{}' authorized keys '{}': {}", who.name(), file, e.toString());
    }
    return null;
  }

  /** Whether the conditions on time and place hold that options make. */
  private boolean areMet(List<Limits> limits) {
    Instant now = clock.instant();
    String address = Addresses.text(peer.remote());
    for (Limits each : limits) {
      KeyOptions options = each.options();
      Instant end = options.validBefore();
      if (end != null && end.isBefore(now)) {
        log.info(
            "Authentication tried for {} with {} that expired at {}",
            LogText.of(asked),
            each.whose(),
            end);
        return false;
      }
      String from = options.from();
      // A list with a mistake in it matches nobody.
      if (from != null
          && !(AddressList.isValid(from) && UserPattern.matchesHost(from, address, address))) {
        log.info(
            "Authentication tried for {} with correct key but not from a permitted host"
                + " (host={}, ip={}, required={}).",
            LogText.of(asked),
            address,
            address,
            LogText.of(from));
        return false;
      }
      String source = options.sourceAddress();
      if (source != null && !isWithin(address, source)) {
        log.info(
            "Authentication tried for {} with valid certificate but not from a permitted source"
                + " address ({}).",
            LogText.of(asked),
            address);
        return false;
      }
    }
    if (limits.stream()
            .map(each -> each.options().command())
            .filter(Objects::nonNull)
            .distinct()
            .count()
        > 1) {
      log.info("Refused by certificate options: forced command options do not match");
      return false;
    }
    return true;
  }

  /** Addresses and CIDR blocks only: a list with anything else is of no use (PROTOCOL.certkeys). */
  private static boolean isWithin(String address, String list) {
    return Arrays.stream(list.split(",", -1)).allMatch(AddressList::isAddressOrBlock)
        && AddressList.verdict(address, list) == Patterns.Verdict.MATCHED;
  }

  // ---- passwords

  @Override
  public Authenticator.@Nullable Proof password(char[] password) {
    return isEnabled(PASSWORD) ? checked(password) : null;
  }

  private Authenticator.@Nullable Proof checked(char[] password) {
    Path file = config.passwordFile();
    if (file == null) {
      return null;
    }
    Account who = account;
    try {
      boolean accepted = PasswordFile.read(file).accepts(who == null ? null : who.name(), password);
      if (!accepted || who == null) {
        return null;
      }
      if (who.uid() == 0
          && !who.isTunnelUser()
          && config.permitRootLogin() != ServerConfig.RootLogin.YES) {
        log.info("ROOT LOGIN REFUSED FROM {}", where());
        return null;
      }
      return new Accepted(List.of(), true, false);
    } catch (IOException e) {
      log.error("PasswordFile: {}", LogText.of(e));
      return null;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null;
    }
  }

  @Override
  public Authenticator.@Nullable Conversation keyboardInteractive() {
    return isEnabled(KEYBOARD) ? new PasswordQuestion() : null;
  }

  private final class PasswordQuestion implements Authenticator.Conversation {
    @Override
    public Step first() {
      return new Step.Ask("", "", List.of(new Question("Password: ", false)));
    }

    @Override
    public Step answered(List<String> answers) {
      char[] password = answers.getFirst().toCharArray();
      try {
        Authenticator.Proof proof = checked(password);
        return proof == null ? new Step.Denied() : new Step.Granted(proof);
      } finally {
        Arrays.fill(password, '\0');
      }
    }
  }

  // ---- in

  @Override
  public @Nullable AccessPolicy admit(List<Authenticator.Proof> proofs) {
    Account who = account;
    if (who == null || proofs.isEmpty()) {
      return null;
    }
    List<Limits> limits = new ArrayList<>();
    for (Authenticator.Proof proof : proofs) {
      if (!(proof instanceof Accepted accepted)) {
        return null;
      }
      limits.addAll(accepted.limits());
    }
    // Once more for all together: time has passed, and two keys may force two commands.
    return areMet(limits) ? new GatewayPolicy(who, peer, config, limits) : null;
  }
}
