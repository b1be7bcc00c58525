package dev.adit.ssh.session;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.ssh.transport.Buffers;
import io.netty.buffer.ByteBuf;
import java.io.ByteArrayOutputStream;
import java.nio.channels.Channels;
import java.util.Random;
import org.junit.jupiter.api.Test;

class InboxTest {
  private final Inbox inbox = new Inbox(taken -> {});
  private final byte[] sent = new byte[40_007];

  InboxTest() {
    new Random(1).nextBytes(sent);
  }

  /** Lets it come in two long pieces, which are kept where they lie, and a short one. */
  private ByteBuf[] received() {
    ByteBuf[] pieces = new ByteBuf[3];
    for (int i = 0; i < pieces.length; i++) {
      int from = i * 20_000;
      int length = Math.min(20_000, sent.length - from);
      pieces[i] = Buffers.ALLOCATOR.directBuffer(length).writeBytes(sent, from, length);
      assertThat(inbox.add(pieces[i])).isZero();
      pieces[i].release();
    }
    assertThat(pieces).extracting(ByteBuf::refCnt).containsExactly(1, 1, 0);
    return pieces;
  }

  @Test
  void whatWaitsAtTheEndOfTheChannelCanBeReadAndNobodyMustReleaseIt() throws Exception {
    ByteBuf[] pieces = received();
    inbox.endForGood(null);
    assertThat(pieces).extracting(ByteBuf::refCnt).containsExactly(0, 0, 0);
    assertThat(inbox.readAllBytes()).isEqualTo(sent);
  }

  @Test
  void whatWaitsAtTheEndOfTheChannelCanBeTransferred() throws Exception {
    received();
    inbox.endForGood(null);
    var to = new ByteArrayOutputStream();
    assertThat(inbox.transferTo(Channels.newChannel(to))).isEqualTo(sent.length);
    assertThat(to.toByteArray()).isEqualTo(sent);
  }

  @Test
  void theReaderMayStandBetweenTwoPieces() throws Exception {
    received();
    byte[] first = inbox.readNBytes(20_001);
    inbox.endForGood(null);
    var all = new ByteArrayOutputStream();
    all.write(first);
    all.write(inbox.readAllBytes());
    assertThat(all.toByteArray()).isEqualTo(sent);
  }
}
