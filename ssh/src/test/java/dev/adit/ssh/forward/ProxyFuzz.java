package dev.adit.ssh.forward;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.ssh.Target;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Fuzz target: what a client of -D says first, SOCKS or HTTP. See docs/building.md. */
public final class ProxyFuzz {
  private ProxyFuzz() {}

  /** All that a conversation leads to. */
  private static final class Outcome implements ProxyFront.Client {
    private final StringBuilder said = new StringBuilder();
    private int ends;
    private boolean connects;

    @Override
    public void send(byte[] bytes) {
      said.append("send ").append(text(bytes)).append('\n');
    }

    @Override
    public void readMore() {}

    @Override
    public void connect(Target.Tcp target, ByteBuf early) {
      assertThat(target.port()).isBetween(1, 65535);
      assertThat(ProxyFront.isHost(target.host())).isTrue();
      ends++;
      connects = true;
      said.append("connect ").append(target).append('\n');
      said.append(early.toString(StandardCharsets.ISO_8859_1));
      early.release();
    }

    @Override
    public void answer(byte[] whole) {
      ends++;
      said.append("answer ").append(text(whole));
    }

    @Override
    public void end(byte[] lastWords, String why) {
      ends++;
      said.append("end ").append(text(lastWords)).append(' ').append(why);
    }

    private static String text(byte[] bytes) {
      return new String(bytes, StandardCharsets.ISO_8859_1);
    }
  }

  private static Outcome converse(byte[] data, int piece) {
    EmbeddedChannel loop = new EmbeddedChannel();
    Outcome outcome = new Outcome();
    ProxyFront front = new ProxyFront(loop.eventLoop(), outcome);
    for (int at = 0; at < data.length; at += piece) {
      byte[] bytes = Arrays.copyOfRange(data, at, Math.min(at + piece, data.length));
      // Nobody tells a front more than it has asked for once it has an answer.
      if (outcome.ends == 0) {
        front.received(Unpooled.wrappedBuffer(bytes));
      } else if (outcome.connects) {
        outcome.said.append(Outcome.text(bytes));
      }
    }
    front.abandon();
    loop.close();
    assertThat(outcome.ends).isLessThanOrEqualTo(1);
    return outcome;
  }

  /** How the bytes are cut makes no difference to what follows from them. */
  public static void proxy(byte[] data) {
    Outcome whole = converse(data, Math.max(1, data.length));
    Outcome cut = converse(data, 1);
    assertThat(cut.said.toString()).isEqualTo(whole.said.toString());
  }
}
