package dev.adit.explain;

import dev.adit.explain.Route.Anywhere;
import dev.adit.explain.Route.Audience;
import dev.adit.explain.Route.Host;
import dev.adit.explain.Route.Itself;
import dev.adit.explain.Route.Listener;
import dev.adit.explain.Route.Place;
import dev.adit.explain.Route.Program;
import dev.adit.explain.Route.Protection;
import dev.adit.explain.Route.Socket;
import dev.adit.explain.Route.Stop;
import dev.adit.explain.Route.Streams;
import dev.adit.explain.Route.Way;
import dev.adit.ssh.Listen;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Says a route in plain words: short ones for the boxes of the picture, sentences below it. */
final class Words {
  private final Route route;
  private final boolean onlyAscii;

  /**
   * @param onlyAscii whether names are shown in ASCII alone
   */
  Words(Route route, boolean onlyAscii) {
    this.route = route;
    this.onlyAscii = onlyAscii;
  }

  // --- in the boxes ---

  Scene scene() {
    var machines = new ArrayList<Scene.Machine>();
    machines.add(
        new Scene.Machine(
            shown(route.here().name()) + " (here)",
            List.of(
                route.proxyCommand() == null
                    ? connects(route.stops().getFirst())
                    : "runs ProxyCommand, which has to reach "
                        + shown(route.stops().getFirst().name()))));
    for (int i = 0; i < route.stops().size(); i++) {
      var stop = route.stops().get(i);
      var about = new ArrayList<String>();
      about.add(
          (stop.host().equalsIgnoreCase(stop.name())
                  ? "SSH server"
                  : "SSH server " + shown(stop.host()))
              + ", "
              + port(stop.port()));
      if (i + 1 < route.stops().size()) {
        about.add(connects(route.stops().get(i + 1)));
        about.add("can't read what passes");
      }
      machines.add(new Scene.Machine(shown(stop.name()), about));
    }
    var lanes = new ArrayList<Scene.Lane>();
    for (int i = 0; i < route.ways().size(); i++) {
      lanes.add(lane(route.ways().get(i), number(i)));
    }
    return new Scene(List.copyOf(machines), List.copyOf(lanes));
  }

  private String connects(Stop stop) {
    return stop.isLookedUp()
        ? "looks up %s and connects to it at the start".formatted(shown(stop.host()))
        : "connects to %s at the start".formatted(shown(stop.host()));
  }

  private Scene.Lane lane(Way way, String number) {
    boolean outwards = way.entry().place() == Place.HERE;
    var entry = entry(way);
    var goal = goal(way);
    return new Scene.Lane(
        number, outwards, outwards ? entry : goal, outwards ? goal : entry, outside(way, number));
  }

  private String entry(Way way) {
    return switch (way.entry()) {
      case Streams _ ->
          way.goal() instanceof Program ? "your terminal" : "adit's own input and output";
      case Listener listener ->
          "listens on %s%s, for %s"
              .formatted(
                  listened(listener),
                  listener.isProxy() ? " as a SOCKS and HTTP proxy" : "",
                  audience(listener));
    };
  }

  private String listened(Listener listener) {
    return switch (listener.listen()) {
      case Listen.Unix(var path) -> "the socket " + shown(path);
      case Listen.Tcp tcp when tcp.port() == 0 -> "a port that the server chooses";
      case Listen.Tcp tcp ->
          switch (listener.audience()) {
            case ONE_ADDRESS, ONE_ADDRESS_IF_ALLOWED ->
                "%s %s".formatted(shown(String.valueOf(tcp.bindAddress())), port(tcp.port()));
            default -> port(tcp.port());
          };
    };
  }

  private String audience(Listener listener) {
    var place = shown(route.name(listener.place()));
    return switch (listener.audience()) {
      case SAME_MACHINE -> "programs on %s only".formatted(place);
      case EVERYBODY -> "EVERY machine that reaches it";
      case ONE_ADDRESS -> "EVERY machine that reaches that address";
      case EVERYBODY_IF_ALLOWED ->
          "every machine if its GatewayPorts allows it, else programs on %s only".formatted(place);
      case ONE_ADDRESS_IF_ALLOWED ->
          "machines that reach that address, if its GatewayPorts allows it, else programs on %s only"
              .formatted(place);
      case SAME_ACCOUNT -> "programs that may open that file";
    };
  }

  private String goal(Way way) {
    var when = way.atStart() ? "at the start" : "each time";
    return switch (way.goal()) {
      case Host(var host, _, var isLookedUp) ->
          isLookedUp
              ? "looks up %s and connects to it %s".formatted(shown(host), when)
              : "connects to %s %s".formatted(shown(host), when);
      case Itself(var host, int port) ->
          "connects to its own %s %s (%s means %s)"
              .formatted(port(port), when, shown(host), shown(route.name(way.dialler())));
      case Socket(var path) -> "connects to its socket %s %s".formatted(shown(path), when);
      case Anywhere(var permitted) ->
          permitted.isEmpty()
              ? "looks up and connects to what the program asks for, each time"
              : permitted.equals(List.of("none"))
                  ? "connects to nothing: PermitRemoteOpen is none"
                  : "connects to what the program asks for, each time, if it is one of: "
                      + shown(String.join(" ", permitted));
      case Program(var what) -> "runs " + shown(what);
    };
  }

  private Scene.@Nullable Outside outside(Way way, String number) {
    var protection = Route.lastLeg(way);
    if (protection == null) {
      return null;
    }
    var leg = protection == Protection.NOT_ENCRYPTED ? "not encrypted" : "as it came";
    return way.goal() instanceof Host(var host, int port, _)
        ? new Scene.Outside(shown(host), number + "port " + port, leg, protection)
        : new Scene.Outside("any host", number + "any port", leg, protection);
  }

  // --- below the picture ---

  /**
   * Some sentences.
   *
   * @param mark what stands before the first line, and as spaces before the others
   */
  record Paragraph(String mark, String text) {}

  /** The same as the picture in sentences. */
  List<Paragraph> sentences() {
    var all = new ArrayList<Paragraph>();
    all.add(new Paragraph("", connection()));
    for (int i = 0; i < route.ways().size(); i++) {
      all.add(new Paragraph(number(i), sentence(route.ways().get(i))));
    }
    if (route.alsoSession()) {
      all.add(
          new Paragraph(
              "",
              "A session on %s opens too, as with ssh; with -N there is none."
                  .formatted(shown(route.server().name()))));
    }
    return List.copyOf(all);
  }

  private String connection() {
    var server = shown(route.server().name());
    var here = shown(route.here().name());
    var jumps = route.jumps().stream().map(jump -> shown(jump.name())).toList();
    var how =
        route.proxyCommand() != null
            ? "%s starts ProxyCommand, and speaks SSH through it with %s"
                .formatted(here, shown(route.stops().getFirst().name()))
            : "%s connects to the SSH server on %s, port %d"
                .formatted(
                    here, shown(route.stops().getFirst().name()), route.stops().getFirst().port());
    var onwards =
        jumps.isEmpty()
            ? ""
            : ", and from there "
                + (jumps.size() == 1 ? "" : "hop by hop ")
                + "to that on "
                + server;
    return "At the start %s%s. What passes between %s and %s is encrypted%s."
        .formatted(
            how,
            onwards,
            here,
            server,
            jumps.isEmpty() ? "" : "; %s can't read it".formatted(String.join(" and ", jumps)));
  }

  private String sentence(Way way) {
    return switch (way.entry()) {
      case Streams _ when way.goal() instanceof Program(var what) ->
          "%s runs %s, and your terminal here is its input and output. No port is opened."
              .formatted(shown(route.server().name()), shown(what));
      case Streams _ ->
          "%s %s once, at the start; what adit reads goes there, and what comes back adit writes.%s"
              .formatted(shown(route.server().name()), fullGoal(way), beyond(way));
      case Listener listener ->
          "%s %s, %s %s. Nothing is connected there before.%s"
              .formatted(
                  entrySentence(listener),
                  way.goal() instanceof Anywhere
                      ? "and names a host (SOCKS or HTTP proxy)"
                      : "on " + shown(route.name(listener.place())),
                  shown(route.name(way.dialler())),
                  fullGoal(way),
                  beyond(way));
    };
  }

  private String entrySentence(Listener listener) {
    return "Each time %s connects to %s"
        .formatted(
            listener.isProxy()
                ? "a program on " + shown(route.name(listener.place()))
                : "a program",
            address(listener));
  }

  /** What a program on the listener's own machine connects to. */
  private String address(Listener listener) {
    return switch (listener.listen()) {
      case Listen.Unix(var path) -> "the socket " + shown(path);
      case Listen.Tcp tcp when tcp.port() == 0 -> "the port that the server chooses";
      case Listen.Tcp tcp -> {
        var bind = tcp.bindAddress();
        boolean isNamed =
            bind != null
                && (listener.audience() == Audience.ONE_ADDRESS
                    || listener.audience() == Audience.ONE_ADDRESS_IF_ALLOWED
                    || (listener.audience() == Audience.SAME_MACHINE && !bind.equals("localhost")));
        yield isNamed
            ? shown(new Listen.Tcp(bind, tcp.port()).toString())
            : "localhost:" + tcp.port();
      }
    };
  }

  private String fullGoal(Way way) {
    return switch (way.goal()) {
      case Host(var host, int port, var isLookedUp) ->
          isLookedUp
              ? "looks up %s and connects to its port %d".formatted(shown(host), port)
              : "connects to %s, port %d".formatted(shown(host), port);
      case Itself(var host, int port) ->
          "connects to its own port %d (%s means %s there)"
              .formatted(port, shown(host), shown(route.name(way.dialler())));
      case Socket(var path) -> "connects to its own socket " + shown(path);
      case Anywhere(var permitted) ->
          permitted.isEmpty()
              ? "looks that up and connects to it"
              : permitted.equals(List.of("none"))
                  ? "refuses, because PermitRemoteOpen is none"
                  : "connects to it, if PermitRemoteOpen allows it";
      case Program(var what) -> "runs " + shown(what);
    };
  }

  private String beyond(Way way) {
    var protection = Route.lastLeg(way);
    if (protection == null) {
      return "";
    }
    var from = shown(route.name(way.dialler()));
    if (way.goal() instanceof Host(var host, int port, _)) {
      var usual = Protocol.usualOn(port);
      var legs = "Between %s and %s SSH adds nothing: ".formatted(from, shown(host));
      if (usual == null) {
        return " " + legs + "the data goes as it came, encrypted only if the programs do that.";
      }
      return usual.encryptsItself()
          ? " %sport %d is usually %s, which encrypts by itself, so that %s can't read it either."
              .formatted(legs, port, usual.name(), from)
          : " %sthe data is not encrypted.".formatted(legs);
    }
    return " From %s on, SSH adds nothing: the data goes as it came.".formatted(from);
  }

  /** Before what belongs to a way; nothing where there is only one. */
  private String number(int way) {
    return route.ways().size() == 1 ? "" : (way + 1) + ". ";
  }

  private static String port(int port) {
    return "port" + Columns.STICKY_SPACE + port;
  }

  private String shown(String name) {
    return Columns.printable(name, onlyAscii);
  }
}
