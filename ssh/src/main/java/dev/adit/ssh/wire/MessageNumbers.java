package dev.adit.ssh.wire;

/** Message numbers (RFC 4250 section 4.1.2 and OpenSSH's ping), and the names that people know. */
public final class MessageNumbers {
  public static final int DISCONNECT = 1;
  public static final int IGNORE = 2;
  public static final int UNIMPLEMENTED = 3;
  public static final int DEBUG = 4;
  public static final int SERVICE_REQUEST = 5;
  public static final int SERVICE_ACCEPT = 6;
  public static final int EXT_INFO = 7;
  public static final int NEWCOMPRESS = 8;
  public static final int KEXINIT = 20;
  public static final int NEWKEYS = 21;

  /** 30 to 49 belong to the key exchange method in use. */
  public static final int KEX_FIRST = 30;

  public static final int KEX_LAST = 49;
  public static final int USERAUTH_REQUEST = 50;
  public static final int USERAUTH_FAILURE = 51;
  public static final int USERAUTH_SUCCESS = 52;
  public static final int USERAUTH_BANNER = 53;

  /** 60 to 79 belong to the authentication method in use. */
  public static final int USERAUTH_METHOD_FIRST = 60;

  public static final int USERAUTH_LAST = 79;
  public static final int GLOBAL_REQUEST = 80;
  public static final int REQUEST_SUCCESS = 81;
  public static final int REQUEST_FAILURE = 82;
  public static final int CHANNEL_OPEN = 90;
  public static final int CHANNEL_OPEN_CONFIRMATION = 91;
  public static final int CHANNEL_OPEN_FAILURE = 92;
  public static final int CHANNEL_WINDOW_ADJUST = 93;
  public static final int CHANNEL_DATA = 94;
  public static final int CHANNEL_EXTENDED_DATA = 95;
  public static final int CHANNEL_EOF = 96;
  public static final int CHANNEL_CLOSE = 97;
  public static final int CHANNEL_REQUEST = 98;
  public static final int CHANNEL_SUCCESS = 99;
  public static final int CHANNEL_FAILURE = 100;
  public static final int PING = 192;
  public static final int PONG = 193;

  private MessageNumbers() {}

  /** The number with its name, for logs: {@code 94 (CHANNEL_DATA)}. */
  public static String describe(int number) {
    return switch (number) {
      case DISCONNECT -> "1 (DISCONNECT)";
      case IGNORE -> "2 (IGNORE)";
      case UNIMPLEMENTED -> "3 (UNIMPLEMENTED)";
      case DEBUG -> "4 (DEBUG)";
      case SERVICE_REQUEST -> "5 (SERVICE_REQUEST)";
      case SERVICE_ACCEPT -> "6 (SERVICE_ACCEPT)";
      case EXT_INFO -> "7 (EXT_INFO)";
      case NEWCOMPRESS -> "8 (NEWCOMPRESS)";
      case KEXINIT -> "20 (KEXINIT)";
      case NEWKEYS -> "21 (NEWKEYS)";
      case USERAUTH_REQUEST -> "50 (USERAUTH_REQUEST)";
      case USERAUTH_FAILURE -> "51 (USERAUTH_FAILURE)";
      case USERAUTH_SUCCESS -> "52 (USERAUTH_SUCCESS)";
      case USERAUTH_BANNER -> "53 (USERAUTH_BANNER)";
      case GLOBAL_REQUEST -> "80 (GLOBAL_REQUEST)";
      case REQUEST_SUCCESS -> "81 (REQUEST_SUCCESS)";
      case REQUEST_FAILURE -> "82 (REQUEST_FAILURE)";
      case CHANNEL_OPEN -> "90 (CHANNEL_OPEN)";
      case CHANNEL_OPEN_CONFIRMATION -> "91 (CHANNEL_OPEN_CONFIRMATION)";
      case CHANNEL_OPEN_FAILURE -> "92 (CHANNEL_OPEN_FAILURE)";
      case CHANNEL_WINDOW_ADJUST -> "93 (CHANNEL_WINDOW_ADJUST)";
      case CHANNEL_DATA -> "94 (CHANNEL_DATA)";
      case CHANNEL_EXTENDED_DATA -> "95 (CHANNEL_EXTENDED_DATA)";
      case CHANNEL_EOF -> "96 (CHANNEL_EOF)";
      case CHANNEL_CLOSE -> "97 (CHANNEL_CLOSE)";
      case CHANNEL_REQUEST -> "98 (CHANNEL_REQUEST)";
      case CHANNEL_SUCCESS -> "99 (CHANNEL_SUCCESS)";
      case CHANNEL_FAILURE -> "100 (CHANNEL_FAILURE)";
      case PING -> "192 (PING)";
      case PONG -> "193 (PONG)";
      default -> {
        if (number >= KEX_FIRST && number <= KEX_LAST) {
          yield number + " (key exchange)";
        }
        if (number >= USERAUTH_METHOD_FIRST && number <= USERAUTH_LAST) {
          yield number + " (authentication)";
        }
        yield Integer.toString(number);
      }
    };
  }
}
