package dev.adit.ssh.transport;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.ssh.HostKey;
import dev.adit.ssh.Miners;
import dev.adit.ssh.RudePeer;
import dev.adit.ssh.RudePeer.State;
import dev.adit.ssh.ServerOptions;
import dev.adit.ssh.SshServer;
import dev.adit.ssh.wire.TransportMessage.Ping;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HeldMemoryTest {
  private static final int MIB = 1024 * 1024;

  private final HeldMemory memory = new HeldMemory(100L * MIB);
  private final List<String> givenUp = new ArrayList<>();

  private HeldMemory.Share share(String name) {
    return memory.share(bytes -> givenUp.add(name + " with " + bytes / MIB));
  }

  @Test
  void whoHoldsMostHasToGo() {
    var small = share("small");
    var large = share("large");
    var last = share("last");
    small.waiting(10 * MIB);
    large.waiting(50 * MIB);
    large.unsent(10 * MIB);
    last.waiting(30 * MIB);
    assertThat(givenUp).isEmpty();
    // It is not the one that asks for more who is to blame.
    last.waiting(MIB);
    assertThat(givenUp).containsExactly("large with 60");
    // It has not let go yet, but will.
    last.waiting(2 * MIB);
    small.waiting(40 * MIB);
    assertThat(givenUp).hasSize(1);
    last.waiting(20 * MIB);
    assertThat(givenUp).containsExactly("large with 60", "last with 53");
  }

  @Test
  void whatIsLetGoMakesRoom() {
    var first = share("first");
    var second = share("second");
    for (int i = 0; i < 10; i++) {
      first.waiting(90 * MIB);
      first.unsent(9 * MIB);
      first.waiting(-90 * MIB);
      first.unsent(0);
      second.waiting(99 * MIB);
      second.waiting(-99 * MIB);
    }
    assertThat(memory.total()).isZero();
    assertThat(givenUp).isEmpty();
  }

  @Test
  void smallChangesAreNotCountedButNothingIsForgotten() {
    var share = share("it");
    for (int i = 0; i < 300; i++) {
      share.waiting(1000);
    }
    assertThat(memory.total()).isBetween(300_000L - TransportLimits.HELD_STEP, 299_999L);
    for (int i = 0; i < 30; i++) {
      share.waiting(-10_000);
    }
    assertThat(memory.total()).isZero();
  }

  private static void pings(RudePeer peer, int count) throws Exception {
    var ping = new Ping(new byte[32 * 1024]);
    peer.burst(
        p -> {
          for (int i = 0; i < count; i++) {
            p.send(ping);
          }
        });
  }

  @ParameterizedTest
  @CsvSource({"OPEN, false", "OPEN, true", "REKEY_ASKED, false", "REKEY_ASKED, true"})
  void answersThatAPeerDoesNotReadCountAndThoseThatWaitForAKeyExchange(State state, boolean reads)
      throws Exception {
    var options =
        ServerOptions.with(new Miners())
            .hostKey(HostKey.generate())
            .rekeyLimit(state == State.OPEN ? 0 : RudePeer.REKEY_BYTES, Duration.ZERO)
            .build();
    try (SshServer server = SshServer.start(options);
        RudePeer peer = RudePeer.connectTo(server.port()).reach(state)) {
      // What the kernel has taken doesn't count; behind a key exchange it gets nothing.
      for (int i = 0; HeldMemory.OF_PROCESS.total() < MIB; i++) {
        assertThat(i).isLessThan(state == State.OPEN ? 40 : 3);
        pings(peer, 32);
        Thread.sleep(50);
      }
      if (reads) {
        peer.carryOn(state);
        Thread.startVirtualThread(() -> readAll(peer));
        // It lives, and nothing is counted of what it has had.
        awaitNothing();
        assertThat(server.connectionCount()).isOne();
      }
      peer.close();
      awaitNothing();
    }
  }

  private static void readAll(RudePeer peer) {
    try {
      while (true) {
        peer.read();
      }
    } catch (IOException _) {
      // It was closed.
    }
  }

  private static void awaitNothing() {
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> HeldMemory.OF_PROCESS.total() == 0);
  }
}
