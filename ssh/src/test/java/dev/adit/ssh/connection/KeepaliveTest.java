package dev.adit.ssh.connection;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.ssh.SshException;
import dev.adit.ssh.transport.PacketSink;
import dev.adit.ssh.wire.ConnectionMessage.GlobalRequest;
import dev.adit.ssh.wire.Message;
import dev.adit.ssh.wire.MessageNumbers;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import io.netty.channel.embedded.EmbeddedChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How long a peer may be silent, by a clock of the test's own. */
class KeepaliveTest {
  private static final Duration INTERVAL = Duration.ofSeconds(15);

  private final EmbeddedChannel loop = new EmbeddedChannel();
  private final List<Message> sent = new ArrayList<>();
  private @Nullable SshException failure;

  private final Connection connection =
      new Connection(
          new PacketSink() {
            @Override
            public EventLoop eventLoop() {
              return loop.eventLoop();
            }

            @Override
            public void send(Message message) {
              sent.add(message);
            }

            @Override
            public void sendInPlace(ByteBuf payload) {
              throw new AssertionError("no data here");
            }

            @Override
            public boolean dataAllowed() {
              return false;
            }

            @Override
            public void hold(long bytes) {}

            @Override
            public void fail(SshException cause) {
              failure = cause;
            }
          },
          _ -> {});

  @BeforeEach
  void stopTheClock() {
    loop.freezeTime();
  }

  private void pass(Duration time) {
    for (long ms = 0; ms < time.toMillis(); ms += 100) {
      loop.advanceTimeBy(100, TimeUnit.MILLISECONDS);
      loop.runScheduledPendingTasks();
    }
  }

  private void hear() throws Exception {
    byte[] refusal = {(byte) MessageNumbers.REQUEST_FAILURE};
    // The oldest question is answered.
    connection.packet(refusal[0], Unpooled.wrappedBuffer(refusal), 0, 1);
  }

  /** Whenever the last packet came, and with the defaults of client and gateway. */
  @Test
  void aDeadPeerIsFoundWithin45SecondsOfItsLastPacket() throws Exception {
    for (Duration last :
        List.of(
            Duration.ofMillis(20_000),
            Duration.ofMillis(20_100),
            Duration.ofMillis(24_900),
            Duration.ofMillis(29_900))) {
      failure = null;
      sent.clear();
      connection.startKeepalive(INTERVAL, 3, "server s");
      pass(last);
      hear();
      sent.clear();
      pass(Duration.ofSeconds(39));
      assertThat(failure).isNull();
      assertThat(sent).hasSize(2).allMatch(GlobalRequest.class::isInstance);
      pass(Duration.ofSeconds(6));
      assertThat(failure).hasMessage("Timeout, server s not responding.");
    }
  }

  @Test
  void onePacketNowAndThenIsEnoughAndIsAskedFor() throws Exception {
    connection.startKeepalive(INTERVAL, 3, "server s");
    for (int i = 0; i < 100; i++) {
      sent.clear();
      pass(Duration.ofSeconds(20));
      assertThat(sent).hasSize(1);
      hear();
    }
    assertThat(failure).isNull();
  }

  @Test
  void nobodyIsGivenUpWithoutAQuestion() {
    connection.startKeepalive(INTERVAL, 1, "server s");
    pass(Duration.ofSeconds(24));
    assertThat(sent).hasSize(1);
    assertThat(failure).isNull();
    pass(Duration.ofSeconds(6));
    assertThat(failure).isNotNull();
  }
}
