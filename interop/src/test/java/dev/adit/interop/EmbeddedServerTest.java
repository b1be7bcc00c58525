package dev.adit.interop;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.ssh.HostKey;
import dev.adit.ssh.ServerEvent;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The library's server in a program of one's own, and OpenSSH's client. */
class EmbeddedServerTest {

  @Test
  void sshFetchesAPageThroughIt() throws Exception {
    try (var server = EmbeddedServer.start();
        var site = TestServer.start(HttpOrigin.pages())) {
      int port = Ports.free();
      try (var ssh = server.ssh("-N", "-L", port + ":127.0.0.1:" + site.port()).noStdin().start()) {
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

  /** Both sides renew the keys, each on its own count of a MiB, while data flows both ways. */
  @Test
  void keysAreRenewedUnderLoad() throws Exception {
    long size = 48L << 20;
    try (var server = EmbeddedServer.start(o -> o.rekeyLimit(1 << 20, Duration.ZERO));
        var sink = TestServer.start(TestServer.sink());
        var source = TestServer.start(TestServer.source(5, size))) {
      int up = Ports.free();
      int down = Ports.free();
      try (var ssh =
          server
              .ssh(
                  "-N",
                  "-o",
                  "RekeyLimit=1M",
                  // OpenSSH takes up to 200 ms to make a key of sntrup761.
                  "-o",
                  "KexAlgorithms=curve25519-sha256",
                  "-L",
                  up + ":127.0.0.1:" + sink.port(),
                  "-L",
                  down + ":127.0.0.1:" + source.port())
              .noStdin()
              .start()) {
        ssh.awaitListening(up).awaitListening(down);
        var received =
            CompletableFuture.supplyAsync(
                () -> {
                  try (var socket = new Socket(InetAddress.getLoopbackAddress(), down)) {
                    return RandomBytes.receive(socket.getInputStream());
                  } catch (Exception e) {
                    throw new AssertionError(e);
                  }
                });
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), up)) {
          String sent = RandomBytes.send(socket.getOutputStream(), 6, size);
          socket.shutdownOutput();
          assertThat(new String(socket.getInputStream().readAllBytes(), US_ASCII)).isEqualTo(sent);
        }
        assertThat(received.get(60, TimeUnit.SECONDS))
            .isEqualTo(new RandomBytes.Received(size, RandomBytes.digest(5, size)));
      }
      assertThat(server.events(ServerEvent.KeysExchanged.class)).hasSizeGreaterThan(40);
    }
  }

  @Test
  void theClientLearnsItsOtherHostKeys() throws Exception {
    var keys = EmbeddedServer.hostKeys(Keys.Type.values());
    try (var server = EmbeddedServer.start(keys, o -> o)) {
      var knownHosts =
          server
              .scratch()
              .write(
                  "known_one",
                  "[127.0.0.1]:%d %s\n".formatted(server.port(), keys.getLast().publicKeyLine()));
      try (var ssh =
          server
              .ssh("-N", "-o", "UserKnownHostsFile=" + knownHosts, "-o", "UpdateHostKeys=yes")
              .noStdin()
              .start()) {
        Ports.await(
            "all keys in the file",
            () -> {
              String learnt = read(knownHosts);
              return keys.stream().allMatch(key -> learnt.contains(key.publicKeyLine()));
            });
        assertThat(ssh.isAlive()).isTrue();
      }
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void aGeneratedHostKeyIsAFileThatSshKeygenReads() throws Exception {
    try (var scratch = new Scratch()) {
      HostKey key = HostKey.generate(scratch.path("key"), "host of mine");
      assertThat(Program.of(Keys.keygen(), "-y", "-f", scratch.path("key")).run())
          .isEqualTo(key.publicKeyLine() + " host of mine\n");
      assertThat(Files.readString(scratch.path("key.pub")))
          .isEqualTo(key.publicKeyLine() + " host of mine\n");
      assertThat(new Keys.KeyFile(scratch.path("key")).fingerprint()).isEqualTo(key.fingerprint());
      assertThat(Files.getPosixFilePermissions(scratch.path("key")))
          .isEqualTo(PosixFilePermissions.fromString("rw-------"));
      assertThat(HostKey.read(scratch.path("key"))).isEqualTo(key);
    }
  }

  /** As inetd starts a server: one connection on streams that are there already. */
  @Test
  void oneClientOverStreams() throws Exception {
    try (var server = EmbeddedServer.start();
        var greeter = TestServer.start(TestServer.say("hello"));
        var inetd = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        var ssh =
            server
                .ssh(
                    "-p",
                    inetd.getLocalPort(),
                    "-o",
                    "HostKeyAlias=[127.0.0.1]:" + server.port(),
                    "-W",
                    "127.0.0.1:" + greeter.port())
                .start()) {
      try (var socket = inetd.accept()) {
        server
            .server()
            .serve(
                socket.getInputStream(),
                socket.getOutputStream(),
                (InetSocketAddress) socket.getRemoteSocketAddress(),
                (InetSocketAddress) socket.getLocalSocketAddress());
      }
      assertThat(ssh.exitCode()).as(ssh.toString()).isZero();
      assertThat(ssh.stdout()).isEqualTo("hello");
      assertThat(server.events(ServerEvent.LoggedIn.class)).hasSize(1);
    }
  }

  @Test
  void drainingLetsOpenConnectionsEnd() throws Exception {
    try (var server = EmbeddedServer.start();
        var echo = TestServer.start(TestServer.echo())) {
      int port = Ports.free();
      try (var idle = server.ssh("-N").noStdin().start();
          var busy = server.ssh("-N", "-L", port + ":127.0.0.1:" + echo.port()).noStdin().start()) {
        busy.awaitListening(port);
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
          socket.getOutputStream().write(1);
          assertThat(socket.getInputStream().read()).isEqualTo(1);
          Ports.await("both logins", () -> server.events(ServerEvent.LoggedIn.class).size() == 2);
          var drained =
              CompletableFuture.runAsync(
                  () -> {
                    try {
                      server.server().drain(Duration.ofMinutes(1));
                    } catch (InterruptedException e) {
                      throw new AssertionError(e);
                    }
                  });
          assertThat(idle.exitCode()).isEqualTo(255);
          assertThat(idle.stderr()).contains(":11: the server is shutting down");
          assertThat(Ports.accepts(server.port())).isFalse();
          socket.getOutputStream().write(2);
          assertThat(socket.getInputStream().read()).isEqualTo(2);
          assertThat(drained).isNotDone();
          socket.close();
          assertThat(busy.exitCode()).isEqualTo(255);
          drained.get(20, TimeUnit.SECONDS);
        }
      }
    }
  }

  @Test
  void newOptionsAreForNewConnections() throws Exception {
    try (var server = EmbeddedServer.start(o -> o.ciphers(List.of("aes128-ctr")));
        var old = server.ssh("-N").noStdin().start()) {
      Ports.await("the login", () -> !server.events(ServerEvent.LoggedIn.class).isEmpty());
      int before = server.port();
      server.reconfigure(
          o ->
              o.ciphers(List.of("aes256-ctr"))
                  .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), Ports.free())));
      assertThat(Ports.accepts(before)).isFalse();
      assertThat(server.port()).isNotEqualTo(before);
      try (var ssh =
          server
              .ssh("-N", "-c", "aes128-ctr", "-o", "HostKeyAlias=[127.0.0.1]:" + before)
              .noStdin()
              .start()) {
        assertThat(ssh.exitCode()).isEqualTo(255);
        assertThat(ssh.stderr()).contains("no matching cipher found. Their offer: aes256-ctr");
      }
      assertThat(old.isAlive()).isTrue();
    }
  }

  @Test
  void aConnectionWithoutUseEnds() throws Exception {
    try (var server = EmbeddedServer.start(o -> o.unusedTimeout(Duration.ofMillis(300)));
        var ssh = server.ssh("-N").noStdin().start()) {
      assertThat(ssh.exitCode()).isEqualTo(255);
      Ports.await("the end", () -> !server.events(ServerEvent.Disconnected.class).isEmpty());
      assertThat(server.events(ServerEvent.Disconnected.class).getFirst().cause())
          .hasMessageContaining("no channel was open");
    }
  }
}
