package dev.adit.ssh.transport;

import dev.adit.ssh.Limit;
import java.time.Duration;

/** Bounds on what the peer can make us hold, in one place. */
public final class TransportLimits {

  @Limit(
      bounds =
          "packet_length of what we accept; OpenSSH has the same. RFC 4253 asks for " + "35,000",
      unit = "bytes",
      beyond = "disconnect, before anything is allocated",
      provenBy = "HostileHandshakeTest.packetLengthsOutOfBounds")
  public static final int MAX_PACKET_LENGTH = 256 * 1024;

  @Limit(
      bounds =
          "packet_length of what we accept: padding_length, a message number, four "
              + "bytes of padding",
      unit = "bytes",
      beyond = "disconnect",
      provenBy = "HostileHandshakeTest.packetLengthsOutOfBounds")
  public static final int MIN_PACKET_LENGTH = 6;

  @Limit(
      bounds =
          "Lines that a server sends before its identification (RFC 4253 section "
              + "4.2); a client may send none",
      beyond = "disconnect",
      provenBy = "RudePeerTest.linesWithoutEnd")
  public static final int MAX_BANNER_LINES = 1024;

  @Limit(
      bounds = "One such line",
      unit = "bytes",
      beyond = "disconnect",
      provenBy = "RudePeerTest.aLineWithoutEnd")
  public static final int MAX_BANNER_LINE = 8192;

  @Limit(
      bounds = "An identification string, CR LF included (RFC 4253 section 4.2)",
      unit = "bytes",
      beyond = "disconnect",
      provenBy = {"RudePeerTest.aLineWithoutEnd", "RudeClientTest.aLineWithoutEnd"})
  public static final int MAX_IDENTIFICATION = 255;

  @Limit(
      bounds =
          "Messages that were decoded and wait for the control lane, or for a "
              + "question to be answered",
      beyond = "decoding pauses; disconnect if they came in advance",
      provenBy = "BoundsTest.messagesInAdvanceWhileAQuestionIsOpen")
  static final int MAX_CONTROL_QUEUE = 64;

  @Limit(
      bounds =
          "Messages of extension info before the login: RFC 8308 knows two of a server's and one "
              + "of a client's, and OpenSSH's server sends one more when it knows the user",
      beyond = "disconnect",
      provenBy = "HostileHandshakeTest.aFloodOfExtensionInfo")
  static final int MAX_EXT_INFO = 3;

  @Limit(
      bounds = "Their bytes",
      unit = "bytes",
      beyond = "decoding pauses; disconnect if they came in advance",
      provenBy = "BoundsTest.messagesInAdvanceWhileAQuestionIsOpen")
  static final int MAX_CONTROL_BYTES = 1024 * 1024;

  @Limit(
      bounds = "Memory of replies, adjusts and opens that wait for a key exchange to end",
      unit = "bytes",
      beyond = "disconnect",
      provenBy = {
        "BoundsTest.repliesPiledUpBehindAKeyExchangeAtAServer",
        "BoundsTest.repliesPiledUpBehindAKeyExchangeAtAClient"
      })
  static final int MAX_HELD_BYTES = 8 * 1024 * 1024;

  @Limit(
      bounds =
          "Memory of replies that wait for a peer that asks and does not read. Data "
              + "stops at OUT_HIGH_WATER, so only answers can pile up to this",
      unit = "bytes",
      beyond = "disconnect",
      provenBy = {
        "RudePeerTest.questionsWithoutEndWhoseAnswersNobodyReads",
        "BoundsTest.questionsWithoutEndWhoseAnswersNobodyReads"
      })
  static final int MAX_UNSENT_BYTES = 8 * 1024 * 1024;

  @Limit(
      bounds =
          "What all connections of the process hold together for those who don't take it (data "
              + "that waits for its target, answers that are not read), as a part of the JVM's "
              + "direct memory (-XX:MaxDirectMemorySize, or else -Xmx): one divided by",
      beyond = "the connection that holds most of it ends",
      provenBy = {
        "HeldMemoryTest.whoHoldsMostHasToGo",
        "SmallHeapTest.connectionsThatTogetherHoldTooMuch"
      })
  static final int HELD_PART_OF_MEMORY = 2;

  /** Changes of what a connection holds that are smaller than this are not counted, in bytes. */
  static final int HELD_STEP = 64 * 1024;

  @Limit(
      bounds = "Sealed bytes that wait for the carrier",
      unit = "bytes",
      beyond = "channels wait for their turn",
      provenBy = "BoundsTest.aPeerThatReadsNothingHoldsUpOnlyItsSender")
  public static final int OUT_HIGH_WATER = 256 * 1024;

  @Limit(
      bounds = "Sealed and unsent bytes at which channels get their turns again",
      unit = "bytes",
      beyond = "channels go on waiting",
      provenBy = "BoundsTest.aPeerThatReadsNothingHoldsUpOnlyItsSender")
  public static final int OUT_LOW_WATER = 64 * 1024;

  @Limit(
      bounds =
          "What the kernel holds and hasn't sent (TCP_NOTSENT_LOWAT): what is sealed "
              + "can't be overtaken, so a keystroke would wait behind all of it",
      unit = "bytes",
      beyond = "the rest waits in our queue",
      provenBy = "TransportLimitsTest.theKernelHoldsLittleThatItHasNotSent")
  static final int NOT_SENT_LOW_WATER = 128 * 1024;

  @Limit(
      bounds = "What is read from the carrier before other sockets of the loop get a turn",
      unit = "bytes",
      beyond = "the rest is read in the next turn",
      provenBy = "TransportLimitsTest.aReadBurstEnds")
  static final int READ_BURST = 512 * 1024;

  @Limit(
      bounds =
          "The buffer that packets are read into and opened in; it grows for the "
              + "longest packet",
      unit = "bytes",
      beyond = "reading goes on when there is room",
      provenBy = "HostileHandshakeTest.theLargestPacketOfEachCipherIsTaken")
  public static final int READ_BUFFER = 256 * 1024;

  /** A read of fewer bytes may be the only packet of a peer that waits for our acknowledgement. */
  static final int SMALL_READ = 4096;

  @Limit(
      bounds = "Where what still arrives goes once nobody wants it any more",
      unit = "bytes",
      beyond = "it is read in pieces",
      provenBy = "BoundsTest.whatComesBehindTheEndIsReadAndDropped")
  static final int DISCARDED_AT_ONCE = 16 * 1024;

  @Limit(
      bounds =
          "How long what was queued may still take to go out once the connection has " + "ended",
      unit = "seconds",
      beyond = "the socket is closed",
      provenBy = "BoundsTest.aPeerThatNeverClosesLosesItsSocket")
  public static final int CLOSE_SECONDS = 2;

  @Limit(
      bounds =
          "Pieces of a stream (standard input, ProxyCommand) that were read and that "
              + "the loop has not taken yet",
      beyond = "the stream is not read",
      provenBy = "TransportLimitsTest.aStreamIsReadNoFasterThanTheLoopTakesIt")
  static final int MAX_UNTAKEN = 8;

  @Limit(
      bounds = "Length of such a piece",
      unit = "bytes",
      beyond = "it is two pieces",
      provenBy = "TransportLimitsTest.aStreamIsReadNoFasterThanTheLoopTakesIt")
  static final int STREAM_PIECE = 64 * 1024;

  @Limit(
      bounds =
          "Packets under one key: RFC 4344 section 3.1 allows 2^32, OpenSSH stays at "
              + "half of it",
      beyond = "a key exchange begins",
      provenBy = "TransportLimitsTest.aKeyHasItsLimits")
  static final long MAX_PACKETS_UNDER_KEY = 1L << 31;

  @Limit(
      bounds =
          "Names that a client looks up at once; each may hang as long as the "
              + "system's resolver likes",
      beyond = "the next ones wait",
      provenBy = "TransportLimitsTest.namesThatHangAreBounded")
  static final int RESOLVER_THREADS = 32;

  @Limit(
      bounds = "Names that wait for one of these threads",
      beyond = "refused",
      provenBy = "TransportLimitsTest.namesThatHangAreBounded")
  static final int MAX_WAITING_NAMES = 1024;

  @Limit(
      bounds =
          "How long the name of a server may take to be found, unless ConnectTimeout "
              + "says otherwise",
      beyond = "the connection fails",
      provenBy = "TransportLimitsTest.aNameThatHangsIsGivenUp")
  public static final Duration RESOLVER_PATIENCE = Duration.ofSeconds(30);

  @Limit(
      bounds = "What is quoted of a peer that doesn't speak SSH",
      unit = "bytes",
      beyond = "it is cut",
      provenBy = "BoundsTest.whatIsNotSshIsQuotedInPart")
  static final int MAX_SHOWN = 80;

  /** Room in front of a payload for packet_length and padding_length; it limits nothing. */
  public static final int PACKET_HEAD = 5;

  /** Room behind a payload for the longest padding and MAC that we write; it limits nothing. */
  public static final int PACKET_TAIL = 32 + 64;

  private TransportLimits() {}
}
