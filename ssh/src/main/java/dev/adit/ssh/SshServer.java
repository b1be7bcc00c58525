package dev.adit.ssh;

import dev.adit.ssh.forward.Sockets;
import dev.adit.ssh.transport.SocketCarrier;
import dev.adit.ssh.transport.SocketErrors;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

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

  /** How long {@link #close} waits for what is being done. */
  private static final int CLOSE_SECONDS = 2;

  private final EventLoopGroup loops;
  private volatile ServerOptions options;
  private final List<Channel> listeners = new ArrayList<>();
  private final Set<ServerConnection> connections = ConcurrentHashMap.newKeySet();
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
      for (InetSocketAddress address : options.b.listen) {
        server.listen(address);
      }
      return server;
    } catch (IOException e) {
      server.close();
      throw e;
    }
  }

  private void listen(InetSocketAddress at) throws IOException {
    ChannelFuture bound =
        SocketCarrier.listen(loops, at, options.b.tcpKeepAlive, options.b.backlog, this::accepted)
            .awaitUninterruptibly();
    if (!bound.isSuccess()) {
      throw new IOException(
          "Bind to port %d on %s failed: %s"
              .formatted(
                  at.getPort(),
                  at.getAddress().getHostAddress(),
                  SocketErrors.plain(bound.cause())),
          bound.cause());
    }
    listeners.add(bound.channel());
  }

  /** The port of the first address. */
  public int port() {
    return addresses().getFirst().getPort();
  }

  /** The addresses that it listens on, with their real ports. */
  public List<InetSocketAddress> addresses() {
    return listeners.stream().map(l -> (InetSocketAddress) l.localAddress()).toList();
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
    now.b.events.accept(new ServerEvent.Connected(peer));
    ServerConnection connection =
        new ServerConnection(this, now, new SocketCarrier(socket, peer.toString()), peer);
    connections.add(connection);
    connection.start();
  }

  void ended(ServerConnection connection) {
    connections.remove(connection);
  }

  /** Ends all connections and frees all ports. */
  @Override
  public void close() {
    listeners.forEach(Channel::close);
    connections.forEach(connection -> connection.disconnect("the server is closing"));
    var _ =
        CompletableFuture.allOf(
                connections.stream()
                    .map(ServerConnection::ended)
                    .toArray(CompletableFuture<?>[]::new))
            .completeOnTimeout(null, CLOSE_SECONDS, TimeUnit.SECONDS)
            .join();
    loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
  }
}
