package dev.adit.config.server;

import dev.adit.config.Patterns;
import io.netty.util.NetUtil;
import org.jspecify.annotations.Nullable;

/** Lists of CIDR blocks and wildcard patterns for addresses, with negation. */
public final class AddressList {
  private AddressList() {}

  /**
   * What a list says about an address.
   *
   * @param address as text; a text that is no address matches nothing
   */
  public static Patterns.Verdict verdict(String address, String list) {
    var bytes = bytes(address);
    if (bytes == null) {
      return Patterns.Verdict.NOT_MATCHED;
    }
    var verdict = Patterns.Verdict.NOT_MATCHED;
    for (var entry : list.split(",", -1)) {
      boolean isNegated = entry.startsWith("!");
      var pattern = isNegated ? entry.substring(1) : entry;
      var block = Block.of(pattern);
      boolean matches = block == null ? Patterns.matches(address, pattern) : block.contains(bytes);
      if (matches) {
        if (isNegated) {
          return Patterns.Verdict.EXCLUDED;
        }
        verdict = Patterns.Verdict.MATCHED;
      }
    }
    return verdict;
  }

  /** False when a block's mask is too long, or the address has bits behind it. */
  public static boolean isValid(String list) {
    for (var entry : list.split(",", -1)) {
      var block = Block.of(entry.startsWith("!") ? entry.substring(1) : entry);
      if (entry.isEmpty() || (block != null && !block.isConsistent())) {
        return false;
      }
    }
    return true;
  }

  /** One address, or a block whose mask fits its address. */
  public static boolean isAddressOrBlock(String text) {
    var block = Block.of(text);
    return block != null && block.isConsistent();
  }

  /** IPv4 in IPv6 (::ffff:1.2.3.4) is IPv4 here, or a rule could be walked around. */
  private static byte @Nullable [] bytes(String address) {
    int scope = address.indexOf('%');
    var bytes =
        NetUtil.createByteArrayFromIpAddressString(
            scope < 0 ? address : address.substring(0, scope));
    return bytes == null ? null : unmapped(bytes);
  }

  private static byte[] unmapped(byte[] bytes) {
    if (bytes.length != 16 || bytes[10] != -1 || bytes[11] != -1) {
      return bytes;
    }
    for (int i = 0; i < 10; i++) {
      if (bytes[i] != 0) {
        return bytes;
      }
    }
    return new byte[] {bytes[12], bytes[13], bytes[14], bytes[15]};
  }

  private record Block(byte[] address, int bits) {

    /** Null for what is no block but a pattern. */
    static @Nullable Block of(String text) {
      int slash = text.indexOf('/');
      var address =
          NetUtil.createByteArrayFromIpAddressString(slash < 0 ? text : text.substring(0, slash));
      if (address == null || text.startsWith("[")) {
        return null;
      }
      if (slash < 0) {
        var plain = unmapped(address);
        return new Block(plain, plain.length * 8);
      }
      var mask = text.substring(slash + 1);
      if (!mask.matches("\\d{1,3}") || Integer.parseInt(mask) > 128) {
        return null;
      }
      return new Block(address, Integer.parseInt(mask));
    }

    boolean isConsistent() {
      if (bits > address.length * 8) {
        return false;
      }
      for (int i = bits; i < address.length * 8; i++) {
        if (bit(address, i) != 0) {
          return false;
        }
      }
      return true;
    }

    boolean contains(byte[] other) {
      if (other.length != address.length || bits > address.length * 8) {
        return false;
      }
      for (int i = 0; i < bits; i++) {
        if (bit(address, i) != bit(other, i)) {
          return false;
        }
      }
      return true;
    }

    private static int bit(byte[] bytes, int index) {
      return bytes[index / 8] >> (7 - index % 8) & 1;
    }
  }
}
