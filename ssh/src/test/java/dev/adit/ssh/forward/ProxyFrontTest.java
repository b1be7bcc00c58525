package dev.adit.ssh.forward;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.ssh.Target;
import dev.adit.ssh.wire.OpenFailureReason;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProxyFrontTest {
  private static final Target.Tcp NOWHERE = new Target.Tcp("nowhere", 1);

  /** A client that remembers what it was told. */
  private static final class Recorder implements ProxyFront.Client {
    final EmbeddedChannel loop = new EmbeddedChannel();
    final ProxyFront front = new ProxyFront(loop.eventLoop(), this);
    final ByteArrayOutputStream sent = new ByteArrayOutputStream();
    Target.Tcp target = NOWHERE;
    String early = "";
    String refusal = "";

    @Override
    public void send(byte[] bytes) {
      sent.writeBytes(bytes);
    }

    @Override
    public void readMore() {}

    @Override
    public void connect(Target.Tcp to, ByteBuf first) {
      assertThat(target).isEqualTo(NOWHERE);
      target = to;
      early = first.toString(StandardCharsets.ISO_8859_1);
      first.release();
    }

    @Override
    public void answer(byte[] whole) {
      assertThat(target).isEqualTo(NOWHERE);
      sent.writeBytes(whole);
    }

    @Override
    public void end(byte[] lastWords, String why) {
      assertThat(refusal).isEmpty();
      sent.writeBytes(lastWords);
      refusal = why;
    }

    Recorder feed(byte[] bytes) {
      front.received(Unpooled.wrappedBuffer(bytes));
      return this;
    }

    Recorder feedOneByOne(byte[] bytes) {
      for (byte b : bytes) {
        feed(new byte[] {b});
      }
      return this;
    }

    String sentHex() {
      return HexFormat.of().formatHex(sent.toByteArray());
    }
  }

  private static byte[] hex(String hex) {
    return HexFormat.of().parseHex(hex.replace(" ", ""));
  }

  private static byte[] text(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  private static String hexOf(String text) {
    return HexFormat.of().formatHex(text(text));
  }

  /** Requests as curl 7.88 and nc write them; what stands behind the bar belongs to the target. */
  @ParameterizedTest
  @CsvSource({
    // SOCKS 4: version, CONNECT, port 80, address, user "me".
    "04 01 0050 7f000001 6d6500 | 6869, 127.0.0.1, 80, '', 005a000000000000",
    // SOCKS 4A: the address is 0.0.0.1, the name follows the user.
    "04 01 0050 00000001 00 7961686f6f2e636f6d00 | 6869, yahoo.com, 80, '', 005a000000000000",
    // SOCKS 5: greeting with none and password, CONNECT by name, IPv4, IPv6.
    "05 02 00 02 05 01 00 03 09 7961686f6f2e636f6d 01bb | 6869, yahoo.com, 443, 0500,"
        + " 05000001000000000000",
    "05 01 00 05 01 00 01 c0000207 0050 | 6869, 192.0.2.7, 80, 0500, 05000001000000000000",
    "05 01 00 05 01 00 04 20010db8000000000000000000000007 0050 | 6869, 2001:db8::7,"
        + " 80, 0500, 05000001000000000000",
  })
  void socksConnectsAtAnyPace(
      String request, String host, int port, String beforeConnect, String success) {
    String[] parts = request.split("\\|", -1);
    byte[] whole = hex(parts[0] + parts[1]);
    var atOnce = new Recorder().feed(whole);
    assertThat(atOnce.target).isEqualTo(new Target.Tcp(host, port));
    assertThat(atOnce.early).isEqualTo("hi");
    assertThat(atOnce.sentHex()).isEqualTo(beforeConnect);
    assertThat(HexFormat.of().formatHex(atOnce.front.successReply())).isEqualTo(success);

    var slowly = new Recorder().feedOneByOne(hex(parts[0]));
    assertThat(slowly.target).isEqualTo(atOnce.target);
    assertThat(slowly.early).isEmpty();
    assertThat(slowly.sentHex()).isEqualTo(beforeConnect);
  }

  @Test
  void requestIsNotTakenBeforeItsLastByte() {
    byte[] request = hex("0501000501000309" + hexOf("yahoo.com") + "01bb");
    for (int length = 0; length < request.length; length++) {
      var client = new Recorder().feed(java.util.Arrays.copyOf(request, length));
      assertThat(client.target).isEqualTo(NOWHERE);
      assertThat(client.refusal).isEmpty();
      client.front.abandon();
    }
  }

  @Test
  void namesOf255BytesAreTaken() {
    String name = String.join(".", Collections.nCopies(4, "a".repeat(63)));
    assertThat(name).hasSize(255);
    assertThat(new Recorder().feed(hex("05010005010003ff" + hexOf(name) + "0050")).target.host())
        .isEqualTo(name);
    assertThat(new Recorder().feed(hex("0401005000000001" + "00" + hexOf(name) + "00")).target)
        .isEqualTo(new Target.Tcp(name, 80));
    assertThat(new Recorder().feed(hex("0401005000000001" + "00" + hexOf(name + "x"))).refusal)
        .contains("255");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a\0b", "a\nb", "a b", "a\u007fb", "a\u0080", "a\r", "\t"})
  void namesWithControlCharactersAreRefused(String name) {
    String length = "%02x".formatted(name.length());
    var socks5 = new Recorder().feed(hex("05010005010003" + length + hexOf(name) + "0050"));
    assertThat(socks5.target).isEqualTo(NOWHERE);
    assertThat(socks5.sentHex()).isEqualTo("050005010001000000000000");
    assertThat(socks5.refusal).isNotEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    // Password only: no acceptable method.
    "05 01 02, 05ff",
    "05 00, 05ff",
    // BIND and UDP ASSOCIATE.
    "05 01 00 05 02 00 01 7f000001 0050, 0500 05070001000000000000",
    "05 01 00 05 03 00 01 00000000 0000, 0500 05070001000000000000",
    "04 02 0050 7f000001 00, 005b000000000000",
    // An address type that doesn't exist, and port 0.
    "05 01 00 05 01 00 02 7f, 0500 05080001000000000000",
    "05 01 00 05 01 00 01 7f000001 0000, 0500 05010001000000000000",
    // Not SOCKS at all.
    "06 01 00, ''",
    "00, ''",
    "16 03 01 02 00, ''",
  })
  void refusalsHaveTheProtocolsCode(String request, String answer) {
    for (var client :
        List.of(new Recorder().feed(hex(request)), new Recorder().feedOneByOne(hex(request)))) {
      assertThat(client.target).isEqualTo(NOWHERE);
      assertThat(client.refusal).isNotEmpty();
      assertThat(client.sentHex()).isEqualTo(answer.replace(" ", ""));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, administratively prohibited: open failed, 2, 403",
    "2, connect failed: Connection refused, 5, 502",
    "2, connect failed: Network is unreachable, 3, 502",
    "2, connect failed: No route to host, 4, 502",
    "2, connect failed: Name or service not known, 4, 502",
    "2, connect failed: Temporary failure in name resolution, 4, 502",
    "2, connect failed: Connection timed out, 6, 504",
    "4, resource shortage: too many, 1, 502",
  })
  void failureCodesSayWhatHappened(int reason, String text, int socks5, int http) {
    var failure = ProxyFront.Failure.of(reason, text);
    assertThat(failure.socks5.byteValue()).isEqualTo((byte) socks5);
    assertThat(failure.http).isEqualTo(http);
  }

  @Test
  void theProxyTellsBrowsersHowToUseIt() {
    var asked =
        new Recorder()
            .feedOneByOne(text("GET /proxy.pac HTTP/1.1\r\nHost: localhost:9001\r\n\r\n"));
    assertThat(asked.sent.toString(StandardCharsets.UTF_8))
        .startsWith("HTTP/1.1 200 OK\r\nContent-Type: application/x-ns-proxy-autoconfig\r\n")
        .contains("return \"SOCKS5 localhost:9001; PROXY localhost:9001\";");
    assertThat(asked.refusal).isEmpty();
    assertThat(asked.target).isEqualTo(NOWHERE);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "Host: a\"; evil()", "Host: a b", "Host:", "Host: a;DIRECT"})
  void aProxyFileHoldsNothingButAnAddress(String host) {
    var asked = new Recorder().feed(text("GET /proxy.pac HTTP/1.1\r\n" + host + "\r\n\r\n"));
    assertThat(asked.sent.toString(StandardCharsets.UTF_8)).startsWith("HTTP/1.1 400 ");
  }

  @Test
  void httpConnect() {
    var client = new Recorder();
    client.feedOneByOne(text("CONNECT yahoo.com:443 HTTP/1.1\r\nHost: yahoo.com:443\r\n\r\n"));
    assertThat(client.target).isEqualTo(new Target.Tcp("yahoo.com", 443));
    assertThat(client.early).isEmpty();
    assertThat(new String(client.front.successReply(), StandardCharsets.US_ASCII))
        .isEqualTo("HTTP/1.1 200 Connection established\r\n\r\n");
    var six = new Recorder().feed(text("CONNECT [2001:db8::7]:22 HTTP/1.0\r\n\r\nSSH-2.0-x"));
    assertThat(six.target).isEqualTo(new Target.Tcp("2001:db8::7", 22));
    assertThat(six.early).isEqualTo("SSH-2.0-x");
    var underscore = new Recorder().feed(text("CONNECT my_host:22 HTTP/1.0\r\n\r\n"));
    assertThat(underscore.target).isEqualTo(new Target.Tcp("my_host", 22));
  }

  @Test
  void absoluteUriBecomesTheOriginsForm() {
    String request =
        """
        POST http://me:secret@yahoo.com:8080/a?b=c HTTP/1.1\r
        Host: elsewhere.example\r
        Proxy-Authorization: Basic c2VjcmV0\r
        Proxy-Connection: keep-alive\r
        Connection: keep-alive, X-Hop\r
        X-Hop: 1\r
        X-Stays: 2\r
        Content-Length: 5\r
        \r
        hello\
        """;
    String origin =
        """
        POST /a?b=c HTTP/1.1\r
        Host: yahoo.com:8080\r
        X-Stays: 2\r
        Content-Length: 5\r
        Connection: close\r
        \r
        """;
    var atOnce = new Recorder().feed(text(request));
    assertThat(atOnce.target).isEqualTo(new Target.Tcp("yahoo.com", 8080));
    assertThat(atOnce.early).isEqualTo(origin + "hello");
    assertThat(atOnce.front.successReply()).isEmpty();
    var slowly = new Recorder().feedOneByOne(text(request.substring(0, request.length() - 5)));
    assertThat(slowly.early).isEqualTo(origin);

    var bare = new Recorder().feed(text("GET http://yahoo.com HTTP/1.0\r\n\r\n"));
    assertThat(bare.target).isEqualTo(new Target.Tcp("yahoo.com", 80));
    assertThat(bare.early).startsWith("GET / HTTP/1.0\r\nHost: yahoo.com\r\n");
    var query = new Recorder().feed(text("GET http://yahoo.com?q HTTP/1.0\r\n\r\n"));
    assertThat(query.early).startsWith("GET /?q HTTP/1.0\r\n");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "GET / HTTP/1.1",
        "GET https://yahoo.com/ HTTP/1.1",
        "CONNECT yahoo.com HTTP/1.1",
        "CONNECT yahoo.com:0 HTTP/1.1",
        "CONNECT yahoo.com:65536 HTTP/1.1",
        "CONNECT yahoo.com:22/x HTTP/1.1",
        "CONNECT a\tb:22 HTTP/1.1",
        "CONNECT :22 HTTP/1.1",
        "GET http:///x HTTP/1.1",
        "GET http://h/\r\n : broken HTTP/1.1",
        "nonsense"
      })
  void badHttpRequestsAreAnsweredAsSuch(String line) {
    var client = new Recorder().feed(text(line + "\r\nHost: a\r\n\r\n"));
    assertThat(client.target).isEqualTo(NOWHERE);
    assertThat(client.sent.toString(StandardCharsets.UTF_8)).startsWith("HTTP/1.1 400 Bad Request");
  }

  @Test
  void endlessRequestsAreCutOff() {
    var http = new Recorder().feed(text("GET http://a/ HTTP/1.1\r\nX: " + "x".repeat(70_000)));
    assertThat(http.sent.toString(StandardCharsets.UTF_8)).startsWith("HTTP/1.1 431 ");
    var socks = new Recorder().feed(hex("0401005000000001" + "41".repeat(300)));
    assertThat(socks.refusal).isNotEmpty();
  }

  @Test
  void clientThatNeverAsksIsEndedByTheDeadline() {
    var client = new Recorder().feed(hex("0501"));
    client.loop.advanceTimeBy(ForwardingLimits.REQUEST_SECONDS - 1, TimeUnit.SECONDS);
    client.loop.runScheduledPendingTasks();
    assertThat(client.refusal).isEmpty();
    client.loop.advanceTimeBy(1, TimeUnit.SECONDS);
    client.loop.runScheduledPendingTasks();
    assertThat(client.refusal).contains("30 seconds");
    assertThat(client.feed(hex("00")).sentHex()).isEmpty();
  }

  @Test
  void socks4AndHttpFailuresNameTheCulprit() {
    var socks4 = new Recorder().feed(hex("0401 0050 7f000001 00"));
    assertThat(socks4.front.failureReply(ProxyFront.Failure.REFUSED, "x"))
        .isEqualTo(hex("005b000000000000"));
    var http = new Recorder().feed(text("GET http://yahoo.com/ HTTP/1.1\r\n\r\n"));
    var failure = ProxyFront.Failure.of(OpenFailureReason.CONNECT_FAILED, "Connection refused");
    assertThat(
            new String(
                http.front.failureReply(failure, "yahoo.com:80: no"), StandardCharsets.UTF_8))
        .isEqualTo(
            "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain; charset=utf-8\r\n"
                + "Content-Length: 17\r\nConnection: close\r\n\r\nyahoo.com:80: no\n");
  }
}
