package dev.adit.ssh;

import dev.adit.ssh.auth.ServerAuthentication;
import dev.adit.ssh.auth.ServerAuthentication.Admitted;
import dev.adit.ssh.connection.Connection;
import dev.adit.ssh.forward.AgentListener;
import dev.adit.ssh.keys.KeyType;
import dev.adit.ssh.session.ServerSessions;
import dev.adit.ssh.transport.Carrier;
import dev.adit.ssh.transport.Negotiated;
import dev.adit.ssh.transport.Text;
import dev.adit.ssh.transport.Transport;
import dev.adit.ssh.transport.TransportConfig;
import dev.adit.ssh.transport.TransportListener;
import io.netty.util.concurrent.ScheduledFuture;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** One client of a server, from the first byte to the last. */
final class ServerConnection {
  private static final Duration FOR_EVER = Duration.ofDays(365);

  private final SshServer server;
  private final ServerOptions options;
  private final ServerOptions.Builder o;
  private final Peer peer;
  private final Transport transport;
  private final CompletableFuture<Void> ended = new CompletableFuture<>();

  /** Null until the user is in. */
  private volatile @Nullable Connection open;

  private volatile @Nullable String draining;

  /** What holds for this client, once it has named its user. */
  private ServerOptions.Builder own;

  /** When a channel was opened or closed last; the event loop's alone. */
  private long lastUse;

  ServerConnection(SshServer server, ServerOptions options, Carrier carrier, Peer peer) {
    this.server = server;
    this.options = options;
    this.o = options.b;
    this.own = options.b;
    this.peer = peer;
    this.transport =
        Transport.server(
            carrier,
            transportConfig(),
            listener(),
            o.hostKeys.stream().flatMap(key -> key.signers().stream()).toList(),
            extensions());
  }

  /** Completes when all has ended and been told. */
  CompletableFuture<Void> ended() {
    return ended;
  }

  /** Serves the client on a control lane of its own. Returns at once. */
  void start() {
    Thread.ofVirtual().name("adit-control").start(this::controlLane);
  }

  /** Says goodbye and closes. Callable from any thread. */
  void disconnect(String why) {
    transport.disconnect(why);
  }

  /** Says goodbye and closes as soon as no channel is open. Callable from any thread. */
  void drain(String why) {
    draining = why;
    Connection connection = open;
    if (connection == null) {
      disconnect(why);
    } else {
      connection
          .eventLoop()
          .execute(() -> connection.whenIdle().thenRun(() -> transport.disconnect(why)));
    }
  }

  /** The whole life of a connection, in the order in which it happens. */
  private void controlLane() {
    String user = null;
    SshException cause;
    ScheduledFuture<?> grace = startGraceTime();
    try {
      transport.handshake();
      Admitted admitted = ServerAuthentication.run(transport, authConfig());
      grace.cancel(false);
      transport.limitKeys(own.rekeyBytes, own.rekeyInterval);
      AccessPolicy policy = admitted.policy();
      user = policy.user();
      String name = user;
      Connection connection =
          Connection.over(admitted.user(), event -> tell(name, event), c -> serve(c, admitted));
      open = connection;
      String leaving = draining;
      if (leaving != null) {
        drain(leaving);
      }
      cause = transport.serve();
    } catch (SshException e) {
      transport.fail(e);
      cause = e;
    } catch (InterruptedException e) {
      cause = SshException.Disconnected.local("interrupted", e);
      transport.fail(cause);
    } catch (Throwable e) {
      // A defect of ours ends this connection and no other.
      cause = SshException.Disconnected.local("internal error: " + e, e);
      transport.fail(cause);
    }
    grace.cancel(false);
    o.events.accept(new ServerEvent.Disconnected(peer, user, cause));
    server.ended(this);
    ended.complete(null);
  }

  /** What the client may ask for, once its user is in. In here each room takes its part. */
  private void serve(Connection connection, Admitted user) {
    ServerKeys keys = ServerKeys.on(connection, transport, o.hostKeys);
    connection.whenOpened(() -> opened(connection, keys));
    server
        .forwarding()
        .on(connection, user.policy(), user.key(), o.targetResolver, o.forwardLimits);
    ServerSessions.on(connection, user.policy(), AgentListener::on);
  }

  private void opened(Connection connection, ServerKeys keys) {
    keys.announce();
    connection.startKeepalive(
        own.aliveInterval,
        own.aliveCountMax == 0 ? Integer.MAX_VALUE : own.aliveCountMax,
        "client " + peer);
    if (own.channelTimeouts != ChannelTimeouts.NONE) {
      connection.closeIdleChannels(own.channelTimeouts);
    }
    if (!own.unusedTimeout.isZero()) {
      lastUse = System.nanoTime();
      endIfUnused(connection);
    }
  }

  /** UnusedConnectionTimeout: listeners of remote forwards are no use, as with sshd. */
  private void endIfUnused(Connection connection) {
    if (connection.channelCount() > 0) {
      var _ = connection.whenIdle().thenRun(() -> endIfUnused(connection));
      return;
    }
    long left = own.unusedTimeout.toNanos() - (System.nanoTime() - lastUse);
    if (left <= 0) {
      transport.disconnect("no channel was open for " + own.unusedTimeout.toSeconds() + " s");
    } else {
      connection.eventLoop().schedule(() -> endIfUnused(connection), left, TimeUnit.NANOSECONDS);
    }
  }

  private void tell(String user, TunnelEvent event) {
    lastUse = System.nanoTime();
    if (!(event instanceof TunnelEvent.Disconnected)) {
      o.events.accept(new ServerEvent.Tunnel(peer, user, event));
    }
  }

  private ScheduledFuture<?> startGraceTime() {
    Duration patience = o.loginGraceTime.isZero() ? FOR_EVER : o.loginGraceTime;
    return transport
        .eventLoop()
        .schedule(
            () ->
                transport.fail(
                    SshException.Disconnected.local("Timeout before authentication for " + peer)),
            patience.toMillis(),
            TimeUnit.MILLISECONDS);
  }

  private TransportConfig transportConfig() {
    return new TransportConfig(
        SshConnection.IDENTIFICATION,
        o.kexAlgorithms,
        o.hostKeyAlgorithms,
        o.ciphers,
        o.macs,
        o.compression ? List.of("none", "zlib@openssh.com") : List.of("none"),
        o.allowNonStrictKex,
        o.rekeyBytes,
        o.rekeyInterval,
        o.rekeyTimeout,
        o.rekeyTimeout,
        o.requiredRsaSize);
  }

  private ServerAuthentication.Config authConfig() {
    return new ServerAuthentication.Config(
        peer,
        o.authenticator,
        Set.copyOf(o.publicKeyAlgorithms),
        o.requiredRsaSize,
        this::named,
        o.events);
  }

  /** The client has named its user: returns how often it may try. On the control lane. */
  private int named(Authenticator.Login login) {
    own = login.options(options).b;
    return own.maxAuthTries;
  }

  /** RFC 8308, and OpenSSH's PROTOCOL for the others. */
  private Map<String, byte[]> extensions() {
    String algorithms =
        o.publicKeyAlgorithms.stream()
            .map(KeyType::plainAlgorithm)
            .distinct()
            .collect(Collectors.joining(","));
    return Map.of(
        "server-sig-algs", algorithms.getBytes(StandardCharsets.US_ASCII),
        "publickey-hostbound@openssh.com", new byte[] {'0'},
        "ping@openssh.com", new byte[] {'0'});
  }

  private TransportListener listener() {
    return new TransportListener() {
      private volatile String identification = "";

      @Override
      public void identified(String line) {
        identification = Text.escape(line);
      }

      @Override
      public void keysExchanged(Negotiated n, boolean strict, boolean first) {
        o.events.accept(
            new ServerEvent.KeysExchanged(
                peer, SshConnection.info(identification, n, strict, first)));
      }
    };
  }
}
