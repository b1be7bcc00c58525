package dev.adit.ssh.transport;

import dev.adit.ssh.wire.MessageNumbers;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Names each packet that is not a channel's data, for a log at its most verbose. What is in a
 * packet isn't told, nor the length of one that may hold a password.
 */
final class PacketLog {
  private static final Logger log = LoggerFactory.getLogger("dev.adit.detail.packets");

  private PacketLog() {}

  static void sent(int number, int length) {
    if (number < MessageNumbers.CHANNEL_DATA || number > MessageNumbers.CHANNEL_EXTENDED_DATA) {
      tell("send", number, length);
    }
  }

  static void received(int number, int length) {
    if (number < MessageNumbers.CHANNEL_DATA || number > MessageNumbers.CHANNEL_EXTENDED_DATA) {
      tell("receive", number, length);
    }
  }

  private static void tell(String what, int number, int length) {
    if (!log.isTraceEnabled()) {
      return;
    }
    boolean mayBeSecret =
        number >= MessageNumbers.USERAUTH_REQUEST && number <= MessageNumbers.USERAUTH_LAST;
    log.trace(
        "{} packet: type {}{}",
        what,
        MessageNumbers.describe(number),
        mayBeSecret ? "" : ", " + length + " bytes");
  }
}
