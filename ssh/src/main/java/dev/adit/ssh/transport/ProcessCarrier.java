package dev.adit.ssh.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * An SSH connection over the standard streams of a process (ProxyCommand); its standard error is
 * ours. Two threads move the bytes, since pipes of a process can only be waited for by a thread:
 * platform threads, for a virtual one would hold its carrier. The process ends with the connection.
 */
public final class ProcessCarrier implements Carrier {

  private static final int READ_SIZE = 64 * 1024;

  /** Pieces that were read and that the loop has not taken yet. */
  private static final int MAX_UNTAKEN = 8;

  /**
   * How long the process may take to end by itself when its standard input ends, so that it can
   * pass on the last packet, and then how long when it is asked to, in milliseconds.
   */
  private static final long END_MILLIS = 200;

  private static final long TERMINATE_MILLIS = 2000;

  /** In the queue: nothing more will be written. */
  private static final ByteBuf END = Unpooled.buffer(0, 0);

  private final EventLoop loop;
  private final String remote;
  private final String command;
  private final Process process;
  private final BlockingQueue<ByteBuf> out = new LinkedBlockingQueue<>();
  private final AtomicLong pending = new AtomicLong();
  private final Semaphore untaken = new Semaphore(MAX_UNTAKEN);

  // The event loop's alone.
  private @Nullable Listener listener;
  private boolean writable = true;
  private boolean ended;

  private ProcessCarrier(EventLoop loop, String remote, String command, Process process) {
    this.loop = loop;
    this.remote = remote;
    this.command = command;
    this.process = process;
  }

  /**
   * Starts the command.
   *
   * @param command the program and its arguments
   * @param remote where it leads, for messages
   * @throws IOException if there is no such program
   */
  public static ProcessCarrier start(EventLoop loop, List<String> command, String remote)
      throws IOException {
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String name = Text.escape(command.getLast());
    return new ProcessCarrier(loop, remote, name, process);
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
  public void start(Listener to) {
    listener = to;
    Thread.ofPlatform().daemon().name("adit-proxy-in").start(this::readAll);
    Thread.ofPlatform().daemon().name("adit-proxy-out").start(this::writeAll);
  }

  // ---- From the process -----------------------------------------------------------------------

  private void readAll() {
    IOException failure = null;
    try (InputStream in = process.getInputStream()) {
      byte[] buffer = new byte[READ_SIZE];
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
    Throwable why = failure == null ? new IOException(farewell()) : failure;
    try {
      loop.execute(() -> end(why));
    } catch (RejectedExecutionException _) {
      // The loop has ended, and the connection with it.
    }
  }

  /** Reads as the end of "Connection to ...". */
  private String farewell() {
    try {
      if (process.waitFor(END_MILLIS, TimeUnit.MILLISECONDS)) {
        return "closed by the proxy command '%s', which ended with exit status %d"
            .formatted(command, process.exitValue());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return "closed by the proxy command '%s'".formatted(command);
  }

  private void deliver(byte[] piece) {
    untaken.release();
    Listener to = listener;
    for (int done = 0; done < piece.length && !ended && to != null; ) {
      ByteBuf buffer = to.readBuffer();
      int n = Math.min(piece.length - done, buffer.writableBytes());
      buffer.writeBytes(piece, done, n);
      done += n;
      to.received();
    }
  }

  private void end(Throwable why) {
    Listener to = listener;
    if (!ended && to != null) {
      ended = true;
      out.add(END);
      to.inactive(why);
    }
  }

  // ---- To the process -------------------------------------------------------------------------

  @Override
  public void write(ByteBuf bytes) {
    if (ended) {
      bytes.release();
      return;
    }
    if (pending.addAndGet(bytes.readableBytes()) >= TransportLimits.OUT_HIGH_WATER) {
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

  private void writeAll() {
    try (OutputStream to = process.getOutputStream()) {
      for (ByteBuf bytes; (bytes = out.take()) != END; ) {
        int length = bytes.readableBytes();
        try {
          bytes.readBytes(to, length);
        } finally {
          bytes.release();
        }
        if (out.isEmpty()) {
          to.flush();
        }
        if (pending.addAndGet(-length) < TransportLimits.OUT_LOW_WATER) {
          loop.execute(this::drained);
        }
      }
    } catch (IOException | RejectedExecutionException _) {
      // The reader hears of the process's end, and says so.
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    terminate();
    for (ByteBuf rest; (rest = out.poll()) != null; ) {
      rest.release();
    }
  }

  private void drained() {
    Listener to = listener;
    if (!writable && pending.get() < TransportLimits.OUT_LOW_WATER) {
      writable = true;
      if (!ended && to != null) {
        to.writabilityChanged();
      }
    }
  }

  private void terminate() {
    try {
      if (!process.waitFor(END_MILLIS, TimeUnit.MILLISECONDS)) {
        process.destroy();
        if (!process.waitFor(TERMINATE_MILLIS, TimeUnit.MILLISECONDS)) {
          process.destroyForcibly();
        }
      }
    } catch (InterruptedException _) {
      process.destroyForcibly();
    }
  }
}
