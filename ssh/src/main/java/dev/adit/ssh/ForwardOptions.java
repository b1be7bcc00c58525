package dev.adit.ssh;

import java.util.List;

/**
 * How a forwarding listens and where it may lead, by the names of ssh_config(5).
 *
 * @param gatewayPorts GatewayPorts, {@code -g}: a local listener without a bind address takes
 *     connections on all interfaces, not on loopback only
 * @param streamLocalBindMask StreamLocalBindMask: the permission bits that a Unix socket which we
 *     listen on must not have
 * @param streamLocalBindUnlink StreamLocalBindUnlink: whether a socket file that is there already
 *     is removed first
 * @param permitRemoteOpen PermitRemoteOpen: where a remote dynamic forwarding may lead, as {@code
 *     host:port}, {@code address:port} or {@code [IPv6]:port} with {@code *} for any host or any
 *     port; {@code any} alone for everywhere and {@code none} alone for nowhere. Names are compared
 *     as they come, without being resolved
 */
public record ForwardOptions(
    boolean gatewayPorts,
    int streamLocalBindMask,
    boolean streamLocalBindUnlink,
    List<String> permitRemoteOpen) {

  /** What ssh(1) does when nothing is configured. */
  public static final ForwardOptions DEFAULT =
      new ForwardOptions(false, 0177, false, List.of("any"));

  public ForwardOptions {
    permitRemoteOpen = List.copyOf(permitRemoteOpen);
    if (streamLocalBindMask < 0 || streamLocalBindMask > 0777) {
      throw new IllegalArgumentException(
          "StreamLocalBindMask is 0 to 0777, not 0" + Integer.toOctalString(streamLocalBindMask));
    }
  }

  public ForwardOptions withGatewayPorts(boolean value) {
    return new ForwardOptions(value, streamLocalBindMask, streamLocalBindUnlink, permitRemoteOpen);
  }

  public ForwardOptions withStreamLocalBindMask(int value) {
    return new ForwardOptions(gatewayPorts, value, streamLocalBindUnlink, permitRemoteOpen);
  }

  public ForwardOptions withStreamLocalBindUnlink(boolean value) {
    return new ForwardOptions(gatewayPorts, streamLocalBindMask, value, permitRemoteOpen);
  }

  public ForwardOptions withPermitRemoteOpen(List<String> value) {
    return new ForwardOptions(gatewayPorts, streamLocalBindMask, streamLocalBindUnlink, value);
  }
}
