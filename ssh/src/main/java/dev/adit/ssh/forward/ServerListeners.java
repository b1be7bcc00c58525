package dev.adit.ssh.forward;

import dev.adit.ssh.AccessPolicy;
import dev.adit.ssh.Decision;
import dev.adit.ssh.ForwardLimits;
import dev.adit.ssh.ForwardSpec;
import dev.adit.ssh.Listen;
import dev.adit.ssh.SshException;
import dev.adit.ssh.TunnelEvent;
import dev.adit.ssh.connection.ChannelHandler;
import dev.adit.ssh.connection.Connection;
import dev.adit.ssh.connection.SshChannel;
import dev.adit.ssh.transport.HostNames;
import dev.adit.ssh.transport.Text;
import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.OpenFailureReason;
import dev.adit.ssh.wire.WireReader;
import dev.adit.ssh.wire.WireWriter;
import io.netty.buffer.ByteBuf;
import io.netty.channel.socket.DuplexChannel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/**
 * The server's side of -R: listens where the client asks (tcpip-forward, RFC 4254 section 7.1, and
 * streamlocal-forward of OpenSSH's PROTOCOL section 2.4), and opens a channel for each connection
 * that comes. Confined to the event loop.
 *
 * <p>Requests are served one after the other, so that a cancel finds the listener that was asked
 * for right before it. A listener is registered and the reply is on its way before it accepts.
 */
final class ServerListeners {

  private static final String TCP = "tcpip-forward";
  private static final String UNIX = "streamlocal-forward@openssh.com";

  /** Ports below are root's (ports that only a privileged user may listen on). */
  private static final int FIRST_UNPRIVILEGED_PORT = 1024;

  private static final byte[] NO_FIELDS = {};

  private final Connection connection;
  private final AccessPolicy policy;
  private final PolicyQuestions questions;
  private final ListenerRegistry.@Nullable Owner owner;
  private final ListenerRegistry registry;
  private final ForwardLimits limits;
  private final Admission admission;

  /**
   * By what the client says in a cancel: its address to the letter, with the port that we chose.
   */
  private final Map<Listen, Up> listeners = new HashMap<>();

  private CompletableFuture<?> lastRequest = CompletableFuture.completedFuture(null);
  private int waitingRequests;

  ServerListeners(
      Connection connection,
      AccessPolicy policy,
      ListenerRegistry.@Nullable Owner owner,
      ListenerRegistry registry,
      ForwardLimits limits,
      Admission admission) {
    this.connection = connection;
    this.policy = policy;
    this.questions = new PolicyQuestions(policy);
    this.owner = owner;
    this.registry = registry;
    this.limits = limits;
    this.admission = admission;
    connection.onGlobalRequest(TCP, in -> inTurn(tcp(in), this::listen));
    connection.onGlobalRequest("cancel-" + TCP, in -> inTurn(tcp(in), this::cancel));
    connection.onGlobalRequest(UNIX, in -> inTurn(unix(in), this::listen));
    connection.onGlobalRequest("cancel-" + UNIX, in -> inTurn(unix(in), this::cancel));
    connection.onEnd(() -> List.copyOf(listeners.values()).forEach(Up::close));
  }

  // ---- Requests -------------------------------------------------------------------------------

  /** What a client asks for; with an error where it can't be. */
  private record Request(Listen what, @Nullable String wrong) {}

  private interface Step {
    CompletableFuture<byte[]> serve(Listen what);
  }

  private static Request tcp(WireReader in) throws MalformedDataException {
    String address = in.readText();
    long port = in.readUint32();
    in.expectEnd(TCP);
    int length = address.getBytes(StandardCharsets.UTF_8).length;
    String wrong =
        length > ForwardingLimits.MAX_BIND_ADDRESS
                || address.chars().anyMatch(Character::isISOControl)
            ? "not an address to listen on"
            : port > 65535 ? "port " + port + " is not 0 to 65535" : null;
    return wrong == null
        ? new Request(new Listen.Tcp(address, (int) port), null)
        : new Request(new Listen.Tcp("", 0), wrong);
  }

  private static Request unix(WireReader in) throws MalformedDataException {
    String path = in.readText();
    in.expectEnd(UNIX);
    boolean usable = path.startsWith("/") && path.indexOf(0) < 0;
    return new Request(
        new Listen.Unix(path), usable ? null : "the path of a Unix socket begins with /");
  }

  private CompletableFuture<byte[]> inTurn(Request request, Step step) {
    if (request.wrong != null) {
      return refused(request.what, request.wrong);
    }
    if (waitingRequests >= ForwardingLimits.MAX_WAITING_REQUESTS) {
      return refused(
          request.what, "more than " + ForwardingLimits.MAX_WAITING_REQUESTS + " requests wait");
    }
    waitingRequests++;
    CompletableFuture<byte[]> answer =
        lastRequest.handle((_, _) -> request.what).thenCompose(step::serve);
    lastRequest = answer;
    var _ = answer.whenComplete((_, _) -> waitingRequests--);
    return answer;
  }

  private CompletableFuture<byte[]> refused(Listen asked, String why) {
    connection.emit(new TunnelEvent.ForwardRefused(spec(asked), Text.escape(why)));
    // REQUEST_FAILURE has no text.
    connection.tell("remote forwarding of " + spec(asked) + " refused: " + Text.escape(why));
    return CompletableFuture.failedFuture(new SshException.ForwardRefused(why, null));
  }

  /** As it may be shown. */
  private static ForwardSpec spec(Listen listen) {
    return new ForwardSpec.RemoteDynamic(
        switch (listen) {
          case Listen.Tcp(String address, int port) ->
              new Listen.Tcp(address == null ? null : Opens.shown(address), port);
          case Listen.Unix(String path) -> new Listen.Unix(Opens.shown(path));
        });
  }

  private CompletableFuture<byte[]> cancel(Listen asked) {
    Up up = listeners.get(asked);
    if (up == null) {
      return refused(asked, "nothing to cancel: this connection doesn't listen there");
    }
    up.close();
    return up.sockets.released().thenApply(_ -> NO_FIELDS);
  }

  // ---- Listening ------------------------------------------------------------------------------

  private CompletableFuture<byte[]> listen(Listen asked) {
    if (connection.hasEnded()) {
      return CompletableFuture.failedFuture(
          new SshException.ForwardRefused("the connection has ended", null));
    }
    if (listeners.size() >= limits.listeners()) {
      return refused(asked, "more than " + limits.listeners() + " listeners");
    }
    if (listeners.containsKey(asked)) {
      return refused(asked, "it is forwarded already");
    }
    return switch (questions.listen(asked)) {
      case Decision.Denied(String why) -> refused(asked, why);
      case Decision.Allowed(Listen allowed) ->
          bind(asked, allowed)
              .handle(
                  (sockets, failure) ->
                      failure == null ? up(asked, sockets) : refused(asked, why(failure)))
              .thenCompose(answer -> answer);
    };
  }

  private static String why(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    return String.valueOf(cause.getMessage());
  }

  private CompletableFuture<ListeningSockets> bind(Listen asked, Listen allowed) {
    var loop = connection.eventLoop();
    return switch (allowed) {
      case Listen.Tcp tcp -> {
        int port = tcp.port();
        if (port > 0 && port < FIRST_UNPRIVILEGED_PORT && !policy.allowsPrivilegedPorts()) {
          yield CompletableFuture.failedFuture(
              new SshException.ForwardRefused(
                  "port %d is below %d, where only root may listen"
                      .formatted(port, FIRST_UNPRIVILEGED_PORT),
                  null));
        }
        yield addresses(tcp)
            .thenComposeAsync(
                addresses ->
                    makeRoom(port == 0 ? null : new ListenerRegistry.Place.Tcp(addresses, port))
                        .thenCompose(
                            _ ->
                                ListeningSockets.bindTcp(
                                    loop, tcp, addresses, socket -> accepted(asked, socket))),
                loop);
      }
      case Listen.Unix unix ->
          makeRoom(new ListenerRegistry.Place.Unix(unix.path()))
              .thenCompose(
                  _ ->
                      ListeningSockets.bindUnix(
                          loop,
                          unix.path(),
                          policy.forwardOptions(),
                          socket -> accepted(asked, socket)));
    };
  }

  private CompletableFuture<Void> makeRoom(ListenerRegistry.@Nullable Place place) {
    return place == null
        ? CompletableFuture.completedFuture(null)
        : registry.makeRoom(place, owner, connection);
  }

  /** What OpenSSH makes of an address that a policy allows, {@code localhost} on both families. */
  private static CompletableFuture<List<InetAddress>> addresses(Listen.Tcp listen) {
    String address = listen.bindAddress();
    if (listen.isWildcard()) {
      return CompletableFuture.completedFuture(ListeningSockets.EVERYWHERE);
    }
    if (address == null || address.equals("localhost")) {
      return CompletableFuture.completedFuture(ListeningSockets.LOOPBACK);
    }
    return HostNames.lookUp(address, ForwardingLimits.RESOLVER_PATIENCE);
  }

  private CompletableFuture<byte[]> up(Listen asked, ListeningSockets sockets) {
    if (connection.hasEnded()) {
      sockets.close();
      return CompletableFuture.failedFuture(
          new SshException.ForwardRefused("the connection has ended", null));
    }
    byte[] reply = NO_FIELDS;
    Listen named = asked;
    if (asked instanceof Listen.Tcp(String address, int port) && port == 0) {
      named = new Listen.Tcp(address, sockets.port());
      reply = WireWriter.create().writeUint32(sockets.port()).toBytes();
    }
    listeners.put(named, new Up(named, sockets));
    for (SshException.ForwardRefused missing : sockets.missing()) {
      notice(String.valueOf(missing.getMessage()));
    }
    connection.emit(new TunnelEvent.ForwardListening(spec(named), sockets.where()));
    // Behind the reply, for a client may refuse channels of a listener that it doesn't know yet.
    connection.eventLoop().execute(() -> sockets.accept(this::notice));
    return CompletableFuture.completedFuture(reply);
  }

  private void notice(String text) {
    connection.emit(new TunnelEvent.Notice(text));
  }

  /** A listener that is up. */
  private final class Up {
    private final Listen named;
    private final ListeningSockets sockets;

    Up(Listen named, ListeningSockets sockets) {
      this.named = named;
      this.sockets = sockets;
      ListenerRegistry.Place place =
          named instanceof Listen.Unix unix
              ? new ListenerRegistry.Place.Unix(unix.path())
              : new ListenerRegistry.Place.Tcp(
                  sockets.addresses().stream().map(InetSocketAddress::getAddress).toList(),
                  sockets.port());
      var holder = new ListenerRegistry.Holder(connection, owner, place);
      registry.add(holder);
      sockets
          .released()
          .thenRun(
              () -> {
                registry.remove(holder);
                holder.released.complete(null);
              });
    }

    void close() {
      String where = sockets.where();
      listeners.remove(named);
      sockets.close();
      connection.emit(new TunnelEvent.ForwardClosed(spec(named), where));
    }
  }

  // ---- Connections that come ------------------------------------------------------------------

  private void accepted(Listen asked, DuplexChannel socket) {
    Relay relay = new Relay(socket);
    Opens.Originator from = Opens.Originator.of(socket.remoteAddress());
    Listen connected =
        asked instanceof Listen.Tcp tcp && socket.localAddress() instanceof InetSocketAddress local
            ? new Listen.Tcp(tcp.bindAddress(), local.getPort())
            : asked;
    String full =
        admission.enter(() -> Opens.forwarded(connection, connected, from, new Unanswered(relay)));
    if (full != null) {
      String type =
          connected instanceof Listen.Unix ? Opens.FORWARDED_STREAMLOCAL : Opens.FORWARDED_TCPIP;
      connection.emit(
          new TunnelEvent.ChannelRefused(
              -1, type, spec(connected) + " for " + from + ": " + full, false));
      relay.refused(new SshException.ChannelRefused(OpenFailureReason.RESOURCE_SHORTAGE, full));
    }
  }

  /** Stands at the channel's end until the client has answered. */
  private final class Unanswered implements ChannelHandler {
    private final Relay relay;

    Unanswered(Relay relay) {
      this.relay = relay;
    }

    @Override
    public void opened(SshChannel channel) {
      admission.leave();
      channel.handOver(relay);
      relay.opened(channel);
    }

    @Override
    public void refused(SshException.ChannelRefused why) {
      admission.leave();
      relay.refused(why);
    }

    @Override
    public void data(SshChannel channel, ByteBuf data) {
      throw new IllegalStateException("data before the channel is open");
    }

    @Override
    public void eof(SshChannel channel) {
      throw new IllegalStateException("EOF before the channel is open");
    }

    @Override
    public void sendable(SshChannel channel) {}

    @Override
    public void closed(SshChannel channel, @Nullable SshException cause) {
      throw new IllegalStateException("closed before it was open");
    }
  }
}
