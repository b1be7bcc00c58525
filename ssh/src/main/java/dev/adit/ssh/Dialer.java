package dev.adit.ssh;

import dev.adit.ssh.transport.Carrier;
import dev.adit.ssh.transport.HostNames;
import dev.adit.ssh.transport.ProcessCarrier;
import dev.adit.ssh.transport.SocketCarrier;
import dev.adit.ssh.transport.SocketErrors;
import dev.adit.ssh.transport.TransportLimits;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.EventLoop;
import io.netty.util.NetUtil;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way to a server: TCP with its name, addresses and attempts, a channel of another connection,
 * or a process. On the control lane; blocks.
 */
final class Dialer {
  private static final Logger log = LoggerFactory.getLogger(Dialer.class);

  /** As ssh waits between two of its ConnectionAttempts. */
  private static final Duration BETWEEN_ATTEMPTS = Duration.ofSeconds(1);

  /**
   * A way that is there.
   *
   * @param address of the server, or null where somebody else connects to it
   * @param timeLeft what ConnectTimeout leaves for the server's identification; zero for no limit
   */
  record Dialed(Carrier carrier, @Nullable InetAddress address, Duration timeLeft) {}

  private final EventLoop loop;
  private final ConnectOptions.Builder o;
  private final long start = System.nanoTime();

  Dialer(EventLoop loop, ConnectOptions.Builder options) {
    this.loop = loop;
    this.o = options;
  }

  Dialed dial() throws SshException, InterruptedException {
    SshConnection via = o.via;
    if (via != null) {
      return new Dialed(through(via), null, timeLeft());
    }
    return o.proxyCommand.isEmpty() ? connect() : new Dialed(run(), null, timeLeft());
  }

  /** ProxyJump: the server of the other connection resolves the name and connects. */
  private Carrier through(SshConnection via) throws SshException, InterruptedException {
    try {
      return via.openCarrier(new Target.Tcp(o.host, o.port), timeLeft());
    } catch (SshException.ChannelRefused e) {
      throw SshException.Disconnected.local(
          "connect to host %s port %d through %s: %s"
              .formatted(o.host, o.port, via.options().host(), e.getMessage()),
          e);
    }
  }

  /** ProxyCommand. */
  private Carrier run() throws SshException {
    try {
      log.debug("Executing proxy command: {}", o.proxyCommand);
      return ProcessCarrier.start(loop, o.proxyCommand, o.host + " port " + o.port);
    } catch (IOException e) {
      throw SshException.Disconnected.local("proxy command: " + e.getMessage(), e);
    }
  }

  /** Tries every address of the host, as often as ConnectionAttempts says. */
  private Dialed connect() throws SshException, InterruptedException {
    List<InetAddress> addresses = resolve();
    SshException last = null;
    for (int attempt = 0; attempt < Math.max(1, o.connectionAttempts); attempt++) {
      if (attempt > 0) {
        Thread.sleep(BETWEEN_ATTEMPTS);
      }
      for (InetAddress address : addresses) {
        log.debug(
            "Connecting to {} [{}] port {}.", o.host, NetUtil.toAddressString(address), o.port);
        ChannelFuture connecting =
            SocketCarrier.connect(loop, new InetSocketAddress(address, o.port), socketOptions());
        await(connecting);
        if (connecting.isSuccess()) {
          log.debug("Connection established.");
          Channel channel = connecting.channel();
          String remote = NetUtil.toAddressString(address) + " port " + o.port;
          return new Dialed(new SocketCarrier(channel, remote), address, timeLeft());
        }
        String why = SocketErrors.plain(connecting.cause());
        log.debug(
            "connect to address {} port {}: {}", NetUtil.toAddressString(address), o.port, why);
        last =
            SshException.Disconnected.local(
                "connect to host %s port %d: %s".formatted(o.host, o.port, why),
                connecting.cause());
      }
    }
    throw last == null ? SshException.Disconnected.local("no address of " + o.host) : last;
  }

  private static void await(ChannelFuture connecting) throws InterruptedException {
    try {
      connecting.await();
    } catch (InterruptedException e) {
      connecting.addListener(_ -> connecting.channel().close());
      throw e;
    }
  }

  private SocketCarrier.Options socketOptions() {
    InetAddress local = o.bindAddress;
    return new SocketCarrier.Options(
        timeLeft(),
        local == null ? null : new InetSocketAddress(local, 0),
        o.tcpKeepAlive,
        o.trafficClass);
  }

  /** Zero only for no limit: time that is used up is one millisecond. */
  private Duration timeLeft() {
    if (o.connectTimeout.isZero()) {
      return Duration.ZERO;
    }
    Duration left = o.connectTimeout.minusNanos(System.nanoTime() - start);
    return left.compareTo(Duration.ofMillis(1)) < 0 ? Duration.ofMillis(1) : left;
  }

  private List<InetAddress> resolve() throws SshException, InterruptedException {
    try {
      List<InetAddress> addresses =
          HostNames.resolve(
              o.host,
              o.connectTimeout.isZero() ? TransportLimits.RESOLVER_PATIENCE : o.connectTimeout);
      List<InetAddress> usable = addresses.stream().filter(a -> isOf(o.family, a)).toList();
      if (usable.isEmpty()) {
        throw new UnknownHostException("Address family for hostname not supported");
      }
      return usable;
    } catch (UnknownHostException e) {
      throw SshException.Disconnected.local(
          "Could not resolve hostname " + o.host + ": " + e.getMessage(), e);
    }
  }

  private static boolean isOf(@Nullable StandardProtocolFamily family, InetAddress address) {
    return switch (family) {
      case INET -> address instanceof Inet4Address;
      case INET6 -> address instanceof Inet6Address;
      case null, default -> true;
    };
  }
}
