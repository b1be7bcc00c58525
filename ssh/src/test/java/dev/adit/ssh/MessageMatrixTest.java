package dev.adit.ssh;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.ssh.RudePeer.State;
import dev.adit.ssh.wire.AuthMessage.UserauthBanner;
import dev.adit.ssh.wire.AuthMessage.UserauthFailure;
import dev.adit.ssh.wire.AuthMessage.UserauthInfoRequest;
import dev.adit.ssh.wire.AuthMessage.UserauthInfoResponse;
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
import dev.adit.ssh.wire.DisconnectReason;
import dev.adit.ssh.wire.MessageNumbers;
import dev.adit.ssh.wire.MessageType;
import dev.adit.ssh.wire.TransportMessage.Debug;
import dev.adit.ssh.wire.TransportMessage.Disconnect;
import dev.adit.ssh.wire.TransportMessage.ExtInfo;
import dev.adit.ssh.wire.TransportMessage.Ignore;
import dev.adit.ssh.wire.TransportMessage.KexEcdhInit;
import dev.adit.ssh.wire.TransportMessage.KexEcdhReply;
import dev.adit.ssh.wire.TransportMessage.NewKeys;
import dev.adit.ssh.wire.TransportMessage.Ping;
import dev.adit.ssh.wire.TransportMessage.Pong;
import dev.adit.ssh.wire.TransportMessage.ServiceAccept;
import dev.adit.ssh.wire.TransportMessage.ServiceRequest;
import dev.adit.ssh.wire.TransportMessage.Unimplemented;
import dev.adit.ssh.wire.WireWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every message number in every state, sent to the server and to the client. The table says what is
 * let pass; whatever it doesn't name ends the connection, or is unknown and said to be.
 */
class MessageMatrixTest {
  /** What becomes of a message. */
  private enum Outcome {
    /** It is what the state waits for: the protocol goes on. */
    DUE,
    /** Nothing is said, and the protocol goes on as if it had not been there. */
    PASSES,
    /** As PASSES or UNIMPLEMENTED, unless the exchange then turns out to be strict. */
    PASSES_UNLESS_STRICT,
    /** A key exchange begins, and when it is over the protocol goes on. */
    REKEYS,
    ACCEPTED,
    FAILURE,
    OPEN_FAILURE,
    PONG,
    /** SSH_MSG_UNIMPLEMENTED with the packet's sequence number; the protocol goes on. */
    UNIMPLEMENTED,
    /** The connection is closed without a word. */
    ENDS,
    /** It is no identification. */
    REFUSED,
    /** SSH_MSG_DISCONNECT that names the message and the state. */
    DISCONNECT
  }

  /** What has a meaning to us, whatever the state; the rest is unknown (RFC 4250 section 4.1.2). */
  private static final BitSet KNOWN =
      parse(
          "1-6" // RFC 4253 section 12
              + " 7" // RFC 8308 section 2.3; its NEWCOMPRESS (8) is never agreed on
              + " 20-21 30-49" // RFC 4253 section 12
              + " 50-53 60-79" // RFC 4252 section 6
              + " 80-82 90-100" // RFC 4254 section 9
              + " 192-193"); // OpenSSH's PROTOCOL, ping@openssh.com

  /** First match decides. {@code *} is every state, {@code ?} every number that is unknown. */
  private static final String TABLE =
      """
      # receiver  states                       numbers  outcome               by
      server      BEFORE_VERSION               0-255    REFUSED               RFC 4253 4.2
      client      BEFORE_VERSION               0-255    PASSES                RFC 4253 4.2: other lines
      both        *                            1        ENDS                  RFC 4253 11.1
      # The first key exchange, strict: OpenSSH's PROTOCOL 1.10. Otherwise RFC 4253 7.1.
      both        IDENTIFIED                   20       DUE                   RFC 4253 7.1
      both        IDENTIFIED                   2-4      PASSES_UNLESS_STRICT  RFC 4253 11
      both        IDENTIFIED                   ?        PASSES_UNLESS_STRICT  RFC 4253 11.4
      server      KEX,KEX_NOT_STRICT           30       DUE                   RFC 8731 3
      client      KEX,KEX_NOT_STRICT           31       DUE                   RFC 8731 3
      both        NEWKEYS_DUE                  21       DUE                   RFC 4253 7.3
      both        KEX,NEWKEYS_DUE              ?        DISCONNECT            PROTOCOL 1.10
      both        KEX_NOT_STRICT               2-4      PASSES                RFC 4253 11
      # Key exchange later.
      server      REKEYING,REKEYING_FOR_AUTH   30       DUE                   RFC 8731 3
      client      REKEYING,REKEYING_FOR_AUTH   31       DUE                   RFC 8731 3
      both        REKEYING,REKEYING_FOR_AUTH   2-4      PASSES                RFC 4253 7.1
      both        REKEY_ASKED                  20       DUE                   RFC 4253 9
      # Logging in.
      both        AFTER_NEWKEYS                2-4      PASSES                RFC 4253 11
      both        AFTER_NEWKEYS                7        PASSES                RFC 8308 2.4
      both        AFTER_NEWKEYS                20       REKEYS                RFC 4253 9
      server      AFTER_NEWKEYS                5        DUE                   RFC 4253 10
      client      AFTER_NEWKEYS                6        DUE                   RFC 4253 10
      both        BEFORE_AUTH,DURING_AUTH      2-4      PASSES                RFC 4253 11
      both        BEFORE_AUTH,DURING_AUTH      20       REKEYS                RFC 4253 9
      both        BEFORE_AUTH,DURING_AUTH      7        PASSES                RFC 8308 2.4, and late ones
      client      BEFORE_AUTH,DURING_AUTH      53       PASSES                RFC 4252 5.4
      client      BEFORE_AUTH                  51-52    DUE                   RFC 4252 5.1
      client      DURING_AUTH                  51-52    DUE                   RFC 4256 3.4
      client      DURING_AUTH                  60       DUE                   RFC 4256 3.2
      server      BEFORE_AUTH                  5        ACCEPTED              RFC 4253 10: more than once
      server      BEFORE_AUTH                  50       DUE                   RFC 4252 5
      server      DURING_AUTH                  50       DUE                   RFC 4252 5: starts anew
      server      DURING_AUTH                  61       DUE                   RFC 4256 3.4
      # Logged in, and no channel there.
      both        OPEN,REKEY_ASKED             2-4      PASSES                RFC 4253 11
      both        OPEN                         20       REKEYS                RFC 4253 9
      server      OPEN,REKEY_ASKED             50       PASSES                RFC 4252 5.1
      both        OPEN,REKEY_ASKED             80       FAILURE               RFC 4254 4
      both        OPEN,REKEY_ASKED             90       OPEN_FAILURE          RFC 4254 5.1
      both        OPEN,REKEY_ASKED             192      PONG                  PROTOCOL 1.9
      both        OPEN,REKEY_ASKED             193      PASSES                PROTOCOL 1.9
      both        *                            ?        UNIMPLEMENTED         RFC 4253 11.4
      both        *                            0-255    DISCONNECT            RFC 4253 11.1
      """;

  private record Rule(String receiver, String states, BitSet numbers, Outcome outcome) {
    static Rule of(String line) {
      String[] words = line.split(" +", 5);
      return new Rule(words[0], words[1], parse(words[2]), Outcome.valueOf(words[3]));
    }

    boolean matches(boolean server, State state, int number) {
      return (receiver.equals("both") || receiver.equals(server ? "server" : "client"))
          && (states.equals("*") || List.of(states.split(",", -1)).contains(state.name()))
          && numbers.get(number);
    }
  }

  private static final List<Rule> RULES =
      TABLE.lines().filter(line -> !line.startsWith("#")).map(Rule::of).toList();

  private static BitSet parse(String text) {
    BitSet set = new BitSet();
    if (text.equals("?")) {
      set.or(KNOWN);
      set.flip(0, 256);
      return set;
    }
    for (String range : text.split(" ", -1)) {
      String[] ends = range.split("-", -1);
      set.set(Integer.parseInt(ends[0]), Integer.parseInt(ends[ends.length - 1]) + 1);
    }
    return set;
  }

  private static Outcome outcome(boolean server, State state, int number) {
    return RULES.stream()
        .filter(rule -> rule.matches(server, state, number))
        .findFirst()
        .orElseThrow()
        .outcome;
  }

  /** How the state is told beside the message's name. */
  private static String where(State state) {
    return switch (state) {
      case BEFORE_VERSION -> "not an SSH client";
      case IDENTIFIED, KEX, KEX_NOT_STRICT, NEWKEYS_DUE ->
          "during the first key exchange|while waiting for SSH_MSG_(KEX\\w+|NEWKEYS)";
      case AFTER_NEWKEYS, BEFORE_AUTH, DURING_AUTH ->
          "during authentication|while waiting for SSH_MSG_(SERVICE|USERAUTH)\\w+|while authenticating";
      case REKEYING, REKEYING_FOR_AUTH ->
          "inside its own key exchange|while waiting for SSH_MSG_KEX\\w+";
      case OPEN, REKEY_ASKED ->
          "during the connection|for channel \\d+, which|answers a global request that was never";
    };
  }

  /** A message that parses, so that nothing is wrong with it but its place. */
  private static byte[] message(boolean toServer, int number) {
    return switch (number) {
      case 1 -> new Disconnect(DisconnectReason.BY_APPLICATION, "bye", "").toBytes();
      case 2 -> new Ignore(new byte[3]).toBytes();
      case 3 -> new Unimplemented(0).toBytes();
      case 4 -> new Debug(false, "hello", "").toBytes();
      case 5 -> new ServiceRequest("ssh-userauth").toBytes();
      case 6 -> new ServiceAccept("ssh-userauth").toBytes();
      case 7 -> new ExtInfo(Map.of("x", new byte[3])).toBytes();
      case 20 -> RudePeer.kexInit("curve25519-sha256").toBytes();
      case 21 -> new NewKeys().toBytes();
      case 30 -> new KexEcdhInit(Miners.A).toBytes();
      case 31 -> new KexEcdhReply(RudePeer.hostKey(), Miners.A, new byte[0]).toBytes();
      case 50 -> RudePeer.keyboardInteractive(Miners.USER).toBytes();
      case 51 -> new UserauthFailure(List.of("keyboard-interactive"), true).toBytes();
      case 52 -> new UserauthSuccess().toBytes();
      case 53 -> new UserauthBanner("hello", "").toBytes();
      case 60 ->
          toServer ? new byte[] {60} : new UserauthInfoRequest("", "", "", List.of()).toBytes();
      case 61 -> new UserauthInfoResponse(List.of("1", "2")).toBytes();
      case 80 -> new GlobalRequest("x", true, new byte[0]).toBytes();
      case 81 -> new RequestSuccess(new byte[0]).toBytes();
      case 82 -> new RequestFailure().toBytes();
      case 90 -> new ChannelOpen("x", 0, 1000, 1000, new byte[0]).toBytes();
      case 91 -> new OpenConfirmation(0, 0, 1000, 1000, new byte[0]).toBytes();
      case 92 -> new OpenFailure(0, 1, "", "").toBytes();
      case 93 -> new WindowAdjust(0, 1000).toBytes();
      case 94 -> WireWriter.create().writeByte(94).writeUint32(0).writeString("x").toBytes();
      case 95 ->
          WireWriter.create()
              .writeByte(95)
              .writeUint32(0)
              .writeUint32(1)
              .writeString("x")
              .toBytes();
      case 96 -> new ChannelEof(0).toBytes();
      case 97 -> new ChannelClose(0).toBytes();
      case 98 -> new ChannelRequest(0, "x", true, new byte[0]).toBytes();
      case 99 -> new ChannelSuccess(0).toBytes();
      case 100 -> new ChannelFailure(0).toBytes();
      case 192 -> new Ping(new byte[3]).toBytes();
      case 193 -> new Pong(new byte[3]).toBytes();
      default -> new byte[] {(byte) number};
    };
  }

  private static BothEnds ends;

  @BeforeAll
  static void start() throws IOException {
    ends = new BothEnds();
  }

  @AfterAll
  static void stop() {
    ends.close();
  }

  // ---- The cells ------------------------------------------------------------------------------

  @ParameterizedTest
  @EnumSource
  void everyNumberToTheServer(State state) throws Exception {
    everyNumber(true, state);
  }

  @ParameterizedTest
  @EnumSource
  void everyNumberToTheClient(State state) throws Exception {
    everyNumber(false, state);
  }

  private static void everyNumber(boolean server, State state) throws Exception {
    Map<Outcome, List<Integer>> cells = new EnumMap<>(Outcome.class);
    for (int number = 0; number < 256; number++) {
      cells.computeIfAbsent(outcome(server, state, number), _ -> new ArrayList<>()).add(number);
    }
    List<Callable<Void>> tests = new ArrayList<>();
    cells.forEach(
        (outcome, numbers) -> {
          switch (outcome) {
            // What doesn't end the connection can be tried on one.
            case UNIMPLEMENTED, PASSES, PASSES_UNLESS_STRICT ->
                tests.add(cell(server, state, numbers, outcome));
            default -> numbers.forEach(n -> tests.add(cell(server, state, List.of(n), outcome)));
          }
        });
    List<Throwable> failures = new ArrayList<>();
    try (ExecutorService eight = Executors.newFixedThreadPool(8)) {
      for (Future<Void> test : eight.invokeAll(tests)) {
        try {
          test.get();
        } catch (ExecutionException e) {
          failures.add(e.getCause());
        }
      }
    }
    if (!failures.isEmpty()) {
      AssertionError all = new AssertionError(failures.size() + " cells: " + failures.getFirst());
      failures.forEach(all::addSuppressed);
      throw all;
    }
  }

  private static Callable<Void> cell(
      boolean server, State state, List<Integer> numbers, Outcome outcome) {
    return () -> {
      try {
        check(server, state, numbers, outcome);
      } catch (Throwable e) {
        throw new AssertionError(
            "%s to the %s in state %s, which should be %s: %s"
                .formatted(numbers, server ? "server" : "client", state, outcome, e),
            e);
      }
      return null;
    };
  }

  private static void check(boolean server, State state, List<Integer> numbers, Outcome outcome)
      throws Exception {
    RudePeer.Script script = peer -> play(peer, server, state, numbers, outcome);
    SshException end = ends.play(server, script);
    switch (outcome) {
      case DISCONNECT -> {
        assertThat(end).isInstanceOf(SshException.PeerMisbehaved.class);
        assertThat(end.getMessage())
            .contains("message " + MessageNumbers.describe(numbers.getFirst()))
            .containsPattern(where(state));
      }
      case REFUSED -> assertThat(end).hasMessageContaining(where(state));
      default -> assertThat(end).isInstanceOf(SshException.Disconnected.class);
    }
    if (outcome == Outcome.PASSES_UNLESS_STRICT) {
      for (int number : numbers) {
        RudePeer.Script strict =
            peer ->
                peer.reach(state)
                    .payload(message(server, number))
                    .kexInit()
                    .expectDisconnect(DisconnectReason.PROTOCOL_ERROR, "not the first packet");
        assertThat(ends.play(server, strict)).hasMessageContaining("strict key exchange");
      }
    }
  }

  private static void play(
      RudePeer peer, boolean server, State state, List<Integer> numbers, Outcome outcome)
      throws Exception {
    if (state == State.BEFORE_VERSION) {
      for (int number : numbers) {
        peer.payload(message(server, number)).raw(new byte[] {'\n'});
      }
      if (outcome == Outcome.REFUSED) {
        peer.expectLine().expectDisconnect(DisconnectReason.PROTOCOL_ERROR, where(state));
      } else {
        peer.carryOn(state);
        lives(peer);
      }
      return;
    }
    peer.reach(state);
    switch (outcome) {
      case DUE -> due(peer, server, state, numbers.getFirst());
      case PASSES -> {
        for (int number : numbers) {
          peer.payload(message(server, number));
        }
        peer.carryOn(state);
      }
      case PASSES_UNLESS_STRICT -> {
        for (int number : numbers) {
          peer.payload(message(server, number));
        }
        peer.kexInit(RudePeer.kexInit("curve25519-sha256")).expectKexInit();
        for (int sequence = 0; sequence < numbers.size(); sequence++) {
          if (!KNOWN.get(numbers.get(sequence))) {
            assertThat(peer.expect(Unimplemented.TYPE).sequence()).isEqualTo(sequence);
          }
        }
        peer.carryOn(State.KEX_NOT_STRICT);
      }
      case REKEYS -> {
        if (state == State.AFTER_NEWKEYS && !server) {
          // The client has asked for the service meanwhile.
          peer.expect(ServiceRequest.TYPE);
          peer.rekey().send(new ServiceAccept("ssh-userauth")).expect(UserauthRequest.TYPE);
          peer.carryOn(State.BEFORE_AUTH);
        } else {
          peer.rekey().carryOn(state);
        }
      }
      case ACCEPTED -> answered(peer, server, state, numbers.getFirst(), ServiceAccept.TYPE);
      case FAILURE -> answered(peer, server, state, numbers.getFirst(), RequestFailure.TYPE);
      case OPEN_FAILURE -> answered(peer, server, state, numbers.getFirst(), OpenFailure.TYPE);
      case PONG -> answered(peer, server, state, numbers.getFirst(), Pong.TYPE);
      case UNIMPLEMENTED -> {
        for (int number : numbers) {
          peer.payload(message(server, number));
          assertThat(peer.expectEventually(Unimplemented.TYPE).sequence())
              .isEqualTo(peer.lastSequence());
        }
        peer.carryOn(state);
      }
      case ENDS -> {
        peer.payload(message(server, numbers.getFirst())).expectEnd();
        assertThat(peer.hasHeard(MessageNumbers.DISCONNECT)).isFalse();
        return;
      }
      case DISCONNECT -> {
        peer.payload(message(server, numbers.getFirst()))
            .expectDisconnect(
                DisconnectReason.PROTOCOL_ERROR,
                "message " + MessageNumbers.describe(numbers.getFirst()));
        // It was not acted upon.
        for (int answer : List.of(81, 82, 91, 92, 99, 100, 192, 193)) {
          assertThat(peer.hasHeard(answer)).as("answer %d", answer).isFalse();
        }
        return;
      }
      case REFUSED -> throw new AssertionError("only before the version");
    }
    lives(peer);
  }

  /** What is due is sent by carrying on; where there is more than one way, by the other. */
  private static void due(RudePeer peer, boolean server, State state, int number) throws Exception {
    if (state == State.DURING_AUTH && server && number == 61) {
      peer.payload(message(true, number)).expect(UserauthSuccess.TYPE);
      peer.expect(GlobalRequest.TYPE);
    } else if (number == 51) {
      peer.payload(message(false, number)).expect(UserauthRequest.TYPE);
      peer.send(new UserauthSuccess());
    } else if (number == 52) {
      peer.send(new UserauthSuccess());
    } else {
      peer.carryOn(state);
    }
  }

  /** Inside a key exchange of adit's, the answer waits for its end. */
  private static void answered(
      RudePeer peer, boolean server, State state, int number, MessageType<?> answer)
      throws Exception {
    peer.payload(message(server, number));
    if (state == State.REKEY_ASKED) {
      peer.carryOn(state).expect(answer);
    } else {
      peer.expect(answer);
      peer.carryOn(state);
    }
  }

  private static void lives(RudePeer peer) throws IOException {
    peer.expectAnswer(new GlobalRequest("still-there", true, new byte[0]), RequestFailure.TYPE);
  }
}
