package dev.adit.client;

import dev.adit.cli.ClientCommandLine;
import dev.adit.config.ClientOptions;
import dev.adit.ssh.Forward;
import dev.adit.ssh.ForwardSpec;
import dev.adit.ssh.SshClient;
import dev.adit.ssh.SshConnection;
import dev.adit.ssh.SshException;
import dev.adit.ssh.UserInteraction;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One run of the client: connects, forwards, and serves a session, as the options say. */
public final class Client {
  private static final Logger log = LoggerFactory.getLogger(Client.class);

  private final ClientOptions options;
  private final Hops hops;
  private final UserInteraction interaction;

  /**
   * @param commandLine reads the options of jump hosts
   */
  public Client(ClientOptions options, ClientCommandLine commandLine) {
    this.options = options;
    this.hops = new Hops(commandLine);
    this.interaction = UserInteraction.NONE;
  }

  /**
   * Runs until the session or the connection ends.
   *
   * @return the exit status: the remote command's, or 255
   */
  public int run() throws InterruptedException {
    try (SshClient client = SshClient.create()) {
      SshConnection connection = connect(client);
      forward(connection);
      SshException end = connection.closed().join();
      log.error("{}", end.getMessage());
      return ClientCommandLine.FAILURE;
    } catch (SshException | ClientFailure e) {
      log.error("{}", e.getMessage());
      log.trace("in detail", e);
      return ClientCommandLine.FAILURE;
    }
  }

  private SshConnection connect(SshClient client)
      throws SshException, ClientFailure, InterruptedException {
    SshConnection via = null;
    for (ClientOptions hop : hops.of(options)) {
      via = client.connect(Connecting.options(hop, interaction).via(via).build());
    }
    return client.connect(Connecting.options(options, interaction).via(via).build());
  }

  private void forward(SshConnection connection)
      throws SshException, ClientFailure, InterruptedException {
    List<Forward> up = new ArrayList<>();
    List<ForwardSpec> specs =
        Stream.of(options.dynamicForwards(), options.localForwards(), options.remoteForwards())
            .flatMap(List::stream)
            .toList();
    for (ForwardSpec spec : specs) {
      try {
        up.add(connection.forward(spec));
      } catch (SshException.ForwardRefused e) {
        if (options.exitOnForwardFailure()) {
          throw e;
        }
        log.error("{}", e.getMessage());
      }
    }
    boolean onlyForwards = options.sessionType() == ClientOptions.SessionType.NONE;
    if (onlyForwards && up.isEmpty() && !specs.isEmpty() && options.stdioForward() == null) {
      throw new ClientFailure(
          "none of the forwardings could be set up, and -N asks for nothing else");
    }
  }
}
