package dev.adit.ssh.connection;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.ssh.SshException;
import dev.adit.ssh.TunnelEvent;
import dev.adit.ssh.transport.PacketSink;
import dev.adit.ssh.wire.Message;
import dev.adit.ssh.wire.MessageNumbers;
import dev.adit.ssh.wire.WireReader;
import dev.adit.ssh.wire.WireWriter;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** The other side of a connection, played by hand, message by message. */
public final class PlayedPeer implements PacketSink {
  private final EventLoop loop;

  /** Messages of ours, but for data. */
  public final BlockingQueue<Message> sent = new LinkedBlockingQueue<>();

  public final List<TunnelEvent> events = new CopyOnWriteArrayList<>();
  public final Connection connection = new Connection(this, e -> events.add(e));
  private final ByteArrayOutputStream data = new ByteArrayOutputStream();
  public volatile @Nullable SshException failure;

  /** Bytes of the peer that wait for whoever is to have them. */
  public final AtomicLong held = new AtomicLong();

  /** Whether it takes no data. */
  public volatile boolean stalled;

  /** The channel and the length of each packet of data, as they came. */
  public final List<String> packets = new CopyOnWriteArrayList<>();

  public PlayedPeer(EventLoop loop) {
    this.loop = loop;
  }

  @Override
  public EventLoop eventLoop() {
    return loop;
  }

  @Override
  public void send(Message message) {
    sent.add(message);
  }

  @Override
  public void sendInPlace(ByteBuf payload) {
    byte[] bytes = new byte[payload.readableBytes() - 9];
    packets.add(payload.getInt(payload.readerIndex() + 1) + ":" + bytes.length);
    payload.skipBytes(9).readBytes(bytes);
    payload.release();
    synchronized (data) {
      data.writeBytes(bytes);
    }
  }

  /** All data that came on all channels. */
  public String data() {
    synchronized (data) {
      return data.toString(java.nio.charset.StandardCharsets.US_ASCII);
    }
  }

  @Override
  public boolean dataAllowed() {
    return !stalled;
  }

  /** As when DRAIN_SECONDS have passed again. */
  public void drainTimePasses() throws Exception {
    run(connection::lookAtDraining);
  }

  @Override
  public void hold(long bytes) {
    held.addAndGet(bytes);
  }

  @Override
  public void fail(SshException cause) {
    failure = cause;
    connection.closed(cause);
  }

  /** The connection is lost. */
  public void hangUp() throws Exception {
    run(() -> connection.closed(SshException.Disconnected.local("hung up")));
  }

  public void run(Runnable onTheLoop) throws Exception {
    loop.submit(onTheLoop).get(10, TimeUnit.SECONDS);
  }

  /** All in one turn of the loop, as when they come in one packet of the network. */
  public void receive(Message... messages) throws Exception {
    Callable<Boolean> decode =
        () -> {
          for (Message message : messages) {
            byte[] bytes = message.toBytes();
            connection.packet(bytes[0], Unpooled.wrappedBuffer(bytes), 0, bytes.length);
          }
          return true;
        };
    assertThat(loop.submit(decode).get(10, TimeUnit.SECONDS)).isTrue();
  }

  /** CHANNEL_DATA, so many times in one turn of the loop. */
  public void receiveData(int channel, byte[] bytes, int times) throws Exception {
    byte[] message =
        WireWriter.create()
            .writeByte(MessageNumbers.CHANNEL_DATA)
            .writeUint32(channel)
            .writeString(bytes)
            .toBytes();
    Callable<Boolean> decode =
        () -> {
          for (int i = 0; i < times; i++) {
            connection.packet(message[0], Unpooled.wrappedBuffer(message), 0, message.length);
          }
          return true;
        };
    assertThat(loop.submit(decode).get(60, TimeUnit.SECONDS)).isTrue();
  }

  /** The next message, which must be of this type. */
  public <T extends Message> T next(Class<T> type) throws InterruptedException {
    Message message = sent.poll(10, TimeUnit.SECONDS);
    assertThat(message).isInstanceOf(type);
    return type.cast(message);
  }

  /** Nothing more has been sent by the end of what the loop has to do now. */
  public void assertSilent() throws Exception {
    run(() -> {});
    run(() -> {});
    assertThat(sent).isEmpty();
  }

  public static WireReader reader(byte[] fields) {
    return WireReader.over(fields);
  }
}
