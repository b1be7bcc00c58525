package dev.adit.ssh.forward;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.ssh.SshException;
import dev.adit.ssh.connection.ChannelHandler;
import dev.adit.ssh.connection.PlayedPeer;
import dev.adit.ssh.connection.SshChannel;
import dev.adit.ssh.wire.ConnectionMessage.ChannelOpen;
import dev.adit.ssh.wire.ConnectionMessage.OpenConfirmation;
import dev.adit.ssh.wire.ConnectionMessage.WindowAdjust;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoopGroup;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The window of a channel whose target takes everything at once. */
@Timeout(60)
class WindowSizeTest {
  private static final int PIECE = 30_000;

  private final EventLoopGroup loops = Sockets.newLoops(1);
  private final PlayedPeer peer = new PlayedPeer(loops.next());

  @AfterEach
  void end() throws Exception {
    loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
  }

  /** Takes everything at once. */
  private static final class Target implements ChannelHandler {
    @Override
    public void data(SshChannel from, ByteBuf data) {
      from.consumed(data.readableBytes());
    }

    @Override
    public void eof(SshChannel channel) {}

    @Override
    public void sendable(SshChannel channel) {}

    @Override
    public void closed(SshChannel channel, @Nullable SshException cause) {}
  }

  private long open() throws Exception {
    peer.run(() -> peer.connection.onOpen("test", (open, _) -> open.accept(new Target(), "test")));
    peer.receive(new ChannelOpen("test", 1, 1 << 20, 1 << 15, new byte[0]));
    return peer.next(OpenConfirmation.class).initialWindow();
  }

  /** Sends so many bytes at once, in whole pieces; the credit that comes back. */
  private long send(long bytes) throws Exception {
    peer.receiveData(0, new byte[PIECE], (int) (bytes / PIECE));
    long credit = 0;
    while (!peer.sent.isEmpty()) {
      credit += peer.next(WindowAdjust.class).bytes();
    }
    return credit;
  }

  @Test
  void windowGrowsWhereCreditTravelsLong() throws Exception {
    long window = open();
    long credit = send(window);
    TimeUnit.MILLISECONDS.sleep(20); // our credit's way, and the next data's
    // It is four times as large.
    assertThat(send(credit)).isBetween(3 * window, 4 * window);
  }

  @Test
  void windowStaysWhereTheSenderNeverWaits() throws Exception {
    long window = open();
    assertThat(send(16 * window)).isBetween(15 * window, 16 * window);
  }

  /** If it went back in halves, a packet too much in the first would leave less than another. */
  @Test
  void mostOfAWindowIsOnItsWay() throws Exception {
    long window = open();
    assertThat(send(window)).isBetween(window / 4 * 3, window);
  }
}
