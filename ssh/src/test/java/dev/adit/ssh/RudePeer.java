package dev.adit.ssh;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.adit.ssh.crypto.CipherAlgorithm;
import dev.adit.ssh.crypto.CipherSuite;
import dev.adit.ssh.crypto.Ed25519;
import dev.adit.ssh.crypto.Hash;
import dev.adit.ssh.crypto.KexAlgorithm;
import dev.adit.ssh.crypto.KeyAgreement;
import dev.adit.ssh.crypto.KeyDerivation;
import dev.adit.ssh.crypto.MacAlgorithm;
import dev.adit.ssh.crypto.PacketCompressor;
import dev.adit.ssh.crypto.PacketDecompressor;
import dev.adit.ssh.crypto.PacketIntegrityException;
import dev.adit.ssh.crypto.PacketOpener;
import dev.adit.ssh.crypto.PacketSealer;
import dev.adit.ssh.keys.SshPublicKey;
import dev.adit.ssh.wire.AuthMessage.Prompt;
import dev.adit.ssh.wire.AuthMessage.UserauthFailure;
import dev.adit.ssh.wire.AuthMessage.UserauthInfoRequest;
import dev.adit.ssh.wire.AuthMessage.UserauthInfoResponse;
import dev.adit.ssh.wire.AuthMessage.UserauthRequest;
import dev.adit.ssh.wire.AuthMessage.UserauthSuccess;
import dev.adit.ssh.wire.ConnectionMessage.GlobalRequest;
import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.Message;
import dev.adit.ssh.wire.MessageNumbers;
import dev.adit.ssh.wire.MessageType;
import dev.adit.ssh.wire.TransportMessage.Disconnect;
import dev.adit.ssh.wire.TransportMessage.Ignore;
import dev.adit.ssh.wire.TransportMessage.KexEcdhInit;
import dev.adit.ssh.wire.TransportMessage.KexEcdhReply;
import dev.adit.ssh.wire.TransportMessage.KexInit;
import dev.adit.ssh.wire.TransportMessage.NewKeys;
import dev.adit.ssh.wire.TransportMessage.ServiceAccept;
import dev.adit.ssh.wire.TransportMessage.ServiceRequest;
import dev.adit.ssh.wire.WireReader;
import dev.adit.ssh.wire.WireWriter;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/**
 * An SSH server, or a client, that does what a script says, right or wrong: {@code
 * peer.identify().kexInit().send(...).expectDisconnect(2)}. It has the wire formats and the ciphers
 * in common with adit, but nothing of its state machine.
 *
 * <p>A script says each step, or begins in a {@link State}: {@code peer.reach(State.REKEYING)
 * .send(channelOpen).expectDisconnect(2)}. What it says is sent packet by packet, or in one piece
 * with {@link #burst}; {@link #packet} and {@link #raw} send what no honest peer would. One thread
 * may write while another reads.
 */
public final class RudePeer implements AutoCloseable {
  /** What the peer does with the connection that comes. */
  public interface Script {
    void run(RudePeer peer) throws Exception;
  }

  /** How far a connection has come, seen from the peer: what it has said, and what is due. */
  public enum State {
    /** Connected, and nothing said. */
    BEFORE_VERSION,
    /** Identified: KEXINIT is due. */
    IDENTIFIED,
    /** Both KEXINITs are out, and the exchange is strict: the method's messages are due. */
    KEX,
    /** The same with a peer that lacks strict key exchange. */
    KEX_NOT_STRICT,
    /** The method's messages are over, and adit's NEWKEYS has come: ours is due. */
    NEWKEYS_DUE,
    /** Under the first keys; the service is due. */
    AFTER_NEWKEYS,
    /** The service is agreed. A client has not asked to be let in; a server has not answered. */
    BEFORE_AUTH,
    /** Questions of keyboard-interactive are due from a server, answers from a client. */
    DURING_AUTH,
    /** Logged in, and without a channel. */
    OPEN,
    /** Logged in; the peer has sent KEXINIT, and has adit's: the method's messages are due. */
    REKEYING,
    /** Logged in; adit has sent KEXINIT, and the peer has not. */
    REKEY_ASKED,
    /** As BEFORE_AUTH, but both have sent KEXINIT again. */
    REKEYING_FOR_AUTH
  }

  public static final String STRICT = "kex-strict-s-v00@openssh.com";
  public static final String STRICT_CLIENT = "kex-strict-c-v00@openssh.com";

  /** As many bytes make adit renew the keys, and a login doesn't have them. */
  public static final int REKEY_BYTES = 64 * 1024;

  private static final String IDENTIFICATION = "SSH-2.0-rude_1.0";
  private static final byte[] SEED = "a host key that everybody knows.".getBytes(US_ASCII);
  private static final String CURVE25519 = "curve25519-sha256";
  private static final int PATIENCE_MILLIS = 30_000;

  private final @Nullable ServerSocket listener;
  private final CompletableFuture<Void> finished = new CompletableFuture<>();

  private Socket socket = new Socket();
  private InputStream in = InputStream.nullInputStream();
  private OutputStream out = OutputStream.nullOutputStream();

  private @Nullable PacketSealer sealer;
  private @Nullable PacketOpener opener;
  private int sent;
  private long sentUnderKey;
  private int received;
  private volatile boolean ending;
  private @Nullable String agreed;
  private String theirIdentification = "";
  private String identification = IDENTIFICATION;
  private KexInit ours = kexInit(CURVE25519);
  private byte[] oursSent = {};
  private byte[] theirs = {};
  private byte[] sessionId = {};
  private byte[] serversKey = {};
  private boolean strict;
  private @Nullable PacketSealer nextSealer;
  private @Nullable PacketOpener nextOpener;
  private byte[] shownHostKey = hostKey();
  private byte[] signingSeed = SEED;
  private @Nullable PacketCompressor compressor;
  private @Nullable PacketDecompressor decompressor;
  private @Nullable ByteArrayOutputStream burst;
  private long bytesSent;
  private long silentBehind = Long.MAX_VALUE;
  private final Deque<byte[]> passedOver = new ArrayDeque<>();
  private final BitSet heard = new BitSet(256);

  private RudePeer(@Nullable ServerSocket listener) {
    this.listener = listener;
  }

  /** A client that has just connected to a port of this machine. */
  public static RudePeer connectTo(int port) throws IOException {
    var peer = new RudePeer(null);
    peer.talkOver(new Socket(InetAddress.getLoopbackAddress(), port));
    return peer;
  }

  /** Plays the script with the first connection that comes. */
  public static RudePeer start(Script script) throws IOException {
    var peer = new RudePeer(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
    Thread.ofVirtual()
        .start(
            () -> {
              try {
                peer.accept();
                script.run(peer);
                peer.finished.complete(null);
              } catch (Throwable e) {
                peer.finished.completeExceptionally(e);
                // Or the client would wait for what the script won't say any more.
                peer.abandon();
              }
            });
    return peer;
  }

  /** Where a client connects from. */
  public InetSocketAddress localAddress() {
    return (InetSocketAddress) socket.getLocalSocketAddress();
  }

  public int port() {
    return Objects.requireNonNull(listener).getLocalPort();
  }

  /** Waits for the script's end, and fails if it did. */
  public void join() throws Exception {
    finished.get(2L * PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
  }

  @Override
  public void close() throws IOException {
    if (listener != null) {
      listener.close();
    }
    socket.close();
  }

  private void abandon() {
    try {
      socket.close();
    } catch (IOException _) {
      // It is gone.
    }
  }

  private void accept() throws IOException {
    talkOver(Objects.requireNonNull(listener).accept());
  }

  public boolean isClient() {
    return listener == null;
  }

  private void talkOver(Socket connected) throws IOException {
    socket = connected;
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(PATIENCE_MILLIS);
    in = new BufferedInputStream(socket.getInputStream(), 64 * 1024);
    out = socket.getOutputStream();
  }

  // ---- States ---------------------------------------------------------------------------------

  /**
   * From nothing to a state, as a well-behaved peer gets there. A client needs a server that lets
   * in {@link Miners}; a server needs a client that answers questions. For {@link
   * State#REKEY_ASKED} adit's RekeyLimit must be {@link #REKEY_BYTES}.
   */
  public RudePeer reach(State state) throws Exception {
    switch (state) {
      case BEFORE_VERSION -> {}
      case IDENTIFIED -> identify();
      case KEX -> identify().kexInit().expectKexInit();
      case KEX_NOT_STRICT -> identify().kexInit(kexInit(CURVE25519)).expectKexInit();
      case NEWKEYS_DUE -> reach(State.KEX).kexAnswer().expectNewKeys();
      case AFTER_NEWKEYS -> reach(State.NEWKEYS_DUE).newKeys();
      case BEFORE_AUTH -> {
        reach(State.AFTER_NEWKEYS);
        if (isClient()) {
          requestService();
        } else {
          expectAuthentication();
        }
      }
      case DURING_AUTH -> {
        reach(State.BEFORE_AUTH);
        if (isClient()) {
          send(keyboardInteractive(Miners.USER)).expect(UserauthInfoRequest.TYPE);
        } else {
          send(new UserauthFailure(List.of("keyboard-interactive"), false));
          expect(UserauthRequest.TYPE);
        }
      }
      case OPEN -> reach(State.BEFORE_AUTH).carryOn(State.BEFORE_AUTH);
      case REKEYING -> reach(State.OPEN).kexInit(kexInit(CURVE25519)).expectKexInit();
      case REKEY_ASKED -> {
        reach(State.OPEN).send(new Ignore(new byte[REKEY_BYTES])).expectKexInit();
      }
      case REKEYING_FOR_AUTH ->
          reach(State.BEFORE_AUTH).kexInit(kexInit(CURVE25519)).expectKexInit();
    }
    return this;
  }

  /** From a state to an open connection: what tells that it has lived until then. */
  public RudePeer carryOn(State state) throws Exception {
    switch (state) {
      case BEFORE_VERSION -> identify().carryOn(State.IDENTIFIED);
      case IDENTIFIED -> kexInit().expectKexInit().carryOn(State.KEX);
      case KEX, KEX_NOT_STRICT -> kexAnswer().expectNewKeys().carryOn(State.NEWKEYS_DUE);
      case NEWKEYS_DUE -> newKeys().carryOn(State.AFTER_NEWKEYS);
      case AFTER_NEWKEYS -> {
        if (isClient()) {
          requestService();
        } else {
          expectAuthentication();
        }
        carryOn(State.BEFORE_AUTH);
      }
      case BEFORE_AUTH -> {
        if (isClient()) {
          send(proof(Miners.USER, Miners.A, Miners.A)).expect(UserauthSuccess.TYPE);
          // The server tells its host keys.
          loggedIn().expect(GlobalRequest.TYPE);
        } else {
          send(new UserauthSuccess()).loggedIn();
        }
      }
      case DURING_AUTH -> {
        if (isClient()) {
          carryOn(State.BEFORE_AUTH);
        } else {
          send(new UserauthInfoRequest("", "", "", List.of(new Prompt("1?", true))));
          expect(UserauthInfoResponse.TYPE);
          carryOn(State.BEFORE_AUTH);
        }
      }
      case OPEN -> {}
      case REKEYING -> kexAnswer().newKeys().expectNewKeys();
      case REKEY_ASKED -> kexInit(kexInit(CURVE25519)).carryOn(State.REKEYING);
      case REKEYING_FOR_AUTH -> carryOn(State.REKEYING).carryOn(State.BEFORE_AUTH);
    }
    return this;
  }

  /** Our part of the method's messages, whichever side we are on. */
  public RudePeer kexAnswer() throws Exception {
    return isClient() ? kexRequest() : kexReply();
  }

  /** Whether messages of this number have come. */
  public boolean hasHeard(int number) {
    return heard.get(number);
  }

  // ---- The course of a connection -------------------------------------------------------------

  public RudePeer identify() throws IOException {
    return identify(IDENTIFICATION);
  }

  public RudePeer identify(String line) throws IOException {
    identification = line;
    raw((line + "\r\n").getBytes(ISO_8859_1));
    theirIdentification = readLine();
    return this;
  }

  /** The KEXINIT that a well-behaved peer with this one method would send. */
  public static KexInit kexInit(String method, String... flags) {
    return kexInit(
        Stream.concat(Stream.of(method), Arrays.stream(flags)).toList(),
        "aes128-gcm@openssh.com",
        "hmac-sha2-256",
        "none",
        false);
  }

  public static KexInit kexInit(
      List<String> methods, String cipher, String mac, String compression, boolean guess) {
    List<String> ciphers = List.of(cipher);
    List<String> macs = List.of(mac);
    List<String> compressions = List.of(compression);
    return new KexInit(
        new byte[16],
        methods,
        List.of("ssh-ed25519"),
        ciphers,
        ciphers,
        macs,
        macs,
        compressions,
        compressions,
        List.of(),
        List.of(),
        guess,
        0);
  }

  public RudePeer kexInit() throws IOException {
    return kexInit(kexInit(CURVE25519, isClient() ? STRICT_CLIENT : STRICT));
  }

  public RudePeer kexInit(KexInit message) throws IOException {
    ours = message;
    oursSent = message.toBytes();
    strict = strict || message.kexAlgorithms().contains(isClient() ? STRICT_CLIENT : STRICT);
    return send(message);
  }

  public RudePeer expectKexInit() throws IOException {
    theirs = read();
    if (theirs[0] != MessageNumbers.KEXINIT) {
      throw new AssertionError("message " + theirs[0] + " where KEXINIT was expected");
    }
    return this;
  }

  /** Answers the client's KEX_ECDH_INIT (or that of the hybrids), and makes the keys. */
  public RudePeer kexReply() throws Exception {
    return kexReply(UnaryOperator.identity());
  }

  /**
   * @param change what is done to our public value, after the honest hash was made
   */
  public RudePeer kexReply(UnaryOperator<byte[]> change) throws Exception {
    WireReader init = WireReader.over(read());
    if (init.readByte() != MessageNumbers.KEX_FIRST) {
      throw new AssertionError("no KEX_INIT");
    }
    byte[] theirValue = init.readString();
    String name = agreed == null ? ours.kexAlgorithms().getFirst() : agreed;
    KexAlgorithm method = Objects.requireNonNull(KexAlgorithm.of(name));
    KeyAgreement.Response response = method.respond(theirValue);
    byte[] hostKey = shownHostKey;
    byte[] hash =
        method
            .hash()
            .of(
                WireWriter.create()
                    .writeString(theirIdentification)
                    .writeString(identification)
                    .writeString(theirs)
                    .writeString(oursSent)
                    .writeString(hostKey)
                    .writeString(theirValue)
                    .writeString(response.reply())
                    .writeBytes(response.secret())
                    .toBytes());
    if (sessionId.length == 0) {
      sessionId = hash;
    }
    payload(
        WireWriter.create()
            .writeByte(31)
            .writeString(hostKey)
            .writeString(change.apply(response.reply()))
            .writeString(sign(hash))
            .toBytes());
    return makeKeys(new Keys(method.hash(), response.secret(), hash, sessionId));
  }

  /** As a client: our public value, and the keys from the server's answer. */
  public RudePeer kexRequest() throws Exception {
    KexAlgorithm method = Objects.requireNonNull(KexAlgorithm.of(ours.kexAlgorithms().getFirst()));
    KeyAgreement agreement = method.initiate();
    send(new KexEcdhInit(agreement.initiation()));
    KexEcdhReply reply = expect(KexEcdhReply.TYPE);
    byte[] secret = agreement.secret(reply.publicValue());
    byte[] hash =
        method
            .hash()
            .of(
                WireWriter.create()
                    .writeString(identification)
                    .writeString(theirIdentification)
                    .writeString(oursSent)
                    .writeString(theirs)
                    .writeString(reply.hostKey())
                    .writeString(agreement.initiation())
                    .writeString(reply.publicValue())
                    .writeBytes(secret)
                    .toBytes());
    if (sessionId.length == 0) {
      sessionId = hash;
    }
    serversKey = reply.hostKey();
    SshPublicKey.parse(serversKey).verify("ssh-ed25519", hash, reply.signature());
    return makeKeys(new Keys(method.hash(), secret, hash, sessionId));
  }

  private RudePeer makeKeys(Keys keys) {
    CipherSuite suite =
        CipherSuite.of(
            Objects.requireNonNull(CipherAlgorithm.of(ours.ciphersToClient().getFirst())),
            MacAlgorithm.of(ours.macsToClient().getFirst()));
    String out = isClient() ? "CAE" : "DBF";
    String in = isClient() ? "DBF" : "CAE";
    nextSealer =
        suite.newSealer(
            keys.derive(out.charAt(0), suite.cipher().keyLength()),
            keys.derive(out.charAt(1), suite.cipher().ivLength()),
            keys.derive(out.charAt(2), suite.macKeyLength()));
    nextOpener =
        suite.newOpener(
            keys.derive(in.charAt(0), suite.cipher().keyLength()),
            keys.derive(in.charAt(1), suite.cipher().ivLength()),
            keys.derive(in.charAt(2), suite.macKeyLength()));
    return this;
  }

  private record Keys(Hash hash, byte[] secret, byte[] exchangeHash, byte[] sessionId) {
    byte[] derive(char letter, int length) {
      return KeyDerivation.derive(hash, secret, exchangeHash, letter, sessionId, length);
    }
  }

  /** The public half of the key with which the peer proves itself: its host key, or its user's. */
  public static byte[] hostKey() {
    return publicKey(SEED);
  }

  /** Shows this host key instead, and signs as with our own. */
  public RudePeer showing(byte[] hostKey) {
    shownHostKey = hostKey;
    return this;
  }

  /** Shows the host key of this seed, and signs with it. */
  public RudePeer holding(byte[] seed) {
    signingSeed = seed;
    return showing(publicKey(seed));
  }

  public static byte[] publicKey(byte[] seed) {
    return WireWriter.create()
        .writeString("ssh-ed25519")
        .writeString(Ed25519.publicKey(seed))
        .toBytes();
  }

  private byte[] sign(byte[] data) {
    return WireWriter.create()
        .writeString("ssh-ed25519")
        .writeString(Ed25519.sign(signingSeed, data))
        .toBytes();
  }

  /** Our NEWKEYS, and the new key for what we send. */
  public RudePeer newKeys() throws IOException {
    send(new NewKeys());
    sealer = nextSealer;
    sentUnderKey = 0;
    if (strict) {
      sent = 0;
    }
    return this;
  }

  public RudePeer expectNewKeys() throws IOException {
    expect(NewKeys.TYPE);
    opener = nextOpener;
    if (strict) {
      received = 0;
    }
    return this;
  }

  /** From the first byte to the keys. */
  public RudePeer handshake() throws Exception {
    return reach(State.AFTER_NEWKEYS);
  }

  public RudePeer handshake(KexInit message) throws Exception {
    return identify().kexInit(message).expectKexInit().kexAnswer().newKeys().expectNewKeys();
  }

  /** One more key exchange, begun by us. */
  public RudePeer rekey() throws Exception {
    return kexInit(kexInit(CURVE25519)).expectKexInit().carryOn(State.REKEYING);
  }

  // ---- Logging in, as a client ----------------------------------------------------------------

  public RudePeer requestService() throws IOException {
    send(new ServiceRequest("ssh-userauth")).expect(ServiceAccept.TYPE);
    return this;
  }

  public static UserauthRequest request(String user, String method, WireWriter fields) {
    return new UserauthRequest(user, "ssh-connection", method, fields.toBytes());
  }

  public static UserauthRequest keyboardInteractive(String user) {
    return request(
        user, "keyboard-interactive", WireWriter.create().writeString("").writeString(""));
  }

  /** Whether a key would do. */
  public static UserauthRequest query(String user, byte[] seed) {
    return request(
        user,
        "publickey",
        WireWriter.create()
            .writeBoolean(false)
            .writeString("ssh-ed25519")
            .writeString(publicKey(seed)));
  }

  /** The proof that we hold a key; it is a lie where the seeds differ. */
  public UserauthRequest proof(String user, byte[] shown, byte[] signing) {
    return proof(user, "publickey", WireWriter.create(), shown, signing);
  }

  /** The same, bound to the server's host key, or to another one. */
  public UserauthRequest boundProof(String user, byte @Nullable [] hostKey, byte[] seed) {
    return proof(
        user,
        "publickey-hostbound-v00@openssh.com",
        WireWriter.create().writeString(hostKey == null ? serversKey : hostKey),
        seed,
        seed);
  }

  private UserauthRequest proof(
      String user, String method, WireWriter more, byte[] shown, byte[] signing) {
    byte[] fields =
        WireWriter.create()
            .writeBoolean(true)
            .writeString("ssh-ed25519")
            .writeString(publicKey(shown))
            .writeBytes(more.toBytes())
            .toBytes();
    byte[] signed =
        WireWriter.create()
            .writeString(sessionId)
            .writeByte(MessageNumbers.USERAUTH_REQUEST)
            .writeString(user)
            .writeString("ssh-connection")
            .writeString(method)
            .writeBytes(fields)
            .toBytes();
    byte[] signature =
        WireWriter.create()
            .writeString("ssh-ed25519")
            .writeString(Ed25519.sign(signing, signed))
            .toBytes();
    return request(user, method, WireWriter.create().writeBytes(fields).writeString(signature));
  }

  public RudePeer login(String user, byte[] seed) throws IOException {
    requestService().send(proof(user, seed, seed)).expect(UserauthSuccess.TYPE);
    return this;
  }

  /** Grants what the client asks for until it asks to be let in. */
  public RudePeer authenticate() throws IOException {
    expectAuthentication();
    return send(new UserauthSuccess());
  }

  /** To the client's first request. */
  public RudePeer expectAuthentication() throws IOException {
    expect(ServiceRequest.TYPE);
    send(new ServiceAccept("ssh-userauth"));
    expect(UserauthRequest.TYPE);
    return this;
  }

  // ---- Single messages ------------------------------------------------------------------------

  public RudePeer send(Message message) throws IOException {
    return payload(message.toBytes());
  }

  /** Compression, if it is agreed, begins behind USERAUTH_SUCCESS. */
  private RudePeer loggedIn() {
    if (ours.compressionToClient().contains("zlib@openssh.com")) {
      compressor = new PacketCompressor();
      decompressor = new PacketDecompressor(1 << 20);
    }
    return this;
  }

  /** Loses a packet on its way: adit sees that the next has another sequence number. */
  public RudePeer lose(Message message) throws IOException {
    burst = new ByteArrayOutputStream();
    send(message);
    burst = null;
    return this;
  }

  /** A packet with any payload. */
  public RudePeer payload(byte... payload) throws IOException {
    PacketCompressor with = compressor;
    if (with == null) {
      return sealed(payload);
    }
    ByteBuf compressed = Unpooled.buffer();
    with.compress(Unpooled.wrappedBuffer(payload), compressed);
    return sealed(ByteBufUtil.getBytes(compressed));
  }

  /** A packet with any payload, which is not compressed, or was before. */
  public RudePeer sealed(byte... payload) throws IOException {
    return packet(payload, padding(1 + payload.length));
  }

  /** The least padding behind so many bytes that makes whole blocks. */
  private int padding(int length) {
    PacketSealer with = sealer;
    int block = with == null ? 8 : with.blockSize();
    boolean lengthIsPadded = with == null || with.lengthIsPadded();
    int padding = block - (length + (lengthIsPadded ? 4 : 0)) % block;
    return padding < 4 ? padding + block : padding;
  }

  /** A packet with any padding, which may be wrong. */
  public RudePeer packet(byte[] payload, int padding) throws IOException {
    return packet(1 + payload.length + padding, padding, payload, padding);
  }

  /**
   * A packet that says of itself what it is not.
   *
   * @param saidLength packet_length, as it is read when it is decrypted
   * @param saidPadding padding_length
   * @param padding bytes that come behind the payload
   */
  public RudePeer packet(long saidLength, int saidPadding, byte[] payload, int padding)
      throws IOException {
    int length = 1 + payload.length + padding;
    int tag = sealer == null ? 0 : sealer.tagLength();
    ByteBuf buffer = Unpooled.directBuffer(4 + length + tag);
    buffer.writeInt(length).writeByte(saidPadding).writeBytes(payload);
    buffer.writeZero(padding + tag);
    if (sealer != null) {
      sealer.seal(buffer, 0, length, sent);
    }
    // In clear, or encrypted by a stream: a bit that is changed here is changed there.
    buffer.setInt(0, buffer.getInt(0) ^ length ^ (int) saidLength);
    sent++;
    byte[] bytes = ByteBufUtil.getBytes(buffer);
    buffer.release();
    sentUnderKey += bytes.length;
    return raw(bytes);
  }

  /** An IGNORE so long that what was sent under the present key ends just below so many bytes. */
  public RudePeer fillUpTo(long bytes) throws IOException {
    int lengthAndTag = 4 + 16;
    int headAndPadding = 1 + 1 + 4 + 4;
    int packet = (int) (bytes - 1 - sentUnderKey - lengthAndTag) / 16 * 16;
    return send(new Ignore(new byte[packet - headAndPadding]));
  }

  /** The sequence number of the packet that was sent last (RFC 4253 section 6.4). */
  public long lastSequence() {
    return Integer.toUnsignedLong(sent - 1);
  }

  /** From this byte on nothing goes out any more, whatever the script says. */
  public RudePeer silentBehind(long bytes) {
    silentBehind = bytes;
    return this;
  }

  /** Bytes that went out. */
  public long bytesSent() {
    return bytesSent;
  }

  /** Bytes as they are. */
  public RudePeer raw(byte[] bytes) throws IOException {
    ByteArrayOutputStream held = burst;
    if (held != null) {
      held.writeBytes(bytes);
      return this;
    }
    int length = (int) Math.clamp(silentBehind - bytesSent, 0, bytes.length);
    out.write(bytes, 0, length);
    bytesSent += length;
    return this;
  }

  /** What the script sends goes out in one piece, when it is over. It must not wait for answers. */
  public RudePeer burst(Script script) throws Exception {
    var held = new ByteArrayOutputStream();
    burst = held;
    script.run(this);
    burst = null;
    return raw(held.toByteArray());
  }

  public <M extends Message> M expect(MessageType<M> type) throws IOException {
    return type.parse(WireReader.over(read()));
  }

  /** The next message of this type; what was sent before it is read afterwards. */
  public <M extends Message> M expectEventually(MessageType<M> type) throws IOException {
    while (true) {
      byte[] payload = readPacket();
      if ((payload[0] & 0xff) == type.number()) {
        return type.parse(WireReader.over(payload));
      }
      passedOver.add(payload);
    }
  }

  /** The next message, when the key exchanges that adit begins before it are over. */
  public <M extends Message> M expectServing(MessageType<M> type) throws Exception {
    while (true) {
      byte[] payload = read();
      if (payload[0] != MessageNumbers.KEXINIT) {
        return type.parse(WireReader.over(payload));
      }
      theirs = payload;
      carryOn(State.REKEY_ASKED);
    }
  }

  public RudePeer expectAnswer(Message question, MessageType<?> type) throws IOException {
    send(question).expect(type);
    return this;
  }

  /** Reads past what adit says until it says goodbye with this reason. */
  public RudePeer expectDisconnect(int reason) throws IOException {
    return expectDisconnect(reason, "");
  }

  /**
   * @param text what the description has in it
   */
  public RudePeer expectDisconnect(int reason, String text) throws IOException {
    while (true) {
      byte[] payload;
      try {
        payload = read();
      } catch (EOFException e) {
        throw new AssertionError("closed without a DISCONNECT", e);
      }
      if (payload[0] == MessageNumbers.DISCONNECT) {
        Disconnect message = Disconnect.TYPE.parse(WireReader.over(payload));
        if (message.reason() != reason || !message.description().contains(text)) {
          throw new AssertionError(
              "DISCONNECT where reason %d, \"%s\" was due: %s".formatted(reason, text, message));
        }
        return this;
      }
    }
  }

  /** Reads past what the client says until it closes. */
  public RudePeer expectEnd() throws IOException {
    ending = true;
    try {
      while (true) {
        read();
      }
    } catch (EOFException e) {
      return this;
    }
  }

  /** After an NEWKEYS of the client's that may be on its way, the same. */
  public RudePeer expectNewKeysOr(int reason, Message ours) throws IOException {
    if (ours instanceof NewKeys) {
      // It is our NEWKEYS, and no offence: what is wrong comes after it.
      return expectNewKeys().raw(new byte[64]).expectDisconnect(reason);
    }
    return expectNewKeys().expectDisconnect(reason);
  }

  /** Ends what we send; without unread input, which would make it a reset. */
  public RudePeer finish() throws IOException {
    socket.shutdownOutput();
    return expectEndOfLines();
  }

  /** Reads bytes of any kind until the client closes. */
  public RudePeer expectEndOfLines() throws IOException {
    in.readAllBytes();
    return this;
  }

  /** Which method of our KEXINIT is the one that was agreed. */
  public RudePeer method(String name) {
    agreed = name;
    return this;
  }

  /**
   * Waits until the script reads, having sent all it has to send. Longer than one of its reads may
   * take, so that a failure tells which one it was.
   */
  public void awaitIdle() throws Exception {
    Awaitility.await()
        .atMost(2L * PATIENCE_MILLIS, TimeUnit.MILLISECONDS)
        .until(() -> ending || finished.isDone());
    if (!ending) {
      finished.get();
    }
  }

  /** Adit's identification, where ours is not told. */
  public RudePeer expectLine() throws IOException {
    theirIdentification = readLine();
    return this;
  }

  private String readLine() throws IOException {
    var line = new StringBuilder();
    for (int c; (c = in.read()) != '\n'; ) {
      if (c < 0) {
        throw new EOFException();
      }
      line.append((char) c);
    }
    return line.toString().strip();
  }

  /** The payload of the next packet. */
  public byte[] read() throws IOException {
    byte[] waiting = passedOver.poll();
    return waiting == null ? readPacket() : waiting;
  }

  /** Reads until a message of this number comes, which is then the next. */
  public RudePeer skipTo(int number) throws IOException {
    while (true) {
      byte[] payload = read();
      if (payload[0] == number) {
        passedOver.addFirst(payload);
        return this;
      }
      if (payload[0] == MessageNumbers.DISCONNECT) {
        throw new AssertionError(Disconnect.TYPE.parse(WireReader.over(payload)).description());
      }
    }
  }

  /** The next packet from the network, although messages that were passed over wait. */
  public byte[] readPacket() throws IOException {
    PacketOpener with = opener;
    int head = with == null ? 4 : with.headLength();
    ByteBuf buffer = Unpooled.directBuffer();
    try {
      readInto(buffer, head);
      int length = with == null ? buffer.getInt(0) : (int) with.packetLength(buffer, 0, received);
      readInto(buffer, 4 + length + (with == null ? 0 : with.tagLength()) - head);
      if (with != null) {
        with.open(buffer, 0, length, received);
      }
      received++;
      byte[] payload = inflated(buffer.slice(5, length - 1 - buffer.getUnsignedByte(4)));
      heard.set(payload[0] & 0xff);
      return payload;
    } catch (PacketIntegrityException | MalformedDataException e) {
      throw new AssertionError("adit's packet can't be read", e);
    } finally {
      buffer.release();
    }
  }

  private void readInto(ByteBuf buffer, int length) throws IOException {
    for (int left = length; left > 0; ) {
      int read = buffer.writeBytes(in, left);
      if (read < 0) {
        throw new EOFException();
      }
      left -= read;
    }
  }

  private byte[] inflated(ByteBuf payload) throws MalformedDataException {
    PacketDecompressor with = decompressor;
    if (with == null) {
      return ByteBufUtil.getBytes(payload);
    }
    ByteBuf inflated = Unpooled.buffer();
    with.decompress(payload, inflated);
    return ByteBufUtil.getBytes(inflated);
  }
}
