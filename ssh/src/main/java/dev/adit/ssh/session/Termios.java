package dev.adit.ssh.session;

import dev.adit.ssh.TerminalMode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;

/**
 * A terminal's settings: {@code struct termios} of Linux (glibc and musl) and of macOS, whose
 * layouts and numbers differ. Immutable.
 */
public final class Termios {
  private static final boolean MACOS = System.getProperty("os.name", "").startsWith("Mac");

  /** Size of a group of flags, in bytes; the groups stand first, in the order of the enum. */
  private static final int FLAGS_SIZE = MACOS ? 8 : 4;

  /** Where the control characters begin: Linux has the line discipline before them. */
  private static final int CONTROL_CHARACTERS = MACOS ? 32 : 17;

  /** Where the input speed stands; the output speed follows. */
  private static final int SPEEDS = MACOS ? 56 : 52;

  private static final int VMIN = MACOS ? 16 : 6;
  private static final int VTIME = MACOS ? 17 : 5;

  /** A control character that is switched off. */
  private static final int DISABLED = MACOS ? 255 : 0;

  /** As RFC 4254 section 8 has it. */
  private static final int NO_CHARACTER = 255;

  /** Speeds behind Linux's codes 0 to 15, and from 0x1001 on, in bits a second. */
  private static final int[] LINUX_SPEEDS = {
    0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400
  };

  private static final int[] LINUX_HIGH_SPEEDS = {
    57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000,
    2500000, 3000000, 3500000, 4000000
  };

  private static final int LINUX_HIGH = 0x1001;

  /** CBAUD and CBAUDEX. */
  private static final int LINUX_SPEED_BITS = 0x100f;

  private enum Group {
    INPUT,
    OUTPUT,
    CONTROL,
    LOCAL
  }

  /** A flag with its bits on both systems; 0 where there is none. */
  private record Flag(TerminalMode mode, Group group, int linux, int macos) {
    int bits() {
      return MACOS ? macos : linux;
    }
  }

  private static final Flag[] FLAGS = {
    new Flag(TerminalMode.IGNPAR, Group.INPUT, 0x4, 0x4),
    new Flag(TerminalMode.PARMRK, Group.INPUT, 0x8, 0x8),
    new Flag(TerminalMode.INPCK, Group.INPUT, 0x10, 0x10),
    new Flag(TerminalMode.ISTRIP, Group.INPUT, 0x20, 0x20),
    new Flag(TerminalMode.INLCR, Group.INPUT, 0x40, 0x40),
    new Flag(TerminalMode.IGNCR, Group.INPUT, 0x80, 0x80),
    new Flag(TerminalMode.ICRNL, Group.INPUT, 0x100, 0x100),
    new Flag(TerminalMode.IUCLC, Group.INPUT, 0x200, 0),
    new Flag(TerminalMode.IXON, Group.INPUT, 0x400, 0x200),
    new Flag(TerminalMode.IXANY, Group.INPUT, 0x800, 0x800),
    new Flag(TerminalMode.IXOFF, Group.INPUT, 0x1000, 0x400),
    new Flag(TerminalMode.IMAXBEL, Group.INPUT, 0x2000, 0x2000),
    new Flag(TerminalMode.IUTF8, Group.INPUT, 0x4000, 0x4000),
    new Flag(TerminalMode.OPOST, Group.OUTPUT, 0x1, 0x1),
    new Flag(TerminalMode.OLCUC, Group.OUTPUT, 0x2, 0),
    new Flag(TerminalMode.ONLCR, Group.OUTPUT, 0x4, 0x2),
    new Flag(TerminalMode.OCRNL, Group.OUTPUT, 0x8, 0x10),
    new Flag(TerminalMode.ONOCR, Group.OUTPUT, 0x10, 0x20),
    new Flag(TerminalMode.ONLRET, Group.OUTPUT, 0x20, 0x40),
    new Flag(TerminalMode.CS7, Group.CONTROL, 0x20, 0x200),
    new Flag(TerminalMode.CS8, Group.CONTROL, 0x30, 0x300),
    new Flag(TerminalMode.PARENB, Group.CONTROL, 0x100, 0x1000),
    new Flag(TerminalMode.PARODD, Group.CONTROL, 0x200, 0x2000),
    new Flag(TerminalMode.ISIG, Group.LOCAL, 0x1, 0x80),
    new Flag(TerminalMode.ICANON, Group.LOCAL, 0x2, 0x100),
    new Flag(TerminalMode.XCASE, Group.LOCAL, 0x4, 0),
    new Flag(TerminalMode.ECHO, Group.LOCAL, 0x8, 0x8),
    new Flag(TerminalMode.ECHOE, Group.LOCAL, 0x10, 0x2),
    new Flag(TerminalMode.ECHOK, Group.LOCAL, 0x20, 0x4),
    new Flag(TerminalMode.ECHONL, Group.LOCAL, 0x40, 0x10),
    new Flag(TerminalMode.NOFLSH, Group.LOCAL, 0x80, 0x80000000),
    new Flag(TerminalMode.TOSTOP, Group.LOCAL, 0x100, 0x400000),
    new Flag(TerminalMode.ECHOCTL, Group.LOCAL, 0x200, 0x40),
    new Flag(TerminalMode.ECHOKE, Group.LOCAL, 0x800, 0x1),
    new Flag(TerminalMode.PENDIN, Group.LOCAL, 0x4000, 0x20000000),
    new Flag(TerminalMode.IEXTEN, Group.LOCAL, 0x8000, 0x400),
  };

  /** A control character with its place on both systems; -1 where there is none. */
  private record Character(TerminalMode mode, int linux, int macos) {
    int index() {
      return MACOS ? macos : linux;
    }
  }

  private static final Character[] CHARACTERS = {
    new Character(TerminalMode.VINTR, 0, 8),
    new Character(TerminalMode.VQUIT, 1, 9),
    new Character(TerminalMode.VERASE, 2, 3),
    new Character(TerminalMode.VKILL, 3, 5),
    new Character(TerminalMode.VEOF, 4, 0),
    new Character(TerminalMode.VEOL, 11, 1),
    new Character(TerminalMode.VEOL2, 16, 2),
    new Character(TerminalMode.VSTART, 8, 12),
    new Character(TerminalMode.VSTOP, 9, 13),
    new Character(TerminalMode.VSUSP, 10, 10),
    new Character(TerminalMode.VDSUSP, -1, 11),
    new Character(TerminalMode.VREPRINT, 12, 6),
    new Character(TerminalMode.VWERASE, 14, 4),
    new Character(TerminalMode.VLNEXT, 15, 14),
    new Character(TerminalMode.VSWTCH, 7, -1),
    new Character(TerminalMode.VSTATUS, -1, 18),
    new Character(TerminalMode.VDISCARD, 13, 15),
  };

  private final byte[] bytes;

  private Termios(byte[] bytes) {
    this.bytes = bytes;
  }

  /** The settings as tcgetattr(3) tells them. */
  public static Termios of(byte[] struct) {
    return new Termios(struct.clone());
  }

  /** The settings as tcsetattr(3) takes them. */
  public byte[] toBytes() {
    return bytes.clone();
  }

  /** Every key goes to the remote side as it is, and what comes from there is shown as it is. */
  public Termios raw() {
    var raw = buffer(bytes.clone());
    set(raw, TerminalMode.IGNPAR, true);
    for (TerminalMode off :
        new TerminalMode[] {
          TerminalMode.ISTRIP,
          TerminalMode.INLCR,
          TerminalMode.IGNCR,
          TerminalMode.ICRNL,
          TerminalMode.IUCLC,
          TerminalMode.IXON,
          TerminalMode.IXANY,
          TerminalMode.IXOFF,
          TerminalMode.ISIG,
          TerminalMode.ICANON,
          TerminalMode.ECHO,
          TerminalMode.ECHOE,
          TerminalMode.ECHOK,
          TerminalMode.ECHONL,
          TerminalMode.IEXTEN,
          TerminalMode.OPOST
        }) {
      set(raw, off, false);
    }
    raw.put(CONTROL_CHARACTERS + VMIN, (byte) 1);
    raw.put(CONTROL_CHARACTERS + VTIME, (byte) 0);
    return new Termios(raw.array());
  }

  /** Whether what is typed is shown. */
  public Termios echo(boolean shown) {
    var changed = buffer(bytes.clone());
    set(changed, TerminalMode.ECHO, shown);
    set(changed, TerminalMode.ECHONL, false);
    return new Termios(changed.array());
  }

  /** The settings as they travel to the server (RFC 4254 section 8). */
  public Map<TerminalMode, Integer> modes() {
    var modes = new EnumMap<TerminalMode, Integer>(TerminalMode.class);
    var from = buffer(bytes);
    for (Character character : CHARACTERS) {
      if (character.index() >= 0) {
        int value = Byte.toUnsignedInt(from.get(CONTROL_CHARACTERS + character.index()));
        modes.put(character.mode(), value == DISABLED ? NO_CHARACTER : value);
      }
    }
    for (Flag flag : FLAGS) {
      if (flag.bits() != 0) {
        modes.put(flag.mode(), (group(from, flag.group()) & flag.bits()) != 0 ? 1 : 0);
      }
    }
    modes.put(TerminalMode.ISPEED, speed(from, SPEEDS));
    modes.put(TerminalMode.OSPEED, speed(from, SPEEDS + (MACOS ? 8 : 4)));
    return modes;
  }

  /**
   * These settings with what a client asks for. Size and parity of characters are left: Linux's
   * pseudo-terminals have 8 bits and none. What this system doesn't have is left out.
   */
  public Termios with(Map<TerminalMode, Integer> asked) {
    var changed = buffer(bytes.clone());
    for (Character character : CHARACTERS) {
      Integer value = asked.get(character.mode());
      if (value != null && character.index() >= 0) {
        int code = value == NO_CHARACTER ? DISABLED : value;
        changed.put(CONTROL_CHARACTERS + character.index(), (byte) code);
      }
    }
    for (Flag flag : FLAGS) {
      Integer value = asked.get(flag.mode());
      if (value != null && flag.group() != Group.CONTROL) {
        set(changed, flag.mode(), value != 0);
      }
    }
    Integer speed = asked.get(TerminalMode.OSPEED);
    if (speed != null && !MACOS) {
      setLinuxSpeed(changed, speed);
    }
    return new Termios(changed.array());
  }

  /** Both directions, as a pseudo-terminal has it: its code stands among the control flags too. */
  private static void setLinuxSpeed(ByteBuffer termios, int speed) {
    int code = Arrays.binarySearch(LINUX_SPEEDS, speed);
    if (code < 0) {
      int high = Arrays.binarySearch(LINUX_HIGH_SPEEDS, speed);
      code = high < 0 ? -1 : LINUX_HIGH + high;
    }
    if (code > 0) {
      int at = Group.CONTROL.ordinal() * FLAGS_SIZE;
      termios.putInt(at, (termios.getInt(at) & ~LINUX_SPEED_BITS) | code);
      termios.putInt(SPEEDS, code);
      termios.putInt(SPEEDS + 4, code);
    }
  }

  private static int speed(ByteBuffer from, int at) {
    int value = from.getInt(at);
    if (MACOS) {
      return value;
    }
    if (value >= 0 && value < LINUX_SPEEDS.length) {
      return LINUX_SPEEDS[value];
    }
    int high = value - LINUX_HIGH;
    // A newer glibc has the speed itself there.
    return high >= 0 && high < LINUX_HIGH_SPEEDS.length ? LINUX_HIGH_SPEEDS[high] : value;
  }

  private static void set(ByteBuffer termios, TerminalMode mode, boolean on) {
    for (Flag flag : FLAGS) {
      if (flag.mode() == mode) {
        int at = flag.group().ordinal() * FLAGS_SIZE;
        int bits = termios.getInt(at);
        termios.putInt(at, on ? bits | flag.bits() : bits & ~flag.bits());
      }
    }
  }

  private static int group(ByteBuffer termios, Group group) {
    return termios.getInt(group.ordinal() * FLAGS_SIZE);
  }

  /** The flags fit 32 bits; on macOS, whose groups have 64, those are the first four bytes. */
  private static ByteBuffer buffer(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
  }
}
