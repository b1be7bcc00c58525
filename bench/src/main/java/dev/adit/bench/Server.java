package dev.adit.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** sshd or aditd on a free port of loopback, with the same sshd_config and the same keys. */
final class Server implements AutoCloseable {
  private final String name;
  private final Process process;
  private final int port;
  private final Keys keys;

  /** The host's key and the user's, ed25519, and what each side needs to know of the other's. */
  static final class Keys {
    private final Path dir;

    /** Makes them with ssh-keygen in a directory that is otherwise empty. */
    Keys(Path dir) throws IOException, InterruptedException {
      this.dir = dir;
      keygen("host_key");
      keygen("user_key");
      Files.copy(dir.resolve("user_key.pub"), dir.resolve("authorized_keys"));
      Files.writeString(
          knownHosts(), "bench-server " + Files.readString(dir.resolve("host_key.pub")));
    }

    private void keygen(String name) throws IOException, InterruptedException {
      String file = dir.resolve(name).toString();
      Process keygen =
          new ProcessBuilder("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file)
              .inheritIO()
              .start();
      if (keygen.waitFor() != 0) {
        throw new IOException("ssh-keygen failed");
      }
    }

    Path userKey() {
      return dir.resolve("user_key");
    }

    /** Has the host key under the name {@code bench-server}. */
    Path knownHosts() {
      return dir.resolve("known_hosts");
    }
  }

  private Server(String name, List<String> command, Keys keys)
      throws IOException, InterruptedException {
    this.name = name;
    this.keys = keys;
    port = Bench.freePort();
    Path config = keys.dir.resolve(name + "_config");
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
        MaxStartups 1000
        MaxSessions 1000
        """
            .formatted(port, keys.dir.resolve("host_key"), keys.dir.resolve("authorized_keys")));
    List<String> whole = new ArrayList<>(command);
    whole.addAll(List.of("-D", "-e", "-f", config.toString()));
    process =
        new ProcessBuilder(whole).redirectErrorStream(true).redirectOutput(log().toFile()).start();
    awaitPort();
  }

  /** Debian's. */
  static Server sshd(Keys keys) throws IOException, InterruptedException {
    Files.createDirectories(Path.of("/run/sshd"));
    return new Server("sshd", List.of("/usr/sbin/sshd"), keys);
  }

  /** Ours. An sshd of before OpenSSH 9.8 has no penalties that could be lifted in the file. */
  static Server aditd(Path launcher, Keys keys) throws IOException, InterruptedException {
    return new Server("aditd", List.of(launcher.toString(), "-o", "PerSourcePenalties=no"), keys);
  }

  private Path log() {
    return keys.dir.resolve(name + ".log");
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
    close();
    throw new IOException(name + " did not start:\n" + Files.readString(log()));
  }

  /** {@code sshd} or {@code aditd}. */
  String name() {
    return name;
  }

  int port() {
    return port;
  }

  Keys keys() {
    return keys;
  }

  /** User and system seconds until now, with sshd of its sessions' processes too. */
  double cpuSeconds() {
    return Proc.cpuSecondsOfTree(process.pid());
  }

  /** Of all its processes; what sshd's share is counted for each. */
  double residentMegabytes() {
    return Proc.residentMegabytesOfTree(process.pid());
  }

  @Override
  public void close() {
    process.descendants().forEach(ProcessHandle::destroy);
    process.destroy();
  }
}
