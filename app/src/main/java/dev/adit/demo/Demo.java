package dev.adit.demo;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.adit.explain.Screen;
import dev.adit.ssh.ConnectOptions;
import dev.adit.ssh.Forward;
import dev.adit.ssh.ForwardSpec;
import dev.adit.ssh.HandshakeInfo;
import dev.adit.ssh.HostKey;
import dev.adit.ssh.HostKeyPolicy;
import dev.adit.ssh.KnownHostsOptions;
import dev.adit.ssh.Listen;
import dev.adit.ssh.SshClient;
import dev.adit.ssh.SshConnection;
import dev.adit.ssh.SshServer;
import dev.adit.ssh.Target;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;

/**
 * {@code adit demo}: starts a gateway, two web sites and a client with three tunnels, fetches a
 * page through each, and stays up until Ctrl-C. Everything is on loopback, on ports of the system's
 * choice, and in a folder of its own that is removed at the end.
 */
public final class Demo {
  private static final int FAILURE = 1;
  private static final String HERE = "127.0.0.1";
  private static final InetAddress LOOPBACK = InetAddress.ofLiteral(HERE);
  private static final Listen ANY_PORT = new Listen.Tcp(HERE, 0);

  /** A fetch that takes longer has failed. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  /** When the transfer that is measured is stopped. */
  private static final Duration TRANSFER = Duration.ofMillis(600);

  private static final int PIECE = 256 * 1024;

  private final Sheet sheet;
  private final boolean isOnce;

  private Demo(Sheet sheet, boolean isOnce) {
    this.sheet = sheet;
    this.isOnce = isOnce;
  }

  /**
   * Runs it, with what stands behind {@code demo} on the command line.
   *
   * @return the exit status; without {@code --once} it doesn't return until the process is ended
   */
  public static int run(PrintStream out, PrintStream err, Screen screen, List<String> arguments) {
    if (!arguments.isEmpty() && !arguments.equals(List.of("--once"))) {
      err.println("usage: adit demo [--once]");
      err.println("A host that is called demo is reached by: adit ssh://demo");
      return FAILURE;
    }
    try {
      new Demo(new Sheet(out, screen), !arguments.isEmpty()).play();
      return 0;
    } catch (IOException e) {
      err.println("adit demo: " + e.getMessage());
    } catch (InterruptedException e) {
      err.println("adit demo: interrupted");
    }
    return FAILURE;
  }

  private void play() throws IOException, InterruptedException {
    Path folder = Files.createTempDirectory("adit-demo-");
    Thread cleaner = new Thread(() -> remove(folder), "adit-demo-end");
    Runtime.getRuntime().addShutdownHook(cleaner);
    HostKey hostKey = HostKey.generate();
    Path key = folder.resolve("id_ed25519");
    String user = HostKey.generate(key, "adit demo").publicKeyLine();
    try (Site web =
            Site.start(
                LOOPBACK,
                "The web site at home",
                "Only home can connect to it. You see it because home did so for you.");
        Site intranet =
            Site.start(
                LOOPBACK,
                "The intranet at work",
                "Only work can connect to it. You see it because work lends it to home.");
        SshServer home = Gateway.start(LOOPBACK, hostKey, user, web.port());
        SshClient client = SshClient.create();
        SshConnection work = client.connect(options(home, hostKey, key, folder));
        Forward local = work.forward(new ForwardSpec.Local(ANY_PORT, Gateway.SITE));
        Forward remote =
            work.forward(new ForwardSpec.Remote(ANY_PORT, new Target.Tcp(HERE, intranet.port())));
        Forward dynamic = work.forward(new ForwardSpec.Dynamic(ANY_PORT))) {
      draw(
          home.port(),
          intranet.port(),
          local.port(),
          remote.port(),
          dynamic.port(),
          work.handshake());
      String throughLocal = "http://" + HERE + ":" + local.port() + "/";
      String throughRemote = "http://" + HERE + ":" + remote.port() + "/";
      String throughDynamic = "http://" + Gateway.SITE.host() + "/";
      Proxy proxy = new Proxy(Proxy.Type.HTTP, new InetSocketAddress(LOOPBACK, dynamic.port()));
      sheet.line("Fetched through each:");
      fetch("-L", throughLocal, Proxy.NO_PROXY, web);
      fetch("-R", throughRemote, Proxy.NO_PROXY, intranet);
      fetch("-D", throughDynamic, proxy, web);
      transfer(throughLocal);
      if (!isOnce) {
        stay(throughLocal, throughRemote, throughDynamic, dynamic.port());
      }
    }
  }

  private static ConnectOptions options(SshServer home, HostKey hostKey, Path key, Path folder)
      throws IOException {
    Path knownHosts = folder.resolve("known_hosts");
    Files.writeString(
        knownHosts, "[127.0.0.1]:%d %s%n".formatted(home.port(), hostKey.publicKeyLine()));
    return ConnectOptions.to(HERE)
        .port(home.port())
        .user("demo")
        .identityFile(key)
        .hostKeyPolicy(
            HostKeyPolicy.knownHosts(
                KnownHostsOptions.files(List.of(knownHosts))
                    .globalFiles(List.of())
                    .strictness(KnownHostsOptions.Strictness.YES)
                    .updateHostKeys(KnownHostsOptions.Update.NO)
                    .build()))
        .build();
  }

  private void draw(
      int home, int intranet, int local, int remote, int dynamic, HandshakeInfo handshake) {
    sheet.line(sheet.strong("An SSH server and client, and two web sites, all on this machine"));
    sheet.line();
    sheet.line("  home  is where the SSH server runs: here a gateway on port " + home + ",");
    sheet.line("        which alone knows how to reach the web site " + Gateway.SITE + ".");
    sheet.line("  work  is where adit runs, with new keys. It is logged in to home, and");
    sheet.line("        reaches the intranet at 127.0.0.1:" + intranet + ".");
    sheet.line();
    String you = "you " + sheet.plain(3) + " ";
    String over = " " + sheet.encrypted(9) + " ";
    String on = " " + sheet.plain(3) + " ";
    sheet.line("  -L  " + you + "work:" + local + over + "home      " + on + Gateway.SITE);
    sheet.line("  -R  " + you + "home:" + remote + over + "work      " + on + "the intranet");
    sheet.line("  -D  " + you + "work:" + dynamic + over + "home      " + on + "what you ask for");
    sheet.line();
    String cipher = handshake.cipherToServer();
    sheet.line("  " + sheet.encrypted(9) + " encrypted by SSH: " + handshake.kex() + ",");
    sheet.line("            " + handshake.hostKeyAlgorithm() + ", " + cipher);
    sheet.line(
        "  " + sheet.plain(9) + " not encrypted; on loopback, so it doesn't leave this machine");
    sheet.line();
  }

  private void fetch(String tunnel, String url, Proxy proxy, Site expected) throws IOException {
    long start = System.nanoTime();
    HttpURLConnection http = open(url, proxy);
    String page;
    try (InputStream in = http.getInputStream()) {
      page = new String(in.readAllBytes(), UTF_8);
    }
    if (!page.contains("<title>" + expected.title() + "</title>")) {
      throw new IOException(url + " through " + tunnel + " is not " + expected.title());
    }
    long millis = Duration.ofNanos(System.nanoTime() - start).toMillis();
    sheet.line("  %s  %-26s \"%s\", %d ms".formatted(tunnel, url, expected.title(), millis));
  }

  private static HttpURLConnection open(String url, Proxy proxy) throws IOException {
    var http = (HttpURLConnection) URI.create(url).toURL().openConnection(proxy);
    http.setConnectTimeout((int) PATIENCE.toMillis());
    http.setReadTimeout((int) PATIENCE.toMillis());
    return http;
  }

  private void transfer(String url) throws IOException {
    HttpURLConnection http = open(url + Site.BULK_PATH.substring(1), Proxy.NO_PROXY);
    long bytes = 0;
    long start = System.nanoTime();
    long nanos = 0;
    try (InputStream in = http.getInputStream()) {
      byte[] piece = new byte[PIECE];
      for (int n; (n = in.read(piece)) >= 0 && nanos < TRANSFER.toNanos(); ) {
        bytes += n;
        nanos = System.nanoTime() - start;
      }
      // What is left is not read for its own sake.
      http.disconnect();
    }
    double seconds = nanos / 1e9;
    double mebibytes = bytes / 1048576.0;
    sheet.line(
        "  -L  moved %.0f MiB in %.2f s: %s"
            .formatted(
                mebibytes, seconds, sheet.strong("%.0f MiB/s".formatted(mebibytes / seconds))));
    sheet.line();
  }

  private void stay(String local, String remote, String named, int proxy)
      throws InterruptedException {
    sheet.line("It stays up. Open these, or run the command:");
    sheet.line("  -L  " + local);
    sheet.line("  -R  " + remote);
    sheet.line("  -D  curl --proxy socks5h://127.0.0.1:" + proxy + " " + named);
    sheet.line();
    sheet.line("Ctrl-C ends it and removes what it has made.");
    new CountDownLatch(1).await();
  }

  private static void remove(Path folder) {
    try (Stream<Path> paths = Files.walk(folder)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    } catch (IOException _) {
      // The system clears its temporary folder some day.
    }
  }
}
