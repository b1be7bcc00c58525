package dev.adit.ssh.auth;

import dev.adit.ssh.crypto.Hash;
import dev.adit.ssh.wire.WireWriter;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Duration;

/** How long a refusal takes, so that its time doesn't tell why it was refused. As sshd has it. */
final class FailureDelay {
  /** Secret, so that nobody can compute a user's own part of the delay. */
  private static final long SALT = new SecureRandom().nextLong();

  private FailureDelay() {}

  /**
   * What is left to wait: the whole is 5 to 9 ms, of which a part is the user's own, doubled until
   * it is longer than what the refusal has really taken.
   */
  static Duration rest(Duration taken, String user) {
    Duration whole = AuthLimits.LEAST_FAILURE.plusNanos(ownPart(user));
    while (whole.compareTo(taken) < 0) {
      whole = whole.multipliedBy(2);
    }
    return whole.compareTo(AuthLimits.LONGEST_FAILURE) > 0
        ? max(Duration.ZERO, AuthLimits.LONGEST_FAILURE.minus(taken))
        : whole.minus(taken);
  }

  private static Duration max(Duration a, Duration b) {
    return a.compareTo(b) > 0 ? a : b;
  }

  /** Up to 4.2 ms, in nanoseconds. */
  private static int ownPart(String user) {
    byte[] digest =
        Hash.SHA256.of(WireWriter.create().writeUint64(SALT).writeString(user).toBytes());
    return ByteBuffer.wrap(digest).getInt() >>> 10;
  }
}
