package dev.adit.ssh.forward;

import dev.adit.ssh.SshException;
import dev.adit.ssh.Target;
import dev.adit.ssh.connection.ChannelHandler;
import dev.adit.ssh.connection.Connection;
import dev.adit.ssh.connection.SshChannel;
import dev.adit.ssh.transport.Carrier;
import dev.adit.ssh.transport.TransportLimits;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * An SSH connection inside a channel of another one (-J), on the loop of both: no socket between
 * them, and one copy each way. Packets of the inner connection are gathered into packets of the
 * outer one, so that the inner's few bytes of overhead don't make a packet of their own each time.
 */
final class ChannelCarrier implements Carrier, ChannelHandler {
  private final SshChannel channel;
  private final String remote;
  private @Nullable Listener listener;

  /** What the server said before we listened: its identification comes unasked. */
  private final Deque<ByteBuf> early = new ArrayDeque<>();

  private @Nullable ByteBuf gathered;
  private boolean writable = true;
  private boolean ended;
  private boolean inactive;
  private @Nullable SshException cause;

  private ChannelCarrier(SshChannel channel, String remote) {
    this.channel = channel;
    this.remote = remote;
  }

  /** Asks the server of the outer connection to connect. Any thread. */
  static CompletableFuture<Carrier> open(Connection connection, Target.Tcp target) {
    CompletableFuture<Carrier> opened = new CompletableFuture<>();
    connection
        .eventLoop()
        .execute(
            () ->
                Opens.direct(
                    connection, target, Opens.Originator.NONE, new Opening(opened, target)));
    return opened;
  }

  /** Stands at the channel's end until it is open. */
  private record Opening(CompletableFuture<Carrier> opened, Target.Tcp target)
      implements ChannelHandler {
    @Override
    public void opened(SshChannel channel) {
      var carrier = new ChannelCarrier(channel, target.host() + " port " + target.port());
      channel.handOver(carrier);
      if (!opened.complete(carrier)) {
        carrier.close();
      }
    }

    @Override
    public void refused(SshException.ChannelRefused why) {
      opened.completeExceptionally(why);
    }

    @Override
    public void data(SshChannel channel, ByteBuf data) {}

    @Override
    public void eof(SshChannel channel) {}

    @Override
    public void sendable(SshChannel channel) {}

    @Override
    public void closed(SshChannel channel, @Nullable SshException cause) {}
  }

  // ---- Carrier --------------------------------------------------------------------------------

  @Override
  public EventLoop eventLoop() {
    return channel.connection().eventLoop();
  }

  @Override
  public String remote() {
    return remote;
  }

  @Override
  public void start(Listener to) {
    listener = to;
    for (ByteBuf data; (data = early.poll()) != null; ) {
      deliver(to, data);
      data.release();
    }
    if (inactive) {
      end(cause);
    }
  }

  @Override
  public void write(ByteBuf bytes) {
    try {
      while (bytes.isReadable() && !inactive) {
        ByteBuf into = gathered;
        if (into == null) {
          into = SshChannel.allocate(channel.maxPacket());
          gathered = into;
        }
        // Its writable bytes also hold the room for the packet's end.
        int room = channel.maxPacket() - into.readableBytes();
        into.writeBytes(bytes, Math.min(room, bytes.readableBytes()));
        if (into.readableBytes() == channel.maxPacket()) {
          flush();
        }
      }
    } finally {
      bytes.release();
    }
    if (pendingBytes() >= TransportLimits.OUT_HIGH_WATER) {
      writable = false;
    }
  }

  @Override
  public void flush() {
    ByteBuf out = gathered;
    if (out != null) {
      gathered = null;
      channel.write(out);
      if (channel.pendingBytes() > 0) {
        channel.awaitTurn();
      }
    }
  }

  @Override
  public boolean isWritable() {
    return writable;
  }

  @Override
  public long pendingBytes() {
    return channel.pendingBytes() + (gathered == null ? 0 : gathered.readableBytes());
  }

  @Override
  public void close() {
    if (!ended) {
      ended = true;
      flush();
      channel.close();
    }
  }

  // ---- ChannelHandler -------------------------------------------------------------------------

  @Override
  public void data(SshChannel from, ByteBuf data) {
    Listener to = listener;
    int length = data.readableBytes();
    if (to == null) {
      early.add(data.copy());
    } else {
      deliver(to, data);
    }
    from.consumed(length);
  }

  /** What arrives is never held up: the inner connection's windows limit its data. */
  private void deliver(Listener to, ByteBuf data) {
    while (data.isReadable() && !ended) {
      ByteBuf buffer = to.readBuffer();
      buffer.writeBytes(data, Math.min(data.readableBytes(), buffer.writableBytes()));
      to.received();
    }
  }

  @Override
  public void sendable(SshChannel ready) {
    Listener to = listener;
    if (!writable && pendingBytes() < TransportLimits.OUT_LOW_WATER) {
      writable = true;
      if (to != null && !ended) {
        to.writabilityChanged();
      }
    }
  }

  @Override
  public void eof(SshChannel from) {
    end(null);
  }

  @Override
  public void closed(SshChannel from, @Nullable SshException why) {
    end(why);
  }

  private void end(@Nullable SshException why) {
    Listener to = listener;
    inactive = true;
    cause = why;
    if (to != null && !ended) {
      ended = true;
      to.inactive(why);
      channel.close();
    }
    if (gathered != null) {
      gathered.release();
      gathered = null;
    }
  }
}
