package dev.adit.ssh;

import dev.adit.ssh.auth.Authenticated;
import dev.adit.ssh.auth.ClientAuthentication;
import dev.adit.ssh.connection.Connection;
import dev.adit.ssh.crypto.KexAlgorithm;
import dev.adit.ssh.forward.AgentForwarder;
import dev.adit.ssh.forward.Forwarding;
import dev.adit.ssh.session.ClientSession;
import dev.adit.ssh.transport.Carrier;
import dev.adit.ssh.transport.Negotiated;
import dev.adit.ssh.transport.Text;
import dev.adit.ssh.transport.Transport;
import dev.adit.ssh.transport.TransportConfig;
import dev.adit.ssh.transport.TransportListener;
import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A connection to a server with a user logged in. Thread-safe. */
public final class SshConnection implements AutoCloseable {

  /** Our identification (RFC 4253 section 4.2). */
  static final String IDENTIFICATION = "SSH-2.0-adit_0.1.0";

  private static final Logger log = LoggerFactory.getLogger(SshConnection.class);

  private final ConnectOptions options;
  private final Transport transport;
  private final Connection connection;
  private final Authenticated user;
  private final Forwarding forwarding;
  private final boolean serverVerified;

  private SshConnection(
      ConnectOptions options,
      Authenticated user,
      Connection connection,
      Forwarding forwarding,
      boolean serverVerified) {
    this.options = options;
    this.serverVerified = serverVerified;
    this.transport = user.transport();
    this.user = user;
    this.connection = connection;
    this.forwarding = forwarding;
  }

  static SshConnection connect(EventLoop loop, ConnectOptions options)
      throws SshException, InterruptedException {
    return connect(new Dialer(loop, options.b)::dial, options);
  }

  /** Finds the way to a server; on the control lane, so it may block. */
  @FunctionalInterface
  interface Way {
    Dialer.Dialed dial() throws SshException, InterruptedException;
  }

  static SshConnection connect(Way way, ConnectOptions options)
      throws SshException, InterruptedException {
    CompletableFuture<SshConnection> ready = new CompletableFuture<>();
    Thread control =
        Thread.ofVirtual().name("adit-control").start(() -> controlLane(way, options, ready));
    try {
      return ready.get();
    } catch (InterruptedException e) {
      control.interrupt();
      throw e;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof SshException.PeerMisbehaved why) {
        throw new SshException.PeerMisbehaved(
            "Connection to %s port %d: %s"
                .formatted(options.host(), options.b.port, why.getMessage()),
            why.reasonCode(),
            why);
      }
      if (e.getCause() instanceof SshException why) {
        throw why;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  /** The whole life of a connection, in the order in which it happens. */
  private static void controlLane(
      Way way, ConnectOptions options, CompletableFuture<SshConnection> ready) {
    Transport transport = null;
    try {
      ConnectOptions.Builder o = options.b;
      Dialer.Dialed dialed = way.dial();
      ServerKey serverKey = new ServerKey(o, dialed.address());
      transport =
          Transport.client(
              dialed.carrier(), transportConfig(o, dialed.timeLeft()), listener(o), serverKey);
      transport.handshake();
      log.debug("Authenticating to {}:{} as '{}'", o.host, o.port, o.user);
      Authenticated user =
          ClientAuthentication.run(transport, authConfig(o, serverKey.isVerified()));
      log.debug(
          "Authenticated to {} ({}) using \"{}\".", o.host, transport.remote(), user.method());
      byte[] sessionId = transport.sessionId();
      Forwarding[] forwarding = new Forwarding[1];
      Connection connection =
          Connection.over(
              user,
              o.events,
              c -> {
                serverKey.learnOthers(c, sessionId);
                forwarding[0] = Forwarding.on(c);
              });
      connection
          .eventLoop()
          .execute(
              () ->
                  connection.startKeepalive(o.aliveInterval, o.aliveCountMax, "server " + o.host));
      ready.complete(
          new SshConnection(options, user, connection, forwarding[0], serverKey.isVerified()));
      transport.serve();
    } catch (SshException e) {
      if (transport != null) {
        transport.fail(e);
      }
      ready.completeExceptionally(e);
    } catch (InterruptedException e) {
      if (transport != null) {
        transport.disconnect("interrupted");
      }
      ready.completeExceptionally(SshException.Disconnected.local("interrupted", e));
    } catch (Throwable e) {
      // A defect of ours must not leave anyone waiting.
      if (transport != null) {
        transport.fail(SshException.Disconnected.local("internal error: " + e, e));
      }
      ready.completeExceptionally(e);
    }
  }

  private static TransportConfig transportConfig(
      ConnectOptions.Builder o, Duration identificationTimeout) {
    return new TransportConfig(
        IDENTIFICATION,
        o.kexAlgorithms,
        o.hostKeyAlgorithmsSet
            ? o.hostKeyAlgorithms
            : o.hostKeyPolicy.order(o.host, o.port, o.hostKeyAlgorithms),
        o.ciphers,
        o.macs,
        o.compression ? List.of("zlib@openssh.com", "none") : List.of("none", "zlib@openssh.com"),
        o.allowNonStrictKex,
        o.rekeyBytes,
        o.rekeyInterval,
        identificationTimeout,
        o.handshakeTimeout,
        o.requiredRsaSize);
  }

  private static ClientAuthentication.Config authConfig(ConnectOptions.Builder o, boolean trusted) {
    return new ClientAuthentication.Config(
        o.user,
        o.host,
        o.methods,
        () -> o.identities.open(o.interaction, o.passwordPrompts),
        Set.copyOf(o.publicKeyAlgorithms),
        o.requiredRsaSize,
        o.passwordPrompts,
        trusted,
        o.interaction);
  }

  private static TransportListener listener(ConnectOptions.Builder o) {
    return new TransportListener() {
      private volatile String identification = "";

      @Override
      public void preIdentificationLine(String line) {
        log.debug("kex_exchange_identification: banner line: {}", line);
      }

      @Override
      public void identified(String line) {
        identification = Text.escape(line);
      }

      @Override
      public void debugMessage(String text, boolean alwaysDisplay) {
        if (alwaysDisplay) {
          // Not on the event loop, which calls this.
          Thread.ofVirtual().start(() -> o.interaction.show("Remote: " + text));
        } else {
          log.debug("Remote: {}", text);
        }
      }

      @Override
      public void keysExchanged(Negotiated n, boolean strict, boolean first) {
        o.handshakes.accept(info(identification, n, strict, first));
      }
    };
  }

  static HandshakeInfo info(String identification, Negotiated n, boolean strict, boolean first) {
    KexAlgorithm kex = KexAlgorithm.of(n.kex());
    return new HandshakeInfo(
        identification,
        n.kex(),
        n.hostKey(),
        n.cipherToServer(),
        n.cipherToClient(),
        n.macToServer(),
        n.macToClient(),
        n.compressionToServer(),
        kex != null && kex.isPostQuantum(),
        strict,
        first);
  }

  /** Begins to forward. Blocks until the listener is up. */
  public Forward forward(ForwardSpec spec) throws SshException, InterruptedException {
    return forward(spec, ForwardOptions.DEFAULT);
  }

  /**
   * Begins to forward. Blocks until the listener is up, here or at the server.
   *
   * @throws SshException.ForwardRefused when it can't be, naming the culprit; always if the server
   *     is not {@linkplain #isServerVerified verified}
   */
  public Forward forward(ForwardSpec spec, ForwardOptions how)
      throws SshException, InterruptedException {
    if (!serverVerified) {
      throw new SshException.ForwardRefused(
          "Port forwarding is disabled to avoid man-in-the-middle attacks.", null);
    }
    return forwarding.start(spec, how);
  }

  /**
   * Opens a session, in which one command, shell or subsystem runs. Blocks.
   *
   * @throws SshException.ChannelRefused if the server refuses
   */
  public Session openSession() throws SshException, InterruptedException {
    return ClientSession.open(
        connection,
        serverVerified ? agentSocket -> AgentForwarder.serve(connection, agentSocket) : null);
  }

  /**
   * False if nobody knows who the server is, and the policy let the connection go on all the same:
   * {@link HostKeyPolicy.Trust#UNVERIFIED}.
   */
  public boolean isServerVerified() {
    return serverVerified;
  }

  /** Completes when no session and no forwarded connection is left. */
  public CompletableFuture<Void> whenIdle() {
    CompletableFuture<Void> idle = new CompletableFuture<>();
    connection
        .eventLoop()
        .execute(() -> connection.whenIdle().thenRun(() -> idle.completeAsync(() -> null)));
    return idle;
  }

  /** The channels that are open or being opened, a line each: {@code #0 session}. */
  public CompletableFuture<List<String>> channels() {
    CompletableFuture<List<String>> lines = new CompletableFuture<>();
    connection
        .eventLoop()
        .execute(
            () -> {
              List<String> now =
                  connection.channels().stream().map(c -> "#" + c.id() + " " + c.type()).toList();
              lines.completeAsync(() -> now);
            });
    return lines;
  }

  /** Where the connection goes, for messages: {@code 192.0.2.1 port 22}, or a command. */
  public String remoteAddress() {
    return transport.remote();
  }

  /** The server's identification line (RFC 4253 section 4.2), control characters escaped. */
  public String serverIdentification() {
    return Text.escape(transport.peerIdentification());
  }

  /** The method that let the user in, for example {@code publickey}. */
  public String authenticatedMethod() {
    return user.method();
  }

  /** What the first key exchange agreed on, or the last, if it has been renewed. */
  public HandshakeInfo handshake() {
    return info(
        serverIdentification(),
        Objects.requireNonNull(transport.negotiated()),
        transport.isStrict(),
        !transport.isRekeyed());
  }

  /** Begins a key exchange ({@code ~R}). Returns at once. */
  public void rekey() {
    transport.rekey();
  }

  /**
   * Asks the server for a sign of life.
   *
   * @return completes when it has answered, exceptionally if the connection ends before
   */
  public CompletableFuture<Void> sendKeepalive() {
    CompletableFuture<Void> alive = new CompletableFuture<>();
    connection
        .eventLoop()
        .execute(
            () ->
                connection
                    .globalRequest("keepalive@openssh.com", new byte[0])
                    .whenComplete(
                        (_, failure) -> {
                          // A server that refuses the request is alive as well.
                          if (failure == null || failure instanceof SshException.ForwardRefused) {
                            alive.complete(null);
                          } else {
                            alive.completeExceptionally(failure);
                          }
                        }));
    return alive;
  }

  /**
   * Connects to a target beyond the server ({@code ssh -W}). Blocks until the server has.
   *
   * @throws SshException.ChannelRefused when the server can't or won't
   */
  public SshStream openStream(Target target) throws SshException, InterruptedException {
    return forwarding.openStream(target);
  }

  /** For a connection that goes through this one. */
  Carrier openCarrier(Target.Tcp target, Duration patience)
      throws SshException, InterruptedException {
    return forwarding.openCarrier(target, patience);
  }

  /** The options that it was made with. */
  public ConnectOptions options() {
    return options;
  }

  /** Completes with the cause when the connection has ended. */
  public CompletableFuture<SshException> closed() {
    return connection.closed();
  }

  /** Ends the connection and everything that runs over it. */
  @Override
  public void close() {
    transport.disconnect("disconnected by user");
    connection.closed().join();
  }
}
