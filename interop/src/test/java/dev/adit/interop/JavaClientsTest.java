package dev.adit.interop;

import static org.assertj.core.api.Assertions.assertThat;

import com.jcraft.jsch.JSch;
import dev.adit.ssh.ServerEvent;
import java.time.Duration;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.common.keyprovider.FileKeyPairProvider;
import org.apache.sshd.common.util.net.SshdSocketAddress;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** JSch and Apache MINA SSHD's client forward through adit's server, with ML-KEM. */
class JavaClientsTest {
  private static final String ML_KEM = "mlkem768x25519-sha256";
  private static final int SIZE = 5_000_000;

  private static EmbeddedServer server;
  private static TestServer target;

  @BeforeAll
  static void start() {
    server = EmbeddedServer.start(EmbeddedServer.hostKeys(Keys.Type.values()), o -> o);
    target = TestServer.start(Tunnels.bulk(SIZE));
  }

  @AfterAll
  static void stop() {
    server.close();
    target.close();
  }

  private static void carryData(int port) throws Exception {
    // Without half-closes: these two close a channel as soon as either side has ended.
    Tunnels.exchangeBulk(Tunnels.connect(port), SIZE);
    var handshake = server.events(ServerEvent.KeysExchanged.class).getLast().handshake();
    assertThat(handshake.kex()).isEqualTo(ML_KEM);
    assertThat(handshake.postQuantum()).isTrue();
  }

  @Test
  void jsch() throws Exception {
    var jsch = new JSch();
    jsch.addIdentity(Keys.shared(Keys.Type.ED25519).path().toString());
    jsch.setKnownHosts(server.scratch().path("known_hosts").toString());
    var session = jsch.getSession(EmbeddedServer.USER, "127.0.0.1", server.port());
    session.setConfig("kex", ML_KEM);
    session.connect(10_000);
    try {
      carryData(session.setPortForwardingL("127.0.0.1", 0, "127.0.0.1", target.port()));
    } finally {
      session.disconnect();
    }
  }

  @Test
  void minaSshd() throws Exception {
    Duration patience = Duration.ofSeconds(10);
    try (var client = SshClient.setUpDefaultClient()) {
      client.setServerKeyVerifier((_, _, _) -> true);
      client.setKeyExchangeFactories(
          client.getKeyExchangeFactories().stream()
              .filter(kex -> kex.getName().equals(ML_KEM))
              .toList());
      client.start();
      try (var session =
          client
              .connect(EmbeddedServer.USER, "127.0.0.1", server.port())
              .verify(patience)
              .getSession()) {
        var key = new FileKeyPairProvider(Keys.shared(Keys.Type.ECDSA_256).path());
        session.addPublicKeyIdentity(key.loadKeys(session).iterator().next());
        session.auth().verify(patience);
        var bound =
            session.startLocalPortForwarding(
                new SshdSocketAddress("127.0.0.1", 0),
                new SshdSocketAddress("127.0.0.1", target.port()));
        carryData(bound.getPort());
      }
    }
  }
}
