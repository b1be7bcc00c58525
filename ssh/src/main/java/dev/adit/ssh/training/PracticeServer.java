package dev.adit.ssh.training;

import dev.adit.ssh.crypto.CipherAlgorithm;
import dev.adit.ssh.crypto.CipherSuite;
import dev.adit.ssh.crypto.CryptoProvider;
import dev.adit.ssh.crypto.Ed25519;
import dev.adit.ssh.crypto.InvalidKeyExchangeException;
import dev.adit.ssh.crypto.KexAlgorithm;
import dev.adit.ssh.crypto.KeyAgreement;
import dev.adit.ssh.crypto.KeyDerivation;
import dev.adit.ssh.wire.AuthMessage.UserauthFailure;
import dev.adit.ssh.wire.AuthMessage.UserauthPkOk;
import dev.adit.ssh.wire.AuthMessage.UserauthRequest;
import dev.adit.ssh.wire.AuthMessage.UserauthSuccess;
import dev.adit.ssh.wire.ConnectionMessage.ChannelClose;
import dev.adit.ssh.wire.ConnectionMessage.ChannelEof;
import dev.adit.ssh.wire.ConnectionMessage.ChannelOpen;
import dev.adit.ssh.wire.ConnectionMessage.ChannelRequest;
import dev.adit.ssh.wire.ConnectionMessage.ChannelSuccess;
import dev.adit.ssh.wire.ConnectionMessage.GlobalRequest;
import dev.adit.ssh.wire.ConnectionMessage.OpenConfirmation;
import dev.adit.ssh.wire.ConnectionMessage.RequestFailure;
import dev.adit.ssh.wire.ConnectionMessage.WindowAdjust;
import dev.adit.ssh.wire.MessageNumbers;
import dev.adit.ssh.wire.TransportMessage.ExtInfo;
import dev.adit.ssh.wire.TransportMessage.KexEcdhInit;
import dev.adit.ssh.wire.TransportMessage.KexEcdhReply;
import dev.adit.ssh.wire.TransportMessage.KexInit;
import dev.adit.ssh.wire.TransportMessage.NewKeys;
import dev.adit.ssh.wire.TransportMessage.ServiceAccept;
import dev.adit.ssh.wire.TransportMessage.ServiceRequest;
import dev.adit.ssh.wire.WireReader;
import dev.adit.ssh.wire.WireWriter;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Base64;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The least SSH server that a client can open a tunnel to, for the run from which the build makes
 * the AOT cache. It listens on loopback, lets in the one key that it made, knows the key exchanges
 * of the form that today's servers choose and one cipher, and each of its channels echoes, sessions
 * too. It is blocking code for one client at a time.
 *
 * <p>It is a rehearsal's partner and no judge: what the client is worth, it shows with OpenSSH.
 */
public final class PracticeServer implements AutoCloseable {
  private static final String IDENTIFICATION = "SSH-2.0-practice";
  private static final String KEY_TYPE = "ssh-ed25519";
  private static final int WINDOW = 2 * 1024 * 1024;
  private static final int MAX_DATA = 32 * 1024;

  private final byte[] hostSeed = random(Ed25519.KEY_LENGTH);
  private final byte[] userSeed = random(Ed25519.KEY_LENGTH);
  private final List<String> kexAlgorithms;
  private final ServerSocketChannel listener;
  private volatile boolean closed;
  private volatile @Nullable SocketChannel client;

  /** Listens on a free port of loopback, and offers these key exchanges. */
  public PracticeServer(List<String> kexAlgorithms) throws IOException {
    this.kexAlgorithms = List.copyOf(kexAlgorithms);
    listener = ServerSocketChannel.open();
    listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    Thread.ofPlatform().daemon().name("practice-server").start(this::accept);
  }

  /** Whether the cryptography is native code here, all that takes long of it. */
  public static boolean hasNativeCryptography() {
    return CryptoProvider.fastest() == CryptoProvider.OPENSSL;
  }

  public int port() {
    return listener.socket().getLocalPort();
  }

  /** Writes the one private key that is let in, as ssh-keygen writes it without a passphrase. */
  public void writeUserKey(Path file) throws IOException {
    byte[] publicKey = Ed25519.publicKey(userSeed);
    WireWriter secret =
        WireWriter.create()
            .writeUint32(0)
            .writeUint32(0)
            .writeString(KEY_TYPE)
            .writeString(publicKey)
            .writeString(concat(userSeed, publicKey))
            .writeString("practice");
    for (int i = 1; secret.toBytes().length % 8 != 0; i++) {
      secret.writeByte(i);
    }
    byte[] all =
        WireWriter.create()
            .writeBytes("openssh-key-v1\0".getBytes(StandardCharsets.US_ASCII))
            .writeString("none")
            .writeString("none")
            .writeString("")
            .writeUint32(1)
            .writeString(blob(userSeed))
            .writeString(secret.toBytes())
            .toBytes();
    Files.createFile(
        file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(
        file,
        "-----BEGIN OPENSSH PRIVATE KEY-----\n"
            + Base64.getMimeEncoder(70, new byte[] {'\n'}).encodeToString(all)
            + "\n-----END OPENSSH PRIVATE KEY-----\n");
  }

  /** The server's line for known_hosts. */
  public String knownHostsLine() {
    return "[127.0.0.1]:%d %s %s\n"
        .formatted(port(), KEY_TYPE, Base64.getEncoder().encodeToString(blob(hostSeed)));
  }

  /** Hangs up without a word, and frees the port. */
  @Override
  public void close() throws IOException {
    closed = true;
    listener.close();
    SocketChannel open = client;
    if (open != null) {
      open.close();
    }
  }

  private void accept() {
    while (!closed) {
      try (SocketChannel socket = listener.accept()) {
        client = socket;
        new Session(new PacketPipe(socket)).run();
      } catch (IOException | InvalidKeyExchangeException e) {
        if (!closed) {
          // The rehearsal fails by itself then, and this says why.
          System.err.println("practice server: " + e);
        }
      }
    }
  }

  private static byte[] blob(byte[] seed) {
    return WireWriter.create().writeString(KEY_TYPE).writeString(Ed25519.publicKey(seed)).toBytes();
  }

  private static byte[] sign(byte[] seed, byte[] message) {
    return WireWriter.create()
        .writeString(KEY_TYPE)
        .writeString(Ed25519.sign(seed, message))
        .toBytes();
  }

  private static byte[] random(int length) {
    byte[] bytes = new byte[length];
    new SecureRandom().nextBytes(bytes);
    return bytes;
  }

  private static byte[] concat(byte[] a, byte[] b) {
    byte[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  /** One connection, in the order in which it happens. */
  private final class Session {

    /** A channel, by our number, which is the client's too. */
    private static final class Echo {
      final int id;
      long window;
      final Deque<byte[]> waiting = new ArrayDeque<>();
      final boolean session;
      boolean eof;

      Echo(int id, long window, boolean session) {
        this.id = id;
        this.window = window;
        this.session = session;
      }
    }

    private final PacketPipe pipe;
    private final Map<Integer, Echo> channels = new HashMap<>();
    private byte[] sessionId = {};

    Session(PacketPipe pipe) {
      this.pipe = pipe;
    }

    void run() throws IOException, InvalidKeyExchangeException {
      pipe.sendIdentification(IDENTIFICATION);
      exchangeKeys(pipe.receiveIdentification());
      logIn();
      pipe.send(
          new GlobalRequest(
              "hostkeys-00@openssh.com",
              false,
              WireWriter.create().writeString(blob(hostSeed)).toBytes()));
      while (serve(pipe.receive())) {}
    }

    private void exchangeKeys(String clientIdentification)
        throws IOException, InvalidKeyExchangeException {
      CipherAlgorithm cipher = CipherAlgorithm.AES128_GCM;
      KexInit ours = kexInit(cipher);
      pipe.send(ours);
      byte[] theirs = pipe.receive();
      KexInit client = KexInit.TYPE.parse(WireReader.over(theirs));
      String name =
          client.kexAlgorithms().stream().filter(kexAlgorithms::contains).findFirst().orElseThrow();
      KexAlgorithm method = KexAlgorithm.of(name);
      if (method == null) {
        throw new IOException("no key exchange " + name);
      }
      byte[] initiation = pipe.expect(KexEcdhInit.TYPE).publicValue();
      KeyAgreement.Response response = method.respond(initiation);
      sessionId =
          method
              .hash()
              .of(
                  WireWriter.create()
                      .writeString(clientIdentification)
                      .writeString(IDENTIFICATION)
                      .writeString(theirs)
                      .writeString(ours.toBytes())
                      .writeString(blob(hostSeed))
                      .writeString(initiation)
                      .writeString(response.reply())
                      .writeBytes(response.secret())
                      .toBytes());
      pipe.send(new KexEcdhReply(blob(hostSeed), response.reply(), sign(hostSeed, sessionId)));
      pipe.send(new NewKeys());
      CipherSuite suite = CipherSuite.of(cipher, null);
      byte[] noMac = {};
      pipe.seal(
          suite.newSealer(
              derive(method, response, 'D', cipher.keyLength()),
              derive(method, response, 'B', cipher.ivLength()),
              noMac));
      pipe.expect(NewKeys.TYPE);
      pipe.open(
          suite.newOpener(
              derive(method, response, 'C', cipher.keyLength()),
              derive(method, response, 'A', cipher.ivLength()),
              noMac));
    }

    private KexInit kexInit(CipherAlgorithm cipher) {
      List<String> kex =
          Stream.concat(kexAlgorithms.stream(), Stream.of("kex-strict-s-v00@openssh.com")).toList();
      List<String> ciphers = List.of(cipher.sshName());
      List<String> none = List.of("none");
      return new KexInit(
          random(16),
          kex,
          List.of(KEY_TYPE),
          ciphers,
          ciphers,
          List.of(),
          List.of(),
          none,
          none,
          List.of(),
          List.of(),
          false,
          0);
    }

    private byte[] derive(
        KexAlgorithm method, KeyAgreement.Response response, char letter, int length) {
      return KeyDerivation.derive(
          method.hash(), response.secret(), sessionId, letter, sessionId, length);
    }

    private void logIn() throws IOException {
      byte[] names = KEY_TYPE.getBytes(StandardCharsets.US_ASCII);
      pipe.send(new ExtInfo(Map.of("server-sig-algs", names)));
      pipe.expect(ServiceRequest.TYPE);
      pipe.send(new ServiceAccept("ssh-userauth"));
      while (true) {
        UserauthRequest request = pipe.expect(UserauthRequest.TYPE);
        if (!request.method().equals("publickey")) {
          pipe.send(new UserauthFailure(List.of("publickey"), false));
          continue;
        }
        WireReader fields = WireReader.over(request.methodFields());
        boolean signed = fields.readBoolean();
        String algorithm = fields.readName();
        byte[] key = fields.readString();
        if (!Arrays.equals(key, blob(userSeed))) {
          pipe.send(new UserauthFailure(List.of("publickey"), false));
        } else if (!signed) {
          pipe.send(new UserauthPkOk(algorithm, key));
        } else if (Arrays.equals(fields.readString(), sign(userSeed, signedBy(request, key)))) {
          pipe.send(new UserauthSuccess());
          return;
        } else {
          throw new IOException("a wrong signature");
        }
      }
    }

    /** What the signature is over (RFC 4252 section 7); Ed25519 signs alike each time. */
    private byte[] signedBy(UserauthRequest request, byte[] key) {
      return WireWriter.create()
          .writeString(sessionId)
          .writeByte(MessageNumbers.USERAUTH_REQUEST)
          .writeString(request.user())
          .writeString(request.service())
          .writeString("publickey")
          .writeBoolean(true)
          .writeString(KEY_TYPE)
          .writeString(key)
          .toBytes();
    }

    /** False when the client has said goodbye. */
    private boolean serve(byte[] payload) throws IOException {
      WireReader in = WireReader.over(payload);
      switch (payload[0]) {
        case MessageNumbers.DISCONNECT -> {
          return false;
        }
        case MessageNumbers.GLOBAL_REQUEST -> {
          if (GlobalRequest.TYPE.parse(in).wantReply()) {
            pipe.send(new RequestFailure());
          }
        }
        case MessageNumbers.CHANNEL_OPEN -> {
          ChannelOpen open = ChannelOpen.TYPE.parse(in);
          channels.put(
              open.sender(),
              new Echo(open.sender(), open.initialWindow(), open.channelType().equals("session")));
          pipe.send(
              new OpenConfirmation(open.sender(), open.sender(), WINDOW, MAX_DATA, new byte[0]));
        }
        case MessageNumbers.CHANNEL_WINDOW_ADJUST -> {
          WindowAdjust adjust = WindowAdjust.TYPE.parse(in);
          Echo echo = channel(adjust.recipient());
          echo.window += adjust.bytes();
          pump(echo);
        }
        case MessageNumbers.CHANNEL_DATA -> {
          in.readByte();
          Echo echo = channel((int) in.readUint32());
          echo.waiting.add(in.readString());
          pump(echo);
        }
        case MessageNumbers.CHANNEL_REQUEST -> {
          ChannelRequest request = ChannelRequest.TYPE.parse(in);
          Echo echo = channel(request.recipient());
          if (request.wantReply()) {
            pipe.send(new ChannelSuccess(echo.id));
          }
          if (request.name().equals("exec")) {
            echo.waiting.add("practice\n".getBytes(StandardCharsets.US_ASCII));
            pump(echo);
          }
        }
        case MessageNumbers.CHANNEL_EOF -> {
          Echo echo = channel(ChannelEof.TYPE.parse(in).recipient());
          echo.eof = true;
          pump(echo);
        }
        case MessageNumbers.CHANNEL_CLOSE ->
            channels.remove(ChannelClose.TYPE.parse(in).recipient());
        default -> throw new IOException("message " + payload[0]);
      }
      return true;
    }

    private Echo channel(int id) throws IOException {
      Echo echo = channels.get(id);
      if (echo == null) {
        throw new IOException("no channel " + id);
      }
      return echo;
    }

    private void pump(Echo echo) throws IOException {
      while (!echo.waiting.isEmpty() && echo.waiting.element().length <= echo.window) {
        byte[] data = echo.waiting.remove();
        echo.window -= data.length;
        pipe.send(
            WireWriter.create()
                .writeByte(MessageNumbers.CHANNEL_DATA)
                .writeUint32(echo.id)
                .writeString(data)
                .toBytes());
        pipe.send(new WindowAdjust(echo.id, data.length));
      }
      if (echo.eof && echo.waiting.isEmpty()) {
        if (echo.session) {
          byte[] success = WireWriter.create().writeUint32(0).toBytes();
          pipe.send(new ChannelRequest(echo.id, "exit-status", false, success));
        }
        pipe.send(new ChannelEof(echo.id));
        pipe.send(new ChannelClose(echo.id));
        echo.eof = false;
      }
    }
  }
}
