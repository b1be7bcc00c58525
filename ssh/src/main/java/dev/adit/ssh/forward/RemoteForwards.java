package dev.adit.ssh.forward;

import dev.adit.ssh.Forward;
import dev.adit.ssh.ForwardOptions;
import dev.adit.ssh.ForwardSpec;
import dev.adit.ssh.Listen;
import dev.adit.ssh.SshException;
import dev.adit.ssh.Target;
import dev.adit.ssh.TunnelEvent;
import dev.adit.ssh.connection.Connection;
import dev.adit.ssh.connection.IncomingOpen;
import dev.adit.ssh.transport.SocketErrors;
import dev.adit.ssh.transport.Text;
import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.OpenFailureReason;
import dev.adit.ssh.wire.WireReader;
import dev.adit.ssh.wire.WireWriter;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * -R: what the server listens for on our behalf (RFC 4254 section 7.1, and section 2.4 of OpenSSH's
 * PROTOCOL for Unix sockets). The server opens a channel for each connection that comes, and only
 * what was asked for is let in. Confined to the event loop, but for {@link #start} and {@link
 * Forward#close}, which block.
 */
final class RemoteForwards {

  private final Connection connection;

  /** By what the server says in forwarded-tcpip: the address to the letter, the port it chose. */
  private final Map<Listen, RemoteForward> asked = new HashMap<>();

  private int pendingConnects;

  RemoteForwards(Connection connection) {
    this.connection = connection;
    connection.onOpen(
        Opens.FORWARDED_TCPIP,
        (open, in) -> {
          Opens.ForwardedTcp fields = Opens.ForwardedTcp.read(in);
          opened(open, fields.connected(), fields.from());
        });
    connection.onOpen(
        Opens.FORWARDED_STREAMLOCAL,
        (open, in) -> opened(open, Opens.forwardedUnix(in), "a Unix socket"));
  }

  /**
   * Asks the server to listen. Blocks until it has answered.
   *
   * @throws SshException.ForwardRefused when it doesn't, in ssh's words
   */
  Forward start(ForwardSpec spec, ForwardOptions options)
      throws SshException, InterruptedException {
    CompletableFuture<RemoteForward> started = new CompletableFuture<>();
    PermittedTargets permitted = PermittedTargets.of(options.permitRemoteOpen());
    connection.eventLoop().execute(() -> ask(spec, permitted, started));
    try {
      return started.get();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof SshException why
          ? why
          : SshException.Disconnected.local("internal error: " + e.getCause(), e.getCause());
    }
  }

  // ---- Asking ---------------------------------------------------------------------------------

  private void ask(
      ForwardSpec spec, PermittedTargets permitted, CompletableFuture<RemoteForward> started) {
    Listen wanted = onTheWire(spec.listen());
    if (asked.containsKey(wanted)) {
      started.completeExceptionally(refusal(spec.listen(), "it is forwarded already", null));
      return;
    }
    // The reply's future completes while it is decoded, so the forwarding is known before the next
    // packet, which may be its first channel.
    connection
        .globalRequest(wanted instanceof Listen.Tcp ? "tcpip-forward" : STREAMLOCAL, fields(wanted))
        .whenComplete(
            (reply, failure) -> {
              if (failure instanceof SshException.ForwardRefused) {
                started.completeExceptionally(refusal(spec.listen(), "", failure));
              } else if (failure != null) {
                started.completeExceptionally(failure);
              } else {
                register(spec, permitted, wanted, reply, started);
              }
            });
  }

  private void register(
      ForwardSpec spec,
      PermittedTargets permitted,
      Listen wanted,
      byte[] reply,
      CompletableFuture<RemoteForward> started) {
    Listen listening = wanted;
    if (wanted instanceof Listen.Tcp(String address, int port) && port == 0) {
      try {
        int chosen = WireReader.over(reply).readUint32AtMost(65535, "allocated port");
        listening = new Listen.Tcp(address, chosen);
      } catch (MalformedDataException e) {
        started.completeExceptionally(
            refusal(spec.listen(), "the server does not say which port it chose", e));
        return;
      }
    }
    RemoteForward forward = new RemoteForward(spec, listening, permitted);
    asked.put(listening, forward);
    connection.emit(new TunnelEvent.ForwardListening(spec, forward.where()));
    started.complete(forward);
  }

  private static final String STREAMLOCAL = "streamlocal-forward@openssh.com";

  /** The address that is asked for, as OpenSSH translates it (RFC 4254 section 7.1). */
  private static Listen onTheWire(Listen listen) {
    return switch (listen) {
      case Listen.Tcp(String address, int port) when address == null ->
          new Listen.Tcp("localhost", port);
      case Listen.Tcp tcp when tcp.isWildcard() -> new Listen.Tcp("", tcp.port());
      case Listen other -> other;
    };
  }

  private static byte[] fields(Listen listen) {
    return switch (listen) {
      case Listen.Tcp tcp ->
          WireWriter.create()
              .writeString(tcp.bindAddress() == null ? "" : tcp.bindAddress())
              .writeUint32(tcp.port())
              .toBytes();
      case Listen.Unix unix -> WireWriter.create().writeString(unix.path()).toBytes();
    };
  }

  /** In ssh's words, but for its {@code Warning:} or {@code Error:} in front. */
  private static SshException.ForwardRefused refusal(
      Listen listen, String why, @Nullable Throwable cause) {
    String what =
        switch (listen) {
          case Listen.Tcp tcp -> "listen port " + tcp.port();
          case Listen.Unix unix -> "listen path " + unix.path();
        };
    return new SshException.ForwardRefused(
        "remote port forwarding failed for " + what + (why.isEmpty() ? "" : ": " + why), cause);
  }

  // ---- Channels that the server opens ---------------------------------------------------------

  private void opened(IncomingOpen open, Listen connected, String from) {
    RemoteForward forward = asked.get(connected);
    if (forward == null) {
      String what = Text.escape(connected.toString());
      connection.emit(
          new TunnelEvent.Notice(
              "the server forwards a connection to %s, which was not asked for: refused"
                  .formatted(what)));
      open.refuse(OpenFailureReason.ADMINISTRATIVELY_PROHIBITED, "not asked for: " + what);
      return;
    }
    switch (forward.spec) {
      case ForwardSpec.Remote remote -> connect(open, remote.target(), from);
      case ForwardSpec.RemoteDynamic _ ->
          RemoteProxy.accept(open, forward.permitted, "a proxy request from " + from);
      case ForwardSpec.Local _, ForwardSpec.Dynamic _ ->
          throw new IllegalStateException("not remote: " + forward.spec);
    }
  }

  private void connect(IncomingOpen open, Target target, String from) {
    if (pendingConnects >= ForwardingLimits.MAX_PENDING_CONNECTS) {
      open.refuse(
          OpenFailureReason.RESOURCE_SHORTAGE,
          "more than " + ForwardingLimits.MAX_PENDING_CONNECTS + " connections are being made");
      return;
    }
    pendingConnects++;
    var _ =
        TargetConnector.connect(connection.eventLoop(), target)
            .whenComplete(
                (socket, failure) -> {
                  pendingConnects--;
                  if (failure != null) {
                    String why = SocketErrors.plain(failure);
                    connection.emit(
                        new TunnelEvent.Notice("connect to %s: %s".formatted(target, why)));
                    open.refuse(OpenFailureReason.CONNECT_FAILED, why);
                  } else if (connection.closed().isDone()) {
                    socket.close();
                  } else {
                    Relay relay = new Relay(socket);
                    relay.opened(open.accept(relay, target + " for " + from));
                  }
                });
  }

  // ---- Forward --------------------------------------------------------------------------------

  private final class RemoteForward implements Forward {
    private final ForwardSpec spec;
    private final Listen listening;
    private final PermittedTargets permitted;
    private final CompletableFuture<Void> cancelled = new CompletableFuture<>();
    private boolean cancelling;

    RemoteForward(ForwardSpec spec, Listen listening, PermittedTargets permitted) {
      this.spec = spec;
      this.listening = listening;
      this.permitted = permitted;
    }

    private String where() {
      return switch (listening) {
        case Listen.Tcp tcp -> "remote " + tcp;
        case Listen.Unix unix -> "remote " + unix.path();
      };
    }

    @Override
    public ForwardSpec spec() {
      return spec;
    }

    @Override
    public int port() {
      return listening instanceof Listen.Tcp tcp ? tcp.port() : 0;
    }

    @Override
    public List<InetSocketAddress> boundAddresses() {
      return List.of();
    }

    /** Waits for the server's answer: then the port is free. */
    @Override
    public void close() {
      if (!connection.closed().isDone()) {
        connection.eventLoop().execute(this::cancel);
        var _ = CompletableFuture.anyOf(cancelled, connection.closed()).join();
      }
    }

    private void cancel() {
      if (cancelling) {
        return;
      }
      cancelling = true;
      connection
          .globalRequest(
              "cancel-" + (listening instanceof Listen.Tcp ? "tcpip-forward" : STREAMLOCAL),
              fields(listening))
          .whenComplete(
              (_, failure) -> {
                // What came through until now was asked for.
                asked.remove(listening, this);
                if (failure instanceof SshException.ForwardRefused) {
                  connection.emit(
                      new TunnelEvent.Notice(
                          "the server did not cancel the forwarding " + where()));
                }
                connection.emit(new TunnelEvent.ForwardClosed(spec, where()));
                cancelled.complete(null);
              });
    }
  }
}
