package dev.adit.ssh.connection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.adit.ssh.SshException;
import dev.adit.ssh.wire.ConnectionMessage.ChannelClose;
import dev.adit.ssh.wire.ConnectionMessage.ChannelFailure;
import dev.adit.ssh.wire.ConnectionMessage.ChannelOpen;
import dev.adit.ssh.wire.ConnectionMessage.ChannelRequest;
import dev.adit.ssh.wire.ConnectionMessage.GlobalRequest;
import dev.adit.ssh.wire.ConnectionMessage.OpenConfirmation;
import dev.adit.ssh.wire.ConnectionMessage.OpenFailure;
import dev.adit.ssh.wire.ConnectionMessage.RequestSuccess;
import dev.adit.ssh.wire.ConnectionMessage.WindowAdjust;
import dev.adit.ssh.wire.Message;
import dev.adit.ssh.wire.OpenFailureReason;
import dev.adit.ssh.wire.WireReader;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The limits of a connection, against a peer that is played message by message. */
class ConnectionTest {
  private static final int KIB = 1024;

  private final EventLoopGroup loops =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final PlayedPeer peer = new PlayedPeer(loops.next());
  private final List<SshChannel> channels = new ArrayList<>();

  @AfterEach
  void end() throws Exception {
    loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
  }

  /** Takes what comes without a word. */
  private static class Silent implements ChannelHandler {
    @Override
    public void data(SshChannel channel, ByteBuf data) {}

    @Override
    public void eof(SshChannel channel) {}

    @Override
    public void sendable(SshChannel channel) {}

    @Override
    public void closed(SshChannel channel, @Nullable SshException cause) {}
  }

  /** The peer's channels of type "test" have this handler at our end. */
  private void serve(ChannelHandler handler) throws Exception {
    peer.run(
        () ->
            peer.connection.onOpen(
                "test", (open, _) -> channels.add(open.accept(handler, "a test"))));
  }

  private static ChannelOpen open(int id, long window, long maximumPacket) {
    return new ChannelOpen("test", id, window, maximumPacket, new byte[0]);
  }

  private SshChannel opened(int id, long window, long maximumPacket) throws Exception {
    peer.receive(open(id, window, maximumPacket));
    peer.next(OpenConfirmation.class);
    return channels.getLast();
  }

  private void write(SshChannel channel, int bytes) throws Exception {
    peer.run(() -> channel.write(SshChannel.allocate(bytes).writeZero(bytes)));
  }

  /** Those that were written, and no others; the loop may need several turns for them. */
  private void awaitPackets(String... packets) throws Exception {
    Awaitility.await().until(() -> peer.packets.size() >= packets.length);
    peer.assertSilent();
    assertThat(peer.packets).containsExactly(packets);
  }

  @Test
  void channelsHaveALimit() throws Exception {
    serve(new Silent());
    Message[] opens = new Message[1024];
    for (int i = 0; i < ConnectionLimits.MAX_CHANNELS; i += opens.length) {
      for (int k = 0; k < opens.length; k++) {
        opens[k] = open(i + k, 1000, 1000);
      }
      peer.receive(opens);
    }
    assertThat(peer.connection.channelCount()).isEqualTo(65_536);
    peer.sent.clear();
    peer.receive(open(1 << 20, 1000, 1000));
    assertThat(peer.next(OpenFailure.class).reason())
        .isEqualTo(OpenFailureReason.RESOURCE_SHORTAGE);
    // Nor do we ask for more.
    peer.run(() -> peer.connection.open("test", new byte[0], new Silent(), "one more"));
    peer.assertSilent();
    peer.receive(new ChannelClose(0));
    peer.next(ChannelClose.class);
    peer.receive(open(1 << 20, 1000, 1000));
    peer.next(OpenConfirmation.class);
  }

  /** What a channel leaves behind is memory as long as its target doesn't take it. */
  @Test
  void channelsWhoseDataStillWaitsCount() throws Exception {
    serve(
        new Silent() {
          @Override
          public void closed(SshChannel channel, @Nullable SshException cause) {
            channel.drain(this, () -> 0);
          }
        });
    byte[] some = new byte[100];
    for (int i = 0; i < ConnectionLimits.MAX_CHANNELS; i += 1024) {
      Message[] opens = new Message[1024];
      Message[] closes = new Message[1024];
      for (int k = 0; k < opens.length; k++) {
        opens[k] = open(i + k, 1000, 1000);
        closes[k] = new ChannelClose(k);
      }
      peer.receive(opens);
      for (int k = 0; k < opens.length; k++) {
        peer.receiveData(k, some, 1);
      }
      peer.receive(closes);
    }
    assertThat(peer.connection.channelCount()).isZero();
    assertThat(peer.held).hasValue(65_536 * 100);
    peer.sent.clear();
    peer.receive(open(1 << 20, 1000, 1000));
    assertThat(peer.next(OpenFailure.class).reason())
        .isEqualTo(OpenFailureReason.RESOURCE_SHORTAGE);

    peer.run(() -> channels.getFirst().consumed(99));
    peer.receive(open(1 << 20, 1000, 1000));
    peer.next(OpenFailure.class);
    peer.run(() -> channels.getFirst().consumed(1));
    assertThat(peer.held).hasValue(65_535 * 100);
    peer.receive(open(1 << 20, 1000, 1000));
    peer.next(OpenConfirmation.class);
  }

  @Test
  void aWindowGrowsToItsLimit() {
    WindowBudget budget = new WindowBudget(1L << 40);
    int window = budget.open();
    assertThat(window).isBetween(4 * KIB, 64 * KIB * KIB);
    for (int more; (more = budget.grow(window)) > 0; ) {
      window += more;
    }
    assertThat(window).isEqualTo(64 * KIB * KIB);
  }

  @Test
  void packetsAreNoLargerThanOurs() throws Exception {
    serve(new Silent());
    SshChannel channel = opened(1, 1 << 30, 0xffffffffL);
    assertThat(channel.maxPacket()).isEqualTo(128 * KIB);
    write(channel, 300 * KIB);
    awaitPackets("1:" + 128 * KIB, "1:" + 128 * KIB, "1:" + 44 * KIB);
  }

  @Test
  void aPeerThatTakesNothingInAPacketIsNotServed() throws Exception {
    serve(new Silent());
    assertThatThrownBy(() -> peer.receive(open(1, 1000, 0)))
        .hasMessageContaining("whose packets may hold 0 bytes");
  }

  @Test
  void channelsTakeTurns() throws Exception {
    serve(new Silent());
    peer.stalled = true;
    for (int id = 1; id <= 3; id++) {
      write(opened(id, 1 << 30, 32 * KIB), id < 3 ? 160 * KIB : 1000);
    }
    peer.stalled = false;
    peer.run(peer.connection::sendable);
    // Two packets are a turn, and who has little to say comes first.
    String one = "1:" + 32 * KIB;
    String two = "2:" + 32 * KIB;
    awaitPackets("3:1000", one, one, two, two, one, one, two, two, one, two);
  }

  @Test
  void repliesAreNotHeldForEver() throws Exception {
    serve(
        new Silent() {
          @Override
          public boolean request(SshChannel channel, String name, WireReader in) {
            channel.holdReplies();
            return false;
          }
        });
    opened(1, 1000, 1000);
    for (int i = 0; i < 63; i++) {
      peer.receive(new ChannelRequest(0, "test", true, new byte[0]));
    }
    peer.assertSilent();
    peer.receive(new ChannelRequest(0, "test", true, new byte[0]));
    for (int i = 0; i < 64; i++) {
      peer.next(ChannelFailure.class);
    }
  }

  @Test
  void globalRequestsThatWaitHaveALimit() throws Exception {
    var answer = new CompletableFuture<byte[]>();
    peer.run(() -> peer.connection.onGlobalRequest("slow", _ -> answer));
    var request = new GlobalRequest("slow", true, new byte[0]);
    for (int i = 0; i < 1024; i++) {
      peer.receive(request);
    }
    peer.assertSilent();
    assertThatThrownBy(() -> peer.receive(request))
        .hasMessageContaining("more than 1024 global requests at once");
    peer.run(() -> answer.complete(new byte[0]));
    for (int i = 0; i < 1024; i++) {
      peer.next(RequestSuccess.class);
    }
  }

  /** RFC 4254 section 5.2: 2^32-1 bytes and no more. */
  @Test
  void aWindowMayBeAsLargeAsThereAreNumbersAndNoLarger() throws Exception {
    serve(new Silent());
    opened(1, 0xffffffffL - 10, 1000);
    peer.receive(new WindowAdjust(0, 10));
    assertThatThrownBy(() -> peer.receive(new WindowAdjust(0, 1)))
        .hasMessageContaining("adjusted beyond 2^32-1");
  }
}
