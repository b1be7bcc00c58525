package dev.adit.gateway;

import dev.adit.config.Patterns;
import dev.adit.config.server.AddressList;
import io.netty.util.NetUtil;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Addresses as text, and the classes of addresses that DenyOpen names. */
final class Addresses {
  /** What sshd calls a client that doesn't come over TCP. */
  static final String UNKNOWN = "UNKNOWN";

  /**
   * Where clouds tell a machine its secrets. Most are link-local; these are the others: AWS (also
   * its containers), Google and Scaleway over IPv6, Alibaba, Azure, Oracle.
   */
  private static final Set<InetAddress> METADATA =
      Set.of(
          literal("fd00:ec2::254"),
          literal("fd00:ec2::23"),
          literal("fd20:ce::254"),
          literal("fd00:42::42"),
          literal("100.100.100.200"),
          literal("168.63.129.16"),
          literal("192.0.0.192"),
          literal("169.254.169.254"));

  /** NAT64 (RFC 6052): 64:ff9b::/96. */
  private static final byte[] NAT64 = {0, 0x64, (byte) 0xff, (byte) 0x9b, 0, 0, 0, 0, 0, 0, 0, 0};

  private Addresses() {}

  /** In the shortest form and without a zone: {@code ::1}, not {@code 0:0:0:0:0:0:0:1}. */
  static String text(InetAddress address) {
    return NetUtil.toAddressString(address);
  }

  static String text(@Nullable InetSocketAddress address) {
    return address == null ? UNKNOWN : text(address.getAddress());
  }

  /**
   * Why an address must not be dialled.
   *
   * @param denied the words of DenyOpen; empty for none
   * @return {@code a link-local address} and the like; null if it may be
   */
  static @Nullable String denial(InetAddress address, List<String> denied) {
    if (denied.isEmpty()) {
      return null;
    }
    for (InetAddress meant : meanings(address)) {
      // The system takes it for loopback, which no rule about addresses would expect.
      if (meant.isAnyLocalAddress()) {
        return "the unspecified address";
      }
      for (String word : denied) {
        String why = denial(meant, word);
        if (why != null) {
          return why;
        }
      }
    }
    return null;
  }

  private static @Nullable String denial(InetAddress address, String word) {
    return switch (word) {
      case "link-local" -> address.isLinkLocalAddress() ? "a link-local address" : null;
      case "metadata" -> METADATA.contains(address) ? "an address where clouds keep secrets" : null;
      case "loopback" -> address.isLoopbackAddress() ? "a loopback address" : null;
      case "multicast" -> address.isMulticastAddress() ? "a multicast address" : null;
      case "private" ->
          address.isSiteLocalAddress() || isUniqueLocal(address) ? "a private address" : null;
      default ->
          AddressList.verdict(text(address), word) == Patterns.Verdict.MATCHED
              ? "denied as " + word
              : null;
    };
  }

  private static boolean isUniqueLocal(InetAddress address) {
    return address instanceof Inet6Address && (address.getAddress()[0] & 0xfe) == 0xfc;
  }

  /** The address itself, and the IPv4 address that a router or the kernel would make of it. */
  private static List<InetAddress> meanings(InetAddress address) {
    List<InetAddress> meanings = new ArrayList<>(List.of(withoutZone(address)));
    if (address instanceof Inet6Address) {
      byte[] b = address.getAddress();
      boolean beginsWithZeros = Arrays.equals(b, 0, 12, new byte[12], 0, 12);
      boolean isSmall = beginsWithZeros && b[12] == 0 && b[13] == 0 && b[14] == 0;
      if (Arrays.equals(b, 0, 12, NAT64, 0, 12) || (beginsWithZeros && !isSmall) || isMapped(b)) {
        meanings.add(of(Arrays.copyOfRange(b, 12, 16)));
      } else if (b[0] == 0x20 && b[1] == 0x02) {
        // 6to4: 2002::/16.
        meanings.add(of(Arrays.copyOfRange(b, 2, 6)));
      }
    }
    return meanings;
  }

  /** Java makes an {@link Inet4Address} of ::ffff:1.2.3.4 wherever it can; not everywhere. */
  private static boolean isMapped(byte[] b) {
    return Arrays.equals(b, 0, 10, new byte[10], 0, 10) && b[10] == -1 && b[11] == -1;
  }

  private static InetAddress withoutZone(InetAddress address) {
    return of(address.getAddress());
  }

  private static InetAddress of(byte[] bytes) {
    try {
      return InetAddress.getByAddress(bytes);
    } catch (UnknownHostException e) {
      throw new IllegalStateException("an address has 4 or 16 bytes", e);
    }
  }

  private static InetAddress literal(String text) {
    return InetAddress.ofLiteral(text);
  }
}
