package dev.adit.bench;

import dev.adit.bench.peer.LoadTarget;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/** The {@link LoadTarget} as the benchmark knows it: what it has seen of each stream. */
final class Target implements AutoCloseable {
  private final Program program;
  private final int port;
  private final SocketChannel control;
  private final ByteBuffer question = ByteBuffer.allocateDirect(9);
  private final ByteBuffer answer = ByteBuffer.allocateDirect(8);
  private long lastName;

  Target(Program program, int port) throws IOException {
    this.program = program;
    this.port = port;
    program.awaitPort(port);
    control = SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    control.setOption(StandardSocketOptions.TCP_NODELAY, true);
    LoadTarget.writeAll(control, ByteBuffer.wrap(new byte[] {LoadTarget.CONTROL}));
  }

  int port() {
    return port;
  }

  /** A name for one more stream. */
  synchronized long nextName() {
    return ++lastName;
  }

  /** Bytes that it has taken or sent of a stream. */
  long count(long name) throws IOException {
    return ask(LoadTarget.COUNT, name);
  }

  /** Has it send no more of a stream. */
  void stop(long name) throws IOException {
    ask(LoadTarget.STOP, name);
  }

  private synchronized long ask(byte what, long name) throws IOException {
    LoadTarget.writeAll(control, question.clear().put(what).putLong(name).flip());
    LoadTarget.readAll(control, answer.clear());
    return answer.getLong(0);
  }

  @Override
  public void close() throws IOException {
    control.close();
    program.close();
  }
}
