package dev.adit.ssh;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Decides who gets into a server. Called on virtual threads, many at once; may block. */
@FunctionalInterface
public interface Authenticator {

  /**
   * A client names a user; nothing of it is proven. Called once a connection. A user that doesn't
   * exist gets a login that refuses everything, so that nobody learns who exists.
   *
   * @param user as the client sent it: any text, also {@code ../x}, NUL and line feeds
   */
  Login begin(Peer peer, String user);

  /**
   * What one method has proven. Kept until the login is complete; an authenticator's own subclass
   * may carry what it needs to know then.
   */
  interface Proof {
    /** For a key of a security key (sk-*): whether its owner must have touched it. */
    default boolean requiresTouch() {
      return true;
    }

    /** For a key of a security key (sk-*): whether it must have checked a PIN or finger. */
    default boolean requiresVerification() {
      return false;
    }
  }

  /** The login of one user over one connection. Its methods are called one at a time. */
  interface Login {

    /**
     * Whether there is such a user at all: for the log, which calls the others {@code invalid
     * user}. The client doesn't learn it.
     */
    default boolean isKnownUser() {
      return true;
    }

    /**
     * Why the connection is ended as soon as its user is named (RefuseConnection), in words for the
     * client; null to go on.
     */
    default @Nullable String refusal() {
      return null;
    }

    /**
     * What holds for this connection from here on. Of the options that are returned these count:
     * maxAuthTries at once, and rekeyLimit, clientAlive, unusedTimeout and channelTimeouts when the
     * user is in.
     *
     * @param general those of the server
     */
    default ServerOptions options(ServerOptions general) {
      return general;
    }

    /**
     * The ways in: one list of method names completed in its order is enough. {@code
     * [[publickey],[publickey, password]]}. A name may be {@code publickey}, {@code password} or
     * {@code keyboard-interactive}. Not empty.
     */
    List<List<String>> waysIn();

    /** Shown to the client before the first answer; empty for none. */
    default String banner() {
      return "";
    }

    /**
     * Whether this key lets the user in, if the client proves to hold it. Asked when the key is
     * offered and again when it is proven; only a proven key's answer counts (CVE-2024-45337).
     *
     * @return null to refuse
     */
    default @Nullable Proof publicKey(UserKey key) {
      return null;
    }

    /**
     * @return null to refuse; has taken as long for a user who doesn't exist
     */
    default @Nullable Proof password(char[] password) {
      return null;
    }

    /** A conversation of keyboard-interactive, or null where there is none. */
    default @Nullable Conversation keyboardInteractive() {
      return null;
    }

    /**
     * Every method of one way in has succeeded. What all of the proofs allow together is what the
     * user may do: an earlier proof's limits are not forgotten (CVE-2026-39828).
     *
     * @param proofs as they were given, in their order
     * @return the user's rights, or null to refuse after all: then the login starts anew
     */
    @Nullable AccessPolicy admit(List<Proof> proofs);
  }

  /** Questions and answers of RFC 4256. */
  interface Conversation {

    /** What comes next. */
    sealed interface Step {
      /**
       * Ask the client.
       *
       * @param name and {@code instruction}: text above the questions; may be empty
       * @param questions may be empty
       */
      record Ask(String name, String instruction, List<UserInteraction.Question> questions)
          implements Step {}

      record Granted(Proof proof) implements Step {}

      record Denied() implements Step {}
    }

    Step first();

    /**
     * @param answers as many as there were questions
     */
    Step answered(List<String> answers);
  }
}
