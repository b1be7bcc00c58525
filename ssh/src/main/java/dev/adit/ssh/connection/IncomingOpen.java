package dev.adit.ssh.connection;

import dev.adit.ssh.TunnelEvent;
import dev.adit.ssh.wire.ConnectionMessage.ChannelOpen;
import dev.adit.ssh.wire.ConnectionMessage.OpenConfirmation;
import dev.adit.ssh.wire.ConnectionMessage.OpenFailure;

/** The peer's CHANNEL_OPEN, not yet answered (RFC 4254 section 5.1). Confined to the event loop. */
public final class IncomingOpen {
  private final Connection connection;
  private final ChannelOpen message;

  IncomingOpen(Connection connection, ChannelOpen message) {
    this.connection = connection;
    this.message = message;
  }

  public String type() {
    return message.channelType();
  }

  public Connection connection() {
    return connection;
  }

  /** Confirms the open; the handler's {@link ChannelHandler#opened} is not called. */
  public SshChannel accept(ChannelHandler handler, String what) {
    SshChannel channel = connection.admit(message.channelType(), handler);
    channel.confirmed(message.sender(), message.initialWindow(), message.maximumPacket());
    connection.emit(
        new TunnelEvent.ChannelOpening(channel.id(), message.channelType(), what, true));
    connection
        .sink()
        .send(
            new OpenConfirmation(
                message.sender(),
                channel.id(),
                channel.initialWindow(),
                connection.packetData(),
                new byte[0]));
    connection.emit(new TunnelEvent.ChannelOpened(channel.id(), message.channelType()));
    return channel;
  }

  /**
   * @param reason a code of {@link dev.adit.ssh.wire.OpenFailureReason}
   * @param why for people
   */
  public void refuse(int reason, String why) {
    refuse(reason, why, "");
  }

  /**
   * @param what for whom and to where, for our own people: the peer knows it
   */
  public void refuse(int reason, String why, String what) {
    String event = what.isEmpty() ? why : what + ": " + why;
    connection.emit(new TunnelEvent.ChannelRefused(-1, message.channelType(), event, false));
    connection.sink().send(new OpenFailure(message.sender(), reason, why, ""));
  }
}
