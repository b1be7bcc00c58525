package dev.adit.ssh.forward;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.ssh.transport.SocketCarrier;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.unix.RawUnixChannelOption;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SocketsTest {
  private static final RawUnixChannelOption TCP_CONGESTION =
      new RawUnixChannelOption("TCP_CONGESTION", 6, 13, 4);

  private final EventLoopGroup loops = Sockets.newLoops(1);

  @AfterEach
  void end() {
    loops.shutdownGracefully(0, 0, TimeUnit.SECONDS).syncUninterruptibly();
  }

  @Test
  void localSocketsOnLoopbackAreNotPaced() throws Exception {
    CompletableFuture<Channel> accepted = new CompletableFuture<>();
    Channel listener =
        open(
            Sockets.listen(loops.next(), new InetSocketAddress(loopback(), 0), accepted::complete));
    listener.config().setAutoRead(true);
    Channel connected =
        open(Sockets.connect(loops.next(), (InetSocketAddress) listener.localAddress()));

    assertThat(congestionControl(connected)).isEqualTo("reno");
    assertThat(congestionControl(accepted.get(30, TimeUnit.SECONDS))).isEqualTo("reno");
  }

  @Test
  void sshConnectionsOnLoopbackAreNotPaced() throws Exception {
    CompletableFuture<Channel> accepted = new CompletableFuture<>();
    Channel listener =
        open(
            SocketCarrier.listen(
                loops,
                new InetSocketAddress(loopback(), 0),
                new SocketCarrier.ListenOptions(false, 1, accepted::complete)));
    Channel connected =
        open(
            SocketCarrier.connect(
                loops.next(),
                (InetSocketAddress) listener.localAddress(),
                new SocketCarrier.Options(Duration.ofSeconds(30), null, false, -1)));

    assertThat(congestionControl(connected)).isEqualTo("reno");
    assertThat(congestionControl(accepted.get(30, TimeUnit.SECONDS))).isEqualTo("reno");
  }

  private static InetAddress loopback() {
    return InetAddress.getLoopbackAddress();
  }

  private static Channel open(ChannelFuture opening) {
    return opening.syncUninterruptibly().channel();
  }

  private static String congestionControl(Channel socket) {
    return StandardCharsets.US_ASCII.decode(socket.config().getOption(TCP_CONGESTION)).toString();
  }
}
