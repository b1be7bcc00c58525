package dev.adit.gateway;

import dev.adit.cli.Background;
import dev.adit.cli.ServerCommandLine;
import dev.adit.cli.ServerCommandLine.Manner;
import dev.adit.config.ClientOptions.LogLevel;
import dev.adit.config.server.ServerConfig;
import dev.adit.config.server.ServerConfigDump;
import dev.adit.ssh.Authenticator;
import dev.adit.ssh.ServerEvent;
import dev.adit.ssh.ServerOptions;
import dev.adit.ssh.SshServer;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sun.misc.Signal;

/**
 * The life of aditd: it loads its keys, listens, reads its configuration again on SIGHUP, and ends
 * on SIGTERM (tunnels may go on for DrainTime) or SIGINT (they may not).
 */
public final class Gateway {
  /** sshd's, where no host key can be used. */
  private static final int NO_HOST_KEYS = 1;

  private static final Logger LOG = LoggerFactory.getLogger("aditd");

  private final Manner manner;
  private final Path stateFolder;
  private final Supplier<ServerCommandLine.Outcome> reread;
  private final Systemd systemd = new Systemd(System.getenv());
  private final Startups startups;
  private final ServerLog log;
  private final Authenticator authenticator;
  private volatile ServerConfig config;
  private volatile @Nullable AuditLog audit;
  private List<Integer> descriptors = List.of();

  /**
   * @param reread reads command line and file again, for SIGHUP
   */
  public Gateway(
      ServerCommandLine.Serve serve, Path stateFolder, Supplier<ServerCommandLine.Outcome> reread) {
    this.config = serve.config();
    this.manner = serve.manner();
    this.stateFolder = stateFolder;
    this.reread = reread;
    this.startups = new Startups(config, monotonic(), new SecureRandom());
    this.log = new ServerLog(config.logLevel(), config.maxAuthTries());
    this.authenticator = new GatewayAuthenticator(() -> config, log::named);
  }

  /** Penalties must not run out, or last, because somebody sets the clock. */
  private static InstantSource monotonic() {
    return () -> Instant.EPOCH.plusNanos(System.nanoTime());
  }

  /** Serves until a signal comes; returns the exit status. */
  public int run() {
    try {
      var keys = HostKeys.load(config, manner.hostKeysToMake(), stateFolder);
      keys.problems().forEach(System.err::println);
      if (keys.keys().isEmpty()) {
        System.err.println("aditd: no hostkeys available -- exiting.");
        return NO_HOST_KEYS;
      }
      if (manner.isInetd()) {
        return serveOne(keys);
      }
      keys.news().forEach(System.err::println);
      configureLogs();
      return listen(keys);
    } catch (IOException e) {
      System.err.println(e.getMessage());
      return ServerCommandLine.FAILURE;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return ServerCommandLine.FAILURE;
    } finally {
      closeAudit();
      ServerLogs.flush();
    }
  }

  private void configureLogs() throws IOException {
    ServerLogs.configure(
        config.logLevel(),
        ServerLogs.destination(manner.logsToStderr(), manner.logFile(), config.syslogFacility()));
    log.configure(config.logLevel(), config.maxAuthTries());
    var path = config.auditLog();
    var opened = path == null ? null : openAudit(path);
    closeAudit();
    audit = opened;
  }

  private AuditLog openAudit(Path path) throws IOException {
    try {
      return AuditLog.open(path, config.auditsAsJson());
    } catch (IOException e) {
      throw new IOException("AuditLog can't be written: " + e.getMessage(), e);
    }
  }

  private void closeAudit() {
    var old = audit;
    audit = null;
    if (old != null) {
      old.close();
    }
  }

  private void event(ServerEvent event) {
    startups.event(event);
    log.event(event);
    var auditor = audit;
    if (auditor != null) {
      auditor.event(event);
    }
  }

  private ServerOptions options(HostKeys keys, List<InetSocketAddress> listen) {
    return GatewayOptions.of(
        config, authenticator, keys.keys(), listen, descriptors, startups, this::event);
  }

  // --- listening ---

  private enum Wish {
    REREAD,
    DRAIN,
    END
  }

  private int listen(HostKeys keys) throws IOException, InterruptedException {
    var wishes = new LinkedBlockingQueue<Wish>();
    handle("HUP", wishes, Wish.REREAD);
    handle("TERM", wishes, Wish.DRAIN);
    handle("INT", wishes, Wish.END);
    descriptors = systemd.listeners();
    try (var server = SshServer.start(options(keys, List.of()))) {
      listenOn(server, keys);
      if (server.addresses().isEmpty()) {
        tell("Cannot bind any address.");
        return ServerCommandLine.FAILURE;
      }
      server.addresses().forEach(log::listening);
      try (var _ = new PidFile(config.pidFile())) {
        Background.ready(manner.logsToStderr() ? Background.Keep.OUTPUT : Background.Keep.NOTHING);
        systemd.ready("listening on " + server.addresses());
        serveUntilTold(server, wishes);
      }
    }
    return 0;
  }

  /** Each address that can be had; those that can't are told. */
  private void listenOn(SshServer server, HostKeys keys) throws IOException {
    var had = new ArrayList<InetSocketAddress>();
    var wanted =
        descriptors.isEmpty()
            ? ServerConfigDump.listenAddresses(config)
            : List.<InetSocketAddress>of();
    for (var address : wanted) {
      had.add(address);
      try {
        server.reconfigure(options(keys, had));
      } catch (IOException e) {
        had.removeLast();
        tell(e.getMessage() + ".");
      }
    }
    server.reconfigure(options(keys, had));
  }

  /** To the log, and to whoever started us and still watches. */
  private void tell(String problem) {
    LOG.error("{}", problem);
    if (!manner.logsToStderr()) {
      System.err.println(problem);
    }
  }

  private static void handle(String signal, BlockingQueue<Wish> wishes, Wish wish) {
    Signal.handle(new Signal(signal), _ -> wishes.add(wish));
  }

  private void serveUntilTold(SshServer server, BlockingQueue<Wish> wishes)
      throws InterruptedException {
    while (true) {
      switch (wishes.take()) {
        case REREAD -> rereadConfiguration(server);
        case DRAIN -> {
          var patience = Duration.ofSeconds(config.drainTime());
          LOG.info(
              "Received signal 15; terminating. {} connections may go on for {} s.",
              server.connectionCount(),
              patience.toSeconds());
          systemd.stopping("draining");
          drain(server, patience, wishes);
          return;
        }
        case END -> {
          LOG.info("Received signal 2; terminating.");
          systemd.stopping("ending");
          return;
        }
      }
    }
  }

  /** A second signal, whichever, ends the patience. */
  private static void drain(SshServer server, Duration patience, BlockingQueue<Wish> wishes)
      throws InterruptedException {
    var draining =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    server.drain(patience);
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                  } finally {
                    wishes.add(Wish.END);
                  }
                });
    wishes.take();
    draining.interrupt();
  }

  /** What is wrong leaves all as it was. */
  private void rereadConfiguration(SshServer server) {
    LOG.info("Received SIGHUP; rereading the configuration.");
    systemd.reloading();
    var old = config;
    try {
      switch (reread.get()) {
        case ServerCommandLine.Serve serve -> {
          var keys = HostKeys.load(serve.config(), List.of(), stateFolder);
          keys.problems().forEach(problem -> LOG.error("{}", problem));
          if (keys.keys().isEmpty()) {
            throw new IOException("no hostkeys available");
          }
          config = serve.config();
          serve.warnings().forEach(warning -> LOG.warn("{}", warning));
          configureLogs();
          startups.configure(config);
          var before = server.addresses();
          listenOn(server, keys);
          server.addresses().stream()
              .filter(address -> !before.contains(address))
              .forEach(log::listening);
          LOG.info("The configuration was read again.");
        }
        case ServerCommandLine.Exit exit -> throw new IOException(onOneLine(exit.err()));
        case ServerCommandLine.Check _ -> throw new IllegalStateException("was no check before");
      }
    } catch (IOException e) {
      config = old;
      LOG.error("The old configuration stays: {}", e.getMessage());
    }
    systemd.ready("listening on " + server.addresses());
  }

  /** What is wrong with a file, without the sentence that says that this is the end. */
  private static String onOneLine(String problems) {
    return problems
        .lines()
        .filter(line -> !line.contains(": terminating, "))
        .collect(Collectors.joining("; "));
  }

  // --- inetd ---

  private int serveOne(HostKeys keys) throws IOException, InterruptedException {
    if (config.logLevel() != LogLevel.QUIET) {
      configureLogs();
    }
    try (var server = SshServer.start(options(keys, List.of()))) {
      // Where standard input is a socket, the client's address comes with it.
      // socat gives a Unix socket, which is as good as a pipe.
      if (System.inheritedChannel() instanceof SocketChannel socket
          && socket.getRemoteAddress() instanceof InetSocketAddress remote) {
        socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
        server.serve(
            socket.socket().getInputStream(),
            socket.socket().getOutputStream(),
            remote,
            (InetSocketAddress) socket.getLocalAddress());
      } else {
        InputStream in = new FileInputStream(FileDescriptor.in);
        OutputStream out = new FileOutputStream(FileDescriptor.out);
        server.serve(in, out, null, null);
      }
    }
    return 0;
  }

  /** Our process id, for those who send signals. */
  private static final class PidFile implements AutoCloseable {
    private final @Nullable Path file;

    PidFile(@Nullable Path file) {
      this.file = file;
      if (file != null) {
        try {
          Files.writeString(file, ProcessHandle.current().pid() + "\n");
        } catch (IOException e) {
          LOG.error("Couldn't create pid file \"{}\": {}", file, e.getMessage());
        }
      }
    }

    @Override
    public void close() {
      if (file != null) {
        try {
          Files.deleteIfExists(file);
        } catch (IOException e) {
          LOG.error("Couldn't remove pid file \"{}\": {}", file, e.getMessage());
        }
      }
    }
  }
}
