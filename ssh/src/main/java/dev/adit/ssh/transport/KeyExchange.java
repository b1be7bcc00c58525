package dev.adit.ssh.transport;

import dev.adit.ssh.SshException;
import dev.adit.ssh.crypto.CipherAlgorithm;
import dev.adit.ssh.crypto.CipherSuite;
import dev.adit.ssh.crypto.Hash;
import dev.adit.ssh.crypto.InvalidKeyExchangeException;
import dev.adit.ssh.crypto.KexAlgorithm;
import dev.adit.ssh.crypto.KeyDerivation;
import dev.adit.ssh.crypto.MacAlgorithm;
import dev.adit.ssh.crypto.PacketOpener;
import dev.adit.ssh.crypto.PacketSealer;
import dev.adit.ssh.wire.DisconnectReason;
import dev.adit.ssh.wire.Message;
import dev.adit.ssh.wire.MessageType;
import dev.adit.ssh.wire.TransportMessage.KexInit;
import dev.adit.ssh.wire.TransportMessage.NewKeys;
import dev.adit.ssh.wire.WireWriter;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Key exchange (RFC 4253 sections 7 and 8), as straight-line code on the control lane: the position
 * in the code is the state. What both sides do is here; what the method's messages are and who
 * signs is in {@link ClientKeyExchange} and {@link ServerKeyExchange}.
 */
abstract sealed class KeyExchange permits ClientKeyExchange, ServerKeyExchange {
  private static final Logger log = LoggerFactory.getLogger(KeyExchange.class);

  private static final SecureRandom RANDOM = new SecureRandom();

  /**
   * What both sides have when the method's messages have gone back and forth.
   *
   * @param secret K, in the form in which it is hashed
   * @param hash H
   */
  record Agreed(byte[] secret, byte[] hash) {}

  /** What was said before the method's own messages: V_C, V_S, I_C, I_S of RFC 4253 section 8. */
  record Transcript(
      Hash hash,
      byte[] clientIdentification,
      byte[] serverIdentification,
      byte[] clientKexInit,
      byte[] serverKexInit) {

    /**
     * H: HASH(V_C || V_S || I_C || I_S || K_S || the method's values || K).
     *
     * @param hostKey K_S
     * @param values as they stand in the hash, lengths included
     * @param secret K, its length included
     */
    byte[] exchangeHash(byte[] hostKey, WireWriter values, byte[] secret) {
      return hash.of(
          WireWriter.create()
              .writeString(clientIdentification)
              .writeString(serverIdentification)
              .writeString(clientKexInit)
              .writeString(serverKexInit)
              .writeString(hostKey)
              .writeBytes(values.toBytes())
              .writeBytes(secret)
              .toBytes());
    }
  }

  /** Keys by their letter in RFC 4253 section 7.2. */
  private interface Derivation {
    byte[] derive(char letter, int length);
  }

  /** What protects one direction, and the letters of its keys. */
  private record Direction(CipherSuite suite, char iv, char key, char mac) {

    static Direction toServer(Negotiated n) {
      return new Direction(suite(n.cipherToServer(), n.macToServer()), 'A', 'C', 'E');
    }

    static Direction toClient(Negotiated n) {
      return new Direction(suite(n.cipherToClient(), n.macToClient()), 'B', 'D', 'F');
    }

    private static CipherSuite suite(String cipher, @Nullable String mac) {
      return CipherSuite.of(
          Objects.requireNonNull(CipherAlgorithm.of(cipher)),
          mac == null ? null : Objects.requireNonNull(MacAlgorithm.of(mac)));
    }

    PacketSealer newSealer(Derivation keys) {
      return suite.newSealer(
          keys.derive(key, suite.cipher().keyLength()),
          keys.derive(iv, suite.cipher().ivLength()),
          keys.derive(mac, suite.macKeyLength()));
    }

    PacketOpener newOpener(Derivation keys) {
      return suite.newOpener(
          keys.derive(key, suite.cipher().keyLength()),
          keys.derive(iv, suite.cipher().ivLength()),
          keys.derive(mac, suite.macKeyLength()));
    }
  }

  final Transport transport;
  final TransportConfig config;
  private final boolean server;
  private volatile String peerIdentification = "";
  private volatile byte[] sessionId = {};
  volatile byte[] hostKey = {};
  private volatile boolean strict;
  private volatile @Nullable Negotiated negotiated;
  private volatile boolean rekeyed;
  private boolean kexInitsSeen;

  /** Bytes under one key: what the user set, or 0; and what the ciphers in use allow. */
  private long userLimit;

  private long cipherLimit;

  /** Until the peer's NEWKEYS of the first exchange: so long the strict rule holds. */
  private boolean first = true;

  KeyExchange(Transport transport, TransportConfig config, boolean server) {
    this.transport = transport;
    this.config = config;
    this.server = server;
    this.userLimit = config.rekeyBytes();
  }

  /** Signature algorithms for the host key, as they stand in our KEXINIT. */
  abstract List<String> hostKeyAlgorithms();

  /**
   * The messages of one method, the server's signature included.
   *
   * @param hostKeyAlgorithm how the server signs
   */
  abstract Agreed agree(KexAlgorithm method, String hostKeyAlgorithm, Transcript transcript)
      throws SshException, InterruptedException, InvalidKeyExchangeException;

  /** Our NEWKEYS of the first exchange is out: the moment for extension info (RFC 8308). */
  void firstKeysSent(KexInit theirs) {}

  byte[] sessionId() {
    return sessionId.clone();
  }

  /** The server's, on both sides. */
  byte[] hostKey() {
    return hostKey.clone();
  }

  @Nullable Negotiated negotiated() {
    return negotiated;
  }

  boolean isFirst() {
    return first;
  }

  boolean isRekeyed() {
    return rekeyed;
  }

  boolean isStrict() {
    return strict;
  }

  /** Called on the event loop, before any packet is delivered. */
  void peerIdentified(String line) {
    peerIdentification = line;
  }

  /** Strict key exchange: in the first one, whatever isn't expected ends the connection. */
  boolean forbidsExtraMessages() {
    return first && kexInitsSeen && strict;
  }

  /** Waits for the peer's next message of the exchange. */
  final <M extends Message> M expect(MessageType<M> type)
      throws SshException, InterruptedException {
    return transport.parse(type, transport.nextKexPayload(type));
  }

  private static void logProposal(String whose, KexInit proposal) {
    if (!log.isTraceEnabled()) {
      return;
    }
    log.trace("{} KEXINIT proposal", whose);
    logNames("KEX algorithms", proposal.kexAlgorithms());
    logNames("host key algorithms", proposal.hostKeyAlgorithms());
    logNames("ciphers ctos", proposal.ciphersToServer());
    logNames("ciphers stoc", proposal.ciphersToClient());
    logNames("MACs ctos", proposal.macsToServer());
    logNames("MACs stoc", proposal.macsToClient());
    logNames("compression ctos", proposal.compressionToServer());
    logNames("compression stoc", proposal.compressionToClient());
    log.trace("first_kex_follows {}", proposal.firstKexPacketFollows() ? 1 : 0);
  }

  private static void logNames(String what, List<String> names) {
    log.trace("{}: {}", what, Text.escape(String.join(",", names)));
  }

  /**
   * One exchange, from our KEXINIT to the peer's NEWKEYS.
   *
   * @param theirKexInit the payload of the KEXINIT that began it, or null when we begin
   */
  void run(byte @Nullable [] theirKexInit, int theirSequence)
      throws SshException, InterruptedException {
    KexInit ours = ourKexInit();
    transport.sendKexInit(ours, first);
    byte[] theirPayload;
    int sequence = theirSequence;
    if (theirKexInit == null) {
      byte[][] holder = new byte[1][];
      sequence = transport.awaitKexInit(holder);
      theirPayload = holder[0];
    } else {
      theirPayload = theirKexInit;
    }
    KexInit theirs = transport.parse(KexInit.TYPE, theirPayload);
    logProposal("our", ours);
    logProposal("peer's", theirs);
    if (first) {
      strict =
          theirs
              .kexAlgorithms()
              .contains(server ? Negotiated.STRICT_CLIENT : Negotiated.STRICT_SERVER);
      kexInitsSeen = true;
      if (strict && sequence != 0) {
        throw new SshException.PeerMisbehaved(
            "strict key exchange, but KEXINIT was not the first packet");
      }
    }
    Negotiated algorithms =
        server
            ? Negotiated.between(theirs, ours, true, transport.remote())
            : Negotiated.between(ours, theirs, false, transport.remote());
    refuseTerrapin(algorithms);
    if (theirs.firstKexPacketFollows() && !algorithms.guessedRight()) {
      transport.discardGuess();
    }

    KexAlgorithm method = Objects.requireNonNull(KexAlgorithm.of(algorithms.kex()));
    Agreed agreed;
    try {
      agreed =
          agree(method, algorithms.hostKey(), transcript(method, ours.toBytes(), theirPayload));
    } catch (InvalidKeyExchangeException e) {
      throw new SshException.PeerMisbehaved(
          method.sshName() + ": " + e.getMessage(), DisconnectReason.KEY_EXCHANGE_FAILED, e);
    }
    if (first) {
      sessionId = agreed.hash();
    }
    Derivation keys =
        (letter, n) ->
            KeyDerivation.derive(
                method.hash(), agreed.secret(), agreed.hash(), letter, sessionId, n);
    Direction toServer = Direction.toServer(algorithms);
    Direction toClient = Direction.toClient(algorithms);
    negotiated = algorithms;
    cipherLimit = Math.min(limitOf(toServer.suite()), limitOf(toClient.suite()));
    try {
      transport.sendNewKeys((server ? toClient : toServer).newSealer(keys), strict, keyBytes());
      if (first) {
        firstKeysSent(theirs);
      }
      expect(NewKeys.TYPE);
      transport.installOpener((server ? toServer : toClient).newOpener(keys), strict);
    } finally {
      Arrays.fill(agreed.secret(), (byte) 0);
    }
    rekeyed = !first;
    transport.listener().keysExchanged(algorithms, strict, first);
    first = false;
  }

  private KexInit ourKexInit() {
    byte[] cookie = new byte[16];
    RANDOM.nextBytes(cookie);
    List<String> kex = new ArrayList<>(config.kexAlgorithms());
    if (first) {
      kex.add(server ? Negotiated.EXT_INFO_SERVER : Negotiated.EXT_INFO_CLIENT);
      kex.add(server ? Negotiated.STRICT_SERVER : Negotiated.STRICT_CLIENT);
    }
    return new KexInit(
        cookie,
        kex,
        hostKeyAlgorithms(),
        config.ciphers(),
        config.ciphers(),
        config.macs(),
        config.macs(),
        config.compression(),
        config.compression(),
        List.of(),
        List.of(),
        false,
        0);
  }

  private Transcript transcript(KexAlgorithm method, byte[] ourKexInit, byte[] theirKexInit) {
    byte[] ourLine = config.identification().getBytes(StandardCharsets.ISO_8859_1);
    byte[] theirLine = peerIdentification.getBytes(StandardCharsets.ISO_8859_1);
    return server
        ? new Transcript(method.hash(), theirLine, ourLine, theirKexInit, ourKexInit)
        : new Transcript(method.hash(), ourLine, theirLine, ourKexInit, theirKexInit);
  }

  private void refuseTerrapin(Negotiated algorithms) throws SshException {
    String exposed = algorithms.exposedToTerrapin();
    if (exposed != null && !strict && !config.allowNonStrict()) {
      String peer = server ? "client" : "server";
      throw new SshException.NegotiationFailed(
          ("the %s lacks strict key exchange, so %s is open to the Terrapin attack"
                  + " (CVE-2023-48795); use a %s that is up to date, other ciphers and MACs,"
                  + " or -o AllowNonStrictKex=yes")
              .formatted(peer, exposed, peer));
    }
  }

  /** Whether a key has been used for as much as it may be. */
  static boolean isDue(long bytes, long packets, long limitOfBytes) {
    return bytes >= limitOfBytes || packets >= TransportLimits.MAX_PACKETS_UNDER_KEY;
  }

  /**
   * Sets the bytes that may go either way under one key, and returns those that may now; 0 stands
   * for what the cipher allows.
   */
  long limitBytes(long bytes) {
    userLimit = bytes;
    return keyBytes();
  }

  /** What was set, or 0. */
  long userLimit() {
    return userLimit;
  }

  private long keyBytes() {
    return userLimit > 0 ? userLimit : cipherLimit;
  }

  /**
   * 2^32 blocks for ciphers of 128-bit blocks (RFC 4344 section 3.2) and 1 GiB for others, as
   * OpenSSH has it.
   */
  private static long limitOf(CipherSuite suite) {
    return !suite.cipher().sshName().equals(Negotiated.CHACHA) ? 1L << 36 : 1L << 30;
  }
}
