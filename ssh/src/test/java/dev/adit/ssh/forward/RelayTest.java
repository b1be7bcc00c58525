package dev.adit.ssh.forward;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.adit.ssh.SshException;
import dev.adit.ssh.connection.PlayedPeer;
import dev.adit.ssh.wire.ConnectionMessage.ChannelClose;
import dev.adit.ssh.wire.ConnectionMessage.ChannelEof;
import dev.adit.ssh.wire.ConnectionMessage.ChannelOpen;
import dev.adit.ssh.wire.ConnectionMessage.OpenConfirmation;
import dev.adit.ssh.wire.ConnectionMessage.WindowAdjust;
import dev.adit.ssh.wire.Message;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.concurrent.AbstractScheduledEventExecutor;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A relay whose local end is slow. */
@Timeout(60)
class RelayTest {
  private static final int OWN_BUFFER = 8 * 1024;

  private final EventLoopGroup loops = Sockets.newLoops(1);
  private final PlayedPeer peer = new PlayedPeer(loops.next());

  @AfterEach
  void end() throws Exception {
    loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
  }

  private static ServerSocket target() throws IOException {
    ServerSocket target = new ServerSocket();
    target.setReceiveBufferSize(OWN_BUFFER);
    target.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    return target;
  }

  /** A channel of the peer that is relayed to the target; its window. */
  private int relayed(DuplexChannel socket) throws Exception {
    peer.run(
        () ->
            peer.connection.onOpen(
                "test",
                (open, _) -> {
                  Relay relay = new Relay(socket);
                  relay.opened(open.accept(relay, "test"));
                }));
    peer.receive(new ChannelOpen("test", 1, 1 << 20, 1 << 15, new byte[0]));
    return (int) peer.next(OpenConfirmation.class).initialWindow();
  }

  private DuplexChannel connect(ServerSocket target) throws Exception {
    ChannelFuture connecting =
        Sockets.connect(loops.next(), (InetSocketAddress) target.getLocalSocketAddress()).sync();
    connecting.channel().config().setOption(ChannelOption.SO_SNDBUF, OWN_BUFFER);
    return (DuplexChannel) connecting.channel();
  }

  /** Window that has come back so far. */
  private int adjusted() {
    int sum = 0;
    for (Message message; (message = peer.sent.poll()) != null; ) {
      sum += message instanceof WindowAdjust adjust ? (int) adjust.bytes() : 0;
    }
    return sum;
  }

  private int queued(Channel socket) throws Exception {
    var queued = new AtomicInteger();
    peer.run(
        () -> {
          ChannelOutboundBuffer buffer = socket.unsafe().outboundBuffer();
          queued.set(buffer == null ? 0 : buffer.size());
        });
    return queued.get();
  }

  /** The budget counts windows, so a byte must not cost more than a byte. */
  @Test
  void windowOfSingleBytesCostsNoObjectForEach() throws Exception {
    try (ServerSocket target = target()) {
      DuplexChannel socket = connect(target);
      try (Socket reader = target.accept()) {
        int window = relayed(socket);
        int sent = 0;
        while (window > 0) {
          int now = Math.min(window, 10_000);
          byte[] one = {(byte) (sent / 10_000)};
          peer.receiveData(0, one, now);
          sent += now;
          window += adjusted() - now;
        }
        assertThat(sent).isGreaterThan(2_000_000);
        assertThat(queued(socket)).isLessThan(200);
        peer.receive(new ChannelEof(0));
        InputStream in = reader.getInputStream();
        for (int i = 0; i < sent; ) {
          byte[] read = in.readNBytes(Math.min(10_000 - i % 10_000, sent - i));
          assertThat(read).isNotEmpty();
          for (byte b : read) {
            assertThat(b).isEqualTo((byte) (i / 10_000));
          }
          i += read.length;
        }
        assertThat(in.read()).isEqualTo(-1);
      }
    }
  }

  @Test
  void mixedSizesArriveInTheirOrder() throws Exception {
    try (ServerSocket target = target()) {
      DuplexChannel socket = connect(target);
      try (Socket reader = target.accept()) {
        int window = relayed(socket);
        var random = new java.util.Random(1);
        var expected = new java.io.ByteArrayOutputStream();
        while (expected.size() < window - 128 * 1024) {
          byte[] piece = new byte[1 + random.nextInt(random.nextBoolean() ? 100 : 128 * 1024)];
          random.nextBytes(piece);
          expected.writeBytes(piece);
          peer.receiveData(0, piece, 1);
        }
        peer.receive(new ChannelEof(0));
        assertThat(reader.getInputStream().readAllBytes()).isEqualTo(expected.toByteArray());
      }
    }
  }

  @Test
  void windowComesBackOnlyForWhatTheSocketHasTaken() throws Exception {
    try (ServerSocket target = target()) {
      DuplexChannel socket = connect(target);
      try (Socket reader = target.accept()) {
        int window = relayed(socket);
        int sent = window - window % (1 << 15);
        peer.receiveData(0, new byte[1 << 15], sent >> 15);
        assertThat(queued(socket)).isPositive();
        assertThat(adjusted()).isLessThan(sent / 4);
        reader.getInputStream().skipNBytes(sent);
        assertThat(peer.next(WindowAdjust.class).bytes()).isPositive();
      }
    }
  }

  /** RFC 4254 section 5.3: an EOF leaves the other direction open. */
  @Test
  void endOfTheApplicationsBytesLeavesTheAnswerComing() throws Exception {
    try (ServerSocket target = target()) {
      DuplexChannel socket = connect(target);
      try (Socket application = target.accept()) {
        relayed(socket);
        application.getOutputStream().write("question".getBytes(US_ASCII));
        application.shutdownOutput();
        peer.next(ChannelEof.class);
        assertThat(peer.data()).isEqualTo("question");
        peer.assertSilent();
        peer.receiveData(0, "answer".getBytes(US_ASCII), 1);
        peer.receive(new ChannelEof(0));
        assertThat(application.getInputStream().readAllBytes()).asString().isEqualTo("answer");
        peer.next(ChannelClose.class);
      }
    }
  }

  @Test
  void endOfThePeersBytesLeavesTheApplicationSending() throws Exception {
    try (ServerSocket target = target()) {
      DuplexChannel socket = connect(target);
      try (Socket application = target.accept()) {
        relayed(socket);
        peer.receive(new ChannelEof(0));
        assertThat(application.getInputStream().read()).isEqualTo(-1);
        peer.assertSilent();
        application.getOutputStream().write("still here".getBytes(US_ASCII));
        application.shutdownOutput();
        peer.next(ChannelEof.class);
        assertThat(peer.data()).isEqualTo("still here");
        peer.next(ChannelClose.class);
      }
    }
  }

  @Test
  void closeOfTheChannelIsAnEndAndLossOfTheTunnelAReset() throws Exception {
    try (ServerSocket target = target()) {
      DuplexChannel socket = connect(target);
      try (Socket application = target.accept()) {
        relayed(socket);
        peer.receive(new ChannelClose(0));
        peer.next(ChannelClose.class);
        assertThat(application.getInputStream().read()).isEqualTo(-1);
      }
      DuplexChannel another = connect(target);
      try (Socket application = target.accept()) {
        relayed(another);
        peer.hangUp();
        assertThatThrownBy(application.getInputStream()::read).hasMessage("Connection reset");
      }
    }
  }

  /** It would keep relay, socket and channel for seconds, thousands of them on a busy tunnel. */
  @Test
  void connectionThatHasEndedLeavesNoTimer() throws Exception {
    try (ServerSocket target = target()) {
      DuplexChannel inOneTurn = connect(target);
      try (Socket application = target.accept()) {
        relayed(inOneTurn);
        application.shutdownOutput();
        peer.next(ChannelEof.class);
        peer.receive(new ChannelEof(0), new ChannelClose(0));
        peer.next(ChannelClose.class);
        assertThat(application.getInputStream().read()).isEqualTo(-1);
      }
      inOneTurn.closeFuture().sync();
      assertThat(timers()).isZero();

      DuplexChannel endedLater = connect(target);
      try (Socket application = target.accept()) {
        relayed(endedLater);
        peer.receive(new ChannelClose(0));
        peer.next(ChannelClose.class);
        assertThat(application.getInputStream().read()).isEqualTo(-1);
        assertThat(timers()).isOne();
      }
      endedLater.closeFuture().sync();
      assertThat(timers()).isZero();
    }
  }

  /** What the loop has scheduled; Netty tells nobody. */
  private int timers() throws Exception {
    var queue = AbstractScheduledEventExecutor.class.getDeclaredField("scheduledTaskQueue");
    queue.setAccessible(true);
    // Behind what the end of a socket has queued.
    peer.run(() -> {});
    Callable<Integer> scheduled =
        () -> queue.get(peer.eventLoop()) instanceof Collection<?> tasks ? tasks.size() : 0;
    return peer.eventLoop().submit(scheduled).get(10, TimeUnit.SECONDS);
  }

  @Test
  void lostSocketClosesTheChannel() throws Exception {
    try (ServerSocket target = target()) {
      DuplexChannel socket = connect(target);
      Socket reader = target.accept();
      int window = relayed(socket);
      for (int sent = 0; sent < window; sent += 1000) {
        peer.receiveData(0, new byte[Math.min(1000, window - sent)], 1);
      }
      reader.setSoLinger(true, 0);
      reader.close();
      socket.closeFuture().sync();
      Message last = peer.next(Message.class);
      while (last instanceof WindowAdjust) {
        last = peer.next(Message.class);
      }
      assertThat(last).isEqualTo(new ChannelClose(1));
      peer.receive(new ChannelClose(0));
      assertThat(peer.connection.channelCount()).isZero();
    }
  }

  /** Epoll may read unasked what an application that has ended already said. */
  @Test
  void beforeItsChannelIsOpenASocketIsReadInPieces() throws Exception {
    try (ServerSocket target = target()) {
      DuplexChannel socket = connect(target);
      var _ = new Relay(socket);
      var reads = Sockets.reads(socket).newHandle();
      reads.reset(socket.config());
      ByteBuf buffer = reads.allocate(socket.alloc());
      assertThat(buffer.writableBytes()).isEqualTo(32 * 1024);
      buffer.release();
    }
  }

  /** The tunnel's end of the channel is over, all is written, and the application stays. */
  @Test
  void anApplicationThatNeverEndsIsClosed() throws Exception {
    try (ServerSocket target = target()) {
      DuplexChannel socket = connect(target);
      try (Socket application = target.accept()) {
        relayed(socket);
        peer.receiveData(0, "last words".getBytes(US_ASCII), 1);
        peer.receive(new ChannelClose(0));
        assertThat(application.getInputStream().readAllBytes()).asString().isEqualTo("last words");
        assertThat(socket.closeFuture().await(60, TimeUnit.SECONDS)).isTrue();
      }
    }
  }

  /** Large payloads for a socket that lags don't each keep the buffer alive they were read into. */
  @Test
  void payloadsForASocketThatLagsAreCopied() throws Exception {
    try (ServerSocket target = target()) {
      DuplexChannel socket = connect(target);
      try (Socket reader = target.accept()) {
        int window = relayed(socket);
        byte[] piece = new byte[20_000];
        int pieces = window / piece.length;
        int sent = pieces * piece.length;
        peer.receiveData(0, piece, pieces);
        // 20,000 bytes each up to a megabyte, then 64 KiB together.
        assertThat(queued(socket)).isBetween(30, pieces * 3 / 4);
        reader.getInputStream().skipNBytes(sent);
      }
    }
  }

  /** One of 16 KiB would keep 256 alive; here each comes in a buffer of its own. */
  @Test
  void payloadsDoNotKeepManyBuffers() throws Exception {
    try (ServerSocket target = target()) {
      DuplexChannel socket = connect(target);
      try (Socket reader = target.accept()) {
        relayed(socket);
        byte[] piece = new byte[20_000];
        peer.receiveData(0, piece, 40);
        // 16 wait where they were read, and the rest are together.
        assertThat(queued(socket)).isBetween(5, 16 + 10);
        assertThat(peer.held.get()).isBetween(5L * 256 * 1024, 17L * 256 * 1024 + 800_000);
        reader.getInputStream().skipNBytes(800_000);
        Awaitility.await().untilAsserted(() -> assertThat(peer.held).hasValue(0));
      }
    }
  }

  /** What the kernel hasn't taken of the first buffer that waits for it. */
  private long queuedBytes(DuplexChannel socket) throws Exception {
    var first =
        new FutureTask<>(
            () ->
                socket.unsafe().outboundBuffer().totalPendingWriteBytes()
                    + ((ByteBuf) socket.unsafe().outboundBuffer().current()).readableBytes());
    peer.run(first);
    return first.get();
  }

  private void fillAndClose(int window) throws Exception {
    peer.receiveData(0, new byte[1 << 15], window >> 15);
    peer.receive(new ChannelClose(0));
    while (!(peer.next(Message.class) instanceof ChannelClose)) {}
  }

  /** Or else whoever opens, fills and closes channels to a target that sleeps fills our memory. */
  @Test
  void whatAClosedChannelHasLeftCountsUntilItsTargetTakesIt() throws Exception {
    try (ServerSocket target = target()) {
      DuplexChannel socket = connect(target);
      try (Socket reader = target.accept()) {
        int window = relayed(socket);
        fillAndClose(window);
        assertThat(peer.connection.channelCount()).isZero();
        assertThat(peer.held.get()).isGreaterThan(window / 2);
        var left = new FutureTask<>(() -> peer.connection.whenIdle());
        peer.run(left);
        assertThat(left.get()).isNotDone();
        assertThat(reader.getInputStream().readAllBytes()).hasSize(window >> 15 << 15);
        left.get().get(10, TimeUnit.SECONDS);
        assertThat(peer.held).hasValue(0);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aTargetThatTakesNothingIsNotWaitedForForEver(boolean connectionEnds) throws Exception {
    try (ServerSocket target = target()) {
      DuplexChannel socket = connect(target);
      try (Socket reader = target.accept()) {
        int window = relayed(socket);
        fillAndClose(window);
        if (connectionEnds) {
          peer.hangUp();
        }
        assertThat(timers()).isOne();
        peer.drainTimePasses();
        // It is slow, but it takes some, and the kernel more of us for it.
        long before = queuedBytes(socket);
        reader.getInputStream().skipNBytes(window / 4);
        Awaitility.await().until(() -> queuedBytes(socket) < before);
        peer.drainTimePasses();
        assertThat(socket.isOpen()).isTrue();
        assertThat(peer.held.get()).isPositive();
        peer.drainTimePasses();
        assertThatThrownBy(() -> reader.getInputStream().readAllBytes())
            .hasMessage("Connection reset");
        assertThat(peer.held).hasValue(0);
      }
    }
  }

  /** Memory is short. */
  @Test
  void whatIsLeftOfClosedChannelsCanBeLetGo() throws Exception {
    try (ServerSocket target = target()) {
      DuplexChannel socket = connect(target);
      try (Socket reader = target.accept()) {
        fillAndClose(relayed(socket));
        peer.run(() -> peer.connection.letGo(SshException.Disconnected.local("memory is short")));
        assertThatThrownBy(() -> reader.getInputStream().readAllBytes())
            .hasMessage("Connection reset");
        assertThat(peer.held).hasValue(0);
      }
    }
  }

  /** What either side does, in any order that TCP and RFC 4254 allow. */
  private enum Step {
    APPLICATION_SENDS,
    APPLICATION_ENDS,
    PEER_SENDS,
    PEER_EOF,
    PEER_CLOSES
  }

  private static Stream<List<Step>> orders() {
    List<List<Step>> orders = new ArrayList<>();
    permute(new ArrayList<>(), orders);
    return orders.stream();
  }

  private static void permute(List<Step> begun, List<List<Step>> orders) {
    if (begun.size() == Step.values().length) {
      orders.add(List.copyOf(begun));
      return;
    }
    for (Step next : Step.values()) {
      boolean tooEarly =
          next == Step.APPLICATION_ENDS && !begun.contains(Step.APPLICATION_SENDS)
              || next == Step.PEER_EOF && !begun.contains(Step.PEER_SENDS)
              || next == Step.PEER_CLOSES && !begun.contains(Step.PEER_EOF);
      if (!begun.contains(next) && !tooEarly) {
        begun.add(next);
        permute(begun, orders);
        begun.removeLast();
      }
    }
  }

  /**
   * Nothing that was sent before an end is lost, and each end is passed on. Once the peer has
   * closed, it takes nothing any more; until then it gets all.
   */
  @ParameterizedTest
  @MethodSource("orders")
  void everyOrderOfEndsLosesNothing(List<Step> order) throws Exception {
    byte[] theirs = new byte[300_000];
    new Random(1).nextBytes(theirs);
    String ours = "x".repeat(200_000);
    try (ServerSocket target = target()) {
      DuplexChannel socket = connect(target);
      try (Socket application = target.accept()) {
        relayed(socket);
        var read = new FutureTask<>(() -> application.getInputStream().readAllBytes());
        Thread.ofVirtual().start(read);
        boolean closed = false;
        boolean sentInTime = false;
        for (Step step : order) {
          switch (step) {
            case APPLICATION_SENDS -> {
              sentInTime = !closed;
              try {
                application.getOutputStream().write(ours.getBytes(US_ASCII));
              } catch (IOException e) {
                assertThat(closed).isTrue();
              }
              if (sentInTime) {
                Awaitility.await().until(() -> peer.data().length() == ours.length());
              }
            }
            case APPLICATION_ENDS -> {
              application.shutdownOutput();
              if (!closed) {
                Awaitility.await()
                    .until(() -> peer.sent.stream().anyMatch(ChannelEof.class::isInstance));
              }
            }
            case PEER_SENDS -> {
              for (int i = 0; i < theirs.length; i += 30_000) {
                peer.receiveData(0, Arrays.copyOfRange(theirs, i, i + 30_000), 1);
              }
            }
            case PEER_EOF -> peer.receive(new ChannelEof(0));
            case PEER_CLOSES -> {
              closed = true;
              peer.receive(new ChannelClose(0));
            }
          }
        }
        byte[] got = read.get(30, TimeUnit.SECONDS);
        assertThat(got).hasSize(theirs.length).isEqualTo(theirs);
        if (sentInTime) {
          assertThat(peer.data()).isEqualTo(ours);
        }
        Awaitility.await().until(() -> peer.sent.stream().anyMatch(ChannelClose.class::isInstance));
        boolean endedFirst = order.indexOf(Step.APPLICATION_ENDS) < order.indexOf(Step.PEER_CLOSES);
        assertThat(peer.sent.stream().filter(ChannelEof.class::isInstance).count())
            .isEqualTo(endedFirst ? 1 : 0);
        assertThat(socket.closeFuture().await(60, TimeUnit.SECONDS)).isTrue();
        peer.run(() -> assertThat(peer.connection.channelCount()).isZero());
      }
    }
  }
}
