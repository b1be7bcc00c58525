package dev.adit.ssh.connection;

/** Bounds of one connection, in one place. */
public final class ConnectionLimits {

  /** Channels open at once. */
  static final int MAX_CHANNELS = 65_536;

  /** The window that a channel starts with while there is room in the budget, in bytes. */
  static final int INITIAL_WINDOW = 2 * 1024 * 1024;

  /** The window that a channel gets in any case. */
  static final int MIN_WINDOW = 4 * 1024;

  /** What one channel's window may grow to on a long fat path. */
  static final int MAX_WINDOW = 64 * 1024 * 1024;

  /**
   * Sum of the windows that we grant over one connection, in bytes, beyond {@link #MIN_WINDOW} for
   * each channel. Credit can't be taken back, so later channels start smaller.
   */
  static final long WINDOW_BUDGET = 128L * 1024 * 1024;

  /** Largest data of one packet that we accept; OpenSSH's 32 KiB would cost four times the work. */
  public static final int MAX_PACKET_DATA = 128 * 1024;

  /**
   * The same where a RekeyLimit is below {@link #SMALL_REKEY_LIMIT}: OpenSSH takes the bytes of its
   * next packet for blocks when it looks at its limit, so that with RekeyLimit 1M every packet of
   * 128 KiB would bring a key exchange.
   */
  static final int SMALL_PACKET_DATA = 32 * 1024;

  /** A RekeyLimit that is small, in bytes. */
  static final long SMALL_REKEY_LIMIT = 16L * 1024 * 1024;

  /** Largest data of one packet that we send, whatever the peer allows. */
  static final int MAX_SENT_DATA = 128 * 1024;

  /** What a channel may send in one turn while others wait. */
  static final int TURN_BYTES = 64 * 1024;

  /** A channel with less than this to send is answering a person: it goes to the front. */
  static final int INTERACTIVE_BYTES = 4 * 1024;

  /** Answers to requests on one channel that may be held back. */
  static final int MAX_HELD_REPLIES = 64;

  /**
   * Global requests of the peer that wait for our answer. A client asks for all of its remote
   * forwardings at once.
   */
  static final int MAX_PENDING_GLOBAL_REQUESTS = 1024;

  private ConnectionLimits() {}
}
