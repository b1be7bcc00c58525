package dev.adit.ssh.connection;

import dev.adit.ssh.Limit;

/** Bounds of one connection, in one place. */
public final class ConnectionLimits {

  @Limit(
      bounds =
          "Channels open at once, of either side, and those that are closed but whose data still "
              + "waits for its target",
      beyond = "the open is refused",
      provenBy = {
        "ConnectionTest.channelsHaveALimit",
        "ConnectionTest.channelsWhoseDataStillWaitsCount"
      })
  static final int MAX_CHANNELS = 65_536;

  @Limit(
      bounds = "The window that a channel starts with while there is room in the budget",
      unit = "bytes",
      beyond = "an eighth of what is left",
      provenBy = "ServerForwardingTest.windowsOfAllChannelsStayUnderTheBudget")
  static final int INITIAL_WINDOW = 2 * 1024 * 1024;

  @Limit(
      bounds = "The window that a channel gets in any case",
      unit = "bytes",
      beyond = "the budget is exceeded by this for each channel",
      provenBy = "ServerForwardingTest.windowsOfAllChannelsStayUnderTheBudget")
  static final int MIN_WINDOW = 4 * 1024;

  /** A sender that stands still for this long has a long path before it, in nanoseconds. */
  static final long LONG_PATH_NANOS = 1_000_000;

  @Limit(
      bounds = "What one channel's window may grow to on a long fat path",
      unit = "bytes",
      beyond = "it grows no more",
      provenBy = "ConnectionTest.aWindowGrowsToItsLimit")
  static final int MAX_WINDOW = 64 * 1024 * 1024;

  @Limit(
      bounds =
          "Sum of the windows that we grant over one connection, beyond MIN_WINDOW "
              + "for each channel. Credit can't be taken back, so later channels start "
              + "smaller",
      unit = "bytes",
      beyond = "channels get MIN_WINDOW",
      provenBy = "ServerForwardingTest.windowsOfAllChannelsStayUnderTheBudget")
  static final long WINDOW_BUDGET = 128L * 1024 * 1024;

  @Limit(
      bounds =
          "Buffers of TransportLimits.READ_BUFFER that are kept for payloads which wait in them for "
              + "their sockets: one of 16 KiB keeps all of its buffer",
      beyond = "payloads are copied",
      provenBy = "RelayTest.payloadsDoNotKeepManyBuffers")
  static final int MAX_KEPT_BUFFERS = 16;

  @Limit(
      bounds =
          "How long at least the target of a channel that is closed may take nothing of what it "
              + "has not had yet, and twice that at most",
      unit = "seconds",
      beyond = "it gets a reset",
      provenBy = "RelayTest.aTargetThatTakesNothingIsNotWaitedForForEver")
  static final int DRAIN_SECONDS = 60;

  @Limit(
      bounds =
          "Connections whose whole budgets fit into the JVM's direct memory together "
              + "(-XX:MaxDirectMemorySize)",
      beyond = "each budget is smaller than WINDOW_BUDGET",
      provenBy = "ServerForwardingTest.windowsOfAllChannelsStayUnderTheBudget")
  static final int CONNECTIONS_IN_MEMORY = 4;

  @Limit(
      bounds =
          "Data of one packet that we accept; OpenSSH's 32 KiB would cost four times " + "the work",
      unit = "bytes",
      beyond = "disconnect",
      provenBy = "RudePeerTest.aPacketBeyondTheMaximum")
  public static final int MAX_PACKET_DATA = 128 * 1024;

  /**
   * The same where a RekeyLimit is below {@link #SMALL_REKEY_LIMIT}: OpenSSH takes the bytes of its
   * next packet for blocks when it looks at its limit, so that with RekeyLimit 1M every packet of
   * 128 KiB would bring a key exchange.
   */
  static final int SMALL_PACKET_DATA = 32 * 1024;

  /** A RekeyLimit that is small, in bytes. */
  static final long SMALL_REKEY_LIMIT = 16L * 1024 * 1024;

  @Limit(
      bounds = "Data of one packet that we send, whatever the peer allows",
      unit = "bytes",
      beyond = "it is two packets",
      provenBy = "ConnectionTest.packetsAreNoLargerThanOurs")
  static final int MAX_SENT_DATA = 128 * 1024;

  @Limit(
      bounds = "What a channel may send in one turn while others wait",
      unit = "bytes",
      beyond = "the next one gets its turn",
      provenBy = "ConnectionTest.channelsTakeTurns")
  static final int TURN_BYTES = 64 * 1024;

  @Limit(
      bounds =
          "A channel with less than this to send is answering a person: it goes to " + "the front",
      unit = "bytes",
      beyond = "it goes to the end of the line",
      provenBy = "ConnectionTest.channelsTakeTurns")
  static final int INTERACTIVE_BYTES = 4 * 1024;

  @Limit(
      bounds = "Answers to requests on one channel that are held back",
      beyond = "they are sent",
      provenBy = "ConnectionTest.repliesAreNotHeldForEver")
  static final int MAX_HELD_REPLIES = 64;

  @Limit(
      bounds =
          "Global requests of the peer that wait for our answer. A client asks for "
              + "all of its remote forwardings at once",
      beyond = "disconnect",
      provenBy = "ConnectionTest.globalRequestsThatWaitHaveALimit")
  static final int MAX_PENDING_GLOBAL_REQUESTS = 1024;

  private ConnectionLimits() {}
}
