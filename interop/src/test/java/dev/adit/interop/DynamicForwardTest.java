package dev.adit.interop;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.ssh.Forward;
import dev.adit.ssh.ForwardSpec;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** -D through a real sshd, asked by other people's proxy clients. */
class DynamicForwardTest {
  private static Tunnels tunnels;
  private static Forward proxy;

  @BeforeAll
  static void connect() throws Exception {
    Judges.require("curl");
    tunnels = Tunnels.start();
    proxy = tunnels.dynamic();
  }

  @AfterAll
  static void disconnect() {
    tunnels.close();
  }

  @Test
  void curlByEveryProtocol() throws Exception {
    try (var target = TestServer.start(HttpOrigin.pages())) {
      for (String protocol : List.of("socks4", "socks4a", "socks5", "socks5h", "http")) {
        for (String host : List.of("127.0.0.1", "localhost")) {
          assertThat(
                  Tunnels.curl(
                      "-x",
                      protocol + "://localhost:" + proxy.port(),
                      "http://" + host + ":" + target.port() + "/page?a=b"))
              .isEqualTo("GET /page?a=b");
        }
      }
    }
  }

  @Test
  void ipv6TargetsByAddressAndInBrackets() throws Exception {
    try (var target = TestServer.startOn(InetAddress.ofLiteral("::1"), HttpOrigin.pages())) {
      for (String protocol : List.of("socks5", "socks5h", "http")) {
        assertThat(
                Tunnels.curl(
                    "-g",
                    "-x",
                    protocol + "://[::1]:" + proxy.port(),
                    "http://[::1]:" + target.port() + "/six"))
            .isEqualTo("GET /six");
      }
    }
  }

  @Test
  void httpConnectTunnelsAndPostsGoByAbsoluteUri() throws Exception {
    try (var target = TestServer.start(HttpOrigin.pages())) {
      String url = "http://localhost:" + target.port() + "/form";
      String http = "http://user:secret@localhost:" + proxy.port();
      assertThat(Tunnels.curl("-p", "-x", http, url)).isEqualTo("GET /form");
      String body = "x".repeat(100_000);
      // The proxy's password stays with the proxy.
      assertThat(Tunnels.curl("-x", http, "-H", "Expect:", "-d", body, url))
          .isEqualTo("POST /form" + body);
    }
  }

  @Test
  void twoHostsOneAfterTheOtherOverTheSameProxy() throws Exception {
    try (var one = TestServer.start(HttpOrigin.pages());
        var two = TestServer.start(HttpOrigin.pages())) {
      assertThat(
              Tunnels.curl(
                  "-x",
                  "http://localhost:" + proxy.port(),
                  "http://localhost:" + one.port() + "/1",
                  "http://localhost:" + two.port() + "/2",
                  "http://localhost:" + one.port() + "/3"))
          .isEqualTo("GET /1GET /2GET /3");
    }
  }

  @Test
  void failuresSayWhatHappened() throws Exception {
    int dead = Ports.free();
    String http = "http://localhost:" + proxy.port();
    assertThat(Tunnels.curl("-x", http, "http://localhost:" + dead + "/"))
        .isEqualTo("localhost:" + dead + ": connect failed: Connection refused\n");
    assertThat(curlsComplaint("socks5h", "http://localhost:" + dead + "/")).contains("(5)");
    assertThat(curlsComplaint("socks5h", "http://no-such-host.invalid/")).contains("(4)");
    assertThat(curlsComplaint("socks4a", "http://localhost:" + dead + "/")).contains("(91)");
    try (Tunnels strict = Tunnels.start("PermitOpen 127.0.0.1:1")) {
      Forward forbidden = strict.dynamic();
      try (var curl =
          Program.of("curl", "-sS", "-x", "socks5h://localhost:" + forbidden.port(), "http://a.b/")
              .start()) {
        assertThat(curl.exitCode()).isEqualTo(97);
        assertThat(curl.stderr()).contains("(2)");
      }
      assertThat(
              Tunnels.curl(
                  "-w",
                  " %{http_code}",
                  "-x",
                  "http://localhost:" + forbidden.port(),
                  "http://a.b/"))
          .isEqualTo("a.b:80: administratively prohibited: open failed\n 403");
    }
  }

  private static String curlsComplaint(String protocol, String url) {
    try (var curl =
        Program.of("curl", "-sS", "-x", protocol + "://localhost:" + proxy.port(), url).start()) {
      assertThat(curl.exitCode()).isEqualTo(97);
      return curl.stderr();
    }
  }

  @Test
  void netcatGoesThrough() throws Exception {
    Path nc = Judges.require("nc");
    try (var target = TestServer.start(TestServer.greet("hello"))) {
      for (String version : List.of("4", "5", "connect")) {
        try (var run =
            Program.of(
                    nc,
                    "-N",
                    "-X",
                    version,
                    "-x",
                    "127.0.0.1:" + proxy.port(),
                    "127.0.0.1",
                    target.port())
                .noStdin()
                .start()) {
          assertThat(run.exitCode()).isZero();
          assertThat(run.stdout()).isEqualTo("hello");
        }
      }
    }
  }

  @Test
  void quarterOfAGigabyteGoesEachWay() throws Exception {
    try (var target = TestServer.start(Tunnels.bulk(256L << 20))) {
      Tunnels.exchangeBulk(Tunnels.socks5(proxy.port(), target.port()), 256L << 20);
    }
  }

  @Test
  void thousandShortConnections() throws Exception {
    try (var target = TestServer.start(TestServer.greet("hello"))) {
      Tunnels.inParallel(
          20,
          1000,
          i -> {
            try (var socket = Tunnels.socks5(proxy.port(), target.port())) {
              socket.getOutputStream().write('!');
              socket.shutdownOutput();
              assertThat(socket.getInputStream().readAllBytes())
                  .asString(US_ASCII)
                  .isEqualTo("hello!");
            }
          });
    }
  }

  @Test
  void proxyOnAUnixSocket() throws Exception {
    Path socket = tunnels.server.scratch().path("socks");
    Path request = tunnels.server.scratch().path("request");
    try (var target = TestServer.start(HttpOrigin.pages());
        Forward forward = tunnels.connection.forward(ForwardSpec.parseDynamic(socket.toString()))) {
      tunnels
          .server
          .scratch()
          .write("request", "GET http://localhost:" + target.port() + "/u HTTP/1.0\r\n\r\n");
      try (var socat =
          Program.of("socat", "-t5", "-", "UNIX-CONNECT:" + socket).stdin(request).start()) {
        assertThat(socat.exitCode()).isZero();
        assertThat(socat.stdout()).endsWith("GET /u");
      }
      assertThat(forward.port()).isZero();
    }
  }
}
