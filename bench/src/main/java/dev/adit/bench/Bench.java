package dev.adit.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * {@code adit} to a real sshd beside {@code ssh} to the same sshd, in turn (A B A B ...), so that
 * the ratio of a row holds although the machine's speed drifts. Prints medians and ratios.
 */
public final class Bench {
  private static final List<String> SIDES = List.of("ssh", "adit");

  private final Path aditLauncher;
  private final int rounds;
  private final long bytes;
  private final Path dir;
  private final String cipher;

  /** Measurements by row and side, in the order in which they were made. */
  private final Map<String, Map<String, List<Double>>> figures = new LinkedHashMap<>();

  private Bench(Path aditLauncher, int rounds, long bytes, String cipher, Path dir) {
    this.aditLauncher = aditLauncher;
    this.rounds = rounds;
    this.bytes = bytes;
    this.cipher = cipher;
    this.dir = dir;
  }

  /** Arguments: the launcher, {@code --quick}, {@code --cipher NAME}. */
  public static void main(String[] args) throws Exception {
    List<String> rest = new ArrayList<>(Arrays.asList(args));
    boolean quick = rest.remove("--quick");
    String cipher = "aes128-gcm@openssh.com";
    int i = rest.indexOf("--cipher");
    if (i >= 0 && i + 1 < rest.size()) {
      cipher = rest.get(i + 1);
      rest.subList(i, i + 2).clear();
    }
    if (rest.size() != 1) {
      System.err.println("usage: bench/run [--quick] [--cipher NAME]");
      System.exit(255);
    }
    Path dir =
        Files.createTempDirectory(
            "adit-bench",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    new Bench(Path.of(rest.getFirst()), quick ? 3 : 7, quick ? 1L << 30 : 1L << 31, cipher, dir)
        .run();
  }

  private void run() throws Exception {
    try (Sshd sshd = new Sshd(dir);
        LoadServer server = new LoadServer()) {
      warmUp(server);
      for (int round = 0; round < rounds; round++) {
        // Who begins changes, so that neither always finds the machine as the other left it.
        for (String side : round % 2 == 0 ? SIDES : SIDES.reversed()) {
          System.err.printf("round %d of %d: %s%n", round + 1, rounds, side);
          measure(side, sshd, server);
        }
      }
    }
    print();
  }

  /** The bench's own code is compiled before it measures anybody. */
  private static void warmUp(LoadServer server) throws Exception {
    System.err.println("warming up");
    Load direct = new Load(server.port());
    direct.up(1L << 29);
    direct.down(1L << 29);
    direct.roundTrips(20_000);
    direct.connections(2_000, 1);
    direct.connections(2_000, 50);
  }

  private void measure(String side, Sshd sshd, LoadServer server) throws Exception {
    int port = freePort();
    Path log = dir.resolve(side + ".log");
    try (Tunnel tunnel = Tunnel.start(command(side, sshd, port, server.port()), port, log)) {
      add("process start to port open, ms", side, tunnel.readyMillis());
      Load load = tunnel.load();
      add("first 64 MiB up of a fresh process, MB/s", side, load.up(64 << 20));
      bulk("up", load::up, side, tunnel, sshd);
      bulk("down", load::down, side, tunnel, sshd);
      double[] trips = load.roundTrips(20_000);
      add("64-byte round trip p50, us", side, trips[trips.length / 2]);
      add("64-byte round trip p99, us", side, trips[trips.length * 99 / 100]);
      add("connections/s, one at a time", side, load.connections(2_000, 1));
      add("connections/s, 50 at a time", side, load.connections(5_000, 50));
      add("resident memory afterwards, MB", side, Proc.residentMegabytes(tunnel.pid()));
    }
    int idlePort = freePort();
    try (Tunnel idle = Tunnel.start(command(side, sshd, idlePort, server.port()), idlePort, log)) {
      TimeUnit.SECONDS.sleep(1);
      add("resident memory, idle with one forward, MB", side, Proc.residentMegabytes(idle.pid()));
    }
  }

  private interface Transfer {
    /** Megabytes (10^6) a second. */
    double of(long bytes) throws IOException;
  }

  private void bulk(String direction, Transfer transfer, String side, Tunnel tunnel, Sshd sshd)
      throws IOException {
    double clientBefore = Proc.cpuSecondsOfTree(tunnel.pid());
    double serverBefore = Proc.cpuSecondsOfTree(sshd.pid());
    add("bulk " + direction + ", MB/s", side, transfer.of(bytes));
    double gigabytes = bytes / 1e9;
    double client = Proc.cpuSecondsOfTree(tunnel.pid()) - clientBefore;
    double server = Proc.cpuSecondsOfTree(sshd.pid()) - serverBefore;
    add("CPU of the client, " + direction + ", s/GB", side, client / gigabytes);
    add("CPU of sshd, " + direction + ", s/GB", side, server / gigabytes);
  }

  private List<String> command(String side, Sshd sshd, int port, int target) {
    List<String> command = new ArrayList<>();
    command.add(side.equals("ssh") ? "ssh" : aditLauncher.toString());
    command.addAll(List.of("-F", "none", "-N", "-T", "-o", "BatchMode=yes"));
    command.addAll(List.of("-i", sshd.userKey().toString(), "-o", "IdentitiesOnly=yes"));
    command.addAll(List.of("-o", "IdentityAgent=none", "-o", "GlobalKnownHostsFile=/dev/null"));
    command.addAll(List.of("-o", "UserKnownHostsFile=" + sshd.knownHosts()));
    command.addAll(List.of("-o", "StrictHostKeyChecking=yes", "-c", cipher));
    command.addAll(List.of("-p", Integer.toString(sshd.port())));
    command.addAll(List.of("-L", "127.0.0.1:" + port + ":127.0.0.1:" + target));
    command.add(System.getProperty("user.name") + "@127.0.0.1");
    return command;
  }

  static int freePort() throws IOException {
    try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return probe.getLocalPort();
    }
  }

  private void add(String row, String side, double value) {
    figures
        .computeIfAbsent(row, _ -> new LinkedHashMap<>())
        .computeIfAbsent(side, _ -> new ArrayList<>())
        .add(value);
  }

  private void print() {
    System.out.printf(
        "%s, %d processors, %s; %d rounds in turn; medians (least .. most); the ratio is the median"
            + " of the rounds' ratios; load average %s%n%n",
        cipher,
        Runtime.getRuntime().availableProcessors(),
        System.getProperty("os.name") + " " + System.getProperty("os.version"),
        rounds,
        Proc.loadAverage());
    System.out.printf("%-46s %28s %28s %10s%n", "", "ssh to sshd", "adit to sshd", "adit/ssh");
    figures.forEach(
        (row, sides) -> {
          List<Double> ssh = sides.getOrDefault("ssh", List.of());
          List<Double> adit = sides.getOrDefault("adit", List.of());
          List<Double> ratios = new ArrayList<>();
          for (int i = 0; i < Math.min(ssh.size(), adit.size()); i++) {
            ratios.add(adit.get(i) / ssh.get(i));
          }
          System.out.printf(
              Locale.ROOT,
              "%-46s %28s %28s %10.2f%n",
              row,
              summary(ssh),
              summary(adit),
              median(ratios));
        });
  }

  private static String summary(List<Double> values) {
    return String.format(
        Locale.ROOT,
        "%.2f (%.2f .. %.2f)",
        median(values),
        values.stream().mapToDouble(v -> v).min().orElse(Double.NaN),
        values.stream().mapToDouble(v -> v).max().orElse(Double.NaN));
  }

  private static double median(List<Double> values) {
    if (values.isEmpty()) {
      return Double.NaN;
    }
    List<Double> sorted = values.stream().sorted().toList();
    int middle = sorted.size() / 2;
    return sorted.size() % 2 == 1
        ? sorted.get(middle)
        : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
  }
}
