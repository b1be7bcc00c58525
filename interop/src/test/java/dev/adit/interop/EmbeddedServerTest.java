package dev.adit.interop;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.Test;

/** The library's server in a program of one's own, and OpenSSH's client. */
class EmbeddedServerTest {

  @Test
  void sshFetchesAPageThroughIt() throws Exception {
    try (var server = EmbeddedServer.start();
        var site = TestServer.start(HttpOrigin.pages())) {
      int port = Ports.free();
      try (var ssh =
          server.ssh("-N", "-L", port + ":127.0.0.1:" + site.port()).noStdin().start()) {
        ssh.awaitListening(port);
        try (var http = HttpClient.newHttpClient()) {
          var page = URI.create("http://127.0.0.1:" + port + "/through");
          var request = HttpRequest.newBuilder(page).build();
          assertThat(http.send(request, HttpResponse.BodyHandlers.ofString()).body())
              .isEqualTo("GET /through");
        }
      }
    }
  }
}
