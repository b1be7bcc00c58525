package dev.adit.ssh.forward;

import dev.adit.ssh.Target;
import io.netty.buffer.ByteBuf;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestDecoder;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The head of a request to an HTTP proxy (RFC 9110 section 7.6, RFC 9112 section 3.2): CONNECT, or
 * an absolute URI, which is turned into the origin's form.
 *
 * @param target where it goes
 * @param forOrigin the head as the origin gets it; empty for CONNECT, after which raw bytes follow
 */
record HttpHead(Target.Tcp target, byte[] forOrigin) {

  /** Headers that belong to this hop (RFC 9110 section 7.6.1), and all that name a proxy. */
  private static final List<String> THIS_HOP =
      List.of("connection", "proxy-connection", "keep-alive", "te", "upgrade", "host");

  private static final String PROXY_PREFIX = "proxy-";

  private static final String PROXY_FILE = "/proxy.pac";

  /** What may stand in a PAC file, which is a program: no quotes, no line ends. */
  private static final Pattern PLAIN_ADDRESS = Pattern.compile("[\\w.:\\[\\]-]+");

  /** A request that a proxy can't serve, with a reason for people. */
  static final class BadRequestException extends Exception {
    private static final long serialVersionUID = 1L;

    BadRequestException(String message) {
      super(message, null, false, false);
    }
  }

  /** A browser asks how to use the proxy: the proxy answers that itself. */
  static final class ProxyFileRequest extends Exception {
    private static final long serialVersionUID = 1L;
    private final String proxy;

    ProxyFileRequest(String proxy) {
      super("", null, false, false);
      this.proxy = proxy;
    }

    /**
     * A PAC file that leads everything through this proxy, under the name by which the browser has
     * reached it. There is no way around it when it is down: what was to go through the tunnel must
     * not go beside it.
     */
    byte[] answer() {
      return response(
          200,
          "OK",
          "application/x-ns-proxy-autoconfig",
          """
          function FindProxyForURL(url, host) {
            return "SOCKS5 %1$s; PROXY %1$s";
          }
          """
              .formatted(proxy));
    }
  }

  boolean isConnect() {
    return forOrigin.length == 0;
  }

  /** Reads a whole head, the empty line included; Netty's decoder judges its syntax. */
  static HttpHead parse(ByteBuf head) throws BadRequestException, ProxyFileRequest {
    EmbeddedChannel decoder =
        new EmbeddedChannel(
            new HttpRequestDecoder(
                new HttpDecoderConfig()
                    .setMaxInitialLineLength(ForwardingLimits.MAX_HTTP_LINE)
                    .setMaxHeaderSize(ForwardingLimits.MAX_HTTP_HEAD)));
    try {
      decoder.writeInbound(head.retain());
      if (!(decoder.readInbound() instanceof HttpRequest request)
          || request.decoderResult().isFailure()) {
        throw new BadRequestException("This is not an HTTP request.");
      }
      if (request.method().equals(HttpMethod.GET) && request.uri().equals(PROXY_FILE)) {
        throw new ProxyFileRequest(address(request));
      }
      return request.method().equals(HttpMethod.CONNECT)
          ? new HttpHead(authority(request.uri(), -1), new byte[0])
          : absolute(request);
    } finally {
      decoder.finishAndReleaseAll();
    }
  }

  private static String address(HttpRequest request) throws BadRequestException {
    String host = request.headers().get(HttpHeaderNames.HOST, "");
    if (!PLAIN_ADDRESS.matcher(host).matches()) {
      throw new BadRequestException("The Host header does not say where this proxy is.");
    }
    return host;
  }

  private static HttpHead absolute(HttpRequest request) throws BadRequestException {
    String uri = request.uri();
    if (!uri.regionMatches(true, 0, "http://", 0, 7)) {
      throw new BadRequestException(
          uri.startsWith("/")
              ? "This is a proxy: ask it for http://host/path, or CONNECT host:port."
              : "This proxy serves http:// addresses, and everything else by CONNECT.");
    }
    int pathStart = 7;
    while (pathStart < uri.length() && "/?#".indexOf(uri.charAt(pathStart)) < 0) {
      pathStart++;
    }
    String authority = uri.substring(7, pathStart);
    // The user's name and password in a URI are for the browser, not for the Host header.
    authority = authority.substring(authority.lastIndexOf('@') + 1);
    String path = uri.substring(pathStart);
    Target.Tcp target = authority(authority, 80);

    StringBuilder head = new StringBuilder(256);
    head.append(request.method().name())
        .append(' ')
        .append(path.startsWith("/") ? "" : "/")
        .append(path)
        .append(' ')
        .append(request.protocolVersion().text())
        .append("\r\nHost: ")
        .append(authority)
        .append("\r\n");
    HttpHeaders headers = request.headers();
    List<String> named = headers.getAll(HttpHeaderNames.CONNECTION);
    for (Map.Entry<String, String> header : headers) {
      if (!isForThisHop(header.getKey(), named)) {
        head.append(header.getKey()).append(": ").append(header.getValue()).append("\r\n");
      }
    }
    // One connection leads to one target, and the client may want another one next.
    head.append("Connection: close\r\n\r\n");
    return new HttpHead(target, head.toString().getBytes(StandardCharsets.ISO_8859_1));
  }

  private static boolean isForThisHop(String name, List<String> connectionHeaders) {
    if (THIS_HOP.stream().anyMatch(name::equalsIgnoreCase)
        || name.regionMatches(true, 0, PROXY_PREFIX, 0, PROXY_PREFIX.length())) {
      return true;
    }
    return connectionHeaders.stream()
        .flatMap(value -> List.of(value.split(",", -1)).stream())
        .anyMatch(token -> token.strip().equalsIgnoreCase(name));
  }

  /** {@code host:port}, {@code [IPv6]:port}, or without a port where there is a default. */
  private static Target.Tcp authority(String text, int defaultPort) throws BadRequestException {
    try {
      URI uri = new URI("http://" + text);
      String host = uri.getHost();
      int port = uri.getPort() < 0 ? defaultPort : uri.getPort();
      if (host == null && uri.getAuthority() != null) {
        // A name that java.net.URI thinks too little of, such as one with an underscore.
        int colon = text.lastIndexOf(':');
        host = colon < 0 ? text : text.substring(0, colon);
        port = colon < 0 ? defaultPort : Integer.parseInt(text.substring(colon + 1));
      }
      if (host == null
          || uri.getUserInfo() != null
          || !uri.getRawPath().isEmpty()
          || !ProxyFront.isHost(host)) {
        throw new BadRequestException("This is not a host: " + text);
      }
      if (port < 1 || port > 65535) {
        throw new BadRequestException("A port from 1 to 65535 is missing: " + text);
      }
      return new Target.Tcp(
          host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host,
          port);
    } catch (URISyntaxException | NumberFormatException e) {
      throw new BadRequestException("This is not host:port: " + text);
    }
  }

  /** A whole response of ours, after which the connection ends. */
  static byte[] response(int status, String reason, String text) {
    return response(status, reason, "text/plain; charset=utf-8", text + "\n");
  }

  private static byte[] response(int status, String reason, String type, String text) {
    byte[] body = text.getBytes(StandardCharsets.UTF_8);
    byte[] head =
        "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
            .formatted(status, reason, type, body.length)
            .getBytes(StandardCharsets.US_ASCII);
    byte[] response = new byte[head.length + body.length];
    System.arraycopy(head, 0, response, 0, head.length);
    System.arraycopy(body, 0, response, head.length, body.length);
    return response;
  }
}
