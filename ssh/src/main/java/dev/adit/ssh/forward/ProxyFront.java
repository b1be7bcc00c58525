package dev.adit.ssh.forward;

import dev.adit.ssh.Target;
import dev.adit.ssh.wire.OpenFailureReason;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What a client of -D talks to before its data flows: SOCKS 4, 4A and 5 (RFC 1928) and HTTP, told
 * apart by the first byte. It knows nothing of sockets: bytes come in by {@link #received}, and a
 * {@link Client} takes what follows from them, so that a local socket and a channel of a remote
 * forwarding are served alike. Confined to the event loop.
 *
 * <p>A request is read from all bytes that have come so far, each time from its beginning: it is
 * short, and so there is no state that a slow client could leave half done.
 */
final class ProxyFront {

  /** How long a client may take to say where it wants to go, in seconds. */
  static final int PATIENCE_SECONDS = 30;

  /** A SOCKS request: a user name and a host name of 255 bytes each, and some fields. */
  private static final int MAX_SOCKS = 1024;

  /** The head of an HTTP request, with whatever cookies it has. */
  private static final int MAX_HTTP_HEAD = 64 * 1024;

  /** Longest host name: what SOCKS 5 can say. */
  private static final int MAX_HOST = 255;

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

    /** There is no way. Called once; nothing follows. */
    void end(byte[] lastWords, String why);
  }

  /** The way is not to be had: each protocol has its own number for that. */
  enum Failure {
    NOT_ALLOWED(2, 403, "Forbidden"),
    NETWORK_UNREACHABLE(3, 502, "Bad Gateway"),
    HOST_UNREACHABLE(4, 502, "Bad Gateway"),
    REFUSED(5, 502, "Bad Gateway"),
    TIMED_OUT(6, 504, "Gateway Timeout"),
    OTHER(1, 502, "Bad Gateway");

    final int socks5;
    final int http;
    final String httpReason;

    Failure(int socks5, int http, String httpReason) {
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
  private boolean methodChosen;
  private boolean done;
  private int scanned;

  ProxyFront(EventLoop loop, Client client) {
    this.client = client;
    this.deadline =
        loop.schedule(
            () ->
                refuse(
                    new Refusal(
                        timeoutReply(), "no request within " + PATIENCE_SECONDS + " seconds")),
            PATIENCE_SECONDS,
            TimeUnit.SECONDS);
  }

  /** The client is gone, or has ended before it asked. */
  void abandon() {
    done = true;
    deadline.cancel(false);
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
    int first = in.getUnsignedByte(in.readerIndex());
    if (methodChosen) {
      return socks5Request();
    }
    return switch (first) {
      case 4 -> socks4Request();
      case 5 -> socks5Greeting();
      default -> {
        if ((first | 0x20) < 'a' || (first | 0x20) > 'z') {
          throw new Refusal(new byte[0], "neither SOCKS 4, SOCKS 5 nor HTTP: byte " + first);
        }
        yield http();
      }
    };
  }

  // ---- SOCKS 4 and 4A -------------------------------------------------------------------------

  private boolean socks4Request() throws Refusal {
    protocol = Protocol.SOCKS4;
    int start = in.readerIndex();
    int userEnd = zeroAfter(start + 8);
    if (userEnd < 0) {
      return needMoreSocks();
    }
    int command = in.getUnsignedByte(start + 1);
    int port = in.getUnsignedShort(start + 2);
    int address = in.getInt(start + 4);
    String host;
    int end;
    // 0.0.0.x says that the name follows: SOCKS 4A.
    if ((address & 0xffffff00) == 0 && address != 0) {
      int nameEnd = zeroAfter(userEnd + 1);
      if (nameEnd < 0) {
        return needMoreSocks();
      }
      host = hostName(userEnd + 1, nameEnd - userEnd - 1);
      end = nameEnd + 1;
    } else {
      host = address(bytes(start + 4, 4));
      end = userEnd + 1;
    }
    if (command != 1) {
      throw new Refusal(failureReply(Failure.OTHER, ""), "SOCKS 4 command " + command + " (BIND?)");
    }
    Target.Tcp target = target(host, port);
    in.readerIndex(end);
    connect(target, rest());
    return true;
  }

  /** The index of the zero byte at or behind an index, or -1 if it has not come. */
  private int zeroAfter(int index) throws Refusal {
    if (in.writerIndex() <= index) {
      return -1;
    }
    int zero = in.indexOf(index, in.writerIndex(), (byte) 0);
    if ((zero < 0 ? in.writerIndex() : zero) - index > MAX_HOST) {
      throw new Refusal(
          failureReply(Failure.OTHER, ""), "a name of more than " + MAX_HOST + " bytes");
    }
    return zero;
  }

  private boolean needMoreSocks() throws Refusal {
    if (in.readableBytes() > MAX_SOCKS) {
      throw new Refusal(
          failureReply(Failure.OTHER, ""), "a request of more than " + MAX_SOCKS + " bytes");
    }
    return false;
  }

  // ---- SOCKS 5 --------------------------------------------------------------------------------

  private static final byte[] NO_AUTHENTICATION = {5, 0};
  private static final byte[] NO_ACCEPTABLE_METHOD = {5, (byte) 0xff};

  private boolean socks5Greeting() throws Refusal {
    protocol = Protocol.SOCKS5;
    int start = in.readerIndex();
    if (in.readableBytes() < 2 || in.readableBytes() < 2 + in.getUnsignedByte(start + 1)) {
      return false;
    }
    int methods = in.getUnsignedByte(start + 1);
    if (in.indexOf(start + 2, start + 2 + methods, (byte) 0) < 0) {
      throw new Refusal(
          NO_ACCEPTABLE_METHOD, "SOCKS 5 with a password only; here no password is needed");
    }
    in.skipBytes(2 + methods);
    methodChosen = true;
    client.send(NO_AUTHENTICATION);
    return true;
  }

  private boolean socks5Request() throws Refusal {
    int start = in.readerIndex();
    int version = in.getUnsignedByte(start);
    if (version != 5) {
      throw new Refusal(new byte[0], "SOCKS version " + version + " in the midst of SOCKS 5");
    }
    if (in.readableBytes() < 5) {
      return false;
    }
    int addressType = in.getUnsignedByte(start + 3);
    int length =
        switch (addressType) {
          case 1 -> 4;
          case 3 -> 1 + in.getUnsignedByte(start + 4);
          case 4 -> 16;
          default -> throw new Refusal(socks5Reply(8), "SOCKS 5 address type " + addressType);
        };
    if (in.readableBytes() < 4 + length + 2) {
      return false;
    }
    int command = in.getUnsignedByte(start + 1);
    if (command != 1) {
      String name = command == 2 ? "BIND" : command == 3 ? "UDP ASSOCIATE" : "command " + command;
      throw new Refusal(socks5Reply(7), "SOCKS 5 " + name + ": only CONNECT is served");
    }
    String host =
        addressType == 3 ? hostName(start + 5, length - 1) : address(bytes(start + 4, length));
    Target.Tcp target = target(host, in.getUnsignedShort(start + 4 + length));
    in.skipBytes(4 + length + 2);
    connect(target, rest());
    return true;
  }

  private static byte[] socks5Reply(int code) {
    // The bound address is that of the server's socket, which SSH doesn't tell.
    return new byte[] {5, (byte) code, 0, 1, 0, 0, 0, 0, 0, 0};
  }

  // ---- HTTP -----------------------------------------------------------------------------------

  private boolean http() throws Refusal {
    protocol = Protocol.HTTP;
    int end = headEnd();
    if (end < 0) {
      if (in.readableBytes() > MAX_HTTP_HEAD) {
        throw new Refusal(
            HttpHead.response(431, "Request Header Fields Too Large", "The head is too long."),
            "an HTTP head of more than " + MAX_HTTP_HEAD + " bytes");
      }
      return false;
    }
    HttpHead head;
    try {
      head = HttpHead.parse(in.readSlice(end - in.readerIndex()));
    } catch (HttpHead.BadRequestException e) {
      String why = String.valueOf(e.getMessage());
      throw new Refusal(HttpHead.response(400, "Bad Request", why), why);
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

  private byte[] bytes(int index, int length) {
    byte[] bytes = new byte[length];
    in.getBytes(index, bytes);
    return bytes;
  }

  private static String address(byte[] bytes) {
    try {
      return InetAddress.getByAddress(bytes).getHostAddress();
    } catch (UnknownHostException e) {
      throw new IllegalStateException(e);
    }
  }

  private String hostName(int index, int length) throws Refusal {
    String host = printable(bytes(index, length));
    if (host == null) {
      throw new Refusal(
          failureReply(Failure.OTHER, "bad host name"),
          "a host name that is empty or has control characters in it");
    }
    return host;
  }

  /** The text, or null if it is no name: nothing that could end a string or a line may pass. */
  static @Nullable String printable(byte[] bytes) {
    String text;
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException _) {
      return null;
    }
    boolean good =
        !text.isEmpty()
            && bytes.length <= MAX_HOST
            && text.codePoints()
                .noneMatch(
                    c ->
                        Character.isISOControl(c)
                            || Character.isWhitespace(c)
                            || Character.isSpaceChar(c)
                            || Character.getType(c) == Character.FORMAT);
    return good ? text : null;
  }

  private Target.Tcp target(String host, int port) throws Refusal {
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
      case SOCKS4 -> new byte[] {0, 90, 0, 0, 0, 0, 0, 0};
      case SOCKS5 -> socks5Reply(0);
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
      case SOCKS4 -> new byte[] {0, 91, 0, 0, 0, 0, 0, 0};
      case SOCKS5 -> socks5Reply(failure.socks5);
      case HTTP_CONNECT, HTTP -> HttpHead.response(failure.http, failure.httpReason, text);
      case UNKNOWN -> new byte[0];
    };
  }
}
