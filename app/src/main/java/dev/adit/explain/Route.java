package dev.adit.explain;

import dev.adit.config.ClientOptions;
import dev.adit.ssh.ForwardSpec;
import dev.adit.ssh.Listen;
import dev.adit.ssh.Target;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a command line sets up: one SSH connection and the ways through it. All that can be known
 * without asking anybody is here, and nothing about words or drawing.
 *
 * @param here this machine
 * @param stops the SSH servers that the connection passes, in order; the last one is where it ends
 * @param proxyCommand what reaches the first stop instead of a connection of our own, or null
 * @param ways what passes through the connection, in the order in which the client sets it up
 * @param alsoSession whether a shell or a command runs beside the forwardings
 * @param lendsAgent whether the server may use the keys of our agent (-A)
 */
record Route(
    Here here,
    List<Stop> stops,
    @Nullable String proxyCommand,
    List<Way> ways,
    boolean alsoSession,
    boolean lendsAgent) {

  /**
   * This machine.
   *
   * @param lowestPort the lowest port that this account may listen on
   */
  record Here(String name, int lowestPort) {}

  /**
   * An SSH server.
   *
   * @param name as it stands on the command line
   * @param host the name or address behind it
   * @param user the account there
   */
  record Stop(String name, String host, int port, String user) {
    boolean isLookedUp() {
      return !isAddress(host);
    }
  }

  /** One of the two ends of the SSH connection. */
  enum Place {
    HERE,
    SERVER;

    Place other() {
      return this == HERE ? SERVER : HERE;
    }
  }

  /** Who can connect to a listener. */
  enum Audience {
    /** Programs on the same machine. */
    SAME_MACHINE,
    /** Any machine that reaches it. */
    EVERYBODY,
    /** Any machine that reaches the one address that was named. */
    ONE_ADDRESS,
    /** EVERYBODY was asked for; the server's GatewayPorts decides. */
    EVERYBODY_IF_ALLOWED,
    /** ONE_ADDRESS was asked for; the server's GatewayPorts decides. */
    ONE_ADDRESS_IF_ALLOWED,
    /** A Unix socket: programs of the same account, or of whom the socket's mode admits. */
    SAME_ACCOUNT
  }

  /**
   * One way through the connection: from where something comes in, to where it goes. The end that
   * is not the entry's makes the connection to the goal.
   *
   * @param flag {@code -L}, {@code -R}, {@code -D}, {@code -W}, or empty for a session
   */
  record Way(String flag, Entry entry, Goal goal) {
    Place dialler() {
      return entry.place().other();
    }

    /** When the goal is connected to: at once, or each time somebody comes in. */
    boolean atStart() {
      return entry instanceof Streams;
    }
  }

  /** Where something comes in. */
  sealed interface Entry {
    Place place();
  }

  /**
   * A port or a Unix socket.
   *
   * @param isProxy whether SOCKS and HTTP CONNECT are spoken there
   */
  record Listener(Place place, Listen listen, Audience audience, boolean isProxy)
      implements Entry {}

  /** Standard input and output of adit itself. */
  record Streams() implements Entry {
    @Override
    public Place place() {
      return Place.HERE;
    }
  }

  /** Where it goes. */
  sealed interface Goal {}

  /**
   * A port of some machine, over the network.
   *
   * @param isLookedUp whether the host is a name, which the end that connects looks up
   */
  record Host(String host, int port, boolean isLookedUp) implements Goal {}

  /** A port of the very machine that connects: {@code localhost}, as seen from there. */
  record Itself(String host, int port) implements Goal {}

  /** A Unix socket of the machine that connects. */
  record Socket(String path) implements Goal {}

  /**
   * Whatever the client of a proxy asks for.
   *
   * @param permitted {@code host:port} where PermitRemoteOpen limits it; empty for no limit
   */
  record Anywhere(List<String> permitted) implements Goal {}

  /** A program that the server runs: {@code your shell}. */
  record Program(String what) implements Goal {}

  /** What guards a leg that is not inside the SSH connection. */
  enum Protection {
    /** Nothing, as far as one can guess from the port. */
    NOT_ENCRYPTED,
    /** What the programs at both ends do themselves, if they do. */
    AS_IT_CAME
  }

  /**
   * Reads a route from the options of a run.
   *
   * @param jumps the options of the hosts on the way, in order
   */
  static Route of(Here here, ClientOptions options, List<ClientOptions> jumps) {
    var ways = new ArrayList<Way>();
    Stream.of(options.dynamicForwards(), options.localForwards(), options.remoteForwards())
        .flatMap(List::stream)
        .forEach(spec -> ways.add(way(spec, options)));
    var stdio = options.stdioForward();
    boolean hasSession = false;
    if (stdio != null) {
      ways.add(new Way("-W", new Streams(), goal(stdio)));
    } else if (options.sessionType() != ClientOptions.SessionType.NONE) {
      hasSession = true;
    }
    boolean onlySession = hasSession && ways.isEmpty();
    if (onlySession) {
      ways.add(new Way("", new Streams(), new Program(program(options))));
    }
    return new Route(
        here,
        Stream.concat(jumps.stream(), Stream.of(options)).map(Route::stop).toList(),
        (jumps.isEmpty() ? options : jumps.getFirst()).proxyCommand(),
        List.copyOf(ways),
        hasSession && !onlySession,
        hasSession && options.forwardAgent());
  }

  private static Stop stop(ClientOptions options) {
    return new Stop(options.originalHost(), options.host(), options.port(), options.user());
  }

  private static Way way(ForwardSpec spec, ClientOptions options) {
    return switch (spec) {
      case ForwardSpec.Local(var listen, var target) ->
          new Way("-L", here(listen, options, false), goal(target));
      case ForwardSpec.Dynamic(var listen) ->
          new Way("-D", here(listen, options, true), new Anywhere(List.of()));
      case ForwardSpec.Remote(var listen, var target) ->
          new Way("-R", there(listen, false), goal(target));
      case ForwardSpec.RemoteDynamic(var listen) ->
          new Way("-R", there(listen, true), new Anywhere(permitted(options)));
    };
  }

  private static List<String> permitted(ClientOptions options) {
    var permitted = options.permitRemoteOpen();
    return permitted.equals(List.of("any")) ? List.of() : permitted;
  }

  private static Listener here(Listen listen, ClientOptions options, boolean isProxy) {
    var audience =
        switch (listen) {
          case Listen.Unix _ -> Audience.SAME_ACCOUNT;
          case Listen.Tcp tcp when tcp.bindAddress() == null ->
              options.gatewayPorts() ? Audience.EVERYBODY : Audience.SAME_MACHINE;
          case Listen.Tcp tcp -> audience(tcp, Audience.EVERYBODY, Audience.ONE_ADDRESS);
        };
    return new Listener(Place.HERE, listen, audience, isProxy);
  }

  private static Listener there(Listen listen, boolean isProxy) {
    var audience =
        switch (listen) {
          case Listen.Unix _ -> Audience.SAME_ACCOUNT;
          case Listen.Tcp tcp ->
              audience(tcp, Audience.EVERYBODY_IF_ALLOWED, Audience.ONE_ADDRESS_IF_ALLOWED);
        };
    return new Listener(Place.SERVER, listen, audience, isProxy);
  }

  private static Audience audience(Listen.Tcp tcp, Audience wildcard, Audience oneAddress) {
    var address = tcp.bindAddress();
    if (address == null || isLoopback(address)) {
      return Audience.SAME_MACHINE;
    }
    boolean isEverything =
        tcp.isWildcard()
            || (isAddress(address) && InetAddress.ofLiteral(address).isAnyLocalAddress());
    return isEverything ? wildcard : oneAddress;
  }

  private static Goal goal(Target target) {
    return switch (target) {
      case Target.Unix(var path) -> new Socket(path);
      case Target.Tcp(var host, int port) ->
          isLoopback(host) ? new Itself(host, port) : new Host(host, port, !isAddress(host));
    };
  }

  private static String program(ClientOptions options) {
    var command = options.command();
    if (command == null) {
      return "your shell";
    }
    return options.sessionType() == ClientOptions.SessionType.SUBSYSTEM
        ? "the subsystem " + command
        : "the command: " + command;
  }

  /** Whether it is an address, so that nobody has to look it up. */
  static boolean isAddress(String host) {
    try {
      InetAddress.ofLiteral(host);
      return true;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  /** Whether it means the machine on which it is used. */
  static boolean isLoopback(String host) {
    var name = host.toLowerCase(Locale.ROOT);
    return name.equals("localhost")
        || name.endsWith(".localhost")
        || (isAddress(host) && InetAddress.ofLiteral(host).isLoopbackAddress());
  }

  /** Where the SSH connection ends. */
  Stop server() {
    return stops.getLast();
  }

  /** The servers before the last one. */
  List<Stop> jumps() {
    return stops.subList(0, stops.size() - 1);
  }

  String name(Place place) {
    return place == Place.HERE ? here.name() : server().name();
  }

  /**
   * How well the leg from the end of the SSH connection to another machine is guarded; null where
   * there is no such leg. (All others are inside the SSH connection.)
   */
  static @Nullable Protection lastLeg(Way way) {
    return switch (way.goal()) {
      case Host(_, int port, _) -> {
        var protocol = Protocol.usualOn(port);
        yield protocol == null || protocol.encryptsItself()
            ? Protection.AS_IT_CAME
            : Protection.NOT_ENCRYPTED;
      }
      case Anywhere _ -> Protection.AS_IT_CAME;
      case Itself _, Socket _, Program _ -> null;
    };
  }
}
