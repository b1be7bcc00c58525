package dev.adit.bench.peer;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.apache.sshd.client.ClientBuilder;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.keyverifier.AcceptAllServerKeyVerifier;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.NamedFactory;
import org.apache.sshd.common.cipher.BuiltinCiphers;
import org.apache.sshd.common.kex.BuiltinDHFactories;
import org.apache.sshd.common.kex.KeyExchangeFactory;
import org.apache.sshd.common.keyprovider.FileKeyPairProvider;
import org.apache.sshd.common.mac.BuiltinMacs;
import org.apache.sshd.common.util.net.SshdSocketAddress;
import org.apache.sshd.core.CoreModuleProperties;

/** Apache MINA SSHD's client with one local forward. Arguments: {@link ClientArguments}. */
public final class MinaClient {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private MinaClient() {}

  public static void main(String[] args) throws Exception {
    var given = ClientArguments.of(args);
    SshClient client = create(given.key());
    client.setCipherFactories(List.of(BuiltinCiphers.fromFactoryName(given.cipher())));
    client.setMacFactories(List.of(BuiltinMacs.fromFactoryName(given.mac())));
    ClientSession session = connect(client, given.user(), given.serverPort());
    session.startLocalPortForwarding(
        new SshdSocketAddress("127.0.0.1", given.listenPort()),
        new SshdSocketAddress("127.0.0.1", given.targetPort()));
    Thread.currentThread().join();
  }

  static SshClient create(Path key) {
    SshClient client = SshClient.setUpDefaultClient();
    client.setServerKeyVerifier(AcceptAllServerKeyVerifier.INSTANCE);
    client.setKeyIdentityProvider(new FileKeyPairProvider(key));
    CoreModuleProperties.TCP_NODELAY.set(client, true);
    client.start();
    return client;
  }

  /** One key exchange. */
  static List<KeyExchangeFactory> only(String kex) {
    return NamedFactory.setUpTransformedFactories(
        false, List.of(BuiltinDHFactories.fromFactoryName(kex)), ClientBuilder.DH2KEX);
  }

  static ClientSession connect(SshClient client, String user, int port) throws Exception {
    ClientSession session = client.connect(user, "127.0.0.1", port).verify(PATIENCE).getSession();
    session.auth().verify(PATIENCE);
    return session;
  }
}
