package dev.adit.ssh.session;

import dev.adit.ssh.SshException;
import dev.adit.ssh.transport.Buffers;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.GatheringByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * What came from the peer and waits for whoever reads it: filled on the event loop, emptied by any
 * thread. It holds at most the channel's window, for the window goes back only when the reader has
 * taken the bytes.
 */
public final class Inbox extends InputStream {

  /** Pieces that one gathering write takes. */
  private static final int GATHER = 16;

  /** Bytes after which a slow reader's window goes back although its buffer isn't empty yet. */
  private static final int CREDIT_STEP = 16 * 1024;

  /** Pause while a non-blocking target is full, in nanoseconds. */
  private static final long FULL_PAUSE = 1_000_000;

  private final Object lock = new Object();
  private final IntConsumer taken;
  private final Runnable closed;
  private Deque<ByteBuf> queue = new ArrayDeque<>();

  /** The last of the queue while it may grow. */
  private @Nullable ByteBuf gathering;

  private int waiting;
  private int uncredited;
  private boolean discarding;
  private boolean ended;
  private @Nullable SshException cause;

  /**
   * @param taken hears how many bytes the reader has taken, on the reader's thread
   */
  public Inbox(IntConsumer taken) {
    this(taken, () -> {});
  }

  /**
   * @param taken hears how many bytes the reader has taken, on the reader's thread
   * @param closed hears that the reader reads no more, on the reader's thread
   */
  Inbox(IntConsumer taken, Runnable closed) {
    this.taken = taken;
    this.closed = closed;
  }

  // ---- On the event loop ----------------------------------------------------------------------

  /** Adds what came. Returns the number of bytes that nobody wants, whose window may go back. */
  public int add(ByteBuf data) {
    int length = data.readableBytes();
    synchronized (lock) {
      if (discarding || ended) {
        return length;
      }
      if (gathering != null && gathering.writableBytes() >= length) {
        gathering.writeBytes(data);
      } else if (length < SessionLimits.COPY_BELOW) {
        gathering =
            Buffers.ALLOCATOR
                .directBuffer(SessionLimits.COPY_BELOW, SessionLimits.COPY_BELOW)
                .writeBytes(data);
        queue.add(gathering);
      } else {
        gathering = null;
        queue.add(
            waiting < SessionLimits.COPY_BEHIND
                ? data.retain()
                : Buffers.ALLOCATOR.directBuffer(length).writeBytes(data));
      }
      waiting += length;
      lock.notifyAll();
      return 0;
    }
  }

  /**
   * Nothing more will come. What is here can still be read.
   *
   * @param why what the reader is told after that; null for a plain end of file
   */
  public void end(@Nullable SshException why) {
    synchronized (lock) {
      if (!ended) {
        ended = true;
        cause = why;
        lock.notifyAll();
      }
    }
  }

  /**
   * As {@link #end}, and nobody is asked any more to close this: what is here moves to memory that
   * the collector frees.
   */
  public void endForGood(@Nullable SshException why) {
    synchronized (lock) {
      end(why);
      gathering = null;
      Deque<ByteBuf> kept = new ArrayDeque<>(queue.size());
      queue.forEach(piece -> kept.add(onTheHeap(piece)));
      queue = kept;
    }
  }

  private static ByteBuf onTheHeap(ByteBuf piece) {
    ByteBuf copy = Unpooled.wrappedBuffer(ByteBufUtil.getBytes(piece));
    piece.release();
    return copy;
  }

  // ---- On the reader's thread -----------------------------------------------------------------

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] to, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, to.length);
    if (length == 0) {
      return 0;
    }
    int read = 0;
    int credit = 0;
    synchronized (lock) {
      if (!awaitData()) {
        return -1;
      }
      for (ByteBuf first; read < length && (first = queue.peek()) != null; ) {
        int n = Math.min(first.readableBytes(), length - read);
        first.readBytes(to, offset + read, n);
        read += n;
        if (!first.isReadable()) {
          removeFirst().release();
        }
      }
      waiting -= read;
      uncredited += read;
      if (queue.isEmpty() || uncredited >= CREDIT_STEP) {
        credit = uncredited;
        uncredited = 0;
      }
    }
    if (credit > 0) {
      taken.accept(credit);
    }
    return read;
  }

  @Override
  public int available() {
    synchronized (lock) {
      return waiting;
    }
  }

  /** Copies to the channel until the end, from where the bytes lie. */
  public long transferTo(WritableByteChannel to) throws IOException {
    long total = 0;
    List<ByteBuf> pieces = new ArrayList<>(GATHER);
    while (true) {
      int length = 0;
      synchronized (lock) {
        if (!awaitData()) {
          return total;
        }
        while (pieces.size() < GATHER && !queue.isEmpty()) {
          ByteBuf piece = removeFirst();
          length += piece.readableBytes();
          pieces.add(piece);
        }
        waiting -= length;
        // What a read left uncredited goes back with this piece.
        length += uncredited;
        uncredited = 0;
      }
      try {
        total += writeAll(pieces, to);
      } finally {
        pieces.forEach(ByteBuf::release);
        pieces.clear();
        taken.accept(length);
      }
    }
  }

  private static long writeAll(List<ByteBuf> pieces, WritableByteChannel to) throws IOException {
    ByteBuffer[] buffers = new ByteBuffer[pieces.size()];
    long left = 0;
    for (int i = 0; i < buffers.length; i++) {
      buffers[i] = pieces.get(i).nioBuffer();
      left += buffers[i].remaining();
    }
    long all = left;
    int first = 0;
    while (left > 0) {
      while (!buffers[first].hasRemaining()) {
        first++;
      }
      long written =
          to instanceof GatheringByteChannel gathering && buffers.length - first > 1
              ? gathering.write(buffers, first, buffers.length - first)
              : to.write(buffers[first]);
      left -= written;
      if (written == 0) {
        // Someone who shares our standard output has made it non-blocking.
        LockSupport.parkNanos(FULL_PAUSE);
      }
    }
    return all;
  }

  /** Throws away what is here and all that comes. */
  public void discard() {
    int length;
    synchronized (lock) {
      discarding = true;
      length = waiting + uncredited;
      waiting = 0;
      uncredited = 0;
      gathering = null;
      queue.forEach(ByteBuf::release);
      queue.clear();
      lock.notifyAll();
    }
    if (length > 0) {
      taken.accept(length);
    }
  }

  /** As {@link #discard}, and the peer hears that nobody reads any more. */
  @Override
  public void close() {
    discard();
    closed.run();
  }

  private ByteBuf removeFirst() {
    ByteBuf first = queue.remove();
    if (first == gathering) {
      gathering = null;
    }
    return first;
  }

  /** Waits for data; false at the end. */
  private boolean awaitData() throws IOException {
    while (queue.isEmpty()) {
      if (ended && cause != null) {
        throw cause;
      }
      if (ended || discarding) {
        return false;
      }
      try {
        lock.wait();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted while waiting for data");
      }
    }
    return true;
  }
}
