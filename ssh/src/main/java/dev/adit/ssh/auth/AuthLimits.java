package dev.adit.ssh.auth;

import dev.adit.ssh.Limit;
import java.time.Duration;

/** Bounds on a login, in one place. MaxAuthTries and LoginGraceTime are options of the server. */
final class AuthLimits {

  @Limit(
      bounds = "Requests of one client, refused or not; sshd has the same",
      beyond = "disconnect",
      provenBy = "RudeClientTest.aFloodOfQuestionsThatAreNoFailures")
  static final int MAX_REQUESTS = 1024;

  @Limit(
      bounds = "A password; sshd has the same",
      unit = "bytes",
      beyond = "refused, and counted as a failure",
      provenBy = "BoundsTest.aPasswordThatNobodyTypes")
  static final int MAX_PASSWORD = 1024;

  @Limit(
      bounds = "Rounds of keyboard-interactive questions in one attempt",
      beyond = "disconnect",
      provenBy = "BoundsTest.questionsWithoutEnd")
  static final int MAX_QUESTION_ROUNDS = 100;

  @Limit(
      bounds =
          "How long a refusal takes at least, so that its time doesn't tell why it "
              + "was refused; doubled until it is longer than the work",
      beyond = "the answer waits",
      provenBy = "FailureDelayTest.whatWasFastAndWhatWasFasterEndTogether")
  static final Duration LEAST_FAILURE = Duration.ofMillis(5);

  @Limit(
      bounds = "How long a refusal is delayed at most",
      beyond = "it is answered at once",
      provenBy = "FailureDelayTest.whatWasSlowIsRoundedUpToADoubling")
  static final Duration LONGEST_FAILURE = Duration.ofSeconds(5);

  private AuthLimits() {}
}
