package dev.adit.ssh;

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

  /** As sshd logs it: {@code 192.0.2.1 port 50022}. */
  @Override
  public String toString() {
    return remote == null
        ? "UNKNOWN port 65535"
        : remote.getAddress().getHostAddress() + " port " + remote.getPort();
  }
}
