package dev.adit.gateway;

import dev.adit.config.server.ServerConfig;
import dev.adit.config.server.ServerConfigDump;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;

/** Which addresses the gateway listens on. */
final class ListenPlan {
  private ListenPlan() {}

  /**
   * As Port, ListenAddress and AddressFamily say. A socket for all IPv6 addresses takes IPv4 too, so
   * where both are wanted, the second is left out.
   *
   * @throws UnknownHostException with sshd's message
   */
  static List<InetSocketAddress> of(ServerConfig config) throws UnknownHostException {
    var all = ServerConfigDump.listenAddresses(config);
    var plan = new ArrayList<InetSocketAddress>();
    for (var address : all) {
      boolean isCovered =
          address.getAddress() instanceof Inet4Address
              && address.getAddress().isAnyLocalAddress()
              && all.contains(new InetSocketAddress(anyV6(), address.getPort()));
      if (!isCovered && !plan.contains(address)) {
        plan.add(address);
      }
    }
    return plan;
  }

  private static InetAddress anyV6() throws UnknownHostException {
    return InetAddress.getByAddress(new byte[16]);
  }
}
