package dev.adit.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AddressesTest {
  private static final List<String> DEFAULT = List.of("link-local", "metadata");

  /** Also as the resolver takes them from a client: decimal, hexadecimal, mapped. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "169.254.169.254",
        "169.254.0.1",
        "2852039166",
        "169.16689662",
        "::ffff:169.254.169.254",
        "::ffff:a9fe:a9fe",
        "::169.254.169.254",
        "64:ff9b::169.254.169.254",
        "2002:a9fe:a9fe::1",
        "fe80::1",
        "febf::1",
        "fd00:ec2::254",
        "fd00:ec2:0:0:0:0:0:254",
        "fd20:ce::254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "0.0.0.0",
        "0",
        "::",
        "::ffff:0.0.0.0"
      })
  void deniedUnlessNamed(String host) throws Exception {
    InetAddress address = InetAddress.getByName(host);
    assertThat(Addresses.denial(address, DEFAULT)).as(address.toString()).isNotNull();
    assertThat(Addresses.denial(address, List.of())).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "169.253.255.255", "169.255.0.1",
        "100.100.100.201", "8.8.8.8", "2001:db8::1", "fd00:ec2::255", "fec0::1", "2002:0808:0808::1"
      })
  void notDenied(String host) throws Exception {
    assertThat(Addresses.denial(InetAddress.getByName(host), DEFAULT)).isNull();
  }

  @Test
  void otherClassesAndBlocks() throws Exception {
    assertThat(denial("127.8.8.8", "loopback")).isEqualTo("a loopback address");
    assertThat(denial("::1", "loopback")).isEqualTo("a loopback address");
    assertThat(denial("0.0.0.0", "loopback")).isEqualTo("the unspecified address");
    assertThat(denial("192.168.3.4", "private")).isEqualTo("a private address");
    assertThat(denial("fd12::1", "private")).isEqualTo("a private address");
    assertThat(denial("64:ff9b::10.1.1.1", "private")).isEqualTo("a private address");
    assertThat(denial("224.0.0.1", "multicast")).isEqualTo("a multicast address");
    assertThat(denial("203.0.113.9", "203.0.113.0/24")).isEqualTo("denied as 203.0.113.0/24");
    assertThat(denial("203.0.114.9", "203.0.113.0/24")).isNull();
  }

  private static @Nullable String denial(String address, String word) throws Exception {
    return Addresses.denial(InetAddress.getByName(address), List.of(word));
  }

  @Test
  void textIsShort() throws Exception {
    assertThat(Addresses.text(InetAddress.getByName("0:0:0:0:0:0:0:1"))).isEqualTo("::1");
    assertThat(Addresses.text(InetAddress.getByName("192.0.2.1"))).isEqualTo("192.0.2.1");
  }
}
