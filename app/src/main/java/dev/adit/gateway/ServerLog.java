package dev.adit.gateway;

import dev.adit.config.ClientOptions.LogLevel;
import dev.adit.config.server.ServerConfig;
import dev.adit.ssh.Peer;
import dev.adit.ssh.ServerEvent;
import dev.adit.ssh.SshException;
import dev.adit.ssh.TunnelEvent;
import dev.adit.ssh.UserKey;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says what happens in sshd's words, which other programs read: fail2ban's filter for sshd matches
 * the lines about failures. Thread-safe, never blocks.
 */
final class ServerLog {
  private static final Logger LOG = LoggerFactory.getLogger("aditd");

  /** How the engine words what is told apart here. */
  private static final String NO_LOGIN_IN_TIME = "Timeout before authentication";

  private static final String SAID_GOODBYE = "Received disconnect from ";

  private LogLevel level;
  private int maxAuthTries;

  /** What is known of a connection. */
  private static final class Visit {
    final ConnectionLog log;
    int maxAuthTries;
    @Nullable String user;
    boolean isValid = true;
    int failures;

    Visit(LogLevel level, int maxAuthTries) {
      this.log = new ConnectionLog(level);
      this.maxAuthTries = maxAuthTries;
    }
  }

  private final Map<Long, Visit> visits = new HashMap<>();
  private long dropped;

  ServerLog(LogLevel level, int maxAuthTries) {
    this.level = level;
    this.maxAuthTries = maxAuthTries;
  }

  /** What holds for connections to come. */
  synchronized void configure(LogLevel newLevel, int newMaxAuthTries) {
    level = newLevel;
    maxAuthTries = newMaxAuthTries;
  }

  /** A client has named its user, and this is what holds for it. */
  synchronized void named(Peer peer, ServerConfig config) {
    var visit = visit(peer);
    visit.log.level(config.logLevel());
    visit.maxAuthTries = config.maxAuthTries();
  }

  private Visit visit(Peer peer) {
    return visits.computeIfAbsent(peer.connection(), _ -> new Visit(level, maxAuthTries));
  }

  /** Events of one connection come in their order. */
  synchronized void event(ServerEvent event) {
    var peer = event.peer();
    if (event instanceof ServerEvent.TurnedAway e) {
      LOG.info(
          "drop connection #{} from {} on {} {}",
          ++dropped,
          bracketed(peer.remote()),
          bracketed(peer.local()),
          e.why());
      return;
    }
    var log = visit(peer).log;
    switch (event) {
      case ServerEvent.TurnedAway _ -> throw new IllegalStateException("is told above");
      case ServerEvent.Connected _ ->
          log.verbose("Connection from {} on {}", peer, place(peer.local()));
      case ServerEvent.KeysExchanged e -> {
        var h = e.handshake();
        log.debug(
            "{}: {} kex {} {} cipher {} {} mac {} {}{}",
            peer,
            h.peerIdentification(),
            h.kex(),
            h.hostKeyAlgorithm(),
            h.cipherToServer(),
            h.cipherToClient(),
            h.macToServer(),
            h.macToClient(),
            h.strict() ? "" : ", without strict key exchange");
      }
      case ServerEvent.LoginFailed e -> failed(e);
      case ServerEvent.MethodSucceeded e ->
          log.info("Partial {} for {} from {} ssh2{}", e.method(), e.user(), peer, shown(e.key()));
      case ServerEvent.TooManyFailures e ->
          log.error(
              "maximum authentication attempts exceeded for {}{} from {} ssh2 [preauth]",
              e.valid() ? "" : "invalid user ",
              e.user(),
              peer);
      case ServerEvent.LoggedIn e ->
          log.info(
              "Accepted {} for {} from {} ssh2{}",
              e.methods().getLast(),
              e.user(),
              peer,
              shown(e.key()));
      case ServerEvent.Tunnel e -> tunnel(e, log);
      case ServerEvent.Disconnected e -> disconnected(e);
    }
  }

  private void failed(ServerEvent.LoginFailed e) {
    var visit = visit(e.peer());
    if (visit.user == null) {
      visit.user = e.user();
      visit.isValid = e.valid();
    }
    visit.failures++;
    var line =
        "Failed %s for %s%s from %s ssh2%s"
            .formatted(
                e.method(), e.valid() ? "" : "invalid user ", e.user(), e.peer(), shown(e.key()));
    // As sshd: keys that are only offered are no news until they are many.
    boolean isNews =
        !e.valid() || visit.failures >= visit.maxAuthTries / 2 || e.method().equals("password");
    if (isNews) {
      visit.log.info("{}", line);
    } else {
      visit.log.verbose("{}", line);
    }
    visit.log.debug("{}: {} refused: {}", e.peer(), e.method(), e.why());
  }

  private static void tunnel(ServerEvent.Tunnel e, ConnectionLog log) {
    switch (e.event()) {
      case TunnelEvent.SessionStarted started ->
          log.verbose(
              "Starting session: {} for {} from {} id {}",
              started.what(),
              e.user(),
              e.peer(),
              started.channel());
      case TunnelEvent.ChannelRefused refused when !refused.byPeer() ->
          log.info(
              "User {} from {}: {} refused: {}", e.user(), e.peer(), refused.type(), refused.why());
      case TunnelEvent.ForwardRefused refused ->
          log.info(
              "User {} from {}: remote forwarding of {} refused: {}",
              e.user(),
              e.peer(),
              refused.spec(),
              refused.why());
      case TunnelEvent.Notice notice ->
          log.info("User {} from {}: {}", e.user(), e.peer(), notice.text());
      default -> log.debug("User {} from {}: {}", e.user(), e.peer(), e.event());
    }
  }

  private void disconnected(ServerEvent.Disconnected e) {
    var visit = visit(e.peer());
    visits.remove(e.peer().connection());
    var log = visit.log;
    var cause = e.cause();
    var message = String.valueOf(cause.getMessage());
    var who = who(e, visit);
    var mark = e.user() == null ? " [preauth]" : "";
    switch (cause) {
      case SshException.NegotiationFailed _ -> log.error("{}{}", message, mark);
      case SshException.Disconnected _ when message.startsWith(NO_LOGIN_IN_TIME) ->
          log.error("Timeout before authentication for {}", e.peer());
      case SshException.Disconnected d when d.byRemote() && message.startsWith(SAID_GOODBYE) -> {
        log.info("{}{}", message, mark);
        log.info("Disconnected from {}{}", who, mark);
      }
      case SshException.Disconnected d when d.byRemote() ->
          log.info("Connection closed by {}{}", who, mark);
      case SshException.PeerMisbehaved _ -> log.error("Disconnecting {}: {}{}", who, message, mark);
      default -> log.info("Disconnecting {}: {}{}", who, message, mark);
    }
  }

  private static String who(ServerEvent.Disconnected e, Visit visit) {
    if (e.user() != null) {
      return "user %s %s".formatted(e.user(), e.peer());
    }
    if (visit.user == null) {
      return e.peer().toString();
    }
    return "%s user %s %s"
        .formatted(visit.isValid ? "authenticating" : "invalid", visit.user, e.peer());
  }

  /** {@code : ED25519 SHA256:...}, with what identifies a certificate. */
  private static String shown(@Nullable UserKey key) {
    if (key == null) {
      return "";
    }
    var certificate = key.certificate();
    return certificate == null
        ? ": %s %s".formatted(shortType(key.type()), key.fingerprint())
        : ": %s %s ID %s (serial %s) CA %s"
            .formatted(
                shortType(key.type()),
                key.fingerprint(),
                certificate.id(),
                Long.toUnsignedString(certificate.serial()),
                certificate.authority());
  }

  /** The names of ssh-keygen -l. */
  static String shortType(String type) {
    boolean isCertificate = type.contains("-cert-v01@openssh.com");
    var plain = type.replace("-cert-v01@openssh.com", "").replace("@openssh.com", "");
    var name =
        switch (plain) {
          case "ssh-ed25519" -> "ED25519";
          case "ssh-rsa" -> "RSA";
          case "sk-ssh-ed25519" -> "ED25519-SK";
          case "sk-ecdsa-sha2-nistp256" -> "ECDSA-SK";
          default -> plain.startsWith("ecdsa-") ? "ECDSA" : plain;
        };
    return isCertificate ? name + "-CERT" : name;
  }

  private static String place(@Nullable InetSocketAddress address) {
    return address == null
        ? "UNKNOWN port 65535"
        : Addresses.text(address) + " port " + address.getPort();
  }

  private static String bracketed(@Nullable InetSocketAddress address) {
    return address == null
        ? "[UNKNOWN]:65535"
        : "[%s]:%d".formatted(Addresses.text(address), address.getPort());
  }

  /** Said for each address, in sshd's words. */
  void listening(InetSocketAddress address) {
    LOG.info("Server listening on {} port {}.", Addresses.text(address), address.getPort());
  }
}
