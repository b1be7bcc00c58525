package dev.adit.ssh;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.adit.ssh.RudePeer.State;
import dev.adit.ssh.wire.AuthMessage.Prompt;
import dev.adit.ssh.wire.AuthMessage.UserauthBanner;
import dev.adit.ssh.wire.AuthMessage.UserauthFailure;
import dev.adit.ssh.wire.AuthMessage.UserauthInfoRequest;
import dev.adit.ssh.wire.AuthMessage.UserauthInfoResponse;
import dev.adit.ssh.wire.AuthMessage.UserauthRequest;
import dev.adit.ssh.wire.ConnectionMessage.ChannelOpen;
import dev.adit.ssh.wire.ConnectionMessage.GlobalRequest;
import dev.adit.ssh.wire.ConnectionMessage.OpenConfirmation;
import dev.adit.ssh.wire.ConnectionMessage.RequestFailure;
import dev.adit.ssh.wire.ConnectionMessage.RequestSuccess;
import dev.adit.ssh.wire.DisconnectReason;
import dev.adit.ssh.wire.MessageNumbers;
import dev.adit.ssh.wire.TransportMessage.Debug;
import dev.adit.ssh.wire.TransportMessage.Disconnect;
import dev.adit.ssh.wire.TransportMessage.Ignore;
import dev.adit.ssh.wire.TransportMessage.Ping;
import dev.adit.ssh.wire.WireReader;
import dev.adit.ssh.wire.WireWriter;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a peer can make us hold, do or wait for, in both roles. */
@Timeout(120)
class BoundsTest {
  private static final int PROTOCOL_ERROR = DisconnectReason.PROTOCOL_ERROR;
  private static final GlobalRequest QUESTION =
      new GlobalRequest("keepalive@openssh.com", true, new byte[0]);

  private final List<ServerEvent> events = new CopyOnWriteArrayList<>();
  private final SshClient client = SshClient.create();
  private final SshServer server = start(new Miners(), Duration.ofSeconds(15), 0);

  private SshServer start(Authenticator authenticator, Duration alive, long rekeyBytes) {
    try {
      return SshServer.start(
          ServerOptions.with(authenticator)
              .hostKey(HostKey.generate())
              .eventLoops(1)
              .rekeyLimit(rekeyBytes, Duration.ZERO)
              .maxAuthTries(10)
              .clientAlive(alive, 3)
              .events(events::add)
              .build());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** How the server tells the end of the one connection that there was. */
  private SshException end() {
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> !events.isEmpty() && events.getLast() instanceof ServerEvent.Disconnected);
    return ((ServerEvent.Disconnected) events.getLast()).cause();
  }

  @AfterEach
  void stop() {
    client.close();
    server.close();
  }

  private static ConnectOptions.Builder to(RudePeer peer) {
    return ConnectOptions.to("127.0.0.1")
        .port(peer.port())
        .hostKeyPolicy(HostKeyPolicy.acceptAnyInsecurely());
  }

  /** Sends until the other side has had enough; it must say why before it goes. */
  private static void flood(RudePeer peer, int most, RudePeer.Script some, String why)
      throws Exception {
    CompletableFuture<Void> goodbye = new CompletableFuture<>();
    Thread.ofVirtual()
        .start(
            () -> {
              try {
                peer.expectDisconnect(PROTOCOL_ERROR, why);
                goodbye.complete(null);
              } catch (Throwable e) {
                goodbye.completeExceptionally(e);
              }
            });
    try {
      for (int i = 0; i < most && !goodbye.isDone(); i++) {
        peer.burst(some);
      }
    } catch (SocketException _) {
      // It has hung up.
    }
    goodbye.get(60, TimeUnit.SECONDS);
  }

  // ---- Before and during the login ------------------------------------------------------------

  @Test
  void whatIsNotSshIsQuotedInPart() throws Exception {
    try (var peer =
        RudePeer.start(
            p -> p.raw(("HTTP/1.1 " + "x".repeat(500) + "\r\n").getBytes(US_ASCII)).finish())) {
      assertThatThrownBy(() -> client.connect(to(peer).build()))
          .hasMessageContaining("it sent \"HTTP/1.1 xxx")
          .message()
          .hasSizeLessThan(250);
    }
  }

  /** A person takes time to answer; a server has no reason to go on in the meantime. */
  @Test
  void messagesInAdvanceWhileAQuestionIsOpen() throws Exception {
    var small = new UserauthBanner("", "");
    var large = new UserauthBanner("x".repeat(250_000), "");
    for (RudePeer.Script advance :
        List.<RudePeer.Script>of(
            p -> {
              for (int i = 0; i < 65; i++) {
                p.send(small);
              }
            },
            p -> {
              for (int i = 0; i < 5; i++) {
                p.send(large);
              }
            })) {
      CountDownLatch over = new CountDownLatch(1);
      var person =
          new UserInteraction() {
            @Override
            public char @Nullable [] askSecret(String prompt) {
              try {
                over.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
              return null;
            }
          };
      try (var peer =
          RudePeer.start(
              p -> {
                p.reach(State.BEFORE_AUTH).send(new UserauthFailure(List.of("password"), false));
                p.burst(advance).expectDisconnect(PROTOCOL_ERROR, "in advance");
              })) {
        assertThatThrownBy(() -> client.connect(to(peer).interaction(person).build()))
            .isInstanceOf(SshException.PeerMisbehaved.class)
            .hasMessageContaining("more than 64 messages, or 1048576 bytes, in advance");
        peer.join();
      } finally {
        over.countDown();
      }
    }
  }

  @Test
  void questionsWithoutEnd() throws Exception {
    var question = new UserauthInfoRequest("", "", "", List.of());
    AtomicInteger rounds = new AtomicInteger();
    try (var peer =
        RudePeer.start(
            p -> {
              p.reach(State.BEFORE_AUTH)
                  .send(new UserauthFailure(List.of("keyboard-interactive"), false))
                  .expect(UserauthRequest.TYPE);
              for (int i = 0; i < 200; i++) {
                p.send(question);
                if (p.read()[0] == MessageNumbers.DISCONNECT) {
                  return;
                }
                rounds.incrementAndGet();
              }
            })) {
      assertThatThrownBy(
              () -> client.connect(to(peer).interaction(new UserInteraction() {}).build()))
          .hasMessageContaining("more than 100 rounds of keyboard-interactive questions");
      peer.join();
      assertThat(rounds).hasValue(100);
    }
  }

  @Test
  void aPasswordThatNobodyTypes() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    Authenticator.Login login =
        new Authenticator.Login() {
          @Override
          public List<List<String>> waysIn() {
            return List.of(List.of("password"));
          }

          @Override
          public Authenticator.@Nullable Proof password(char[] password) {
            asked.incrementAndGet();
            return null;
          }

          @Override
          public AccessPolicy admit(List<Authenticator.Proof> proofs) {
            throw new AssertionError();
          }
        };
    try (var strict = start((_, _) -> login, Duration.ZERO, 0);
        var c = RudePeer.connectTo(strict.port())) {
      c.reach(State.BEFORE_AUTH);
      for (int length : new int[] {1025, 200_000, 1024}) {
        c.send(
                RudePeer.request(
                    Miners.USER,
                    "password",
                    WireWriter.create().writeBoolean(false).writeString("x".repeat(length))))
            .expect(UserauthFailure.TYPE);
      }
      assertThat(asked).hasValue(1);
    }
  }

  // ---- Host keys ------------------------------------------------------------------------------

  @Test
  void moreHostKeysThanAnyServerHas(@TempDir Path home) throws Exception {
    try (var peer =
        RudePeer.start(
            p -> {
              WireWriter keys = WireWriter.create();
              for (int i = 0; i < 129; i++) {
                keys.writeString(RudePeer.publicKey(new byte[32]));
              }
              p.reach(State.OPEN)
                  .send(new GlobalRequest("hostkeys-00@openssh.com", false, keys.toBytes()))
                  .expectDisconnect(PROTOCOL_ERROR, "more than 128 host keys");
            })) {
      Path known = home.resolve("known_hosts");
      Files.writeString(
          known,
          "[127.0.0.1]:%d ssh-ed25519 %s\n"
              .formatted(peer.port(), Base64.getEncoder().encodeToString(RudePeer.hostKey())));
      var policy =
          HostKeyPolicy.knownHosts(
              KnownHostsOptions.files(List.of(known))
                  .updateHostKeys(KnownHostsOptions.Update.YES)
                  .build());
      try (var connection = client.connect(to(peer).hostKeyPolicy(policy).build())) {
        peer.join();
        assertThat(connection.closed().get(30, TimeUnit.SECONDS))
            .hasMessageContaining("more than 128 host keys");
      }
    }
  }

  /** Each costs a signature. */
  @Test
  void moreProofsThanThereAreKeys() throws Exception {
    try (var c = RudePeer.connectTo(server.port())) {
      c.reach(State.BEFORE_AUTH).send(c.proof(Miners.USER, Miners.A, Miners.A));
      c.read();
      byte[] announced = c.expect(GlobalRequest.TYPE).fields();
      byte[] key = WireReader.over(announced).readString();
      for (int count : new int[] {128, 129}) {
        WireWriter keys = WireWriter.create();
        for (int i = 0; i < count; i++) {
          keys.writeString(key);
        }
        c.expectAnswer(
            new GlobalRequest("hostkeys-prove-00@openssh.com", true, keys.toBytes()),
            count == 128 ? RequestSuccess.TYPE : RequestFailure.TYPE);
      }
    }
  }

  // ---- Answers that nobody reads, and those behind a key exchange ------------------------------

  private static final RudePeer.Script QUESTIONS =
      p -> {
        for (int i = 0; i < 1000; i++) {
          p.send(QUESTION);
        }
      };

  /** An answer has one byte; what is counted is what it costs. */
  @Test
  void repliesPiledUpBehindAKeyExchangeAtAServer() throws Exception {
    try (var exchanging = start(new Miners(), Duration.ofSeconds(15), 1 << 20);
        var c = RudePeer.connectTo(exchanging.port())) {
      c.reach(State.OPEN);
      // One megabyte, and the server asks for new keys.
      for (int i = 0; i < 5; i++) {
        c.send(new Ignore(new byte[220_000]));
      }
      c.expectKexInit();
      flood(c, 100, QUESTIONS, "piled up behind a key exchange");
    }
  }

  @Test
  void repliesPiledUpBehindAKeyExchangeAtAClient() throws Exception {
    try (var peer =
            RudePeer.start(
                p -> {
                  p.reach(State.REKEY_ASKED);
                  flood(p, 100, QUESTIONS, "piled up behind a key exchange");
                });
        var connection = client.connect(to(peer).build())) {
      connection.rekey();
      peer.join();
      assertThat(connection.closed().get(30, TimeUnit.SECONDS))
          .hasMessageContaining("piled up behind a key exchange");
    }
  }

  /** Short answers to a client that reads none. */
  @Test
  void questionsWithoutEndWhoseAnswersNobodyReads() throws Exception {
    try (var c = RudePeer.connectTo(server.port())) {
      c.reach(State.OPEN);
      byte[] ping = new Ping(new byte[100]).toBytes();
      try {
        for (int i = 0; i < 200 && server.connectionCount() > 0; i++) {
          c.burst(
              p -> {
                for (int k = 0; k < 2000; k++) {
                  p.payload(ping);
                }
              });
        }
      } catch (SocketException _) {
        // Hung up.
      }
      assertThat(end()).hasMessageContaining("has not read 8388608 bytes of answers");
    }
  }

  // ---- Data that nobody reads -----------------------------------------------------------------

  /**
   * The peer grants four gigabytes and reads nothing: what the application could hand over stays
   * small, and all of it arrives when the peer reads again.
   */
  @Test
  void aPeerThatReadsNothingHoldsUpOnlyItsSender() throws Exception {
    CountDownLatch read = new CountDownLatch(1);
    CompletableFuture<Long> received = new CompletableFuture<>();
    try (var peer =
            RudePeer.start(
                p -> {
                  ChannelOpen open = p.reach(State.OPEN).expect(ChannelOpen.TYPE);
                  p.send(new OpenConfirmation(open.sender(), 5, 0xffffffffL, 32_768, new byte[0]));
                  read.await();
                  long sum = 0;
                  for (byte[] payload; (payload = p.read())[0] != MessageNumbers.CHANNEL_EOF; ) {
                    if (payload[0] == MessageNumbers.CHANNEL_DATA) {
                      sum += payload.length - 9;
                    }
                  }
                  received.complete(sum);
                  p.expectEnd();
                });
        var connection = client.connect(to(peer).build());
        var forward =
            connection.forward(
                new ForwardSpec.Local(
                    new Listen.Tcp("127.0.0.1", 0), new Target.Tcp("target", 80)));
        SocketChannel application =
            SocketChannel.open(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), forward.port()))) {
      application.configureBlocking(false);
      long sent = sendUntilItStops(application);
      // Three sockets' buffers and ours; without a limit it would be all there is.
      assertThat(sent).isLessThan(64 << 20);
      read.countDown();
      sent += sendUntilItStops(application);
      assertThat(sent).isPositive();
      application.shutdownOutput();
      assertThat(received.get(60, TimeUnit.SECONDS)).isEqualTo(sent);
    }
  }

  /** At most a quarter of a gigabyte; bytes that went before nothing went for a second. */
  private static long sendUntilItStops(SocketChannel to) throws Exception {
    ByteBuffer piece = ByteBuffer.allocate(256 * 1024);
    long sent = 0;
    for (int idle = 0; idle < 100 && sent < 256 << 20; ) {
      int n = to.write(piece.clear());
      sent += n;
      if (n == 0) {
        idle++;
        Thread.sleep(10);
      } else {
        idle = 0;
      }
    }
    return sent;
  }

  // ---- Texts ----------------------------------------------------------------------------------

  /** C0, C1, bidi controls, a separator of lines. */
  private static final String EVIL = "<\u001b[2J\u009b31m\u202e\u2066\u2028\u0007\r>";

  private static void assertHarmless(Object shown) {
    assertThat(shown.toString())
        .contains("<\\x1b[2J\\x9b31m\\u202e\\u2066\\u2028\\x07\\r>")
        .matches(text -> text.chars().noneMatch(c -> c < ' ' && c != '\n' || c == 0x9b));
  }

  @Test
  void textsOfAServerAreShownEscaped() throws Exception {
    List<String> shown = new CopyOnWriteArrayList<>();
    var person =
        new UserInteraction() {
          @Override
          public void show(String text) {
            shown.add(text);
          }

          @Override
          public List<String> answer(List<Question> questions) {
            questions.forEach(question -> shown.add(question.prompt()));
            return List.of("x");
          }
        };
    try (var peer =
        RudePeer.start(
            p -> {
              p.reach(State.BEFORE_AUTH)
                  .send(new UserauthBanner(EVIL, ""))
                  .send(new UserauthFailure(List.of("keyboard-interactive"), false))
                  .expect(UserauthRequest.TYPE);
              p.send(new UserauthInfoRequest(EVIL, EVIL, "", List.of(new Prompt(EVIL, true))));
              p.expect(UserauthInfoResponse.TYPE);
              p.send(new Debug(true, EVIL, "")).send(new Disconnect(11, EVIL, ""));
            })) {
      assertThatThrownBy(() -> client.connect(to(peer).interaction(person).build()))
          .isInstanceOf(SshException.Disconnected.class)
          .satisfies(e -> assertHarmless(String.valueOf(e.getMessage())));
      // Banner, name, instruction, prompt, debug message.
      Awaitility.await().until(() -> shown.size() == 5);
      shown.forEach(BoundsTest::assertHarmless);
    }
  }

  @Test
  void textsOfAClientAreToldEscaped() throws Exception {
    try (var c = RudePeer.connectTo(server.port())) {
      c.identify("SSH-2.0-" + "<\u001b[2J>").kexInit().expectKexInit();
      c.kexAnswer().newKeys().expectNewKeys().requestService();
      c.send(RudePeer.request(EVIL, "none", WireWriter.create())).expect(UserauthFailure.TYPE);
      c.send(new Disconnect(11, EVIL, ""));
      assertHarmless(String.valueOf(end().getMessage()));
    }
    assertThat(events)
        .hasSizeGreaterThan(2)
        .noneMatch(e -> e.toString().chars().anyMatch(x -> x < ' ' || x == 0x9b || x == 0x202e));
  }

  /** Nobody stands in front of the server, so nobody may say who the client is. */
  @Test
  void aProxyHeaderIsNoIdentification() throws Exception {
    for (byte[] header :
        List.of(
            "PROXY TCP4 192.0.2.1 192.0.2.2 1 22\r\nSSH-2.0-x\r\n".getBytes(US_ASCII),
            "\r\n\r\n\0\r\nQUIT\n!\21\0\14abcdefghijklSSH-2.0-x\r\n".getBytes(US_ASCII))) {
      events.clear();
      try (var socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
        socket.setSoTimeout(60_000);
        socket.getOutputStream().write(header);
        socket.getInputStream().readAllBytes();
        assertThat(end()).hasMessageContaining("not an SSH client");
        assertThat(events).noneMatch(e -> e.toString().contains("192.0.2.1:"));
      }
    }
  }

  // ---- The end --------------------------------------------------------------------------------

  @Test
  void aClientThatIsGoneIsFound() throws Exception {
    try (var impatient = start(new Miners(), Duration.ofSeconds(1), 0);
        var c = RudePeer.connectTo(impatient.port())) {
      c.reach(State.OPEN);
      for (int i = 0; i < 2; i++) {
        assertThat(c.expect(GlobalRequest.TYPE).name()).isEqualTo("keepalive@openssh.com");
      }
      c.expectEnd();
      assertThat(end()).hasMessageContaining("not responding");
    }
  }

  @Test
  void aPeerThatNeverClosesLosesItsSocket() throws Exception {
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      socket.setSoTimeout(60_000);
      socket.getOutputStream().write("SSH-1.0-x\r\n".getBytes(US_ASCII));
      // Its goodbye, and then the end of its direction.
      socket.getInputStream().readAllBytes();
      // We do not close. Once the server has, what we send is answered with a reset.
      Awaitility.await()
          .atMost(Duration.ofSeconds(60))
          .until(
              () -> {
                try {
                  socket.getOutputStream().write('x');
                  return false;
                } catch (SocketException e) {
                  return true;
                }
              });
    }
  }

  /** A socket that is closed with unread input sends a reset, which takes the last words along. */
  @Test
  void whatComesBehindTheEndIsReadAndDropped() throws Exception {
    try (var c = RudePeer.connectTo(server.port())) {
      c.reach(State.OPEN);
      c.burst(
          p -> {
            p.payload((byte) MessageNumbers.NEWKEYS);
            for (int i = 0; i < 16; i++) {
              p.send(new Ignore(new byte[60_000]));
            }
          });
      c.expectDisconnect(PROTOCOL_ERROR).expectEnd();
    }
  }
}
