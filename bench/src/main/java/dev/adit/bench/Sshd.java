package dev.adit.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Debian's sshd on a free port of loopback, with keys of its own. */
final class Sshd implements AutoCloseable {
  private final Process process;
  private final int port;
  private final Path dir;

  Sshd(Path dir) throws IOException, InterruptedException {
    this.dir = dir;
    port = Bench.freePort();
    keygen("host_key");
    keygen("user_key");
    Files.copy(dir.resolve("user_key.pub"), dir.resolve("authorized_keys"));
    String hostKey = Files.readString(dir.resolve("host_key.pub"));
    Files.writeString(knownHosts(), "[127.0.0.1]:" + port + " " + hostKey);
    Path config = dir.resolve("sshd_config");
    Files.writeString(
        config,
        """
        Port %d
        ListenAddress 127.0.0.1
        HostKey %s
        AuthorizedKeysFile %s
        PidFile none
        StrictModes no
        UsePAM no
        PermitRootLogin yes
        MaxStartups 100
        MaxSessions 1000
        """
            .formatted(port, dir.resolve("host_key"), dir.resolve("authorized_keys")));
    Files.createDirectories(Path.of("/run/sshd"));
    process =
        new ProcessBuilder("/usr/sbin/sshd", "-D", "-e", "-f", config.toString())
            .redirectErrorStream(true)
            .redirectOutput(dir.resolve("sshd.log").toFile())
            .start();
    awaitPort();
  }

  private void keygen(String name) throws IOException, InterruptedException {
    Process keygen =
        new ProcessBuilder(
                List.of(
                    "ssh-keygen",
                    "-q",
                    "-t",
                    "ed25519",
                    "-N",
                    "",
                    "-f",
                    dir.resolve(name).toString()))
            .inheritIO()
            .start();
    if (keygen.waitFor() != 0) {
      throw new IOException("ssh-keygen failed");
    }
  }

  private void awaitPort() throws IOException, InterruptedException {
    for (int i = 0; i < 100; i++) {
      try (SocketChannel probe =
          SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))) {
        return;
      } catch (IOException e) {
        TimeUnit.MILLISECONDS.sleep(50);
      }
    }
    throw new IOException("sshd did not start:\n" + Files.readString(dir.resolve("sshd.log")));
  }

  int port() {
    return port;
  }

  long pid() {
    return process.pid();
  }

  Path userKey() {
    return dir.resolve("user_key");
  }

  Path knownHosts() {
    return dir.resolve("known_hosts");
  }

  @Override
  public void close() {
    process.descendants().forEach(ProcessHandle::destroy);
    process.destroy();
  }
}
