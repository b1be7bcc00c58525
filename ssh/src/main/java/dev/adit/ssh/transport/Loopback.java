package dev.adit.ssh.transport;

import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.unix.RawUnixChannelOption;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** TCP within one machine, which most tunnels have at one end. */
public final class Loopback {
  private static final Logger log = LoggerFactory.getLogger(Loopback.class);

  /** Linux's IPPROTO_TCP and TCP_CONGESTION. */
  private static final RawUnixChannelOption TCP_CONGESTION =
      new RawUnixChannelOption("TCP_CONGESTION", 6, 13, 4);

  private Loopback() {}

  /**
   * For a socket that will be connected or bound to this address: leaves out what only a network
   * needs, if the address is this machine's own. Where BBR is the system's congestion control it
   * would set a timer for what it sends here too, which costs a tenth of a tunnel's processor time;
   * Reno doesn't, and any user of any Linux may choose it. It is too late for that when the socket
   * is connected: what BBR has begun stays paced. Sockets that a listener accepts inherit it.
   */
  public static ChannelHandler unpaced(InetSocketAddress address) {
    return new ChannelInitializer<>() {
      @Override
      protected void initChannel(Channel socket) {
        boolean epoll =
            socket instanceof EpollSocketChannel || socket instanceof EpollServerSocketChannel;
        if (epoll && address.getAddress().isLoopbackAddress()) {
          chooseReno(socket);
        }
      }
    };
  }

  private static void chooseReno(Channel socket) {
    byte[] reno = "reno".getBytes(StandardCharsets.US_ASCII);
    try {
      socket.config().setOption(TCP_CONGESTION, ByteBuffer.wrap(reno));
    } catch (ChannelException e) {
      log.debug("the congestion control stays as it is", e);
    }
  }
}
