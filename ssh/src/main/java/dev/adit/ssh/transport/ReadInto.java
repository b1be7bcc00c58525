package dev.adit.ssh.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelConfig;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.util.UncheckedBooleanSupplier;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * Makes Netty read into buffers of our choice, in bursts of bounded size. It goes on reading while
 * the kernel fills what it is given and the burst is not over.
 */
public final class ReadInto implements RecvByteBufAllocator {
  private final int burst;
  private BooleanSupplier more;
  private Supplier<ByteBuf> buffers;

  /**
   * @param burst bytes to read before other sockets of the loop get a turn
   * @param more whether to go on inside the burst: asked after each read
   * @param buffers yields the buffer for one read; whoever gets the read message owns it
   */
  public ReadInto(int burst, BooleanSupplier more, Supplier<ByteBuf> buffers) {
    this.burst = burst;
    this.more = more;
    this.buffers = buffers;
  }

  /** Other buffers from now on. A socket keeps its allocator, so it can't be given another one. */
  public void use(BooleanSupplier nextMore, Supplier<ByteBuf> nextBuffers) {
    more = nextMore;
    buffers = nextBuffers;
  }

  @Override
  public Handle newHandle() {
    return new Bounded();
  }

  private final class Bounded implements ExtendedHandle {
    private int attempted;
    private int last;
    private int total;

    @Override
    public ByteBuf allocate(ByteBufAllocator ignored) {
      return buffers.get();
    }

    @Override
    public int guess() {
      return burst;
    }

    @Override
    public void reset(ChannelConfig config) {
      total = 0;
    }

    @Override
    public void incMessagesRead(int messages) {}

    @Override
    public void lastBytesRead(int bytes) {
      last = bytes;
      if (bytes > 0) {
        total += bytes;
      }
    }

    @Override
    public int lastBytesRead() {
      return last;
    }

    @Override
    public void attemptedBytesRead(int bytes) {
      attempted = bytes;
    }

    @Override
    public int attemptedBytesRead() {
      return attempted;
    }

    @Override
    public boolean continueReading() {
      return last > 0 && last == attempted && total < burst && more.getAsBoolean();
    }

    @Override
    public boolean continueReading(UncheckedBooleanSupplier maybeMoreData) {
      return continueReading();
    }

    @Override
    public void readComplete() {}
  }
}
