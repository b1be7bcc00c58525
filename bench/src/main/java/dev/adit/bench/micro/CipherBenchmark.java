package dev.adit.bench.micro;

import dev.adit.ssh.crypto.CipherAlgorithm;
import dev.adit.ssh.crypto.CipherSuite;
import dev.adit.ssh.crypto.CryptoProvider;
import dev.adit.ssh.crypto.MacAlgorithm;
import dev.adit.ssh.crypto.PacketIntegrityException;
import dev.adit.ssh.crypto.PacketOpener;
import dev.adit.ssh.crypto.PacketSealer;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
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
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Packets a millisecond, sealed in place, and sealed and opened in place, by each provider. */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@NullUnmarked // JMH fills it.
public class CipherBenchmark {

  /** What is measured, by the names of the protocol. */
  public enum Suite {
    AES128_GCM(CipherAlgorithm.AES128_GCM, null),
    CHACHA20_POLY1305(CipherAlgorithm.CHACHA20_POLY1305, null),
    AES128_CTR_SHA256_ETM(CipherAlgorithm.AES128_CTR, MacAlgorithm.HMAC_SHA2_256_ETM);

    private final CipherSuite suite;

    Suite(CipherAlgorithm cipher, MacAlgorithm mac) {
      suite = CipherSuite.of(cipher, mac);
    }
  }

  @Param Suite suite;
  @Param CryptoProvider provider;

  /** Of a packet: a keystroke, OpenSSH's largest, and ours. */
  @Param({"64", "32768", "131072"})
  int bytes;

  private PacketSealer sealer;
  private PacketOpener opener;
  private ByteBuf packet;
  private int packetLength;
  private int sequence;

  @Setup
  public void setUp() {
    if (!provider.isAvailable()) {
      throw new IllegalStateException(provider + " is not to be had here");
    }
    CipherSuite chosen = suite.suite;
    byte[] key = new byte[chosen.cipher().keyLength()];
    byte[] iv = new byte[chosen.cipher().ivLength()];
    byte[] macKey = new byte[chosen.macKeyLength()];
    sealer = chosen.newSealer(provider, key, iv, macKey);
    opener = chosen.newOpener(provider, key, iv, macKey);
    int counted = sealer.lengthIsPadded() ? 4 : 0;
    packetLength = bytes + sealer.blockSize() - (bytes + counted) % sealer.blockSize();
    packet = Unpooled.directBuffer(4 + packetLength + sealer.tagLength());
    packet.writeZero(packet.capacity());
  }

  /** The sealed packet is sealed again: the cipher doesn't mind. */
  @Benchmark
  public void seal() {
    packet.setInt(0, packetLength);
    sealer.seal(packet, 0, packetLength, sequence++);
  }

  @Benchmark
  public void sealAndOpen() throws PacketIntegrityException {
    packet.setInt(0, packetLength);
    sealer.seal(packet, 0, packetLength, sequence);
    long length = opener.packetLength(packet, 0, sequence);
    opener.open(packet, 0, (int) length, sequence++);
  }

  @TearDown
  public void tearDown() {
    sealer.close();
    opener.close();
    packet.release();
  }
}
