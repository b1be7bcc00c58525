package dev.adit.ssh.transport;

import dev.adit.ssh.SshException;
import dev.adit.ssh.crypto.DhGroup;
import dev.adit.ssh.crypto.DiffieHellman;
import dev.adit.ssh.crypto.InvalidKeyExchangeException;
import dev.adit.ssh.crypto.KexAlgorithm;
import dev.adit.ssh.crypto.KeyAgreement;
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
import dev.adit.ssh.wire.WireWriter;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;

/** The client's side: it speaks first, checks the server's signature and judges its key. */
final class ClientKeyExchange extends KeyExchange {

  /** Sizes of the group that we ask for in a group exchange, in bits (RFC 4419, RFC 8270). */
  private static final int GEX_MIN = 2048;

  private static final int GEX_PREFERRED = 3072;
  private static final int GEX_MAX = 8192;

  private final HostKeyVerifier verifier;

  ClientKeyExchange(Transport transport, TransportConfig config, HostKeyVerifier verifier) {
    super(transport, config, false);
    this.verifier = verifier;
  }

  @Override
  List<String> hostKeyAlgorithms() {
    return config.hostKeyAlgorithms();
  }

  @Override
  Agreed agree(KexAlgorithm method, String hostKeyAlgorithm, Transcript transcript)
      throws SshException, InterruptedException, InvalidKeyExchangeException {
    Answer answer =
        switch (method.form()) {
          case STRINGS -> ecdh(method.initiate());
          case MPINTS -> dh(method.initiate());
          case GROUP_EXCHANGE -> groupExchange();
        };
    byte[] hash = transcript.exchangeHash(answer.hostKey(), answer.values(), answer.secret());
    verifyHostKey(hostKeyAlgorithm, hash, answer);
    return new Agreed(answer.secret(), hash);
  }

  /** The server's answer: K as it is hashed, its key and signature, the values for the hash. */
  private record Answer(byte[] secret, byte[] hostKey, byte[] signature, WireWriter values) {}

  private Answer ecdh(KeyAgreement agreement)
      throws SshException, InterruptedException, InvalidKeyExchangeException {
    byte[] init = agreement.initiation();
    transport.send(new KexEcdhInit(init));
    KexEcdhReply reply = expect(KexEcdhReply.TYPE);
    return new Answer(
        agreement.secret(reply.publicValue()),
        reply.hostKey(),
        reply.signature(),
        WireWriter.create().writeString(init).writeString(reply.publicValue()));
  }

  private Answer dh(KeyAgreement agreement)
      throws SshException, InterruptedException, InvalidKeyExchangeException {
    BigInteger e = new BigInteger(agreement.initiation());
    transport.send(new KexDhInit(e));
    KexDhReply reply = expect(KexDhReply.TYPE);
    return new Answer(
        agreement.secret(reply.f().toByteArray()),
        reply.hostKey(),
        reply.signature(),
        WireWriter.create().writeMpint(e).writeMpint(reply.f()));
  }

  private Answer groupExchange()
      throws SshException, InterruptedException, InvalidKeyExchangeException {
    transport.send(new KexGexRequest(GEX_MIN, GEX_PREFERRED, GEX_MAX));
    KexGexGroup group = expect(KexGexGroup.TYPE);
    KeyAgreement agreement =
        DiffieHellman.initiate(DhGroup.offered(group.p(), group.g(), GEX_MIN, GEX_MAX));
    BigInteger e = new BigInteger(agreement.initiation());
    transport.send(new KexGexInit(e));
    KexGexReply reply = expect(KexGexReply.TYPE);
    return new Answer(
        agreement.secret(reply.f().toByteArray()),
        reply.hostKey(),
        reply.signature(),
        WireWriter.create()
            .writeUint32(GEX_MIN)
            .writeUint32(GEX_PREFERRED)
            .writeUint32(GEX_MAX)
            .writeMpint(group.p())
            .writeMpint(group.g())
            .writeMpint(e)
            .writeMpint(reply.f()));
  }

  private void verifyHostKey(String algorithm, byte[] hash, Answer answer) throws SshException {
    try {
      SshPublicKey key = SshPublicKey.parse(answer.hostKey(), config.minimumRsaBits());
      key.verify(algorithm, hash, answer.signature());
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
    if (!isFirst()) {
      if (!Arrays.equals(hostKey, answer.hostKey())) {
        throw new SshException.HostKeyRejected(
            "the server changed its host key in the middle of the connection");
      }
      return;
    }
    transport.suspendDeadline();
    try {
      verifier.verify(answer.hostKey().clone());
    } catch (SshException e) {
      throw e;
    } catch (Throwable e) {
      // Whatever goes wrong while a key is judged, the key is not accepted (CVE-2025-26465).
      throw new SshException.HostKeyRejected("Host key verification failed: " + e);
    }
    transport.resumeDeadline();
    hostKey = answer.hostKey();
  }
}
