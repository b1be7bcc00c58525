package dev.adit.ssh.transport;

import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;

/** The allocator of the data lane. */
public final class Buffers {

  /**
   * Pooled and direct: what is sealed and opened in place is what the kernel reads and writes. Its
   * buffers grow within their size class without being copied, which the packet tail relies on.
   */
  public static final ByteBufAllocator ALLOCATOR = PooledByteBufAllocator.DEFAULT;

  private Buffers() {}
}
