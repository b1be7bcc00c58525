package dev.adit.ssh.forward;

import dev.adit.ssh.AccessPolicy;
import dev.adit.ssh.Decision;
import dev.adit.ssh.ForwardLimits;
import dev.adit.ssh.Target;
import dev.adit.ssh.connection.Connection;
import dev.adit.ssh.connection.IncomingOpen;
import dev.adit.ssh.transport.SocketErrors;
import dev.adit.ssh.wire.OpenFailureReason;
import io.netty.channel.socket.DuplexChannel;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The server's side of -L, -D and -W: connects to where the client wants (direct-tcpip, RFC 4254
 * section 7.2, and direct-streamlocal of OpenSSH's PROTOCOL section 2.4). The policy is asked about
 * the target as the client wrote it, then about each address that its name has; only addresses that
 * it allows are dialled, and the name is never looked up again. Confined to the event loop.
 */
final class DirectForwards {

  /** What Linux says when no descriptor is left. */
  private static final Set<String> OUT_OF_DESCRIPTORS =
      Set.of("Too many open files", "Too many open files in system");

  /** A refusal, with its code of RFC 4254 section 5.1. */
  private static final class Refused extends IOException {
    private static final long serialVersionUID = 1L;
    private final int reason;

    Refused(int reason, String why) {
      super(why);
      this.reason = reason;
    }
  }

  private final Connection connection;
  private final PolicyQuestions policy;
  private final ForwardLimits limits;
  private final TargetLookups.ForConnection lookups;
  private final Admission admission;

  /** Connections that are being made, to be given up with the SSH connection. */
  private final Set<CompletableFuture<DuplexChannel>> connecting = new LinkedHashSet<>();

  DirectForwards(
      Connection connection,
      AccessPolicy policy,
      ForwardLimits limits,
      TargetLookups.ForConnection lookups,
      Admission admission) {
    this.connection = connection;
    this.policy = new PolicyQuestions(policy);
    this.limits = limits;
    this.lookups = lookups;
    this.admission = admission;
    connection.onOpen(
        Opens.DIRECT_TCPIP,
        (open, in) -> {
          Opens.DirectTcp fields = Opens.DirectTcp.read(in);
          String what = Opens.shown(fields.host()) + ":" + fields.port() + " for " + fields.from();
          String wrong = wrongWith(fields.host(), fields.port());
          if (wrong == null) {
            asked(open, new Target.Tcp(fields.host(), (int) fields.port()), what);
          } else {
            open.refuse(OpenFailureReason.CONNECT_FAILED, wrong, what);
          }
        });
    connection.onOpen(
        Opens.DIRECT_STREAMLOCAL,
        (open, in) -> {
          String path = Opens.directUnix(in);
          String what = Opens.shown(path);
          String wrong = wrongWith(path);
          if (wrong == null) {
            asked(open, new Target.Unix(path), what);
          } else {
            open.refuse(OpenFailureReason.CONNECT_FAILED, wrong, what);
          }
        });
    connection.onEnd(
        () -> {
          List.copyOf(connecting).forEach(attempt -> attempt.cancel(false));
          lookups.abandon();
        });
  }

  /** Null if it can be the name of a host and a port. A NUL would end a name for the resolver. */
  private static @Nullable String wrongWith(String host, long port) {
    if (host.isEmpty()) {
      return "no host";
    }
    if (host.getBytes(StandardCharsets.UTF_8).length > ForwardingLimits.MAX_HOST) {
      return "a host's name of more than " + ForwardingLimits.MAX_HOST + " bytes";
    }
    if (host.chars().anyMatch(c -> c <= ' ' || Character.isISOControl(c))) {
      return "a host's name with a space or control character";
    }
    return port < 1 || port > 65535 ? "port " + port + " is not 1 to 65535" : null;
  }

  /** Null if it can be the path of a Unix socket. A NUL in front would name an abstract one. */
  private static @Nullable String wrongWith(String path) {
    if (!path.startsWith("/")) {
      return "the path of a Unix socket begins with /";
    }
    if (path.indexOf(0) >= 0) {
      return "a path with a NUL";
    }
    return path.getBytes(StandardCharsets.UTF_8).length > ForwardingLimits.MAX_SOCKET_PATH
        ? "a path of more than " + ForwardingLimits.MAX_SOCKET_PATH + " bytes"
        : null;
  }

  private void asked(IncomingOpen open, Target asked, String what) {
    switch (policy.connect(asked)) {
      case Decision.Denied(String why) ->
          open.refuse(OpenFailureReason.ADMINISTRATIVELY_PROHIBITED, why, what);
      case Decision.Allowed(Target allowed) -> {
        String full = admission.enter(() -> connect(open, allowed, what));
        if (full != null) {
          open.refuse(OpenFailureReason.RESOURCE_SHORTAGE, full, what);
        }
      }
    }
  }

  private void connect(IncomingOpen open, Target target, String what) {
    if (connection.hasEnded()) {
      admission.leave();
      return;
    }
    CompletableFuture<DuplexChannel> attempt =
        switch (target) {
          case Target.Unix _ -> TargetConnector.connect(connection.eventLoop(), target);
          case Target.Tcp tcp -> connectTcp(tcp);
        };
    connecting.add(attempt);
    var _ =
        attempt.whenComplete(
            (socket, failure) -> {
              connecting.remove(attempt);
              admission.leave();
              if (attempt.isCancelled()) {
                return;
              }
              if (failure == null) {
                Relay relay = new Relay(socket);
                relay.opened(open.accept(relay, what));
              } else {
                String why = SocketErrors.plain(failure);
                open.refuse(reason(failure, why), why, what);
              }
            });
  }

  private static int reason(Throwable failure, String why) {
    return failure instanceof Refused refused
        ? refused.reason
        : OUT_OF_DESCRIPTORS.contains(why)
            ? OpenFailureReason.RESOURCE_SHORTAGE
            : OpenFailureReason.CONNECT_FAILED;
  }

  private CompletableFuture<DuplexChannel> connectTcp(Target.Tcp target) {
    CompletableFuture<DuplexChannel> result = new CompletableFuture<>();
    var _ =
        lookups
            .resolve(target.host())
            .whenComplete(
                (found, failure) -> {
                  if (result.isDone()) {
                    return; // The connection has ended.
                  }
                  if (failure != null) {
                    result.completeExceptionally(failure);
                    return;
                  }
                  try {
                    TargetConnector.connectOneOf(
                        connection.eventLoop(),
                        dialled(target, found),
                        target.port(),
                        limits.connectTimeout(),
                        result);
                  } catch (Refused refused) {
                    result.completeExceptionally(refused);
                  }
                });
    return result;
  }

  /** The addresses that the policy allows, in their order. */
  private List<InetAddress> dialled(Target.Tcp target, List<InetAddress> found) throws Refused {
    String why = "no address";
    Set<InetAddress> allowed = new LinkedHashSet<>();
    for (InetAddress address :
        found.subList(0, Math.min(found.size(), ForwardingLimits.MAX_ADDRESSES))) {
      switch (policy.dial(target, reached(address))) {
        case Decision.Allowed(InetAddress dial) -> allowed.add(reached(dial));
        case Decision.Denied(String denied) -> why = denied;
      }
    }
    if (allowed.isEmpty()) {
      throw new Refused(OpenFailureReason.ADMINISTRATIVELY_PROHIBITED, why);
    }
    return List.copyOf(allowed);
  }

  /**
   * What a connect to this address really reaches, so that no rule about addresses can be walked
   * around: an IPv4 address in IPv6's clothes is an IPv4 address, and "any" is this machine.
   */
  static InetAddress reached(InetAddress address) {
    try {
      InetAddress plain = address;
      if (address instanceof Inet6Address v6 && isIpv4Mapped(v6.getAddress())) {
        plain = InetAddress.getByAddress(Arrays.copyOfRange(v6.getAddress(), 12, 16));
      }
      if (plain.isAnyLocalAddress()) {
        return plain instanceof Inet6Address
            ? ListeningSockets.LOOPBACK.getLast()
            : ListeningSockets.LOOPBACK.getFirst();
      }
      return plain;
    } catch (UnknownHostException e) {
      throw new IllegalStateException(e);
    }
  }

  private static boolean isIpv4Mapped(byte[] address) {
    for (int i = 0; i < 10; i++) {
      if (address[i] != 0) {
        return false;
      }
    }
    return address[10] == -1 && address[11] == -1;
  }
}
