package dev.adit.interop;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every fuzz target with its seeds, among them what once broke it, and with what chance makes of
 * them: the same at each run. Jazzer looks further, with {@code interop/fuzz}.
 */
class FuzzTest {

  private static final int RUNS = 5_000;

  /** These have threads, sockets or a disk to wait for, up to a hundred times as long. */
  private static final Set<String> SLOW =
      Set.of("client", "server", "agent", "knownHosts", "sshConfig", "sshdConfig");

  private static final int SLOW_RUNS = 500;
  private static final int MAX_CHANGES = 6;
  private static final int MAX_LENGTH = 16 * 1024;
  private static final int[] EDGES = {
    0, 1, 5, 255, 256, 0x7fff, 0x8000, 0xffff, 0x40000, 0x7fffffff, 0x80000000, 0xffffffff
  };

  static Stream<FuzzTargets.Target> targets() {
    return FuzzTargets.all().stream();
  }

  @ParameterizedTest
  @MethodSource("targets")
  void seedsAreHarmless(FuzzTargets.Target target) throws Throwable {
    List<byte[]> seeds = target.seeds();
    assertThat(seeds).isNotEmpty();
    for (byte[] seed : seeds) {
      run(target, seed);
    }
  }

  @ParameterizedTest
  @MethodSource("targets")
  void whatChanceMakesOfSeedsIsHarmless(FuzzTargets.Target target) throws Throwable {
    Random random = new Random(20_260_101);
    List<byte[]> seeds = target.seeds();
    for (int i = SLOW.contains(target.toString()) ? SLOW_RUNS : RUNS; i > 0; i--) {
      byte[] data = seeds.get(random.nextInt(seeds.size())).clone();
      for (int changes = 1 + random.nextInt(MAX_CHANGES); changes > 0; changes--) {
        data = changed(data, seeds, random);
      }
      run(target, data);
    }
  }

  private static void run(FuzzTargets.Target target, byte[] data) throws Throwable {
    try {
      target.run(data);
    } catch (Throwable e) {
      throw new AssertionError(
          target + " fails on " + HexFormat.of().formatHex(data) + ": " + e, e);
    }
  }

  private static byte[] changed(byte[] data, List<byte[]> seeds, Random random) {
    int at = random.nextInt(data.length + 1);
    int length = Math.min(data.length - at, 1 + random.nextInt(16));
    byte[] bytes = data.clone();
    switch (random.nextInt(7)) {
      case 0 -> {
        if (length > 0) {
          bytes[at] ^= (byte) (1 << random.nextInt(8));
        }
      }
      case 1 -> {
        if (length >= 4) {
          ByteBuffer.wrap(bytes).putInt(at, EDGES[random.nextInt(EDGES.length)]);
        }
      }
      case 2 ->
          random.ints(length).forEach(value -> bytes[at + (value & 15) % length] = (byte) value);
      case 3 -> {
        return spliced(data, at, at + length, new byte[0]);
      }
      case 4 -> {
        return spliced(data, at, at, Arrays.copyOfRange(data, at, at + length));
      }
      case 5 -> {
        byte[] other = seeds.get(random.nextInt(seeds.size()));
        int from = random.nextInt(other.length + 1);
        return spliced(data, at, data.length, Arrays.copyOfRange(other, from, other.length));
      }
      default -> {
        return Arrays.copyOf(data, at);
      }
    }
    return bytes;
  }

  private static byte[] spliced(byte[] data, int from, int to, byte[] between) {
    ByteBuffer all = ByteBuffer.allocate(data.length - (to - from) + between.length);
    all.put(data, 0, from).put(between).put(data, to, data.length - to);
    return Arrays.copyOf(all.array(), Math.min(all.capacity(), MAX_LENGTH));
  }
}
