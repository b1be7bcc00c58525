package dev.adit.ssh.transport;

import dev.adit.ssh.SshException;
import dev.adit.ssh.crypto.DhGroup;
import dev.adit.ssh.crypto.DiffieHellman;
import dev.adit.ssh.crypto.InvalidKeyExchangeException;
import dev.adit.ssh.crypto.KexAlgorithm;
import dev.adit.ssh.crypto.KeyAgreement;
import dev.adit.ssh.keys.Signer;
import dev.adit.ssh.wire.TransportMessage.ExtInfo;
import dev.adit.ssh.wire.TransportMessage.KexDhInit;
import dev.adit.ssh.wire.TransportMessage.KexDhReply;
import dev.adit.ssh.wire.TransportMessage.KexEcdhInit;
import dev.adit.ssh.wire.TransportMessage.KexEcdhReply;
import dev.adit.ssh.wire.TransportMessage.KexGexGroup;
import dev.adit.ssh.wire.TransportMessage.KexGexInit;
import dev.adit.ssh.wire.TransportMessage.KexGexReply;
import dev.adit.ssh.wire.TransportMessage.KexGexRequest;
import dev.adit.ssh.wire.TransportMessage.KexInit;
import dev.adit.ssh.wire.WireWriter;
import java.io.IOException;
import java.math.BigInteger;
import java.util.List;
import java.util.Map;

/** The server's side: it answers, and signs the exchange with the host key that was agreed on. */
final class ServerKeyExchange extends KeyExchange {
  private final List<Signer> hostKeys;
  private final Map<String, byte[]> extensions;

  /**
   * @param hostKeys with certificates beside their bare keys, where there are any
   * @param extensions what we tell a client that wants to know (RFC 8308)
   */
  ServerKeyExchange(
      Transport transport,
      TransportConfig config,
      List<Signer> hostKeys,
      Map<String, byte[]> extensions) {
    super(transport, config, true);
    this.hostKeys = List.copyOf(hostKeys);
    this.extensions = extensions;
  }

  /** Of those that the configuration allows, what one of our keys can do. */
  @Override
  List<String> hostKeyAlgorithms() {
    return config.hostKeyAlgorithms().stream()
        .filter(name -> hostKeys.stream().anyMatch(key -> key.algorithms().contains(name)))
        .toList();
  }

  @Override
  void firstKeysSent(KexInit theirs) {
    if (theirs.kexAlgorithms().contains(Negotiated.EXT_INFO_CLIENT)) {
      transport.send(new ExtInfo(extensions));
    }
  }

  @Override
  Agreed agree(KexAlgorithm method, String hostKeyAlgorithm, Transcript transcript)
      throws SshException, InterruptedException, InvalidKeyExchangeException {
    Signer key =
        hostKeys.stream()
            .filter(k -> k.algorithms().contains(hostKeyAlgorithm))
            .findFirst()
            .orElseThrow();
    if (isFirst()) {
      hostKey = key.publicKeyBlob();
    }
    Signing signing = new Signing(key, hostKeyAlgorithm, transcript);
    return switch (method.form()) {
      case STRINGS -> ecdh(method, signing);
      case MPINTS -> dh(method, signing);
      case GROUP_EXCHANGE -> groupExchange(signing);
    };
  }

  /** The last step: the hash is made, and signed. */
  private record Signing(Signer key, String algorithm, Transcript transcript) {
    Agreed agreed(WireWriter values, byte[] secret) {
      return new Agreed(secret, transcript.exchangeHash(hostKey(), values, secret));
    }

    byte[] hostKey() {
      return key.publicKeyBlob();
    }

    byte[] signature(Agreed agreed) throws SshException {
      try {
        return key.sign(algorithm, agreed.hash());
      } catch (IOException e) {
        throw SshException.Disconnected.local(
            "the host key " + key.name() + " can't sign: " + e.getMessage(), e);
      }
    }
  }

  private Agreed ecdh(KexAlgorithm method, Signing signing)
      throws SshException, InterruptedException, InvalidKeyExchangeException {
    byte[] theirs = expect(KexEcdhInit.TYPE).publicValue();
    KeyAgreement.Response ours = method.respond(theirs);
    Agreed agreed =
        signing.agreed(
            WireWriter.create().writeString(theirs).writeString(ours.reply()), ours.secret());
    transport.send(new KexEcdhReply(signing.hostKey(), ours.reply(), signing.signature(agreed)));
    return agreed;
  }

  private Agreed dh(KexAlgorithm method, Signing signing)
      throws SshException, InterruptedException, InvalidKeyExchangeException {
    BigInteger e = expect(KexDhInit.TYPE).e();
    KeyAgreement.Response ours = method.respond(e.toByteArray());
    BigInteger f = new BigInteger(ours.reply());
    Agreed agreed = signing.agreed(WireWriter.create().writeMpint(e).writeMpint(f), ours.secret());
    transport.send(new KexDhReply(signing.hostKey(), f, signing.signature(agreed)));
    return agreed;
  }

  private Agreed groupExchange(Signing signing)
      throws SshException, InterruptedException, InvalidKeyExchangeException {
    KexGexRequest asked = expect(KexGexRequest.TYPE);
    DhGroup group = DhGroup.chosen(asked.min(), asked.preferred(), asked.max());
    transport.send(new KexGexGroup(group.p(), group.g()));
    BigInteger e = expect(KexGexInit.TYPE).e();
    KeyAgreement.Response ours = DiffieHellman.respond(group, e.toByteArray());
    BigInteger f = new BigInteger(ours.reply());
    Agreed agreed =
        signing.agreed(
            WireWriter.create()
                .writeUint32(asked.min())
                .writeUint32(asked.preferred())
                .writeUint32(asked.max())
                .writeMpint(group.p())
                .writeMpint(group.g())
                .writeMpint(e)
                .writeMpint(f),
            ours.secret());
    transport.send(new KexGexReply(signing.hostKey(), f, signing.signature(agreed)));
    return agreed;
  }
}
