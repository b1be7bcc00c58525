package dev.adit.ssh;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.adit.ssh.wire.AuthMessage.UserauthBanner;
import dev.adit.ssh.wire.AuthMessage.UserauthFailure;
import dev.adit.ssh.wire.AuthMessage.UserauthPasswdChangereq;
import dev.adit.ssh.wire.AuthMessage.UserauthRequest;
import dev.adit.ssh.wire.AuthMessage.UserauthSuccess;
import dev.adit.ssh.wire.ConnectionMessage.ChannelClose;
import dev.adit.ssh.wire.ConnectionMessage.ChannelEof;
import dev.adit.ssh.wire.ConnectionMessage.ChannelOpen;
import dev.adit.ssh.wire.ConnectionMessage.ChannelRequest;
import dev.adit.ssh.wire.ConnectionMessage.ChannelSuccess;
import dev.adit.ssh.wire.ConnectionMessage.GlobalRequest;
import dev.adit.ssh.wire.ConnectionMessage.OpenConfirmation;
import dev.adit.ssh.wire.ConnectionMessage.OpenFailure;
import dev.adit.ssh.wire.ConnectionMessage.RequestFailure;
import dev.adit.ssh.wire.ConnectionMessage.RequestSuccess;
import dev.adit.ssh.wire.ConnectionMessage.WindowAdjust;
import dev.adit.ssh.wire.DisconnectReason;
import dev.adit.ssh.wire.Message;
import dev.adit.ssh.wire.TransportMessage.Debug;
import dev.adit.ssh.wire.TransportMessage.Disconnect;
import dev.adit.ssh.wire.TransportMessage.ExtInfo;
import dev.adit.ssh.wire.TransportMessage.Ignore;
import dev.adit.ssh.wire.TransportMessage.KexInit;
import dev.adit.ssh.wire.TransportMessage.NewKeys;
import dev.adit.ssh.wire.TransportMessage.Ping;
import dev.adit.ssh.wire.TransportMessage.Pong;
import dev.adit.ssh.wire.TransportMessage.ServiceAccept;
import dev.adit.ssh.wire.TransportMessage.Unimplemented;
import dev.adit.ssh.wire.WireWriter;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the client does when a server misbehaves as no real server does. */
class RudePeerTest {
  private static final int PROTOCOL_ERROR = 2;
  private static final int KEY_EXCHANGE_FAILED = 3;
  private static final int MAC_ERROR = 5;
  private static final Duration SHORT = Duration.ofMillis(100);

  private static SshClient client;

  @BeforeAll
  static void makeClient() {
    client = SshClient.create();
  }

  @AfterAll
  static void closeClient() {
    client.close();
  }

  private static ConnectOptions.Builder to(RudePeer peer) {
    return ConnectOptions.to("127.0.0.1")
        .port(peer.port())
        .hostKeyPolicy(HostKeyPolicy.acceptAnyInsecurely());
  }

  private static SshConnection connect(RudePeer peer) throws Exception {
    return client.connect(to(peer).build());
  }

  /** The script must run to its end, and the client must fail with this. */
  private static void fails(Class<? extends SshException> type, String why, RudePeer.Script script)
      throws Exception {
    fails(UnaryOperator.identity(), type, why, script);
  }

  private static void fails(
      UnaryOperator<ConnectOptions.Builder> options,
      Class<? extends SshException> type,
      String why,
      RudePeer.Script script)
      throws Exception {
    try (var peer = RudePeer.start(script)) {
      assertThatThrownBy(() -> client.connect(options.apply(to(peer)).build()))
          .isInstanceOf(type)
          .hasMessageContaining(why.replace("%port", Integer.toString(peer.port())));
      peer.join();
    }
  }

  /** The peer logs the client in, and then the script must end the connection with this. */
  private static void failsLater(String why, RudePeer.Script script) throws Exception {
    try (var peer =
            RudePeer.start(
                p -> {
                  p.handshake().authenticate();
                  script.run(p);
                });
        var connection = connect(peer)) {
      assertThat(connection.closed().get(10, TimeUnit.SECONDS)).hasMessageContaining(why);
      peer.join();
    }
  }

  // ---- Identification -------------------------------------------------------------------------

  @Test
  void serverClosesBeforeItIdentifies() throws Exception {
    fails(
        SshException.Disconnected.class,
        "kex_exchange_identification: Connection closed by 127.0.0.1 port %port",
        RudePeer::finish);
  }

  /** Many times: the server may be gone before, while or after the client begins to read. */
  @RepeatedTest(50)
  void serverIsNotSsh() throws Exception {
    fails(
        SshException.Disconnected.class,
        "it is not an SSH server: it sent \"HTTP/1.1 400 Bad\\x1b Request\"",
        peer -> {
          peer.raw("HTTP/1.1 400 Bad\u001b Request\r\nServer: x\r\n\r\n".getBytes(US_ASCII));
          peer.finish();
        });
  }

  @Test
  void linesBeforeTheIdentificationArePassedOver() throws Exception {
    try (var peer =
            RudePeer.start(
                p -> {
                  p.raw("Welcome\r\n\r\nto this server\n".getBytes(US_ASCII));
                  p.handshake().authenticate().expectEnd();
                });
        var connection = connect(peer)) {
      assertThat(connection.serverIdentification()).isEqualTo("SSH-2.0-rude_1.0");
      assertThat(connection.remoteAddress()).isEqualTo("127.0.0.1 port " + peer.port());
      assertThat(connection.authenticatedMethod()).isEqualTo("none");
    }
  }

  @Test
  void aLineWithoutEnd() throws Exception {
    fails(
        SshException.PeerMisbehaved.class,
        "Connection to 127.0.0.1 port %port: not an SSH server: it sends a line of more than 8192",
        peer -> peer.raw(new byte[9000]).expectEndOfLines());
    fails(
        SshException.PeerMisbehaved.class,
        "a line of more than 255 bytes",
        peer -> peer.raw(("SSH-2.0-" + "x".repeat(300)).getBytes(US_ASCII)).expectEndOfLines());
  }

  @Test
  void linesWithoutEnd() throws Exception {
    fails(
        SshException.PeerMisbehaved.class,
        "too many lines",
        peer -> peer.raw("x\n".repeat(1025).getBytes(US_ASCII)).expectEndOfLines());
  }

  @Test
  void anotherMajorVersion() throws Exception {
    fails(
        SshException.PeerMisbehaved.class,
        "Protocol major versions differ: 2 vs. 1",
        peer -> peer.raw("SSH-1.5-old\n".getBytes(US_ASCII)).expectEndOfLines());
  }

  @Test
  void serverThatSaysNothing() throws Exception {
    fails(
        o -> o.connectTimeout(SHORT),
        SshException.Disconnected.class,
        "Connection to 127.0.0.1 port %port timed out during banner exchange",
        RudePeer::expectEndOfLines);
    fails(
        o -> o.handshakeTimeout(SHORT),
        SshException.Disconnected.class,
        "timed out during banner exchange",
        RudePeer::expectEndOfLines);
  }

  // ---- Key exchange ---------------------------------------------------------------------------

  @Test
  void serverThatSticksInTheKeyExchange() throws Exception {
    UnaryOperator<ConnectOptions.Builder> impatient = o -> o.handshakeTimeout(SHORT);
    String why = "Connection to 127.0.0.1 port %port timed out during the key exchange";
    Class<? extends SshException> type = SshException.Disconnected.class;
    fails(impatient, type, why, peer -> peer.identify().expectEnd());
    fails(impatient, type, why, peer -> peer.identify().kexInit().expectEnd());
    // The time that a person takes to judge the key doesn't count, but what follows does.
    fails(
        impatient,
        type,
        why,
        peer -> peer.identify().kexInit().expectKexInit().kexReply().expectNewKeys().expectEnd());
    fails(impatient, type, "timed out before authentication", peer -> peer.handshake().expectEnd());
  }

  static List<Message> extras() {
    return List.of(
        new Ignore(new byte[3]),
        new Debug(false, "hello", ""),
        new Unimplemented(0),
        new ExtInfo(Map.of()),
        new ServiceAccept("ssh-userauth"),
        new UserauthSuccess(),
        new Ping(new byte[0]),
        new NewKeys(),
        new RequestSuccess(new byte[0]));
  }

  @ParameterizedTest
  @MethodSource("extras")
  void nothingExtraInAStrictKeyExchange(Message extra) throws Exception {
    Class<? extends SshException> type = SshException.PeerMisbehaved.class;
    fails(type, "", p -> p.identify().send(extra).kexInit().expectDisconnect(PROTOCOL_ERROR));
    fails(type, "", p -> p.identify().kexInit().send(extra).expectDisconnect(PROTOCOL_ERROR));
    fails(
        type,
        "",
        p ->
            p.identify()
                .kexInit()
                .expectKexInit()
                .kexReply()
                .send(extra)
                .expectNewKeysOr(PROTOCOL_ERROR, extra));
  }

  @Test
  void ignoreAndDebugAreLegalWithoutStrictKeyExchange() throws Exception {
    KexInit lax = RudePeer.kexInit("curve25519-sha256");
    try (var peer =
            RudePeer.start(
                p ->
                    p.identify()
                        .send(new Ignore(new byte[3]))
                        .kexInit(lax)
                        .send(new Debug(false, "hello", ""))
                        .expectKexInit()
                        .kexReply()
                        .send(new Ignore(new byte[0]))
                        .newKeys()
                        .expectNewKeys()
                        .authenticate()
                        .expectEnd());
        var connection = connect(peer)) {
      assertThat(connection.handshake().strict()).isFalse();
    }
  }

  @Test
  void aSecondKexInit() throws Exception {
    fails(
        SshException.PeerMisbehaved.class,
        "KEXINIT",
        p -> p.identify().kexInit().kexInit().expectDisconnect(PROTOCOL_ERROR));
  }

  @Test
  void noCommonAlgorithm() throws Exception {
    fails(
        o -> o.ciphers(List.of("aes256-ctr", "aes256-gcm@openssh.com")),
        SshException.NegotiationFailed.class,
        "Unable to negotiate with 127.0.0.1 port %port: no matching cipher found."
            + " Their offer: aes128-gcm@openssh.com; ours: aes256-ctr,aes256-gcm@openssh.com",
        p -> p.identify().kexInit().expectDisconnect(KEY_EXCHANGE_FAILED));
    // Flags are no algorithms.
    fails(
        SshException.NegotiationFailed.class,
        "no matching key exchange method found. Their offer: x; ours: ",
        p -> p.identify().kexInit(RudePeer.kexInit("x", "ext-info-c")).expectDisconnect(3));
  }

  @Test
  void disconnectDuringKeyExchange() throws Exception {
    for (boolean strict : new boolean[] {true, false}) {
      fails(
          SshException.Disconnected.class,
          "Received disconnect from 127.0.0.1 port %port:12: go\\x1b away",
          p -> {
            p.identify();
            if (strict) {
              p.kexInit();
            }
            p.send(new Disconnect(12, "go\u001b away", "")).finish();
          });
    }
  }

  @Test
  void closeDuringKeyExchange() throws Exception {
    fails(
        SshException.Disconnected.class,
        "Connection closed by 127.0.0.1 port %port",
        p -> {
          p.identify().kexInit().expectKexInit().read();
          p.close();
        });
  }

  @Test
  void aSignatureOverSomethingElse() throws Exception {
    fails(
        SshException.PeerMisbehaved.class,
        "signature",
        p ->
            p.identify()
                .kexInit()
                .expectKexInit()
                .kexReply(
                    value -> {
                      // Still a value that works, but not the one that was signed.
                      value[3] ^= 1;
                      return value;
                    })
                .expectDisconnect(KEY_EXCHANGE_FAILED));
  }

  /** The user agreed to one host key, and that is the one that must prove each key exchange. */
  @Test
  void anotherHostKeyInALaterKeyExchange() throws Exception {
    failsLater(
        "changed its host key",
        p ->
            p.holding(Miners.A)
                .kexInit(RudePeer.kexInit("curve25519-sha256"))
                .expectKexInit()
                .kexReply()
                .expectDisconnect(DisconnectReason.HOST_KEY_NOT_VERIFIABLE));
  }

  @Test
  void aWrongGuessIsPassedOver() throws Exception {
    KexInit guessing =
        RudePeer.kexInit(
            List.of("no-such-method", "curve25519-sha256", RudePeer.STRICT),
            "aes128-gcm@openssh.com",
            "hmac-sha2-256",
            "none",
            true);
    try (var peer =
            RudePeer.start(
                p ->
                    p.identify()
                        .kexInit(guessing)
                        .payload((byte) 31, (byte) 0)
                        .expectKexInit()
                        .method("curve25519-sha256")
                        .kexReply()
                        .newKeys()
                        .expectNewKeys()
                        .authenticate()
                        .expectEnd());
        var connection = connect(peer)) {
      assertThat(connection.handshake().kex()).isEqualTo("curve25519-sha256");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "mlkem768x25519-sha256",
        "sntrup761x25519-sha512",
        "curve25519-sha256",
        "ecdh-sha2-nistp521"
      })
  void methodsThatARealServerMayLack(String method) throws Exception {
    try (var peer =
            RudePeer.start(
                p ->
                    p.handshake(RudePeer.kexInit(method, RudePeer.STRICT))
                        .authenticate()
                        .expectEnd());
        var connection = connect(peer)) {
      assertThat(connection.handshake().kex()).isEqualTo(method);
    }
  }

  /** With a cipher whose nonce is the sequence number, so that each side sees the other's. */
  @Test
  void strictKeyExchangeStartsTheSequenceNumbersAgain() throws Exception {
    try (var peer =
            RudePeer.start(
                p -> {
                  p.handshake(chacha(RudePeer.STRICT)).authenticate();
                  p.expectAnswer(new Ping(new byte[1]), Pong.TYPE);
                  p.kexInit(chacha()).expectKexInit().kexReply().newKeys().expectNewKeys();
                  p.expectAnswer(new Ping(new byte[1]), Pong.TYPE).payload((byte) 200);
                  assertThat(p.expect(Unimplemented.TYPE).sequence()).isOne();
                  p.expectEnd();
                });
        var connection = connect(peer)) {
      peer.awaitIdle();
      assertThat(connection.handshake().first()).isFalse();
    }
  }

  private static KexInit chacha(String... flags) {
    return RudePeer.kexInit(
        Stream.concat(Stream.of("curve25519-sha256"), Stream.of(flags)).toList(),
        "chacha20-poly1305@openssh.com",
        "hmac-sha2-256",
        "none",
        false);
  }

  // ---- Packets --------------------------------------------------------------------------------

  @Test
  void everyLegalPaddingIsTaken() throws Exception {
    try (var peer =
            RudePeer.start(
                p -> {
                  p.handshake();
                  for (int padding = 4; padding < 256; padding++) {
                    // 1 + payload + padding must be whole blocks of 16.
                    int payload = 5 + Math.floorMod(16 - 1 - 5 - padding, 16);
                    p.packet(new Ignore(new byte[payload - 5]).toBytes(), padding);
                  }
                  p.authenticate().expectEnd();
                });
        var connection = connect(peer)) {
      assertThat(connection.closed()).isNotDone();
    }
  }

  @Test
  void aFlippedBit() throws Exception {
    fails(
        SshException.PeerMisbehaved.class,
        "damaged or forged",
        p ->
            p.handshake()
                .raw(WireWriter.create().writeUint32(16).writeBytes(new byte[32]).toBytes())
                .expectDisconnect(MAC_ERROR));
  }

  // ---- Authentication -------------------------------------------------------------------------

  @Test
  void successBeforeAnythingWasAsked() throws Exception {
    fails(
        SshException.PeerMisbehaved.class,
        "USERAUTH_SUCCESS",
        p -> p.handshake().send(new UserauthSuccess()).expectDisconnect(PROTOCOL_ERROR));
  }

  @Test
  void bannersExtensionsAndAKeyExchangeInTheMiddleOfALogin() throws Exception {
    CountDownLatch rekeyed = new CountDownLatch(1);
    var person =
        new UserInteraction() {
          @Override
          public char @Nullable [] askSecret(String prompt) {
            try {
              // The answer comes only once the keys have changed under the question.
              return rekeyed.await(10, TimeUnit.SECONDS) ? "secret".toCharArray() : null;
            } catch (InterruptedException e) {
              return null;
            }
          }
        };
    try (var peer =
            RudePeer.start(
                p -> {
                  p.handshake().expectAuthentication();
                  p.send(new UserauthBanner("hello", ""))
                      .send(new ExtInfo(Map.of("server-sig-algs", new byte[0])))
                      .send(new UserauthFailure(List.of("password"), false));
                  p.kexInit().expectKexInit().kexReply().newKeys().expectNewKeys();
                  rekeyed.countDown();
                  assertThat(p.expect(UserauthRequest.TYPE).method()).isEqualTo("password");
                  // What follows SUCCESS in the same burst belongs to the next protocol.
                  p.send(new ExtInfo(Map.of()))
                      .send(new UserauthSuccess())
                      .send(new GlobalRequest("hostkeys-00@openssh.com", false, new byte[0]))
                      .send(new GlobalRequest("keepalive@openssh.com", true, new byte[0]));
                  p.expect(RequestFailure.TYPE);
                  p.expectEnd();
                });
        var connection = client.connect(to(peer).interaction(person).build())) {
      assertThat(connection.authenticatedMethod()).isEqualTo("password");
      assertThat(connection.handshake().first()).isFalse();
    }
  }

  @Test
  void onlyThePreferredMethodsAreTriedAndInTheirOrder() throws Exception {
    var refusal =
        new UserauthFailure(List.of("publickey", "password", "keyboard-interactive"), false);
    fails(
        options ->
            options
                .authentications(List.of("password", "keyboard-interactive"))
                .passwordPrompts(1)
                .interaction(secretary(new ArrayList<>())),
        SshException.AuthenticationFailed.class,
        "Permission denied (publickey,password,keyboard-interactive).",
        p -> {
          p.handshake().expectAuthentication().send(refusal);
          assertThat(p.expect(UserauthRequest.TYPE).method()).isEqualTo("password");
          p.send(refusal);
          assertThat(p.expect(UserauthRequest.TYPE).method()).isEqualTo("keyboard-interactive");
          p.send(refusal).expect(Disconnect.TYPE);
        });
  }

  @Test
  void aPasswordIsWipedOnceItWasSent() throws Exception {
    char[] old = "secret".toCharArray();
    char[] fresh = "newer".toCharArray();
    char[] again = "newer".toCharArray();
    Deque<char[]> answers = new ArrayDeque<>(List.of(old, fresh, again));
    var person =
        new UserInteraction() {
          @Override
          public char[] askSecret(String prompt) {
            return answers.remove();
          }
        };
    try (var peer =
            RudePeer.start(
                p -> {
                  p.handshake().expectAuthentication();
                  p.send(new UserauthFailure(List.of("password"), false));
                  assertThat(p.expect(UserauthRequest.TYPE).methodFields())
                      .isEqualTo(
                          WireWriter.create().writeBoolean(false).writeString("secret").toBytes());
                  p.send(new UserauthPasswdChangereq("too old", ""));
                  assertThat(p.expect(UserauthRequest.TYPE).methodFields())
                      .isEqualTo(
                          WireWriter.create()
                              .writeBoolean(true)
                              .writeString("secret")
                              .writeString("newer")
                              .toBytes());
                  p.send(new UserauthSuccess()).expectEnd();
                });
        var connection = client.connect(to(peer).interaction(person).build())) {
      assertThat(connection.authenticatedMethod()).isEqualTo("password");
    }
    assertThat(List.of(old, fresh, again))
        .allMatch(chars -> Arrays.equals(chars, new char[chars.length]));
    assertThat(answers).isEmpty();
  }

  @Test
  void aServerThatNobodyKnowsGetsNoSecret() throws Exception {
    List<String> asked = new CopyOnWriteArrayList<>();
    fails(
        options ->
            options
                .hostKeyPolicy((_, _, _, _) -> HostKeyPolicy.Trust.UNVERIFIED)
                .interaction(secretary(asked)),
        SshException.AuthenticationFailed.class,
        "Permission denied (password,keyboard-interactive).",
        p ->
            p.handshake()
                .expectAuthentication()
                .send(new UserauthFailure(List.of("password", "keyboard-interactive"), false))
                .expect(Disconnect.TYPE));
    assertThat(asked).isEmpty();
  }

  /** Tells the secret to everybody who asks. */
  private static UserInteraction secretary(List<String> asked) {
    return new UserInteraction() {
      @Override
      public char[] askSecret(String prompt) {
        asked.add(prompt);
        return "secret".toCharArray();
      }
    };
  }

  @Test
  void theKeysOfTheServerMayNotChangeUnnoticed() throws Exception {
    try (var peer =
        RudePeer.start(
            p ->
                p.handshake()
                    .expectAuthentication()
                    .kexInit(RudePeer.kexInit("no-such-method"))
                    .expectDisconnect(KEY_EXCHANGE_FAILED))) {
      assertThatThrownBy(() -> connect(peer)).isInstanceOf(SshException.NegotiationFailed.class);
      peer.join();
    }
  }

  // ---- The open connection --------------------------------------------------------------------

  @Test
  void aPingIsAnsweredAndWhatNobodyAskedForIsRefused() throws Exception {
    byte[] origin =
        WireWriter.create()
            .writeString("localhost")
            .writeUint32(8080)
            .writeString("192.0.2.1")
            .writeUint32(1234)
            .toBytes();
    try (var peer =
            RudePeer.start(
                p -> {
                  p.handshake().authenticate().send(new Ping(new byte[] {1, 2, 3}));
                  assertThat(p.expect(Pong.TYPE).data()).containsExactly(1, 2, 3);
                  p.payload((byte) 200);
                  p.expect(Unimplemented.TYPE);
                  p.send(new ChannelOpen("forwarded-tcpip", 7, 1000, 1000, origin));
                  assertThat(p.expect(OpenFailure.TYPE).recipient()).isEqualTo(7);
                  p.send(new ChannelOpen("auth-agent@openssh.com", 8, 1000, 1000, new byte[0]));
                  assertThat(p.expect(OpenFailure.TYPE).recipient()).isEqualTo(8);
                  p.send(new ChannelOpen("session", 9, 1000, 1000, new byte[0]));
                  assertThat(p.expect(OpenFailure.TYPE).recipient()).isEqualTo(9);
                  p.expectEnd();
                });
        var connection = connect(peer)) {
      peer.awaitIdle();
      assertThat(connection.closed()).isNotDone();
    }
  }

  /** What the peer does with a channel that the client asks for. */
  private interface ChannelScript {
    void run(RudePeer peer, ChannelOpen open) throws Exception;
  }

  /** The client opens a session, the peer confirms, and the script must end the connection. */
  private static void channelFails(String why, ChannelScript script) throws Exception {
    failsWithChannel(
        why,
        (p, open) -> {
          p.send(new OpenConfirmation(open.sender(), 5, 1000, 1000, new byte[0]));
          script.run(p, open);
        });
  }

  /** As {@link #channelFails}, but the script confirms. */
  private static void failsWithChannel(String why, ChannelScript script) throws Exception {
    try (var peer =
            RudePeer.start(
                p -> {
                  p.handshake().authenticate();
                  script.run(p, p.expect(ChannelOpen.TYPE));
                  p.expectDisconnect(PROTOCOL_ERROR);
                });
        var connection = connect(peer)) {
      Thread.ofVirtual()
          .start(
              () -> {
                try {
                  // Nobody reads what comes, so no window goes back.
                  var _ = connection.openSession();
                } catch (SshException | InterruptedException e) {
                  // The connection has ended, and says why.
                }
              });
      assertThat(connection.closed().get(10, TimeUnit.SECONDS)).hasMessageContaining(why);
      peer.join();
    }
  }

  private static byte[] data(int recipient, int length) {
    return WireWriter.create()
        .writeByte(94)
        .writeUint32(recipient)
        .writeString(new byte[length])
        .toBytes();
  }

  @Test
  void aChannelWhosePacketsMayHoldNothing() throws Exception {
    failsLater(
        "may hold 0 bytes",
        p ->
            p.send(new ChannelOpen("forwarded-tcpip", 1, 1000, 0, new byte[0]))
                .expectDisconnect(PROTOCOL_ERROR));
  }

  @Test
  void dataBeyondTheWindow() throws Exception {
    channelFails(
        "whose window has 0 left",
        (p, open) -> {
          int packet = (int) open.maximumPacket();
          for (long left = open.initialWindow(); left > 0; left -= packet) {
            p.payload(data(open.sender(), (int) Math.min(packet, left)));
          }
          p.payload(data(open.sender(), 1));
        });
  }

  @Test
  void aPacketBeyondTheMaximum() throws Exception {
    channelFails(
        "bytes in one packet for channel 0",
        (p, open) -> p.payload(data(open.sender(), (int) open.maximumPacket() + 1)));
  }

  @Test
  void aWindowBeyond32Bits() throws Exception {
    channelFails(
        "adjusted beyond 2^32-1",
        (p, open) -> p.send(new WindowAdjust(open.sender(), 0xffffffffL - 1000 + 1)));
  }

  @Test
  void dataAndEofBehindAnEof() throws Exception {
    channelFails(
        "data after EOF",
        (p, open) -> p.send(new ChannelEof(open.sender())).payload(data(open.sender(), 1)));
    channelFails(
        "EOF twice",
        (p, open) -> p.send(new ChannelEof(open.sender())).send(new ChannelEof(open.sender())));
  }

  @Test
  void aChannelThatBothHaveClosed() throws Exception {
    for (Message late :
        List.<Message>of(
            new ChannelClose(0),
            new ChannelEof(0),
            new ChannelRequest(0, "x", true, new byte[0]))) {
      channelFails("not open", (p, open) -> p.send(new ChannelClose(open.sender())).send(late));
    }
  }

  @Test
  void answersThatNothingAwaits() throws Exception {
    channelFails(
        "which awaits none",
        (p, open) -> p.send(new OpenConfirmation(open.sender(), 6, 1000, 1000, new byte[0])));
    channelFails("which awaits none", (p, _) -> p.send(new OpenFailure(77, 2, "", "")));
    channelFails("was never made", (p, open) -> p.send(new ChannelSuccess(open.sender())));
  }

  @Test
  void aChannelWithoutRoomForAByte() throws Exception {
    failsWithChannel(
        "may hold 0 bytes",
        (p, open) -> p.send(new OpenConfirmation(open.sender(), 5, 1000, 0, new byte[0])));
  }

  @Test
  void questionsWithoutEndWhoseAnswersNobodyReads() throws Exception {
    try (var peer =
            RudePeer.start(
                p -> {
                  p.handshake().authenticate();
                  var ping = new Ping(new byte[32 * 1024]);
                  try {
                    for (int i = 0; i < 10_000; i++) {
                      p.send(ping);
                    }
                  } catch (IOException e) {
                    // The client has hung up.
                  }
                });
        var connection = connect(peer)) {
      assertThat(connection.closed().get(20, TimeUnit.SECONDS))
          .hasMessageContaining("has not read");
      peer.join();
    }
  }

  @Test
  void aReplyToNothing() throws Exception {
    failsLater(
        "never made",
        p -> p.send(new RequestSuccess(new byte[0])).expectDisconnect(PROTOCOL_ERROR));
  }

  @Test
  void dataForAChannelThatIsNotThere() throws Exception {
    failsLater(
        "not open",
        p ->
            p.payload(WireWriter.create().writeByte(94).writeUint32(5).writeString("x").toBytes())
                .expectDisconnect(PROTOCOL_ERROR));
  }

  @Test
  void channelMessagesInsideAKeyExchange() throws Exception {
    failsLater(
        "inside its own key exchange",
        p ->
            p.kexInit()
                .send(new GlobalRequest("keepalive@openssh.com", true, new byte[0]))
                .expectDisconnect(PROTOCOL_ERROR));
  }

  @Test
  void serverThatNeverFinishesARekey() throws Exception {
    try (var peer = RudePeer.start(p -> p.handshake().authenticate().kexInit().expectEnd());
        var connection =
            client.connect(to(peer).handshakeTimeout(Duration.ofMillis(500)).build())) {
      assertThat(connection.closed().get(10, TimeUnit.SECONDS))
          .hasMessageContaining("timed out during a key exchange");
      peer.join();
    }
  }

  @Test
  void bothSidesBeginAKeyExchangeAtOnce() throws Exception {
    CompletableFuture<Void> exchanged = new CompletableFuture<>();
    try (var peer =
            RudePeer.start(
                p -> {
                  p.handshake().authenticate();
                  p.expectKexInit();
                  // Sent before ours, as far as the client can tell: legal until our KEXINIT.
                  p.send(new GlobalRequest("keepalive@openssh.com", true, new byte[0]));
                  p.kexInit().kexReply().newKeys().expectNewKeys();
                  p.expect(RequestFailure.TYPE);
                  exchanged.complete(null);
                  p.expectEnd();
                });
        var connection = connect(peer)) {
      connection.rekey();
      exchanged.get(10, TimeUnit.SECONDS);
      assertThat(connection.closed()).isNotDone();
    }
  }

  @Test
  void aLimitThatTheLastMessageOfAKeyExchangeReachesBringsNoSecondOne() throws Exception {
    int limit = 100_000;
    CompletableFuture<Void> exchanged = new CompletableFuture<>();
    try (var peer =
            RudePeer.start(
                p -> {
                  p.reach(RudePeer.State.REKEYING).kexReply();
                  p.fillUpTo(limit).newKeys().expectNewKeys();
                  for (int i = 0; i < 20; i++) {
                    // A KEXINIT would come between.
                    p.expectAnswer(
                        new GlobalRequest("keepalive@openssh.com", true, new byte[0]),
                        RequestFailure.TYPE);
                  }
                  exchanged.complete(null);
                  p.expectEnd();
                });
        var connection = client.connect(to(peer).rekeyLimit(limit, Duration.ZERO).build())) {
      CompletableFuture.anyOf(exchanged, connection.closed()).get(30, TimeUnit.SECONDS);
      assertThat(exchanged).isCompleted();
    }
  }

  @Test
  void aHalfOpenServerIsFoundByKeepalives() throws Exception {
    try (var peer = RudePeer.start(p -> p.handshake().authenticate().expectEnd());
        var connection = client.connect(to(peer).serverAlive(Duration.ofMillis(50), 2).build())) {
      assertThat(connection.closed().get(10, TimeUnit.SECONDS))
          .hasMessage("Timeout, server 127.0.0.1 not responding.");
    }
  }

  @Test
  void serverGoesAway() throws Exception {
    failsLater(
        "closed by remote host.", p -> p.expectAnswer(new Ping(new byte[0]), Pong.TYPE).close());
    failsLater(
        ":11: shutting down", p -> p.send(new Disconnect(11, "shutting down", "")).expectEnd());
  }

  // ---- Before SSH -----------------------------------------------------------------------------

  @Test
  void nobodyListens() throws Exception {
    int port;
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    var options = ConnectOptions.to("127.0.0.1").port(port);
    assertThatThrownBy(() -> client.connect(options.build()))
        .hasMessage("connect to host 127.0.0.1 port " + port + ": Connection refused");
    assertThatThrownBy(
            () -> client.connect(options.bindAddress(InetAddress.getByName("192.0.2.1")).build()))
        .hasMessage("connect to host 127.0.0.1 port " + port + ": Cannot assign requested address");
  }

  @Test
  void aNameThatDoesNotExist() throws Exception {
    assertThatThrownBy(() -> client.connect(ConnectOptions.to("no-such-host.invalid").build()))
        .hasMessageMatching("Could not resolve hostname no-such-host.invalid: [A-Z][a-z ]+");
    assertThatThrownBy(
            () ->
                client.connect(
                    ConnectOptions.to("127.0.0.1")
                        .addressFamily(java.net.StandardProtocolFamily.INET6)
                        .build()))
        .hasMessage(
            "Could not resolve hostname 127.0.0.1: Address family for hostname not supported");
  }
}
