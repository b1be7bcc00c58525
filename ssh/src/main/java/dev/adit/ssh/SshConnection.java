package dev.adit.ssh;

import dev.adit.ssh.auth.Authenticated;
import dev.adit.ssh.auth.ClientAuthentication;
import dev.adit.ssh.connection.Connection;
import dev.adit.ssh.crypto.KexAlgorithm;
import dev.adit.ssh.forward.LocalForwarder;
import dev.adit.ssh.forward.Sockets;
import dev.adit.ssh.transport.Carrier;
import dev.adit.ssh.transport.Negotiated;
import dev.adit.ssh.transport.SocketCarrier;
import dev.adit.ssh.transport.Transport;
import dev.adit.ssh.transport.TransportConfig;
import dev.adit.ssh.transport.TransportListener;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.EventLoop;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** A connection to a server with a user logged in. Thread-safe. */
public final class SshConnection implements AutoCloseable {

  /** Our identification (RFC 4253 section 4.2). */
  static final String IDENTIFICATION = "SSH-2.0-adit_0.1.0";

  private final ConnectOptions options;
  private final Transport transport;
  private final Connection connection;

  private SshConnection(ConnectOptions options, Transport transport, Connection connection) {
    this.options = options;
    this.transport = transport;
    this.connection = connection;
  }

  static SshConnection connect(EventLoop loop, ConnectOptions options)
      throws SshException, InterruptedException {
    CompletableFuture<SshConnection> ready = new CompletableFuture<>();
    Thread.ofVirtual().name("adit-control").start(() -> controlLane(loop, options, ready));
    try {
      return ready.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof SshException why) {
        throw why;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  /** The whole life of a connection, in the order in which it happens. */
  private static void controlLane(
      EventLoop loop, ConnectOptions options, CompletableFuture<SshConnection> ready) {
    Transport transport = null;
    try {
      ConnectOptions.Builder o = options.b;
      Carrier carrier = dial(loop, o);
      transport =
          Transport.client(
              carrier,
              transportConfig(o),
              listener(o),
              hostKey -> o.hostKeyPolicy.check(o.host, o.port, carrier.remote(), hostKey));
      transport.handshake();
      Authenticated user = ClientAuthentication.run(transport, authConfig(o));
      Connection connection = Connection.over(user, o.events, _ -> {});
      loop.execute(
          () -> connection.startKeepalive(o.aliveInterval, o.aliveCountMax, "server " + o.host));
      ready.complete(new SshConnection(options, transport, connection));
      transport.serve();
    } catch (SshException e) {
      if (transport != null) {
        transport.fail(e);
      }
      ready.completeExceptionally(e);
    } catch (InterruptedException e) {
      ready.completeExceptionally(SshException.Disconnected.local("interrupted", e));
    } catch (Throwable e) {
      // A defect of ours must not leave anyone waiting.
      if (transport != null) {
        transport.fail(SshException.Disconnected.local("internal error: " + e, e));
      }
      ready.completeExceptionally(e);
    }
  }

  private static Carrier dial(EventLoop loop, ConnectOptions.Builder o)
      throws SshException, InterruptedException {
    InetAddress[] addresses;
    try {
      addresses = InetAddress.getAllByName(o.host);
    } catch (UnknownHostException e) {
      throw SshException.Disconnected.local(
          "Could not resolve hostname " + o.host + ": Name or service not known", e);
    }
    SshException last = null;
    for (InetAddress address : addresses) {
      ChannelFuture connecting = Sockets.connect(loop, new InetSocketAddress(address, o.port));
      connecting.await();
      if (connecting.isSuccess()) {
        Channel channel = connecting.channel();
        return new SocketCarrier(channel, address.getHostAddress() + " port " + o.port);
      }
      last =
          SshException.Disconnected.local(
              "connect to host %s port %d: %s"
                  .formatted(o.host, o.port, connecting.cause().getMessage()),
              connecting.cause());
    }
    throw last == null ? SshException.Disconnected.local("no address of " + o.host) : last;
  }

  private static TransportConfig transportConfig(ConnectOptions.Builder o) {
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
        o.handshakeTimeout,
        o.requiredRsaSize);
  }

  private static ClientAuthentication.Config authConfig(ConnectOptions.Builder o) {
    return new ClientAuthentication.Config(
        o.user,
        o.host,
        o.methods,
        () -> o.identities.load(o.interaction),
        Set.copyOf(o.publicKeyAlgorithms),
        o.passwordPrompts,
        o.interaction);
  }

  private static TransportListener listener(ConnectOptions.Builder o) {
    return new TransportListener() {
      private volatile String identification = "";

      @Override
      public void identified(String line) {
        identification = line;
      }

      @Override
      public void keysExchanged(Negotiated n, boolean strict, boolean first) {
        KexAlgorithm kex = KexAlgorithm.of(n.kex());
        o.handshakes.accept(
            new HandshakeInfo(
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
                first));
      }
    };
  }

  /** Begins to forward. Blocks until the listener is up. */
  public Forward forward(ForwardSpec spec) throws SshException, InterruptedException {
    if (!(spec instanceof ForwardSpec.Local local) || !(local.listen() instanceof Listen.Tcp tcp)) {
      throw new SshException.ForwardRefused("not yet: " + spec, null);
    }
    ChannelFuture bound =
        Sockets.listen(
            connection.eventLoop(),
            new InetSocketAddress(InetAddress.getLoopbackAddress(), tcp.port()),
            socket -> LocalForwarder.accept(connection, local, socket));
    bound.await();
    if (!bound.isSuccess()) {
      throw new SshException.ForwardRefused("bind: " + bound.cause().getMessage(), bound.cause());
    }
    Channel listener = bound.channel();
    return new Forward() {
      @Override
      public ForwardSpec spec() {
        return spec;
      }

      @Override
      public int port() {
        return ((InetSocketAddress) listener.localAddress()).getPort();
      }

      @Override
      public List<InetSocketAddress> boundAddresses() {
        return List.of((InetSocketAddress) listener.localAddress());
      }

      @Override
      public void close() {
        listener.close().awaitUninterruptibly();
      }
    };
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
