package dev.adit.ssh.transport;

import dev.adit.ssh.SshException;
import dev.adit.ssh.crypto.CipherAlgorithm;
import dev.adit.ssh.crypto.CipherSuite;
import dev.adit.ssh.crypto.DhGroup;
import dev.adit.ssh.crypto.DiffieHellman;
import dev.adit.ssh.crypto.InvalidKeyExchangeException;
import dev.adit.ssh.crypto.KexAlgorithm;
import dev.adit.ssh.crypto.KeyAgreement;
import dev.adit.ssh.crypto.KeyDerivation;
import dev.adit.ssh.crypto.MacAlgorithm;
import dev.adit.ssh.keys.InvalidSignatureException;
import dev.adit.ssh.keys.SshPublicKey;
import dev.adit.ssh.wire.DisconnectReason;
import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.TransportMessage.KexDhInit;
import dev.adit.ssh.wire.TransportMessage.KexDhReply;
import dev.adit.ssh.wire.TransportMessage.KexEcdhInit;
import dev.adit.ssh.wire.TransportMessage.KexEcdhReply;
import dev.adit.ssh.wire.TransportMessage.KexGexGroup;
import dev.adit.ssh.wire.TransportMessage.KexGexInit;
import dev.adit.ssh.wire.TransportMessage.KexGexReply;
import dev.adit.ssh.wire.TransportMessage.KexGexRequest;
import dev.adit.ssh.wire.TransportMessage.KexInit;
import dev.adit.ssh.wire.TransportMessage.NewKeys;
import dev.adit.ssh.wire.WireWriter;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Key exchange from the client's side (RFC 4253 sections 7 and 8), as straight-line code on the
 * control lane: the position in the code is the state.
 */
final class KeyExchange {

  /** RFC 4344 section 3.1 allows 2^32 packets a key; OpenSSH stays at half of it, and so do we. */
  static final long MAX_PACKETS_UNDER_KEY = 1L << 31;

  /** Sizes of the group that we ask for in a group exchange, in bits (RFC 4419, RFC 8270). */
  private static final int GEX_MIN = 2048;

  private static final int GEX_PREFERRED = 3072;
  private static final int GEX_MAX = 8192;

  private static final SecureRandom RANDOM = new SecureRandom();

  /** Keys by their letter in RFC 4253 section 7.2. */
  private interface Derivation {
    byte[] derive(char letter, int length);
  }

  /** What the method yields: K as it is hashed, the host key, the signature, the hash's middle. */
  private record Outcome(byte[] secret, byte[] hostKey, byte[] signature, byte[] hashed) {}

  private final Transport transport;
  private final TransportConfig config;
  private final HostKeyVerifier verifier;
  private volatile String peerIdentification = "";
  private volatile byte[] sessionId = {};
  private volatile byte[] hostKey = {};
  private volatile String compressionOut = "none";
  private volatile String compressionIn = "none";
  private volatile boolean strict;
  private volatile @Nullable Negotiated negotiated;
  private volatile boolean rekeyed;
  private boolean kexInitsSeen;

  /** Until the peer's NEWKEYS of the first exchange: so long the strict rule holds. */
  private boolean first = true;

  KeyExchange(Transport transport, TransportConfig config, HostKeyVerifier verifier) {
    this.transport = transport;
    this.config = config;
    this.verifier = verifier;
  }

  byte[] sessionId() {
    return sessionId.clone();
  }

  byte[] hostKey() {
    return hostKey.clone();
  }

  String compressionOut() {
    return compressionOut;
  }

  String compressionIn() {
    return compressionIn;
  }

  @Nullable Negotiated negotiated() {
    return negotiated;
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

  /**
   * One exchange, from our KEXINIT to the peer's NEWKEYS.
   *
   * @param theirKexInit the payload of the KEXINIT that began it, or null when we begin
   */
  void run(byte @Nullable [] theirKexInit, int theirSequence)
      throws SshException, InterruptedException {
    KexInit ours = ourKexInit(first);
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
    if (first) {
      strict = theirs.kexAlgorithms().contains(Negotiated.STRICT_SERVER);
      kexInitsSeen = true;
      if (strict && sequence != 0) {
        throw new SshException.PeerMisbehaved(
            "strict key exchange, but KEXINIT was not the first packet");
      }
    }
    Negotiated algorithms = Negotiated.between(ours, theirs, false, transport.remote());
    refuseTerrapin(algorithms);
    if (theirs.firstKexPacketFollows() && !algorithms.guessedRight()) {
      transport.discardGuess();
    }

    KexAlgorithm method = Objects.requireNonNull(KexAlgorithm.of(algorithms.kex()));
    Outcome outcome = agree(method);
    byte[] hash = exchangeHash(method, ours.toBytes(), theirPayload, outcome);
    verifyHostKey(algorithms.hostKey(), hash, outcome);
    if (first) {
      sessionId = hash;
    }
    CipherSuite out = suite(algorithms.cipherToServer(), algorithms.macToServer());
    CipherSuite in = suite(algorithms.cipherToClient(), algorithms.macToClient());
    Derivation keys =
        (letter, n) ->
            KeyDerivation.derive(method.hash(), outcome.secret(), hash, letter, sessionId, n);
    compressionOut = algorithms.compressionToServer();
    compressionIn = algorithms.compressionToClient();
    transport.sendNewKeys(
        out.newSealer(
            keys.derive('C', out.cipher().keyLength()),
            keys.derive('A', out.cipher().ivLength()),
            keys.derive('E', out.macKeyLength())),
        strict,
        Math.min(rekeyBytes(out), rekeyBytes(in)));
    transport.parse(NewKeys.TYPE, transport.nextKexPayload(NewKeys.TYPE));
    transport.installOpener(
        in.newOpener(
            keys.derive('D', in.cipher().keyLength()),
            keys.derive('B', in.cipher().ivLength()),
            keys.derive('F', in.macKeyLength())),
        strict);
    Arrays.fill(outcome.secret(), (byte) 0);
    negotiated = algorithms;
    rekeyed = !first;
    transport.listener().keysExchanged(algorithms, strict, first);
    first = false;
  }

  private static CipherSuite suite(String cipher, @Nullable String mac) {
    return CipherSuite.of(
        Objects.requireNonNull(CipherAlgorithm.of(cipher)),
        mac == null ? null : Objects.requireNonNull(MacAlgorithm.of(mac)));
  }

  private KexInit ourKexInit(boolean first) {
    byte[] cookie = new byte[16];
    RANDOM.nextBytes(cookie);
    List<String> kex = new ArrayList<>(config.kexAlgorithms());
    if (first) {
      kex.add(Negotiated.EXT_INFO_CLIENT);
      kex.add(Negotiated.STRICT_CLIENT);
    }
    return new KexInit(
        cookie,
        kex,
        config.hostKeyAlgorithms(),
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

  private void refuseTerrapin(Negotiated algorithms) throws SshException {
    String exposed = algorithms.exposedToTerrapin();
    if (exposed != null && !strict && !config.allowNonStrict()) {
      throw new SshException.NegotiationFailed(
          ("the server lacks strict key exchange, so %s is open to the Terrapin attack"
                  + " (CVE-2023-48795); use a server that is up to date, other ciphers and MACs,"
                  + " or -o AllowNonStrictKex=yes")
              .formatted(exposed));
    }
  }

  private Outcome agree(KexAlgorithm method) throws SshException, InterruptedException {
    try {
      return switch (method.form()) {
        case STRINGS -> ecdh(method.initiate());
        case MPINTS -> dh(method.initiate());
        case GROUP_EXCHANGE -> groupExchange();
      };
    } catch (InvalidKeyExchangeException e) {
      throw new SshException.PeerMisbehaved(
          method.sshName() + ": " + e.getMessage(), DisconnectReason.KEY_EXCHANGE_FAILED, e);
    }
  }

  private Outcome ecdh(KeyAgreement agreement)
      throws SshException, InterruptedException, InvalidKeyExchangeException {
    byte[] init = agreement.initiation();
    transport.send(new KexEcdhInit(init));
    KexEcdhReply reply =
        transport.parse(KexEcdhReply.TYPE, transport.nextKexPayload(KexEcdhReply.TYPE));
    byte[] secret = agreement.secret(reply.publicValue());
    byte[] hashed =
        WireWriter.create().writeString(init).writeString(reply.publicValue()).toBytes();
    return new Outcome(secret, reply.hostKey(), reply.signature(), hashed);
  }

  private Outcome dh(KeyAgreement agreement)
      throws SshException, InterruptedException, InvalidKeyExchangeException {
    BigInteger e = new BigInteger(agreement.initiation());
    transport.send(new KexDhInit(e));
    KexDhReply reply = transport.parse(KexDhReply.TYPE, transport.nextKexPayload(KexDhReply.TYPE));
    byte[] secret = agreement.secret(reply.f().toByteArray());
    byte[] hashed = WireWriter.create().writeMpint(e).writeMpint(reply.f()).toBytes();
    return new Outcome(secret, reply.hostKey(), reply.signature(), hashed);
  }

  private Outcome groupExchange()
      throws SshException, InterruptedException, InvalidKeyExchangeException {
    transport.send(new KexGexRequest(GEX_MIN, GEX_PREFERRED, GEX_MAX));
    KexGexGroup group =
        transport.parse(KexGexGroup.TYPE, transport.nextKexPayload(KexGexGroup.TYPE));
    KeyAgreement agreement =
        DiffieHellman.initiate(DhGroup.offered(group.p(), group.g(), GEX_MIN, GEX_MAX));
    BigInteger e = new BigInteger(agreement.initiation());
    transport.send(new KexGexInit(e));
    KexGexReply reply =
        transport.parse(KexGexReply.TYPE, transport.nextKexPayload(KexGexReply.TYPE));
    byte[] secret = agreement.secret(reply.f().toByteArray());
    byte[] hashed =
        WireWriter.create()
            .writeUint32(GEX_MIN)
            .writeUint32(GEX_PREFERRED)
            .writeUint32(GEX_MAX)
            .writeMpint(group.p())
            .writeMpint(group.g())
            .writeMpint(e)
            .writeMpint(reply.f())
            .toBytes();
    return new Outcome(secret, reply.hostKey(), reply.signature(), hashed);
  }

  /** H of RFC 4253 section 8: HASH(V_C || V_S || I_C || I_S || K_S || the method's values || K). */
  private byte[] exchangeHash(
      KexAlgorithm method, byte[] ourKexInit, byte[] theirKexInit, Outcome outcome) {
    return method
        .hash()
        .of(
            WireWriter.create()
                .writeString(config.identification())
                .writeString(peerIdentification.getBytes(StandardCharsets.ISO_8859_1))
                .writeString(ourKexInit)
                .writeString(theirKexInit)
                .writeString(outcome.hostKey())
                .writeBytes(outcome.hashed())
                .writeBytes(outcome.secret())
                .toBytes());
  }

  private void verifyHostKey(String algorithm, byte[] hash, Outcome outcome) throws SshException {
    try {
      SshPublicKey key = SshPublicKey.parse(outcome.hostKey(), config.minimumRsaBits());
      key.verify(algorithm, hash, outcome.signature());
    } catch (InvalidSignatureException e) {
      throw new SshException.PeerMisbehaved(
          "the server's signature on the key exchange is wrong, so it may not hold the host key that"
              + " it shows: "
              + e.getMessage(),
          DisconnectReason.KEY_EXCHANGE_FAILED,
          e);
    } catch (MalformedDataException e) {
      throw new SshException.PeerMisbehaved(
          "bad host key or signature: " + e.getMessage(), DisconnectReason.KEY_EXCHANGE_FAILED, e);
    }
    if (!first) {
      if (!Arrays.equals(hostKey, outcome.hostKey())) {
        throw new SshException.HostKeyRejected(
            "the server changed its host key in the middle of the connection");
      }
      return;
    }
    transport.suspendDeadline();
    try {
      verifier.verify(outcome.hostKey().clone());
    } catch (SshException e) {
      throw e;
    } catch (Throwable e) {
      // Whatever goes wrong while a key is judged, the key is not accepted (CVE-2025-26465).
      throw new SshException.HostKeyRejected("Host key verification failed: " + e);
    }
    transport.resumeDeadline();
    hostKey = outcome.hostKey();
  }

  /**
   * Bytes under one key: what the user set, or 2^32 blocks for ciphers of 128-bit blocks (RFC 4344
   * section 3.2) and 1 GiB for others, as OpenSSH has it.
   */
  private long rekeyBytes(CipherSuite suite) {
    if (config.rekeyBytes() > 0) {
      return config.rekeyBytes();
    }
    return !suite.cipher().sshName().equals(Negotiated.CHACHA) ? 1L << 36 : 1L << 30;
  }
}
