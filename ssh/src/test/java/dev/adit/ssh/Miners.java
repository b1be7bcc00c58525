package dev.adit.ssh;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.adit.ssh.UserInteraction.Question;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Lets in the one who holds key A or B, knows the password {@code good}, or answers 1 and 2 to two
 * questions.
 */
public final class Miners implements Authenticator {
  public static final String USER = "miner";

  /** Seeds of Ed25519 keys. B is let in too, but as somebody else, who may do nothing. */
  public static final byte[] A = "the private key of a good miner.".getBytes(US_ASCII);

  public static final byte[] B = "the private key of a bad miner..".getBytes(US_ASCII);

  private volatile List<List<String>> waysIn =
      List.of(List.of("publickey"), List.of("password"), List.of("keyboard-interactive"));

  public void waysIn(List<List<String>> ways) {
    waysIn = ways;
  }

  @Override
  public Authenticator.Login begin(Peer peer, String user) {
    return new Login(waysIn);
  }

  private record Proof(byte[] blob) implements Authenticator.Proof {}

  private record Login(List<List<String>> waysIn) implements Authenticator.Login {
    @Override
    public Authenticator.@Nullable Proof publicKey(UserKey key) {
      byte[] blob = key.blob();
      boolean known =
          Arrays.equals(blob, RudePeer.publicKey(A)) || Arrays.equals(blob, RudePeer.publicKey(B));
      return known ? new Proof(blob) : null;
    }

    @Override
    public Authenticator.@Nullable Proof password(char[] password) {
      return new String(password).equals("good") ? new Proof(new byte[0]) : null;
    }

    @Override
    public Authenticator.Conversation keyboardInteractive() {
      return new Authenticator.Conversation() {
        @Override
        public Step first() {
          return new Step.Ask("", "", List.of(new Question("1?", true), new Question("2?", true)));
        }

        @Override
        public Step answered(List<String> answers) {
          return answers.equals(List.of("1", "2"))
              ? new Step.Granted(new Proof(new byte[0]))
              : new Step.Denied();
        }
      };
    }

    @Override
    public AccessPolicy admit(List<Authenticator.Proof> proofs) {
      byte[] blob = ((Proof) proofs.getFirst()).blob();
      return Arrays.equals(blob, RudePeer.publicKey(B)) ? () -> "B" : GOOD;
    }
  }

  /** Who is not B may connect to anything. */
  private static final AccessPolicy GOOD =
      new AccessPolicy() {
        @Override
        public String user() {
          return "A";
        }

        @Override
        public Decision<Target> connect(Target target) {
          return Decision.allowed(target);
        }

        @Override
        public Decision<InetAddress> dial(Target.Tcp target, InetAddress address) {
          return Decision.allowed(address);
        }
      };
}
