package dev.adit.interop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.interop.CuttingProxy.Cut;
import dev.adit.ssh.ConnectOptions;
import dev.adit.ssh.Forward;
import dev.adit.ssh.ForwardSpec;
import dev.adit.ssh.HostKeyPolicy;
import dev.adit.ssh.SshClient;
import dev.adit.ssh.SshConnection;
import dev.adit.ssh.SshException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The TCP connection under a tunnel is cut while data goes both ways: both ends of the tunnel say
 * so soon, everything is given back, and no receiver of relayed data takes the cut for an end.
 *
 * <p>{@code interop/cuts} runs it a thousand times.
 */
class CutTest {
  private static final int CUTS = Integer.getInteger("adit.cuts", 100);
  private static final long SEED = Long.getLong("adit.cuts.seed", System.nanoTime());
  private static final int AT_ONCE = 10;

  /** Bytes each way, and the number of carried bytes below which the cut comes. */
  private static final int SIZE = 8 << 20;

  private static final int CUT_BELOW = 6 << 20;

  private static final byte[] TO_TARGET = RandomBytes.of(1, SIZE);
  private static final byte[] FROM_TARGET = RandomBytes.of(2, SIZE);

  /** A silent connection is found dead after some seconds in this test. */
  private static final Duration ALIVE_INTERVAL = Duration.ofSeconds(2);

  private static final int ALIVE_COUNT = 3;
  private static final String[] ALIVE_LINES = {
    "ClientAliveInterval 2",
    "ClientAliveCountMax 3",
    "LogLevel VERBOSE",
    "GatewayPorts clientspecified"
  };

  /** Long for a machine that is busy; nothing here would end by itself later. */
  private static final Duration PROMPT = Duration.ofSeconds(45);

  private static final Pattern IN = Pattern.compile("^Accepted publickey", Pattern.MULTILINE);
  private static final Pattern OUT =
      Pattern.compile(
          "^(Connection closed by|Disconnected from|Disconnecting) user", Pattern.MULTILINE);

  /** What an application says first: who will send. */
  private static final int UP = 'u';

  private static final int DOWN = 'd';

  /** How a receiver's stream came to its end. */
  private record Received(boolean isRight, int bytes, boolean wasReset) {}

  @Test
  @Timeout(value = 1, unit = TimeUnit.HOURS) // Each wait has a bound of its own.
  void aCutEndsBothEndsSoonLeavesNothingAndIsNeverTakenForAnEnd() throws Exception {
    System.out.printf("%d cuts: -Dadit.cuts.seed=%d cuts the same again%n", CUTS, SEED);
    try (var aditd = AditdServer.start(ALIVE_LINES);
        var sshd = OpenSshServer.start(List.of(Keys.Type.ED25519), ALIVE_LINES);
        SshClient client = SshClient.create()) {
      long self = ProcessHandle.current().pid();
      long gateway = aditd.process().pid();
      // The first question opens a socket for those that follow.
      JvmUsage.virtualThreads(self);
      JvmUsage.virtualThreads(gateway);
      long idleSockets = JvmUsage.sockets(self);
      long idleGateway = JvmUsage.sockets(gateway);
      // What is set up once is there before threads are counted.
      cut(client, aditd.port(), true, new Random(SEED), "-L", Cut.RESET);
      cut(client, sshd.port(), false, new Random(SEED), "-R", Cut.RESET);
      awaitSockets(self, idleSockets, gateway, idleGateway);
      long idleThreads = JvmUsage.virtualThreads(self);
      long idleGatewayThreads = JvmUsage.virtualThreads(gateway);

      Tunnels.inParallel(
          AT_ONCE,
          CUTS,
          i -> {
            var random = new Random(SEED + i);
            boolean toAditd = i / 3 % 2 == 0;
            String mode = List.of("-L", "-R", "-D").get(i % 3);
            Cut cut = Cut.values()[random.nextInt(Cut.values().length)];
            try {
              cut(client, toAditd ? aditd.port() : sshd.port(), toAditd, random, mode, cut);
            } catch (Throwable e) {
              throw new AssertionError(
                  "cut %d: %s of %s to %s".formatted(i, cut, mode, toAditd ? "aditd" : "sshd"), e);
            }
          });

      awaitSockets(self, idleSockets, gateway, idleGateway);
      Awaitility.await()
          .atMost(PROMPT)
          .untilAsserted(
              () -> {
                assertThat(ProcessHandle.of(sshd.pid()).orElseThrow().descendants()).isEmpty();
                assertThat(JvmUsage.virtualThreads(self))
                    .as("threads of the client")
                    .isLessThanOrEqualTo(idleThreads);
                assertThat(JvmUsage.virtualThreads(gateway))
                    .as("threads of aditd")
                    .isLessThanOrEqualTo(idleGatewayThreads);
                String log = aditd.log();
                assertThat(OUT.matcher(log).results().count())
                    .as("users of whom aditd says that they are gone")
                    .isEqualTo(IN.matcher(log).results().count());
              });
      assertThat(aditd.log()).doesNotContain("Exception");
    }
  }

  private static void awaitSockets(long self, long ours, long gateway, long its) {
    Awaitility.await()
        .atMost(PROMPT)
        .untilAsserted(
            () -> {
              assertThat(JvmUsage.sockets(self)).as("here").isLessThanOrEqualTo(ours);
              assertThat(JvmUsage.sockets(gateway)).as("in aditd").isEqualTo(its);
            });
  }

  /**
   * One tunnel with data both ways, and one cut. Each way has a connection of its own: the kernel
   * tells of a reset once, and a socket's writer would take it from its reader.
   *
   * @param serverResets whether the server resets what it relays; OpenSSH's closes it
   */
  private static void cut(
      SshClient client, int server, boolean serverResets, Random random, String mode, Cut how)
      throws Exception {
    long after = random.nextInt(CUT_BELOW);
    var bothAreThere = new CountDownLatch(2);
    var cutIsSet = new CountDownLatch(1);
    var atTarget = new CompletableFuture<Received>();
    try (var target =
            TestServer.start(
                connection -> {
                  int way = connection.in().read();
                  bothAreThere.countDown();
                  if (way == UP) {
                    atTarget.complete(receive(connection.in(), TO_TARGET));
                  } else {
                    cutIsSet.await();
                    send(connection.out(), FROM_TARGET);
                    connection.in().read();
                  }
                });
        var proxy = new CuttingProxy(server, how)) {
      SshConnection connection =
          client.connect(
              ConnectOptions.to("127.0.0.1")
                  .port(proxy.port())
                  .user(System.getProperty("user.name"))
                  .hostKeyPolicy(HostKeyPolicy.acceptAnyInsecurely())
                  .identityFile(Keys.shared(Keys.Type.ED25519).path())
                  .serverAlive(ALIVE_INTERVAL, ALIVE_COUNT)
                  .build());
      // For both families sshd takes a port that is free in one: others here have 127.0.0.1's.
      Forward forward =
          connection.forward(
              switch (mode) {
                case "-L" -> ForwardSpec.parseLocal(Ports.free() + ":127.0.0.1:" + target.port());
                case "-R" -> ForwardSpec.parseRemote("127.0.0.1:0:127.0.0.1:" + target.port());
                default -> ForwardSpec.parseDynamic(Integer.toString(Ports.free()));
              });
      int port = forward.port();
      try (Socket up = application(mode, port, target.port());
          Socket down = application(mode, port, target.port())) {
        up.getOutputStream().write(UP);
        down.getOutputStream().write(DOWN);
        assertThat(bothAreThere.await(PROMPT.toSeconds(), TimeUnit.SECONDS))
            .as(
                "bytes at the target before the cut: %d connections, port %d, %s",
                target.accepted(), port, connection.closed())
            .isTrue();
        proxy.cutAfter(after);
        cutIsSet.countDown();
        OutputStream out = up.getOutputStream();
        Thread.ofVirtual().start(() -> send(out, TO_TARGET));
        InputStream in = down.getInputStream();
        var atApplication =
            CompletableFuture.supplyAsync(
                () -> receive(in, FROM_TARGET), task -> Thread.ofVirtual().start(task));
        proxy.awaitCut();

        SshException why = connection.closed().get(PROMPT.toSeconds(), TimeUnit.SECONDS);
        assertThat(why).isInstanceOf(SshException.Disconnected.class);
        boolean applicationIsOurs = !mode.equals("-R");
        check(atApplication, applicationIsOurs || serverResets, "application");
        check(atTarget, !applicationIsOurs || serverResets, "target");
        Ports.await("port " + port + " to be free again", () -> Ports.isFree(port));
      }
    }
  }

  private static Socket application(String mode, int port, int target) throws IOException {
    return mode.equals("-D") ? Tunnels.socks5(port, target) : Tunnels.connect(port);
  }

  private static void check(CompletableFuture<Received> future, boolean mustBeReset, String where)
      throws Exception {
    Received received = future.get(PROMPT.toSeconds(), TimeUnit.SECONDS);
    assertThat(received.isRight).as("bytes at the " + where).isTrue();
    assertThat(received.bytes).as("bytes at the " + where).isLessThan(SIZE);
    if (mustBeReset) {
      assertThat(received.wasReset).as("reset at the " + where).isTrue();
    }
  }

  private static void send(OutputStream out, byte[] bytes) {
    try {
      out.write(bytes);
    } catch (IOException _) {
      // The cut.
    }
  }

  private static Received receive(InputStream in, byte[] expected) {
    byte[] buffer = new byte[64 * 1024];
    boolean right = true;
    int at = 0;
    try {
      for (int n; (n = in.read(buffer)) >= 0; at += n) {
        right &= Arrays.equals(buffer, 0, n, expected, at, at + n);
      }
      return new Received(right, at, false);
    } catch (IOException _) {
      return new Received(right, at, true);
    }
  }
}
