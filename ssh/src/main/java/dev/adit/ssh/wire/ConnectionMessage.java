package dev.adit.ssh.wire;

/** The messages of the connection protocol (RFC 4254), but for the two that carry data. */
public sealed interface ConnectionMessage extends Message {

  /** RFC 4254 section 4; the fields of the request are left as they are. */
  record GlobalRequest(String name, boolean wantReply, byte[] fields) implements ConnectionMessage {
    public static final MessageType<GlobalRequest> TYPE =
        new MessageType<>(
            MessageNumbers.GLOBAL_REQUEST, "SSH_MSG_GLOBAL_REQUEST", GlobalRequest::read);

    static GlobalRequest read(WireReader in) throws MalformedDataException {
      return new GlobalRequest(in.readName(), in.readBoolean(), in.readRest());
    }

    @Override
    public MessageType<GlobalRequest> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeString(name);
      out.writeBoolean(wantReply);
      out.writeBytes(fields);
    }
  }

  /** RFC 4254 section 4. */
  record RequestSuccess(byte[] fields) implements ConnectionMessage {
    public static final MessageType<RequestSuccess> TYPE =
        new MessageType<>(
            MessageNumbers.REQUEST_SUCCESS, "SSH_MSG_REQUEST_SUCCESS", RequestSuccess::read);

    static RequestSuccess read(WireReader in) throws MalformedDataException {
      return new RequestSuccess(in.readRest());
    }

    @Override
    public MessageType<RequestSuccess> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeBytes(fields);
    }
  }

  /** RFC 4254 section 4. */
  record RequestFailure() implements ConnectionMessage {
    public static final MessageType<RequestFailure> TYPE =
        new MessageType<>(
            MessageNumbers.REQUEST_FAILURE, "SSH_MSG_REQUEST_FAILURE", RequestFailure::read);

    static RequestFailure read(WireReader in) {
      return new RequestFailure();
    }

    @Override
    public MessageType<RequestFailure> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {}
  }

  /** RFC 4254 section 5.1. Window and maximum packet are in bytes of data. */
  record ChannelOpen(
      String channelType, int sender, long initialWindow, long maximumPacket, byte[] fields)
      implements ConnectionMessage {
    public static final MessageType<ChannelOpen> TYPE =
        new MessageType<>(MessageNumbers.CHANNEL_OPEN, "SSH_MSG_CHANNEL_OPEN", ChannelOpen::read);

    static ChannelOpen read(WireReader in) throws MalformedDataException {
      return new ChannelOpen(
          in.readName(), (int) in.readUint32(), in.readUint32(), in.readUint32(), in.readRest());
    }

    @Override
    public MessageType<ChannelOpen> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeString(channelType);
      out.writeUint32(sender);
      out.writeUint32(initialWindow);
      out.writeUint32(maximumPacket);
      out.writeBytes(fields);
    }
  }

  /** RFC 4254 section 5.1. */
  record OpenConfirmation(
      int recipient, int sender, long initialWindow, long maximumPacket, byte[] fields)
      implements ConnectionMessage {
    public static final MessageType<OpenConfirmation> TYPE =
        new MessageType<>(
            MessageNumbers.CHANNEL_OPEN_CONFIRMATION,
            "SSH_MSG_CHANNEL_OPEN_CONFIRMATION",
            OpenConfirmation::read);

    static OpenConfirmation read(WireReader in) throws MalformedDataException {
      return new OpenConfirmation(
          (int) in.readUint32(),
          (int) in.readUint32(),
          in.readUint32(),
          in.readUint32(),
          in.readRest());
    }

    @Override
    public MessageType<OpenConfirmation> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeUint32(recipient);
      out.writeUint32(sender);
      out.writeUint32(initialWindow);
      out.writeUint32(maximumPacket);
      out.writeBytes(fields);
    }
  }

  /** RFC 4254 section 5.1; reason codes in {@link OpenFailureReason}. */
  record OpenFailure(int recipient, long reason, String description, String language)
      implements ConnectionMessage {
    public static final MessageType<OpenFailure> TYPE =
        new MessageType<>(
            MessageNumbers.CHANNEL_OPEN_FAILURE, "SSH_MSG_CHANNEL_OPEN_FAILURE", OpenFailure::read);

    static OpenFailure read(WireReader in) throws MalformedDataException {
      return new OpenFailure((int) in.readUint32(), in.readUint32(), in.readText(), in.readText());
    }

    @Override
    public MessageType<OpenFailure> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeUint32(recipient);
      out.writeUint32(reason);
      out.writeString(description);
      out.writeString(language);
    }
  }

  /** RFC 4254 section 5.2. */
  record WindowAdjust(int recipient, long bytes) implements ConnectionMessage {
    public static final MessageType<WindowAdjust> TYPE =
        new MessageType<>(
            MessageNumbers.CHANNEL_WINDOW_ADJUST,
            "SSH_MSG_CHANNEL_WINDOW_ADJUST",
            WindowAdjust::read);

    static WindowAdjust read(WireReader in) throws MalformedDataException {
      return new WindowAdjust((int) in.readUint32(), in.readUint32());
    }

    @Override
    public MessageType<WindowAdjust> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeUint32(recipient);
      out.writeUint32(bytes);
    }
  }

  /** RFC 4254 section 5.3. */
  record ChannelEof(int recipient) implements ConnectionMessage {
    public static final MessageType<ChannelEof> TYPE =
        new MessageType<>(MessageNumbers.CHANNEL_EOF, "SSH_MSG_CHANNEL_EOF", ChannelEof::read);

    static ChannelEof read(WireReader in) throws MalformedDataException {
      return new ChannelEof((int) in.readUint32());
    }

    @Override
    public MessageType<ChannelEof> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeUint32(recipient);
    }
  }

  /** RFC 4254 section 5.3. */
  record ChannelClose(int recipient) implements ConnectionMessage {
    public static final MessageType<ChannelClose> TYPE =
        new MessageType<>(
            MessageNumbers.CHANNEL_CLOSE, "SSH_MSG_CHANNEL_CLOSE", ChannelClose::read);

    static ChannelClose read(WireReader in) throws MalformedDataException {
      return new ChannelClose((int) in.readUint32());
    }

    @Override
    public MessageType<ChannelClose> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeUint32(recipient);
    }
  }

  /** RFC 4254 section 5.4; the fields of the request are left as they are. */
  record ChannelRequest(int recipient, String name, boolean wantReply, byte[] fields)
      implements ConnectionMessage {
    public static final MessageType<ChannelRequest> TYPE =
        new MessageType<>(
            MessageNumbers.CHANNEL_REQUEST, "SSH_MSG_CHANNEL_REQUEST", ChannelRequest::read);

    static ChannelRequest read(WireReader in) throws MalformedDataException {
      return new ChannelRequest(
          (int) in.readUint32(), in.readName(), in.readBoolean(), in.readRest());
    }

    @Override
    public MessageType<ChannelRequest> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeUint32(recipient);
      out.writeString(name);
      out.writeBoolean(wantReply);
      out.writeBytes(fields);
    }
  }

  /** RFC 4254 section 5.4. */
  record ChannelSuccess(int recipient) implements ConnectionMessage {
    public static final MessageType<ChannelSuccess> TYPE =
        new MessageType<>(
            MessageNumbers.CHANNEL_SUCCESS, "SSH_MSG_CHANNEL_SUCCESS", ChannelSuccess::read);

    static ChannelSuccess read(WireReader in) throws MalformedDataException {
      return new ChannelSuccess((int) in.readUint32());
    }

    @Override
    public MessageType<ChannelSuccess> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeUint32(recipient);
    }
  }

  /** RFC 4254 section 5.4. */
  record ChannelFailure(int recipient) implements ConnectionMessage {
    public static final MessageType<ChannelFailure> TYPE =
        new MessageType<>(
            MessageNumbers.CHANNEL_FAILURE, "SSH_MSG_CHANNEL_FAILURE", ChannelFailure::read);

    static ChannelFailure read(WireReader in) throws MalformedDataException {
      return new ChannelFailure((int) in.readUint32());
    }

    @Override
    public MessageType<ChannelFailure> type() {
      return TYPE;
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeUint32(recipient);
    }
  }
}
