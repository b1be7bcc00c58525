package dev.adit.interop;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Mixed load for as long as one likes, after which {@code adit} and {@code aditd} must hold what
 * they held after the warm-up. {@code interop/soak} runs it for an hour and a million cycles.
 *
 * <p>Three pairs of programs carry -L, -R and -D at once: adit to aditd, adit to OpenSSH's sshd,
 * and OpenSSH's ssh to aditd. At the end of each period the load stops, every connection ends, and
 * a row of the table is measured.
 */
class SoakTest {
  private static final double MINUTES =
      Double.parseDouble(System.getProperty("adit.soak.minutes", "0.2"));

  private static final boolean SHORT = MINUTES < 5;

  /** Connections opened and closed: a million in an hour. */
  private static final long CYCLES = Math.round(MINUTES * 1_000_000 / 60);

  /** Each ends with a row of the table; the first is the warm-up. */
  private static final int PERIODS = SHORT ? 2 : 12;

  private static final Duration PERIOD = Duration.ofMillis(Math.round(MINUTES * 60_000 / PERIODS));

  /** So much of a period is planned for its cycles; the rest is for a machine that is busy. */
  private static final double PLANNED = 0.8;

  /**
   * How far a program may be above its first row. Buffers come in chunks of 1 MiB; a pool of
   * threads ends its idle ones by and by.
   */
  private static final JvmUsage TOLERANCE =
      new JvmUsage(SHORT ? 4 << 20 : 2 << 20, 4 << 20, 2, 0, 4, 4);

  /** For what comes by itself; long enough for a machine that is suspended for some minutes. */
  private static final Duration PATIENCE = Duration.ofMinutes(10);

  private static final int WORKERS_EACH_WAY = 2;

  private static final int BULK = SHORT ? 8 << 20 : 32 << 20;
  private static final Duration BETWEEN_BULKS = Duration.ofSeconds(SHORT ? 2 : 8);

  /** What a slow reader takes at a time, how often, and of how much: it never takes all. */
  private static final int SIP = 64 * 1024;

  private static final Duration BETWEEN_SIPS = Duration.ofMillis(100);
  private static final int SIPPED = SHORT ? 2 << 20 : 8 << 20;

  private static final Duration BETWEEN_LOGINS = Duration.ofSeconds(SHORT ? 1 : 5);

  /** Many exchanges of keys a minute with this load, asked for by either side. */
  private static final String REKEY_LIMIT = "4M";

  private static final int MAX_MESSAGE = 4096;

  private final TestServer echo = TestServer.start(TestServer.echo());
  private final TestServer bulk = TestServer.start(Tunnels.bulk(BULK));
  private final TestServer source = TestServer.start(TestServer.source(7, 4L * SIPPED));
  private final List<TestServer> targets = List.of(echo, bulk, source);

  private final List<Client> clients = new ArrayList<>();
  private final AtomicLong cycles = new AtomicLong();
  private final AtomicLong bytes = new AtomicLong();
  private final AtomicLong logins = new AtomicLong();
  private final List<Throwable> failures = new CopyOnWriteArrayList<>();
  private volatile boolean periodOver;

  @AfterEach
  void stop() {
    clients.forEach(Client::close);
    targets.forEach(TestServer::close);
  }

  /** {@code adit} or {@code ssh} with each kind of forwarding to each target. */
  private final class Client implements AutoCloseable {
    private final Program.Running running;
    private final List<Way> ways = new ArrayList<>();

    Client(Program program) {
      int socks = Ports.free();
      program.arguments("-N", "-o", "RekeyLimit=" + REKEY_LIMIT, "-D", socks);
      ways.add(target -> Tunnels.socks5(socks, target.port()));
      int last = socks;
      for (String flag : List.of("-L", "-R")) {
        Map<TestServer, Integer> ports = new LinkedHashMap<>();
        for (TestServer target : targets) {
          last = Ports.free();
          ports.put(target, last);
          program.arguments(flag, last + ":127.0.0.1:" + target.port());
        }
        ways.add(target -> Tunnels.connect(ports.get(target)));
      }
      running = program.arguments("127.0.0.1").noStdin().start().awaitListening(last);
      clients.add(this);
    }

    @Override
    public void close() {
      running.close();
    }
  }

  /** Through a tunnel to a target. */
  private interface Way {
    Socket to(TestServer target) throws IOException;
  }

  private interface Step {
    void run() throws Exception;
  }

  @Test
  @Timeout(value = 1, unit = TimeUnit.DAYS) // Each wait has a bound of its own.
  void afterTheLoadNothingIsHeldThatWasNotHeldAfterTheWarmUp() throws Exception {
    try (var home = new Scratch();
        var aditd =
            AditdServer.start(
                JvmUsage.ENVIRONMENT,
                List.of(Keys.Type.ED25519),
                "LogLevel INFO",
                "RekeyLimit " + REKEY_LIMIT);
        var sshd =
            OpenSshServer.start(
                List.of(Keys.Type.ED25519), "LogLevel INFO", "RekeyLimit " + REKEY_LIMIT)) {
      Client aditToAditd = new Client(adit(home, aditd.to()));
      Client aditToSshd = new Client(adit(home, AditProcess.to(sshd)));
      Client sshToAditd = new Client(aditd.ssh("-o", "LogLevel=ERROR"));
      Map<String, Long> ours = new LinkedHashMap<>();
      ours.put("aditd", aditd.process().pid());
      ours.put("adit to aditd", aditToAditd.running.pid());
      ours.put("adit to sshd", aditToSshd.running.pid());
      Map<String, Long> all = new LinkedHashMap<>(ours);
      all.put("ssh", sshToAditd.running.pid());
      ProcessHandle.of(sshd.pid())
          .orElseThrow()
          .descendants()
          .forEach(process -> all.put("sshd " + process.pid(), process.pid()));
      // The first question opens a socket for those that follow.
      ours.values().forEach(JvmUsage::of);
      awaitNoConnections();
      Map<String, Long> idle = sockets(all);

      Map<String, JvmUsage> warm = new LinkedHashMap<>();
      List<String> leaks = new ArrayList<>();
      heading();
      long started = System.nanoTime();
      for (int period = 1; period <= PERIODS; period++) {
        load(aditd, CYCLES * period / PERIODS);
        awaitNoConnections();
        Awaitility.await()
            .atMost(PATIENCE)
            .untilAsserted(() -> assertThat(sockets(all)).isEqualTo(idle));
        leaks.clear();
        ours.forEach(
            (name, pid) -> {
              JvmUsage usage = JvmUsage.of(pid);
              row(started, name, usage, Program.Running.residentBytes(pid));
              leaks.addAll(usage.above(warm.computeIfAbsent(name, _ -> usage), TOLERANCE, name));
            });
      }
      assertThat(leaks).isEmpty();
      assertThat(cycles.get()).isGreaterThanOrEqualTo(CYCLES);
      for (Client client : clients) {
        assertThat(client.running.isAlive()).as(client.running::toString).isTrue();
      }
    }
  }

  private static Program adit(Scratch home, Object... server) {
    Program program = AditProcess.adit(home.dir(), server);
    JvmUsage.ENVIRONMENT.forEach(program::env);
    return program;
  }

  // ---- The table ------------------------------------------------------------------------------

  private void heading() {
    System.out.printf(
        "%7s %8s %7s %6s  %-13s %9s %10s %9s %6s %8s %8s%n",
        "minute",
        "cycles",
        "MB",
        "logins",
        "program",
        "heap KiB",
        "direct KiB",
        "RSS KiB",
        "files",
        "threads",
        "virtual");
  }

  private void row(long started, String program, JvmUsage usage, long resident) {
    System.out.printf(
        "%7.1f %8d %7d %6d  %-13s %9d %10d %9d %6d %8d %8d%n",
        (System.nanoTime() - started) / 60e9,
        cycles.get(),
        bytes.get() / 1_000_000,
        logins.get(),
        program,
        usage.heap() / 1024,
        usage.direct() / 1024,
        resident / 1024,
        usage.descriptors(),
        usage.threads(),
        usage.virtualThreads());
    System.out.flush();
  }

  private static Map<String, Long> sockets(Map<String, Long> pids) {
    Map<String, Long> sockets = new LinkedHashMap<>();
    pids.forEach((name, pid) -> sockets.put(name, JvmUsage.sockets(pid)));
    return sockets;
  }

  private void awaitNoConnections() {
    Awaitility.await("the targets' connections to end")
        .atMost(PATIENCE)
        .until(() -> targets.stream().allMatch(target -> target.open() == 0));
  }

  // ---- The load -------------------------------------------------------------------------------

  /** Until the period is over and so many cycles have been made since the start. */
  private void load(AditdServer aditd, long until) throws InterruptedException {
    periodOver = false;
    long start = System.nanoTime();
    long from = cycles.get();
    long between = Math.round(PERIOD.toNanos() * PLANNED / (until - from));
    AtomicLong next = new AtomicLong();
    List<Thread> workers = new ArrayList<>();
    for (Client client : clients) {
      for (Way way : client.ways) {
        for (int i = 0; i < WORKERS_EACH_WAY; i++) {
          workers.add(
              worker(
                  Duration.ZERO,
                  () -> {
                    long number = next.getAndIncrement();
                    sleepUntil(start + number * between);
                    cycle(way, number);
                  }));
        }
        workers.add(worker(Duration.ZERO, () -> readSlowly(way)));
      }
      AtomicLong turn = new AtomicLong();
      workers.add(
          worker(
              BETWEEN_BULKS,
              () -> {
                int way = (int) (turn.getAndIncrement() % client.ways.size());
                Tunnels.exchangeBulk(client.ways.get(way).to(bulk), BULK);
                bytes.addAndGet(2L * BULK);
              }));
    }
    workers.add(worker(BETWEEN_LOGINS, () -> logIn(aditd)));
    workers.forEach(Thread::start);
    while (failures.isEmpty()
        && (cycles.get() < until || System.nanoTime() - start < PERIOD.toNanos())) {
      Thread.sleep(100);
      assertThat(System.nanoTime() - start)
          .as("%d of %d cycles", cycles.get(), until)
          .isLessThan(PERIOD.multipliedBy(3).plus(PATIENCE).toNanos());
    }
    periodOver = true;
    for (Thread worker : workers) {
      worker.join();
    }
    if (!failures.isEmpty()) {
      throw new AssertionError(failures.size() + " failures under load", failures.getFirst());
    }
  }

  /** Takes its step again and again until the period is over. */
  private Thread worker(Duration pause, Step step) {
    return Thread.ofPlatform()
        .unstarted(
            () -> {
              try {
                while (!periodOver) {
                  step.run();
                  sleepUntil(System.nanoTime() + pause.toNanos());
                }
              } catch (Throwable e) {
                failures.add(e);
              }
            });
  }

  private void sleepUntil(long nanoTime) {
    long left;
    while (!periodOver && (left = nanoTime - System.nanoTime()) > 0) {
      LockSupport.parkNanos(Math.min(left, 100_000_000));
    }
  }

  /** A connection opened, used and ended in one of the ways in which programs end theirs. */
  private void cycle(Way way, long number) throws IOException {
    byte[] message = RandomBytes.of(number, 1 + (int) (number * 31 % MAX_MESSAGE));
    try (Socket socket = way.to(echo)) {
      socket.setSoTimeout((int) PATIENCE.toMillis());
      switch ((int) (number % 4)) {
        case 0 -> {
          socket.getOutputStream().write(message);
          assertThat(socket.getInputStream().readNBytes(message.length)).isEqualTo(message);
        }
        case 1 -> {
          socket.getOutputStream().write(message);
          socket.shutdownOutput();
          assertThat(socket.getInputStream().readAllBytes()).isEqualTo(message);
        }
        case 2 -> {
          socket.getOutputStream().write(message);
          assertThat(socket.getInputStream().read()).isEqualTo(message[0] & 0xff);
          socket.setSoLinger(true, 0);
        }
        default -> {
          // Gone before it has said a word.
        }
      }
    }
    bytes.addAndGet(2L * message.length);
    cycles.incrementAndGet();
  }

  /** Reads a part, slower than it comes, and goes without the rest. */
  private void readSlowly(Way way) throws IOException {
    try (Socket socket = way.to(source)) {
      socket.setSoTimeout((int) PATIENCE.toMillis());
      byte[] expected = RandomBytes.of(7, SIPPED);
      for (int at = 0; at < SIPPED && !periodOver; at += SIP) {
        byte[] sip = socket.getInputStream().readNBytes(SIP);
        assertThat(Arrays.equals(sip, 0, SIP, expected, at, at + SIP)).as("byte " + at).isTrue();
        bytes.addAndGet(SIP);
        sleepUntil(System.nanoTime() + BETWEEN_SIPS.toNanos());
      }
    }
  }

  /** A login with a command, and a connection that ends before it has begun. */
  private void logIn(AditdServer aditd) throws IOException {
    try (var ssh = aditd.ssh("127.0.0.1", "echo in").noStdin().start();
        Socket silent = Tunnels.connect(aditd.port())) {
      silent.getOutputStream().write("SSH-2.0-gone".getBytes(US_ASCII));
      assertThat(ssh.exitCode(PATIENCE)).as(ssh::toString).isZero();
      assertThat(ssh.stdout()).isEqualTo("in\n");
    }
    logins.incrementAndGet();
  }
}
