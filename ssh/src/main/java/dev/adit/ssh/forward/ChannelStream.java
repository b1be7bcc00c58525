package dev.adit.ssh.forward;

import dev.adit.ssh.SshException;
import dev.adit.ssh.SshStream;
import dev.adit.ssh.Target;
import dev.adit.ssh.connection.ChannelHandler;
import dev.adit.ssh.connection.Connection;
import dev.adit.ssh.connection.SshChannel;
import dev.adit.ssh.session.Inbox;
import dev.adit.ssh.session.Outbox;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/** A channel as blocking streams, for -W and for users of the library. */
final class ChannelStream implements SshStream {
  private final SshChannel channel;
  private final Inbox input = new Inbox(this::taken);
  private final Outbox output;

  /** Completed on the event loop. */
  private final CompletableFuture<Void> closed = new CompletableFuture<>();

  private ChannelStream(SshChannel channel) {
    this.channel = channel;
    this.output = new Outbox(channel);
  }

  /** Asks the server to connect; fails with {@link SshException.ChannelRefused}. Any thread. */
  static CompletableFuture<ChannelStream> open(Connection connection, Target target) {
    CompletableFuture<ChannelStream> opened = new CompletableFuture<>();
    connection
        .eventLoop()
        .execute(
            () -> Opens.direct(connection, target, Opens.Originator.NONE, new Handler(opened)));
    return opened;
  }

  @Override
  public InputStream input() {
    return input;
  }

  @Override
  public OutputStream output() {
    return output;
  }

  @Override
  public long transferTo(WritableByteChannel to) throws IOException {
    return input.transferTo(to);
  }

  @Override
  public long transferFrom(ReadableByteChannel from) throws IOException {
    return output.transferFrom(from);
  }

  @Override
  public CompletableFuture<Void> closed() {
    // Whoever waits may do what it likes, so not on the event loop.
    return closed.thenApplyAsync(none -> none);
  }

  @Override
  public void close() {
    onLoop(channel::close);
    output.breakOff("the stream is closed");
    input.discard();
  }

  private void taken(int bytes) {
    onLoop(() -> channel.consumed(bytes));
  }

  private void onLoop(Runnable task) {
    try {
      channel.connection().eventLoop().execute(task);
    } catch (RejectedExecutionException _) {
      // The loop has ended, and the connection with it.
    }
  }

  /** Hears the channel, on the event loop; there before the stream is. */
  private static final class Handler implements ChannelHandler {
    private final CompletableFuture<ChannelStream> opened;
    private @Nullable ChannelStream stream;

    Handler(CompletableFuture<ChannelStream> opened) {
      this.opened = opened;
    }

    private ChannelStream stream() {
      if (stream == null) {
        throw new IllegalStateException("the channel is not open yet");
      }
      return stream;
    }

    @Override
    public void opened(SshChannel channel) {
      stream = new ChannelStream(channel);
      if (!opened.complete(stream)) {
        stream.close();
      }
    }

    @Override
    public void refused(SshException.ChannelRefused why) {
      opened.completeExceptionally(why);
    }

    @Override
    public void data(SshChannel channel, ByteBuf data) {
      int unwanted = stream().input.add(data);
      if (unwanted > 0) {
        channel.consumed(unwanted);
      }
    }

    @Override
    public void eof(SshChannel channel) {
      stream().input.end(null);
    }

    @Override
    public void sendable(SshChannel channel) {
      stream().output.drain();
    }

    @Override
    public void closed(SshChannel channel, @Nullable SshException cause) {
      stream()
          .output
          .breakOff(
              cause == null ? "the target has closed it" : String.valueOf(cause.getMessage()));
      stream().input.endForGood(cause);
      stream().closed.complete(null);
    }
  }
}
