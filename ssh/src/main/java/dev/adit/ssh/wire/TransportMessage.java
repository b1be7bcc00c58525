package dev.adit.ssh.wire;

import java.math.BigInteger;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The messages of the transport layer: RFC 4253, RFC 4419, RFC 5656, RFC 8308, and OpenSSH's ping.
 */
public sealed interface TransportMessage extends Message {

  /** RFC 4253 section 11.1; reason codes in {@link DisconnectReason}. */
  record Disconnect(long reason, String description, String language) implements TransportMessage {
    public static final MessageType<Disconnect> TYPE =
        new MessageType<>(MessageNumbers.DISCONNECT, "SSH_MSG_DISCONNECT", Disconnect::read);

    static Disconnect read(WireReader in) throws MalformedDataException {
      return new Disconnect(in.readUint32(), in.readText(), in.readText());
    }

    @Override
    public MessageType<Disconnect> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeUint32(reason);
      out.writeString(description);
      out.writeString(language);
    }
  }

  /** RFC 4253 section 11.2. */
  record Ignore(byte[] data) implements TransportMessage {
    public static final MessageType<Ignore> TYPE =
        new MessageType<>(MessageNumbers.IGNORE, "SSH_MSG_IGNORE", Ignore::read);

    static Ignore read(WireReader in) throws MalformedDataException {
      return new Ignore(in.readString());
    }

    @Override
    public MessageType<Ignore> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeString(data);
    }
  }

  /** RFC 4253 section 11.4: the sequence number of the packet that was not understood. */
  record Unimplemented(long sequence) implements TransportMessage {
    public static final MessageType<Unimplemented> TYPE =
        new MessageType<>(
            MessageNumbers.UNIMPLEMENTED, "SSH_MSG_UNIMPLEMENTED", Unimplemented::read);

    static Unimplemented read(WireReader in) throws MalformedDataException {
      return new Unimplemented(in.readUint32());
    }

    @Override
    public MessageType<Unimplemented> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeUint32(sequence);
    }
  }

  /** RFC 4253 section 11.3. */
  record Debug(boolean alwaysDisplay, String text, String language) implements TransportMessage {
    public static final MessageType<Debug> TYPE =
        new MessageType<>(MessageNumbers.DEBUG, "SSH_MSG_DEBUG", Debug::read);

    static Debug read(WireReader in) throws MalformedDataException {
      return new Debug(in.readBoolean(), in.readText(), in.readText());
    }

    @Override
    public MessageType<Debug> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeBoolean(alwaysDisplay);
      out.writeString(text);
      out.writeString(language);
    }
  }

  /** RFC 4253 section 10. */
  record ServiceRequest(String service) implements TransportMessage {
    public static final MessageType<ServiceRequest> TYPE =
        new MessageType<>(
            MessageNumbers.SERVICE_REQUEST, "SSH_MSG_SERVICE_REQUEST", ServiceRequest::read);

    static ServiceRequest read(WireReader in) throws MalformedDataException {
      return new ServiceRequest(in.readName());
    }

    @Override
    public MessageType<ServiceRequest> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeString(service);
    }
  }

  /** RFC 4253 section 10. */
  record ServiceAccept(String service) implements TransportMessage {
    public static final MessageType<ServiceAccept> TYPE =
        new MessageType<>(
            MessageNumbers.SERVICE_ACCEPT, "SSH_MSG_SERVICE_ACCEPT", ServiceAccept::read);

    static ServiceAccept read(WireReader in) throws MalformedDataException {
      return new ServiceAccept(in.readName());
    }

    @Override
    public MessageType<ServiceAccept> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeString(service);
    }
  }

  /** RFC 4253 section 7.1. The name-lists are in the order of the RFC. */
  record KexInit(
      byte[] cookie,
      List<String> kexAlgorithms,
      List<String> hostKeyAlgorithms,
      List<String> ciphersToServer,
      List<String> ciphersToClient,
      List<String> macsToServer,
      List<String> macsToClient,
      List<String> compressionToServer,
      List<String> compressionToClient,
      List<String> languagesToServer,
      List<String> languagesToClient,
      boolean firstKexPacketFollows,
      long reserved)
      implements TransportMessage {
    public static final MessageType<KexInit> TYPE =
        new MessageType<>(MessageNumbers.KEXINIT, "SSH_MSG_KEXINIT", KexInit::read);

    static KexInit read(WireReader in) throws MalformedDataException {
      return new KexInit(
          in.readBytes(16),
          in.readNameList(),
          in.readNameList(),
          in.readNameList(),
          in.readNameList(),
          in.readNameList(),
          in.readNameList(),
          in.readNameList(),
          in.readNameList(),
          in.readNameList(),
          in.readNameList(),
          in.readBoolean(),
          in.readUint32());
    }

    @Override
    public MessageType<KexInit> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeBytes(cookie);
      out.writeNameList(kexAlgorithms);
      out.writeNameList(hostKeyAlgorithms);
      out.writeNameList(ciphersToServer);
      out.writeNameList(ciphersToClient);
      out.writeNameList(macsToServer);
      out.writeNameList(macsToClient);
      out.writeNameList(compressionToServer);
      out.writeNameList(compressionToClient);
      out.writeNameList(languagesToServer);
      out.writeNameList(languagesToClient);
      out.writeBoolean(firstKexPacketFollows);
      out.writeUint32(reserved);
    }
  }

  /** RFC 4253 section 7.3. */
  record NewKeys() implements TransportMessage {
    public static final MessageType<NewKeys> TYPE =
        new MessageType<>(MessageNumbers.NEWKEYS, "SSH_MSG_NEWKEYS", NewKeys::read);

    static NewKeys read(WireReader in) {
      return new NewKeys();
    }

    @Override
    public MessageType<NewKeys> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {}
  }

  /** RFC 4253 section 8: the client's e. */
  record KexDhInit(BigInteger e) implements TransportMessage {
    public static final MessageType<KexDhInit> TYPE =
        new MessageType<>(30, "SSH_MSG_KEXDH_INIT", KexDhInit::read);

    static KexDhInit read(WireReader in) throws MalformedDataException {
      return new KexDhInit(in.readMpint());
    }

    @Override
    public MessageType<KexDhInit> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeMpint(e);
    }
  }

  /** RFC 4253 section 8. */
  record KexDhReply(byte[] hostKey, BigInteger f, byte[] signature) implements TransportMessage {
    public static final MessageType<KexDhReply> TYPE =
        new MessageType<>(31, "SSH_MSG_KEXDH_REPLY", KexDhReply::read);

    static KexDhReply read(WireReader in) throws MalformedDataException {
      return new KexDhReply(in.readString(), in.readMpint(), in.readString());
    }

    @Override
    public MessageType<KexDhReply> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeString(hostKey);
      out.writeMpint(f);
      out.writeString(signature);
    }
  }

  /** RFC 5656 section 4: the client's Q_C; the hybrids carry their C_INIT in it. */
  record KexEcdhInit(byte[] publicValue) implements TransportMessage {
    public static final MessageType<KexEcdhInit> TYPE =
        new MessageType<>(30, "SSH_MSG_KEX_ECDH_INIT", KexEcdhInit::read);

    static KexEcdhInit read(WireReader in) throws MalformedDataException {
      return new KexEcdhInit(in.readString());
    }

    @Override
    public MessageType<KexEcdhInit> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeString(publicValue);
    }
  }

  /** RFC 5656 section 4: Q_S, or the hybrids' S_REPLY. */
  record KexEcdhReply(byte[] hostKey, byte[] publicValue, byte[] signature)
      implements TransportMessage {
    public static final MessageType<KexEcdhReply> TYPE =
        new MessageType<>(31, "SSH_MSG_KEX_ECDH_REPLY", KexEcdhReply::read);

    static KexEcdhReply read(WireReader in) throws MalformedDataException {
      return new KexEcdhReply(in.readString(), in.readString(), in.readString());
    }

    @Override
    public MessageType<KexEcdhReply> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeString(hostKey);
      out.writeString(publicValue);
      out.writeString(signature);
    }
  }

  /** RFC 4419 section 3: sizes of the group in bits. */
  record KexGexRequest(long min, long preferred, long max) implements TransportMessage {
    public static final MessageType<KexGexRequest> TYPE =
        new MessageType<>(34, "SSH_MSG_KEX_DH_GEX_REQUEST", KexGexRequest::read);

    static KexGexRequest read(WireReader in) throws MalformedDataException {
      return new KexGexRequest(in.readUint32(), in.readUint32(), in.readUint32());
    }

    @Override
    public MessageType<KexGexRequest> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeUint32(min);
      out.writeUint32(preferred);
      out.writeUint32(max);
    }
  }

  /** RFC 4419 section 3. */
  record KexGexGroup(BigInteger p, BigInteger g) implements TransportMessage {
    public static final MessageType<KexGexGroup> TYPE =
        new MessageType<>(31, "SSH_MSG_KEX_DH_GEX_GROUP", KexGexGroup::read);

    static KexGexGroup read(WireReader in) throws MalformedDataException {
      return new KexGexGroup(in.readMpint(), in.readMpint());
    }

    @Override
    public MessageType<KexGexGroup> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeMpint(p);
      out.writeMpint(g);
    }
  }

  /** RFC 4419 section 3. */
  record KexGexInit(BigInteger e) implements TransportMessage {
    public static final MessageType<KexGexInit> TYPE =
        new MessageType<>(32, "SSH_MSG_KEX_DH_GEX_INIT", KexGexInit::read);

    static KexGexInit read(WireReader in) throws MalformedDataException {
      return new KexGexInit(in.readMpint());
    }

    @Override
    public MessageType<KexGexInit> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeMpint(e);
    }
  }

  /** RFC 4419 section 3. */
  record KexGexReply(byte[] hostKey, BigInteger f, byte[] signature) implements TransportMessage {
    public static final MessageType<KexGexReply> TYPE =
        new MessageType<>(33, "SSH_MSG_KEX_DH_GEX_REPLY", KexGexReply::read);

    static KexGexReply read(WireReader in) throws MalformedDataException {
      return new KexGexReply(in.readString(), in.readMpint(), in.readString());
    }

    @Override
    public MessageType<KexGexReply> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeString(hostKey);
      out.writeMpint(f);
      out.writeString(signature);
    }
  }

  /** OpenSSH's ping@openssh.com: answered with the same data. */
  record Ping(byte[] data) implements TransportMessage {
    public static final MessageType<Ping> TYPE =
        new MessageType<>(MessageNumbers.PING, "SSH2_MSG_PING", Ping::read);

    static Ping read(WireReader in) throws MalformedDataException {
      return new Ping(in.readString());
    }

    @Override
    public MessageType<Ping> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeString(data);
    }
  }

  /** The answer to {@link Ping}. */
  record Pong(byte[] data) implements TransportMessage {
    public static final MessageType<Pong> TYPE =
        new MessageType<>(MessageNumbers.PONG, "SSH2_MSG_PONG", Pong::read);

    static Pong read(WireReader in) throws MalformedDataException {
      return new Pong(in.readString());
    }

    @Override
    public MessageType<Pong> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeString(data);
    }
  }

  /** RFC 8308 section 2.3: extensions by name, in the order in which they came. */
  record ExtInfo(Map<String, byte[]> extensions) implements TransportMessage {
    public static final MessageType<ExtInfo> TYPE =
        new MessageType<>(MessageNumbers.EXT_INFO, "SSH_MSG_EXT_INFO", ExtInfo::read);

    static ExtInfo read(WireReader in) throws MalformedDataException {
      int count = in.readUint32AtMost(WireLimits.MAX_EXTENSIONS, "the number of extensions");
      Map<String, byte[]> extensions = new LinkedHashMap<>();
      for (int i = 0; i < count; i++) {
        String name = in.readName();
        extensions.put(name, in.readString());
      }
      return new ExtInfo(extensions);
    }

    @Override
    public MessageType<ExtInfo> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeUint32(extensions.size());
      extensions.forEach((name, value) -> out.writeString(name).writeString(value));
    }
  }
}
