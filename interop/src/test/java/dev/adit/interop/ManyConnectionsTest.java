package dev.adit.interop;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.UnixOperatingSystemMXBean;
import dev.adit.ssh.Forward;
import java.lang.management.ManagementFactory;
import java.net.Socket;
import org.junit.jupiter.api.Test;

/** Ten thousand connections through one session. */
class ManyConnectionsTest {
  private static final int CONNECTIONS = 10_000;

  /** Descriptors of a connection in this process: the client's, the tunnel's, the target's. */
  private static final int DESCRIPTORS_EACH = 3;

  private static final int DESCRIPTORS_OF_OURS = 1000;

  @Test
  void tenThousandConnectionsAsManyAtOnceAsTheSystemAllows() throws Exception {
    var system = (UnixOperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long most = (system.getMaxFileDescriptorCount() - DESCRIPTORS_OF_OURS) / DESCRIPTORS_EACH;
    assertThat(most).as("connections that ulimit -n allows").isGreaterThan(100);
    int atOnce = (int) Math.min(most, CONNECTIONS);
    try (Tunnels tunnels = Tunnels.start();
        var target = TestServer.start(TestServer.echo());
        Forward forward = tunnels.local("127.0.0.1:" + target.port())) {
      for (int done = 0; done < CONNECTIONS; done += atOnce) {
        int round = Math.min(atOnce, CONNECTIONS - done);
        Socket[] sockets = new Socket[round];
        Tunnels.inParallel(
            16,
            round,
            i -> {
              sockets[i] = Tunnels.connect(forward.port());
              roundTrip(sockets[i], i);
            });
        assertThat(target.open()).isEqualTo(round);
        // And once more while all of them are open.
        Tunnels.inParallel(16, round, i -> roundTrip(sockets[i], i + 1));
        for (Socket socket : sockets) {
          socket.close();
        }
        Ports.await("all connections to end", () -> target.open() == 0);
      }
      assertThat(target.accepted()).isEqualTo(CONNECTIONS);
      assertThat(target.failures()).isEmpty();
      assertThat(tunnels.connection.closed()).isNotDone();
    }
  }

  private static void roundTrip(Socket socket, int i) throws Exception {
    socket.getOutputStream().write(i);
    assertThat(socket.getInputStream().read()).isEqualTo(i & 0xff);
  }
}
