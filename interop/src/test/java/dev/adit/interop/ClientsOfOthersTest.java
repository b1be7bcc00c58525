package dev.adit.interop;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import com.jcraft.jsch.JSch;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PublicKey;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import net.schmizz.sshj.SSHClient;
import net.schmizz.sshj.connection.channel.direct.Parameters;
import net.schmizz.sshj.connection.channel.forwarded.RemotePortForwarder.Forward;
import net.schmizz.sshj.connection.channel.forwarded.SocketForwardingConnectListener;
import net.schmizz.sshj.transport.verification.HostKeyVerifier;
import org.apache.sshd.client.ClientBuilder;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.NamedFactory;
import org.apache.sshd.common.config.keys.PublicKeyEntry;
import org.apache.sshd.common.kex.BuiltinDHFactories;
import org.apache.sshd.common.keyprovider.FileKeyPairProvider;
import org.apache.sshd.common.util.net.SshdSocketAddress;
import org.apache.sshd.server.forward.AcceptAllForwardingFilter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Other people's clients at adit's server. Each logs in with a key, checks the host key, and
 * carries some megabytes through a forwarding in either direction; the far ends tell what came by
 * its SHA-256.
 */
class ClientsOfOthersTest {
  private static final int SIZE = 4 << 20;
  private static final long SEED = 7;

  private final EmbeddedServer server = EmbeddedServer.start();
  private final Path key = Keys.shared(Keys.Type.ED25519).path();

  /** Answers with the SHA-256 of what it got. */
  private final TestServer digests = TestServer.start(TestServer.sink());

  private final TestServer echo = TestServer.start(TestServer.echo());

  @AfterEach
  void stop() {
    echo.close();
    digests.close();
    server.close();
  }

  @Test
  void plink() {
    Judges.require("plink");
    Path ppk = server.scratch().path("key.ppk");
    Program.of("puttygen", key, "-O", "private", "-o", ppk).run();
    int local = Ports.free();
    int remote = Ports.free();
    try (var client =
        Program.of("plink", "-batch", "-ssh", "-N", "-noagent", "-P", server.port(), "-i", ppk)
            .arguments("-hostkey", Keys.shared(Keys.Type.ED25519).fingerprint())
            .arguments("-L", "127.0.0.1:" + local + ":127.0.0.1:" + digests.port())
            .arguments("-R", "127.0.0.1:" + remote + ":127.0.0.1:" + digests.port())
            .arguments(EmbeddedServer.USER + "@127.0.0.1")
            .env("HOME", server.scratch().dir())
            .noStdin()
            .start()) {
      client.awaitListening(local).awaitListening(remote);
      carries(local);
      carries(remote);
    }
  }

  @Test
  void dropbear() {
    Path dropbearKey = server.scratch().path("key.dropbear");
    Program.of("dropbearconvert", "openssh", "dropbear", key, dropbearKey).run();
    Judges.require("dbclient");
    Path ssh = server.scratch().path(".ssh");
    // It knows hosts by their name alone, whatever the port.
    server.scratch().write(".ssh/known_hosts", knownHost("127.0.0.1"));
    int local = Ports.free();
    int remote = Ports.free();
    try (var client =
        Program.of("dbclient", "-N", "-T", "-p", server.port(), "-i", dropbearKey)
            .arguments("-L", "127.0.0.1:" + local + ":127.0.0.1:" + digests.port())
            .arguments("-R", "127.0.0.1:" + remote + ":127.0.0.1:" + digests.port())
            .arguments(EmbeddedServer.USER + "@127.0.0.1")
            .env("HOME", ssh.getParent())
            .noStdin()
            .start()) {
      client.awaitListening(local).awaitListening(remote);
      carries(local);
      carries(remote);
    }
  }

  @Test
  void paramiko() {
    script(Judges.python("paramiko"), "with_paramiko.py");
  }

  @Test
  void asyncssh() {
    script(Judges.python("asyncssh"), "with_asyncssh.py");
  }

  @Test
  void npmsSsh2() {
    Judges.require("ssh2");
    script(Judges.require("node"), "with_ssh2.mjs");
  }

  /** interop/clients/README.md has what the scripts do. */
  private void script(Path interpreter, String name) {
    Path hostKey = Keys.shared(Keys.Type.ED25519).publicPath();
    try (var client =
        Program.of(interpreter, Repository.root().resolve("interop/clients").resolve(name))
            .arguments(server.port(), EmbeddedServer.USER, key, hostKey, echo.port())
            .env("HOME", server.scratch().dir())
            .noStdin()
            .start()) {
      client.awaitStdout("listening \\d+");
      String said = client.stdout();
      assertThat(word(said, "echoed")).hasSize(64).isEqualTo(word(said, "sent"));
      carries(Integer.parseInt(word(said, "listening")));
      assertThat(client.exitCode()).as(client::stderr).isZero();
      assertThat(client.stdout()).contains("done");
    }
  }

  private static String word(String text, String label) {
    return text.lines()
        .filter(line -> line.startsWith(label + " "))
        .map(line -> line.substring(label.length() + 1))
        .findFirst()
        .orElse("");
  }

  @Test
  void jsch() throws Exception {
    jsch("mlkem768x25519-sha256");
  }

  @Test
  void jschWithTheOtherHybrid() throws Exception {
    jsch("sntrup761x25519-sha512");
  }

  private void jsch(String kex) throws Exception {
    var jsch = new JSch();
    jsch.addIdentity(key.toString());
    jsch.setKnownHosts(
        Files.newInputStream(
            server.scratch().write("known", knownHost("[127.0.0.1]:" + server.port()))));
    var session = jsch.getSession(EmbeddedServer.USER, "127.0.0.1", server.port());
    session.setConfig("kex", kex);
    session.setConfig("StrictHostKeyChecking", "yes");
    session.connect(20_000);
    try {
      echoes(session.setPortForwardingL("127.0.0.1", 0, "127.0.0.1", echo.port()));
      int remote = Ports.free();
      session.setPortForwardingR("127.0.0.1", remote, "127.0.0.1", echo.port());
      echoes(remote);
    } finally {
      session.disconnect();
    }
  }

  @Test
  void sshj() throws Exception {
    try (var client = new SSHClient();
        var listener = new ServerSocket()) {
      client.addHostKeyVerifier(
          new HostKeyVerifier() {
            @Override
            public boolean verify(String host, int port, PublicKey shown) {
              return Base64.getEncoder()
                  .encodeToString(
                      new net.schmizz.sshj.common.Buffer.PlainBuffer()
                          .putPublicKey(shown)
                          .getCompactData())
                  .equals(hostKeyBase64());
            }

            @Override
            public List<String> findExistingAlgorithms(String host, int port) {
              return List.of("ssh-ed25519");
            }
          });
      client.connect("127.0.0.1", server.port());
      client.authPublickey(EmbeddedServer.USER, key.toString());
      listener.bind(new InetSocketAddress("127.0.0.1", 0));
      var forwarder =
          client.newLocalPortForwarder(
              new Parameters("127.0.0.1", listener.getLocalPort(), "127.0.0.1", echo.port()),
              listener);
      Thread.ofPlatform()
          .daemon()
          .start(
              () -> {
                try {
                  forwarder.listen();
                } catch (IOException _) {
                  // Closed below.
                }
              });
      try {
        echoes(listener.getLocalPort());
      } finally {
        forwarder.close();
      }
      var remote =
          client
              .getRemotePortForwarder()
              .bind(
                  new Forward("127.0.0.1", 0),
                  new SocketForwardingConnectListener(
                      new InetSocketAddress("127.0.0.1", echo.port())));
      echoes(remote.getPort());
    }
  }

  @Test
  void mina() throws Exception {
    AtomicBoolean rightHostKey = new AtomicBoolean();
    SshClient client = SshClient.setUpDefaultClient();
    client.setKeyExchangeFactories(
        NamedFactory.setUpTransformedFactories(
            false, List.of(BuiltinDHFactories.mlkem768x25519), ClientBuilder.DH2KEX));
    client.setServerKeyVerifier(
        (session, address, shown) -> {
          rightHostKey.set(
              PublicKeyEntry.toString(shown).startsWith("ssh-ed25519 " + hostKeyBase64()));
          return rightHostKey.get();
        });
    // It refuses forwarded connections otherwise, also those that it asked for.
    client.setForwardingFilter(AcceptAllForwardingFilter.INSTANCE);
    client.setKeyIdentityProvider(new FileKeyPairProvider(key));
    client.start();
    try (ClientSession session =
        client
            .connect(EmbeddedServer.USER, "127.0.0.1", server.port())
            .verify(Duration.ofSeconds(20))
            .getSession()) {
      session.auth().verify(Duration.ofSeconds(20));
      var local =
          session.startLocalPortForwarding(
              new SshdSocketAddress("127.0.0.1", 0),
              new SshdSocketAddress("127.0.0.1", echo.port()));
      echoes(local.getPort());
      var remote =
          session.startRemotePortForwarding(
              new SshdSocketAddress("127.0.0.1", 0),
              new SshdSocketAddress("127.0.0.1", echo.port()));
      echoes(remote.getPort());
    } finally {
      client.stop();
    }
    assertThat(rightHostKey).isTrue();
  }

  /** Some megabytes in at this port come out at the far end, whose answer comes back. */
  private static void carries(int port) {
    try (var socket = new Socket("127.0.0.1", port)) {
      socket.setSoTimeout(20_000);
      RandomBytes.send(socket.getOutputStream(), SEED, SIZE);
      socket.shutdownOutput();
      assertThat(new String(socket.getInputStream().readAllBytes(), US_ASCII))
          .isEqualTo(RandomBytes.digest(SEED, SIZE));
    } catch (IOException e) {
      throw new AssertionError("through port " + port, e);
    }
  }

  /**
   * The same for clients that close a forwarded connection as soon as one side has ended it: as
   * many bytes come back as were sent, and only then it ends.
   */
  private static void echoes(int port) {
    try (var socket = new Socket("127.0.0.1", port)) {
      socket.setSoTimeout(20_000);
      Thread sending =
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      RandomBytes.send(socket.getOutputStream(), SEED, SIZE);
                    } catch (IOException _) {
                      // The bytes that come back tell.
                    }
                  });
      assertThat(RandomBytes.receive(socket.getInputStream(), SIZE).digest())
          .isEqualTo(RandomBytes.digest(SEED, SIZE));
      sending.join();
    } catch (IOException | InterruptedException e) {
      throw new AssertionError("through port " + port, e);
    }
  }

  private static String hostKeyBase64() {
    return Keys.shared(Keys.Type.ED25519).publicLine().split(" ", -1)[1];
  }

  private static String knownHost(String name) {
    return "%s ssh-ed25519 %s\n".formatted(name, hostKeyBase64());
  }
}
