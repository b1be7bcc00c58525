package dev.adit.ssh;

import dev.adit.ssh.connection.Connection;
import dev.adit.ssh.keys.HostKeyVerification.Decision;
import dev.adit.ssh.transport.HostKeyVerifier;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the policy says about the key of one server, and what follows from it. */
final class ServerKey implements HostKeyVerifier {
  private static final Logger log = LoggerFactory.getLogger(ServerKey.class);

  private final ConnectOptions.Builder o;
  private final @Nullable InetAddress address;
  private HostKeyPolicy.Trust trust = HostKeyPolicy.Trust.UNVERIFIED;
  private @Nullable Decision decision;

  /**
   * @param address where the connection really goes, or null behind a proxy
   */
  ServerKey(ConnectOptions.Builder o, @Nullable InetAddress address) {
    this.o = o;
    this.address = address;
  }

  @Override
  public void verify(byte[] hostKey) throws SshException {
    String to = address == null ? null : NetUtil.toAddressString(address);
    if (o.hostKeyPolicy instanceof KnownHostsPolicy policy) {
      Decision decided = policy.decide(o.host, o.port, to, hostKey);
      decision = decided;
      trust = KnownHostsPolicy.trust(decided);
      log.debug("Server host key: {} {}", decided.key().describe(), decided.key().fingerprint());
      var entry = decided.entry();
      if (entry != null) {
        log.debug("Host '{}' is known and matches the key in {}", o.host, entry.where());
      }
    } else {
      trust = o.hostKeyPolicy.check(o.host, o.port, to, hostKey);
    }
  }

  /** False if nobody knows who the server is. */
  boolean isVerified() {
    return trust == HostKeyPolicy.Trust.VERIFIED;
  }

  /** UpdateHostKeys, if a line of the user's own file vouched for the key. */
  void learnOthers(Connection connection, byte[] sessionId) {
    if (o.hostKeyPolicy instanceof KnownHostsPolicy policy
        && policy.options().update != KnownHostsOptions.Update.NO
        && decision != null
        && policy.isFromUserFile(decision)) {
      var update =
          new HostKeyUpdate(connection, policy, o.host, o.port, sessionId, o.hostKeyAlgorithms);
      connection.onGlobalRequest(HostKeyUpdate.ANNOUNCEMENT, update::announced);
    }
  }
}
