package dev.adit.ssh;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.ssh.RudePeer.State;
import dev.adit.ssh.SmallHeap.Usage;
import dev.adit.ssh.wire.ConnectionMessage.ChannelClose;
import dev.adit.ssh.wire.ConnectionMessage.ChannelOpen;
import dev.adit.ssh.wire.ConnectionMessage.GlobalRequest;
import dev.adit.ssh.wire.ConnectionMessage.OpenConfirmation;
import dev.adit.ssh.wire.ConnectionMessage.RequestFailure;
import dev.adit.ssh.wire.ConnectionMessage.RequestSuccess;
import dev.adit.ssh.wire.ConnectionMessage.WindowAdjust;
import dev.adit.ssh.wire.MessageNumbers;
import dev.adit.ssh.wire.TransportMessage.Disconnect;
import dev.adit.ssh.wire.TransportMessage.Ping;
import dev.adit.ssh.wire.WireReader;
import dev.adit.ssh.wire.WireWriter;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Floods, stalls and bombs against a server and a client that have little memory, scripted from
 * outside: each ends with as much memory, as many descriptors and threads as before. {@code
 * interop/floods} runs it with {@code -Dadit.floods=1000000}.
 */
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class SmallHeapTest {
  private static final int FLOOD = Integer.getInteger("adit.floods", 50_000);
  private static final int CHANNELS = 1000;
  private static final int PIECE = 32 * 1024;
  private static final int REMOTE_PORT = 9000;

  @TempDir static Path folder;

  private static SmallHeap server;
  private static SmallHeap client;
  private static Usage serverBefore;
  private static Usage clientBefore;

  /** The base line is what is held when everything has been loaded once. */
  @BeforeAll
  static void start() throws Exception {
    server = SmallHeap.server();
    client = SmallHeap.client();
    aThousandStalledReaders(server());
    aThousandStalledReaders(client());
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(SmallHeapTest::nobodyIsConnected);
    serverBefore = server.usage();
    clientBefore = client.usage();
  }

  private static boolean nobodyIsConnected() throws IOException {
    return server.tell("connections").equals("0");
  }

  @AfterAll
  static void end() {
    server.close();
    client.close();
  }

  /** One end of a connection in a state to be flooded; closing it ends the connection. */
  private static final class Flooded implements AutoCloseable {
    final RudePeer peer;
    private final boolean isServer;

    private Flooded(RudePeer peer, boolean isServer) {
      this.peer = peer;
      this.isServer = isServer;
    }

    /** Idempotent. */
    @Override
    public void close() throws IOException {
      if (!isServer) {
        client.tell("close");
      }
      peer.close();
    }

    void assertBackAtTheBaseLine(String what) throws Exception {
      close();
      SmallHeap small = isServer ? server : client;
      Usage before = isServer ? serverBefore : clientBefore;
      Awaitility.await(what)
          .atMost(Duration.ofSeconds(90))
          .pollInterval(Duration.ofMillis(200))
          .untilAsserted(
              () -> {
                Usage now = small.usage();
                assertThat(now.heap()).as("heap").isLessThan(before.heap() + (6 << 20));
                assertThat(now.direct()).as("direct").isLessThan(before.direct() + (4 << 20));
                assertThat(now.buffers()).as("buffers").isLessThan(before.buffers() + 1000);
                assertThat(now.descriptors())
                    .as("descriptors")
                    .isLessThanOrEqualTo(before.descriptors());
                // Carriers of virtual threads come and go.
                assertThat(now.threads()).as("threads").isLessThanOrEqualTo(before.threads() + 2);
              });
      System.out.printf(
          "%s, %s: before %s, after %s%n",
          isServer ? "server" : "client", what, before, small.usage());
    }
  }

  private static Flooded server() throws Exception {
    return new Flooded(RudePeer.connectTo(server.port()).reach(State.OPEN), true);
  }

  /** The small client, connected to a scripted server that leaves the rest to the test. */
  private static Flooded client() throws Exception {
    CountDownLatch open = new CountDownLatch(1);
    RudePeer peer =
        RudePeer.start(
            p -> {
              p.reach(State.OPEN);
              open.countDown();
            });
    client.tell("connect " + peer.port());
    assertThat(open.await(60, TimeUnit.SECONDS)).isTrue();
    return new Flooded(peer, false);
  }

  /** A Unix socket whose listener takes connections and reads nothing. */
  private static final class Stalled implements AutoCloseable {
    private static final AtomicInteger NUMBER = new AtomicInteger();
    final Path path = folder.resolve("stalled" + NUMBER.incrementAndGet());
    private final ServerSocketChannel listener;
    private final Queue<SocketChannel> taken = new ConcurrentLinkedQueue<>();

    Stalled() throws IOException {
      listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      listener.bind(UnixDomainSocketAddress.of(path), 4096);
      Thread.ofPlatform()
          .daemon()
          .start(
              () -> {
                try {
                  while (true) {
                    taken.add(listener.accept());
                  }
                } catch (IOException _) {
                  // Closed.
                }
              });
    }

    @Override
    public void close() throws IOException {
      listener.close();
      for (SocketChannel socket : taken) {
        socket.close();
      }
    }
  }

  /** Channels of a flooder, and a thread that reads what comes for them. */
  private static final class Channels {
    private final RudePeer peer;
    private final Map<Integer, Integer> theirIds = new ConcurrentHashMap<>();
    private final Map<Integer, AtomicLong> windows = new ConcurrentHashMap<>();
    private final Semaphore pongs = new Semaphore(0);
    final AtomicInteger refused = new AtomicInteger();
    final AtomicLong received = new AtomicLong();
    final CountDownLatch keyExchange = new CountDownLatch(1);
    final CountDownLatch ended = new CountDownLatch(1);
    private volatile @Nullable Throwable end;
    volatile String lastWords = "";

    Channels(RudePeer peer) {
      this.peer = peer;
      Thread.ofPlatform().daemon().start(this::readAll);
    }

    private void readAll() {
      try {
        while (true) {
          byte[] payload = peer.read();
          WireReader in = WireReader.over(payload);
          switch (payload[0] & 0xff) {
            case MessageNumbers.CHANNEL_OPEN_CONFIRMATION -> {
              var m = OpenConfirmation.TYPE.parse(in);
              windows.put(m.recipient(), new AtomicLong(m.initialWindow()));
              theirIds.put(m.recipient(), m.sender());
            }
            case MessageNumbers.CHANNEL_WINDOW_ADJUST -> {
              var m = WindowAdjust.TYPE.parse(in);
              requireNonNull(windows.get(m.recipient())).addAndGet(m.bytes());
            }
            case MessageNumbers.CHANNEL_OPEN_FAILURE -> refused.incrementAndGet();
            case MessageNumbers.CHANNEL_DATA -> received.addAndGet(payload.length - 9);
            case MessageNumbers.PONG -> pongs.release();
            case MessageNumbers.KEXINIT -> keyExchange.countDown();
            case MessageNumbers.DISCONNECT -> lastWords = Disconnect.TYPE.parse(in).description();
            default -> {}
          }
        }
      } catch (IOException | AssertionError e) {
        end = e;
        ended.countDown();
      }
    }

    void open(Flooded flooded, Stalled target, int count) throws Exception {
      for (int i = 0; i < count; i++) {
        peer.send(
            flooded.isServer
                ? new ChannelOpen(
                    "direct-streamlocal@openssh.com",
                    i,
                    1 << 20,
                    PIECE,
                    WireWriter.create()
                        .writeString(target.path.toString())
                        .writeString("")
                        .writeUint32(0)
                        .toBytes())
                : forwarded(i, REMOTE_PORT));
        if (i % 200 == 199 || i == count - 1) {
          // Not more at once than may be in the making.
          int opened = i + 1;
          Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> theirIds.size() == opened);
        }
      }
    }

    void close(int id) throws IOException {
      peer.send(new ChannelClose(requireNonNull(theirIds.get(id))));
    }

    /** What was sent before has been taken in. */
    void roundTrip() throws Exception {
      peer.send(new Ping(new byte[0]));
      assertThat(pongs.tryAcquire(60, TimeUnit.SECONDS)).as("a pong; %s", end).isTrue();
    }

    /**
     * Sends data in pieces until the window is used up and doesn't come back.
     *
     * @return what was sent
     */
    long fill(int id, int piece, long most) throws Exception {
      byte[] whole = data(requireNonNull(theirIds.get(id)), piece);
      AtomicLong window = requireNonNull(windows.get(id));
      long sent = 0;
      while (sent < most) {
        int count = (int) Math.min(Math.min(window.get(), most - sent) / piece, 1_000_000 / piece);
        peer.burst(
            p -> {
              for (int i = 0; i < Math.max(count, 0); i++) {
                p.payload(whole);
              }
            });
        window.addAndGet((long) -count * piece);
        sent += (long) count * piece;
        if (count == 0) {
          roundTrip();
          roundTrip();
          if (window.get() < piece) {
            return sent;
          }
        }
      }
      return sent;
    }
  }

  private static byte[] data(int recipient, int length) {
    return WireWriter.create()
        .writeByte(MessageNumbers.CHANNEL_DATA)
        .writeUint32(recipient)
        .writeString(new byte[length])
        .toBytes();
  }

  private static ChannelOpen forwarded(int id, int port) {
    return new ChannelOpen(
        "forwarded-tcpip",
        id,
        1 << 20,
        PIECE,
        WireWriter.create()
            .writeString("127.0.0.1")
            .writeUint32(port)
            .writeString("192.0.2.1")
            .writeUint32(1234)
            .toBytes());
  }

  private static ChannelOpen direct(int id, String host) {
    return new ChannelOpen(
        "direct-tcpip",
        id,
        1 << 20,
        PIECE,
        WireWriter.create()
            .writeString(host)
            .writeUint32(80)
            .writeString("192.0.2.1")
            .writeUint32(1234)
            .toBytes());
  }

  /** Many times, a thousand packets in one piece. */
  private static void flood(RudePeer peer, RudePeer.Script one) throws Exception {
    for (int i = 0; i < FLOOD; i += 1000) {
      peer.burst(
          p -> {
            for (int k = 0; k < 1000; k++) {
              one.run(p);
            }
          });
    }
  }

  /** Lets a client forward to the stalled socket. */
  private static void forwardTo(Flooded flooded, Stalled stalled) throws Exception {
    if (!flooded.isServer) {
      Thread asking = Thread.ofPlatform().start(() -> tellClient("remote " + stalled.path));
      flooded.peer.expect(GlobalRequest.TYPE);
      flooded.peer.send(new RequestSuccess(new byte[0]));
      asking.join();
    }
  }

  private static String tellClient(String order) {
    try {
      return client.tell(order);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  // ---- Stalls ---------------------------------------------------------------------------------

  private static void aThousandStalledReaders(Flooded flooded) throws Exception {
    try (flooded;
        var stalled = new Stalled()) {
      forwardTo(flooded, stalled);
      var channels = new Channels(flooded.peer);
      channels.open(flooded, stalled, CHANNELS);
      long sent = 0;
      for (int i = 0; i < CHANNELS; i++) {
        sent += channels.fill(i, 1000, Long.MAX_VALUE);
      }
      // The kernel takes some 200 KiB for each, we no more than a quarter of our memory.
      assertThat(sent).isGreaterThan(16 << 20);
      channels.roundTrip();
    }
  }

  @Test
  void aThousandStalledReadersOfAServer() throws Exception {
    Flooded flooded = server();
    aThousandStalledReaders(flooded);
    flooded.assertBackAtTheBaseLine("1,000 stalled readers");
  }

  @Test
  void aThousandStalledReadersOfAClient() throws Exception {
    Flooded flooded = client();
    aThousandStalledReaders(flooded);
    flooded.assertBackAtTheBaseLine("1,000 stalled readers");
  }

  /** Each keeps to its budget, but together they would need twice the memory that there is. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void connectionsThatTogetherHoldTooMuch(boolean closingTheirChannels) throws Exception {
    Flooded neighbour = server();
    var questions = new Channels(neighbour.peer);
    List<Flooded> flooders = new ArrayList<>();
    List<Channels> ended = new ArrayList<>();
    try (var stalled = new Stalled()) {
      for (int i = 0; i < 10; i++) {
        Flooded flooded = server();
        flooders.add(flooded);
        var channels = new Channels(flooded.peer);
        ended.add(channels);
        channels.open(flooded, stalled, 20);
        try {
          for (int id = 0; id < 20; id++) {
            channels.fill(id, PIECE, Long.MAX_VALUE);
            if (closingTheirChannels) {
              channels.close(id);
            }
          }
        } catch (IOException | AssertionError e) {
          assertThat(channels.ended.await(60, TimeUnit.SECONDS)).as("%s", e).isTrue();
        }
      }
      questions.roundTrip();
      // Those that had to go have let go, whether their targets took it or not.
      Awaitility.await()
          .atMost(Duration.ofSeconds(20))
          .untilAsserted(() -> assertThat(server.usage().reserved()).isLessThan(48 << 20));
    }
    ended.removeIf(channels -> channels.ended.getCount() > 0);
    assertThat(ended)
        .hasSizeBetween(2, 9)
        .allSatisfy(channels -> assertThat(channels.lastWords).startsWith("memory is short here"));
    for (Flooded flooded : flooders) {
      flooded.close();
    }
    neighbour.assertBackAtTheBaseLine("ten connections that hold what they may");
  }

  /** What is counted is memory: without that, each byte would keep a buffer alive. */
  private static void singleBytes(Flooded flooded) throws Exception {
    try (var stalled = new Stalled()) {
      forwardTo(flooded, stalled);
      var channels = new Channels(flooded.peer);
      channels.open(flooded, stalled, 1);
      assertThat(channels.fill(0, 1, 600_000)).isEqualTo(600_000);
      channels.roundTrip();
    }
    flooded.assertBackAtTheBaseLine("600,000 packets of one byte to a stalled reader");
  }

  @Test
  void singleBytesToAStalledReaderOfAServer() throws Exception {
    singleBytes(server());
  }

  @Test
  void singleBytesToAStalledReaderOfAClient() throws Exception {
    singleBytes(client());
  }

  /** The application has a gibibyte for a peer that takes 2 MiB; its neighbour has an echo. */
  @Test
  void aGibibyteForAPeerThatTakesLittleAndItsNeighbour() throws Exception {
    Flooded flooded = client();
    RudePeer peer = flooded.peer;
    int port = Integer.parseInt(client.tell("local"));
    var to = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    try (var big = SocketChannel.open(to)) {
      ChannelOpen first = peer.expect(ChannelOpen.TYPE);
      peer.send(new OpenConfirmation(first.sender(), 1, 2 << 20, PIECE, new byte[0]));
      big.configureBlocking(false);
      for (int taken = 0; taken < 2 << 20; taken += drain(peer)) {
        big.write(ByteBuffer.allocate(PIECE));
      }
      long sent = 0;
      for (int idle = 0; idle < 50 && sent < 1L << 30; idle++) {
        for (int n; (n = big.write(ByteBuffer.allocate(1 << 20))) > 0; ) {
          sent += n;
          idle = 0;
        }
        Thread.sleep(2);
      }
      // The kernel's buffers of two sockets.
      assertThat(sent).isLessThan(64 << 20);
      try (var neighbour = new Socket(to.getAddress(), port)) {
        neighbour.setSoTimeout(60_000);
        ChannelOpen second = peer.expect(ChannelOpen.TYPE);
        peer.send(new OpenConfirmation(second.sender(), 2, 1 << 20, PIECE, new byte[0]));
        long[] nanos = new long[200];
        for (int i = 0; i < nanos.length; i++) {
          long began = System.nanoTime();
          neighbour.getOutputStream().write(i);
          assertThat(drain(peer)).isEqualTo(1);
          peer.payload(data(second.sender(), 1));
          assertThat(neighbour.getInputStream().read()).isZero();
          nanos[i] = System.nanoTime() - began;
        }
        Arrays.sort(nanos);
        System.out.printf(
            "a neighbour's round trip beside the stall: median %d us, p99 %d us%n",
            nanos[100] / 1000, nanos[198] / 1000);
        assertThat(nanos[100]).isLessThan(Duration.ofSeconds(1).toNanos());
      }
    }
    flooded.assertBackAtTheBaseLine("1 GiB for a peer that takes 2 MiB");
  }

  /** The bytes of the next packet of data. */
  private static int drain(RudePeer peer) throws IOException {
    byte[] payload;
    do {
      payload = peer.read();
    } while (payload[0] != MessageNumbers.CHANNEL_DATA);
    return payload.length - 9;
  }

  /** Data stays where it was while the peer owes its part of the exchange. */
  @Test
  void aRekeyThatStallsUnderTheLoadOfAServer() throws Exception {
    Flooded flooded = server();
    try (var target = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      var channels = new Channels(flooded.peer);
      byte[] fields =
          WireWriter.create()
              .writeString("127.0.0.1")
              .writeUint32(target.getLocalPort())
              .writeString("192.0.2.1")
              .writeUint32(1234)
              .toBytes();
      flooded.peer.send(new ChannelOpen("direct-tcpip", 0, 0xffffffffL, PIECE, fields));
      try (Socket source = target.accept()) {
        writeUntilItEnds(source);
        assertThat(channels.keyExchange.await(60, TimeUnit.SECONDS)).isTrue();
        // The server gives up when the exchange has taken too long.
        assertThat(channels.ended.await(60, TimeUnit.SECONDS)).isTrue();
        assertThat(channels.received.get())
            .isBetween(SmallHeap.REKEY_LIMIT - (8L << 20), SmallHeap.REKEY_LIMIT + (8L << 20));
      }
    }
    flooded.assertBackAtTheBaseLine("a key exchange that stalls under load");
  }

  @Test
  void aRekeyThatStallsUnderTheLoadOfAClient() throws Exception {
    Flooded flooded = client();
    int port = Integer.parseInt(client.tell("local"));
    try (var source = new Socket(InetAddress.getLoopbackAddress(), port)) {
      ChannelOpen open = flooded.peer.expect(ChannelOpen.TYPE);
      flooded.peer.send(new OpenConfirmation(open.sender(), 1, 0xffffffffL, PIECE, new byte[0]));
      var channels = new Channels(flooded.peer);
      writeUntilItEnds(source);
      Awaitility.await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> channels.received.get() > 1 << 20);
      client.tell("rekey");
      assertThat(channels.keyExchange.await(60, TimeUnit.SECONDS)).isTrue();
      assertThat(channels.ended.await(60, TimeUnit.SECONDS)).isTrue();
    }
    flooded.assertBackAtTheBaseLine("a key exchange that stalls under load");
  }

  private static void writeUntilItEnds(Socket to) {
    Thread.ofPlatform()
        .daemon()
        .start(
            () -> {
              byte[] piece = new byte[256 * 1024];
              try {
                while (true) {
                  to.getOutputStream().write(piece);
                }
              } catch (IOException _) {
                // The end.
              }
            });
  }

  // ---- Floods ---------------------------------------------------------------------------------

  @Test
  void aFloodOfOpensThatHang() throws Exception {
    Flooded flooded = server();
    var channels = new Channels(flooded.peer);
    var ids = new AtomicInteger();
    flood(flooded.peer, p -> p.send(direct(ids.getAndIncrement(), "hangs")));
    // As many as may be in the making are; all others are refused.
    Awaitility.await()
        .atMost(Duration.ofMinutes(5))
        .until(() -> channels.refused.get() >= FLOOD - ForwardLimits.DEFAULT.pendingOpens());
    flooded.close();
    // Until it has heard of the end, the server would ask on for the next names, which hang again.
    Awaitility.await().atMost(Duration.ofSeconds(60)).until(SmallHeapTest::nobodyIsConnected);
    server.tell("release");
    flooded.assertBackAtTheBaseLine(FLOOD + " opens of what hangs");
  }

  private static void refusals(Flooded flooded) throws Exception {
    var channels = new Channels(flooded.peer);
    var ids = new AtomicInteger();
    flood(flooded.peer, p -> p.send(forwarded(ids.getAndIncrement(), 9999)));
    Awaitility.await().atMost(Duration.ofMinutes(5)).until(() -> channels.refused.get() == FLOOD);
    channels.roundTrip();
    flooded.assertBackAtTheBaseLine(FLOOD + " refusals");
  }

  @Test
  void refusalsOfAServer() throws Exception {
    refusals(server());
  }

  @Test
  void refusalsOfAClient() throws Exception {
    refusals(client());
  }

  private static void pings(Flooded flooded) throws Exception {
    var channels = new Channels(flooded.peer);
    byte[] ping = new Ping(new byte[8]).toBytes();
    flood(flooded.peer, p -> p.payload(ping));
    assertThat(channels.pongs.tryAcquire(FLOOD, 300, TimeUnit.SECONDS)).isTrue();
    flooded.assertBackAtTheBaseLine(FLOOD + " pings");
  }

  @Test
  void pingsToAServer() throws Exception {
    pings(server());
  }

  @Test
  void pingsToAClient() throws Exception {
    pings(client());
  }

  /** The first one ends the connection, and close() still returns (CVE-2026-39830). */
  private static void unaskedReplies(Flooded flooded) throws Exception {
    var channels = new Channels(flooded.peer);
    byte[] reply = new RequestFailure().toBytes();
    try {
      flood(flooded.peer, p -> p.payload(reply));
    } catch (SocketException _) {
      // It has hung up.
    }
    assertThat(channels.ended.await(60, TimeUnit.SECONDS)).isTrue();
    flooded.assertBackAtTheBaseLine(FLOOD + " replies to nothing");
  }

  @Test
  void unaskedRepliesToAServer() throws Exception {
    unaskedReplies(server());
  }

  @Test
  void unaskedRepliesToAClient() throws Exception {
    unaskedReplies(client());
  }

  /** Each stops in the middle of a packet that claims to be large. */
  @Test
  void twoHundredSlowHandshakes() throws Exception {
    byte[] beginning =
        WireWriter.create()
            .writeBytes("SSH-2.0-slow\r\n".getBytes(US_ASCII))
            .writeUint32(200_004)
            .writeBytes(new byte[100_000])
            .toBytes();
    List<Socket> slow = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      var socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
      socket.getOutputStream().write(beginning);
      slow.add(socket);
    }
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> server.tell("connections").equals("200"));
    Flooded flooded = server();
    new Channels(flooded.peer).roundTrip();
    for (Socket socket : slow) {
      socket.close();
    }
    flooded.assertBackAtTheBaseLine("200 slow handshakes");
  }
}
