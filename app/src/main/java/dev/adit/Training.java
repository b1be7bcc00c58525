package dev.adit;

import dev.adit.ssh.HostKey;
import dev.adit.ssh.training.PracticeServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/**
 * The run from which the build makes the AOT cache (see app/src/main/launcher/make-image): it does
 * what a start of adit and one of aditd do, so that the JVM finds those classes loaded, linked and
 * profiled. What is not done here still works, only later by the time that its classes take to
 * load.
 *
 * <p>It runs on the machine that builds, so nothing in it may need a network, an account or a file
 * of the user's: it opens real tunnels to a server inside this process. It fails the build when
 * what it calls fails.
 */
final class Training {
  private static final int FAILURE = 255;

  /** The first is what a new server chooses; the second, what one of some years ago does. */
  private static final List<String> KEY_EXCHANGES =
      List.of("mlkem768x25519-sha256", "sntrup761x25519-sha512@openssh.com", "curve25519-sha256");

  /** Bytes through a tunnel, there and back. */
  private static final int BYTES = 4 * 1024 * 1024;

  private static final int CONNECTIONS = 20;

  /** What most servers have besides, as lines of a known_hosts; nobody has the private parts. */
  private static final String OTHER_HOST_KEYS =
      """
      %1$s ssh-rsa \
      AAAAB3NzaC1yc2EAAAADAQABAAABAQDIGOoUf8rEU0Bweamo/ceJhmhETniQP7DVaeamj8Yn9Apc+Dum\
      cs54K1vV+SdqkUkWWp9CQ4iLQoc72oBHhy9RBlWN/d91tvEW64AqI3VQLMv2BaHwuxpFnrUlmxgQ1Hlj\
      bcooaDdUnHpo63F3LojamnObegf6BJbv5JNiN6ZQbWMuK8NQ1MtDqbphB4BdH38HzIPITGCy6QhUl/ui\
      QLmWQ8qjRIGk4OVBmaEJosgm3dWMQbg96GMttkU4fXTg5Bv6VtCxmEEyLTgzjuYzipuF/UnXdohossmM\
      Dm33uY/6xsGbycr2ysv8gt3Ls+ItEYCn8bGNQW2i0bP+MKSFgUnn
      %1$s ecdsa-sha2-nistp256 \
      AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBFPmJvdONXdsSuS0lo2HErsNxo4K\
      wjUHRQEeOw7GXC8id0ZYhO5k1bGY/XmFWjtwJM00rfM+muonwDwIrUdz8ag=
      """;

  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20);

  private Training() {}

  static void main() {
    PrintStream err = System.err;
    try {
      train();
      System.exit(0);
    } catch (Exception | LinkageError e) {
      // Threads of the training may still run.
      e.printStackTrace(err);
      System.exit(1);
    }
  }

  private static void train() throws Exception {
    PrintStream out = System.out;
    PrintStream err = System.err;
    if (!PracticeServer.hasNativeCryptography()) {
      // make-image reads this: both programs then need the optimizing compiler. Here, because
      // behind the commands that are practised it never arrived.
      out.println("cryptography in Java");
    }
    System.setOut(new PrintStream(OutputStream.nullOutputStream()));
    expect(0, Adit.run("-V"));
    expect(0, Adit.run("-F", "none", "-L", "9001:yahoo.com:80", "-G", "localhost"));
    // The tunnels end with the server's hanging up, and adit says so.
    System.setErr(new PrintStream(OutputStream.nullOutputStream()));
    for (String kex : KEY_EXCHANGES) {
      practise(kex, Training::tunnel);
    }
    practise(KEY_EXCHANGES.getFirst(), (_, config) -> command(config, "-o", "BatchMode=yes"));
    practise(KEY_EXCHANGES.getFirst(), (_, config) -> command(config, "-tt"));
    gateway();
    System.setOut(out);
    System.setErr(err);
  }

  /** What is done with a server, whose name in the configuration is {@code practice}. */
  private interface Exercise {
    void run(PracticeServer server, Path config) throws Exception;
  }

  private static void practise(String kex, Exercise exercise) throws Exception {
    Path home = Files.createTempDirectory("adit-training");
    Path key = home.resolve("id_ed25519");
    Path knownHosts = home.resolve("known_hosts");
    Path config = home.resolve("config");
    try (PracticeServer server = new PracticeServer(List.of(kex))) {
      server.writeUserKey(key);
      String line = server.knownHostsLine();
      String name = line.substring(0, line.indexOf(' '));
      Files.writeString(knownHosts, line + OTHER_HOST_KEYS.formatted(name));
      Files.writeString(
          config,
          """
          Host practice
            HostName 127.0.0.1
            Port %d
            User practice
            IdentityFile %s
            UserKnownHostsFile %s
            IdentityAgent none
            StrictHostKeyChecking yes
            PreferredAuthentications publickey
          """
              .formatted(server.port(), key, knownHosts));
      exercise.run(server, config);
    } finally {
      for (Path file : List.of(key, knownHosts, config, home)) {
        Files.deleteIfExists(file);
      }
    }
  }

  private static void tunnel(PracticeServer server, Path config) throws Exception {
    int port = freePort();
    FutureTask<Void> user =
        new FutureTask<>(
            () -> {
              // Its hanging up ends the client, whatever happened.
              try (server) {
                use(port);
              }
              return null;
            });
    Thread.ofPlatform().daemon().name("training-user").start(user);
    expect(
        FAILURE, Adit.run("-F", config.toString(), "-N", "-L", port + ":localhost:7", "practice"));
    user.get();
  }

  /** The gateway as a service starts it, and clients' tunnels through it. */
  private static void gateway() throws Exception {
    Path home = Files.createTempDirectory("adit-training");
    Path userKey = home.resolve("id_ed25519");
    Path hostKey = home.resolve("host_key");
    Path authorizedKeys = home.resolve("authorized_keys");
    Path knownHosts = home.resolve("known_hosts");
    Path config = home.resolve("config");
    Path serverConfig = home.resolve("sshd_config");
    Path log = home.resolve("log");
    int port = freePort();
    Files.writeString(authorizedKeys, HostKey.generate(userKey, "practice").publicKeyLine() + "\n");
    Files.writeString(
        serverConfig,
        """
        Port %d
        ListenAddress 127.0.0.1
        TunnelUsers practice
        AuthorizedKeysFile %s
        StrictModes no
        DrainTime 0
        """
            .formatted(port, authorizedKeys));
    var serving =
        new FutureTask<>(
            () ->
                Aditd.run(
                    "-D",
                    "-E",
                    log.toString(),
                    "-f",
                    serverConfig.toString(),
                    "-h",
                    hostKey.toString()));
    try (ServerSocket target = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Thread.ofPlatform().daemon().name("training-target").start(() -> echoAll(target));
      Thread.ofPlatform().daemon().name("training-gateway").start(serving);
      awaitPort(port);
      // The clients here take the signals for themselves.
      var term = new Signal("TERM");
      SignalHandler drain = Signal.handle(term, SignalHandler.SIG_IGN);
      Files.writeString(
          knownHosts, "[127.0.0.1]:%d %s%n".formatted(port, HostKey.read(hostKey).publicKeyLine()));
      Files.writeString(
          config,
          """
          Host practice
            HostName 127.0.0.1
            Port %d
            User practice
            IdentityFile %s
            UserKnownHostsFile %s
            IdentityAgent none
            BatchMode yes
          """
              .formatted(port, userKey, knownHosts));
      String place = "127.0.0.1:" + target.getLocalPort();
      for (String kex : KEY_EXCHANGES) {
        String kexOption = "KexAlgorithms=" + kex;
        expect(0, Adit.run("-F", config.toString(), "-o", kexOption, "-W", place, "practice"));
      }
      int local = freePort();
      FutureTask<Void> user =
          new FutureTask<>(
              () -> {
                // Its end ends the client, whatever happened.
                try {
                  use(local);
                } finally {
                  drain.handle(term);
                }
                return null;
              });
      Thread.ofPlatform().daemon().name("training-user").start(user);
      expect(
          FAILURE, Adit.run("-F", config.toString(), "-N", "-L", local + ":" + place, "practice"));
      user.get();
      expect(0, serving.get());
    } finally {
      for (Path file :
          List.of(userKey, hostKey, authorizedKeys, knownHosts, config, serverConfig, log)) {
        Files.deleteIfExists(file);
        Files.deleteIfExists(Path.of(file + ".pub"));
      }
      Files.deleteIfExists(home);
    }
  }

  /** Sends back what comes, until the listener is closed. */
  private static void echoAll(ServerSocket listener) {
    while (true) {
      try {
        Socket socket = listener.accept();
        Thread.ofPlatform()
            .daemon()
            .name("training-echo")
            .start(
                () -> {
                  try (socket) {
                    socket.getInputStream().transferTo(socket.getOutputStream());
                  } catch (IOException _) {
                    // Its client has gone.
                  }
                });
      } catch (IOException _) {
        return;
      }
    }
  }

  /** A command, whose standard input is empty. */
  private static void command(Path config, String... flags) throws IOException {
    List<String> arguments = new ArrayList<>(List.of("-F", config.toString()));
    arguments.addAll(List.of(flags));
    arguments.addAll(List.of("practice", "command"));
    expect(0, Adit.run(arguments.toArray(String[]::new)));
  }

  private static void use(int port) throws IOException, InterruptedException {
    awaitPort(port);
    echo(port, BYTES);
    for (int i = 0; i < CONNECTIONS; i++) {
      echo(port, 1);
    }
  }

  private static void awaitPort(int port) throws IOException, InterruptedException {
    long start = System.nanoTime();
    while (true) {
      try (Socket probe = connect(port)) {
        return;
      } catch (ConnectException e) {
        if (System.nanoTime() - start > PATIENCE_NANOS) {
          throw new IOException("the client did not open its port", e);
        }
        TimeUnit.MILLISECONDS.sleep(5);
      }
    }
  }

  private static Socket connect(int port) throws IOException {
    return new Socket(InetAddress.getLoopbackAddress(), port);
  }

  /** Sends bytes from a thread of their own, and takes them back here. */
  private static void echo(int port, int bytes) throws IOException, InterruptedException {
    try (Socket socket = connect(port)) {
      byte[] sent = new byte[bytes];
      new Random(1).nextBytes(sent);
      FutureTask<Void> sender =
          new FutureTask<>(
              () -> {
                socket.getOutputStream().write(sent);
                socket.shutdownOutput();
                return null;
              });
      Thread.ofPlatform().name("training-sender").start(sender);
      byte[] back = socket.getInputStream().readAllBytes();
      if (!Arrays.equals(back, sent)) {
        throw new IOException("%d of %d bytes came back".formatted(back.length, bytes));
      }
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return probe.getLocalPort();
    }
  }

  private static void expect(int status, int got) {
    if (got != status) {
      throw new IllegalStateException("exit status " + got + " instead of " + status);
    }
  }
}
