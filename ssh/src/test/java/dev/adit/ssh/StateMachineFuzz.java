package dev.adit.ssh;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.ssh.transport.Carrier;
import dev.adit.ssh.transport.PacketHandler;
import dev.adit.ssh.transport.Transport;
import dev.adit.ssh.transport.TransportConfig;
import dev.adit.ssh.transport.TransportListener;
import dev.adit.ssh.wire.AuthMessage.UserauthRequest;
import dev.adit.ssh.wire.AuthMessage.UserauthSuccess;
import dev.adit.ssh.wire.Message;
import dev.adit.ssh.wire.MessageType;
import dev.adit.ssh.wire.TransportMessage.ServiceAccept;
import dev.adit.ssh.wire.TransportMessage.ServiceRequest;
import dev.adit.ssh.wire.WireWriter;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.DefaultEventLoop;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Fuzz targets: what a client and a server do with any bytes in any state. See docs/building.md.
 *
 * <p>The first byte says how far an honest peer goes first; the rest is what comes then. An honest
 * peer is our own {@link Transport} at the other end of a wire in memory, which is then struck deaf
 * and says what it is told. Each run ends with the end of the wire, and must end with an error that
 * says why, with nothing thrown where it is nobody's, and with every buffer given back.
 */
public final class StateMachineFuzz {

  private enum State {
    /** The bytes as they are. */
    BEFORE_IDENTIFICATION,
    /** An identification; the rest is plain packets. */
    KEY_EXCHANGE,
    /** Packets under the keys of a key exchange, from here on. */
    AFTER_NEWKEYS,
    AUTHENTICATION,
    OPEN,
    OPEN_AND_COMPRESSED
  }

  private static final int PATIENCE_SECONDS = 300;

  /** How often a lane may pass the other one something before the wire ends. */
  private static final int TURNS = 20;

  private static final Queue<Throwable> THROWN = new ConcurrentLinkedQueue<>();
  private static final EventLoop LOOP = new Loop();
  private static final HostKey HOST_KEY = HostKey.generate();
  private static final Peer PEER = new Peer(1, null, null);
  private static final SshServer SERVER = server();

  private StateMachineFuzz() {}

  /** What a task throws, Netty only logs. */
  private static final class Loop extends DefaultEventLoop {
    Loop() {
      super(new DefaultThreadFactory("adit-fuzz-loop", true));
    }

    @Override
    public void execute(Runnable task) {
      super.execute(
          () -> {
            try {
              task.run();
            } catch (Throwable e) {
              THROWN.add(e);
            }
          });
    }
  }

  /** One end of a wire. Confined to the loop, but for {@link #eventLoop} and {@link #remote}. */
  private static final class Wire implements Carrier {
    private final Set<ByteBuf> lent = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Queue<byte[]> unsent = new ArrayDeque<>();
    private final Queue<byte[]> early = new ArrayDeque<>();
    private @Nullable Listener listener;
    private @Nullable Wire other;
    private boolean ended;
    private boolean hungUp;

    @Override
    public EventLoop eventLoop() {
      return LOOP;
    }

    @Override
    public String remote() {
      return "memory";
    }

    @Override
    public void start(Listener taker) {
      listener = taker;
      for (byte[] bytes; (bytes = early.poll()) != null; ) {
        deliver(bytes);
      }
      if (hungUp) {
        hangUp();
      }
    }

    void deliver(byte[] bytes) {
      Listener taker = listener;
      if (taker == null) {
        early.add(bytes);
        return;
      }
      for (int at = 0; at < bytes.length && !ended; ) {
        ByteBuf buffer = taker.readBuffer();
        lent.add(buffer);
        int length = Math.min(bytes.length - at, buffer.writableBytes());
        assertThat(length).isPositive();
        buffer.writeBytes(bytes, at, length);
        at += length;
        taker.received();
      }
    }

    /** The other end is gone. */
    void hangUp() {
      hungUp = true;
      Listener taker = listener;
      if (!ended && taker != null) {
        ended = true;
        taker.inactive(null);
      }
    }

    @Override
    public void write(ByteBuf bytes) {
      unsent.add(ByteBufUtil.getBytes(bytes));
      bytes.release();
    }

    @Override
    public void flush() {
      Wire to = other;
      for (byte[] bytes; (bytes = unsent.poll()) != null; ) {
        byte[] piece = bytes;
        if (to != null) {
          LOOP.execute(() -> to.deliver(piece));
        }
      }
    }

    @Override
    public boolean isWritable() {
      return true;
    }

    @Override
    public long pendingBytes() {
      return 0;
    }

    @Override
    public void close() {
      ended = true;
      Wire to = other;
      if (to != null) {
        LOOP.execute(to::hangUp);
      }
    }

    boolean hasItsBuffersBack() {
      return lent.stream().allMatch(buffer -> buffer.refCnt() == 0);
    }
  }

  /** A payload that nobody has looked at. */
  private record Raw(byte[] payload) implements Message {
    @Override
    public MessageType<Raw> type() {
      return new MessageType<>(payload[0] & 0xff, "fuzz", _ -> this);
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeBytes(Arrays.copyOfRange(payload, 1, payload.length));
    }
  }

  // ---- The two targets ------------------------------------------------------------------------

  public static void server(byte[] data) throws Exception {
    run(
        data,
        StateMachineFuzz::startServer,
        (wire, state) -> {
          Transport client =
              Transport.client(wire, config(state), new TransportListener() {}, _ -> {});
          client.handshake();
          if (state.compareTo(State.AUTHENTICATION) >= 0) {
            client.send(new ServiceRequest("ssh-userauth"));
            client.expect(ServiceAccept.TYPE);
          }
          if (state.compareTo(State.OPEN) >= 0) {
            client.send(
                new UserauthRequest(
                    "ada",
                    "ssh-connection",
                    "password",
                    WireWriter.create().writeBoolean(false).writeString("secret").toBytes()));
            client.expect(UserauthSuccess.TYPE);
            client.open(NO_CHANNELS);
          }
          return client;
        });
  }

  public static void client(byte[] data) throws Exception {
    run(
        data,
        StateMachineFuzz::startClient,
        (wire, state) -> {
          Transport server =
              Transport.server(
                  wire, config(state), new TransportListener() {}, HOST_KEY.signers(), Map.of());
          server.handshake();
          if (state.compareTo(State.AUTHENTICATION) >= 0) {
            server.expect(ServiceRequest.TYPE);
            server.send(new ServiceAccept("ssh-userauth"));
            server.expect(UserauthRequest.TYPE);
          }
          if (state.compareTo(State.OPEN) >= 0) {
            server.open(NO_CHANNELS);
          }
          return server;
        });
  }

  /** Starts what is tested on a wire; tells why it has ended. */
  private interface Start {
    CompletableFuture<SshException> on(Wire wire) throws IOException;
  }

  /** Goes as far as the state says. */
  private interface HonestPeer {
    Transport on(Wire wire, State state) throws SshException, InterruptedException;
  }

  private static void run(byte[] data, Start start, HonestPeer honest) throws Exception {
    if (data.length < 2) {
      return;
    }
    THROWN.clear();
    State state = State.values()[(data[0] & 0xff) % State.values().length];
    byte[] rest = Arrays.copyOfRange(data, 1, data.length);
    Wire near = new Wire();
    Wire far = new Wire();
    near.other = far;
    far.other = near;
    CompletableFuture<SshException> ended = start.on(near);
    Transport peer = null;
    switch (state) {
      case BEFORE_IDENTIFICATION -> deliver(near, rest, 1 + (rest.length & 63));
      case KEY_EXCHANGE -> deliver(near, plainPackets(rest), Integer.MAX_VALUE);
      default -> {
        peer = honest.on(far, state);
        LOOP.submit(() -> near.other = null).sync();
        eachPayload(rest, peer::send);
      }
    }
    for (int i = 0; i < TURNS && !ended.isDone(); i++) {
      LOOP.submit(() -> {}).sync();
      Thread.yield();
    }
    LOOP.execute(near::hangUp);
    SshException why = why(ended, state);
    assertThat(why).hasMessageNotContaining("internal error");
    assertThat(why.getMessage()).isNotBlank();
    if (peer != null) {
      peer.disconnect("done");
    }
    checkBuffers(near, far);
    Throwable thrown = THROWN.poll();
    if (thrown != null) {
      throw new AssertionError("thrown on the event loop", thrown);
    }
  }

  private static SshException why(CompletableFuture<SshException> ended, State state)
      throws Exception {
    try {
      return ended.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new AssertionError("hangs, having begun with " + state, e);
    } catch (ExecutionException e) {
      throw new AssertionError("failed with what is no SshException", e.getCause());
    }
  }

  private static void checkBuffers(Wire near, Wire far) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (!LOOP.submit(() -> near.hasItsBuffersBack() && far.hasItsBuffersBack()).get()) {
      assertThat(System.nanoTime()).as("a buffer is not given back").isLessThan(deadline);
      Thread.sleep(1);
    }
  }

  private static void deliver(Wire wire, byte[] bytes, int pieces) {
    for (int at = 0; at < bytes.length; ) {
      byte[] piece = Arrays.copyOfRange(bytes, at, at + Math.min(pieces, bytes.length - at));
      at += piece.length;
      LOOP.execute(() -> wire.deliver(piece));
    }
  }

  /** Payloads with two bytes of length in front, of which ten bits count. */
  private static void eachPayload(byte[] data, Consumer<Raw> taker) {
    for (int at = 0; at + 3 <= data.length; ) {
      int length = Math.max(1, (data[at] & 3) << 8 | data[at + 1] & 0xff);
      at += 2;
      byte[] payload = Arrays.copyOfRange(data, at, Math.min(at + length, data.length));
      at += payload.length;
      taker.accept(new Raw(payload));
    }
  }

  private static byte[] plainPackets(byte[] data) {
    ByteBuf out = Unpooled.buffer();
    out.writeCharSequence("SSH-2.0-fuzz\r\n", StandardCharsets.US_ASCII);
    eachPayload(
        data,
        raw -> {
          int length = raw.payload().length;
          int padding = 8 - (5 + length) % 8;
          padding += padding < 4 ? 8 : 0;
          out.writeInt(1 + length + padding).writeByte(padding);
          out.writeBytes(raw.payload()).writeZero(padding);
        });
    return ByteBufUtil.getBytes(out);
  }

  // ---- What is tested -------------------------------------------------------------------------

  private static CompletableFuture<SshException> startServer(Wire wire) {
    CompletableFuture<SshException> ended = new CompletableFuture<>();
    ServerOptions options =
        ServerOptions.with((_, _) -> new Door())
            .hostKey(HOST_KEY)
            .maxAuthTries(2)
            // No end may come from a clock: the wire's end is one, and a machine may sleep.
            .loginGraceTime(Duration.ZERO)
            .rekeyTimeout(Duration.ZERO)
            .clientAlive(Duration.ZERO, 1)
            .targetResolver(
                _ -> {
                  throw new UnknownHostException("nobody knows it");
                })
            .events(
                event -> {
                  if (event instanceof ServerEvent.Disconnected end) {
                    ended.complete(end.cause());
                  }
                })
            .build();
    new ServerConnection(SERVER, options, wire, PEER).start();
    return ended;
  }

  private static SshServer server() {
    try {
      return SshServer.start(
          ServerOptions.with((_, _) -> new Door())
              .hostKey(HOST_KEY)
              .listen(List.of())
              .eventLoops(1)
              .build());
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Lets in who knows the password, or answers a question with yes. */
  private static final class Door implements Authenticator.Login, Authenticator.Conversation {
    private static final Authenticator.Proof PROOF = new Authenticator.Proof() {};

    @Override
    public List<List<String>> waysIn() {
      return List.of(
          List.of("password"), List.of("keyboard-interactive"), List.of("publickey", "password"));
    }

    @Override
    public Authenticator.@Nullable Proof publicKey(UserKey key) {
      return PROOF;
    }

    @Override
    public Authenticator.@Nullable Proof password(char[] password) {
      return new String(password).equals("secret") ? PROOF : null;
    }

    @Override
    public Authenticator.Conversation keyboardInteractive() {
      return this;
    }

    @Override
    public Step first() {
      return new Step.Ask("", "", List.of(new UserInteraction.Question("Sure?", true)));
    }

    @Override
    public Step answered(List<String> answers) {
      return answers.equals(List.of("yes")) ? new Step.Granted(PROOF) : new Step.Denied();
    }

    @Override
    public AccessPolicy admit(List<Authenticator.Proof> proofs) {
      return POLICY;
    }
  }

  /** All that starts no program and touches no network. */
  private static final AccessPolicy POLICY =
      new AccessPolicy() {
        @Override
        public String user() {
          return "ada";
        }

        @Override
        public Decision<Target> connect(Target target) {
          return target instanceof Target.Tcp
              ? Decision.allowed(target)
              : Decision.denied("no sockets here");
        }

        @Override
        public Decision<PtyOptions> terminal(PtyOptions asked) {
          return Decision.allowed(asked);
        }

        @Override
        public boolean acceptsVariable(String name) {
          return true;
        }

        @Override
        public boolean allowsAgentForwarding() {
          return true;
        }
      };

  private static CompletableFuture<SshException> startClient(Wire wire) {
    CompletableFuture<SshException> ended = new CompletableFuture<>();
    ConnectOptions options =
        ConnectOptions.to("memory")
            .user("ada")
            .hostKeyPolicy(HostKeyPolicy.acceptAnyInsecurely())
            .identities(IdentitySource.none())
            .handshakeTimeout(Duration.ZERO)
            .connectTimeout(Duration.ZERO)
            .serverAlive(Duration.ZERO, 1)
            .compression(true)
            .interaction(
                new UserInteraction() {
                  @Override
                  public char[] askSecret(String prompt) {
                    return "secret".toCharArray();
                  }

                  @Override
                  public String ask(String prompt) {
                    return "yes";
                  }
                })
            .build();
    Thread.ofVirtual()
        .start(
            () -> {
              try {
                SshConnection connection =
                    SshConnection.connect(
                        () -> new Dialer.Dialed(wire, null, Duration.ZERO), options);
                // They wait for answers while other things come.
                later(ended, connection::openSession);
                later(ended, () -> connection.openStream(new Target.Tcp("db", 5432)));
                ended.complete(connection.closed().get());
              } catch (SshException e) {
                ended.complete(e);
              } catch (Throwable e) {
                ended.completeExceptionally(e);
              }
            });
    return ended;
  }

  private interface Asking {
    Object ask() throws SshException, InterruptedException;
  }

  private static void later(CompletableFuture<SshException> ended, Asking asking) {
    Thread.ofVirtual()
        .start(
            () -> {
              try {
                asking.ask();
              } catch (SshException e) {
                // Refused, or the connection has ended.
              } catch (Throwable e) {
                ended.completeExceptionally(e);
              }
            });
  }

  private static TransportConfig config(State state) {
    return new TransportConfig(
        "SSH-2.0-fuzz",
        List.of("curve25519-sha256"),
        List.of("ssh-ed25519"),
        List.of("aes128-gcm@openssh.com"),
        List.of("hmac-sha2-256"),
        List.of(state == State.OPEN_AND_COMPRESSED ? "zlib@openssh.com" : "none"),
        false,
        0,
        Duration.ZERO,
        Duration.ZERO,
        Duration.ZERO,
        2048);
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
}
