package dev.adit.ssh.keys;

import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.WireReader;
import dev.adit.ssh.wire.WireWriter;
import java.io.EOFException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A connection to an ssh-agent (draft-ietf-sshm-ssh-agent). One request at a time; safe on any
 * thread, but made to block: the agent may ask its user for as long as that takes. Interrupting the
 * thread closes the connection.
 */
public final class Agent implements AutoCloseable {
  private static final int FAILURE = 5;
  private static final int SUCCESS = 6;
  private static final int REQUEST_IDENTITIES = 11;
  private static final int IDENTITIES_ANSWER = 12;
  private static final int SIGN_REQUEST = 13;
  private static final int SIGN_RESPONSE = 14;
  private static final int ADD_IDENTITY = 17;
  private static final int ADD_ID_CONSTRAINED = 25;

  private static final int CONSTRAIN_LIFETIME = 1;
  private static final int CONSTRAIN_CONFIRM = 2;

  private static final int FLAG_RSA_SHA2_256 = 2;
  private static final int FLAG_RSA_SHA2_512 = 4;

  private final Path socket;
  private final SocketChannel channel;
  private final ReentrantLock lock = new ReentrantLock();

  private Agent(Path socket, SocketChannel channel) {
    this.socket = socket;
    this.channel = channel;
  }

  /**
   * Where the agent is.
   *
   * @param identityAgent IdentityAgent, its tilde and tokens expanded: a path, {@code
   *     SSH_AUTH_SOCK}, {@code $VARIABLE} or {@code none}; null if it isn't set
   * @return empty if there is no agent to be asked
   */
  public static Optional<Path> locate(
      @Nullable String identityAgent, Map<String, String> environment) {
    String path;
    if (identityAgent == null || identityAgent.equals("SSH_AUTH_SOCK")) {
      path = environment.get("SSH_AUTH_SOCK");
    } else if (identityAgent.equals("none")) {
      path = null;
    } else if (identityAgent.startsWith("$")) {
      path = environment.get(identityAgent.substring(1));
    } else {
      path = identityAgent;
    }
    return path == null || path.isEmpty() ? Optional.empty() : Optional.of(Path.of(path));
  }

  /** Connects to the agent's Unix socket. */
  public static Agent connect(Path socket) throws IOException {
    try {
      SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
      try {
        channel.connect(UnixDomainSocketAddress.of(socket));
        return new Agent(socket, channel);
      } catch (IOException | RuntimeException e) {
        channel.close();
        throw e;
      }
    } catch (IOException | RuntimeException e) {
      throw new IOException("cannot reach the agent at " + socket + ": " + e.getMessage(), e);
    }
  }

  /** A key that the agent holds. */
  public record Identity(SshPublicKey key, String comment) {}

  /** The keys and certificates that the agent holds; those of types that we don't have are left. */
  public List<Identity> identities() throws IOException {
    WireReader answer =
        request(WireWriter.create().writeByte(REQUEST_IDENTITIES), IDENTITIES_ANSWER, "list keys");
    try {
      int count = answer.readUint32AtMost(KeyLimits.MAX_AGENT_KEYS, "the number of keys");
      List<Identity> identities = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        byte[] blob = answer.readString();
        String comment = answer.readText();
        try {
          identities.add(
              new Identity(SshPublicKey.parse(blob, SshPublicKey.LOWEST_MIN_RSA_BITS), comment));
        } catch (MalformedDataException unusable) {
          // DSA keys and such: of no use to us, and no fault of the agent's.
        }
      }
      answer.expectEnd("the list of keys");
      return identities;
    } catch (MalformedDataException e) {
      throw malformed(e);
    }
  }

  /** The keys and certificates that the agent holds, to sign with as long as it is connected. */
  public List<Signer> signers() throws IOException {
    List<Signer> signers = new ArrayList<>();
    for (Identity identity : identities()) {
      signers.add(signer(identity));
    }
    return signers;
  }

  /** One key to sign with. */
  public Signer signer(Identity identity) {
    return new AgentSigner(identity);
  }

  private final class AgentSigner implements Signer {
    private final Identity identity;

    AgentSigner(Identity identity) {
      this.identity = identity;
    }

    @Override
    public byte[] publicKeyBlob() {
      return identity.key.blob();
    }

    @Override
    public String name() {
      return identity.comment.isEmpty() ? identity.key.toString() : identity.comment;
    }

    @Override
    public List<String> algorithms() {
      return identity.key.algorithms();
    }

    @Override
    public byte[] sign(String algorithm, byte[] data) throws IOException {
      return Agent.this.sign(identity.key, algorithm, data);
    }
  }

  /**
   * Has the agent sign.
   *
   * @param algorithm one of the key's {@link SshPublicKey#algorithms}
   * @return string algorithm, string signature
   * @throws IOException if the agent refuses, or signs with another algorithm
   */
  public byte[] sign(SshPublicKey key, String algorithm, byte[] data) throws IOException {
    if (!key.algorithms().contains(algorithm)) {
      throw new IllegalArgumentException(key.describe() + " key asked for " + algorithm);
    }
    String plain = KeyType.plainAlgorithm(algorithm);
    int flags =
        switch (plain) {
          case "rsa-sha2-256" -> FLAG_RSA_SHA2_256;
          case "rsa-sha2-512" -> FLAG_RSA_SHA2_512;
          default -> 0;
        };
    WireReader answer =
        request(
            WireWriter.create()
                .writeByte(SIGN_REQUEST)
                .writeString(key.blob())
                .writeString(data)
                .writeUint32(flags),
            SIGN_RESPONSE,
            "sign with " + key);
    try {
      byte[] signature = answer.readString();
      answer.expectEnd("the signature");
      String used = WireReader.over(signature).readName();
      if (!used.equals(plain)) {
        // Agents that don't know the flags answer with SHA-1.
        throw new IOException(
            "the agent at %s signed with %s where %s was asked for".formatted(socket, used, plain));
      }
      return signature;
    } catch (MalformedDataException e) {
      throw malformed(e);
    }
  }

  /**
   * Gives the agent a key to keep (AddKeysToAgent); asks for its passphrase if that is needed.
   *
   * @param lifetimeSeconds after which the agent forgets it; 0 for never
   * @param confirm whether the agent asks its user at each use
   */
  public void add(PrivateKeyFile file, int lifetimeSeconds, boolean confirm) throws IOException {
    KeyFormat.Opened opened = file.open();
    boolean constrained = lifetimeSeconds > 0 || confirm;
    WireWriter out = WireWriter.create();
    out.writeByte(constrained ? ADD_ID_CONSTRAINED : ADD_IDENTITY);
    out.writeString(opened.key().publicKey().typeName());
    opened.key().writeFields(out);
    out.writeString(opened.comment().isEmpty() ? file.name() : opened.comment());
    if (lifetimeSeconds > 0) {
      out.writeByte(CONSTRAIN_LIFETIME).writeUint32(lifetimeSeconds);
    }
    if (confirm) {
      out.writeByte(CONSTRAIN_CONFIRM);
    }
    request(out, SUCCESS, "take the key " + file.name());
  }

  private WireReader request(WireWriter request, int expected, String what) throws IOException {
    byte[] body = request.toBytes();
    if (body.length > KeyLimits.MAX_AGENT_FRAME) {
      throw new IOException("too much to sign for an agent: " + body.length + " bytes");
    }
    lock.lock();
    try {
      ByteBuffer frame = ByteBuffer.allocate(4 + body.length).putInt(body.length).put(body).flip();
      while (frame.hasRemaining()) {
        channel.write(frame);
      }
      int length = read(4).getInt();
      if (length < 1 || length > KeyLimits.MAX_AGENT_FRAME) {
        channel.close();
        throw new IOException(
            "the agent at %s sent a frame of %s bytes, which is not 1 to %d"
                .formatted(socket, Integer.toUnsignedString(length), KeyLimits.MAX_AGENT_FRAME));
      }
      WireReader answer = WireReader.over(read(length).array());
      int type = answer.readByte();
      if (type == FAILURE) {
        throw new IOException("the agent at " + socket + " refuses to " + what);
      }
      if (type != expected) {
        channel.close();
        throw new IOException(
            "the agent at %s answered with message %d where %d was due"
                .formatted(socket, type, expected));
      }
      return answer;
    } finally {
      lock.unlock();
    }
  }

  private ByteBuffer read(int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer) < 0) {
        throw new EOFException("the agent at " + socket + " hung up");
      }
    }
    return buffer.flip();
  }

  private IOException malformed(MalformedDataException e) {
    return new IOException("the agent at " + socket + " answered nonsense: " + e.getMessage(), e);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
