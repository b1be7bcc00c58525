package dev.adit.ssh.forward;

import dev.adit.ssh.Listen;
import dev.adit.ssh.Target;
import dev.adit.ssh.connection.ChannelHandler;
import dev.adit.ssh.connection.Connection;
import dev.adit.ssh.connection.SshChannel;
import dev.adit.ssh.transport.Text;
import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.WireReader;
import dev.adit.ssh.wire.WireWriter;
import io.netty.util.NetUtil;
import java.net.InetSocketAddress;
import java.net.SocketAddress;

/**
 * What CHANNEL_OPEN says for each kind of forwarding: RFC 4254 section 7.2, and section 2.4 of
 * OpenSSH's PROTOCOL for Unix sockets.
 */
final class Opens {
  static final String DIRECT_TCPIP = "direct-tcpip";
  static final String DIRECT_STREAMLOCAL = "direct-streamlocal@openssh.com";
  static final String FORWARDED_TCPIP = "forwarded-tcpip";
  static final String FORWARDED_STREAMLOCAL = "forwarded-streamlocal@openssh.com";

  /**
   * Who connected.
   *
   * @param address of the socket, or empty where there is none
   */
  record Originator(String address, int port) {

    /** OpenSSH's stand-in where no socket is behind a channel: some peers want one. */
    static final Originator NONE = new Originator("127.0.0.1", 65535);

    static Originator of(SocketAddress peer) {
      return peer instanceof InetSocketAddress tcp
          ? new Originator(NetUtil.toAddressString(tcp.getAddress()), tcp.getPort())
          : new Originator("", 0);
    }

    @Override
    public String toString() {
      return address.isEmpty() ? "a Unix socket" : address + ":" + port;
    }
  }

  private Opens() {}

  /** A peer's text for people: escaped, and not longer than a line in a log should be. */
  static String shown(String text) {
    return Text.escape(
        text.length() > ForwardingLimits.MAX_SHOWN
            ? text.substring(0, ForwardingLimits.MAX_SHOWN) + "..."
            : text);
  }

  /** Asks the peer to connect to the target. On the event loop. */
  static SshChannel direct(
      Connection connection, Target target, Originator from, ChannelHandler handler) {
    String what = target + " for " + from;
    return switch (target) {
      case Target.Tcp to ->
          connection.open(
              DIRECT_TCPIP,
              WireWriter.create()
                  .writeString(to.host())
                  .writeUint32(to.port())
                  .writeString(from.address())
                  .writeUint32(from.port())
                  .toBytes(),
              handler,
              what);
      case Target.Unix to ->
          connection.open(
              DIRECT_STREAMLOCAL,
              WireWriter.create().writeString(to.path()).writeString("").writeUint32(0).toBytes(),
              handler,
              what);
    };
  }

  /**
   * Tells the peer that somebody connected to a listener that it asked for. On the event loop.
   *
   * @param connected as it was asked for, with the port that was chosen
   */
  static void forwarded(
      Connection connection, Listen connected, Originator from, ChannelHandler handler) {
    String what = Text.escape(connected.toString()) + " for " + from;
    switch (connected) {
      case Listen.Tcp(String address, int port) ->
          connection.open(
              FORWARDED_TCPIP,
              WireWriter.create()
                  .writeString(address == null ? "" : address)
                  .writeUint32(port)
                  .writeString(from.address())
                  .writeUint32(from.port())
                  .toBytes(),
              handler,
              what);
      case Listen.Unix(String path) ->
          connection.open(
              FORWARDED_STREAMLOCAL,
              WireWriter.create().writeString(path).writeString("").toBytes(),
              handler,
              what);
    }
  }

  /**
   * The fields of direct-tcpip.
   *
   * @param from who connected at the client, in its words, escaped
   */
  record DirectTcp(String host, long port, String from) {
    static DirectTcp read(WireReader in) throws MalformedDataException {
      String host = in.readText();
      long port = in.readUint32();
      String from = shown(in.readText()) + ":" + in.readUint32();
      in.expectEnd(DIRECT_TCPIP);
      return new DirectTcp(host, port, from);
    }
  }

  /** The field of direct-streamlocal@openssh.com, before two reserved ones. */
  static String directUnix(WireReader in) throws MalformedDataException {
    String path = in.readText();
    in.readString();
    in.readUint32();
    in.expectEnd(DIRECT_STREAMLOCAL);
    return path;
  }

  /**
   * The fields of forwarded-tcpip.
   *
   * @param connected what was connected to, as it was asked for in tcpip-forward
   */
  record ForwardedTcp(Listen.Tcp connected, String from) {
    static ForwardedTcp read(WireReader in) throws MalformedDataException {
      String address = in.readText();
      int port = in.readUint32AtMost(65535, "connected port");
      String from = Text.escape(in.readText()) + ":" + in.readUint32();
      in.expectEnd(FORWARDED_TCPIP);
      return new ForwardedTcp(new Listen.Tcp(address, port), from);
    }
  }

  /** The field of forwarded-streamlocal@openssh.com, before a reserved one. */
  static Listen.Unix forwardedUnix(WireReader in) throws MalformedDataException {
    Listen.Unix connected = new Listen.Unix(in.readText());
    in.readString();
    in.expectEnd(FORWARDED_STREAMLOCAL);
    return connected;
  }
}
