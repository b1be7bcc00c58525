package dev.adit.ssh.forward;

import dev.adit.ssh.Target;
import dev.adit.ssh.transport.Text;
import dev.adit.ssh.wire.OpenFailureReason;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler;
import io.netty.channel.EventLoop;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.socksx.SocksMessage;
import io.netty.handler.codec.socksx.v4.DefaultSocks4CommandResponse;
import io.netty.handler.codec.socksx.v4.Socks4CommandRequest;
import io.netty.handler.codec.socksx.v4.Socks4CommandStatus;
import io.netty.handler.codec.socksx.v4.Socks4CommandType;
import io.netty.handler.codec.socksx.v4.Socks4ServerDecoder;
import io.netty.handler.codec.socksx.v4.Socks4ServerEncoder;
import io.netty.handler.codec.socksx.v5.DefaultSocks5CommandResponse;
import io.netty.handler.codec.socksx.v5.DefaultSocks5InitialResponse;
import io.netty.handler.codec.socksx.v5.Socks5AddressDecoder;
import io.netty.handler.codec.socksx.v5.Socks5AddressType;
import io.netty.handler.codec.socksx.v5.Socks5AuthMethod;
import io.netty.handler.codec.socksx.v5.Socks5CommandRequest;
import io.netty.handler.codec.socksx.v5.Socks5CommandRequestDecoder;
import io.netty.handler.codec.socksx.v5.Socks5CommandStatus;
import io.netty.handler.codec.socksx.v5.Socks5CommandType;
import io.netty.handler.codec.socksx.v5.Socks5InitialRequest;
import io.netty.handler.codec.socksx.v5.Socks5InitialRequestDecoder;
import io.netty.handler.codec.socksx.v5.Socks5Message;
import io.netty.handler.codec.socksx.v5.Socks5ServerEncoder;
import io.netty.util.concurrent.ScheduledFuture;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What a client of -D talks to before its data flows: SOCKS 4, 4A and 5 (RFC 1928) and HTTP, told
 * apart by the first byte and read by Netty's codecs. It knows nothing of sockets: bytes come in by
 * {@link #received}, and a {@link Client} takes what follows from them, so that a local socket and
 * a channel of a remote forwarding are served alike. Confined to the event loop.
 */
final class ProxyFront {

  /** Stands at the other end of the conversation. */
  interface Client {

    /** Bytes for the client; the conversation goes on. */
    void send(byte[] bytes);

    /** There is no request yet: more bytes are needed. */
    void readMore();

    /**
     * The client has said where it wants to go. Called once; nothing follows.
     *
     * @param early what comes first on the way there, owned by the callee
     */
    void connect(Target.Tcp target, ByteBuf early);

    /** The proxy has answered by itself. Called once; nothing follows. */
    void answer(byte[] whole);

    /** There is no way. Called once; nothing follows. */
    void end(byte[] lastWords, String why);
  }

  /** The way is not to be had: each protocol has its own number for that. */
  enum Failure {
    NOT_ALLOWED(Socks5CommandStatus.FORBIDDEN, 403, "Forbidden"),
    NETWORK_UNREACHABLE(Socks5CommandStatus.NETWORK_UNREACHABLE, 502, "Bad Gateway"),
    HOST_UNREACHABLE(Socks5CommandStatus.HOST_UNREACHABLE, 502, "Bad Gateway"),
    REFUSED(Socks5CommandStatus.CONNECTION_REFUSED, 502, "Bad Gateway"),
    TIMED_OUT(Socks5CommandStatus.TTL_EXPIRED, 504, "Gateway Timeout"),
    OTHER(Socks5CommandStatus.FAILURE, 502, "Bad Gateway");

    final Socks5CommandStatus socks5;
    final int http;
    final String httpReason;

    Failure(Socks5CommandStatus socks5, int http, String httpReason) {
      this.socks5 = socks5;
      this.http = http;
      this.httpReason = httpReason;
    }

    /**
     * What an SSH server means: most of it is only in the text, in the words of its system.
     *
     * @param reason a code of {@link OpenFailureReason}
     */
    static Failure of(int reason, String text) {
      if (reason == OpenFailureReason.ADMINISTRATIVELY_PROHIBITED) {
        return NOT_ALLOWED;
      }
      String words = text.toLowerCase(Locale.ROOT);
      if (words.contains("refused")) {
        return REFUSED;
      }
      if (words.contains("network is unreachable")) {
        return NETWORK_UNREACHABLE;
      }
      if (words.contains("timed out") || words.contains("no answer")) {
        return TIMED_OUT;
      }
      if (words.contains("no route to host")
          || words.contains("host is down")
          || words.contains("unreachable")
          || words.contains("unknown host")
          || words.contains("not known")
          || words.contains("name resolution")
          || words.contains("no address associated")) {
        return HOST_UNREACHABLE;
      }
      return OTHER;
    }
  }

  private enum Protocol {
    UNKNOWN,
    SOCKS4,
    SOCKS5,
    HTTP_CONNECT,
    HTTP
  }

  /** The request that came is wrong, or none that is served here. */
  private static final class Refusal extends Exception {
    private static final long serialVersionUID = 1L;
    private final transient byte[] lastWords;

    Refusal(byte[] lastWords, String why) {
      super(why, null, false, false);
      this.lastWords = lastWords;
    }
  }

  private final Client client;
  private final ByteBuf in = Unpooled.buffer(256);
  private final ScheduledFuture<?> deadline;
  private Protocol protocol = Protocol.UNKNOWN;

  /** Reads SOCKS, as long as the conversation lasts. */
  private @Nullable EmbeddedChannel socks;

  private boolean done;
  private int scanned;

  ProxyFront(EventLoop loop, Client client) {
    this.client = client;
    this.deadline =
        loop.schedule(
            () ->
                refuse(
                    new Refusal(
                        timeoutReply(),
                        "no request within " + ForwardingLimits.REQUEST_SECONDS + " seconds")),
            ForwardingLimits.REQUEST_SECONDS,
            TimeUnit.SECONDS);
  }

  /** The client is gone, or has ended before it asked. */
  void abandon() {
    done = true;
    deadline.cancel(false);
    EmbeddedChannel decoder = socks;
    if (decoder != null) {
      socks = null;
      decoder.close();
      decoder.releaseInbound();
    }
  }

  /** Bytes of the client; they stay the caller's. */
  void received(ByteBuf bytes) {
    if (done) {
      return;
    }
    in.writeBytes(bytes);
    try {
      while (!done && step()) {}
      if (!done) {
        client.readMore();
      }
    } catch (Refusal e) {
      refuse(e);
    }
  }

  private void refuse(Refusal why) {
    if (!done) {
      abandon();
      client.end(why.lastWords, String.valueOf(why.getMessage()));
    }
  }

  private void connect(Target.Tcp target, ByteBuf early) {
    abandon();
    client.connect(target, early);
  }

  /** Takes one message, if it is there as a whole. */
  private boolean step() throws Refusal {
    if (!in.isReadable()) {
      return false;
    }
    if (socks != null) {
      return socks(socks);
    }
    int first = in.getUnsignedByte(in.readerIndex());
    return switch (first) {
      case 4 -> socks(begin(Protocol.SOCKS4, new Socks4ServerDecoder()));
      case 5 -> socks(begin(Protocol.SOCKS5, new Socks5InitialRequestDecoder()));
      default -> {
        if ((first | 0x20) < 'a' || (first | 0x20) > 'z') {
          throw new Refusal(new byte[0], "neither SOCKS 4, SOCKS 5 nor HTTP: byte " + first);
        }
        yield http();
      }
    };
  }

  private EmbeddedChannel begin(Protocol version, ChannelHandler decoder) {
    protocol = version;
    socks = new EmbeddedChannel(decoder);
    return socks;
  }

  // ---- SOCKS ----------------------------------------------------------------------------------

  /** SOCKS 5's own code for an address of a kind that nobody knows. */
  private static final class UnknownAddressType extends DecoderException {
    private static final long serialVersionUID = 1L;

    UnknownAddressType(Socks5AddressType type) {
      super("address type " + (type.byteValue() & 0xff));
    }
  }

  private static String socks5Address(Socks5AddressType type, ByteBuf in) throws Exception {
    if (!KNOWN_ADDRESS_TYPES.contains(type)) {
      throw new UnknownAddressType(type);
    }
    return Socks5AddressDecoder.DEFAULT.decodeAddress(type, in);
  }

  private static final List<Socks5AddressType> KNOWN_ADDRESS_TYPES =
      List.of(Socks5AddressType.IPv4, Socks5AddressType.DOMAIN, Socks5AddressType.IPv6);

  /**
   * Feeds Netty's decoder, which limits each name to 255 bytes; what follows a message comes back.
   */
  private boolean socks(EmbeddedChannel decoder) throws Refusal {
    Object message;
    try {
      decoder.writeInbound(in.readBytes(in.readableBytes()));
      in.clear();
      message = decoder.readInbound();
    } catch (DecoderException e) {
      throw malformed(e);
    }
    if (message instanceof SocksMessage socks && socks.decoderResult().isFailure()) {
      throw socks instanceof Socks5InitialRequest
          ? noMethod()
          : malformed(socks.decoderResult().cause());
    }
    if (decoder.readInbound() instanceof ByteBuf rest) {
      in.writeBytes(rest);
      rest.release();
    }
    switch (message) {
      case null -> {
        return false;
      }
      case Socks4CommandRequest request -> {
        if (!request.type().equals(Socks4CommandType.CONNECT)) {
          throw notConnect("SOCKS 4", request.type());
        }
        connect(target(request.dstAddr(), request.dstPort()), rest());
      }
      case Socks5InitialRequest greeting -> {
        if (!greeting.authMethods().contains(Socks5AuthMethod.NO_AUTH)) {
          throw noMethod();
        }
        decoder.pipeline().removeFirst();
        decoder.pipeline().addLast(new Socks5CommandRequestDecoder(ProxyFront::socks5Address));
        client.send(socks5Reply(new DefaultSocks5InitialResponse(Socks5AuthMethod.NO_AUTH)));
      }
      case Socks5CommandRequest request -> {
        if (!request.type().equals(Socks5CommandType.CONNECT)) {
          throw notConnect("SOCKS 5", request.type());
        }
        connect(target(request.dstAddr(), request.dstPort()), rest());
      }
      default -> throw new IllegalStateException(message.toString());
    }
    return true;
  }

  private static Refusal noMethod() {
    return new Refusal(
        socks5Reply(new DefaultSocks5InitialResponse(Socks5AuthMethod.UNACCEPTED)),
        "SOCKS 5 without the method that needs no password, and here no password is needed");
  }

  private Refusal malformed(Throwable why) {
    return new Refusal(
        why instanceof UnknownAddressType
            ? socks5Reply(Socks5CommandStatus.ADDRESS_UNSUPPORTED)
            : failureReply(Failure.OTHER, ""),
        "a bad SOCKS request: " + Text.escape(String.valueOf(why.getMessage())));
  }

  private Refusal notConnect(String version, Object command) {
    return new Refusal(
        protocol == Protocol.SOCKS5
            ? socks5Reply(Socks5CommandStatus.COMMAND_UNSUPPORTED)
            : failureReply(Failure.OTHER, ""),
        version + " " + command + ": only CONNECT is served");
  }

  /** The bound address is that of the server's socket, which SSH doesn't tell. */
  private static byte[] socks5Reply(Socks5CommandStatus status) {
    return socks5Reply(new DefaultSocks5CommandResponse(status, Socks5AddressType.IPv4));
  }

  private static byte[] socks5Reply(Socks5Message message) {
    return encode(Socks5ServerEncoder.DEFAULT, message);
  }

  private static byte[] socks4Reply(Socks4CommandStatus status) {
    return encode(Socks4ServerEncoder.INSTANCE, new DefaultSocks4CommandResponse(status));
  }

  private static byte[] encode(ChannelHandler encoder, Object message) {
    EmbeddedChannel channel = new EmbeddedChannel(encoder);
    try {
      channel.writeOutbound(message);
      ByteBuf bytes = channel.readOutbound();
      byte[] reply = ByteBufUtil.getBytes(bytes);
      bytes.release();
      return reply;
    } finally {
      channel.finishAndReleaseAll();
    }
  }

  // ---- HTTP -----------------------------------------------------------------------------------

  private boolean http() throws Refusal {
    protocol = Protocol.HTTP;
    int end = headEnd();
    if (end < 0) {
      if (in.readableBytes() > ForwardingLimits.MAX_HTTP_HEAD) {
        throw new Refusal(
            HttpHead.response(431, "Request Header Fields Too Large", "The head is too long."),
            "an HTTP head of more than " + ForwardingLimits.MAX_HTTP_HEAD + " bytes");
      }
      return false;
    }
    HttpHead head;
    try {
      head = HttpHead.parse(in.readSlice(end - in.readerIndex()));
    } catch (HttpHead.BadRequestException e) {
      String why = String.valueOf(e.getMessage());
      throw new Refusal(HttpHead.response(400, "Bad Request", why), why);
    } catch (HttpHead.ProxyFileRequest e) {
      abandon();
      client.answer(e.answer());
      return true;
    }
    if (head.isConnect()) {
      protocol = Protocol.HTTP_CONNECT;
    }
    connect(
        head.target(), Unpooled.wrappedBuffer(Unpooled.wrappedBuffer(head.forOrigin()), rest()));
    return true;
  }

  /** The index behind the empty line, or -1. */
  private int headEnd() {
    for (int i = Math.max(scanned, in.readerIndex()); i < in.writerIndex(); i++) {
      if (in.getByte(i) == '\n' && isEmptyLineBefore(i)) {
        return i + 1;
      }
    }
    scanned = in.writerIndex();
    return -1;
  }

  private boolean isEmptyLineBefore(int newline) {
    int before = newline - 1;
    if (before > in.readerIndex() && in.getByte(before) == '\r') {
      before--;
    }
    return before > in.readerIndex() && in.getByte(before) == '\n';
  }

  // ---- Common ---------------------------------------------------------------------------------

  private ByteBuf rest() {
    return in.readRetainedSlice(in.readableBytes());
  }

  /** Whether it can be a name: nothing that could end a string or a line may pass. */
  static boolean isHost(String text) {
    return !text.isEmpty()
        && text.getBytes(StandardCharsets.UTF_8).length <= ForwardingLimits.MAX_HOST
        && text.codePoints()
            .noneMatch(
                c ->
                    Character.isISOControl(c)
                        || Character.isWhitespace(c)
                        || Character.isSpaceChar(c)
                        || Character.getType(c) == Character.FORMAT);
  }

  private Target.Tcp target(String host, int port) throws Refusal {
    if (!isHost(host)) {
      throw new Refusal(
          failureReply(Failure.OTHER, "bad host name"),
          "a host name that is empty or has control characters in it");
    }
    if (port == 0) {
      throw new Refusal(failureReply(Failure.OTHER, "port 0"), "port 0 of " + host);
    }
    return new Target.Tcp(host, port);
  }

  private byte[] timeoutReply() {
    return protocol == Protocol.HTTP
        ? HttpHead.response(408, "Request Timeout", "The request took too long.")
        : new byte[0];
  }

  /** What the client hears when the way is open. */
  byte[] successReply() {
    return switch (protocol) {
      case SOCKS4 -> socks4Reply(Socks4CommandStatus.SUCCESS);
      case SOCKS5 -> socks5Reply(Socks5CommandStatus.SUCCESS);
      case HTTP_CONNECT ->
          "HTTP/1.1 200 Connection established\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
      // The origin's answer is the answer.
      case HTTP, UNKNOWN -> new byte[0];
    };
  }

  /**
   * What the client hears when it isn't.
   *
   * @param text names the culprit, for the protocol that has room for it
   */
  byte[] failureReply(Failure failure, String text) {
    return switch (protocol) {
      case SOCKS4 -> socks4Reply(Socks4CommandStatus.REJECTED_OR_FAILED);
      case SOCKS5 -> socks5Reply(failure.socks5);
      case HTTP_CONNECT, HTTP -> HttpHead.response(failure.http, failure.httpReason, text);
      case UNKNOWN -> new byte[0];
    };
  }
}
