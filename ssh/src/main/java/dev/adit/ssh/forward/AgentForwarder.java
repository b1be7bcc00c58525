package dev.adit.ssh.forward;

import dev.adit.ssh.connection.Connection;
import dev.adit.ssh.connection.IncomingOpen;
import dev.adit.ssh.wire.OpenFailureReason;
import io.netty.channel.ChannelFuture;
import io.netty.channel.socket.DuplexChannel;
import java.nio.file.Path;

/**
 * Serves the channels over which programs at the server reach the agent here, each with a
 * connection of its own to the agent's socket. Channels of this kind are refused until {@link
 * #serve} was called, for a server must not reach an agent that nobody lent to it.
 */
public final class AgentForwarder {

  /** As in OpenSSH, and section 4.3 of draft-ietf-sshm-ssh-agent without the suffix. */
  private static final String CHANNEL_TYPE = "auth-agent@openssh.com";

  private AgentForwarder() {}

  /** Lends the agent to the server from now on. On the event loop. */
  public static void serve(Connection connection, Path agentSocket) {
    connection.onOpen(CHANNEL_TYPE, (open, _) -> open(open, agentSocket));
  }

  private static void open(IncomingOpen open, Path agentSocket) {
    Sockets.connectUnix(open.connection().eventLoop(), agentSocket.toString())
        .addListener(
            (ChannelFuture connected) -> {
              if (!connected.isSuccess()) {
                open.refuse(OpenFailureReason.CONNECT_FAILED, "the agent can't be reached");
                return;
              }
              Relay relay = new Relay((DuplexChannel) connected.channel());
              relay.opened(open.accept(relay, "agent at " + agentSocket));
            });
  }
}
