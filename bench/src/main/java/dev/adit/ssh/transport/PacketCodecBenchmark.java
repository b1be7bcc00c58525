package dev.adit.ssh.transport;

import dev.adit.ssh.SshException;
import dev.adit.ssh.crypto.CipherAlgorithm;
import dev.adit.ssh.crypto.CipherSuite;
import dev.adit.ssh.wire.MessageNumbers;
import dev.adit.ssh.wire.TransportMessage.NewKeys;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullUnmarked;
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
 * Microseconds for a packet through {@link PacketEncoder}, one copy in the kernel's stead, and
 * {@link PacketDecoder}: padded, sealed, framed, opened and given to the channels; aes128-gcm.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@NullUnmarked // JMH fills it.
public class PacketCodecBenchmark {

  /** Of the payload: a keystroke, OpenSSH's largest, and ours. */
  @Param({"64", "32768", "131072"})
  int bytes;

  private final EmbeddedChannel channel = new EmbeddedChannel();
  private final Pipe pipe = new Pipe();
  private final Counter counter = new Counter();
  private PacketEncoder encoder;
  private PacketDecoder decoder;

  @Setup
  public void setUp() {
    var config =
        new TransportConfig(
            "SSH-2.0-benchmark",
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            false,
            0,
            Duration.ZERO,
            Duration.ZERO,
            Duration.ZERO,
            0);
    Transport transport = Transport.client(pipe, config, new TransportListener() {}, hostKey -> {});
    encoder = new PacketEncoder(pipe, transport);
    decoder = new PacketDecoder(transport, false);
    decoder.readBuffer().writeCharSequence("SSH-2.0-peer\r\n", StandardCharsets.US_ASCII);
    decoder.received();
    var suite = new CipherSuite(CipherAlgorithm.AES128_GCM, null);
    byte[] none = new byte[0];
    encoder.switchKeys(new NewKeys(), suite.newSealer(new byte[16], new byte[12], none), true);
    pipe.wire.release();
    decoder.switchKeys(suite.newOpener(new byte[16], new byte[12], none), true);
    decoder.open(counter);
  }

  @Benchmark
  public long packet() {
    ByteBuf payload =
        Buffers.ALLOCATOR.directBuffer(
            TransportLimits.PACKET_HEAD + bytes + TransportLimits.PACKET_TAIL);
    payload.setIndex(TransportLimits.PACKET_HEAD, TransportLimits.PACKET_HEAD + bytes);
    payload.setByte(TransportLimits.PACKET_HEAD, MessageNumbers.CHANNEL_DATA);
    encoder.sendInPlace(payload);
    channel.runPendingTasks();
    ByteBuf wire = pipe.wire;
    while (wire.isReadable()) {
      ByteBuf in = decoder.readBuffer();
      in.writeBytes(wire, Math.min(in.writableBytes(), wire.readableBytes()));
      decoder.received();
    }
    wire.release();
    return counter.packets;
  }

  /** Keeps the last packet. */
  private final class Pipe implements Carrier {
    private ByteBuf wire;

    @Override
    public EventLoop eventLoop() {
      return channel.eventLoop();
    }

    @Override
    public String remote() {
      return "a benchmark";
    }

    @Override
    public void start(Listener listener) {}

    @Override
    public void write(ByteBuf bytes) {
      wire = bytes;
    }

    @Override
    public void flush() {}

    @Override
    public boolean isWritable() {
      return true;
    }

    @Override
    public long pendingBytes() {
      return 0;
    }

    @Override
    public void close() {
      throw new IllegalStateException("the transport has failed");
    }
  }

  private static final class Counter implements PacketHandler {
    private long packets;

    @Override
    public void packet(int number, ByteBuf buffer, int index, int length) {
      packets++;
    }

    @Override
    public void sendable() {}

    @Override
    public void closed(SshException cause) {}
  }
}
