package dev.adit.ssh;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.ssh.wire.AuthMessage.UserauthFailure;
import dev.adit.ssh.wire.AuthMessage.UserauthInfoRequest;
import dev.adit.ssh.wire.AuthMessage.UserauthInfoResponse;
import dev.adit.ssh.wire.AuthMessage.UserauthPkOk;
import dev.adit.ssh.wire.AuthMessage.UserauthRequest;
import dev.adit.ssh.wire.AuthMessage.UserauthSuccess;
import dev.adit.ssh.wire.ConnectionMessage.ChannelOpen;
import dev.adit.ssh.wire.ConnectionMessage.GlobalRequest;
import dev.adit.ssh.wire.ConnectionMessage.RequestFailure;
import dev.adit.ssh.wire.ConnectionMessage.RequestSuccess;
import dev.adit.ssh.wire.DisconnectReason;
import dev.adit.ssh.wire.TransportMessage.ExtInfo;
import dev.adit.ssh.wire.TransportMessage.Ignore;
import dev.adit.ssh.wire.TransportMessage.KexGexGroup;
import dev.adit.ssh.wire.TransportMessage.KexGexRequest;
import dev.adit.ssh.wire.TransportMessage.KexInit;
import dev.adit.ssh.wire.TransportMessage.ServiceRequest;
import dev.adit.ssh.wire.WireWriter;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the server does when a client misbehaves as no real client does. */
class RudeClientTest {
  private static final int PROTOCOL_ERROR = DisconnectReason.PROTOCOL_ERROR;
  private static final Duration SHORT = Duration.ofMillis(100);
  private static final HostKey HOST_KEY = HostKey.generate();
  private static final String USER = Miners.USER;
  private static final byte[] A = Miners.A;
  private static final byte[] B = Miners.B;
  private static final byte[] STRANGER = "the private key of nobody known.".getBytes(US_ASCII);

  private final List<ServerEvent> events = new CopyOnWriteArrayList<>();
  private final Miners miners = new Miners();
  private SshServer server = start(options());

  private ServerOptions.Builder options() {
    return ServerOptions.with(miners).hostKey(HOST_KEY).eventLoops(1).events(events::add);
  }

  private static SshServer start(ServerOptions.Builder options) {
    try {
      return SshServer.start(options.build());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private void restart(ServerOptions.Builder options) {
    server.close();
    server = start(options);
  }

  @BeforeEach
  void forget() {
    events.clear();
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private RudePeer client() throws Exception {
    return RudePeer.connectTo(server.port());
  }

  /** How the server tells the end of the one connection that there was. */
  private SshException end() {
    Awaitility.await().until(() -> count(ServerEvent.Disconnected.class) == 1);
    return ((ServerEvent.Disconnected) events.getLast()).cause();
  }

  private long count(Class<? extends ServerEvent> type) {
    return events.stream().filter(type::isInstance).count();
  }

  private static UserauthRequest none(String user) {
    return RudePeer.request(user, "none", WireWriter.create());
  }

  private static UserauthRequest password(String password) {
    return RudePeer.request(
        USER, "password", WireWriter.create().writeBoolean(false).writeString(password));
  }

  private static ChannelOpen session() {
    return new ChannelOpen("session", 0, 1000, 1000, new byte[0]);
  }

  // ---- Identification -------------------------------------------------------------------------

  @Test
  void aLineWithoutEnd() throws Exception {
    try (var c = client()) {
      c.raw(new byte[256]).expectEndOfLines();
      assertThat(end()).hasMessageContaining("not an SSH client: it sends a line of more than");
    }
  }

  @Test
  void noLinesBeforeTheIdentification() throws Exception {
    try (var c = client()) {
      c.raw("GET / HTTP/1.1\r\n".getBytes(US_ASCII)).expectEndOfLines();
      assertThat(end()).hasMessage("not an SSH client: it sent \"GET / HTTP/1.1\"");
    }
  }

  @Test
  void anotherMajorVersion() throws Exception {
    try (var c = client()) {
      c.raw("SSH-1.5-old\n".getBytes(US_ASCII)).expectEndOfLines();
      assertThat(end()).hasMessage("Protocol major versions differ: 2 vs. 1");
    }
  }

  // ---- Key exchange ---------------------------------------------------------------------------

  @Test
  void aGroupExchangeKeepsToTheClientsLimits() throws Exception {
    KexInit kexInit =
        RudePeer.kexInit("diffie-hellman-group-exchange-sha256", RudePeer.STRICT_CLIENT);
    record Sizes(long min, long preferred, long max, int chosen) {}
    for (Sizes sizes :
        List.of(
            new Sizes(1024, 2048, 8192, 2048),
            new Sizes(2048, 3072, 8192, 3072),
            new Sizes(2048, 8192, 4096, 4096),
            new Sizes(2048, 5000, 0xffffffffL, 6144),
            new Sizes(4097, 1024, 8192, 6144))) {
      try (var c = client()) {
        c.identify().kexInit(kexInit).expectKexInit();
        c.send(new KexGexRequest(sizes.min, sizes.preferred, sizes.max));
        assertThat(c.expect(KexGexGroup.TYPE).p().bitLength()).isEqualTo(sizes.chosen);
      }
    }
    for (Sizes none : List.of(new Sizes(1024, 1024, 2047, 0), new Sizes(8193, 9000, 10000, 0))) {
      try (var c = client()) {
        c.identify().kexInit(kexInit).expectKexInit();
        c.send(new KexGexRequest(none.min, none.preferred, none.max));
        c.expectDisconnect(DisconnectReason.KEY_EXCHANGE_FAILED);
      }
    }
  }

  @Test
  void extensionInfoOnlyForThoseWhoAsk() throws Exception {
    try (var c = client()) {
      c.handshake(RudePeer.kexInit("curve25519-sha256", RudePeer.STRICT_CLIENT, "ext-info-c"));
      var extensions = c.expect(ExtInfo.TYPE).extensions();
      assertThat(extensions).containsKeys("ping@openssh.com", "publickey-hostbound@openssh.com");
      assertThat(new String(extensions.get("server-sig-algs"), US_ASCII))
          .contains("ssh-ed25519,", "rsa-sha2-512,rsa-sha2-256")
          .doesNotContain("cert", "ssh-rsa");
      c.login(USER, A);
    }
  }

  @Test
  void aClientThatNeverFinishesARekey() throws Exception {
    restart(options().rekeyTimeout(SHORT));
    events.clear();
    try (var c = client()) {
      c.handshake().login(USER, A).kexInit(RudePeer.kexInit("curve25519-sha256")).expectEnd();
      assertThat(end()).hasMessageContaining("timed out during a key exchange");
    }
  }

  @Test
  void keysMayBeRenewedInTheMiddleOfALogin() throws Exception {
    try (var c = client()) {
      c.handshake().requestService().rekey();
      c.send(none(USER)).expect(UserauthFailure.TYPE);
      c.rekey().send(new Ignore(new byte[3])).login(USER, A).expect(GlobalRequest.TYPE);
      c.rekey().expectAnswer(new GlobalRequest("x", true, new byte[0]), RequestFailure.TYPE);
    }
  }

  // ---- Authentication -------------------------------------------------------------------------

  @Test
  void aServiceThatIsNotThere() throws Exception {
    try (var c = client()) {
      c.handshake()
          .send(new ServiceRequest("ssh-connection"))
          .expectDisconnect(DisconnectReason.SERVICE_NOT_AVAILABLE);
      assertThat(end()).hasMessage("bad service request ssh-connection");
    }
  }

  @Test
  void aLoginWithoutTheServiceRequest() throws Exception {
    try (var c = client()) {
      c.handshake().send(none(USER)).expectDisconnect(PROTOCOL_ERROR);
    }
  }

  @Test
  void anOfferedKeyIsNotAProvenKey() throws Exception {
    try (var c = client()) {
      c.handshake().requestService();
      // A is offered; then B's owner shows A's key, and signs with B.
      c.send(RudePeer.query(USER, A)).expect(UserauthPkOk.TYPE);
      c.send(c.proof(USER, A, B)).expect(UserauthFailure.TYPE);
      assertThat(count(ServerEvent.LoggedIn.class)).isZero();
      // A is offered, B is proven: in goes B.
      c.send(RudePeer.query(USER, A)).expect(UserauthPkOk.TYPE);
      c.send(c.proof(USER, B, B)).expect(UserauthSuccess.TYPE);
      c.expect(GlobalRequest.TYPE);
      c.close();
      end();
      assertThat(((ServerEvent.Disconnected) events.getLast()).user()).isEqualTo("B");
    }
  }

  @Test
  void aSignatureForAnotherUserOrAnotherConnection() throws Exception {
    UserauthRequest recorded;
    try (var c = client()) {
      recorded = c.handshake().requestService().proof(USER, A, A);
    }
    try (var c = client()) {
      c.handshake().requestService().send(recorded).expect(UserauthFailure.TYPE);
      var other = c.proof("other", A, A);
      c.send(new UserauthRequest(USER, other.service(), other.method(), other.methodFields()))
          .expect(UserauthFailure.TYPE);
      c.send(c.proof(USER, A, A)).expect(UserauthSuccess.TYPE);
    }
  }

  @Test
  void aSignatureThatIsBoundToAnotherHostKey() throws Exception {
    try (var c = client()) {
      c.handshake().requestService();
      c.send(c.boundProof(USER, RudePeer.publicKey(B), A)).expect(UserauthFailure.TYPE);
      assertThat(((ServerEvent.LoginFailed) events.getLast()).why())
          .isEqualTo("it was meant for another host key");
      c.send(c.boundProof(USER, null, A)).expect(UserauthSuccess.TYPE);
    }
  }

  @Test
  void anotherUserInTheMiddle() throws Exception {
    try (var c = client()) {
      c.handshake().requestService().send(none(USER)).expect(UserauthFailure.TYPE);
      c.send(c.proof("root", A, A)).expectDisconnect(PROTOCOL_ERROR);
      assertThat(end())
          .hasMessage(
              "Change of username or service not allowed:"
                  + " (miner,ssh-connection) -> (root,ssh-connection)");
    }
  }

  /** For a user that nobody knows as for a wrong key: never sooner than the least delay. */
  @Test
  void aRefusalTakesItsTime() throws Exception {
    for (String user : List.of(USER, "nobody")) {
      for (UserauthRequest wrong :
          List.of(
              RudePeer.query(user, STRANGER),
              RudePeer.request(
                  user,
                  "password",
                  WireWriter.create().writeBoolean(false).writeString("wrong")))) {
        try (var c = client()) {
          c.handshake().requestService();
          long asked = System.nanoTime();
          c.send(wrong).expect(UserauthFailure.TYPE);
          assertThat(System.nanoTime() - asked).isGreaterThanOrEqualTo(5_000_000);
        }
      }
    }
  }

  @Test
  void aFloodOfFailures() throws Exception {
    try (var c = client()) {
      c.handshake().requestService();
      for (int i = 0; i < 100; i++) {
        c.send(password("guess " + i));
      }
      c.expectDisconnect(PROTOCOL_ERROR);
      assertThat(end()).hasMessage("Too many authentication failures");
      assertThat(count(ServerEvent.LoginFailed.class)).isEqualTo(3);
    }
  }

  @Test
  void aFloodOfQuestionsThatAreNoFailures() throws Exception {
    try (var c = client()) {
      c.handshake().requestService();
      for (int i = 0; i < 1100; i++) {
        c.send(RudePeer.query(USER, A));
      }
      c.expectDisconnect(PROTOCOL_ERROR);
      assertThat(end()).hasMessage("Too many authentication failures");
    }
  }

  @Test
  void theFirstNoneIsFreeAndTheOthersCount() throws Exception {
    try (var c = client()) {
      c.handshake().requestService();
      c.send(none(USER)).expect(UserauthFailure.TYPE);
      c.send(none(USER)).expect(UserauthFailure.TYPE);
      c.send(none(USER)).expect(UserauthFailure.TYPE);
      c.send(none(USER)).expectDisconnect(PROTOCOL_ERROR);
      assertThat(count(ServerEvent.LoginFailed.class)).isZero();
    }
  }

  @Test
  void requestsBehindTheOneThatSucceedsAreIgnored() throws Exception {
    try (var c = client()) {
      c.handshake().requestService();
      c.send(c.proof(USER, A, A)).send(password("bad")).send(password("bad"));
      c.expect(UserauthSuccess.TYPE);
      c.expect(GlobalRequest.TYPE);
      c.expectAnswer(new GlobalRequest("x", true, new byte[0]), RequestFailure.TYPE);
    }
  }

  @Test
  void aMethodBeforeItsTurn() throws Exception {
    miners.waysIn(List.of(List.of("publickey", "password")));
    try (var c = client()) {
      c.handshake().requestService();
      UserauthFailure failure = c.send(password("good")).expect(UserauthFailure.TYPE);
      assertThat(failure.partialSuccess()).isFalse();
      assertThat(failure.methodsLeft()).containsExactly("publickey");
      failure = c.send(c.proof(USER, A, A)).expect(UserauthFailure.TYPE);
      assertThat(failure.partialSuccess()).isTrue();
      assertThat(failure.methodsLeft()).containsExactly("password");
      c.send(password("good")).expect(UserauthSuccess.TYPE);
    }
  }

  @Test
  void passwordsAreNotChangedHere() throws Exception {
    try (var c = client()) {
      c.handshake().requestService();
      c.send(
              RudePeer.request(
                  USER,
                  "password",
                  WireWriter.create().writeBoolean(true).writeString("good").writeString("new")))
          .expect(UserauthFailure.TYPE);
      c.send(password("x".repeat(1025))).expect(UserauthFailure.TYPE);
      c.send(password("good")).expect(UserauthSuccess.TYPE);
    }
  }

  @Test
  void aChannelWhosePacketsMayHoldNothing() throws Exception {
    try (var c = client()) {
      c.handshake().login(USER, A);
      c.send(new ChannelOpen("session", 0, 1 << 20, 0, new byte[0]))
          .expectDisconnect(PROTOCOL_ERROR);
    }
  }

  @Test
  void aPasswordIsWipedOnceItWasJudged() throws Exception {
    List<char[]> passwords = new CopyOnWriteArrayList<>();
    server.close();
    server =
        start(
            options()
                .authenticator(
                    (_, _) ->
                        new Authenticator.Login() {
                          @Override
                          public List<List<String>> waysIn() {
                            return List.of(List.of("password"));
                          }

                          @Override
                          public Authenticator.@Nullable Proof password(char[] password) {
                            assertThat(password).containsExactly('g', 'o', 'o', 'd');
                            passwords.add(password);
                            return null;
                          }

                          @Override
                          public @Nullable AccessPolicy admit(List<Authenticator.Proof> proofs) {
                            return null;
                          }
                        }));
    try (var c = client()) {
      c.handshake().requestService();
      c.send(password("good")).expect(UserauthFailure.TYPE);
    }
    assertThat(passwords).containsExactly(new char[4]);
  }

  @Test
  void questionsMayBeLeftUnanswered() throws Exception {
    var ask = RudePeer.keyboardInteractive(USER);
    try (var c = client()) {
      c.handshake().requestService();
      c.send(ask).expect(UserauthInfoRequest.TYPE);
      c.send(ask).expect(UserauthInfoRequest.TYPE);
      c.send(new UserauthInfoResponse(List.of("1"))).expect(UserauthFailure.TYPE);
      c.send(ask).expect(UserauthInfoRequest.TYPE);
      c.send(new UserauthInfoResponse(List.of("1", "2"))).expect(UserauthSuccess.TYPE);
    }
    try (var c = client()) {
      c.handshake().requestService();
      c.send(new UserauthInfoResponse(List.of("1", "2"))).expectDisconnect(PROTOCOL_ERROR);
    }
  }

  @Test
  void malformedRequests() throws Exception {
    for (String method : List.of("publickey", "password", "keyboard-interactive")) {
      try (var c = client()) {
        c.handshake().requestService();
        c.send(RudePeer.request(USER, method, WireWriter.create().writeByte(0)));
        c.expectDisconnect(PROTOCOL_ERROR);
      }
    }
  }

  @Test
  void theGraceTimeIsForAllStepsTogether() throws Exception {
    restart(options().loginGraceTime(SHORT));
    for (RudePeer.Script until :
        List.<RudePeer.Script>of(
            _ -> {},
            RudePeer::identify,
            c -> c.identify().kexInit(),
            c -> c.identify().kexInit().expectKexInit().kexRequest(),
            RudePeer::handshake,
            c -> c.handshake().requestService(),
            c -> c.handshake().requestService().send(none(USER)))) {
      events.clear();
      try (var c = client()) {
        until.run(c);
        assertThat(end()).hasMessageStartingWith("Timeout before authentication for 127.0.0.1");
      }
    }
    assertThat(server.connectionCount()).isZero();
  }

  // ---- After the login ------------------------------------------------------------------------

  @Test
  void aSessionAfterNoMoreSessions() throws Exception {
    try (var c = client()) {
      c.handshake().login(USER, A).expect(GlobalRequest.TYPE);
      c.send(new GlobalRequest("no-more-sessions@openssh.com", true, new byte[0]))
          .expect(RequestSuccess.TYPE);
      c.send(session()).expectDisconnect(PROTOCOL_ERROR);
    }
  }

  @Test
  void onlyKeysOfOursAreProven() throws Exception {
    try (var c = client()) {
      c.handshake().login(USER, A).expect(GlobalRequest.TYPE);
      c.send(
              new GlobalRequest(
                  "hostkeys-prove-00@openssh.com",
                  true,
                  WireWriter.create().writeString(RudePeer.publicKey(A)).toBytes()))
          .expect(RequestFailure.TYPE);
    }
  }
}
