package dev.adit.ssh.forward;

import dev.adit.ssh.Forward;
import dev.adit.ssh.ForwardOptions;
import dev.adit.ssh.ForwardSpec;
import dev.adit.ssh.SshException;
import dev.adit.ssh.Target;
import dev.adit.ssh.connection.Connection;
import io.netty.channel.socket.DuplexChannel;

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

  /** -L: for each connection that comes, a channel to the target. */
  private void relayTo(Target target, DuplexChannel socket) {
    Opens.direct(
        connection, target, Opens.Originator.of(socket.remoteAddress()), new Relay(socket));
  }
}
