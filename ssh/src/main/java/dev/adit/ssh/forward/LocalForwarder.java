package dev.adit.ssh.forward;

import dev.adit.ssh.ForwardSpec;
import dev.adit.ssh.Target;
import dev.adit.ssh.connection.Connection;
import dev.adit.ssh.wire.WireWriter;
import io.netty.channel.socket.DuplexChannel;
import java.net.InetSocketAddress;

/** -L: for each connection that comes, a channel to the target (RFC 4254 section 7.2). */
public final class LocalForwarder {

  private LocalForwarder() {}

  /** Opens the channel for one accepted connection. On the event loop. */
  public static void accept(Connection connection, ForwardSpec.Local spec, DuplexChannel socket) {
    if (spec.target() instanceof Target.Tcp to
        && socket.remoteAddress() instanceof InetSocketAddress from) {
      connection.open(
          "direct-tcpip",
          WireWriter.create()
              .writeString(to.host())
              .writeUint32(to.port())
              .writeString(from.getAddress().getHostAddress())
              .writeUint32(from.getPort())
              .toBytes(),
          new Relay(socket),
          to + " for " + from.getAddress().getHostAddress() + ":" + from.getPort());
    }
  }
}
