package dev.adit.client;

import dev.adit.cli.Background;
import dev.adit.cli.ClientCommandLine;
import dev.adit.config.ClientOptions;
import dev.adit.ssh.Forward;
import dev.adit.ssh.ForwardOptions;
import dev.adit.ssh.ForwardSpec;
import dev.adit.ssh.Listen;
import dev.adit.ssh.SshClient;
import dev.adit.ssh.SshConnection;
import dev.adit.ssh.SshException;
import dev.adit.ssh.Target;
import dev.adit.ssh.UserInteraction;
import dev.adit.terminal.TerminalPrompts;
import dev.adit.terminal.Tty;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One run of the client: connects, forwards, and serves a session, as the options say. */
public final class Client {
  private static final Logger log = LoggerFactory.getLogger(Client.class);

  /** Stack traces. */
  private static final Logger detail = LoggerFactory.getLogger(Logs.DETAIL);

  private final ClientOptions options;
  private final Hops hops;
  private final UserInteraction interaction;

  /**
   * @param commandLine reads the options of jump hosts
   */
  public Client(ClientOptions options, ClientCommandLine commandLine) {
    this.options = options;
    this.hops = new Hops(commandLine);
    this.interaction =
        new ClientInteraction(
            options.batchMode() ? new NobodyToAsk() : new TerminalPrompts(System.getenv()),
            options.logFile() != null);
  }

  /**
   * Runs until the session or the connection ends.
   *
   * @return the exit status: the remote command's, or 255
   */
  public int run() throws InterruptedException {
    if (options.sessionType() != ClientOptions.SessionType.NONE) {
      Tty.prepare();
    }
    try (SshClient client = SshClient.create()) {
      SshConnection connection = connect(client);
      withholdFromUnverified(connection, options, options.exitOnForwardFailure());
      forward(connection);
      runLocalCommand();
      if (options.forkAfterAuthentication()) {
        Background.ready(
            options.sessionType() == ClientOptions.SessionType.NONE
                ? Background.Keep.NOTHING
                : Background.Keep.OUTPUT);
      }
      return serve(connection);
    } catch (SshException e) {
      log.error("{}", withOrigin(e));
      detail.trace("where it came from", e);
      return ClientCommandLine.FAILURE;
    } catch (ClientFailure | IOException e) {
      log.error("adit: {}", e.getMessage());
      return ClientCommandLine.FAILURE;
    }
  }

  /** As ssh: what went wrong on this side of the connection is said in the program's name. */
  private static String withOrigin(SshException e) {
    String message = String.valueOf(e.getMessage());
    return e instanceof SshException.Disconnected d
            && !d.byRemote()
            && (message.startsWith("connect to ") || message.startsWith("Could not resolve "))
        ? "adit: " + message
        : message;
  }

  private int serve(SshConnection connection)
      throws InterruptedException, SshException, ClientFailure {
    Target stdio = options.stdioForward();
    if (stdio != null) {
      return StdioForward.run(connection, stdio);
    }
    if (options.sessionType() != ClientOptions.SessionType.NONE) {
      return RemoteSession.run(connection, SessionOptions.of(options, System.getenv()));
    }
    SshException end = connection.closed().join();
    log.error("{}", end.getMessage());
    return ClientCommandLine.FAILURE;
  }

  /** LocalCommand: on this machine, after the login; ssh waits for it too. */
  private void runLocalCommand() throws IOException, InterruptedException {
    String command = options.localCommand();
    if (command != null) {
      new ProcessBuilder(Shell.path(), "-c", command).inheritIO().start().waitFor();
    }
  }

  private SshConnection connect(SshClient client)
      throws SshException, ClientFailure, InterruptedException {
    SshConnection via = null;
    for (ClientOptions hop : hops.of(options)) {
      via =
          client.connect(
              Connecting.options(hop, interaction)
                  .trafficClass(hop.ipQos().interactive())
                  .via(via)
                  .build());
      withholdFromUnverified(via, hop, true);
    }
    return client.connect(Connecting.options(options, interaction).via(via).build());
  }

  /**
   * Says in ssh's words what a server doesn't get whose key has changed: with
   * StrictHostKeyChecking=no the connection is made all the same.
   *
   * @param nothingMayBeMissing ExitOnForwardFailure, which ssh sets for a jump host too
   */
  private static void withholdFromUnverified(
      SshConnection connection, ClientOptions options, boolean nothingMayBeMissing)
      throws SshException {
    if (connection.isServerVerified()) {
      return;
    }
    boolean forwards = !forwards(options).isEmpty();
    if (options.forwardAgent()) {
      log.error("Agent forwarding is disabled to avoid man-in-the-middle attacks.");
    }
    if (forwards) {
      log.error("Port forwarding is disabled to avoid man-in-the-middle attacks.");
    }
    if (nothingMayBeMissing
        && (forwards
            || options.forwardAgent()
            || options.passwordAuthentication()
            || options.kbdInteractiveAuthentication())) {
      throw new SshException.HostKeyRejected(
          "Error: forwarding disabled due to host key check failure");
    }
  }

  private static List<ForwardSpec> forwards(ClientOptions options) {
    return Stream.of(options.dynamicForwards(), options.localForwards(), options.remoteForwards())
        .<ForwardSpec>flatMap(List::stream)
        .toList();
  }

  private void forward(SshConnection connection)
      throws SshException, ClientFailure, InterruptedException {
    List<Forward> up = new ArrayList<>();
    List<ForwardSpec> specs = forwards(options);
    ForwardOptions how =
        new ForwardOptions(
            options.gatewayPorts(),
            options.streamLocalBindMask(),
            options.streamLocalBindUnlink(),
            options.permitRemoteOpen());
    for (ForwardSpec spec : connection.isServerVerified() ? specs : List.<ForwardSpec>of()) {
      try {
        Forward forward = connection.forward(spec, how);
        up.add(forward);
        sayPort(forward);
      } catch (SshException.ForwardRefused e) {
        boolean remote =
            spec instanceof ForwardSpec.Remote || spec instanceof ForwardSpec.RemoteDynamic;
        if (options.exitOnForwardFailure()) {
          throw remote ? new SshException.ForwardRefused("Error: " + e.getMessage(), e) : e;
        }
        if (remote) {
          log.info("Warning: {}", e.getMessage());
        } else {
          log.error("{}", e.getMessage());
        }
      }
    }
    boolean onlyForwards = options.sessionType() == ClientOptions.SessionType.NONE;
    if (onlyForwards && up.isEmpty() && !specs.isEmpty() && options.stdioForward() == null) {
      throw new ClientFailure(
          "none of the forwardings could be set up, and -N asks for nothing else");
    }
  }

  private static void sayPort(Forward forward) {
    boolean chosenByServer = forward.spec().listen() instanceof Listen.Tcp tcp && tcp.port() == 0;
    if (!chosenByServer) {
      return;
    }
    switch (forward.spec()) {
      case ForwardSpec.Remote r ->
          log.info("Allocated port {} for remote forward to {}", forward.port(), r.target());
      case ForwardSpec.RemoteDynamic _ ->
          log.info("Allocated port {} for remote forward to SOCKS", forward.port());
      default -> {}
    }
  }
}
