package dev.adit.ssh.transport;

/** Bounds on what the peer can make us hold, in one place. */
public final class TransportLimits {

  /**
   * Largest packet_length that we accept, in bytes; OpenSSH has the same. RFC 4253 asks for 35,000.
   */
  public static final int MAX_PACKET_LENGTH = 256 * 1024;

  /** Smallest packet_length: padding_length, a message number, four bytes of padding. */
  public static final int MIN_PACKET_LENGTH = 6;

  /** Lines that a server may send before its identification (RFC 4253 section 4.2). */
  public static final int MAX_BANNER_LINES = 1024;

  /** Length of one such line, in bytes. */
  public static final int MAX_BANNER_LINE = 8192;

  /** Length of an identification string, CR LF included, in bytes (RFC 4253 section 4.2). */
  public static final int MAX_IDENTIFICATION = 255;

  /** Messages decoded and not yet taken by the control lane; at this many, decoding pauses. */
  static final int MAX_CONTROL_QUEUE = 64;

  /**
   * Messages of extension info before the login: RFC 8308 knows two of a server's and one of a
   * client's, and OpenSSH's server sends one more when it knows the user.
   */
  static final int MAX_EXT_INFO = 3;

  /** Bytes of replies, adjusts and opens that wait for a key exchange to end; more disconnects. */
  static final int MAX_HELD_BYTES = 4 * 1024 * 1024;

  /**
   * Bytes of replies that wait for a peer that asks and does not read; more disconnects. Data stops
   * at {@link #OUT_HIGH_WATER}, so only answers can pile up to this.
   */
  static final int MAX_UNSENT_BYTES = 16 * 1024 * 1024;

  /** Sealed bytes that may wait for the carrier before channels must wait for their turn. */
  public static final int OUT_HIGH_WATER = 256 * 1024;

  /** Sealed and unsent bytes at which channels get their turns again. */
  public static final int OUT_LOW_WATER = 64 * 1024;

  /** Bytes of one read burst from the carrier before other sockets of the loop get a turn. */
  static final int READ_BURST = 512 * 1024;

  /** Size of the buffer that packets are read into and opened in. */
  static final int READ_BUFFER = 256 * 1024;

  /** Room in front of a payload for packet_length and padding_length. */
  public static final int PACKET_HEAD = 5;

  /** Room behind a payload for the longest padding and MAC that we write. */
  public static final int PACKET_TAIL = 32 + 64;

  private TransportLimits() {}
}
