package dev.adit.ssh;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.ssh.RudePeer.State;
import dev.adit.ssh.crypto.KexAlgorithm;
import dev.adit.ssh.wire.AuthMessage.UserauthFailure;
import dev.adit.ssh.wire.ConnectionMessage.ChannelOpen;
import dev.adit.ssh.wire.ConnectionMessage.GlobalRequest;
import dev.adit.ssh.wire.ConnectionMessage.OpenConfirmation;
import dev.adit.ssh.wire.ConnectionMessage.RequestFailure;
import dev.adit.ssh.wire.DisconnectReason;
import dev.adit.ssh.wire.Message;
import dev.adit.ssh.wire.MessageNumbers;
import dev.adit.ssh.wire.TransportMessage.ExtInfo;
import dev.adit.ssh.wire.TransportMessage.Ignore;
import dev.adit.ssh.wire.TransportMessage.KexGexGroup;
import dev.adit.ssh.wire.TransportMessage.KexGexRequest;
import dev.adit.ssh.wire.TransportMessage.KexInit;
import dev.adit.ssh.wire.TransportMessage.Ping;
import dev.adit.ssh.wire.TransportMessage.Pong;
import dev.adit.ssh.wire.TransportMessage.Unimplemented;
import dev.adit.ssh.wire.WireWriter;
import io.netty.buffer.PooledByteBufAllocator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What has broken other implementations before the login, played against the server and the client.
 */
class HostileHandshakeTest {
  private static final int PROTOCOL_ERROR = DisconnectReason.PROTOCOL_ERROR;
  private static final int KEY_EXCHANGE_FAILED = DisconnectReason.KEY_EXCHANGE_FAILED;
  private static final String CURVE25519 = "curve25519-sha256";
  private static final String GCM = "aes128-gcm@openssh.com";
  private static final String CHACHA = "chacha20-poly1305@openssh.com";
  private static final String MAC = "hmac-sha2-256";
  private static final String ETM = "hmac-sha2-256-etm@openssh.com";
  private static final String ZLIB = "zlib@openssh.com";
  private static final int MAX_PACKET = 256 * 1024;

  private static BothEnds ends;

  @BeforeAll
  static void start() throws IOException {
    ends = new BothEnds();
  }

  @AfterAll
  static void stop() {
    ends.close();
  }

  private static KexInit kexInit(boolean toServer, String method, String cipher, String mac) {
    return kexInit(toServer, method, cipher, mac, "none");
  }

  private static KexInit kexInit(
      boolean toServer, String method, String cipher, String mac, String compression) {
    String strict = toServer ? RudePeer.STRICT_CLIENT : RudePeer.STRICT;
    return RudePeer.kexInit(List.of(method, strict), cipher, mac, compression, false);
  }

  /** Runs many scripts, eight at a time. */
  private static void all(List<Callable<?>> tests) throws Exception {
    try (ExecutorService eight = Executors.newFixedThreadPool(8)) {
      List<Future<?>> running = new ArrayList<>();
      tests.forEach(test -> running.add(eight.submit(test)));
      for (Future<?> test : running) {
        test.get();
      }
    }
  }

  private static void lives(RudePeer peer) throws IOException {
    peer.expectAnswer(new GlobalRequest("still-there", true, new byte[0]), RequestFailure.TYPE);
  }

  // ---- Terrapin, CVE-2023-48795 ---------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void withoutStrictKeyExchangeWhatTerrapinCanTouchIsRefused(boolean toServer) throws Exception {
    for (String[] suite : new String[][] {{CHACHA, MAC}, {"aes128-ctr", ETM}}) {
      String exposed = suite[0].equals(CHACHA) ? CHACHA : ETM;
      KexInit lax = RudePeer.kexInit(List.of(CURVE25519), suite[0], suite[1], "none", false);
      assertThat(
              ends.play(
                  toServer,
                  p ->
                      p.identify()
                          .kexInit(lax)
                          .expectDisconnect(
                              KEY_EXCHANGE_FAILED, "lacks strict key exchange, so " + exposed)))
          .isInstanceOf(SshException.NegotiationFailed.class);
      try (var overridden =
          new BothEnds(o -> o.allowNonStrictKex(true), o -> o.allowNonStrictKex(true))) {
        overridden.play(toServer, p -> lives(p.handshake(lax).carryOn(State.AFTER_NEWKEYS)));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void withoutStrictKeyExchangeWhatTerrapinCannotTouchIsTaken(boolean toServer) throws Exception {
    for (String cipher : List.of(GCM, "aes128-ctr")) {
      KexInit lax = RudePeer.kexInit(List.of(CURVE25519), cipher, MAC, "none", false);
      ends.play(toServer, p -> lives(p.handshake(lax).carryOn(State.AFTER_NEWKEYS)));
    }
  }

  /** The man in the middle has cut off what came first under the new keys. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aPacketCutOffBehindNewkeysIsNoticed(boolean toServer) throws Exception {
    ends.play(
        toServer,
        p ->
            p.handshake(kexInit(toServer, CURVE25519, "aes128-ctr", ETM))
                .lose(new Ignore(new byte[3]))
                .send(new Ignore(new byte[3]))
                .expectDisconnect(DisconnectReason.MAC_ERROR));
  }

  /** The nonce of chacha20-poly1305 is the sequence number: each side sees the other's. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void strictKeyExchangeStartsTheSequenceNumbersAgain(boolean toServer) throws Exception {
    ends.play(
        toServer,
        p -> {
          p.handshake(kexInit(toServer, CURVE25519, CHACHA, MAC)).carryOn(State.AFTER_NEWKEYS);
          lives(p);
          p.kexInit(RudePeer.kexInit(List.of(CURVE25519), CHACHA, MAC, "none", false));
          p.expectKexInit().carryOn(State.REKEYING);
          lives(p);
          p.payload((byte) 200);
          assertThat(p.expect(Unimplemented.TYPE).sequence()).isOne();
        });
  }

  // ---- Packets --------------------------------------------------------------------------------

  private record Suite(String cipher, String mac, int least, int most) {
    RudePeer reach(RudePeer peer, boolean toServer) throws Exception {
      return peer.handshake(kexInit(toServer, CURVE25519, cipher, mac));
    }
  }

  /** With the smallest and the largest packet_length that is a number of whole blocks. */
  private static final List<Suite> SUITES =
      List.of(
          new Suite(GCM, MAC, 16, MAX_PACKET),
          new Suite("aes256-gcm@openssh.com", MAC, 16, MAX_PACKET),
          new Suite(CHACHA, MAC, 8, MAX_PACKET),
          new Suite("aes128-ctr", ETM, 16, MAX_PACKET),
          new Suite("aes256-ctr", "hmac-sha2-512-etm@openssh.com", 16, MAX_PACKET),
          new Suite("aes128-ctr", MAC, 12, MAX_PACKET - 4),
          new Suite("aes256-ctr", "hmac-sha2-512", 12, MAX_PACKET - 4));

  private static final List<Long> WRONG_LENGTHS =
      List.of(
          0L,
          1L,
          2L,
          3L,
          4L,
          5L,
          6L,
          7L,
          13L,
          17L,
          255L,
          65537L,
          MAX_PACKET - 1L,
          MAX_PACKET + 1L,
          MAX_PACKET + 8L,
          MAX_PACKET + 16L,
          MAX_PACKET + 12L,
          0x7fffffffL,
          0x80000000L,
          0xfffffff0L,
          0xffffffffL);

  /** Each is refused when it is read: nobody waits for such a packet, or makes room for it. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void packetLengthsOutOfBounds(boolean toServer) throws Exception {
    List<Callable<?>> tests = new ArrayList<>();
    for (long length : WRONG_LENGTHS) {
      String why = "packet length " + length + " ";
      for (Suite suite : SUITES) {
        tests.add(
            () ->
                ends.play(
                    toServer,
                    p ->
                        suite
                            .reach(p, toServer)
                            .packet(length, 4, new byte[11 + 16], 4)
                            .expectDisconnect(PROTOCOL_ERROR, why)));
      }
      tests.add(
          () ->
              ends.play(
                  toServer,
                  p ->
                      p.identify()
                          .raw(WireWriter.create().writeUint32(length).toBytes())
                          .expectDisconnect(PROTOCOL_ERROR, why)));
    }
    all(tests);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void theLargestPacketOfEachCipherIsTaken(boolean toServer) throws Exception {
    for (Suite suite : SUITES) {
      ends.play(
          toServer,
          p -> {
            // The length of the padding, the message's number and the string's length.
            byte[] data = new byte[suite.most - 1 - 5 - 20];
            suite.reach(p, toServer).packet(new Ignore(data).toBytes(), 20);
            p.carryOn(State.AFTER_NEWKEYS)
                .send(new GlobalRequest("still-there", true, new byte[0]))
                .expectServing(RequestFailure.TYPE);
          });
    }
  }

  /**
   * CVE-2021-43565, CVE-2026-46597: the smallest packets, with each padding that they can claim.
   */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void everyPaddingOfTinyPackets(boolean toServer) throws Exception {
    List<Callable<?>> tests = new ArrayList<>();
    for (Suite suite : SUITES) {
      for (int length : new int[] {suite.least, suite.least + 16}) {
        List<Integer> legal = new ArrayList<>();
        for (int padding = 0; padding < 256; padding++) {
          if (padding >= 4 && length - 1 - padding >= 1) {
            legal.add(padding);
          } else if (length == suite.least
              || padding < 4
              || padding == length - 1
              || padding > 250) {
            int wrong = padding;
            tests.add(
                () ->
                    ends.play(
                        toServer,
                        p ->
                            suite
                                .reach(p, toServer)
                                .packet(length, wrong, new byte[length - 5], 4)
                                .expectDisconnect(
                                    PROTOCOL_ERROR,
                                    "a packet of %d bytes with %d bytes of padding"
                                        .formatted(length, wrong))));
          }
        }
        tests.add(
            () ->
                ends.play(
                    toServer,
                    p -> {
                      suite.reach(p, toServer);
                      for (int padding : legal) {
                        // Message 0 doesn't exist.
                        p.packet(length, padding, new byte[length - 5], 4);
                        assertThat(p.expectEventually(Unimplemented.TYPE).sequence())
                            .isEqualTo(p.lastSequence());
                      }
                      lives(p.carryOn(State.AFTER_NEWKEYS));
                    }));
      }
    }
    all(tests);
  }

  // ---- Compression ----------------------------------------------------------------------------

  /** 64 KiB that inflate to 64 MiB (CVE-2026-46702). */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aPacketThatInflatesWithoutEnd(boolean toServer) throws Exception {
    byte[] bomb = deflated(new byte[64 << 20]);
    assertThat(bomb).hasSizeLessThan(MAX_PACKET / 2);
    assertThat(
            ends.play(
                toServer,
                p -> {
                  p.handshake(kexInit(toServer, CURVE25519, GCM, MAC, ZLIB));
                  p.carryOn(State.AFTER_NEWKEYS);
                  p.sealed(bomb).expectDisconnect(DisconnectReason.COMPRESSION_ERROR);
                }))
        .hasMessageContaining("holds more than " + MAX_PACKET + " bytes");
  }

  private static byte[] deflated(byte[] data) {
    Deflater deflater = new Deflater();
    deflater.setInput(data);
    var out = new ByteArrayOutputStream();
    byte[] chunk = new byte[64 * 1024];
    for (int n; (n = deflater.deflate(chunk, 0, chunk.length, Deflater.SYNC_FLUSH)) > 0; ) {
      out.write(chunk, 0, n);
    }
    deflater.end();
    return out.toByteArray();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void nothingIsInflatedBeforeTheLogin(boolean toServer) throws Exception {
    byte[] deflated = deflated(new Ignore(new byte[3]).toBytes());
    ends.play(
        toServer,
        p -> {
          p.handshake(kexInit(toServer, CURVE25519, GCM, MAC, ZLIB)).sealed(deflated);
          // What zlib begins with is the number of no message.
          assertThat(deflated[0]).isEqualTo((byte) 0x78);
          p.expectEventually(Unimplemented.TYPE);
          lives(p.carryOn(State.AFTER_NEWKEYS));
        });
    assertThat(
            ends.play(
                toServer,
                p ->
                    p.identify()
                        .kexInit(kexInit(toServer, CURVE25519, GCM, MAC, "zlib"))
                        .expectDisconnect(KEY_EXCHANGE_FAILED, "compression method")))
        .isInstanceOf(SshException.NegotiationFailed.class);
  }

  // ---- What is agreed -------------------------------------------------------------------------

  /** A method of key agreement, and a public value that must not be used with it. */
  private record Value(String method, byte[] bytes) {}

  private static final HexFormat HEX = HexFormat.of();

  /** Group 14 of RFC 3526: 2^2048 - 2^1984 - 1 + 2^64 * (floor(2^1918 pi) + 124476). */
  private static final BigInteger GROUP_14 =
      new BigInteger(
          "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A0879"
              + "8E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637"
              + "ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05"
              + "98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C"
              + "354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF0"
              + "6F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFF"
              + "FFFF",
          16);

  private static List<Value> wrongValues(boolean toServer) throws Exception {
    List<Value> values = new ArrayList<>();
    // RFC 7748 section 6.1: points of small order make the result all zeros.
    for (String point :
        List.of(
            "00".repeat(32),
            "01" + "00".repeat(31),
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")) {
      values.add(new Value(CURVE25519, HEX.parseHex(point)));
    }
    values.add(new Value(CURVE25519, new byte[0]));
    values.add(new Value(CURVE25519, Arrays.copyOf(honest(CURVE25519, toServer), 31)));
    values.add(new Value(CURVE25519, Arrays.copyOf(honest(CURVE25519, toServer), 33)));
    for (String hybrid : List.of("mlkem768x25519-sha256", "sntrup761x25519-sha512")) {
      byte[] honest = honest(hybrid, toServer);
      values.add(new Value(hybrid, new byte[0]));
      values.add(new Value(hybrid, Arrays.copyOf(honest, honest.length - 1)));
      values.add(new Value(hybrid, Arrays.copyOf(honest, honest.length + 1)));
      byte[] known = honest.clone();
      Arrays.fill(known, known.length - 32, known.length, (byte) 0);
      values.add(new Value(hybrid, known));
    }
    for (String curve : List.of("ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521")) {
      byte[] honest = honest(curve, toServer);
      byte[] off = honest.clone();
      off[off.length - 1] ^= 1;
      values.add(new Value(curve, off));
      values.add(new Value(curve, new byte[] {0})); // The point at infinity.
      values.add(new Value(curve, new byte[0]));
      values.add(new Value(curve, new byte[honest.length]));
      values.add(new Value(curve, Arrays.copyOf(honest, honest.length - 1)));
    }
    for (BigInteger wrong :
        List.of(
            BigInteger.valueOf(-1),
            BigInteger.ZERO,
            BigInteger.ONE,
            GROUP_14.subtract(BigInteger.ONE),
            GROUP_14,
            GROUP_14.add(BigInteger.TWO))) {
      byte[] mpint = wrong.signum() == 0 ? new byte[0] : wrong.toByteArray();
      values.add(new Value("diffie-hellman-group14-sha256", mpint));
    }
    return values;
  }

  /** What an honest peer says: the first word of a client, or the answer of a server. */
  private static byte[] honest(String method, boolean ofClient) throws Exception {
    KexAlgorithm algorithm = Objects.requireNonNull(KexAlgorithm.of(method));
    byte[] initiation = algorithm.initiate().initiation();
    return ofClient ? initiation : algorithm.respond(initiation).reply();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void publicValuesThatMustNotBeUsed(boolean toServer) throws Exception {
    List<Callable<?>> tests = new ArrayList<>();
    for (Value value : wrongValues(toServer)) {
      byte[] payload =
          toServer
              ? WireWriter.create().writeByte(30).writeString(value.bytes).toBytes()
              : WireWriter.create()
                  .writeByte(31)
                  .writeString(RudePeer.hostKey())
                  .writeString(value.bytes)
                  .writeString(new byte[0])
                  .toBytes();
      tests.add(
          () ->
              ends.play(
                  toServer,
                  p ->
                      p.identify()
                          .kexInit(kexInit(toServer, value.method, GCM, MAC))
                          .expectKexInit()
                          .payload(payload)
                          .expectDisconnect(KEY_EXCHANGE_FAILED, value.method + ": ")));
    }
    all(tests);
  }

  @Test
  void groupsThatAClientMustNotUse() throws Exception {
    BigInteger two = BigInteger.TWO;
    record Group(BigInteger p, BigInteger g) {}
    List<Callable<?>> tests = new ArrayList<>();
    for (Group group :
        List.of(
            new Group(GROUP_14.shiftRight(1).setBit(0), two), // 2047 bits
            new Group(two.pow(8192).add(BigInteger.ONE), two), // 8193 bits
            new Group(GROUP_14.subtract(BigInteger.ONE), two), // even
            new Group(GROUP_14.negate(), two),
            new Group(BigInteger.ZERO, two),
            new Group(GROUP_14, BigInteger.ONE),
            new Group(GROUP_14, GROUP_14.subtract(BigInteger.ONE)))) {
      tests.add(
          () ->
              ends.play(
                  false,
                  p -> {
                    p.identify()
                        .kexInit(kexInit(false, "diffie-hellman-group-exchange-sha256", GCM, MAC))
                        .expectKexInit()
                        .expect(KexGexRequest.TYPE);
                    p.send(new KexGexGroup(group.p, group.g)).expectDisconnect(KEY_EXCHANGE_FAILED);
                  }));
    }
    all(tests);
  }

  /** CVE-2026-39829: checking a signature of such a key would take seconds. */
  @Test
  void rsaHostKeysOfUnreasonableSize() throws Exception {
    for (int bits : new int[] {1024, 2047, 8193, 16384, 100_000}) {
      assertThat(
              ends.play(
                  false,
                  p ->
                      p.showing(rsaKey(bits))
                          .identify()
                          .kexInit()
                          .expectKexInit()
                          .kexReply()
                          .expectDisconnect(KEY_EXCHANGE_FAILED, "bad host key")))
          .hasMessageContaining("RSA");
    }
  }

  @Test
  void rsaUserKeysOfUnreasonableSize() throws Exception {
    for (int bits : new int[] {1024, 2047, 8193, 16384, 100_000}) {
      ends.refusals().clear();
      ends.play(
          true,
          p ->
              p.reach(State.BEFORE_AUTH)
                  .send(
                      RudePeer.request(
                          Miners.USER,
                          "publickey",
                          WireWriter.create()
                              .writeBoolean(false)
                              .writeString("rsa-sha2-256")
                              .writeString(rsaKey(bits))))
                  .expect(UserauthFailure.TYPE));
      assertThat(ends.refusals()).singleElement().asString().contains(bits + " bits");
    }
  }

  private static byte[] rsaKey(int bits) {
    return WireWriter.create()
        .writeString("ssh-rsa")
        .writeMpint(BigInteger.valueOf(65537))
        .writeMpint(BigInteger.TWO.pow(bits - 1).add(BigInteger.ONE))
        .toBytes();
  }

  /** CVE-2025-26465: an error while the key is judged is no yes. */
  @Test
  void aVerifierThatThrowsRefuses() throws Exception {
    for (Throwable thrown :
        List.of(
            new IOException("x"),
            new RuntimeException("x"),
            new StackOverflowError(),
            new OutOfMemoryError(),
            new AssertionError("x"),
            new InterruptedException(),
            new Throwable("x"))) {
      HostKeyPolicy throwing =
          (_, _, _, _) -> {
            throw HostileHandshakeTest.<RuntimeException>sneaky(thrown);
          };
      try (var judging = new BothEnds(o -> o, o -> o.hostKeyPolicy(throwing))) {
        assertThat(
                judging.play(
                    false,
                    p -> {
                      p.reach(State.KEX)
                          .kexReply()
                          .expectDisconnect(DisconnectReason.HOST_KEY_NOT_VERIFIABLE);
                      assertThat(p.hasHeard(MessageNumbers.NEWKEYS)).isFalse();
                    }))
            .isInstanceOf(SshException.HostKeyRejected.class);
      }
    }
  }

  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  private static <T extends Throwable> T sneaky(Throwable thrown) throws T {
    throw (T) thrown;
  }

  // ---- Too much of it -------------------------------------------------------------------------

  /** RFC 8308 has it once from a client and twice from a server; each could bring 256 KiB more. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aFloodOfExtensionInfo(boolean toServer) throws Exception {
    ends.play(
        toServer,
        p -> {
          p.reach(State.AFTER_NEWKEYS);
          for (int i = 0; i < 4; i++) {
            p.send(new ExtInfo(Map.of("extension-" + i, new byte[1000])));
          }
          p.expectDisconnect(PROTOCOL_ERROR, "7 (EXT_INFO)");
        });
  }

  /** CVE-2025-26466: a ping is answered once there is nothing to hide in, and never stored. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void pingsWhileAKeyExchangeWaits(boolean toServer) throws Exception {
    assertThat(
            ends.play(
                toServer,
                p -> {
                  p.reach(State.REKEY_ASKED);
                  Message ping = new Ping(new byte[32 * 1024]);
                  p.burst(
                      _ -> {
                        for (int i = 0; i < 129; i++) {
                          p.send(ping);
                        }
                      });
                  p.expectDisconnect(PROTOCOL_ERROR, "piled up behind a key exchange");
                  assertThat(p.hasHeard(MessageNumbers.PONG)).isFalse();
                }))
        .isInstanceOf(SshException.PeerMisbehaved.class);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void pingsThatWaitForAKeyExchangeAreAnsweredBehindIt(boolean toServer) throws Exception {
    ends.play(
        toServer,
        p -> {
          p.reach(State.REKEY_ASKED);
          for (int i = 0; i < 3; i++) {
            p.send(new Ping(new byte[] {(byte) i}));
          }
          p.carryOn(State.REKEY_ASKED);
          for (int i = 0; i < 3; i++) {
            assertThat(p.expect(Pong.TYPE).data()).containsExactly(i);
          }
        });
  }

  /**
   * CVE-2025-22869: a socket at the other end sends as fast as it can, and the peer sits on a key
   * exchange. Nothing of it comes, nothing of it is read, and when the exchange ends it goes on.
   */
  @Test
  void dataStaysInItsSocketWhileAKeyExchangeWaits() throws Exception {
    try (var flood = new Flood();
        var patient = new BothEnds(o -> o.rekeyLimit(0, Duration.ZERO), o -> o);
        var source = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      byte[] target =
          WireWriter.create()
              .writeString("127.0.0.1")
              .writeUint32(source.getLocalPort())
              .writeString("127.0.0.1")
              .writeUint32(1)
              .toBytes();
      patient.play(
          true,
          p -> {
            p.reach(State.OPEN)
                .send(new ChannelOpen("direct-tcpip", 0, 0xffffffffL, 32768, target));
            flood.into(source.accept());
            p.expect(OpenConfirmation.TYPE);
            sitOnAKeyExchange(p, flood);
          });
    }
    try (var flood = new Flood();
        var client = SshClient.create();
        var peer =
            RudePeer.start(
                p -> {
                  ChannelOpen open = p.reach(State.OPEN).expect(ChannelOpen.TYPE);
                  p.send(new OpenConfirmation(open.sender(), 0, 0xffffffffL, 32768, new byte[0]));
                  sitOnAKeyExchange(p, flood);
                });
        var connection =
            client.connect(
                ConnectOptions.to("127.0.0.1")
                    .port(peer.port())
                    .hostKeyPolicy(HostKeyPolicy.acceptAnyInsecurely())
                    .build());
        var forward = connection.forward(ForwardSpec.parseLocal(freePort() + ":target:1"))) {
      flood.into(new Socket(InetAddress.getLoopbackAddress(), forward.port()));
      peer.join();
    }
  }

  private static int freePort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static void sitOnAKeyExchange(RudePeer p, Flood flood) throws Exception {
    p.skipTo(MessageNumbers.CHANNEL_DATA);
    p.kexInit(RudePeer.kexInit(CURVE25519)).skipTo(MessageNumbers.KEXINIT).expectKexInit();
    if (!p.isClient()) {
      p.skipTo(MessageNumbers.KEX_FIRST);
    }
    long buffers = PooledByteBufAllocator.DEFAULT.metric().usedDirectMemory();
    flood.awaitFullSocket();
    // Each answer is the very next packet: no data is among them.
    for (int i = 0; i < 20; i++) {
      p.payload((byte) 200);
      byte[] next = p.readPacket();
      assertThat(next[0]).isEqualTo((byte) MessageNumbers.UNIMPLEMENTED);
    }
    assertThat(PooledByteBufAllocator.DEFAULT.metric().usedDirectMemory())
        .isLessThan(buffers + (16 << 20));
    p.carryOn(State.REKEYING);
    long sent = flood.sent();
    while (flood.sent() < sent + (8 << 20)) {
      assertThat(p.read()[0]).isEqualTo((byte) MessageNumbers.CHANNEL_DATA);
    }
  }

  /** Writes into a socket without end. */
  private static final class Flood implements AutoCloseable {
    private final AtomicLong sent = new AtomicLong();
    private volatile @Nullable Socket socket;

    void into(Socket connected) {
      socket = connected;
      Thread.ofVirtual()
          .start(
              () -> {
                byte[] chunk = new byte[16 * 1024];
                try {
                  while (true) {
                    connected.getOutputStream().write(chunk);
                    sent.addAndGet(chunk.length);
                  }
                } catch (IOException e) {
                  // It is over.
                }
              });
    }

    long sent() {
      return sent.get();
    }

    /** Until nothing has been taken for a while: the kernel's buffers are full. */
    void awaitFullSocket() {
      long[] before = {-1};
      Awaitility.await()
          .atMost(Duration.ofSeconds(30))
          .pollInterval(Duration.ofMillis(300))
          .until(() -> before[0] == (before[0] = sent.get()));
      assertThat(sent.get()).isLessThan(64 << 20);
    }

    @Override
    public void close() throws IOException {
      Socket open = socket;
      if (open != null) {
        open.close();
      }
    }
  }

  // ---- Renewing the keys ----------------------------------------------------------------------

  /** RFC 4344: whatever the limit, something gets through between two exchanges. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aLimitOfSixteenBytes(boolean toServer) throws Exception {
    try (var eager =
        new BothEnds(o -> o.rekeyLimit(16, Duration.ZERO), o -> o.rekeyLimit(16, Duration.ZERO))) {
      eager.play(
          toServer,
          p -> {
            p.reach(State.OPEN);
            for (int i = 0; i < 20; i++) {
              p.send(new GlobalRequest("still-there", true, new byte[0]));
              p.expectServing(RequestFailure.TYPE);
            }
            assertThat(p.hasHeard(MessageNumbers.KEXINIT)).isTrue();
          });
    }
  }

  /** Both KEXINITs are on their way when each side reads the other's. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void bothSidesBeginAtOnce(boolean toServer) throws Exception {
    ends.play(
        toServer,
        p -> {
          p.reach(State.OPEN);
          // What makes adit begin, and our own KEXINIT, come in one piece.
          p.burst(
              _ ->
                  p.send(new Ignore(new byte[RudePeer.REKEY_BYTES]))
                      .kexInit(RudePeer.kexInit(CURVE25519)));
          p.expectKexInit().carryOn(State.REKEYING);
          lives(p);
        });
  }

  // ---- Time -----------------------------------------------------------------------------------

  /**
   * The peer falls silent behind each byte of a login: the timer ends it, and all is given back.
   */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void silenceBehindEachByte(boolean toServer) throws Exception {
    Duration grace = Duration.ofSeconds(1);
    try (var impatient =
        new BothEnds(
            o -> o.loginGraceTime(grace), o -> o.handshakeTimeout(grace).connectTimeout(grace))) {
      impatient.play(toServer, p -> lives(p.reach(State.OPEN)));
      long buffers = buffersInUse();
      long descriptors = descriptors();
      long[] bytes = new long[1];
      impatient.play(toServer, p -> bytes[0] = p.reach(State.OPEN).bytesSent());
      assertThat(bytes[0]).isGreaterThan(500);
      List<Callable<SshException>> tests = new ArrayList<>();
      for (int i = 0; i < bytes[0]; i++) {
        int silentBehind = i;
        tests.add(
            () ->
                impatient.play(
                    toServer,
                    p -> {
                      try {
                        p.silentBehind(silentBehind).reach(State.OPEN);
                      } catch (IOException | AssertionError e) {
                        // It has hung up.
                      }
                      p.expectEndOfLines();
                    }));
      }
      List<Future<SshException>> running = new ArrayList<>();
      try (ExecutorService many = Executors.newVirtualThreadPerTaskExecutor()) {
        tests.forEach(test -> running.add(many.submit(test)));
      }
      for (Future<SshException> test : running) {
        assertThat(test.get().getMessage())
            .containsPattern("timed out|Timeout before authentication");
      }
      assertThat(impatient.server().connectionCount()).isZero();
      Awaitility.await()
          .atMost(Duration.ofSeconds(30))
          .untilAsserted(
              () -> {
                assertThat(buffersInUse()).isLessThan(buffers + bytes[0] / 2);
                assertThat(descriptors()).isLessThan(descriptors + bytes[0] / 2);
              });
    }
  }

  /** Those that packets are read into; small ones may wait in the caches of their threads. */
  private static long buffersInUse() {
    return PooledByteBufAllocator.DEFAULT.metric().directArenas().stream()
        .mapToLong(arena -> arena.numActiveNormalAllocations())
        .sum();
  }

  private static long descriptors() throws IOException {
    try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
      return open.count();
    }
  }
}
