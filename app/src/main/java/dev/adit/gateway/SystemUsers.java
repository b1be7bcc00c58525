package dev.adit.gateway;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * getpwnam_r and its kin, for which Java has no way: {@code /etc/passwd} alone doesn't know the
 * users of a directory. Linux and macOS. The calls may block on the network.
 */
final class SystemUsers {
  private static final boolean MACOS = System.getProperty("os.name", "").startsWith("Mac");
  private static final Linker LINKER = Linker.nativeLinker();

  private static final MethodHandle GETPWNAM =
      function("getpwnam_r", JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS);
  private static final MethodHandle GETGRGID =
      function("getgrgid_r", JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS);
  private static final MethodHandle GETGROUPLIST =
      function("getgrouplist", JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, ADDRESS);
  private static final MethodHandle GETEUID = function("geteuid", JAVA_INT);

  /** More than {@code struct passwd} and {@code struct group} have anywhere. */
  private static final int STRUCT_ROOM = 128;

  private static final int PW_NAME = 0;
  private static final int PW_UID = 16;
  private static final int PW_GID = 20;
  private static final int PW_DIR = MACOS ? 48 : 32;
  private static final int PW_SHELL = MACOS ? 56 : 40;
  private static final int GR_NAME = 0;

  private static final int ERANGE = 34;
  private static final int FIRST_ROOM = 4 << 10;

  /** A group with very many members needs much. */
  private static final int MOST_ROOM = 4 << 20;

  /** Linux has a limit of 65,536. */
  private static final int MAX_GROUPS = 65_536;

  /** A line of the system's table of users. */
  record User(String name, long uid, int gid, String home, String shell) {}

  private SystemUsers() {}

  @SuppressWarnings("restricted") // The launcher's --enable-native-access allows it.
  private static MethodHandle function(
      String name, MemoryLayout result, MemoryLayout... arguments) {
    return LINKER.downcallHandle(
        LINKER.defaultLookup().find(name).orElseThrow(), FunctionDescriptor.of(result, arguments));
  }

  /** The effective user of this process. */
  static long ownUid() {
    try {
      return Integer.toUnsignedLong((int) GETEUID.invokeExact());
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /** Null if there is no such user. */
  static @Nullable User byName(String name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment key = arena.allocateFrom(name);
      for (int room = FIRST_ROOM; room <= MOST_ROOM; room *= 4) {
        MemorySegment passwd = arena.allocate(STRUCT_ROOM, 8);
        MemorySegment found = arena.allocate(ADDRESS);
        int error =
            (int) GETPWNAM.invokeExact(key, passwd, arena.allocate(room), (long) room, found);
        if (error == ERANGE) {
          continue;
        }
        if (found.get(ADDRESS, 0).address() == 0) {
          return null;
        }
        return new User(
            text(passwd, PW_NAME),
            Integer.toUnsignedLong(passwd.get(JAVA_INT, PW_UID)),
            passwd.get(JAVA_INT, PW_GID),
            text(passwd, PW_DIR),
            text(passwd, PW_SHELL));
      }
      return null;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /** The numbers of a user's groups, the main one first. */
  static int[] groups(String name, int gid) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment user = arena.allocateFrom(name);
      for (int room = 64; room <= MAX_GROUPS; room *= 4) {
        MemorySegment groups = arena.allocate(JAVA_INT, room);
        MemorySegment count = arena.allocateFrom(JAVA_INT, room);
        int result = (int) GETGROUPLIST.invokeExact(user, gid, groups, count);
        if (result >= 0) {
          return groups.asSlice(0, 4L * count.get(JAVA_INT, 0)).toArray(JAVA_INT);
        }
      }
      return new int[] {gid};
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /** Null if the group has no name. */
  static @Nullable String groupName(int gid) {
    try (Arena arena = Arena.ofConfined()) {
      for (int room = FIRST_ROOM; room <= MOST_ROOM; room *= 4) {
        MemorySegment group = arena.allocate(STRUCT_ROOM, 8);
        MemorySegment found = arena.allocate(ADDRESS);
        int error =
            (int) GETGRGID.invokeExact(gid, group, arena.allocate(room), (long) room, found);
        if (error == ERANGE) {
          continue;
        }
        return found.get(ADDRESS, 0).address() == 0 ? null : text(group, GR_NAME);
      }
      return null;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @SuppressWarnings("restricted") // libc ends its strings.
  private static String text(MemorySegment struct, int offset) {
    MemorySegment text = struct.get(ADDRESS, offset);
    return text.address() == 0
        ? ""
        : text.reinterpret(MOST_ROOM).getString(0, StandardCharsets.UTF_8);
  }

  private static RuntimeException impossible(Throwable e) {
    if (e instanceof RuntimeException r) {
      throw r;
    }
    if (e instanceof Error error) {
      throw error;
    }
    return new IllegalStateException("a system call threw", e);
  }
}
