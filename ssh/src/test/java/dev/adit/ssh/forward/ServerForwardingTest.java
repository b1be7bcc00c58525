package dev.adit.ssh.forward;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.adit.ssh.AccessPolicy;
import dev.adit.ssh.Decision;
import dev.adit.ssh.ForwardLimits;
import dev.adit.ssh.ForwardOptions;
import dev.adit.ssh.Listen;
import dev.adit.ssh.Target;
import dev.adit.ssh.TargetResolver;
import dev.adit.ssh.TunnelEvent;
import dev.adit.ssh.UserKey;
import dev.adit.ssh.connection.PlayedPeer;
import dev.adit.ssh.wire.ConnectionMessage.ChannelClose;
import dev.adit.ssh.wire.ConnectionMessage.ChannelEof;
import dev.adit.ssh.wire.ConnectionMessage.ChannelOpen;
import dev.adit.ssh.wire.ConnectionMessage.GlobalRequest;
import dev.adit.ssh.wire.ConnectionMessage.OpenConfirmation;
import dev.adit.ssh.wire.ConnectionMessage.OpenFailure;
import dev.adit.ssh.wire.ConnectionMessage.RequestFailure;
import dev.adit.ssh.wire.ConnectionMessage.RequestSuccess;
import dev.adit.ssh.wire.OpenFailureReason;
import dev.adit.ssh.wire.TransportMessage.Debug;
import dev.adit.ssh.wire.WireReader;
import dev.adit.ssh.wire.WireWriter;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What clients may ask of a server, played by hand: real ones behave, and don't race. */
@Timeout(60)
class ServerForwardingTest {
  private static final InetAddress LOOPBACK = InetAddress.ofLiteral("127.0.0.1");
  private static final InetAddress OTHER_LOOPBACK = InetAddress.ofLiteral("127.0.0.2");

  private final EventLoopGroup loops = Sockets.newLoops(1);
  private final FakeTimer timer = new FakeTimer();
  private final Rules rules = new Rules();
  private final CountDownLatch hanging = new CountDownLatch(1);
  private final AtomicInteger lookups = new AtomicInteger();
  private Map<String, List<InetAddress>> names = Map.of("target", List.of(LOOPBACK));
  private ServerSocket target = unbound();

  @BeforeEach
  void listen() throws Exception {
    target = new ServerSocket(0, 100, LOOPBACK);
    target.setSoTimeout(10_000);
  }

  @AfterEach
  void end() throws Exception {
    hanging.countDown();
    target.close();
    loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
  }

  private static ServerSocket unbound() {
    try {
      return new ServerSocket();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Time that passes when the test says so. */
  private static final class FakeTimer implements Timer {
    private record Alarm(EventLoop loop, long at, Runnable action) {}

    private final List<Alarm> alarms = new CopyOnWriteArrayList<>();
    private volatile long now;

    @Override
    public long now() {
      return now;
    }

    @Override
    public void after(EventLoop loop, Duration delay, Runnable action) {
      alarms.add(new Alarm(loop, now + delay.toNanos(), action));
    }

    void pass(Duration time) throws Exception {
      now += time.toNanos();
      for (Alarm alarm : List.copyOf(alarms)) {
        if (alarm.at <= now) {
          alarms.remove(alarm);
          alarm.loop.submit(alarm.action).get();
        }
      }
    }
  }

  /** Allows all that is not said otherwise. */
  private static final class Rules implements AccessPolicy {
    volatile String deniedTarget = "";
    volatile List<InetAddress> deniedAddresses = List.of();
    volatile boolean privileged;
    volatile ForwardOptions options = ForwardOptions.DEFAULT;
    volatile @Nullable Listen listenThere;
    final List<InetAddress> asked = new CopyOnWriteArrayList<>();

    @Override
    public String user() {
      return "rosa";
    }

    @Override
    public Decision<Target> connect(Target to) {
      if (to.toString().startsWith("defect")) {
        throw new IllegalStateException("a defect of the policy");
      }
      return to.toString().equals(deniedTarget)
          ? Decision.denied("PermitOpen does not list " + to)
          : Decision.allowed(to);
    }

    @Override
    public Decision<InetAddress> dial(Target.Tcp to, InetAddress address) {
      asked.add(address);
      return deniedAddresses.contains(address)
          ? Decision.denied("not to " + address.getHostAddress())
          : Decision.allowed(address);
    }

    @Override
    public Decision<Listen> listen(Listen asked) {
      Listen there = listenThere;
      return asked instanceof Listen.Tcp tcp && tcp.port() == 9
          ? Decision.denied("PermitListen does not list 9")
          : Decision.allowed(there == null ? asked : there);
    }

    @Override
    public boolean allowsPrivilegedPorts() {
      return privileged;
    }

    @Override
    public ForwardOptions forwardOptions() {
      return options;
    }
  }

  private List<InetAddress> lookUp(String host) throws IOException {
    lookups.incrementAndGet();
    if (host.startsWith("hangs")) {
      try {
        hanging.await();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
    List<InetAddress> found = names.get(host);
    if (found == null) {
      throw new UnknownHostException(host + ": Name or service not known");
    }
    return found;
  }

  /** A server whose clients have these limits. */
  private final class Server {
    final ServerForwarding forwarding = new ServerForwarding(timer);
    final ForwardLimits limits;

    Server(ForwardLimits limits) {
      this.limits = limits;
    }

    void on(PlayedPeer client, AccessPolicy policy, @Nullable UserKey key) throws Exception {
      client.run(
          () ->
              forwarding.on(
                  client.connection, policy, key, ServerForwardingTest.this::lookUp, limits));
    }
  }

  private Server shared(ForwardLimits limits) {
    return new Server(limits);
  }

  private PlayedPeer client() throws Exception {
    return client(shared(ForwardLimits.DEFAULT), null);
  }

  private PlayedPeer client(Server shared, @Nullable UserKey key) throws Exception {
    var peer = new PlayedPeer(loops.next());
    shared.on(peer, rules, key);
    return peer;
  }

  // ---- direct-tcpip ---------------------------------------------------------------------------

  private static ChannelOpen direct(int id, String host, long port) {
    return new ChannelOpen(
        "direct-tcpip",
        id,
        1 << 20,
        1 << 15,
        WireWriter.create()
            .writeString(host)
            .writeUint32(port)
            .writeString("192.0.2.1")
            .writeUint32(1234)
            .toBytes());
  }

  private static ChannelOpen directUnix(String path) {
    return new ChannelOpen(
        "direct-streamlocal@openssh.com",
        1,
        1 << 20,
        1 << 15,
        WireWriter.create().writeString(path).writeString("").writeUint32(0).toBytes());
  }

  private static void assertRefused(PlayedPeer client, int reason, String why) throws Exception {
    OpenFailure failure = client.next(OpenFailure.class);
    assertThat(failure.description()).isEqualTo(why);
    assertThat(failure.reason()).isEqualTo(reason);
  }

  @Test
  void channelIsConfirmedWhenTheTargetIsConnectedAndBytesAreCounted() throws Exception {
    PlayedPeer client = client();
    client.receive(direct(7, "target", target.getLocalPort()));
    try (Socket socket = target.accept()) {
      OpenConfirmation confirmed = client.next(OpenConfirmation.class);
      assertThat(confirmed.recipient()).isEqualTo(7);
      client.receiveData(confirmed.sender(), "ping".getBytes(US_ASCII), 1);
      client.receive(new ChannelEof(confirmed.sender()));
      assertThat(socket.getInputStream().readAllBytes()).asString(US_ASCII).isEqualTo("ping");
      socket.getOutputStream().write("answer".getBytes(US_ASCII));
    }
    client.next(ChannelEof.class);
    client.next(ChannelClose.class);
    assertThat(client.data()).isEqualTo("answer");
    client.receive(new ChannelClose(0));
    client.run(() -> {});
    assertThat(client.events)
        .element(0)
        .isEqualTo(
            new TunnelEvent.ChannelOpening(
                0,
                "direct-tcpip",
                "target:%d for 192.0.2.1:1234".formatted(target.getLocalPort()),
                true));
    assertThat(client.events.getLast())
        .isInstanceOfSatisfying(
            TunnelEvent.ChannelClosed.class,
            e -> {
              assertThat(e.sent()).isEqualTo(6);
              assertThat(e.received()).isEqualTo(4);
              assertThat(e.closedBy()).isEqualTo("us");
            });
    assertThat(client.connection.channelCount()).isZero();
  }

  @Test
  void anIdleChannelLetsItsTargetGoThoughTheClientAnswersNothing() throws Exception {
    PlayedPeer client = client();
    client.run(() -> client.connection.closeIdleChannels(_ -> Duration.ofSeconds(1)));
    client.receive(direct(7, "target", target.getLocalPort()));
    try (Socket socket = target.accept()) {
      client.next(OpenConfirmation.class);
      client.next(ChannelClose.class);
      socket.setSoTimeout(10_000);
      assertThat(socket.getInputStream().read()).isEqualTo(-1);
    }
  }

  @Test
  void refusalsNameTheirReason() throws Exception {
    int port = target.getLocalPort();
    PlayedPeer client = client();
    rules.deniedTarget = "db:5432";
    client.receive(direct(1, "db", 5432));
    assertRefused(
        client, OpenFailureReason.ADMINISTRATIVELY_PROHIBITED, "PermitOpen does not list db:5432");
    assertThat(client.events)
        .contains(
            new TunnelEvent.ChannelRefused(
                -1,
                "direct-tcpip",
                "db:5432 for 192.0.2.1:1234: PermitOpen does not list db:5432",
                false));
    client.receive(direct(1, "defect", 1));
    assertRefused(client, OpenFailureReason.ADMINISTRATIVELY_PROHIBITED, "internal error");
    assertThat(lookups).as("a denied target is not looked up").hasValue(0);

    client.receive(direct(1, "nowhere", port));
    assertRefused(client, OpenFailureReason.CONNECT_FAILED, "Name or service not known");
    rules.deniedAddresses = List.of(LOOPBACK);
    client.receive(direct(1, "target", port));
    assertRefused(client, OpenFailureReason.ADMINISTRATIVELY_PROHIBITED, "not to 127.0.0.1");
    rules.deniedAddresses = List.of();
    target.close();
    client.receive(direct(1, "target", port));
    assertRefused(client, OpenFailureReason.CONNECT_FAILED, "Connection refused");
    assertThat(client.connection.channelCount()).isZero();
  }

  @Test
  void nonsenseIsNotLookedUp() throws Exception {
    PlayedPeer client = client();
    for (String host : List.of("", "a\0b", "a b", "a\nb", "a\u0085b", "a".repeat(256))) {
      client.receive(direct(1, host, 80));
      assertThat(client.next(OpenFailure.class).reason())
          .isEqualTo(OpenFailureReason.CONNECT_FAILED);
    }
    for (long port : new long[] {0, 65536, 0xffffffffL}) {
      client.receive(direct(1, "target", port));
      assertRefused(
          client, OpenFailureReason.CONNECT_FAILED, "port " + port + " is not 1 to 65535");
    }
    for (String path : List.of("", "relative", "\0abstract", "/a\0b", "/" + "a".repeat(107))) {
      client.receive(directUnix(path));
      assertThat(client.next(OpenFailure.class).reason())
          .isEqualTo(OpenFailureReason.CONNECT_FAILED);
    }
    assertThat(lookups).hasValue(0);
    assertThat(client.events)
        .allMatch(e -> e.toString().chars().noneMatch(Character::isISOControl))
        .allMatch(e -> e.toString().length() < 600);
  }

  /** The first answer is harmless, the second one isn't: it is never asked for. */
  @Test
  void onlyAddressesThatThePolicyHasSeenAreDialled() throws Exception {
    int port = target.getLocalPort();
    rules.deniedAddresses = List.of(OTHER_LOOPBACK);
    try (var forbidden = new ServerSocket(port, 10, OTHER_LOOPBACK)) {
      names = Map.of("target", List.of(OTHER_LOOPBACK, LOOPBACK));
      PlayedPeer client = client();
      client.receive(direct(1, "target", port));
      target.accept().close();
      client.next(OpenConfirmation.class);
      assertThat(lookups).hasValue(1);
      assertThat(rules.asked).containsExactly(OTHER_LOOPBACK, LOOPBACK);
      forbidden.setSoTimeout(1);
      assertThat(accepts(forbidden)).isFalse();
    }
  }

  private static boolean accepts(ServerSocket listener) {
    try {
      listener.accept().close();
      return true;
    } catch (IOException _) {
      return false;
    }
  }

  @Test
  void policySeesWhatAnAddressReaches() throws Exception {
    byte[] mapped = new byte[16];
    mapped[10] = -1;
    mapped[11] = -1;
    mapped[12] = 127;
    mapped[15] = 1;
    assertThat(DirectForwards.reached(Inet6Address.getByAddress("mapped", mapped, -1)))
        .isEqualTo(LOOPBACK);
    assertThat(DirectForwards.reached(InetAddress.ofLiteral("0.0.0.0"))).isEqualTo(LOOPBACK);
    assertThat(DirectForwards.reached(InetAddress.ofLiteral("::")))
        .isEqualTo(InetAddress.ofLiteral("::1"));
    assertThat(DirectForwards.reached(InetAddress.ofLiteral("2001:db8::1")))
        .isEqualTo(InetAddress.ofLiteral("2001:db8::1"));

    names = Map.of("target", List.of(InetAddress.ofLiteral("0.0.0.0")));
    rules.deniedAddresses = List.of(LOOPBACK);
    PlayedPeer client = client();
    client.receive(direct(1, "target", target.getLocalPort()));
    assertRefused(client, OpenFailureReason.ADMINISTRATIVELY_PROHIBITED, "not to 127.0.0.1");
  }

  /** In every way of writing it that the system's resolver takes. */
  @Test
  void loopbackInDisguiseIsLoopback() throws Exception {
    rules.deniedAddresses = List.of(LOOPBACK, InetAddress.ofLiteral("::1"));
    PlayedPeer client = new PlayedPeer(loops.next());
    client.run(
        () ->
            new ServerForwarding(timer)
                .on(client.connection, rules, null, TargetResolver.SYSTEM, ForwardLimits.DEFAULT));
    for (String host :
        List.of(
            "127.0.0.1",
            "0",
            "0.0.0.0",
            "2130706433",
            "0x7f000001",
            "127.1",
            "::ffff:127.0.0.1",
            "::ffff:7f00:1",
            "::",
            "::1",
            "localhost",
            "localhost.",
            "::ffff:0:0")) {
      client.receive(direct(1, host, target.getLocalPort()));
      OpenFailure failure = client.next(OpenFailure.class);
      // What the resolver doesn't take is no way in either.
      assertThat(failure.description())
          .as(host)
          .matches("not to .*|Name or service not known|.*invalid.*|.*ambiguous.*");
    }
    target.setSoTimeout(1);
    assertThat(accepts(target)).isFalse();
  }

  @Test
  void nextAddressIsDialledWhenOneFails() throws Exception {
    names = Map.of("target", List.of(OTHER_LOOPBACK, InetAddress.ofLiteral("::1"), LOOPBACK));
    PlayedPeer client = client();
    client.receive(direct(1, "target", target.getLocalPort()));
    target.accept().close();
    client.next(OpenConfirmation.class);
  }

  @Test
  void hangingNamesAreTheirOwnConnectionsTrouble() throws Exception {
    var limits = ForwardLimits.DEFAULT.withLookupTimeout(Duration.ofMillis(1500));
    Server shared = shared(limits);
    PlayedPeer greedy = client(shared, null);
    PlayedPeer other = client(shared, null);
    int many = ForwardingLimits.LOOKUP_THREADS + 10;
    for (int i = 0; i < many; i++) {
      greedy.receive(direct(i, "hangs" + i, 80));
    }
    other.receive(direct(1, "target", target.getLocalPort()));
    other.next(OpenConfirmation.class);
    assertThat(greedy.sent).isEmpty();
    for (int i = 0; i < many; i++) {
      assertRefused(
          greedy, OpenFailureReason.CONNECT_FAILED, "no answer from the resolver within 1 s");
    }
    // What still hangs is not forgotten: no new threads for it.
    assertThat(lookups).hasValue(ForwardingLimits.LOOKUP_THREADS_A_CONNECTION + 1);
    hanging.countDown();
    greedy.receive(direct(1, "target", target.getLocalPort()));
    greedy.next(OpenConfirmation.class);
  }

  @Test
  void targetThatDoesNotAnswerIsGivenUp() throws Exception {
    // A listener whose queue is full drops what comes, as a firewall does.
    try (var full = new ServerSocket(0, 1, LOOPBACK)) {
      List<SocketChannel> filling = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        SocketChannel channel = SocketChannel.open();
        channel.configureBlocking(false);
        channel.connect(full.getLocalSocketAddress());
        filling.add(channel);
      }
      PlayedPeer client =
          client(shared(ForwardLimits.DEFAULT.withConnectTimeout(Duration.ofMillis(200))), null);
      client.receive(direct(1, "target", full.getLocalPort()));
      assertRefused(client, OpenFailureReason.CONNECT_FAILED, "Connection timed out");
      for (SocketChannel channel : filling) {
        channel.close();
      }
    }
  }

  @Test
  void unixSocketIsATarget(@TempDir Path folder) throws Exception {
    Path path = folder.resolve("socket");
    PlayedPeer client = client();
    client.receive(directUnix(path.toString()));
    assertRefused(client, OpenFailureReason.CONNECT_FAILED, "No such file or directory");
    try (var listener = ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX)) {
      listener.bind(UnixDomainSocketAddress.of(path));
      client.receive(directUnix(path.toString()));
      OpenConfirmation confirmed = client.next(OpenConfirmation.class);
      try (SocketChannel accepted = listener.accept()) {
        client.receiveData(confirmed.sender(), "ping".getBytes(US_ASCII), 1);
        ByteBuffer read = ByteBuffer.allocate(4);
        while (read.hasRemaining()) {
          accepted.read(read);
        }
        assertThat(new String(read.array(), US_ASCII)).isEqualTo("ping");
      }
    }
  }

  @Test
  void whatIsBeingMadeEndsWithTheConnection() throws Exception {
    try (var full = new ServerSocket(0, 1, LOOPBACK)) {
      PlayedPeer client = client();
      for (int i = 0; i < 10; i++) {
        client.receive(direct(i, "target", full.getLocalPort()));
        client.receive(direct(i, "hangs", 80));
      }
      client.sent.clear();
      client.hangUp();
      client.assertSilent();
      assertThat(client.connection.channelCount()).isZero();
    }
  }

  // ---- Limits ---------------------------------------------------------------------------------

  @Test
  void channelsAreLimited() throws Exception {
    PlayedPeer client = client(shared(ForwardLimits.DEFAULT.withChannels(3)), null);
    for (int i = 0; i < 3; i++) {
      client.receive(direct(i, "target", target.getLocalPort()));
      client.next(OpenConfirmation.class);
    }
    client.receive(direct(9, "target", target.getLocalPort()));
    assertRefused(client, OpenFailureReason.RESOURCE_SHORTAGE, "more than 3 channels");
    client.receive(new ChannelClose(1));
    client.next(ChannelClose.class);
    client.receive(direct(9, "target", target.getLocalPort()));
    client.next(OpenConfirmation.class);
  }

  @Test
  void connectionsThatAreBeingMadeAreLimited() throws Exception {
    PlayedPeer client = client(shared(ForwardLimits.DEFAULT.withPendingOpens(2)), null);
    client.receive(direct(1, "hangs1", 80), direct(2, "hangs2", 80), direct(3, "target", 80));
    assertRefused(
        client, OpenFailureReason.RESOURCE_SHORTAGE, "more than 2 connections are being made");
    hanging.countDown();
    client.next(OpenFailure.class);
    client.next(OpenFailure.class);
    client.receive(direct(4, "target", target.getLocalPort()));
    client.next(OpenConfirmation.class);
  }

  @Test
  void connectionsThatComeTooFastWait() throws Exception {
    PlayedPeer client = client(shared(ForwardLimits.DEFAULT.withOpensPerSecond(2)), null);
    // Ten seconds' worth at once, then two a second.
    for (int i = 0; i < 23; i++) {
      client.receive(direct(i, "target", target.getLocalPort()));
    }
    for (int i = 0; i < 20; i++) {
      client.next(OpenConfirmation.class);
    }
    client.assertSilent();
    timer.pass(Duration.ofMillis(499));
    client.assertSilent();
    timer.pass(Duration.ofMillis(1));
    client.next(OpenConfirmation.class);
    client.assertSilent();
    timer.pass(Duration.ofMillis(500));
    client.next(OpenConfirmation.class);
    timer.pass(Duration.ofMillis(500));
    client.next(OpenConfirmation.class);
    timer.pass(Duration.ofSeconds(3600));
    for (int i = 0; i < 21; i++) {
      client.receive(direct(i, "target", target.getLocalPort()));
    }
    for (int i = 0; i < 20; i++) {
      client.next(OpenConfirmation.class);
    }
    client.assertSilent();
  }

  @Test
  void windowsOfAllChannelsStayUnderTheBudget() throws Exception {
    PlayedPeer client = client();
    long promised = 0;
    List<Socket> open = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      client.receive(direct(i, "target", target.getLocalPort()));
      promised += client.next(OpenConfirmation.class).initialWindow();
      open.add(target.accept());
    }
    assertThat(promised).isLessThan((128L << 20) + 300 * 4096L).isGreaterThan(100L << 20);
    for (Socket socket : open) {
      socket.close();
    }
  }

  // ---- tcpip-forward --------------------------------------------------------------------------

  private static GlobalRequest forward(String name, String address, long port) {
    return new GlobalRequest(
        name, true, WireWriter.create().writeString(address).writeUint32(port).toBytes());
  }

  private static GlobalRequest forward(String address, long port) {
    return forward("tcpip-forward", address, port);
  }

  private static GlobalRequest cancel(String address, long port) {
    return forward("cancel-tcpip-forward", address, port);
  }

  private static int port(RequestSuccess success) throws Exception {
    return (int) WireReader.over(success.fields()).readUint32();
  }

  private static int freePort() throws IOException {
    try (var any = new ServerSocket(0)) {
      return any.getLocalPort();
    }
  }

  private static void assertFree(int port) throws IOException {
    var socket = new ServerSocket();
    try (socket) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(port));
    }
  }

  private static void assertNotGiven(PlayedPeer client, String why) throws Exception {
    assertThat(client.next(Debug.class).text()).contains(why);
    client.next(RequestFailure.class);
  }

  @Test
  void portIsChosenAndChannelsNameWhatWasAskedFor() throws Exception {
    PlayedPeer client = client();
    for (String address : List.of("localhost", "", "*", "127.0.0.1", "0.0.0.0", "127.0.0.2")) {
      client.receive(forward(address, 0));
      int port = port(client.next(RequestSuccess.class));
      boolean second = address.equals("127.0.0.2");
      try (var socket = new Socket(second ? OTHER_LOOPBACK : LOOPBACK, port)) {
        ChannelOpen open = client.next(ChannelOpen.class);
        assertThat(open.channelType()).isEqualTo("forwarded-tcpip");
        WireReader fields = WireReader.over(open.fields());
        assertThat(fields.readText()).isEqualTo(address);
        assertThat(fields.readUint32()).isEqualTo(port);
        assertThat(fields.readText()).isEqualTo(socket.getLocalAddress().getHostAddress());
        assertThat(fields.readUint32()).isEqualTo(socket.getLocalPort());
        fields.expectEnd("forwarded-tcpip");
        client.receive(new OpenFailure(open.sender(), 2, "no", ""));
      }
      // The letters count, and so does the port.
      client.receive(cancel(address + " ", port));
      assertNotGiven(client, "nothing to cancel");
      client.receive(cancel(address, 0));
      assertNotGiven(client, "nothing to cancel");
      client.receive(cancel(address, port));
      assertThat(client.next(RequestSuccess.class).fields()).isEmpty();
      assertFree(port);
    }
    assertThat(client.events)
        .filteredOn(TunnelEvent.ForwardListening.class::isInstance)
        .hasSize(6)
        .element(0)
        .asString()
        .contains("[127.0.0.1]:", "[::1]:");
  }

  @Test
  void localhostIsBothFamiliesAndAllInterfacesToo() throws Exception {
    PlayedPeer client = client();
    for (String address : List.of("localhost", "")) {
      client.receive(forward(address, 0));
      int port = port(client.next(RequestSuccess.class));
      new Socket(LOOPBACK, port).close();
      new Socket(InetAddress.ofLiteral("::1"), port).close();
      client.next(ChannelOpen.class);
      client.next(ChannelOpen.class);
    }
    client.receive(forward("0.0.0.0", 0));
    int v4 = port(client.next(RequestSuccess.class));
    new ServerSocket(v4, 1, InetAddress.ofLiteral("::1")).close();
    client.receive(forward("::", 0));
    int v6 = port(client.next(RequestSuccess.class));
    new ServerSocket(v6, 1, LOOPBACK).close();
  }

  /** GatewayPorts no: the policy says loopback, and the client goes on with its own words. */
  @Test
  void policySaysWhereToListen() throws Exception {
    int port = freePort();
    rules.listenThere = new Listen.Tcp(null, port);
    PlayedPeer client = client();
    client.receive(forward("", port));
    assertThat(client.next(RequestSuccess.class).fields()).isEmpty();
    new ServerSocket(port, 1, OTHER_LOOPBACK).close();
    new Socket(LOOPBACK, port).close();
    assertThat(WireReader.over(client.next(ChannelOpen.class).fields()).readText()).isEmpty();
    client.receive(cancel("", port));
    client.next(RequestSuccess.class);
  }

  @Test
  void refusalsOfListenersNameTheirReason() throws Exception {
    PlayedPeer client = client(shared(ForwardLimits.DEFAULT.withListeners(2)), null);
    client.receive(forward("", 9));
    assertNotGiven(client, "PermitListen does not list 9");
    assertThat(client.events.getLast())
        .asString()
        .contains("ForwardRefused", "PermitListen does not list 9");
    client.receive(forward("localhost", 1023));
    assertNotGiven(client, "port 1023 is below 1024, where only root may listen");
    client.receive(forward("localhost", 65536));
    assertNotGiven(client, "port 65536 is not 0 to 65535");
    client.receive(forward("a\nb", 0));
    assertNotGiven(client, "not an address to listen on");
    client.receive(forward("no-such-name.invalid", 0));
    assertNotGiven(client, "Name or service not known");
    client.receive(forward("192.0.2.77", 0));
    assertNotGiven(client, "bind [192.0.2.77]:0: Cannot assign requested address");
    client.receive(forward("127.0.0.1", target.getLocalPort()));
    assertNotGiven(client, "Address already in use");

    int port = freePort();
    client.receive(forward("localhost", port), forward("localhost", port));
    client.next(RequestSuccess.class);
    assertNotGiven(client, "it is forwarded already");
    client.receive(forward("localhost", 0), forward("localhost", 0));
    client.next(RequestSuccess.class);
    assertNotGiven(client, "more than 2 listeners");
  }

  @Test
  void rootListensBelow1024() throws Exception {
    rules.privileged = true;
    int port = 1;
    while (port < 1024 && !isFree(port)) {
      port++;
    }
    PlayedPeer client = client();
    client.receive(forward("127.0.0.1", port));
    if (System.getProperty("user.name").equals("root")) {
      client.next(RequestSuccess.class);
    } else {
      assertNotGiven(client, "Permission denied (ports below 1024 are for root");
    }
  }

  private static boolean isFree(int port) {
    try {
      assertFree(port);
      return port != 9;
    } catch (IOException e) {
      return String.valueOf(e.getMessage()).startsWith("Permission denied");
    }
  }

  @Test
  void requestsThatComeTogetherAreServedInTheirOrder() throws Exception {
    int port = freePort();
    PlayedPeer client = client();
    client.receive(
        forward("localhost", port),
        cancel("localhost", port),
        forward("localhost", port),
        forward("", 0));
    assertThat(client.next(RequestSuccess.class).fields()).isEmpty();
    assertThat(client.next(RequestSuccess.class).fields()).isEmpty();
    assertThat(client.next(RequestSuccess.class).fields()).isEmpty();
    assertThat(client.next(RequestSuccess.class).fields()).hasSize(4);
  }

  @Test
  void nobodyCancelsAnothersListener() throws Exception {
    Server shared = shared(ForwardLimits.DEFAULT);
    PlayedPeer owner = client(shared, key(1));
    PlayedPeer other = client(shared, key(1));
    owner.receive(forward("localhost", 0));
    int port = port(owner.next(RequestSuccess.class));
    other.receive(cancel("localhost", port));
    assertNotGiven(other, "nothing to cancel");
    new Socket(LOOPBACK, port).close();
    owner.next(ChannelOpen.class);
  }

  @Test
  void portIsFreeAsSoonAsTheClientIsGone() throws Exception {
    PlayedPeer client = client();
    client.receive(forward("", 0));
    int port = port(client.next(RequestSuccess.class));
    client.hangUp();
    assertFree(port);
    assertThat(client.events)
        .anyMatch(e -> e instanceof TunnelEvent.ForwardClosed f && f.where().contains(":" + port));
    assertThat(client.events.getLast()).isInstanceOf(TunnelEvent.Disconnected.class);
  }

  @Test
  void clientThatDoesNotAnswerOpensIsNotSentMore() throws Exception {
    PlayedPeer client = client(shared(ForwardLimits.DEFAULT.withPendingOpens(2)), null);
    client.receive(forward("127.0.0.1", 0));
    int port = port(client.next(RequestSuccess.class));
    var one = new Socket(LOOPBACK, port);
    var two = new Socket(LOOPBACK, port);
    ChannelOpen first = client.next(ChannelOpen.class);
    client.next(ChannelOpen.class);
    var three = new Socket(LOOPBACK, port);
    three.setSoTimeout(10_000);
    assertThat(isReset(three)).isTrue();
    client.assertSilent();
    client.receive(new OpenConfirmation(first.sender(), 5, 1000, 1000, new byte[0]));
    one.getOutputStream().write("through".getBytes(US_ASCII));
    var four = new Socket(LOOPBACK, port);
    client.next(ChannelOpen.class);
    client.hangUp();
    for (Socket socket : List.of(one, two, four)) {
      socket.setSoTimeout(10_000);
      assertThat(isReset(socket)).isTrue();
      socket.close();
    }
    three.close();
  }

  private static boolean isReset(Socket socket) {
    try {
      return socket.getInputStream().read() > 1000;
    } catch (IOException e) {
      return String.valueOf(e.getMessage()).contains("reset");
    }
  }

  // ---- streamlocal-forward --------------------------------------------------------------------

  private static GlobalRequest unix(String name, Path path) {
    return new GlobalRequest(
        name, true, WireWriter.create().writeString(path.toString()).toBytes());
  }

  private static final String STREAMLOCAL = "streamlocal-forward@openssh.com";

  @Test
  void unixSocketIsMadeAsThePolicySaysAndGoesWithTheForward(@TempDir Path folder) throws Exception {
    Path path = folder.resolve("socket");
    rules.options = ForwardOptions.DEFAULT.withStreamLocalBindMask(0117);
    PlayedPeer client = client();
    client.receive(unix(STREAMLOCAL, path));
    assertThat(client.next(RequestSuccess.class).fields()).isEmpty();
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
        .isEqualTo("rw-rw----");
    SocketChannel.open(UnixDomainSocketAddress.of(path)).close();
    ChannelOpen open = client.next(ChannelOpen.class);
    assertThat(open.channelType()).isEqualTo("forwarded-streamlocal@openssh.com");
    WireReader fields = WireReader.over(open.fields());
    assertThat(fields.readText()).isEqualTo(path.toString());
    assertThat(fields.readText()).isEmpty();
    fields.expectEnd("forwarded-streamlocal");
    client.receive(unix("cancel-" + STREAMLOCAL, path));
    client.next(RequestSuccess.class);
    assertThat(path).doesNotExist();
  }

  @Test
  void fileThatIsThereStaysUnlessUnlinkIsSaid(@TempDir Path folder) throws Exception {
    Path path = folder.resolve("socket");
    try (var leftover = ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX)) {
      leftover.bind(UnixDomainSocketAddress.of(path));
    }
    Server shared = shared(ForwardLimits.DEFAULT);
    PlayedPeer client = client(shared, null);
    client.receive(unix(STREAMLOCAL, path));
    assertNotGiven(client, "Address already in use");
    rules.options = ForwardOptions.DEFAULT.withStreamLocalBindUnlink(true);
    client.receive(unix(STREAMLOCAL, path));
    client.next(RequestSuccess.class);
    // Another client of the same account: unlinking doesn't mean stealing.
    PlayedPeer other = client(shared, null);
    other.receive(unix(STREAMLOCAL, path));
    assertNotGiven(other, "Address already in use");
    client.receive(unix("cancel-" + STREAMLOCAL, path));
    client.next(RequestSuccess.class);
    Files.writeString(path, "a file");
    client.receive(unix(STREAMLOCAL, path));
    assertNotGiven(client, "there is a file that is not a socket");
    client.receive(unix(STREAMLOCAL, Path.of("relative")));
    assertNotGiven(client, "begins with /");
    client.receive(unix(STREAMLOCAL, folder.resolve("a".repeat(107))));
    assertNotGiven(client, "longer than 107 bytes");
  }

  // ---- Takeover -------------------------------------------------------------------------------

  private static UserKey key(int n) {
    return new UserKey("ssh-ed25519", "ssh-ed25519", new byte[] {(byte) n}, "SHA256:" + n, null);
  }

  @Test
  void clientThatComesBackGetsThePortOfItsDeadConnection() throws Exception {
    Server shared = shared(ForwardLimits.DEFAULT);
    PlayedPeer dead = client(shared, key(1));
    dead.receive(forward("localhost", 0));
    int port = port(dead.next(RequestSuccess.class));
    PlayedPeer back = client(shared, key(1));
    // Another way to say it that is in the way of the first.
    back.receive(forward("", port), forward("localhost", 0));
    assertThat(dead.next(GlobalRequest.class).name()).isEqualTo("keepalive@openssh.com");
    back.assertSilent();
    timer.pass(Duration.ofMillis(1999));
    back.assertSilent();
    assertThat(dead.failure).isNull();
    timer.pass(Duration.ofMillis(1));
    assertThat(back.next(RequestSuccess.class).fields()).isEmpty();
    assertThat(back.next(RequestSuccess.class).fields()).hasSize(4);
    assertThat(dead.failure)
        .hasMessage(
            "no answer within 2 s while a new connection of the same user asks for its port");
    new Socket(LOOPBACK, port).close();
    back.next(ChannelOpen.class);
    dead.assertSilent();
  }

  @Test
  void liveClientsDoNotStealFromEachOther() throws Exception {
    Server shared = shared(ForwardLimits.DEFAULT);
    PlayedPeer alive = client(shared, key(1));
    alive.receive(forward("localhost", 0));
    int port = port(alive.next(RequestSuccess.class));
    PlayedPeer second = client(shared, key(1));
    for (boolean answers : List.of(true, false)) {
      second.receive(forward("127.0.0.1", port));
      alive.next(GlobalRequest.class);
      second.assertSilent();
      timer.pass(Duration.ofMillis(1999));
      // An answer, or anything else that shows that it lives.
      alive.receive(answers ? new RequestFailure() : forward("127.0.0.9", 0));
      assertNotGiven(second, "another connection of the same user and key listens there");
      if (!answers) {
        alive.next(RequestSuccess.class);
      }
      timer.pass(Duration.ofSeconds(10));
    }
    assertThat(alive.failure).isNull();
    new Socket(LOOPBACK, port).close();
    alive.next(ChannelOpen.class);
  }

  @Test
  void onlyTheSameUserWithTheSameKeyTakesOver() throws Exception {
    Server shared = shared(ForwardLimits.DEFAULT);
    PlayedPeer holder = client(shared, key(1));
    holder.receive(forward("localhost", 0));
    int port = port(holder.next(RequestSuccess.class));
    var john = new PlayedPeer(loops.next());
    AccessPolicy johns =
        new AccessPolicy() {
          @Override
          public String user() {
            return "john";
          }

          @Override
          public Decision<Listen> listen(Listen asked) {
            return Decision.allowed(asked);
          }
        };
    shared.on(john, johns, key(1));
    for (PlayedPeer other : List.of(john, client(shared, key(2)), client(shared, null))) {
      other.receive(forward("localhost", port));
      assertNotGiven(other, "Address already in use");
    }
    holder.assertSilent();
    assertThat(timer.alarms).isEmpty();
  }

  @Test
  void unixSocketIsTakenOverToo(@TempDir Path folder) throws Exception {
    Path path = folder.resolve("socket");
    Server shared = shared(ForwardLimits.DEFAULT);
    PlayedPeer dead = client(shared, key(1));
    dead.receive(unix(STREAMLOCAL, path));
    dead.next(RequestSuccess.class);
    PlayedPeer back = client(shared, key(1));
    back.receive(unix(STREAMLOCAL, path));
    dead.next(GlobalRequest.class);
    dead.assertSilent();
    timer.pass(Duration.ofSeconds(2));
    back.next(RequestSuccess.class);
    SocketChannel.open(UnixDomainSocketAddress.of(path)).close();
    back.next(ChannelOpen.class);
  }

  // ---- What a client can make the server hold -------------------------------------------------

  /** The first one waits for the owner of its port, the others for the first one. */
  @Test
  void requestsThatWaitAreLimited() throws Exception {
    Server shared = shared(ForwardLimits.DEFAULT);
    PlayedPeer older = client(shared, key(1));
    older.receive(forward("localhost", 0));
    int port = port(older.next(RequestSuccess.class));
    PlayedPeer client = client(shared, key(1));
    client.receive(forward("localhost", port));
    GlobalRequest noReply =
        new GlobalRequest("tcpip-forward", false, forward("localhost", 0).fields());
    for (int i = 0; i < 1023; i++) {
      client.receive(noReply);
    }
    client.assertSilent();
    client.receive(noReply);
    assertThat(client.next(Debug.class).text()).contains("more than 1024 requests wait");
  }

  @Test
  void onlySoManyAddressesOfANameAreLookedAt() throws Exception {
    List<InetAddress> many = new ArrayList<>();
    for (int i = 1; i <= 40; i++) {
      many.add(InetAddress.ofLiteral("127.0.1." + i));
    }
    names = Map.of("many", many);
    PlayedPeer client = client();
    client.receive(direct(1, "many", 1));
    client.next(OpenFailure.class);
    assertThat(rules.asked).isEqualTo(many.subList(0, 32));
  }

  @Test
  void whatAClientSaysIsShownShortAndEscaped() throws Exception {
    PlayedPeer client = client();
    client.receive(direct(1, "\u001b[2J" + "a".repeat(5000), 80));
    client.next(OpenFailure.class);
    client.receive(directUnix("\u009b\u202e" + "a".repeat(5000)));
    client.next(OpenFailure.class);
    assertThat(client.events)
        .hasSize(2)
        .allMatch(e -> e.toString().chars().noneMatch(c -> c < ' ' || c == 0x9b || c == 0x202e))
        .allMatch(e -> e.toString().length() < 500);
  }

  @Test
  void anAddressToListenOnIsNoNovel() throws Exception {
    PlayedPeer client = client();
    client.receive(forward("a".repeat(256), 0));
    assertNotGiven(client, "not an address to listen on");
  }

  @Test
  void namesThatWaitForAThreadAreLimited() throws Exception {
    var lookups = new TargetLookups();
    int connections = (128 + 4096) / 8;
    List<CompletableFuture<?>> waiting = new ArrayList<>();
    for (int i = 0; i <= connections; i++) {
      var ofOne = lookups.of(loops.next(), this::lookUp, Duration.ofMinutes(1));
      loops
          .next()
          .submit(
              () -> {
                for (int k = 0; k < 8; k++) {
                  waiting.add(ofOne.resolve("hangs"));
                }
              })
          .get();
    }
    assertThat(waiting.subList(0, 8 * connections)).noneMatch(CompletableFuture::isDone);
    assertThat(waiting.subList(8 * connections, waiting.size()))
        .allSatisfy(
            lookup ->
                assertThatThrownBy(() -> lookup.get(30, TimeUnit.SECONDS))
                    .hasMessageContaining("more than 4096 names are being resolved"));
    hanging.countDown();
  }
}
