package dev.adit.ssh.forward;

import dev.adit.ssh.AccessPolicy;
import dev.adit.ssh.Decision;
import dev.adit.ssh.Target;
import dev.adit.ssh.TargetResolver;
import dev.adit.ssh.connection.Connection;
import dev.adit.ssh.connection.IncomingOpen;
import dev.adit.ssh.transport.Text;
import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.OpenFailureReason;
import dev.adit.ssh.wire.WireReader;
import io.netty.channel.socket.DuplexChannel;
import java.util.concurrent.CompletableFuture;

/** What a server does for a client's forwardings (RFC 4254 section 7). */
public final class ServerForwarding {
  private final AccessPolicy policy;

  private ServerForwarding(AccessPolicy policy) {
    this.policy = policy;
  }

  /** Serves the forwardings of one connection, as far as the policy lets it. On the event loop. */
  public static void on(Connection connection, AccessPolicy policy, TargetResolver resolver) {
    ServerForwarding forwarding = new ServerForwarding(policy);
    connection.onOpen(Opens.DIRECT_TCPIP, forwarding::direct);
  }

  private void direct(IncomingOpen open, WireReader fields) throws MalformedDataException {
    String host = fields.readText();
    int port = fields.readUint32AtMost(65535, "port");
    String what = Text.escape(host) + ":" + port + " for " + Text.escape(fields.readText());
    if (!(policy.connect(new Target.Tcp(host, port)) instanceof Decision.Allowed(Target to))) {
      open.refuse(OpenFailureReason.ADMINISTRATIVELY_PROHIBITED, "not permitted");
      return;
    }
    CompletableFuture<DuplexChannel> connecting =
        TargetConnector.connect(open.connection().eventLoop(), to);
    var _ =
        connecting.whenComplete(
            (socket, failure) -> {
              if (failure != null) {
                open.refuse(OpenFailureReason.CONNECT_FAILED, String.valueOf(failure.getMessage()));
              } else {
                Relay relay = new Relay(socket);
                relay.opened(open.accept(relay, what));
              }
            });
  }
}
