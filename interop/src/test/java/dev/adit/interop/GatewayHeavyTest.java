package dev.adit.interop;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** As much at once as one aditd must carry, by ssh. Run by {@code interop/heavy}. */
@Tag("heavy")
class GatewayHeavyTest {
  private static final int CONNECTIONS = 10_000;

  /** Resident memory of aditd that one idle connection may cost, in bytes. */
  private static final long MEMORY_OF_A_CONNECTION = 32 * 1024;

  private static final int SESSIONS = 200;

  /** The same for a client with one running command: its connection, keys and pipes. */
  private static final long MEMORY_OF_A_SESSION = 1024 * 1024;

  // Both ends are programs of their own: each needs a descriptor for every connection.

  /** Takes connections, says on which port, and sends back each byte. */
  private static final String ECHO =
      """
      import selectors, socket
      listener = socket.create_server(("127.0.0.1", 0), backlog=1000)
      print(listener.getsockname()[1], flush=True)
      selector = selectors.DefaultSelector()
      selector.register(listener, selectors.EVENT_READ)
      while True:
          for key, _ in selector.select():
              if key.fileobj is listener:
                  selector.register(listener.accept()[0], selectors.EVENT_READ)
              else:
                  data = key.fileobj.recv(100)
                  if data:
                      key.fileobj.send(data)
                  else:
                      selector.unregister(key.fileobj)
                      key.fileobj.close()
      """;

  /** Opens connections, a byte there and back on each; and once more for each line of its input. */
  private static final String CONNECT =
      """
      import socket, sys
      port, count = int(sys.argv[1]), int(sys.argv[2])
      def there_and_back(s):
          s.sendall(b"x")
          assert s.recv(1) == b"x"
      sockets = []
      for i in range(count):
          s = socket.create_connection(("127.0.0.1", port), timeout=300)
          there_and_back(s)
          sockets.append(s)
      print("open", flush=True)
      for line in sys.stdin:
          for s in sockets:
              there_and_back(s)
          print("alive", flush=True)
      """;

  @Test
  @Timeout(value = 60, unit = TimeUnit.MINUTES)
  void tenThousandIdleConnectionsOverOneSession() {
    int port = Ports.free();
    try (var server = AditdServer.start();
        var echo = Program.of(Judges.python("paramiko"), "-c", ECHO).noStdin().start()) {
      echo.awaitStdout("^\\d+\n");
      String target = "127.0.0.1:" + echo.stdout().strip();
      try (var ssh =
          server
              .ssh("-N", "-L", port + ":" + target, "127.0.0.1")
              .noStdin()
              .start()
              .awaitListening(port)) {
        long before = server.process().residentBytes();
        try (var connections =
            Program.of(Judges.python("paramiko"), "-c", CONNECT, port, CONNECTIONS).start()) {
          awaitLine(connections, "open");
          long each = (server.process().residentBytes() - before) / CONNECTIONS;
          connections.type("again\n");
          awaitLine(connections, "alive");
          System.out.printf("%d idle connections, %d bytes resident each%n", CONNECTIONS, each);
          assertThat(each).isLessThan(MEMORY_OF_A_CONNECTION);
          assertThat(ssh.isAlive()).isTrue();
        }
      }
    }
  }

  @Test
  @Timeout(value = 10, unit = TimeUnit.MINUTES)
  void twoHundredSessionsAtOnce() {
    List<Program.Running> clients = new ArrayList<>();
    try (var server = AditdServer.start()) {
      long before = server.process().residentBytes();
      try {
        for (int i = 0; i < SESSIONS; i++) {
          clients.add(server.ssh("127.0.0.1", "cat").start());
        }
        for (int i = 0; i < SESSIONS; i++) {
          clients.get(i).type("session " + i + "\n");
        }
        for (int i = 0; i < SESSIONS; i++) {
          clients.get(i).awaitStdout("^session " + i + "\n");
        }
        long each = (server.process().residentBytes() - before) / SESSIONS;
        System.out.printf("%d sessions, %d bytes resident each%n", SESSIONS, each);
        assertThat(each).isLessThan(MEMORY_OF_A_SESSION);
        // Now that all of them are there at once, each ends by itself, with its command's status.
        for (Program.Running client : clients) {
          assertThat(client.isAlive()).isTrue();
          client.stdin().close();
        }
        for (Program.Running client : clients) {
          assertThat(client.exitCode()).isZero();
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } finally {
        clients.forEach(Program.Running::close);
      }
    }
  }

  /** ssh looks at all of its channels for each packet: the last thousand take it minutes. */
  private static void awaitLine(Program.Running connections, String line) {
    Awaitility.await(line)
        .atMost(Duration.ofMinutes(45))
        .pollInterval(Duration.ofMillis(100))
        .until(
            () -> {
              assertThat(connections.isAlive()).as(connections.toString()).isTrue();
              return connections.stdout().contains(line + "\n");
            });
  }
}
