package dev.adit.client;

import dev.adit.ssh.HandshakeInfo;
import dev.adit.ssh.TunnelEvent;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says in -v what happens in the tunnels, and always what a person must hear. */
final class EventLog {
  private static final Logger log = LoggerFactory.getLogger("adit");

  private EventLog() {}

  static void tunnel(TunnelEvent event) {
    switch (event) {
      case TunnelEvent.ForwardListening e ->
          log.debug("Forwarding {}: listening on {}", e.spec(), e.where());
      case TunnelEvent.ForwardClosed e ->
          log.debug("Forwarding {}: no longer listening on {}", e.spec(), e.where());
      case TunnelEvent.ForwardRefused e ->
          log.info("Forwarding {}: refused: {}", e.spec(), e.why());
      case TunnelEvent.ChannelOpening e ->
          log.debug(
              "channel {}: {} {} {}",
              e.channel(),
              e.byPeer() ? "server opens" : "opening",
              e.type(),
              e.what().equals(e.type()) ? "" : e.what());
      case TunnelEvent.ChannelOpened e -> log.debug("channel {}: open", e.channel());
      case TunnelEvent.ChannelRefused e when e.byPeer() ->
          log.info("channel {}: open failed: {}", e.channel(), e.why());
      case TunnelEvent.ChannelRefused e ->
          log.info("refused the server's {} channel: {}", e.type(), e.why());
      case TunnelEvent.ChannelClosed e ->
          log.debug(
              "channel {}: closed by {}: {} bytes sent, {} received, {} s",
              e.channel(),
              e.closedBy(),
              e.sent(),
              e.received(),
              e.age().toMillis() / 1000.0);
      case TunnelEvent.SessionStarted e -> log.debug("channel {}: {}", e.channel(), e.what());
      case TunnelEvent.SessionEnded e -> log.debug("channel {}: ended: {}", e.channel(), e.how());
      case TunnelEvent.Notice e -> log.info("{}", e.text());
      case TunnelEvent.Disconnected e ->
          log.debug("disconnected: {}", e.cause() == null ? "by us" : e.cause().getMessage());
    }
  }

  static void handshake(HandshakeInfo info) {
    if (!info.first()) {
      log.debug("rekeyed: {}, {}", info.kex(), info.cipherToServer());
      return;
    }
    log.debug("Remote protocol version 2.0, remote software version {}", info.peerIdentification());
    log.debug("kex: algorithm: {}", info.kex());
    log.debug("kex: host key algorithm: {}", info.hostKeyAlgorithm());
    log.debug("kex: strict: {}", info.strict() ? "yes" : "no");
    log.debug(
        "kex: server->client cipher: {} MAC: {} compression: {}",
        info.cipherToClient(),
        info.macToClient() == null ? "<implicit>" : info.macToClient(),
        info.compression());
    log.debug(
        "kex: client->server cipher: {} MAC: {} compression: {}",
        info.cipherToServer(),
        info.macToServer() == null ? "<implicit>" : info.macToServer(),
        info.compression());
    if (!info.postQuantum()) {
      log.warn(
          "** WARNING: connection is not using a post-quantum key exchange algorithm ({}).",
          info.kex());
      log.warn("** This session may be vulnerable to \"store now, decrypt later\" attacks.");
    }
  }
}
