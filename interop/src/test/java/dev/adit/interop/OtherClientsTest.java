package dev.adit.interop;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.Socket;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Clients that are not OpenSSH's log in to adit's server by password and forward. */
class OtherClientsTest {
  private static final int SIZE = 3_000_000;

  private static EmbeddedServer server;
  private static TestServer sink;

  @BeforeAll
  static void start() {
    server =
        EmbeddedServer.start(EmbeddedServer.hostKeys(Keys.Type.values()), o -> o)
            .waysIn(List.of(List.of("password")));
    sink = TestServer.start(TestServer.sink());
  }

  @AfterAll
  static void stop() {
    server.close();
    sink.close();
  }

  private static void carryData(Program client, int port) throws Exception {
    try (var running = client.start();
        var socket = connect(running, port)) {
      String sent = RandomBytes.send(socket.getOutputStream(), 3, SIZE);
      socket.shutdownOutput();
      assertThat(new String(socket.getInputStream().readAllBytes(), US_ASCII)).isEqualTo(sent);
    }
  }

  private static Socket connect(Program.Running client, int port) throws Exception {
    client.awaitListening(port);
    return new Socket(InetAddress.getLoopbackAddress(), port);
  }

  @Test
  void plink() throws Exception {
    int port = Ports.free();
    carryData(
        Program.of(
                Judges.require("plink"),
                "-ssh",
                "-batch",
                "-N",
                "-P",
                server.port(),
                "-l",
                EmbeddedServer.USER,
                "-pw",
                EmbeddedServer.PASSWORD,
                "-hostkey",
                Keys.shared(Keys.Type.ED25519).fingerprint(),
                "-L",
                port + ":127.0.0.1:" + sink.port(),
                "127.0.0.1")
            .env("HOME", server.scratch().dir()),
        port);
  }

  @Test
  void dbclient() throws Exception {
    int port = Ports.free();
    carryData(
        Program.of(
                Judges.require("dropbear").resolveSibling("../bin/dbclient"),
                "-y",
                "-y",
                "-N",
                "-p",
                server.port(),
                "-l",
                EmbeddedServer.USER,
                "-L",
                port + ":127.0.0.1:" + sink.port(),
                "127.0.0.1")
            .env("HOME", server.scratch().dir())
            .env("DROPBEAR_PASSWORD", EmbeddedServer.PASSWORD),
        port);
  }

  @Test
  void paramiko() throws Exception {
    var script =
        server
            .scratch()
            .write(
                "client.py",
                """
                import hashlib, sys, paramiko
                port, target, user, password, ciphers = sys.argv[1:]
                transport = paramiko.Transport(("127.0.0.1", int(port)))
                transport.get_security_options().ciphers = ciphers.split(",")
                transport.connect(username=user, password=password)
                channel = transport.open_channel(
                    "direct-tcpip", ("127.0.0.1", int(target)), ("127.0.0.1", 1))
                data = b"0123456789" * 300000
                channel.sendall(data)
                channel.shutdown_write()
                answer = channel.makefile().read()
                assert answer.decode() == hashlib.sha256(data).hexdigest(), answer
                transport.close()
                print("carried")
                """);
    for (String ciphers : List.of("aes128-ctr", "aes256-ctr,aes128-ctr")) {
      String said =
          Program.of(
                  Judges.python("paramiko"),
                  script,
                  server.port(),
                  sink.port(),
                  EmbeddedServer.USER,
                  EmbeddedServer.PASSWORD,
                  ciphers)
              .run();
      assertThat(said).isEqualTo("carried\n");
    }
  }
}
