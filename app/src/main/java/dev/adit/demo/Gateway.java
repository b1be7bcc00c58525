package dev.adit.demo;

import dev.adit.ssh.AccessPolicy;
import dev.adit.ssh.Authenticator;
import dev.adit.ssh.Decision;
import dev.adit.ssh.HostKey;
import dev.adit.ssh.Listen;
import dev.adit.ssh.ServerOptions;
import dev.adit.ssh.SshServer;
import dev.adit.ssh.Target;
import dev.adit.ssh.UserKey;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The SSH server of the demo. It lets one key in, which may connect to one web site, by a name that
 * only this server knows, and listen on loopback. Nothing else: other users of this machine reach
 * its tunnels too.
 */
final class Gateway {

  /** The web site's name and port, as the gateway knows it. */
  static final Target.Tcp SITE = new Target.Tcp("web.home", 80);

  private Gateway() {}

  /**
   * Starts on a free port.
   *
   * @param user the key that is let in, as in a .pub file
   * @param site the port on loopback that {@link #SITE} really is
   */
  static SshServer start(InetAddress loopback, HostKey hostKey, String user, int site)
      throws IOException {
    return SshServer.start(
        ServerOptions.with((_, _) -> new Login(user, new Policy(loopback, site)))
            .hostKey(hostKey)
            .listen(new InetSocketAddress(loopback, 0))
            .build());
  }

  private record Login(String key, AccessPolicy policy) implements Authenticator.Login {

    private record Proven() implements Authenticator.Proof {}

    @Override
    public List<List<String>> waysIn() {
      return List.of(List.of("publickey"));
    }

    @Override
    public Authenticator.@Nullable Proof publicKey(UserKey offered) {
      return offered.toString().equals(key) ? new Proven() : null;
    }

    @Override
    public AccessPolicy admit(List<Authenticator.Proof> proofs) {
      return policy;
    }
  }

  private record Policy(InetAddress loopback, int site) implements AccessPolicy {

    @Override
    public String user() {
      return "demo";
    }

    @Override
    public Decision<Target> connect(Target target) {
      return target.equals(SITE)
          ? Decision.allowed(new Target.Tcp(loopback.getHostAddress(), site))
          : Decision.denied("the demo's gateway connects to " + SITE + " only");
    }

    @Override
    public Decision<InetAddress> dial(Target.Tcp target, InetAddress address) {
      return address.equals(loopback)
          ? Decision.allowed(address)
          : Decision.denied("the demo's gateway stays on this machine");
    }

    @Override
    public Decision<Listen> listen(Listen asked) {
      return asked instanceof Listen.Tcp tcp
          ? Decision.allowed(new Listen.Tcp(loopback.getHostAddress(), tcp.port()))
          : Decision.denied("the demo's gateway listens on ports only");
    }
  }
}
