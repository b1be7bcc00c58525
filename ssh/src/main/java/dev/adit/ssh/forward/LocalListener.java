package dev.adit.ssh.forward;

import dev.adit.ssh.Forward;
import dev.adit.ssh.ForwardOptions;
import dev.adit.ssh.ForwardSpec;
import dev.adit.ssh.Listen;
import dev.adit.ssh.SshException;
import dev.adit.ssh.TunnelEvent;
import dev.adit.ssh.connection.Connection;
import dev.adit.ssh.transport.HostNames;
import dev.adit.ssh.transport.SocketErrors;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.DuplexChannel;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The sockets of one -L or -D. Thread-safe; the methods that bind and close block, so they aren't
 * for the event loop.
 */
final class LocalListener implements Forward {

  /** Attempts to find a port that is free in both families. */
  private static final int ANY_PORT_ATTEMPTS = 16;

  private static final Duration RESOLVER_PATIENCE = Duration.ofSeconds(10);

  private final Connection connection;
  private final ForwardSpec spec;
  private final List<Channel> listeners;
  private final AtomicBoolean closed = new AtomicBoolean();

  private LocalListener(Connection connection, ForwardSpec spec, List<Channel> listeners) {
    this.connection = connection;
    this.spec = spec;
    this.listeners = List.copyOf(listeners);
    for (Channel listener : listeners) {
      listener.pipeline().addLast(new AcceptFailures());
    }
    connection
        .eventLoop()
        .execute(() -> connection.emit(new TunnelEvent.ForwardListening(spec, where())));
    connection.closed().thenRun(this::closeNow);
  }

  /**
   * Listens where the specification says.
   *
   * @param accepted takes the sockets, on the event loop
   * @throws SshException.ForwardRefused when there is no address at all to listen on
   */
  static LocalListener bind(
      Connection connection,
      ForwardSpec spec,
      ForwardOptions options,
      Consumer<DuplexChannel> accepted)
      throws SshException, InterruptedException {
    List<Channel> listeners =
        switch (spec.listen()) {
          case Listen.Tcp tcp -> bindTcp(connection, tcp, options, accepted);
          case Listen.Unix unix ->
              List.of(bindUnix(connection.eventLoop(), unix.path(), options, accepted));
        };
    return new LocalListener(connection, spec, listeners);
  }

  // ---- TCP ------------------------------------------------------------------------------------

  private static List<Channel> bindTcp(
      Connection connection,
      Listen.Tcp listen,
      ForwardOptions options,
      Consumer<DuplexChannel> accepted)
      throws SshException, InterruptedException {
    List<InetAddress> addresses = addresses(listen, options);
    for (int attempt = 1; ; attempt++) {
      List<Channel> bound = new ArrayList<>();
      List<SshException.ForwardRefused> failures = new ArrayList<>();
      int port = listen.port();
      for (InetAddress address : addresses) {
        ChannelFuture binding =
            Sockets.listen(connection.eventLoop(), new InetSocketAddress(address, port), accepted);
        binding.await();
        if (binding.isSuccess()) {
          bound.add(binding.channel());
          port = ((InetSocketAddress) binding.channel().localAddress()).getPort();
        } else if (!isFamilyMissing(binding.cause())) {
          failures.add(refused(address, port, binding.cause()));
        }
      }
      if (bound.isEmpty()) {
        throw failures.isEmpty()
            ? new SshException.ForwardRefused("bind: no address of " + listen, null)
            : failures.getFirst();
      }
      if (listen.port() == 0 && !failures.isEmpty() && attempt < ANY_PORT_ATTEMPTS) {
        bound.forEach(channel -> channel.close().awaitUninterruptibly());
        continue;
      }
      // As in OpenSSH one family may stand alone; but whoever uses the other should know.
      for (SshException.ForwardRefused failure : failures) {
        connection
            .eventLoop()
            .execute(
                () ->
                    connection.emit(new TunnelEvent.Notice(String.valueOf(failure.getMessage()))));
      }
      return bound;
    }
  }

  /** What OpenSSH makes of a bind address, the {@code localhost} on both families included. */
  private static List<InetAddress> addresses(Listen.Tcp listen, ForwardOptions options)
      throws SshException, InterruptedException {
    String address = listen.bindAddress();
    if (listen.isWildcard() || (address == null && options.gatewayPorts())) {
      return List.of(literal("0.0.0.0"), literal("::"));
    }
    if (address == null || address.equals("localhost")) {
      return List.of(literal("127.0.0.1"), literal("::1"));
    }
    try {
      return HostNames.resolve(address, RESOLVER_PATIENCE);
    } catch (UnknownHostException e) {
      throw new SshException.ForwardRefused(
          "bind %s: cannot listen on %s: %s".formatted(listen, address, e.getMessage()), e);
    }
  }

  private static InetAddress literal(String address) {
    return InetAddress.ofLiteral(address);
  }

  /** A machine without IPv6, or with IPv6 on no interface, is no reason to complain. */
  private static boolean isFamilyMissing(Throwable failure) {
    String words = SocketErrors.plain(failure);
    return words.equals("Address family not supported by protocol")
        || words.equals("Protocol not supported");
  }

  private static SshException.ForwardRefused refused(InetAddress at, int port, Throwable cause) {
    String words = SocketErrors.plain(cause);
    boolean privileged = port < 1024 && words.equals("Permission denied");
    return new SshException.ForwardRefused(
        "bind [%s]:%d: %s%s"
            .formatted(
                text(at),
                port,
                words,
                privileged ? " (ports below 1024 are for root; take a higher one)" : ""),
        cause);
  }

  private static String text(InetAddress address) {
    return address instanceof Inet6Address && address.isLoopbackAddress()
        ? "::1"
        : address instanceof Inet6Address && address.isAnyLocalAddress()
            ? "::"
            : address.getHostAddress();
  }

  // ---- Unix sockets ---------------------------------------------------------------------------

  private static Channel bindUnix(
      EventLoop loop, String path, ForwardOptions options, Consumer<DuplexChannel> accepted)
      throws SshException, InterruptedException {
    try {
      if (options.streamLocalBindUnlink()) {
        removeSocket(Path.of(path));
      } else if (Files.exists(Path.of(path), LinkOption.NOFOLLOW_LINKS)) {
        // Netty would remove it and take its place.
        throw refused(path, "Address already in use", null);
      }
    } catch (InvalidPathException e) {
      throw refused(path, e.getReason(), e);
    }
    ChannelFuture binding = Sockets.listenUnix(loop, path, options.streamLocalBindMask(), accepted);
    binding.await();
    if (!binding.isSuccess()) {
      throw refused(path, SocketErrors.plain(binding.cause()), binding.cause());
    }
    return binding.channel();
  }

  private static SshException.ForwardRefused refused(
      String path, String words, @Nullable Throwable cause) {
    return new SshException.ForwardRefused("bind %s: %s".formatted(path, words), cause);
  }

  /** A file that is no socket is never taken for a leftover. */
  private static void removeSocket(Path path) throws SshException {
    try {
      if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
        return;
      }
      if (!Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
          .isOther()) {
        throw refused(path.toString(), "there is a file that is not a socket", null);
      }
      Files.deleteIfExists(path);
    } catch (IOException e) {
      if (e instanceof SshException ours) {
        throw ours;
      }
      throw refused(path.toString(), "cannot remove the old socket: " + e.getMessage(), e);
    }
  }

  // ---- Forward --------------------------------------------------------------------------------

  /** Netty rests for a second and goes on by itself; a person should know why nobody gets in. */
  private final class AcceptFailures extends ChannelInboundHandlerAdapter {
    private @Nullable String last;

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      String words = SocketErrors.plain(cause);
      if (!words.equals(last)) {
        last = words;
        connection.emit(
            new TunnelEvent.Notice(
                "accept on %s: %s; trying again every second".formatted(where(), words)));
      }
    }
  }

  @Override
  public ForwardSpec spec() {
    return spec;
  }

  @Override
  public int port() {
    return boundAddresses().stream().findFirst().map(InetSocketAddress::getPort).orElse(0);
  }

  @Override
  public List<InetSocketAddress> boundAddresses() {
    return listeners.stream()
        .map(Channel::localAddress)
        .filter(InetSocketAddress.class::isInstance)
        .map(InetSocketAddress.class::cast)
        .toList();
  }

  private String where() {
    if (spec.listen() instanceof Listen.Unix unix) {
      return unix.path();
    }
    return String.join(
        ", ",
        boundAddresses().stream()
            .map(a -> "[" + text(a.getAddress()) + "]:" + a.getPort())
            .toList());
  }

  @Override
  public void close() {
    closeNow();
    listeners.forEach(listener -> listener.closeFuture().awaitUninterruptibly());
  }

  private void removeOwnSocket() {
    if (spec.listen() instanceof Listen.Unix unix) {
      try {
        Files.deleteIfExists(Path.of(unix.path()));
      } catch (IOException _) {
        // It stays behind, and a later bind says so.
      }
    }
  }

  private void closeNow() {
    if (closed.compareAndSet(false, true)) {
      String where = where();
      listeners.forEach(Channel::close);
      removeOwnSocket();
      if (!connection.closed().isDone()) {
        connection
            .eventLoop()
            .execute(() -> connection.emit(new TunnelEvent.ForwardClosed(spec, where)));
      }
    }
  }
}
