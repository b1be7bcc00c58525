package dev.adit.ssh.session;

import dev.adit.ssh.connection.SshChannel;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * What waits to be sent on a channel: filled by any thread, which blocks when it is full; emptied
 * on the event loop, as the peer's window and the channel's turns allow.
 */
public final class Outbox extends OutputStream {

  /** Room that a small write gets, so that the next ones still fit behind it. */
  private static final int SMALL = 1024;

  private final Object lock = new Object();
  private final SshChannel channel;
  private final Deque<ByteBuf> queue = new ArrayDeque<>();
  private int waiting;
  private boolean drainScheduled;
  private boolean eof;
  private @Nullable String broken;

  public Outbox(SshChannel channel) {
    this.channel = channel;
  }

  // ---- On the writer's thread -----------------------------------------------------------------

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] from, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, from.length);
    int done = 0;
    while (done < length) {
      boolean wake;
      synchronized (lock) {
        awaitRoom();
        ByteBuf last = queue.peekLast();
        if (last == null || last.writableBytes() == 0) {
          int room = Math.min(Math.max(length - done, SMALL), channel.maxPacket());
          last = SshChannel.allocate(room);
          add(last);
        }
        int n = Math.min(last.writableBytes(), length - done);
        last.writeBytes(from, offset + done, n);
        done += n;
        wake = !drainScheduled;
        drainScheduled = true;
      }
      if (wake) {
        wake();
      }
    }
  }

  private void add(ByteBuf buffer) {
    queue.add(buffer);
    waiting += buffer.capacity();
  }

  /** Copies from the channel until its end or until nobody takes more; see Session. */
  public long transferFrom(ReadableByteChannel from) throws IOException {
    long total = 0;
    while (true) {
      synchronized (lock) {
        try {
          awaitRoom();
        } catch (BrokenException _) {
          return total;
        }
      }
      ByteBuf buffer = SshChannel.allocate(channel.maxPacket());
      int n;
      boolean wake;
      try {
        ByteBuffer into = buffer.nioBuffer(buffer.writerIndex(), buffer.writableBytes());
        n = from.read(into);
      } catch (Throwable e) {
        buffer.release();
        throw e;
      }
      if (n <= 0) {
        buffer.release();
        if (n < 0) {
          return total;
        }
        continue;
      }
      synchronized (lock) {
        if (broken != null || eof) {
          buffer.release();
          return total;
        }
        buffer.writerIndex(buffer.writerIndex() + n);
        add(buffer);
        wake = !drainScheduled;
        drainScheduled = true;
      }
      total += n;
      if (wake) {
        wake();
      }
    }
  }

  /** The end of file for the peer, once what waits is gone. Idempotent. */
  @Override
  public void close() {
    synchronized (lock) {
      eof = true;
      lock.notifyAll();
    }
    wake();
  }

  private void wake() {
    try {
      channel.connection().eventLoop().execute(this::drain);
    } catch (RejectedExecutionException _) {
      breakOff("the connection has ended");
    }
  }

  /** Whether more may be written. */
  boolean isOpen() {
    synchronized (lock) {
      return broken == null && !eof;
    }
  }

  private void awaitRoom() throws IOException {
    while (waiting >= SessionLimits.MAX_UNTAKEN_OUTPUT && broken == null && !eof) {
      try {
        lock.wait();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted while waiting to send");
      }
    }
    if (broken != null) {
      throw new BrokenException(broken);
    }
    if (eof) {
      throw new BrokenException("the output is closed");
    }
  }

  /** Nobody takes what is written. */
  private static final class BrokenException extends IOException {
    private static final long serialVersionUID = 1L;

    BrokenException(String message) {
      super(message);
    }
  }

  // ---- On the event loop ----------------------------------------------------------------------

  /** Sends what the channel takes now, and asks for a turn for the rest. */
  public void drain() {
    while (true) {
      ByteBuf first;
      synchronized (lock) {
        drainScheduled = false;
        if (queue.isEmpty()) {
          break;
        }
        if (channel.sendable() <= 0) {
          drainScheduled = true;
          channel.awaitTurn();
          return;
        }
        first = queue.remove();
        waiting -= first.capacity();
        lock.notifyAll();
      }
      channel.write(first);
    }
    boolean end;
    synchronized (lock) {
      end = eof;
    }
    if (end) {
      channel.eof();
    }
  }

  /** What waits is thrown away, and writers hear why. */
  public void breakOff(String why) {
    synchronized (lock) {
      if (broken == null) {
        broken = why;
      }
      queue.forEach(ByteBuf::release);
      queue.clear();
      waiting = 0;
      lock.notifyAll();
    }
  }
}
