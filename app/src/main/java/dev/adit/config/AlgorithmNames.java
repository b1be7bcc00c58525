package dev.adit.config;

import java.util.List;

/** The algorithms that can be chosen: what the engine has, and in which order it offers them. */
public interface AlgorithmNames {

  /** What a list of algorithms is about. */
  enum Kind {
    CIPHER,
    MAC,
    KEX,
    /** Signatures of host keys, certificates included. */
    HOST_KEY,
    /** Signatures of users' keys, certificates included. */
    USER_KEY,
    /** Signatures on certificates. */
    CA_SIGNATURE,
    /** Signatures of hostbased authentication: shown by -G, never used. */
    HOSTBASED
  }

  /** Everything that may be asked for. */
  List<String> supported(Kind kind);

  /** What is offered when nothing is asked for, the best first. */
  List<String> defaults(Kind kind);

  /**
   * True for names that OpenSSH has and we don't, on purpose or not yet. In a list they are skipped
   * with a note, where a name that nobody knows is an error.
   */
  boolean isKnownElsewhere(Kind kind, String name);
}
