package dev.adit.ssh.forward;

import dev.adit.ssh.ForwardOptions;
import dev.adit.ssh.Listen;
import dev.adit.ssh.SshException;
import dev.adit.ssh.transport.SocketErrors;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.NetUtil;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The sockets of one listener, on either side: {@code localhost} and all interfaces have one in
 * each family. They accept nobody before {@link #accept}. Thread-safe.
 */
final class ListeningSockets {

  private final List<Channel> sockets;
  private final List<SshException.ForwardRefused> missing;
  private final @Nullable Path file;
  private final AtomicBoolean closed = new AtomicBoolean();

  private ListeningSockets(
      List<Channel> sockets, List<SshException.ForwardRefused> missing, @Nullable Path file) {
    this.sockets = List.copyOf(sockets);
    this.missing = List.copyOf(missing);
    this.file = file;
  }

  // ---- TCP ------------------------------------------------------------------------------------

  /** Both families' loopback: what {@code localhost} is, whatever a resolver says. */
  static final List<InetAddress> LOOPBACK = List.of(literal("127.0.0.1"), literal("::1"));

  /** All interfaces. */
  static final List<InetAddress> EVERYWHERE = List.of(literal("0.0.0.0"), literal("::"));

  private static InetAddress literal(String address) {
    return InetAddress.ofLiteral(address);
  }

  /**
   * Listens on these addresses, all with one port. As in OpenSSH it is enough if one of them can be
   * had.
   *
   * @param listen whose port is wanted; its address is for messages
   * @param accepted takes the sockets that come, on the event loop
   * @return completes on the loop; fails with {@link SshException.ForwardRefused} when there is no
   *     address at all to listen on
   */
  static CompletableFuture<ListeningSockets> bindTcp(
      EventLoop loop,
      Listen.Tcp listen,
      List<InetAddress> addresses,
      Consumer<DuplexChannel> accepted) {
    var binding = new TcpBinding(loop, listen, addresses, accepted);
    loop.execute(binding::next);
    return binding.result;
  }

  /** One address after the other, for the first may choose the port. */
  private static final class TcpBinding {
    final EventLoop loop;
    final Listen.Tcp listen;
    final List<InetAddress> addresses;
    final Consumer<DuplexChannel> accepted;
    final CompletableFuture<ListeningSockets> result = new CompletableFuture<>();
    final List<Channel> bound = new ArrayList<>();
    final List<SshException.ForwardRefused> failures = new ArrayList<>();
    int port;
    int index;
    int attempt = 1;

    TcpBinding(
        EventLoop loop,
        Listen.Tcp listen,
        List<InetAddress> addresses,
        Consumer<DuplexChannel> accepted) {
      this.loop = loop;
      this.listen = listen;
      this.addresses = addresses;
      this.accepted = accepted;
      this.port = listen.port();
    }

    void next() {
      if (index == addresses.size()) {
        end();
        return;
      }
      InetAddress address = addresses.get(index++);
      Sockets.listen(loop, new InetSocketAddress(address, port), accepted)
          .addListener((ChannelFuture done) -> bound(address, done));
    }

    private void bound(InetAddress address, ChannelFuture done) {
      if (done.isSuccess()) {
        bound.add(done.channel());
        port = ((InetSocketAddress) done.channel().localAddress()).getPort();
      } else if (!isFamilyMissing(done.cause())) {
        failures.add(refused(address, port, done.cause()));
      }
      next();
    }

    private void end() {
      if (bound.isEmpty()) {
        result.completeExceptionally(
            failures.isEmpty()
                ? new SshException.ForwardRefused("bind: no address of " + listen, null)
                : failures.getFirst());
      } else if (listen.port() == 0
          && !failures.isEmpty()
          && attempt++ < ForwardingLimits.ANY_PORT_ATTEMPTS) {
        // The port that one family chose is taken in the other.
        bound.forEach(Channel::close);
        bound.clear();
        failures.clear();
        port = 0;
        index = 0;
        next();
      } else {
        result.complete(new ListeningSockets(bound, failures, null));
      }
    }
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
                NetUtil.toAddressString(at),
                port,
                words,
                privileged ? " (ports below 1024 are for root; take a higher one)" : ""),
        cause);
  }

  // ---- Unix sockets ---------------------------------------------------------------------------

  /**
   * Listens on a Unix socket.
   *
   * @param options StreamLocalBindMask and StreamLocalBindUnlink
   * @return as {@link #bindTcp}
   */
  static CompletableFuture<ListeningSockets> bindUnix(
      EventLoop loop, String path, ForwardOptions options, Consumer<DuplexChannel> accepted) {
    CompletableFuture<ListeningSockets> result = new CompletableFuture<>();
    // A file system may take its time.
    Thread.ofVirtual()
        .name("adit-files")
        .start(
            () -> {
              try {
                makeRoom(path, options.streamLocalBindUnlink());
              } catch (SshException.ForwardRefused e) {
                loop.execute(() -> result.completeExceptionally(e));
                return;
              }
              Sockets.listenUnix(loop, path, options.streamLocalBindMask(), accepted)
                  .addListener((ChannelFuture done) -> bound(path, done, result));
            });
    return result;
  }

  private static void bound(
      String path, ChannelFuture done, CompletableFuture<ListeningSockets> result) {
    if (done.isSuccess()) {
      result.complete(new ListeningSockets(List.of(done.channel()), List.of(), Path.of(path)));
    } else {
      result.completeExceptionally(refused(path, SocketErrors.plain(done.cause()), done.cause()));
    }
  }

  private static void makeRoom(String path, boolean unlink) throws SshException.ForwardRefused {
    try {
      if (path.getBytes(StandardCharsets.UTF_8).length > ForwardingLimits.MAX_SOCKET_PATH) {
        throw refused(path, "longer than " + ForwardingLimits.MAX_SOCKET_PATH + " bytes", null);
      }
      if (unlink) {
        removeSocket(Path.of(path));
      } else if (Files.exists(Path.of(path), LinkOption.NOFOLLOW_LINKS)) {
        // Netty would remove it and take its place.
        throw refused(path, "Address already in use", null);
      }
    } catch (InvalidPathException e) {
      throw refused(path, e.getReason(), e);
    }
  }

  private static SshException.ForwardRefused refused(
      String path, String words, @Nullable Throwable cause) {
    return new SshException.ForwardRefused("bind %s: %s".formatted(path, words), cause);
  }

  /** A file that is no socket is never taken for a leftover. */
  private static void removeSocket(Path path) throws SshException.ForwardRefused {
    try {
      if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
        return;
      }
      if (!Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
          .isOther()) {
        throw refused(path.toString(), "there is a file that is not a socket", null);
      }
      Files.deleteIfExists(path);
    } catch (SshException.ForwardRefused e) {
      throw e;
    } catch (IOException e) {
      throw refused(path.toString(), "cannot remove the old socket: " + e.getMessage(), e);
    }
  }

  // ---- While it is up -------------------------------------------------------------------------

  /** The addresses that could not be had although others could: whoever uses them should know. */
  List<SshException.ForwardRefused> missing() {
    return missing;
  }

  /**
   * Takes connections from now on.
   *
   * @param notice hears why nobody gets in, for example when descriptors run out
   */
  void accept(Consumer<String> notice) {
    for (Channel socket : sockets) {
      socket.pipeline().addLast(new AcceptFailures(notice));
      socket.config().setAutoRead(true);
    }
  }

  /** Netty rests for a second and goes on by itself. */
  private final class AcceptFailures extends ChannelInboundHandlerAdapter {
    private final Consumer<String> notice;
    private @Nullable String last;

    AcceptFailures(Consumer<String> notice) {
      this.notice = notice;
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      String words = SocketErrors.plain(cause);
      if (!words.equals(last)) {
        last = words;
        notice.accept("accept on %s: %s; trying again every second".formatted(where(), words));
      }
    }
  }

  /** The TCP addresses; none for a Unix socket. */
  List<InetSocketAddress> addresses() {
    return sockets.stream()
        .map(Channel::localAddress)
        .filter(InetSocketAddress.class::isInstance)
        .map(InetSocketAddress.class::cast)
        .toList();
  }

  /** The TCP port, or 0 for a Unix socket. */
  int port() {
    return addresses().stream().findFirst().map(InetSocketAddress::getPort).orElse(0);
  }

  /** {@code [127.0.0.1]:8080, [::1]:8080}, or a path. */
  String where() {
    if (file != null) {
      return file.toString();
    }
    return String.join(
        ", ",
        addresses().stream()
            .map(a -> "[" + NetUtil.toAddressString(a.getAddress()) + "]:" + a.getPort())
            .toList());
  }

  /** Stops listening. Idempotent. */
  void close() {
    if (closed.compareAndSet(false, true)) {
      sockets.forEach(Channel::close);
      if (file != null) {
        try {
          Files.deleteIfExists(file);
        } catch (IOException _) {
          // It stays behind, and a later bind says so.
        }
      }
    }
  }

  /** Completes when the port is free. */
  CompletableFuture<Void> released() {
    CompletableFuture<?>[] all =
        sockets.stream()
            .map(
                socket -> {
                  CompletableFuture<Void> gone = new CompletableFuture<>();
                  socket.closeFuture().addListener(_ -> gone.complete(null));
                  return gone;
                })
            .toArray(CompletableFuture<?>[]::new);
    return CompletableFuture.allOf(all);
  }
}
