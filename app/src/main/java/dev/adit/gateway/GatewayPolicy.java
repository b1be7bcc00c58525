package dev.adit.gateway;

import dev.adit.config.Patterns;
import dev.adit.config.server.HostPort;
import dev.adit.config.server.ServerConfig;
import dev.adit.config.server.ServerConfig.Forwarding;
import dev.adit.config.server.Subsystem;
import dev.adit.ssh.AccessPolicy;
import dev.adit.ssh.Decision;
import dev.adit.ssh.ForwardOptions;
import dev.adit.ssh.Launch;
import dev.adit.ssh.Listen;
import dev.adit.ssh.Peer;
import dev.adit.ssh.PtyOptions;
import dev.adit.ssh.SessionRequest;
import dev.adit.ssh.Target;
import dev.adit.ssh.keys.KeyOptions;
import dev.adit.ssh.keys.KeyOptions.Permit;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What a user who is in may do: what sshd_config(5) allows, as far as each of the user's keys and
 * certificates allows it too. Immutable; nothing here blocks.
 */
final class GatewayPolicy implements AccessPolicy {
  /** Below, ports are the system's. */
  private static final int FIRST_UNPRIVILEGED_PORT = 1024;

  private static final String ANY = "*";

  /** sshd's own sftp server, which isn't here. */
  private static final String INTERNAL_SFTP = "internal-sftp";

  /** These choose what code a program runs, before a forced command has a say. */
  private static final Set<String> DANGEROUS_VARIABLES =
      Set.of("PATH", "ENV", "BASH_ENV", "SHELLOPTS", "IFS", "GLIBC_TUNABLES");

  private final Account account;
  private final ServerConfig config;
  private final List<Limits> limits;
  private final SessionEnvironment environment;

  /** Reads files of the user's, so it may block. */
  GatewayPolicy(Account account, Peer peer, ServerConfig config, List<Limits> limits) {
    this.account = account;
    this.config = config;
    this.limits = List.copyOf(limits);
    this.environment = SessionEnvironment.of(account, peer, config, limits);
  }

  @Override
  public String user() {
    return account.name();
  }

  // ---- to targets

  @Override
  public Decision<Target> connect(Target target) {
    String why =
        switch (target) {
          case Target.Tcp tcp -> tcpDenial(tcp);
          case Target.Unix _ ->
              unixDenial(
                  Forwarding::allowsLocal,
                  config.permitOpen(),
                  KeyOptions::permitOpen,
                  "PermitOpen");
        };
    return why == null ? Decision.allowed(target) : Decision.denied(why);
  }

  private @Nullable String tcpDenial(Target.Tcp target) {
    String why = forwardingDenial(Forwarding::allowsLocal);
    if (why != null) {
      return why;
    }
    List<HostPort> permits = config.permitOpen();
    if (permits != null
        && permits.stream().noneMatch(p -> matches(p, target.host(), target.port()))) {
      return "PermitOpen does not list " + target;
    }
    return unlisted(KeyOptions::permitOpen, target.host(), target.port(), "permitopen", target);
  }

  /** Why TCP isn't forwarded in a direction at all; null if it may be. */
  private @Nullable String forwardingDenial(Predicate<Forwarding> direction) {
    if (config.disableForwarding()) {
      return "DisableForwarding is set";
    }
    if (!direction.test(config.allowTcpForwarding())) {
      return "AllowTcpForwarding does not allow it";
    }
    return limited(KeyOptions::portForwarding, "port forwarding");
  }

  private @Nullable String unixDenial(
      Predicate<Forwarding> direction,
      @Nullable List<HostPort> permits,
      Function<KeyOptions, List<Permit>> ofKey,
      String keyword) {
    if (!account.isOwn()) {
      return onlyTunnels("Unix sockets are");
    }
    if (config.disableForwarding()) {
      return "DisableForwarding is set";
    }
    if (!direction.test(config.allowStreamLocalForwarding())) {
      return "AllowStreamLocalForwarding does not allow it";
    }
    // sshd lets them pass here; but who may reach one port is not meant to reach every socket.
    if (permits != null
        || limits.stream().anyMatch(each -> !ofKey.apply(each.options()).isEmpty())) {
      return keyword + " lists no Unix sockets";
    }
    return limited(KeyOptions::portForwarding, "port forwarding");
  }

  private @Nullable String limited(Predicate<KeyOptions> isAllowed, String what) {
    for (Limits each : limits) {
      if (!isAllowed.test(each.options())) {
        return each.whose() + " does not allow " + what;
      }
    }
    return null;
  }

  private @Nullable String unlisted(
      Function<KeyOptions, List<Permit>> ofKey,
      String host,
      int port,
      String option,
      Object shown) {
    for (Limits each : limits) {
      List<Permit> permits = ofKey.apply(each.options());
      if (!permits.isEmpty()
          && permits.stream().noneMatch(p -> matches(p.host(), p.port(), host, port))) {
        return "%s of %s does not list %s".formatted(option, each.whose(), shown);
      }
    }
    return null;
  }

  private static boolean matches(HostPort permit, String host, int port) {
    return matches(permit.host(), permit.port(), host, port);
  }

  /** As sshd: the host to the letter or a star, the port or a star. Nothing is resolved. */
  private static boolean matches(String permitHost, int permitPort, String host, int port) {
    return (permitHost.equals(ANY) || permitHost.equals(host))
        && (permitPort == HostPort.ANY_PORT || permitPort == port);
  }

  @Override
  public Decision<InetAddress> dial(Target.Tcp target, InetAddress address) {
    String denial = Addresses.denial(address, config.denyOpen());
    if (denial == null || isNamed(target)) {
      return Decision.allowed(address);
    }
    return Decision.denied(
        "%s is %s, %s that PermitOpen does not name"
            .formatted(target.host(), Addresses.text(address), denial));
  }

  /** Only the administrator's word counts: users write their own authorized_keys. */
  private boolean isNamed(Target.Tcp target) {
    List<HostPort> permits = config.permitOpen();
    return permits != null
        && permits.stream()
            .anyMatch(
                permit ->
                    permit.host().equals(target.host()) && permit.includesPort(target.port()));
  }

  // ---- listeners

  @Override
  public Decision<Listen> listen(Listen asked) {
    return switch (asked) {
      case Listen.Tcp tcp -> listenTcp(tcp);
      case Listen.Unix unix -> {
        String why =
            unixDenial(
                Forwarding::allowsRemote,
                config.permitListen(),
                KeyOptions::permitListen,
                "PermitListen");
        yield why == null ? Decision.allowed(unix) : Decision.denied(why);
      }
    };
  }

  private Decision<Listen> listenTcp(Listen.Tcp asked) {
    String host = Objects.requireNonNullElse(asked.bindAddress(), "");
    String why = forwardingDenial(Forwarding::allowsRemote);
    if (why != null) {
      return Decision.denied(why);
    }
    List<HostPort> permits = config.permitListen();
    boolean isPermitted =
        permits == null || permits.stream().anyMatch(p -> matches(p, host, asked.port()));
    if (!isPermitted) {
      return Decision.denied("PermitListen does not list " + asked);
    }
    why = unlisted(KeyOptions::permitListen, host, asked.port(), "permitlisten", asked);
    if (why != null) {
      return Decision.denied(why);
    }
    boolean isNamed =
        permits != null && permits.stream().anyMatch(permit -> permit.port() == asked.port());
    if (asked.port() != 0
        && asked.port() < FIRST_UNPRIVILEGED_PORT
        && (account.uid() != 0 || account.isTunnelUser())
        && !isNamed) {
      return Decision.denied(
          "port %d is below %d, and PermitListen does not name it"
              .formatted(asked.port(), FIRST_UNPRIVILEGED_PORT));
    }
    return Decision.allowed(new Listen.Tcp(bindAddress(host), asked.port()));
  }

  /** GatewayPorts. {@code localhost} listens on both families. */
  private String bindAddress(String asked) {
    boolean isExplicitLoopback = asked.equals("127.0.0.1") || asked.equals("::1");
    return switch (config.gatewayPorts()) {
      case NO -> isExplicitLoopback ? asked : "localhost";
      case YES -> "";
      case CLIENT_SPECIFIED -> asked.equals(ANY) ? "" : asked;
    };
  }

  // ---- sessions

  private String onlyTunnels(String what) {
    return "%s for the account that runs aditd; %s gets TCP tunnels only"
        .formatted(what, account.name());
  }

  @Override
  public Decision<Launch> launch(SessionRequest request) {
    Path shell = account.shell();
    if (!account.isOwn() || shell == null) {
      return Decision.denied(onlyTunnels("sessions are"));
    }
    String asked = request.command();
    if (request.kind() == SessionRequest.Kind.SUBSYSTEM) {
      String command = subsystem(asked);
      if (command == null) {
        return Decision.denied("there is no subsystem " + LogText.of(asked));
      }
      asked = command;
    }
    String forced = forcedCommand();
    boolean isShell = request.kind() == SessionRequest.Kind.SHELL && forced == null;
    String command = forced == null ? asked : forced;
    if (command.equals(INTERNAL_SFTP) || command.startsWith(INTERNAL_SFTP + " ")) {
      return Decision.denied(
          "internal-sftp is not there; Subsystem can name a program such as sftp-server");
    }
    var variables = environment.of(request, forced != null && !asked.isEmpty() ? asked : null);
    return Decision.allowed(
        isShell
            ? new Launch(
                List.of(shell.toString()),
                "-" + shell.getFileName(),
                environment.directory(),
                variables)
            : new Launch(
                List.of(shell.toString(), "-c", command),
                shell.getFileName().toString(),
                environment.directory(),
                variables));
  }

  private @Nullable String subsystem(String name) {
    return config.subsystems().stream()
        .filter(each -> each.name().equals(name))
        .map(Subsystem::command)
        .findFirst()
        .orElse(null);
  }

  /** ForceCommand before command=, as sshd; different ones of a login's keys were refused. */
  private @Nullable String forcedCommand() {
    String ofConfig = config.forceCommand();
    return ofConfig != null
        ? ofConfig
        : limits.stream()
            .map(each -> each.options().command())
            .filter(Objects::nonNull)
            .findFirst()
            .orElse(null);
  }

  @Override
  public Decision<PtyOptions> terminal(PtyOptions asked) {
    if (!account.isOwn()) {
      return Decision.denied(onlyTunnels("sessions are"));
    }
    if (!config.permitTty()) {
      return Decision.denied("PermitTTY is no");
    }
    String why = limited(KeyOptions::pty, "a terminal");
    return why == null ? Decision.allowed(asked) : Decision.denied(why);
  }

  @Override
  public boolean acceptsVariable(String name) {
    boolean isDangerous =
        DANGEROUS_VARIABLES.contains(name) || name.startsWith("LD_") || name.startsWith("DYLD_");
    return account.isOwn()
        && SessionEnvironment.isName(name)
        && config.acceptEnv().stream()
            .anyMatch(
                pattern -> isDangerous ? pattern.equals(name) : Patterns.matches(name, pattern));
  }

  @Override
  public boolean allowsAgentForwarding() {
    return account.isOwn()
        && config.allowAgentForwarding()
        && limited(KeyOptions::agentForwarding, "agent forwarding") == null;
  }

  /** {@link #listen} has judged that already. */
  @Override
  public boolean allowsPrivilegedPorts() {
    return true;
  }

  @Override
  public ForwardOptions forwardOptions() {
    return ForwardOptions.DEFAULT
        .withStreamLocalBindMask(config.streamLocalBindMask())
        .withStreamLocalBindUnlink(config.streamLocalBindUnlink());
  }

  @Override
  public int maxSessions() {
    return config.maxSessions();
  }
}
