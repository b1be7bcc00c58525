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
import dev.adit.ssh.crypto.PacketOpener;
import dev.adit.ssh.crypto.PacketSealer;
import dev.adit.ssh.keys.SshPublicKey;
import dev.adit.ssh.wire.AuthMessage.UserauthRequest;
import dev.adit.ssh.wire.AuthMessage.UserauthSuccess;
import dev.adit.ssh.wire.Message;
import dev.adit.ssh.wire.MessageNumbers;
import dev.adit.ssh.wire.MessageType;
import dev.adit.ssh.wire.TransportMessage.Disconnect;
import dev.adit.ssh.wire.TransportMessage.KexEcdhInit;
import dev.adit.ssh.wire.TransportMessage.KexEcdhReply;
import dev.adit.ssh.wire.TransportMessage.KexInit;
import dev.adit.ssh.wire.TransportMessage.NewKeys;
import dev.adit.ssh.wire.TransportMessage.ServiceAccept;
import dev.adit.ssh.wire.TransportMessage.ServiceRequest;
import dev.adit.ssh.wire.WireReader;
import dev.adit.ssh.wire.WireWriter;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/**
 * An SSH server, or a client, that does what a script says, right or wrong: {@code
 * peer.identify().kexInit() .send(...).expectDisconnect(2)}. It has the wire formats and the
 * ciphers in common with adit, but nothing of its state machine.
 */
final class RudePeer implements AutoCloseable {
  /** What the peer does with the connection that comes. */
  interface Script {
    void run(RudePeer peer) throws Exception;
  }

  static final String STRICT = "kex-strict-s-v00@openssh.com";
  static final String STRICT_CLIENT = "kex-strict-c-v00@openssh.com";
  private static final String IDENTIFICATION = "SSH-2.0-rude_1.0";
  private static final byte[] SEED = "a host key that everybody knows.".getBytes(US_ASCII);
  private static final int PATIENCE_MILLIS = 10_000;

  private final @Nullable ServerSocket listener;
  private final CompletableFuture<Void> finished = new CompletableFuture<>();

  private Socket socket = new Socket();
  private DataInputStream in = new DataInputStream(DataInputStream.nullInputStream());
  private OutputStream out = OutputStream.nullOutputStream();

  private @Nullable PacketSealer sealer;
  private @Nullable PacketOpener opener;
  private int sent;
  private int received;
  private volatile boolean ending;
  private @Nullable String agreed;
  private String theirIdentification = "";
  private String identification = IDENTIFICATION;
  private KexInit ours = kexInit("curve25519-sha256");
  private byte[] oursSent = {};
  private byte[] theirs = {};
  private byte[] sessionId = {};
  private byte[] serversKey = {};
  private boolean strict;
  private @Nullable PacketSealer nextSealer;
  private @Nullable PacketOpener nextOpener;

  private RudePeer(@Nullable ServerSocket listener) {
    this.listener = listener;
  }

  /** A client that has just connected to a port of this machine. */
  static RudePeer connectTo(int port) throws IOException {
    var peer = new RudePeer(null);
    peer.ours = kexInit("curve25519-sha256");
    peer.talkOver(new Socket(InetAddress.getLoopbackAddress(), port));
    return peer;
  }

  /** Plays the script with the first connection that comes. */
  static RudePeer start(Script script) throws IOException {
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

  int port() {
    return Objects.requireNonNull(listener).getLocalPort();
  }

  /** Waits for the script's end, and fails if it did. */
  void join() throws Exception {
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

  private boolean isClient() {
    return listener == null;
  }

  private void talkOver(Socket connected) throws IOException {
    socket = connected;
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(PATIENCE_MILLIS);
    in = new DataInputStream(socket.getInputStream());
    out = socket.getOutputStream();
  }

  // ---- The course of a connection -------------------------------------------------------------

  RudePeer identify() throws IOException {
    return identify(IDENTIFICATION);
  }

  RudePeer identify(String line) throws IOException {
    identification = line;
    raw((line + "\r\n").getBytes(ISO_8859_1));
    theirIdentification = readLine();
    return this;
  }

  /** The KEXINIT that a well-behaved server with this one method would send. */
  static KexInit kexInit(String method, String... flags) {
    List<String> methods =
        java.util.stream.Stream.concat(java.util.stream.Stream.of(method), Arrays.stream(flags))
            .toList();
    List<String> cipher = List.of("aes128-gcm@openssh.com");
    List<String> mac = List.of("hmac-sha2-256");
    List<String> none = List.of("none");
    return new KexInit(
        new byte[16],
        methods,
        List.of("ssh-ed25519"),
        cipher,
        cipher,
        mac,
        mac,
        none,
        none,
        List.of(),
        List.of(),
        false,
        0);
  }

  RudePeer kexInit() throws IOException {
    return kexInit(kexInit("curve25519-sha256", isClient() ? STRICT_CLIENT : STRICT));
  }

  RudePeer kexInit(KexInit message) throws IOException {
    ours = message;
    oursSent = message.toBytes();
    strict = strict || message.kexAlgorithms().contains(isClient() ? STRICT_CLIENT : STRICT);
    return send(message);
  }

  RudePeer expectKexInit() throws IOException {
    theirs = read();
    if (theirs[0] != MessageNumbers.KEXINIT) {
      throw new AssertionError("message " + theirs[0] + " where KEXINIT was expected");
    }
    return this;
  }

  /** Answers the client's KEX_ECDH_INIT (or that of the hybrids), and makes the keys. */
  RudePeer kexReply() throws Exception {
    return kexReply(UnaryOperator.identity());
  }

  /**
   * @param change what is done to our public value, after the honest hash was made
   */
  RudePeer kexReply(UnaryOperator<byte[]> change) throws Exception {
    WireReader init = WireReader.over(read());
    if (init.readByte() != MessageNumbers.KEX_FIRST) {
      throw new AssertionError("no KEX_INIT");
    }
    byte[] theirValue = init.readString();
    String name = agreed == null ? ours.kexAlgorithms().getFirst() : agreed;
    KexAlgorithm method = Objects.requireNonNull(KexAlgorithm.of(name));
    KeyAgreement.Response response = method.respond(theirValue);
    byte[] hostKey = hostKey();
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
  RudePeer kexRequest() throws Exception {
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
  static byte[] hostKey() {
    return publicKey(SEED);
  }

  static byte[] publicKey(byte[] seed) {
    return WireWriter.create()
        .writeString("ssh-ed25519")
        .writeString(Ed25519.publicKey(seed))
        .toBytes();
  }

  private static byte[] sign(byte[] data) {
    return WireWriter.create()
        .writeString("ssh-ed25519")
        .writeString(Ed25519.sign(SEED, data))
        .toBytes();
  }

  /** Our NEWKEYS, and the new key for what we send. */
  RudePeer newKeys() throws IOException {
    send(new NewKeys());
    sealer = nextSealer;
    if (strict) {
      sent = 0;
    }
    return this;
  }

  RudePeer expectNewKeys() throws IOException {
    expect(NewKeys.TYPE);
    opener = nextOpener;
    if (strict) {
      received = 0;
    }
    return this;
  }

  /** From the first byte to the keys. */
  RudePeer handshake() throws Exception {
    return handshake(kexInit("curve25519-sha256", isClient() ? STRICT_CLIENT : STRICT));
  }

  RudePeer handshake(KexInit message) throws Exception {
    identify().kexInit(message).expectKexInit();
    return (isClient() ? kexRequest() : kexReply()).newKeys().expectNewKeys();
  }

  /** One more key exchange, begun by us. */
  RudePeer rekey() throws Exception {
    kexInit(kexInit("curve25519-sha256")).expectKexInit();
    return (isClient() ? kexRequest() : kexReply()).newKeys().expectNewKeys();
  }

  // ---- Logging in, as a client ----------------------------------------------------------------

  RudePeer requestService() throws IOException {
    send(new ServiceRequest("ssh-userauth")).expect(ServiceAccept.TYPE);
    return this;
  }

  static UserauthRequest request(String user, String method, WireWriter fields) {
    return new UserauthRequest(user, "ssh-connection", method, fields.toBytes());
  }

  /** Whether a key would do. */
  static UserauthRequest query(String user, byte[] seed) {
    return request(
        user,
        "publickey",
        WireWriter.create()
            .writeBoolean(false)
            .writeString("ssh-ed25519")
            .writeString(publicKey(seed)));
  }

  /** The proof that we hold a key; it is a lie where the seeds differ. */
  UserauthRequest proof(String user, byte[] shown, byte[] signing) {
    return proof(user, "publickey", WireWriter.create(), shown, signing);
  }

  /** The same, bound to the server's host key, or to another one. */
  UserauthRequest boundProof(String user, byte @Nullable [] hostKey, byte[] seed) {
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

  RudePeer login(String user, byte[] seed) throws IOException {
    requestService().send(proof(user, seed, seed)).expect(UserauthSuccess.TYPE);
    return this;
  }

  /** Grants what the client asks for until it asks to be let in. */
  RudePeer authenticate() throws IOException {
    expectAuthentication();
    return send(new UserauthSuccess());
  }

  /** To the client's first request. */
  RudePeer expectAuthentication() throws IOException {
    expect(ServiceRequest.TYPE);
    send(new ServiceAccept("ssh-userauth"));
    expect(UserauthRequest.TYPE);
    return this;
  }

  // ---- Single messages ------------------------------------------------------------------------

  RudePeer send(Message message) throws IOException {
    return payload(message.toBytes());
  }

  /** A packet with any payload. */
  RudePeer payload(byte... payload) throws IOException {
    PacketSealer with = sealer;
    int block = with == null ? 8 : with.blockSize();
    boolean lengthIsPadded = with == null || with.lengthIsPadded();
    int padding = block - (1 + payload.length + (lengthIsPadded ? 4 : 0)) % block;
    return packet(payload, padding < 4 ? padding + block : padding);
  }

  /** A packet with any padding, which may be wrong. */
  RudePeer packet(byte[] payload, int padding) throws IOException {
    int length = 1 + payload.length + padding;
    int tag = sealer == null ? 0 : sealer.tagLength();
    ByteBuf buffer = Unpooled.directBuffer(4 + length + tag);
    buffer.writeInt(length).writeByte(padding).writeBytes(payload).writeZero(padding + tag);
    if (sealer != null) {
      sealer.seal(buffer, 0, length, sent);
    }
    sent++;
    byte[] bytes = new byte[buffer.readableBytes()];
    buffer.readBytes(bytes).release();
    return raw(bytes);
  }

  /** Bytes as they are. */
  RudePeer raw(byte[] bytes) throws IOException {
    out.write(bytes);
    out.flush();
    return this;
  }

  <M extends Message> M expect(MessageType<M> type) throws IOException {
    return type.parse(WireReader.over(read()));
  }

  RudePeer expectAnswer(Message question, MessageType<?> type) throws IOException {
    send(question).expect(type);
    return this;
  }

  /** Reads past what the client says until it says goodbye with this reason. */
  RudePeer expectDisconnect(int reason) throws IOException {
    while (true) {
      byte[] payload;
      try {
        payload = read();
      } catch (EOFException e) {
        throw new AssertionError("closed without a DISCONNECT", e);
      }
      if (payload[0] == MessageNumbers.DISCONNECT) {
        Disconnect message = Disconnect.TYPE.parse(WireReader.over(payload));
        if (message.reason() != reason) {
          throw new AssertionError("DISCONNECT where reason " + reason + " was due: " + message);
        }
        return this;
      }
    }
  }

  /** Reads past what the client says until it closes. */
  RudePeer expectEnd() throws IOException {
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
  RudePeer expectNewKeysOr(int reason, Message ours) throws IOException {
    if (ours instanceof NewKeys) {
      // It is our NEWKEYS, and no offence: what is wrong comes after it.
      return expectNewKeys().raw(new byte[64]).expectDisconnect(reason);
    }
    return expectNewKeys().expectDisconnect(reason);
  }

  /** Ends what we send; without unread input, which would make it a reset. */
  RudePeer finish() throws IOException {
    socket.shutdownOutput();
    return expectEndOfLines();
  }

  /** Reads bytes of any kind until the client closes. */
  RudePeer expectEndOfLines() throws IOException {
    in.readAllBytes();
    return this;
  }

  /** Which method of our KEXINIT is the one that was agreed. */
  RudePeer method(String name) {
    agreed = name;
    return this;
  }

  /**
   * Waits until the script reads, having sent all it has to send. Longer than one of its reads may
   * take, so that a failure tells which one it was.
   */
  void awaitIdle() throws Exception {
    Awaitility.await()
        .atMost(2L * PATIENCE_MILLIS, TimeUnit.MILLISECONDS)
        .until(() -> ending || finished.isDone());
    if (!ending) {
      finished.get();
    }
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
  byte[] read() throws IOException {
    PacketOpener with = opener;
    int head = with == null ? 4 : with.headLength();
    ByteBuf buffer = Unpooled.directBuffer(64 * 1024);
    try {
      buffer.writeBytes(in.readNBytes(head));
      if (buffer.readableBytes() < head) {
        throw new EOFException();
      }
      int length = with == null ? buffer.getInt(0) : (int) with.packetLength(buffer, 0, received);
      int rest = 4 + length + (with == null ? 0 : with.tagLength()) - head;
      byte[] bytes = new byte[rest];
      in.readFully(bytes);
      buffer.writeBytes(bytes);
      if (with != null) {
        try {
          with.open(buffer, 0, length, received);
        } catch (dev.adit.ssh.crypto.PacketIntegrityException e) {
          throw new AssertionError("the client's packet does not open", e);
        }
      }
      received++;
      byte[] payload = new byte[length - 1 - buffer.getUnsignedByte(4)];
      buffer.getBytes(5, payload);
      return payload;
    } finally {
      buffer.release();
    }
  }
}
