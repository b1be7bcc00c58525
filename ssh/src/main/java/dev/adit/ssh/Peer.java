package dev.adit.ssh;

import io.netty.util.NetUtil;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * A client of a server, before anything is known of it but where it comes from.
 *
 * @param connection a number of this connection that no other of the same server has
 * @param remote the client's address, or null where it doesn't come over TCP
 * @param local our address, or null where it doesn't come over TCP
 */
public record Peer(
    long connection, @Nullable InetSocketAddress remote, @Nullable InetSocketAddress local) {

  /** The client's address as sshd logs it: {@code 192.0.2.1}, {@code ::1} or {@code UNKNOWN}. */
  public String address() {
    return remote == null ? "UNKNOWN" : NetUtil.toAddressString(remote.getAddress());
  }

  /** As sshd logs it: {@code 192.0.2.1 port 50022}. */
  @Override
  public String toString() {
    return address() + " port " + (remote == null ? 65535 : remote.getPort());
  }
}
