package dev.adit.ssh;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class SshClientTest {
  private static final int PATIENCE_MILLIS = 10_000;

  /** Each round may hit the loop in another moment of its work. */
  private static final int ROUNDS = 100;

  @Test
  void closingTheClientClosesSocketsWhateverTheLoopIsDoing() throws Exception {
    try (var server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      for (int i = 0; i < ROUNDS; i++) {
        var client = SshClient.create();
        var options =
            ConnectOptions.to("127.0.0.1")
                .port(server.getLocalPort())
                .user("nobody")
                .connectTimeout(Duration.ofMillis(PATIENCE_MILLIS))
                .build();
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    client.connect(options).close();
                  } catch (SshException | InterruptedException e) {
                    // The client is closed under it.
                  }
                });
        try (Socket socket = server.accept()) {
          socket.setSoTimeout(PATIENCE_MILLIS);
          assertThat(socket.getInputStream().read()).isEqualTo('S');
          client.close();
          socket.getInputStream().readAllBytes();
        }
      }
    }
  }
}
