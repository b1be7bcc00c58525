package dev.adit.ssh.transport;

import dev.adit.ssh.SshException;
import dev.adit.ssh.crypto.PacketOpener;
import dev.adit.ssh.crypto.PacketSealer;
import dev.adit.ssh.keys.Signer;
import dev.adit.ssh.wire.AuthMessage.UserauthSuccess;
import dev.adit.ssh.wire.DisconnectReason;
import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.Message;
import dev.adit.ssh.wire.MessageNumbers;
import dev.adit.ssh.wire.MessageType;
import dev.adit.ssh.wire.TransportMessage.Debug;
import dev.adit.ssh.wire.TransportMessage.Disconnect;
import dev.adit.ssh.wire.TransportMessage.ExtInfo;
import dev.adit.ssh.wire.TransportMessage.KexInit;
import dev.adit.ssh.wire.TransportMessage.NewKeys;
import dev.adit.ssh.wire.TransportMessage.Ping;
import dev.adit.ssh.wire.TransportMessage.Pong;
import dev.adit.ssh.wire.TransportMessage.Unimplemented;
import dev.adit.ssh.wire.WireReader;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One SSH transport (RFC 4253) over a {@link Carrier}: the place where the two lanes meet.
 *
 * <p>The control lane is one virtual thread that calls {@link #handshake}, {@link #send}, {@link
 * #expect} and, once the user is authenticated, {@link #serve}. It may block, and it never touches
 * the carrier: what it sends is a task on the event loop. The data lane is that loop; it calls the
 * methods of {@link PacketSink}. When the loop closes the connection it poisons the control lane's
 * queue, so that nothing waits for ever.
 */
public final class Transport implements PacketSink {
  private static final Logger log = LoggerFactory.getLogger(Transport.class);

  /** What our own programs say first; they set TCP_NODELAY. */
  private static final String OURS = "SSH-2.0-adit_";

  /** What the control lane waits for. */
  private sealed interface Event {
    record Packet(int number, byte[] payload, int sequence) implements Event {}

    record RekeyDue() implements Event {}

    record Answered() implements Event {}

    record Closed(SshException cause) implements Event {}
  }

  private static final PacketHandler NO_CHANNELS =
      new PacketHandler() {
        @Override
        public void packet(int number, ByteBuf buffer, int index, int length) {}

        @Override
        public void sendable() {}

        @Override
        public void closed(SshException cause) {}
      };

  private final Carrier carrier;
  private final EventLoop loop;
  private final TransportConfig config;
  private final TransportListener listener;
  private final boolean server;
  private final PacketEncoder encoder;
  private final PacketDecoder decoder;
  private final KeyExchange keyExchange;

  private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();

  // The control lane's alone.
  private final Deque<Event.Packet> setAside = new ArrayDeque<>();
  private final Map<String, byte[]> peerExtensions = new LinkedHashMap<>();
  private boolean exchanging;
  private int bytesAside;
  private boolean discardGuess;
  private int extInfos;
  private long packetsTaken;

  // The event loop's alone.
  private PacketHandler handler = NO_CHANNELS;
  private @Nullable SshException closedBy;
  private boolean rekeyAsked;
  private long packetsGiven;

  /** Of the messages that wait for the control lane. */
  private final AtomicInteger controlBytes = new AtomicInteger();

  private final HeldMemory.Share held = HeldMemory.OF_PROCESS.share(this::giveUp);

  private @Nullable ScheduledFuture<?> deadline;
  private @Nullable ScheduledFuture<?> rekeyTimer;
  private long rekeyAfterBytes = Long.MAX_VALUE;
  private Duration rekeyInterval;

  private volatile String peerIdentification = "";

  private Transport(
      Carrier carrier,
      TransportConfig config,
      TransportListener listener,
      boolean server,
      Function<Transport, KeyExchange> keyExchange) {
    this.carrier = carrier;
    this.loop = carrier.eventLoop();
    this.config = config;
    this.listener = listener;
    this.server = server;
    this.rekeyInterval = config.rekeyInterval();
    this.encoder = new PacketEncoder(carrier, this);
    this.decoder = new PacketDecoder(this, server);
    this.keyExchange = keyExchange.apply(this);
  }

  /** The client's end of a transport. Nothing is sent before {@link #handshake}. */
  public static Transport client(
      Carrier carrier,
      TransportConfig config,
      TransportListener listener,
      HostKeyVerifier verifier) {
    return new Transport(
        carrier,
        config,
        listener,
        false,
        transport -> new ClientKeyExchange(transport, config, verifier));
  }

  /**
   * The server's end of a transport. Nothing is sent before {@link #handshake}. It sets no limit of
   * its own to the time until the user is logged in: LoginGraceTime is one for all of it.
   *
   * @param hostKeys with certificates beside their bare keys; the client chooses among those whose
   *     algorithms the configuration allows
   * @param extensions what a client that asks for extension info is told (RFC 8308)
   */
  public static Transport server(
      Carrier carrier,
      TransportConfig config,
      TransportListener listener,
      List<Signer> hostKeys,
      Map<String, byte[]> extensions) {
    return new Transport(
        carrier,
        config,
        listener,
        true,
        transport -> new ServerKeyExchange(transport, config, hostKeys, extensions));
  }

  // ---- Control lane -------------------------------------------------------------------------

  /**
   * Identification and the first key exchange. Our KEXINIT travels in one flight with our
   * identification, as RFC 4253 section 4.2 allows.
   */
  public void handshake() throws SshException, InterruptedException {
    loop.execute(
        () -> {
          if (!server) {
            startDeadline(firstPatience(), "during banner exchange");
          }
          carrier.start(decoder);
          encoder.sendRaw((config.identification() + "\r\n").getBytes(StandardCharsets.US_ASCII));
        });
    exchangeKeys(null);
  }

  /** Queues a message for the peer. Callable from any thread. */
  @Override
  public void send(Message message) {
    if (loop.inEventLoop()) {
      encoder.send(message);
    } else {
      loop.execute(() -> encoder.send(message));
    }
  }

  /** Waits for a message of this type; anything else is the peer's mistake. */
  public <M extends Message> M expect(MessageType<M> type)
      throws SshException, InterruptedException {
    Event.Packet packet = nextPacket();
    if (packet.number() != type.number()) {
      throw unexpected(packet.number(), "waiting for " + type.name());
    }
    return parse(type, packet.payload());
  }

  /**
   * Waits for the next message of the layer above, number included. Key exchanges that the peer or
   * a limit begins in the meantime are served here, and extension info is taken.
   */
  public byte[] receive() throws SshException, InterruptedException {
    return nextPacket().payload();
  }

  /** Parses a payload that {@link #receive} returned. */
  public <M extends Message> M parse(MessageType<M> type, byte[] payload) throws SshException {
    try {
      return type.parse(WireReader.over(payload));
    } catch (MalformedDataException e) {
      throw new SshException.PeerMisbehaved("malformed " + type.name() + ": " + e.getMessage(), e);
    }
  }

  /** The error for a message that nobody waits for here. */
  public SshException unexpected(int number, String state) {
    return new SshException.PeerMisbehaved(
        "message " + MessageNumbers.describe(number) + " while " + state);
  }

  /**
   * Runs something that may take a person's time while the control lane goes on serving key
   * exchanges; messages of the layer above wait.
   *
   * @throws SshException if the connection ends before the answer is there
   */
  public <T> T whileServing(Callable<T> question)
      throws SshException, InterruptedException, ExecutionException {
    FutureTask<T> answer = new FutureTask<>(question);
    Thread asking =
        Thread.ofVirtual()
            .name("adit-question")
            .start(
                () -> {
                  answer.run();
                  events.add(new Event.Answered());
                });
    try {
      while (true) {
        switch (takeOrResume()) {
          case Event.Answered _ -> {
            return answer.get();
          }
          case Event.RekeyDue _ -> exchangeKeys(null);
          case Event.Packet p when p.number() == MessageNumbers.KEXINIT -> exchangeKeys(p);
          case Event.Packet p -> setAside(p);
          case Event.Closed c -> throw c.cause();
        }
      }
    } finally {
      asking.interrupt();
    }
  }

  /**
   * The rest of the control lane's life, once channels are open: it serves key exchanges until the
   * connection ends, and returns why it did.
   */
  public SshException serve() throws InterruptedException {
    try {
      while (true) {
        switch (takeOrResume()) {
          case Event.RekeyDue _ -> exchangeKeys(null);
          case Event.Packet p when p.number() == MessageNumbers.KEXINIT -> exchangeKeys(p);
          // Sent before the client saw that it is in; RFC 4252 section 5.1 ignores it.
          case Event.Packet p when server && p.number() == MessageNumbers.USERAUTH_REQUEST -> {}
          case Event.Packet p -> throw unexpected(p.number(), "the connection is open");
          case Event.Closed c -> {
            return c.cause();
          }
          case Event.Answered _ -> {}
        }
      }
    } catch (SshException e) {
      fail(e);
      return e;
    }
  }

  /** The session identifier: the first exchange hash (RFC 4253 section 7.2). */
  public byte[] sessionId() {
    return keyExchange.sessionId();
  }

  /** The peer's identification line. */
  public String peerIdentification() {
    return peerIdentification;
  }

  /** The server's host key blob, on both sides. */
  public byte[] hostKey() {
    return keyExchange.hostKey();
  }

  /** The value of an extension that the peer announced (RFC 8308), or null. */
  public byte @Nullable [] peerExtension(String name) {
    return peerExtensions.get(name);
  }

  /** What the last key exchange agreed on; null before the first has ended. */
  public @Nullable Negotiated negotiated() {
    return keyExchange.negotiated();
  }

  /** The user's limit for bytes under one key either way, or 0 for what the cipher allows. */
  public long rekeyLimit() {
    return keyExchange.userLimit();
  }

  /** Whether the keys have been renewed since the first exchange. */
  public boolean isRekeyed() {
    return keyExchange.isRekeyed();
  }

  /** Whether strict key exchange protects the connection (CVE-2023-48795). */
  public boolean isStrict() {
    return keyExchange.isStrict();
  }

  /** Where the connection leads, for messages. */
  public String remote() {
    return carrier.remote();
  }

  /**
   * Sets how long one key may be used (RekeyLimit), where that depends on the user. To be called on
   * the control lane before {@link #open}.
   *
   * @param bytes either way; 0 for what the cipher allows (RFC 4344)
   * @param interval zero for no limit
   */
  public void limitKeys(long bytes, Duration interval) {
    long limit = keyExchange.limitBytes(bytes);
    loop.execute(
        () -> {
          rekeyAfterBytes = limit;
          rekeyInterval = interval;
        });
  }

  /**
   * Hands the messages of the connection layer to a handler from the next packet on; to be called
   * when USERAUTH_SUCCESS has come, or is due: a server sends it here, in the same turn of the
   * loop, for the client's first channel may come right behind it (RFC 4252 section 5.1).
   * Compression that was agreed starts behind it. Returns when the handler is in place.
   */
  public void open(PacketHandler packetHandler) throws InterruptedException {
    var opened =
        loop.submit(
            () -> {
              if (closedBy != null) {
                packetHandler.closed(closedBy);
                return;
              }
              stopDeadline();
              handler = packetHandler;
              if (server) {
                encoder.send(new UserauthSuccess());
              }
              startCompression(Objects.requireNonNull(keyExchange.negotiated()));
              packetHandler.opened();
              decoder.open(packetHandler);
              // A limit that was reached while the user logged in.
              openedPacket();
              startRekeyTimer();
            });
    opened.await();
  }

  private void startCompression(Negotiated n) {
    if (compresses(server ? n.compressionToClient() : n.compressionToServer())) {
      encoder.startCompression();
    }
    if (compresses(server ? n.compressionToServer() : n.compressionToClient())) {
      decoder.startCompression();
    }
  }

  private static boolean compresses(String name) {
    return name.equals("zlib@openssh.com");
  }

  private Event.Packet nextPacket() throws SshException, InterruptedException {
    while (true) {
      Event.Packet aside = setAside.poll();
      if (aside != null) {
        bytesAside -= aside.payload().length;
      }
      switch (aside != null ? aside : takeOrResume()) {
        case Event.Closed c -> throw c.cause();
        case Event.RekeyDue _ -> exchangeKeys(null);
        case Event.Answered _ -> {}
        case Event.Packet p -> {
          switch (p.number()) {
            case MessageNumbers.KEXINIT -> exchangeKeys(p);
            case MessageNumbers.EXT_INFO -> takeExtensions(p);
            default -> {
              return p;
            }
          }
        }
      }
    }
  }

  /** RFC 8308 section 2.4. */
  private void takeExtensions(Event.Packet packet) throws SshException {
    if (++extInfos > TransportLimits.MAX_EXT_INFO) {
      throw unexpected(packet.number(), "authenticating: it came too often");
    }
    peerExtensions.putAll(parse(ExtInfo.TYPE, packet.payload()).extensions());
  }

  private void exchangeKeys(Event.@Nullable Packet theirs)
      throws SshException, InterruptedException {
    exchanging = true;
    try {
      keyExchange.run(
          theirs == null ? null : theirs.payload(), theirs == null ? 0 : theirs.sequence());
    } finally {
      exchanging = false;
    }
  }

  /** For {@link KeyExchange}: the next message of the exchange. */
  byte[] nextKexPayload(MessageType<?> type) throws SshException, InterruptedException {
    Event.Packet packet = nextKexPacket(type.name());
    if (packet.number() != type.number()) {
      throw unexpected(packet.number(), "waiting for " + type.name());
    }
    return packet.payload();
  }

  /** For {@link KeyExchange}: the peer's KEXINIT, and the sequence number that it came with. */
  int awaitKexInit(byte[][] payload) throws SshException, InterruptedException {
    Event.Packet packet = nextKexPacket("SSH_MSG_KEXINIT");
    if (packet.number() != MessageNumbers.KEXINIT) {
      throw unexpected(packet.number(), "waiting for SSH_MSG_KEXINIT");
    }
    payload[0] = packet.payload();
    return packet.sequence();
  }

  private Event.Packet nextKexPacket(String waitingFor) throws SshException, InterruptedException {
    while (true) {
      switch (takeOrResume()) {
        case Event.Closed c -> throw c.cause();
        case Event.RekeyDue _ -> {}
        // The question was answered meanwhile: whoever asked looks again when this is over.
        case Event.Answered a -> answeredMeanwhile = a;
        case Event.Packet p when p.number() == MessageNumbers.DISCONNECT ->
            throw disconnected(parse(Disconnect.TYPE, p.payload()));
        case Event.Packet p
            when p.number() <= MessageNumbers.DEBUG || !PacketDecoder.isKnown(p.number()) -> {
          if (keyExchange.forbidsExtraMessages()) {
            throw unexpected(
                p.number(), "waiting for " + waitingFor + " under strict key exchange");
          }
          if (!PacketDecoder.isKnown(p.number())) {
            loop.execute(() -> unimplemented(p.number(), p.sequence()));
          }
        }
        // The peer may have sent it before it saw our KEXINIT.
        case Event.Packet p when p.number() >= MessageNumbers.USERAUTH_REQUEST -> setAside(p);
        case Event.Packet p
            when p.number() == MessageNumbers.EXT_INFO
                || p.number() == MessageNumbers.SERVICE_REQUEST
                || p.number() == MessageNumbers.SERVICE_ACCEPT ->
            setAside(p);
        case Event.Packet p when discardGuess && p.number() >= MessageNumbers.KEX_FIRST ->
            discardGuess = false;
        case Event.Packet p -> {
          return p;
        }
      }
    }
  }

  private Event.@Nullable Answered answeredMeanwhile;

  private void setAside(Event.Packet packet) throws SshException {
    bytesAside += packet.payload().length;
    if (setAside.size() >= TransportLimits.MAX_CONTROL_QUEUE
        || bytesAside > TransportLimits.MAX_CONTROL_BYTES) {
      throw new SshException.PeerMisbehaved(
          "more than %d messages, or %d bytes, in advance"
              .formatted(TransportLimits.MAX_CONTROL_QUEUE, TransportLimits.MAX_CONTROL_BYTES));
    }
    setAside.add(packet);
  }

  private Event takeOrResume() throws InterruptedException {
    if (!exchanging && answeredMeanwhile != null) {
      Event answered = answeredMeanwhile;
      answeredMeanwhile = null;
      return answered;
    }
    Event event = events.poll();
    if (event == null) {
      long taken = packetsTaken;
      loop.execute(() -> resumeDecoder(taken));
      event = events.take();
    }
    switch (event) {
      case Event.Closed _ -> events.add(event);
      case Event.Packet p -> {
        packetsTaken++;
        controlBytes.addAndGet(-p.payload().length);
      }
      case Event.RekeyDue _, Event.Answered _ -> {}
    }
    return event;
  }

  // ---- For KeyExchange, from the control lane -------------------------------------------------

  /** One task: KEXINIT goes out and the gate shuts. */
  void sendKexInit(KexInit kexInit, boolean first) {
    loop.execute(
        () -> {
          if (closedBy != null) {
            return;
          }
          encoder.startKeyExchange(kexInit);
          if (!first) {
            startDeadline(config.handshakeTimeout(), "during a key exchange");
          }
        });
  }

  /** One task: NEWKEYS goes out, the cipher is switched, the sequence number reset. */
  void sendNewKeys(PacketSealer sealer, boolean resetSequence, long rekeyBytes) {
    loop.execute(
        () -> {
          if (closedBy != null) {
            sealer.close();
            return;
          }
          rekeyAfterBytes = rekeyBytes;
          encoder.switchKeys(new NewKeys(), sealer, resetSequence);
          handler.sendable();
        });
  }

  void installOpener(PacketOpener opener, boolean resetSequence) {
    loop.execute(
        () -> {
          if (closedBy != null) {
            opener.close();
            return;
          }
          stopDeadline();
          rekeyAsked = false;
          startRekeyTimer();
          decoder.switchKeys(opener, resetSequence);
        });
  }

  /** The peer guessed the key exchange and guessed wrong (RFC 4253 section 7). */
  void discardGuess() {
    discardGuess = true;
  }

  /** A person may take any time to judge a host key. */
  void suspendDeadline() {
    loop.execute(this::stopDeadline);
  }

  /** The rest of the first key exchange has the whole time again. */
  void resumeDeadline() {
    loop.execute(
        () -> {
          if (closedBy == null) {
            startDeadline(config.handshakeTimeout(), "during the key exchange");
          }
        });
  }

  TransportListener listener() {
    return listener;
  }

  // ---- Event loop -----------------------------------------------------------------------------

  @Override
  public EventLoop eventLoop() {
    return loop;
  }

  @Override
  public void sendInPlace(ByteBuf payload) {
    encoder.sendInPlace(payload);
  }

  @Override
  public boolean dataAllowed() {
    return !encoder.gateIsShut() && carrier.isWritable() && closedBy == null;
  }

  /** Ends the connection. Idempotent; callable from any thread. */
  @Override
  public void fail(SshException cause) {
    if (!loop.inEventLoop()) {
      try {
        loop.execute(() -> fail(cause));
      } catch (RejectedExecutionException _) {
        // The loop has ended, and the connection with it.
      }
      return;
    }
    if (closedBy != null) {
      return;
    }
    // First of all: the goodbye itself may be what the peer's full queue has no room for.
    closedBy = cause;
    tellPeer(cause);
    end(cause);
  }

  @Override
  public void hold(long bytes) {
    held.waiting(bytes);
  }

  /** So many bytes wait for the peer to read. */
  void unsent(long bytes) {
    held.unsent(bytes);
  }

  /** Nobody holds more than we, and all together hold too much. On any thread. */
  private void giveUp(long bytes) {
    try {
      loop.execute(
          () -> {
            SshException cause =
                new SshException.Disconnected(
                    false,
                    DisconnectReason.BY_APPLICATION,
                    "memory is short here, and this connection holds most of it: %d bytes that "
                            .formatted(bytes)
                        + "nobody takes",
                    null);
            fail(cause);
            handler.letGo(cause);
            if (carrier.pendingBytes() > TransportLimits.OUT_HIGH_WATER) {
              // It doesn't read, so there is no use in a goodbye.
              carrier.abort();
            }
          });
    } catch (RejectedExecutionException _) {
      // The loop has ended, and the connection with it.
    }
  }

  /** Says goodbye and closes. Callable from any thread. */
  public void disconnect(String message) {
    fail(new SshException.Disconnected(false, DisconnectReason.BY_APPLICATION, message, null));
  }

  private void tellPeer(SshException cause) {
    int code =
        switch (cause) {
          case SshException.PeerMisbehaved e -> e.reasonCode();
          case SshException.NegotiationFailed _ -> DisconnectReason.KEY_EXCHANGE_FAILED;
          case SshException.HostKeyRejected _ -> DisconnectReason.HOST_KEY_NOT_VERIFIABLE;
          case SshException.AuthenticationFailed _ ->
              DisconnectReason.NO_MORE_AUTH_METHODS_AVAILABLE;
          case SshException.Disconnected e -> e.byRemote() ? 0 : e.code();
          case SshException.ForwardRefused _,
              SshException.ChannelRefused _,
              SshException.RequestRefused _ ->
              DisconnectReason.BY_APPLICATION;
        };
    if (code != 0) {
      String text = cause.getMessage();
      encoder.send(new Disconnect(code, text == null ? "" : text, ""));
    }
  }

  private void end(SshException cause) {
    closedBy = cause;
    stopDeadline();
    if (rekeyTimer != null) {
      rekeyTimer.cancel(false);
    }
    encoder.stop();
    decoder.stop();
    carrier.close();
    carrier.whenReleased(() -> held.unsent(0));
    handler.closed(cause);
    events.add(new Event.Closed(cause));
    listener.closed(cause);
  }

  private SshException disconnected(Disconnect message) {
    return new SshException.Disconnected(
        true,
        (int) message.reason(),
        "Received disconnect from %s:%d: %s"
            .formatted(carrier.remote(), message.reason(), Text.escape(message.description())),
        null);
  }

  void carrierWritabilityChanged() {
    encoder.tellUnsent();
    if (dataAllowed()) {
      handler.sendable();
    }
  }

  void carrierClosed(@Nullable Throwable cause) {
    if (closedBy != null) {
      return;
    }
    String how = cause == null ? null : SocketErrors.plain(cause);
    String connection = server ? "Connection from " : "Connection to ";
    String message =
        switch (decoder.phase()) {
          case IDENTIFICATION ->
              "kex_exchange_identification: "
                  + (how == null
                      ? "Connection closed by " + remote()
                      : "read from " + remote() + ": " + how)
                  + decoder.whatCameInstead();
          case FIRST_KEY_EXCHANGE, AUTHENTICATION ->
              how == null || how.startsWith("Connection reset")
                  ? "Connection %s by %s".formatted(how == null ? "closed" : "reset", remote())
                  : connection + remote() + ": " + how;
          case OPEN ->
              how == null
                  ? connection + remote() + " closed by remote host."
                  : "Read from remote host %s: %s".formatted(remote(), how);
        };
    end(new SshException.Disconnected(true, 0, message, cause));
  }

  /**
   * The control lane has taken so many packets and waits for more. If the decoder has given one
   * more in the meantime and stopped behind it, that stop still holds.
   */
  private void resumeDecoder(long taken) {
    if (taken == packetsGiven) {
      decoder.resume();
    }
  }

  /** A message for the control lane. True when it has enough to do and decoding must pause. */
  boolean controlPacket(int number, byte[] payload, int sequence) {
    packetsGiven++;
    int bytes = controlBytes.addAndGet(payload.length);
    events.add(new Event.Packet(number, payload, sequence));
    return events.size() >= TransportLimits.MAX_CONTROL_QUEUE
        || bytes >= TransportLimits.MAX_CONTROL_BYTES;
  }

  /** Messages 1 to 4, ping and pong, after the first key exchange. */
  void transportMessage(int number, byte[] payload) throws SshException {
    switch (number) {
      case MessageNumbers.DISCONNECT -> {
        SshException cause = disconnected(parse(Disconnect.TYPE, payload));
        if (closedBy == null) {
          end(cause);
        }
      }
      case MessageNumbers.DEBUG -> {
        Debug debug = parse(Debug.TYPE, payload);
        listener.debugMessage(Text.escape(debug.text()), debug.alwaysDisplay());
      }
      case MessageNumbers.UNIMPLEMENTED ->
          log.debug(
              "the peer does not know our packet {}",
              parse(Unimplemented.TYPE, payload).sequence());
      case MessageNumbers.PING -> encoder.send(new Pong(parse(Ping.TYPE, payload).data()));
      default -> {}
    }
  }

  void unimplemented(int number, int sequence) {
    log.debug("message {} is unknown to us", number);
    encoder.send(new Unimplemented(Integer.toUnsignedLong(sequence)));
  }

  void identified(String line) {
    peerIdentification = line;
    if (!line.startsWith(OURS)) {
      // OpenSSH, without a session, leaves Nagle's algorithm on: its second small packet, as a
      // confirmation behind a close, would wait for our acknowledgement, and that for 40 ms.
      carrier.acknowledgeAtOnce();
    }
    listener.identified(line);
    keyExchange.peerIdentified(line);
    if (!server) {
      startDeadline(config.handshakeTimeout(), "during the key exchange");
    }
  }

  void bannerLine(String line) {
    listener.preIdentificationLine(Text.escape(line));
  }

  void sealedPacket() {
    if (KeyExchange.isDue(encoder.bytesUnderKey(), encoder.packetsUnderKey(), rekeyAfterBytes)) {
      askForRekey();
    }
  }

  void openedPacket() {
    if (KeyExchange.isDue(decoder.bytesUnderKey(), decoder.packetsUnderKey(), rekeyAfterBytes)) {
      askForRekey();
    }
  }

  private void askForRekey() {
    // Not during authentication, as in OpenSSH: a SUCCESS that is on its way would be followed by
    // messages that are legal only once the control lane has taken it. And not while keys are being
    // exchanged: what counts until its end is counted under the keys that are on their way out.
    if (!rekeyAsked
        && decoder.phase() == PacketDecoder.Phase.OPEN
        && !decoder.peerExchangesKeys()
        && !encoder.gateIsShut()) {
      rekeyAsked = true;
      events.add(new Event.RekeyDue());
    }
  }

  /** Begins a key exchange now (the {@code ~R} escape). Callable from any thread. */
  public void rekey() {
    loop.execute(this::askForRekey);
  }

  private void startRekeyTimer() {
    if (rekeyTimer != null) {
      rekeyTimer.cancel(false);
    }
    if (!rekeyInterval.isZero()) {
      rekeyTimer =
          loop.schedule(this::askForRekey, rekeyInterval.toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  /** For the identification: ConnectTimeout, unless the handshake's own limit is shorter. */
  private Duration firstPatience() {
    Duration all = config.handshakeTimeout();
    Duration own = config.identificationTimeout();
    return own.isZero() || (!all.isZero() && all.compareTo(own) < 0) ? all : own;
  }

  /**
   * Gives the peer the time of a handshake for its next answers, until {@link #endDeadline}.
   *
   * @param when for the error: {@code "before authentication"}
   */
  public void startDeadline(String when) {
    loop.execute(
        () -> {
          if (closedBy == null) {
            startDeadline(config.handshakeTimeout(), when);
          }
        });
  }

  public void endDeadline() {
    loop.execute(this::stopDeadline);
  }

  private void startDeadline(Duration patience, String when) {
    stopDeadline();
    if (patience.isZero()) {
      return;
    }
    deadline =
        loop.schedule(
            () ->
                fail(
                    SshException.Disconnected.local(
                        "Connection %s %s timed out %s"
                            .formatted(server ? "from" : "to", carrier.remote(), when))),
            patience.toMillis(),
            TimeUnit.MILLISECONDS);
  }

  private void stopDeadline() {
    if (deadline != null) {
      deadline.cancel(false);
      deadline = null;
    }
  }
}
