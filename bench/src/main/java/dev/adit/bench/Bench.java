package dev.adit.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * {@code ssh} and {@code adit} as clients of {@code sshd} and {@code aditd}, in turn (A B A B ...),
 * so that the ratio of a row holds although the machine's speed drifts. Prints medians and ratios.
 */
public final class Bench {

  /** A client and a server. */
  private enum Pair {
    SSH_SSHD,
    ADIT_SSHD,
    SSH_ADITD,
    ADIT_ADITD;

    boolean withAdit() {
      return this == ADIT_SSHD || this == ADIT_ADITD;
    }

    boolean withAditd() {
      return this == SSH_ADITD || this == ADIT_ADITD;
    }

    /** As in {@code --pairs}. */
    static Pair of(String name) {
      return valueOf(name.strip().toUpperCase(Locale.ROOT).replace('-', '_'));
    }

    @Override
    public String toString() {
      return (withAdit() ? "adit" : "ssh") + " to " + (withAditd() ? "aditd" : "sshd");
    }
  }

  /** What the others are compared with, and so always measured. */
  private static final Pair YARDSTICK = Pair.SSH_SSHD;

  private static final double QUICK_HANDSHAKE_SECONDS = 1.5;
  private static final double HANDSHAKE_SECONDS = 4;
  private static final double WARM_UP_SECONDS = 4;

  private static final List<String> CURVE25519 = List.of("curve25519-sha256");

  private final Path aditLauncher;
  private final Set<Pair> pairs;
  private final boolean quick;
  private final int rounds;
  private final long bytes;
  private final Path dir;
  private final String cipher;

  /** Of clients with servers, by row and pair, in the order in which they were measured. */
  private final Map<String, Map<String, List<Double>>> figures = new LinkedHashMap<>();

  /** Of servers alone, by row and server. */
  private final Map<String, Map<String, List<Double>>> serverFigures = new LinkedHashMap<>();

  private Bench(Path aditLauncher, Set<Pair> pairs, boolean quick, String cipher, Path dir) {
    this.aditLauncher = aditLauncher;
    this.pairs = pairs;
    this.quick = quick;
    this.rounds = quick ? 3 : 7;
    this.bytes = quick ? 1L << 30 : 1L << 31;
    this.cipher = cipher;
    this.dir = dir;
  }

  /** Arguments: the directory of the launchers and the options of bench/run. */
  public static void main(String[] args) throws Exception {
    List<String> rest = new ArrayList<>(Arrays.asList(args));
    boolean quick = rest.remove("--quick");
    String cipher = value(rest, "--cipher", "aes128-gcm@openssh.com");
    String named = value(rest, "--pairs", "adit-sshd,ssh-aditd,adit-aditd");
    if (rest.size() != 1) {
      fail("what is " + String.join(" ", rest.subList(1, rest.size())) + "?");
    }
    Set<Pair> pairs = EnumSet.of(YARDSTICK);
    for (String name : named.split(",")) {
      try {
        pairs.add(Pair.of(name));
      } catch (IllegalArgumentException e) {
        fail("there is no pair " + name);
      }
    }
    Path dir =
        Files.createTempDirectory(
            "adit-bench",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    new Bench(Path.of(rest.getFirst()), pairs, quick, cipher, dir).run();
  }

  /** Takes an option and its value out of the arguments. */
  private static String value(List<String> rest, String option, String otherwise) {
    int i = rest.indexOf(option);
    if (i < 0) {
      return otherwise;
    }
    if (i + 1 == rest.size()) {
      fail(option + " needs a value");
    }
    String value = rest.get(i + 1);
    rest.subList(i, i + 2).clear();
    return value;
  }

  private static void fail(String why) {
    System.err.println("bench/run: " + why);
    System.err.println(
        "usage: bench/run [--quick] [--cipher NAME] [--pairs adit-sshd,ssh-aditd,adit-aditd]");
    System.exit(255);
  }

  private void run() throws Exception {
    Server.Keys keys = new Server.Keys(dir);
    boolean withAditd = pairs.stream().anyMatch(Pair::withAditd);
    try (Server sshd = Server.sshd(keys);
        Server aditd = withAditd ? Server.aditd(aditLauncher.resolve("aditd"), keys) : null;
        LoadServer load = new LoadServer();
        Handshakes handshakes = new Handshakes()) {
      List<Server> servers = aditd == null ? List.of(sshd) : List.of(sshd, aditd);
      for (Server server : servers) {
        addServer("resident memory at the start, MB", server, server.residentMegabytes());
      }
      warmUp(load, handshakes, servers);
      for (int round = 0; round < rounds; round++) {
        // Who begins changes, so that nobody always finds the machine as the same other left it.
        List<Pair> order = new ArrayList<>(pairs);
        Collections.rotate(order, -round);
        for (Pair pair : order) {
          System.err.printf("round %d of %d: %s%n", round + 1, rounds, pair);
          measure(pair, pair.withAditd() ? Objects.requireNonNull(aditd) : sshd, load);
        }
        for (Server server : round % 2 == 0 ? servers : servers.reversed()) {
          System.err.printf("round %d of %d: logins at %s%n", round + 1, rounds, server.name());
          measure(server, handshakes);
        }
      }
    }
    print();
    delete();
  }

  /** Keys, logs and all; after a failure they stay, to be looked at. */
  private void delete() throws IOException {
    try (Stream<Path> files = Files.list(dir)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(dir);
  }

  /** The bench's own code is compiled before it measures anybody. */
  private void warmUp(LoadServer server, Handshakes handshakes, List<Server> servers)
      throws Exception {
    System.err.println("warming up");
    Load direct = new Load(server.port());
    direct.up(1L << 29);
    direct.down(1L << 29);
    direct.roundTrips(20_000);
    direct.connections(2_000, 1);
    direct.connections(2_000, 50);
    // And so is a server's code for logins, which no figure here is to show.
    for (Server each : servers) {
      handshakes.run(each, CURVE25519, 8, WARM_UP_SECONDS);
      handshakes.run(each, List.of(), 8, WARM_UP_SECONDS);
    }
  }

  private void measure(Pair pair, Server server, LoadServer target) throws Exception {
    int port = freePort();
    String side = pair.toString();
    Path log = dir.resolve(pair + ".log");
    try (Tunnel tunnel = Tunnel.start(command(pair, server, port, target.port()), port, log)) {
      add("process start to port open, ms", side, tunnel.readyMillis());
      Load load = tunnel.load();
      add("first 64 MiB up of a fresh process, MB/s", side, load.up(64 << 20));
      bulk("up", load::up, side, tunnel, server);
      bulk("down", load::down, side, tunnel, server);
      double[] trips = load.roundTrips(20_000);
      add("64-byte round trip p50, us", side, trips[trips.length / 2]);
      add("64-byte round trip p99, us", side, trips[trips.length * 99 / 100]);
      add("connections/s, one at a time", side, load.connections(2_000, 1));
      add("connections/s, 50 at a time", side, load.connections(5_000, 50));
      add("memory of the client afterwards, MB", side, Proc.residentMegabytes(tunnel.pid()));
      add("memory of the server afterwards, MB", side, server.residentMegabytes());
    }
    int idlePort = freePort();
    try (Tunnel idle =
        Tunnel.start(command(pair, server, idlePort, target.port()), idlePort, log)) {
      TimeUnit.SECONDS.sleep(1);
      add("memory of an idle client, MB", side, Proc.residentMegabytes(idle.pid()));
    }
  }

  private interface Transfer {
    /** Megabytes (10^6) a second. */
    double of(long bytes) throws IOException;
  }

  private void bulk(String direction, Transfer transfer, String side, Tunnel tunnel, Server server)
      throws IOException {
    double clientBefore = Proc.cpuSecondsOfTree(tunnel.pid());
    double serverBefore = server.cpuSeconds();
    add("bulk " + direction + ", MB/s", side, transfer.of(bytes));
    double gigabytes = bytes / 1e9;
    double ofClient = Proc.cpuSecondsOfTree(tunnel.pid()) - clientBefore;
    double ofServer = server.cpuSeconds() - serverBefore;
    add("CPU of the client, " + direction + ", s/GB", side, ofClient / gigabytes);
    add("CPU of the server, " + direction + ", s/GB", side, ofServer / gigabytes);
  }

  private void measure(Server server, Handshakes handshakes) throws Exception {
    double seconds = quick ? QUICK_HANDSHAKE_SECONDS : HANDSHAKE_SECONDS;
    handshakes(server, handshakes, "curve25519", CURVE25519, 1, seconds);
    handshakes(server, handshakes, "curve25519", CURVE25519, 8, seconds);
    handshakes(server, handshakes, "preferred kex", List.of(), 8, seconds);
    addServer("resident memory after logins, MB", server, server.residentMegabytes());
  }

  private void handshakes(
      Server server,
      Handshakes handshakes,
      String label,
      List<String> kex,
      int atOnce,
      double seconds)
      throws Exception {
    Handshakes.Result result = handshakes.run(server, kex, atOnce, seconds);
    String how = label + (atOnce == 1 ? ", one at a time" : ", " + atOnce + " at a time");
    addServer("logins/s, " + how, server, result.perSecond());
    addServer("CPU of a login, " + how + ", ms", server, result.serverMillis());
  }

  private List<String> command(Pair pair, Server server, int port, int target) {
    Server.Keys keys = server.keys();
    List<String> command = new ArrayList<>();
    command.add(pair.withAdit() ? aditLauncher.resolve("adit").toString() : "ssh");
    command.addAll(List.of("-F", "none", "-N", "-T", "-o", "BatchMode=yes"));
    command.addAll(List.of("-i", keys.userKey().toString(), "-o", "IdentitiesOnly=yes"));
    command.addAll(List.of("-o", "IdentityAgent=none", "-o", "GlobalKnownHostsFile=/dev/null"));
    command.addAll(List.of("-o", "UserKnownHostsFile=" + keys.knownHosts()));
    command.addAll(List.of("-o", "HostKeyAlias=bench-server"));
    command.addAll(List.of("-o", "StrictHostKeyChecking=yes", "-c", cipher));
    command.addAll(List.of("-p", Integer.toString(server.port())));
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
    add(figures, row, side, value);
  }

  private void addServer(String row, Server server, double value) {
    add(serverFigures, row, server.name(), value);
  }

  private static void add(
      Map<String, Map<String, List<Double>>> to, String row, String column, double value) {
    to.computeIfAbsent(row, _ -> new LinkedHashMap<>())
        .computeIfAbsent(column, _ -> new ArrayList<>())
        .add(value);
  }

  private void print() {
    System.out.printf(
        "%s, %d processors, %s; %d rounds in turn; median (least .. most) ratio: the ratio to the"
            + " first column is the median of the rounds' ratios; load average %s%n",
        cipher,
        Runtime.getRuntime().availableProcessors(),
        System.getProperty("os.name") + " " + System.getProperty("os.version"),
        rounds,
        Proc.loadAverage());
    print(figures, pairs.stream().map(Pair::toString).toList());
    List<String> servers = serverFigures.values().iterator().next().keySet().stream().toList();
    System.out.printf("%nlogins of one warm client%n");
    print(serverFigures, servers);
  }

  private static void print(Map<String, Map<String, List<Double>>> rows, List<String> columns) {
    System.out.printf("%n%-46s", "");
    columns.forEach(column -> System.out.printf(" %33s", column));
    System.out.println();
    rows.forEach(
        (row, cells) -> {
          System.out.printf("%-46s", row);
          List<Double> yardstick = cells.getOrDefault(columns.getFirst(), List.of());
          for (String column : columns) {
            List<Double> values = cells.getOrDefault(column, List.of());
            System.out.printf(" %28s %4s", summary(values), ratio(values, yardstick));
          }
          System.out.println();
        });
  }

  private static String ratio(List<Double> values, List<Double> yardstick) {
    if (values == yardstick) {
      return "";
    }
    List<Double> ratios = new ArrayList<>();
    for (int i = 0; i < Math.min(values.size(), yardstick.size()); i++) {
      ratios.add(values.get(i) / yardstick.get(i));
    }
    return String.format(Locale.ROOT, "%.2f", median(ratios));
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
