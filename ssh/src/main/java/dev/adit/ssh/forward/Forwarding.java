package dev.adit.ssh.forward;

import dev.adit.ssh.Forward;
import dev.adit.ssh.ForwardOptions;
import dev.adit.ssh.ForwardSpec;
import dev.adit.ssh.SshException;
import dev.adit.ssh.SshStream;
import dev.adit.ssh.Target;
import dev.adit.ssh.connection.Connection;
import dev.adit.ssh.transport.Carrier;
import dev.adit.ssh.wire.OpenFailureReason;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** All forwardings of one connection. */
public final class Forwarding {
  private final Connection connection;
  private final RemoteForwards remoteForwards;

  private Forwarding(Connection connection) {
    this.connection = connection;
    this.remoteForwards = new RemoteForwards(connection);
  }

  /** To be called while the connection is set up, before the peer can open channels. */
  public static Forwarding on(Connection connection) {
    return new Forwarding(connection);
  }

  /**
   * Begins to forward. Blocks until the listener is up, so it isn't for the event loop.
   *
   * @throws SshException.ForwardRefused when it can't be, naming the culprit
   */
  public Forward start(ForwardSpec spec, ForwardOptions options)
      throws SshException, InterruptedException {
    return switch (spec) {
      case ForwardSpec.Local local ->
          LocalListener.bind(connection, spec, options, socket -> relayTo(local.target(), socket));
      case ForwardSpec.Dynamic _ ->
          LocalListener.bind(
              connection, spec, options, socket -> LocalProxy.accept(connection, socket));
      case ForwardSpec.Remote _, ForwardSpec.RemoteDynamic _ -> remoteForwards.start(spec, options);
    };
  }

  /** A connection to a target beyond the server, as streams. Blocks until it is there. */
  public SshStream openStream(Target target) throws SshException, InterruptedException {
    return await(ChannelStream.open(connection, target), SshStream::close);
  }

  /**
   * A channel that carries an SSH connection to a host beyond the server. Blocks until it is there.
   *
   * @param patience how long the server may take; zero for no limit
   */
  public Carrier openCarrier(Target.Tcp target, Duration patience)
      throws SshException, InterruptedException {
    CompletableFuture<Carrier> opening = ChannelCarrier.open(connection, target);
    Consumer<Carrier> close = late -> connection.eventLoop().execute(late::close);
    ScheduledFuture<?> deadline =
        patience.isZero()
            ? null
            : connection
                .eventLoop()
                .schedule(
                    () ->
                        opening.completeExceptionally(
                            new SshException.ChannelRefused(
                                OpenFailureReason.CONNECT_FAILED, "Connection timed out")),
                    patience.toMillis(),
                    TimeUnit.MILLISECONDS);
    try {
      return await(opening, close);
    } finally {
      if (deadline != null) {
        deadline.cancel(false);
      }
    }
  }

  private static <T> T await(CompletableFuture<? extends T> opening, Consumer<T> close)
      throws SshException, InterruptedException {
    try {
      return opening.get();
    } catch (InterruptedException e) {
      var _ = opening.thenAccept(close);
      throw e;
    } catch (ExecutionException e) {
      throw e.getCause() instanceof SshException why
          ? why
          : SshException.Disconnected.local("internal error: " + e.getCause(), e.getCause());
    }
  }

  /** -L: for each connection that comes, a channel to the target. */
  private void relayTo(Target target, DuplexChannel socket) {
    Opens.direct(
        connection, target, Opens.Originator.of(socket.remoteAddress()), new Relay(socket));
  }
}
