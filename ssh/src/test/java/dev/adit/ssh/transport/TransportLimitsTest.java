package dev.adit.ssh.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollIoHandler;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Limits of the transport that no peer's behaviour shows. */
class TransportLimitsTest {
  private final MultiThreadIoEventLoopGroup loops =
      new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());

  @AfterEach
  void end() throws Exception {
    loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
  }

  /** Takes what comes. */
  private static final class Taker implements Carrier.Listener {
    @Override
    public ByteBuf readBuffer() {
      return Unpooled.buffer(256 * 1024);
    }

    @Override
    public void received() {}

    @Override
    public void writabilityChanged() {}

    @Override
    public void inactive(@Nullable Throwable cause) {}
  }

  @Test
  void aReadBurstEnds() {
    var reads = new ReadInto(100, () -> true, Unpooled::buffer).newHandle();
    reads.reset(null);
    int count = 0;
    do {
      reads.attemptedBytesRead(30);
      reads.lastBytesRead(30);
      count++;
    } while (reads.continueReading());
    assertThat(count).isEqualTo(4);
  }

  @Test
  void theKernelHoldsLittleThatItHasNotSent() throws Exception {
    try (var listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Channel socket =
          SocketCarrier.connect(
                  loops.next(),
                  (InetSocketAddress) listener.getLocalSocketAddress(),
                  new SocketCarrier.Options(Duration.ZERO, null, false, -1))
              .sync()
              .channel();
      var carrier = new SocketCarrier(socket, "a test");
      loops.next().submit(() -> carrier.start(new Taker())).sync();
      assertThat(socket.config().getOption(EpollChannelOption.TCP_NOTSENT_LOWAT))
          .isEqualTo(128 * 1024);
      socket.close().sync();
    }
  }

  @Test
  void aStreamIsReadNoFasterThanTheLoopTakesIt() throws Exception {
    var read = new AtomicInteger();
    var endless =
        new InputStream() {
          @Override
          public int read() {
            return 0;
          }

          @Override
          public int read(byte[] into, int offset, int length) {
            read.addAndGet(length);
            return length;
          }
        };
    var busy = new CountDownLatch(1);
    var carrier =
        new StreamCarrier(loops.next(), "a test", endless, OutputStream.nullOutputStream());
    loops
        .next()
        .execute(
            () -> {
              carrier.start(new Taker());
              try {
                busy.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
    // Eight pieces wait, and one is in the reader's hand.
    Awaitility.await().until(() -> read.get() == 9 * 64 * 1024);
    Awaitility.await()
        .until(
            () ->
                Thread.getAllStackTraces().keySet().stream()
                    .anyMatch(
                        t ->
                            t.getName().equals("adit-stream-in")
                                && t.getState() == Thread.State.WAITING));
    assertThat(read).hasValue(9 * 64 * 1024);
    busy.countDown();
    Awaitility.await().until(() -> read.get() > 20 * 64 * 1024);
    loops.next().submit(carrier::close).sync();
  }

  /** RFC 4344 section 3.1, and RekeyLimit. */
  @Test
  void aKeyHasItsLimits() {
    assertThat(KeyExchange.isDue(999, 1, 1000)).isFalse();
    assertThat(KeyExchange.isDue(1000, 1, 1000)).isTrue();
    assertThat(KeyExchange.isDue(1, (1L << 31) - 1, 1000)).isFalse();
    assertThat(KeyExchange.isDue(1, 1L << 31, 1000)).isTrue();
  }

  @Test
  void namesThatHangAreBounded() throws Exception {
    var hanging = new CountDownLatch(1);
    var asked = new AtomicInteger();
    var names =
        new HostNames(
            _ -> {
              asked.incrementAndGet();
              try {
                hanging.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
              return new InetAddress[0];
            });
    Duration patience = Duration.ofMinutes(1);
    List<CompletableFuture<List<InetAddress>>> lookups = new ArrayList<>();
    for (int i = 0; i < 32 + 1024; i++) {
      lookups.add(names.lookUpName("host" + i, patience));
    }
    assertThatThrownBy(() -> names.lookUpName("one more", patience).get())
        .isInstanceOf(ExecutionException.class)
        .hasMessageContaining("more than 1024 names are being resolved");
    // The same name again costs nothing.
    lookups.add(names.lookUpName("host7", patience));
    Awaitility.await().until(() -> asked.get() == 32);
    assertThat(lookups).noneMatch(CompletableFuture::isDone);
    hanging.countDown();
    for (CompletableFuture<List<InetAddress>> lookup : lookups) {
      assertThat(lookup.get(30, TimeUnit.SECONDS)).isEmpty();
    }
    assertThat(asked).hasValue(32 + 1024);
    assertThat(names.lookUpName("one more", patience).get(30, TimeUnit.SECONDS)).isEmpty();
  }

  @Test
  void aNameThatHangsIsGivenUp() {
    var hanging = new CountDownLatch(1);
    var names =
        new HostNames(
            _ -> {
              try {
                hanging.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
              return new InetAddress[0];
            });
    assertThatThrownBy(
            () -> names.lookUpName("host", Duration.ofMillis(20)).get(30, TimeUnit.SECONDS))
        .cause()
        .isInstanceOf(IOException.class)
        .hasMessage("no answer from the resolver within 0 s");
    hanging.countDown();
  }
}
