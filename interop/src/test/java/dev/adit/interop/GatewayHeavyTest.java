package dev.adit.interop;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Ten thousand idle connections of one ssh through adit's server. Run by {@code interop/heavy}. */
@Tag("heavy")
class GatewayHeavyTest {
  private static final int CONNECTIONS = 10_000;

  /** Resident memory of the server that one idle connection may cost, in bytes. */
  private static final long MEMORY_EACH = 32 * 1024;

  // Both ends are programs of their own: a process may have 20,000 descriptors here.

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
          s = socket.create_connection(("127.0.0.1", port), timeout=60)
          there_and_back(s)
          sockets.append(s)
      print("open", flush=True)
      for line in sys.stdin:
          for s in sockets:
              there_and_back(s)
          print("alive", flush=True)
      """;

  @Test
  @Timeout(value = 15, unit = TimeUnit.MINUTES)
  void tenThousandIdleConnectionsOverOneSession() {
    int port = Ports.free();
    try (var server = EmbeddedServer.start();
        var echo = Program.of(Judges.python("paramiko"), "-c", ECHO).noStdin().start()) {
      echo.awaitStdout("^\\d+\n");
      String target = "127.0.0.1:" + echo.stdout().strip();
      try (var ssh =
          server.ssh("-N", "-L", port + ":" + target).noStdin().start().awaitListening(port)) {
        long before = resident();
        try (var connections =
            Program.of(Judges.python("paramiko"), "-c", CONNECT, port, CONNECTIONS).start()) {
          Ports.awaitLong("all to be open", () -> connections.stdout().contains("open"));
          connections.type("again\n");
          Ports.awaitLong("all to be alive", () -> connections.stdout().contains("alive"));
          long each = (resident() - before) / CONNECTIONS;
          System.out.printf("%d idle connections, %d bytes resident each%n", CONNECTIONS, each);
          assertThat(each).isLessThan(MEMORY_EACH);
          assertThat(ssh.isAlive()).isTrue();
        }
      }
    }
  }

  private static long resident() {
    System.gc();
    return Program.Running.residentBytes(ProcessHandle.current().pid());
  }
}
