package dev.adit.ssh;

/**
 * The answer to something that a logged-in user asked for.
 *
 * @param <T> what is allowed: what was asked for, or what is done in its place
 */
public sealed interface Decision<T> {

  /** It may be. */
  record Allowed<T>(T what) implements Decision<T> {}

  /**
   * It may not be.
   *
   * @param why names the rule, for the user and the log: {@code PermitOpen does not list db:5432}
   */
  record Denied<T>(String why) implements Decision<T> {}

  static <T> Decision<T> allowed(T what) {
    return new Allowed<>(what);
  }

  static <T> Decision<T> denied(String why) {
    return new Denied<>(why);
  }
}
