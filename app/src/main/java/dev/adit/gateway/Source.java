package dev.adit.gateway;

import dev.adit.config.server.NetBlockSize;
import java.net.InetAddress;
import java.nio.ByteBuffer;

/**
 * Where clients come from, as far as limits are counted by source: the first bits of an address.
 */
record Source(ByteBuffer prefix, int bits) {

  static Source of(InetAddress address, NetBlockSize blocks) {
    byte[] bytes = address.getAddress();
    int bits = bytes.length == 4 ? blocks.v4() : blocks.v6();
    for (int i = 0; i < bytes.length; i++) {
      int kept = Math.clamp(bits - i * 8L, 0, 8);
      bytes[i] &= (byte) (0xff << (8 - kept));
    }
    return new Source(ByteBuffer.wrap(bytes), bits);
  }
}
