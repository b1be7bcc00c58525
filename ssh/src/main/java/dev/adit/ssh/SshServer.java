package dev.adit.ssh;

import dev.adit.ssh.forward.ServerForwarding;
import dev.adit.ssh.forward.Sockets;
import dev.adit.ssh.transport.Carrier;
import dev.adit.ssh.transport.SocketCarrier;
import dev.adit.ssh.transport.SocketErrors;
import dev.adit.ssh.transport.StreamCarrier;
import dev.adit.ssh.transport.TransportLimits;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.EventLoopGroup;
import io.netty.util.NetUtil;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * An SSH server in this process: it listens, lets in whom its {@link Authenticator} admits, and
 * serves what the {@link AccessPolicy} of each allows. Owns the event loops that it runs on.
 * Thread-safe.
 *
 * <pre>{@code
 * try (var server = SshServer.start(ServerOptions.with(authenticator)
 *     .hostKey(HostKey.read(Path.of("ssh_host_ed25519_key")))
 *     .listen(new InetSocketAddress(2222)).build())) {
 *   ...
 * }
 * }</pre>
 */
public final class SshServer implements AutoCloseable {

  /** What a client reads that the gate turns away, as sshd has it. */
  private static final String TURNED_AWAY = "Not allowed at this time\r\n";

  private static final String CLOSING = "the server is shutting down";

  private final EventLoopGroup loops;
  private volatile ServerOptions options;

  /** By the address that was asked for, whose port may be 0. Guarded by this. */
  private final Map<InetSocketAddress, Channel> listeners = new LinkedHashMap<>();

  /** Sockets that were handed to us. */
  private final List<Channel> descriptors = new ArrayList<>();

  private volatile boolean closing;
  private final Set<ServerConnection> connections = ConcurrentHashMap.newKeySet();
  private final ServerForwarding forwarding = new ServerForwarding();
  private final AtomicLong numbers = new AtomicLong();

  private SshServer(ServerOptions options) {
    this.options = options;
    this.loops = Sockets.newLoops(options.b.eventLoops);
  }

  /**
   * Listens on all of the options' addresses, then returns.
   *
   * @throws IOException naming the address that can't be listened on; then none is
   */
  public static SshServer start(ServerOptions options) throws IOException {
    SshServer server = new SshServer(options);
    try {
      for (int descriptor : options.b.listenDescriptors) {
        server.descriptors.add(
            bound(
                SocketCarrier.listenOn(server.loops, descriptor, server.listening(options)),
                "Listening on descriptor " + descriptor));
      }
      server.listenOn(options);
      return server;
    } catch (IOException e) {
      server.close();
      throw e;
    }
  }

  /**
   * Changes what the server offers and whom it lets in, for connections to come; those that are
   * there live on as they are. Addresses that are new are listened on, those that are gone no more;
   * descriptors and the number of event loops stay as they were.
   *
   * @throws IOException if a new address can't be listened on; then nothing has changed
   */
  public synchronized void reconfigure(ServerOptions changed) throws IOException {
    listenOn(changed);
    options = changed;
  }

  private synchronized void listenOn(ServerOptions changed) throws IOException {
    Map<InetSocketAddress, Channel> fresh = new LinkedHashMap<>();
    try {
      for (InetSocketAddress at : changed.b.listen) {
        if (!listeners.containsKey(at) && !fresh.containsKey(at)) {
          fresh.put(
              at,
              bound(
                  SocketCarrier.listen(loops, at, listening(changed)),
                  "Bind to port %d on %s"
                      .formatted(at.getPort(), NetUtil.toAddressString(at.getAddress()))));
        }
      }
    } catch (IOException e) {
      fresh.values().forEach(SshServer::stop);
      throw e;
    }
    listeners.putAll(fresh);
    listeners
        .entrySet()
        .removeIf(
            listener -> {
              boolean gone = !changed.b.listen.contains(listener.getKey());
              if (gone) {
                stop(listener.getValue());
              }
              return gone;
            });
  }

  private static void stop(Channel listener) {
    listener.close().awaitUninterruptibly();
  }

  private SocketCarrier.ListenOptions listening(ServerOptions by) {
    return new SocketCarrier.ListenOptions(by.b.tcpKeepAlive, by.b.backlog, this::accepted);
  }

  private static Channel bound(ChannelFuture binding, String what) throws IOException {
    if (!binding.awaitUninterruptibly().isSuccess()) {
      throw new IOException(
          what + " failed: " + SocketErrors.plain(binding.cause()), binding.cause());
    }
    return binding.channel();
  }

  /** The port of the first address. */
  public int port() {
    return addresses().getFirst().getPort();
  }

  /** The addresses that it listens on, with their real ports. */
  public synchronized List<InetSocketAddress> addresses() {
    return Stream.concat(descriptors.stream(), listeners.values().stream())
        .map(listener -> (InetSocketAddress) listener.localAddress())
        .toList();
  }

  /** Clients that are connected now, logged in or not. */
  public int connectionCount() {
    return connections.size();
  }

  /**
   * Serves one client over two streams: the standard streams of a program that somebody started for
   * one connection ({@code sshd -i}). Blocks until the client is gone and everything is written.
   * The gate is not asked.
   *
   * @param remote where the client is, if that is known, and {@code local}: where it connected to
   */
  public void serve(
      InputStream in,
      OutputStream out,
      @Nullable InetSocketAddress remote,
      @Nullable InetSocketAddress local)
      throws InterruptedException {
    Peer peer = new Peer(numbers.incrementAndGet(), remote, local);
    StreamCarrier carrier = new StreamCarrier(loops.next(), peer.toString(), in, out);
    ServerConnection connection = begin(carrier, peer, options);
    try {
      connection.ended().get();
      carrier.written().get(TransportLimits.CLOSE_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException _) {
      // The client doesn't read its last words.
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  /** On the connection's event loop; nothing was read yet. */
  private void accepted(Channel socket) {
    ServerOptions now = options;
    Peer peer =
        new Peer(
            numbers.incrementAndGet(),
            (InetSocketAddress) socket.remoteAddress(),
            (InetSocketAddress) socket.localAddress());
    String refusal = now.b.gate.refusal(peer);
    if (refusal != null) {
      now.b.events.accept(new ServerEvent.TurnedAway(peer, refusal));
      socket
          .writeAndFlush(Unpooled.copiedBuffer(TURNED_AWAY, StandardCharsets.US_ASCII))
          .addListener(ChannelFutureListener.CLOSE);
      return;
    }
    begin(new SocketCarrier(socket, peer.toString()), peer, now);
  }

  private ServerConnection begin(Carrier carrier, Peer peer, ServerOptions by) {
    by.b.events.accept(new ServerEvent.Connected(peer));
    ServerConnection connection = new ServerConnection(this, by, carrier, peer);
    connections.add(connection);
    if (closing) {
      connection.disconnect(CLOSING);
    }
    connection.start();
    return connection;
  }

  ServerForwarding forwarding() {
    return forwarding;
  }

  void ended(ServerConnection connection) {
    connections.remove(connection);
  }

  /**
   * Listens no more, and ends each connection as soon as it has no channel open; those that still
   * have one when the time is over are ended then. Blocks until all are gone. {@link #close} comes
   * afterwards.
   */
  public void drain(Duration patience) throws InterruptedException {
    stopListening();
    connections.forEach(connection -> connection.drain(CLOSING));
    if (!awaitEnd(patience)) {
      connections.forEach(connection -> connection.disconnect(CLOSING));
      awaitEnd(Duration.ofSeconds(TransportLimits.CLOSE_SECONDS));
    }
  }

  /** Ends all connections and frees all ports. */
  @Override
  public void close() {
    stopListening();
    connections.forEach(connection -> connection.disconnect(CLOSING));
    try {
      awaitEnd(Duration.ofSeconds(TransportLimits.CLOSE_SECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
  }

  private synchronized void stopListening() {
    closing = true;
    descriptors.forEach(SshServer::stop);
    listeners.values().forEach(SshServer::stop);
  }

  /** Whether all connections have ended within the time. */
  private boolean awaitEnd(Duration patience) throws InterruptedException {
    try {
      CompletableFuture.allOf(
              connections.stream()
                  .map(ServerConnection::ended)
                  .toArray(CompletableFuture<?>[]::new))
          .get(patience.toNanos(), TimeUnit.NANOSECONDS);
      return true;
    } catch (TimeoutException e) {
      return false;
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }
}
