package dev.adit.bench.micro;

import dev.adit.ssh.SshException;
import dev.adit.ssh.connection.ChannelHandler;
import dev.adit.ssh.connection.Connection;
import dev.adit.ssh.connection.SshChannel;
import dev.adit.ssh.transport.PacketSink;
import dev.adit.ssh.wire.ConnectionMessage.OpenConfirmation;
import dev.adit.ssh.wire.ConnectionMessage.WindowAdjust;
import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.Message;
import dev.adit.ssh.wire.MessageNumbers;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullUnmarked;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Nanoseconds for the windows' part in a packet of data: finding the channel, taking window or
 * giving it back. No packet is sealed, no byte is moved.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@NullUnmarked // JMH fills it.
public class WindowBenchmark {
  /** Fits into the window that a ten-thousandth channel gets. */
  private static final int BYTES = 2 * 1024;

  private static final long PEERS_WINDOW = 1 << 30;

  /** Channels of the connection, which take turns. */
  @Param({"1", "10000"})
  int channels;

  private Connection connection;
  private SshChannel[] open;
  private ByteBuf[] arriving;
  private ByteBuf[] adjusting;
  private ByteBuf data;
  private int next;

  @Setup
  public void setUp() throws SshException, MalformedDataException {
    connection = new Connection(new Nowhere(), _ -> {});
    open = new SshChannel[channels];
    arriving = new ByteBuf[channels];
    adjusting = new ByteBuf[channels];
    for (int i = 0; i < channels; i++) {
      open[i] = connection.open("direct-tcpip", new byte[0], new Consumer(), "a benchmark");
      int id = open[i].id();
      byte[] confirmation =
          new OpenConfirmation(id, id, PEERS_WINDOW, BYTES, new byte[0]).toBytes();
      packet(Unpooled.wrappedBuffer(confirmation));
      arriving[i] = Unpooled.directBuffer(9 + BYTES);
      arriving[i].writeByte(MessageNumbers.CHANNEL_DATA).writeInt(id).writeInt(BYTES);
      arriving[i].writeZero(BYTES);
      adjusting[i] = Unpooled.wrappedBuffer(new WindowAdjust(id, BYTES).toBytes());
    }
    data = SshChannel.allocate(BYTES).writeZero(BYTES);
  }

  private void packet(ByteBuf packet) throws SshException, MalformedDataException {
    connection.packet(packet.getUnsignedByte(0), packet, 0, packet.readableBytes());
  }

  private int nextChannel() {
    next = next + 1 == channels ? 0 : next + 1;
    return next;
  }

  /** Data comes, is consumed at once, and every so often the window goes back to the peer. */
  @Benchmark
  public void receive() throws SshException, MalformedDataException {
    packet(arriving[nextChannel()]);
  }

  /** Data goes, and the peer gives as much window back. */
  @Benchmark
  public void send() throws SshException, MalformedDataException {
    int channel = nextChannel();
    int start = data.readerIndex();
    open[channel].write(data.retain());
    data.readerIndex(start);
    packet(adjusting[channel]);
  }

  private static final class Consumer implements ChannelHandler {
    @Override
    public void data(SshChannel channel, ByteBuf buffer) {
      channel.consumed(buffer.readableBytes());
    }

    @Override
    public void eof(SshChannel channel) {}

    @Override
    public void sendable(SshChannel channel) {}

    @Override
    public void closed(SshChannel channel, @Nullable SshException cause) {}
  }

  /** Takes everything and does nothing. */
  private static final class Nowhere implements PacketSink {
    private final EventLoop loop = new EmbeddedChannel().eventLoop();

    @Override
    public EventLoop eventLoop() {
      return loop;
    }

    @Override
    public void send(Message message) {}

    @Override
    public void sendInPlace(ByteBuf payload) {
      payload.release();
    }

    @Override
    public boolean dataAllowed() {
      return true;
    }

    @Override
    public void hold(long bytes) {}

    @Override
    public void fail(SshException cause) {
      throw new IllegalStateException(cause);
    }
  }
}
