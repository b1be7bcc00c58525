package dev.adit.ssh.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.adit.ssh.wire.AuthMessage.Prompt;
import dev.adit.ssh.wire.AuthMessage.UserauthBanner;
import dev.adit.ssh.wire.AuthMessage.UserauthFailure;
import dev.adit.ssh.wire.AuthMessage.UserauthInfoRequest;
import dev.adit.ssh.wire.AuthMessage.UserauthInfoResponse;
import dev.adit.ssh.wire.AuthMessage.UserauthPasswdChangereq;
import dev.adit.ssh.wire.AuthMessage.UserauthPkOk;
import dev.adit.ssh.wire.AuthMessage.UserauthRequest;
import dev.adit.ssh.wire.AuthMessage.UserauthSuccess;
import dev.adit.ssh.wire.ConnectionMessage.ChannelClose;
import dev.adit.ssh.wire.ConnectionMessage.ChannelEof;
import dev.adit.ssh.wire.ConnectionMessage.ChannelFailure;
import dev.adit.ssh.wire.ConnectionMessage.ChannelOpen;
import dev.adit.ssh.wire.ConnectionMessage.ChannelRequest;
import dev.adit.ssh.wire.ConnectionMessage.ChannelSuccess;
import dev.adit.ssh.wire.ConnectionMessage.GlobalRequest;
import dev.adit.ssh.wire.ConnectionMessage.OpenConfirmation;
import dev.adit.ssh.wire.ConnectionMessage.OpenFailure;
import dev.adit.ssh.wire.ConnectionMessage.RequestFailure;
import dev.adit.ssh.wire.ConnectionMessage.RequestSuccess;
import dev.adit.ssh.wire.ConnectionMessage.WindowAdjust;
import dev.adit.ssh.wire.TransportMessage.Debug;
import dev.adit.ssh.wire.TransportMessage.Disconnect;
import dev.adit.ssh.wire.TransportMessage.ExtInfo;
import dev.adit.ssh.wire.TransportMessage.Ignore;
import dev.adit.ssh.wire.TransportMessage.KexDhInit;
import dev.adit.ssh.wire.TransportMessage.KexDhReply;
import dev.adit.ssh.wire.TransportMessage.KexEcdhInit;
import dev.adit.ssh.wire.TransportMessage.KexEcdhReply;
import dev.adit.ssh.wire.TransportMessage.KexGexGroup;
import dev.adit.ssh.wire.TransportMessage.KexGexInit;
import dev.adit.ssh.wire.TransportMessage.KexGexReply;
import dev.adit.ssh.wire.TransportMessage.KexGexRequest;
import dev.adit.ssh.wire.TransportMessage.KexInit;
import dev.adit.ssh.wire.TransportMessage.NewKeys;
import dev.adit.ssh.wire.TransportMessage.Ping;
import dev.adit.ssh.wire.TransportMessage.Pong;
import dev.adit.ssh.wire.TransportMessage.ServiceAccept;
import dev.adit.ssh.wire.TransportMessage.ServiceRequest;
import dev.adit.ssh.wire.TransportMessage.Unimplemented;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Every message against its bytes, written out by hand from the layouts of the RFCs. */
class MessagesTest {

  /**
   * @param bytes text in quotes stands for its ASCII bytes with their length in front, {@code ''}
   *     quotes without a length, the rest is hex
   */
  private record Sample(Message message, String bytes) {
    byte[] expected() {
      WireWriter out = WireWriter.create();
      for (String word : bytes.split(" ", -1)) {
        if (word.startsWith("\"")) {
          out.writeString(word.substring(1, word.length() - 1));
        } else if (word.startsWith("'")) {
          out.writeBytes(word.substring(1, word.length() - 1).getBytes(StandardCharsets.US_ASCII));
        } else {
          out.writeBytes(java.util.HexFormat.of().parseHex(word));
        }
      }
      return out.toBytes();
    }

    @Override
    public String toString() {
      return message.type().name();
    }
  }

  private static final byte[] ABC = {'a', 'b', 'c'};
  private static final BigInteger BIG = new BigInteger("9a378f9b2e332a7", 16);
  private static final String BIG_BYTES = "00000008 09a378f9b2e332a7";
  private static final BigInteger HIGH = BigInteger.valueOf(0x80);
  private static final String HIGH_BYTES = "00000002 0080";

  static final List<Sample> SAMPLES =
      List.of(
          new Sample(new Disconnect(11, "bye", "en"), "01 0000000b \"bye\" \"en\""),
          new Sample(new Ignore(ABC), "02 \"abc\""),
          new Sample(new Unimplemented(0xfffffffeL), "03 fffffffe"),
          new Sample(new Debug(true, "abc", ""), "04 01 \"abc\" \"\""),
          new Sample(new ServiceRequest("ssh-userauth"), "05 \"ssh-userauth\""),
          new Sample(new ServiceAccept("ssh-userauth"), "06 \"ssh-userauth\""),
          new Sample(
              new ExtInfo(Map.of("server-sig-algs", ABC)),
              "07 00000001 \"server-sig-algs\" \"abc\""),
          new Sample(
              new KexInit(
                  new byte[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                  List.of("a", "b"),
                  List.of("c"),
                  List.of("d"),
                  List.of("e"),
                  List.of("f"),
                  List.of("g"),
                  List.of("h"),
                  List.of("i"),
                  List.of(),
                  List.of("j"),
                  true,
                  0),
              "14 000102030405060708090a0b0c0d0e0f \"a,b\" \"c\" \"d\" \"e\" \"f\" \"g\" \"h\""
                  + " \"i\" \"\" \"j\" 01 00000000"),
          new Sample(new NewKeys(), "15"),
          new Sample(new KexDhInit(BIG), "1e " + BIG_BYTES),
          new Sample(new KexDhReply(ABC, HIGH, ABC), "1f \"abc\" " + HIGH_BYTES + " \"abc\""),
          new Sample(new KexEcdhInit(ABC), "1e \"abc\""),
          new Sample(new KexEcdhReply(ABC, ABC, ABC), "1f \"abc\" \"abc\" \"abc\""),
          new Sample(new KexGexRequest(2048, 3072, 8192), "22 00000800 00000c00 00002000"),
          new Sample(new KexGexGroup(BIG, BigInteger.TWO), "1f " + BIG_BYTES + " 00000001 02"),
          new Sample(new KexGexInit(HIGH), "20 " + HIGH_BYTES),
          new Sample(new KexGexReply(ABC, BIG, ABC), "21 \"abc\" " + BIG_BYTES + " \"abc\""),
          new Sample(
              new UserauthRequest("me", "ssh-connection", "none", new byte[0]),
              "32 \"me\" \"ssh-connection\" \"none\""),
          new Sample(
              new UserauthFailure(List.of("publickey", "password"), true),
              "33 \"publickey,password\" 01"),
          new Sample(new UserauthSuccess(), "34"),
          new Sample(new UserauthBanner("hi", "en"), "35 \"hi\" \"en\""),
          new Sample(new UserauthPkOk("ssh-ed25519", ABC), "3c \"ssh-ed25519\" \"abc\""),
          new Sample(new UserauthPasswdChangereq("old", ""), "3c \"old\" \"\""),
          new Sample(
              new UserauthInfoRequest(
                  "name", "do", "", List.of(new Prompt("a", false), new Prompt("b", true))),
              "3c \"name\" \"do\" \"\" 00000002 \"a\" 00 \"b\" 01"),
          new Sample(new UserauthInfoResponse(List.of("x", "")), "3d 00000002 \"x\" \"\""),
          new Sample(
              new GlobalRequest("tcpip-forward", true, new byte[0]), "50 \"tcpip-forward\" 01"),
          new Sample(new RequestSuccess(new byte[] {0, 0, 0, 22}), "51 00000016"),
          new Sample(new RequestFailure(), "52"),
          new Sample(
              new ChannelOpen("session", 1, 0xffffffffL, 0x8000, new byte[0]),
              "5a \"session\" 00000001 ffffffff 00008000"),
          new Sample(
              new OpenConfirmation(1, 2, 0x200000, 0x8000, new byte[0]),
              "5b 00000001 00000002 00200000 00008000"),
          new Sample(new OpenFailure(1, 2, "no", ""), "5c 00000001 00000002 \"no\" \"\""),
          new Sample(new WindowAdjust(-1, 0xffffffffL), "5d ffffffff ffffffff"),
          new Sample(new ChannelEof(3), "60 00000003"),
          new Sample(new ChannelClose(3), "61 00000003"),
          new Sample(new ChannelRequest(3, "exec", true, new byte[0]), "62 00000003 \"exec\" 01"),
          new Sample(new ChannelSuccess(3), "63 00000003"),
          new Sample(new ChannelFailure(3), "64 00000003"),
          new Sample(new Ping(ABC), "c0 \"abc\""),
          new Sample(new Pong(ABC), "c1 \"abc\""));

  /** Messages whose last field takes all that is left, so that more bytes are more of it. */
  private static final Set<Class<?>> OPEN_ENDED =
      Set.of(
          UserauthRequest.class,
          GlobalRequest.class,
          RequestSuccess.class,
          ChannelOpen.class,
          OpenConfirmation.class,
          ChannelRequest.class);

  @ParameterizedTest
  @FieldSource("SAMPLES")
  void bytesAreThoseOfTheRfc(Sample sample) throws Exception {
    assertThat(sample.message.toBytes()).isEqualTo(sample.expected());
    Message read = sample.message.type().parse(WireReader.over(sample.expected()));
    assertThat(read).usingRecursiveComparison().isEqualTo(sample.message);
  }

  @ParameterizedTest
  @FieldSource("SAMPLES")
  void cutShortAnywhereItIsRefused(Sample sample) {
    byte[] whole = sample.expected();
    // RequestSuccess has no field of its own that could be cut.
    int least = sample.message instanceof RequestSuccess ? 1 : whole.length;
    for (int length = 0; length < least; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      assertThatThrownBy(() -> sample.message.type().parse(WireReader.over(cut)))
          .as("%d of %d bytes", length, whole.length)
          .isInstanceOf(MalformedDataException.class);
    }
  }

  @ParameterizedTest
  @FieldSource("SAMPLES")
  void bytesLeftOverAreRefused(Sample sample) throws Exception {
    byte[] longer = Arrays.copyOf(sample.expected(), sample.expected().length + 1);
    if (OPEN_ENDED.contains(sample.message.getClass())) {
      sample.message.type().parse(WireReader.over(longer));
      return;
    }
    assertThatThrownBy(() -> sample.message.type().parse(WireReader.over(longer)))
        .isInstanceOf(MalformedDataException.class)
        .hasMessageContaining("after its last field");
  }

  /** A length or a count that claims more than is there costs no memory and is refused. */
  @ParameterizedTest
  @FieldSource("SAMPLES")
  void hugeLengthsAreRefusedOrHarmless(Sample sample) {
    byte[] whole = sample.expected();
    for (int at = 1; at + 4 <= whole.length; at++) {
      for (int value : new int[] {0x7fffffff, 0x80000000, 0xffffffff}) {
        byte[] changed = whole.clone();
        java.nio.ByteBuffer.wrap(changed).putInt(at, value);
        try {
          sample.message.type().parse(WireReader.over(changed));
        } catch (MalformedDataException e) {
          assertThat(e).hasMessageNotContaining("null");
        }
      }
    }
  }

  @Test
  void everyMessageHasASample() {
    Set<Class<?>> sampled = new HashSet<>();
    SAMPLES.forEach(sample -> sampled.add(sample.message.getClass()));
    Stream.of(TransportMessage.class, AuthMessage.class, ConnectionMessage.class)
        .flatMap(type -> Arrays.stream(type.getPermittedSubclasses()))
        .forEach(type -> assertThat(sampled).contains(type));
  }

  @Test
  void countsHaveALimit() throws Exception {
    for (int count : new int[] {1024, 1025}) {
      WireWriter extensions = WireWriter.create().writeByte(7).writeUint32(count);
      for (int i = 0; i < count; i++) {
        extensions.writeString("x" + i).writeString("");
      }
      WireReader in = WireReader.over(extensions.toBytes());
      if (count == 1024) {
        assertThat(ExtInfo.TYPE.parse(in).extensions()).hasSize(1024);
      } else {
        assertThatThrownBy(() -> ExtInfo.TYPE.parse(in))
            .hasMessageContaining("the number of extensions");
      }
    }
    for (int count : new int[] {100, 101}) {
      WireWriter questions =
          WireWriter.create().writeByte(60).writeString("").writeString("").writeString("");
      WireWriter answers = WireWriter.create().writeByte(61).writeUint32(count);
      questions.writeUint32(count);
      for (int i = 0; i < count; i++) {
        questions.writeString("?").writeBoolean(true);
        answers.writeString("!");
      }
      WireReader asked = WireReader.over(questions.toBytes());
      WireReader answered = WireReader.over(answers.toBytes());
      if (count == 100) {
        assertThat(UserauthInfoRequest.TYPE.parse(asked).prompts()).hasSize(100);
        assertThat(UserauthInfoResponse.TYPE.parse(answered).responses()).hasSize(100);
      } else {
        assertThatThrownBy(() -> UserauthInfoRequest.TYPE.parse(asked))
            .hasMessageContaining("the number of prompts");
        assertThatThrownBy(() -> UserauthInfoResponse.TYPE.parse(answered))
            .hasMessageContaining("the number of responses");
      }
    }
  }
}
