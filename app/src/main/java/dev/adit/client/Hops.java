package dev.adit.client;

import dev.adit.cli.ClientCommandLine;
import dev.adit.config.ClientOptions;
import dev.adit.ssh.Destination;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The servers that a connection travels through (-J, ProxyJump): each with the options that the
 * configuration has for it, as if one had logged in to it by hand.
 */
public final class Hops {

  /** Hops in all, those of the hops' own configuration included: a loop ends here. */
  private static final int MAX_HOPS = Destination.MAX_JUMPS;

  private final ClientCommandLine commandLine;

  /**
   * @param commandLine reads the options of the hops
   */
  public Hops(ClientCommandLine commandLine) {
    this.commandLine = commandLine;
  }

  /**
   * The hops in the order of travel, without the destination itself.
   *
   * @throws ClientFailure when a hop's configuration is wrong or the hops go round in circles
   */
  public List<ClientOptions> of(ClientOptions destination) throws ClientFailure {
    List<ClientOptions> hops = new ArrayList<>();
    collect(destination, hops);
    return hops;
  }

  private void collect(ClientOptions destination, List<ClientOptions> hops) throws ClientFailure {
    List<Destination> jumps = destination.proxyJump();
    for (int i = 0; i < jumps.size(); i++) {
      if (hops.size() >= MAX_HOPS) {
        throw new ClientFailure("more than " + MAX_HOPS + " jump hosts: they go round in circles");
      }
      ClientOptions hop = options(jumps.get(i), destination);
      if (i == 0) {
        // Only the way to the first hop is the configuration's: the others are reached through it.
        collect(hop, hops);
      }
      hops.add(hop);
    }
  }

  private ClientOptions options(Destination jump, ClientOptions destination) throws ClientFailure {
    List<String> args = new ArrayList<>();
    String configFile = destination.configFile();
    if (configFile != null) {
      args.addAll(List.of("-F", configFile));
    }
    add(args, "-l", jump.user());
    add(args, "-p", jump.port() == 0 ? null : Integer.toString(jump.port()));
    args.addAll(List.of("--", jump.host()));
    return switch (commandLine.read(args.toArray(String[]::new))) {
      case ClientCommandLine.Connect connect -> connect.options();
      case ClientCommandLine.Exit exit ->
          throw new ClientFailure("jump host " + jump.host() + ": " + exit.err().strip());
    };
  }

  private static void add(List<String> args, String flag, @Nullable String value) {
    if (value != null) {
      args.add(flag);
      args.add(value);
    }
  }
}
