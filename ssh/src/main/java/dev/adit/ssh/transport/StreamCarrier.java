package dev.adit.ssh.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * An SSH connection over two streams: pipes, or the standard streams of a program that was started
 * for one connection. Two threads move the bytes, since such streams can only be waited for by a
 * thread: platform threads, for a virtual one would hold its carrier.
 */
public class StreamCarrier implements Carrier {

  /** In the queue: nothing more will be written. */
  private static final ByteBuf END = Unpooled.buffer(0, 0);

  private final EventLoop loop;
  private final String remote;
  private final InputStream from;
  private final OutputStream to;
  private final BlockingQueue<ByteBuf> out = new LinkedBlockingQueue<>();
  private final AtomicLong pending = new AtomicLong();
  private final Semaphore untaken = new Semaphore(TransportLimits.MAX_UNTAKEN);
  private final CompletableFuture<Void> written = new CompletableFuture<>();

  // The event loop's alone.
  private @Nullable Listener listener;
  private boolean writable = true;
  private boolean ended;

  public StreamCarrier(EventLoop loop, String remote, InputStream from, OutputStream to) {
    this.loop = loop;
    this.remote = remote;
    this.from = from;
    this.to = to;
  }

  @Override
  public EventLoop eventLoop() {
    return loop;
  }

  @Override
  public String remote() {
    return remote;
  }

  @Override
  public void start(Listener taker) {
    listener = taker;
    Thread.ofPlatform().daemon().name("adit-stream-in").start(this::readAll);
    Thread.ofPlatform().daemon().name("adit-stream-out").start(this::writeAll);
  }

  // ---- From the stream ------------------------------------------------------------------------

  private void readAll() {
    IOException failure = null;
    try (InputStream in = from) {
      byte[] buffer = new byte[TransportLimits.STREAM_PIECE];
      for (int n; (n = in.read(buffer)) >= 0; ) {
        byte[] piece = Arrays.copyOf(buffer, n);
        untaken.acquire();
        loop.execute(() -> deliver(piece));
      }
    } catch (IOException e) {
      failure = e;
    } catch (InterruptedException | RejectedExecutionException e) {
      return;
    }
    Throwable why = failure == null ? endOfStream() : failure;
    try {
      loop.execute(() -> end(why));
    } catch (RejectedExecutionException _) {
      // The loop has ended, and the connection with it.
    }
  }

  /**
   * Why the peer's stream has ended, as {@link Listener#inactive} tells it. On the reading thread.
   */
  @Nullable Throwable endOfStream() {
    return null;
  }

  /** Everything is written, or can't be. On the writing thread. */
  void finished() {}

  /** Completes when everything is written, or can't be. Callable from any thread. */
  public CompletableFuture<Void> written() {
    return written;
  }

  private void deliver(byte[] piece) {
    untaken.release();
    Listener taker = listener;
    for (int done = 0; done < piece.length && !ended && taker != null; ) {
      ByteBuf buffer = taker.readBuffer();
      int n = Math.min(piece.length - done, buffer.writableBytes());
      buffer.writeBytes(piece, done, n);
      done += n;
      taker.received();
    }
  }

  private void end(@Nullable Throwable why) {
    Listener taker = listener;
    if (!ended && taker != null) {
      ended = true;
      out.add(END);
      taker.inactive(why);
    }
  }

  // ---- To the stream --------------------------------------------------------------------------

  @Override
  public void write(ByteBuf bytes) {
    if (ended) {
      bytes.release();
      return;
    }
    if (pending.addAndGet(cost(bytes)) >= TransportLimits.OUT_HIGH_WATER) {
      writable = false;
    }
    out.add(bytes);
  }

  /** What was written is on its way already. */
  @Override
  public void flush() {}

  @Override
  public boolean isWritable() {
    return writable;
  }

  @Override
  public long pendingBytes() {
    return pending.get();
  }

  @Override
  public void close() {
    if (!ended) {
      ended = true;
      out.add(END);
    }
  }

  /** As Netty counts its own queue: a byte in a buffer of its own costs more than a byte. */
  private static int cost(ByteBuf bytes) {
    return bytes.readableBytes() + 96;
  }

  private void writeAll() {
    try (to) {
      for (ByteBuf bytes; (bytes = out.take()) != END; ) {
        int cost = cost(bytes);
        try {
          bytes.readBytes(to, bytes.readableBytes());
        } finally {
          bytes.release();
        }
        if (out.isEmpty()) {
          to.flush();
        }
        if (pending.addAndGet(-cost) < TransportLimits.OUT_LOW_WATER) {
          loop.execute(this::drained);
        }
      }
    } catch (IOException | RejectedExecutionException _) {
      // The reader hears of the end, and says so.
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    finished();
    for (ByteBuf rest; (rest = out.poll()) != null; ) {
      rest.release();
    }
    written.complete(null);
  }

  private void drained() {
    Listener taker = listener;
    if (!writable && pending.get() < TransportLimits.OUT_LOW_WATER) {
      writable = true;
      if (!ended && taker != null) {
        taker.writabilityChanged();
      }
    }
  }
}
