package dev.adit.ssh.wire;

/** Reason codes of SSH_MSG_CHANNEL_OPEN_FAILURE (RFC 4250 section 4.3). */
public final class OpenFailureReason {
  public static final int ADMINISTRATIVELY_PROHIBITED = 1;
  public static final int CONNECT_FAILED = 2;
  public static final int UNKNOWN_CHANNEL_TYPE = 3;
  public static final int RESOURCE_SHORTAGE = 4;

  private OpenFailureReason() {}

  /** As OpenSSH words it. */
  public static String describe(long reason) {
    return switch ((int) reason) {
      case ADMINISTRATIVELY_PROHIBITED -> "administratively prohibited";
      case CONNECT_FAILED -> "connect failed";
      case UNKNOWN_CHANNEL_TYPE -> "unknown channel type";
      case RESOURCE_SHORTAGE -> "resource shortage";
      default -> "unknown reason " + reason;
    };
  }
}
