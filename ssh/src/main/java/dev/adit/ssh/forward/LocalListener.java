package dev.adit.ssh.forward;

import dev.adit.ssh.Forward;
import dev.adit.ssh.ForwardOptions;
import dev.adit.ssh.ForwardSpec;
import dev.adit.ssh.Listen;
import dev.adit.ssh.SshException;
import dev.adit.ssh.TunnelEvent;
import dev.adit.ssh.connection.Connection;
import dev.adit.ssh.transport.HostNames;
import io.netty.channel.socket.DuplexChannel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * The listener of one -L or -D. Thread-safe; the methods that bind and close block, so they aren't
 * for the event loop.
 */
final class LocalListener implements Forward {
  private final Connection connection;
  private final ForwardSpec spec;
  private final ListeningSockets sockets;
  private final AtomicBoolean closed = new AtomicBoolean();

  private LocalListener(Connection connection, ForwardSpec spec, ListeningSockets sockets) {
    this.connection = connection;
    this.spec = spec;
    this.sockets = sockets;
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
    var loop = connection.eventLoop();
    CompletableFuture<ListeningSockets> binding =
        switch (spec.listen()) {
          case Listen.Tcp tcp ->
              ListeningSockets.bindTcp(loop, tcp, addresses(tcp, options), accepted);
          case Listen.Unix unix -> ListeningSockets.bindUnix(loop, unix.path(), options, accepted);
        };
    try {
      var listener = new LocalListener(connection, spec, binding.get());
      listener.start();
      return listener;
    } catch (InterruptedException e) {
      var _ = binding.thenAccept(ListeningSockets::close);
      throw e;
    } catch (ExecutionException e) {
      throw e.getCause() instanceof SshException why
          ? why
          : new SshException.ForwardRefused("bind: " + e.getCause(), e.getCause());
    }
  }

  private void start() {
    connection
        .eventLoop()
        .execute(
            () -> {
              // As in OpenSSH one family may stand alone; but whoever uses the other should know.
              for (SshException.ForwardRefused missing : sockets.missing()) {
                notice(String.valueOf(missing.getMessage()));
              }
              connection.emit(new TunnelEvent.ForwardListening(spec, sockets.where()));
            });
    sockets.accept(this::notice);
    connection.closed().thenRun(this::closeNow);
  }

  private void notice(String text) {
    connection.emit(new TunnelEvent.Notice(text));
  }

  /** What OpenSSH makes of a bind address, the {@code localhost} on both families included. */
  private static List<InetAddress> addresses(Listen.Tcp listen, ForwardOptions options)
      throws SshException, InterruptedException {
    String address = listen.bindAddress();
    if (listen.isWildcard() || (address == null && options.gatewayPorts())) {
      return ListeningSockets.EVERYWHERE;
    }
    if (address == null || address.equals("localhost")) {
      return ListeningSockets.LOOPBACK;
    }
    try {
      return HostNames.resolve(address, ForwardingLimits.RESOLVER_PATIENCE);
    } catch (UnknownHostException e) {
      throw new SshException.ForwardRefused(
          "bind %s: cannot listen on %s: %s".formatted(listen, address, e.getMessage()), e);
    }
  }

  @Override
  public ForwardSpec spec() {
    return spec;
  }

  @Override
  public int port() {
    return sockets.port();
  }

  @Override
  public List<InetSocketAddress> boundAddresses() {
    return sockets.addresses();
  }

  @Override
  public void close() {
    closeNow();
    sockets.released().join();
  }

  private void closeNow() {
    if (closed.compareAndSet(false, true)) {
      String where = sockets.where();
      sockets.close();
      if (!connection.closed().isDone()) {
        connection
            .eventLoop()
            .execute(() -> connection.emit(new TunnelEvent.ForwardClosed(spec, where)));
      }
    }
  }
}
