package dev.adit.bench.peer;

import java.nio.file.Path;
import org.apache.sshd.common.keyprovider.FileKeyPairProvider;
import org.apache.sshd.core.CoreModuleProperties;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.config.keys.AuthorizedKeysAuthenticator;
import org.apache.sshd.server.forward.AcceptAllForwardingFilter;

/**
 * Apache MINA SSHD's server as it comes, but without Nagle's waits. Arguments: port, host key,
 * authorized_keys.
 */
public final class MinaServer {
  private MinaServer() {}

  public static void main(String[] args) throws Exception {
    SshServer server = SshServer.setUpDefaultServer();
    server.setHost("127.0.0.1");
    server.setPort(Integer.parseInt(args[0]));
    server.setKeyPairProvider(new FileKeyPairProvider(Path.of(args[1])));
    server.setPublickeyAuthenticator(new AuthorizedKeysAuthenticator(Path.of(args[2])));
    server.setForwardingFilter(AcceptAllForwardingFilter.INSTANCE);
    CoreModuleProperties.TCP_NODELAY.set(server, true);
    server.start();
    Thread.currentThread().join();
  }
}
