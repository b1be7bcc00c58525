package dev.adit.explain;

import dev.adit.explain.Route.Audience;
import dev.adit.explain.Route.Host;
import dev.adit.explain.Route.Itself;
import dev.adit.explain.Route.Listener;
import dev.adit.explain.Route.Place;
import dev.adit.explain.Route.Way;
import dev.adit.ssh.Listen;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * What people get wrong with such a command line. Much of it can't be known from here (what a
 * server allows, what was meant), and then it is said so.
 */
final class Hints {
  /** As every server of OpenSSH has it: only root listens below. */
  private static final int LOWEST_PORT_AT_SERVER = 1024;

  private final Route route;
  private final boolean onlyAscii;
  private final List<String> hints = new ArrayList<>();

  private Hints(Route route, boolean onlyAscii) {
    this.route = route;
    this.onlyAscii = onlyAscii;
  }

  /** One paragraph each, the gravest first for each way. */
  static List<String> of(Route route, boolean onlyAscii) {
    var hints = new Hints(route, onlyAscii);
    for (var way : route.ways()) {
      hints.collect(way);
    }
    hints.samePorts();
    if (route.lendsAgent()) {
      hints.say(
          "-A lends the keys of your agent to %s: while you are logged in, its administrator can log"
              + " in elsewhere with them. Where you only want to go on from there, -J needs no agent.",
          hints.name(Place.SERVER));
    }
    return hints.hints.stream().distinct().toList();
  }

  private void collect(Way way) {
    if (way.entry() instanceof Listener listener) {
      audience(way, listener);
      lowPort(listener);
    }
    switch (way.goal()) {
      case Itself(var host, int port) -> itself(way, host, port);
      case Host host -> host(way, host);
      default -> {}
    }
    if (way.entry() instanceof Listener listener && listener.isProxy()) {
      say(
          "Let the programs hand over names, not addresses (in curl socks5h://, in Firefox \"Proxy DNS"
              + " when using SOCKS v5\"): else %s's own resolver is asked for every name, and sees"
              + " where you go.",
          name(listener.place()));
    }
  }

  private void audience(Way way, Listener listener) {
    var server = name(Place.SERVER);
    var what = listener.isProxy() ? "and use it as a proxy, " : "and use this tunnel, ";
    switch (listener.audience()) {
      case EVERYBODY ->
          say(
              "%s is open to the whole network: who reaches %s can connect to it %swithout any"
                  + " password. For programs on %s alone leave out the address before the port (and"
                  + " -g, and GatewayPorts).",
              sentenceStart(port(listener)), name(Place.HERE), what, name(Place.HERE));
      case ONE_ADDRESS ->
          say(
              "%s is open to every machine that reaches that address, %swithout any password.",
              sentenceStart(port(listener)), what);
      case EVERYBODY_IF_ALLOWED ->
          say(
              "Whether other machines reach %s on %s is for its GatewayPorts to decide, which can't be"
                  + " seen from here. By default it is no, and only programs on %s reach it. If it is"
                  + " clientspecified or yes, every machine does, without any password.",
              port(listener), server, server);
      case ONE_ADDRESS_IF_ALLOWED ->
          say(
              "%s on %s is heard at that address only if its GatewayPorts is clientspecified. With no,"
                  + " the default, only programs on %s reach it; with yes every machine does. It can't"
                  + " be seen from here.",
              sentenceStart(port(listener)), server, server);
      case SAME_MACHINE -> {
        if (listener.place() == Place.SERVER) {
          say(
              "Only programs on %s reach %s, as long as its GatewayPorts is not yes. To open it to"
                  + " others, its GatewayPorts must be clientspecified, and you write %s.",
              server, port(listener), openSpelling(way, listener));
        }
      }
      case SAME_ACCOUNT -> {}
    }
  }

  private static String openSpelling(Way way, Listener listener) {
    int port = listener.listen() instanceof Listen.Tcp tcp ? tcp.port() : 0;
    return "%s '*:%d%s'".formatted(way.flag(), port, listener.isProxy() ? "" : ":...");
  }

  private void lowPort(Listener listener) {
    if (!(listener.listen() instanceof Listen.Tcp tcp) || tcp.port() == 0) {
      return;
    }
    boolean isHere = listener.place() == Place.HERE;
    if (isHere && tcp.port() < route.here().lowestPort()) {
      say(
          "Port %d is below %d: usually only root may listen there, and you are not root on %s. Take a"
              + " higher one.",
          tcp.port(), route.here().lowestPort(), name(Place.HERE));
    }
    if (!isHere && tcp.port() < LOWEST_PORT_AT_SERVER && !route.server().user().equals("root")) {
      say(
          "Port %d is below %d: SSH servers usually let only root listen there, and you log in to %s"
              + " as %s. Take a higher one.",
          tcp.port(), LOWEST_PORT_AT_SERVER, name(Place.SERVER), shown(route.server().user()));
    }
  }

  private void itself(Way way, String host, int port) {
    var dialler = name(way.dialler());
    var other = name(way.dialler().other());
    if (way.entry() instanceof Listener) {
      say(
          "%s means %s, not %s, because %s makes that connection. If you meant a program on %s's own"
              + " port %d: that needs no tunnel.",
          shown(host), dialler, other, dialler, other, port);
    }
  }

  private void host(Way way, Host host) {
    var dialler = name(way.dialler());
    if (host.host().equalsIgnoreCase(route.name(way.dialler()))) {
      say(
          "%s connects to itself by its own name. A program that listens on its localhost alone does"
              + " not answer there; localhost:%d would reach it.",
          dialler, host.port());
    } else if (host.host().equalsIgnoreCase(route.name(way.dialler().other()))) {
      say(
          "%s is where the connection comes in, and %s would have to reach it from outside, which a"
              + " firewall may not allow. A program there needs no tunnel to it.",
          shown(host.host()), dialler);
    }
    var protocol = Protocol.usualOn(host.port());
    if (protocol == null) {
      return;
    }
    if (!protocol.encryptsItself()) {
      say(
          "Port %d is usually %s, which is not encrypted: who can listen between %s and %s can read it."
              + " The tunnel guards only the way to %s.",
          host.port(), protocol.name(), dialler, shown(host.host()), dialler);
    }
    if (protocol.isWeb()
        && host.isLookedUp()
        && way.entry() instanceof Listener listener
        && listener.listen() instanceof Listen.Tcp tcp
        && tcp.port() != 0) {
      say(
          "A browser that opens localhost:%d tells the web site that it is called localhost:%d. Sites"
              + " that go by their name answer wrongly or send you elsewhere%s. With %s, a proxy, the"
              + " names stay right.",
          tcp.port(),
          tcp.port(),
          protocol.encryptsItself() ? ", and the certificate is for another name" : "",
          (listener.place() == Place.HERE ? "-D " : "-R ") + tcp.port());
    }
  }

  /** Two listeners for one port: the second one can't have it. */
  private void samePorts() {
    for (int i = 0; i < route.ways().size(); i++) {
      for (int j = i + 1; j < route.ways().size(); j++) {
        if (route.ways().get(i).entry() instanceof Listener one
            && route.ways().get(j).entry() instanceof Listener two
            && collide(one, two)) {
          say(
              "%d. and %d. both listen on %s of %s: only one of them can have it.",
              i + 1,
              j + 1,
              one.listen() instanceof Listen.Unix(var path)
                  ? "the socket " + shown(path)
                  : "port " + ((Listen.Tcp) one.listen()).port(),
              name(one.place()));
        }
      }
    }
  }

  private static boolean collide(Listener one, Listener two) {
    if (one.place() != two.place()) {
      return false;
    }
    if (one.listen() instanceof Listen.Tcp a && two.listen() instanceof Listen.Tcp b) {
      return a.port() != 0 && a.port() == b.port() && addressesMeet(one, a, two, b);
    }
    return one.listen().equals(two.listen());
  }

  private static boolean addressesMeet(Listener one, Listen.Tcp a, Listener two, Listen.Tcp b) {
    return isEverybody(one) || isEverybody(two) || Objects.equals(plainAddress(a), plainAddress(b));
  }

  private static boolean isEverybody(Listener listener) {
    return listener.audience() == Audience.EVERYBODY
        || listener.audience() == Audience.EVERYBODY_IF_ALLOWED;
  }

  /** Without an address it is that of localhost. */
  private static String plainAddress(Listen.Tcp tcp) {
    var address = tcp.bindAddress();
    return address == null || address.equals("127.0.0.1") || address.equals("::1")
        ? "localhost"
        : address;
  }

  private String port(Listener listener) {
    return switch (listener.listen()) {
      case Listen.Unix(var path) -> "the socket " + shown(path);
      case Listen.Tcp tcp when tcp.port() == 0 -> "the port that it chooses";
      case Listen.Tcp tcp -> "port " + tcp.port();
    };
  }

  private static String sentenceStart(String text) {
    return Character.toUpperCase(text.charAt(0)) + text.substring(1);
  }

  private String name(Place place) {
    return shown(route.name(place));
  }

  private String shown(String name) {
    return Columns.printable(name, onlyAscii);
  }

  private void say(String format, Object... values) {
    hints.add(format.formatted(values));
  }
}
