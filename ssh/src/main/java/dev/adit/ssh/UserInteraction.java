package dev.adit.ssh;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The person at the keyboard, as the library needs them. Calls come on virtual threads and may
 * block; they are interrupted when the connection ends meanwhile. Texts that came from the server
 * have their control characters escaped already.
 */
public interface UserInteraction {

  /** Nobody is there: every question is left unanswered (BatchMode). */
  UserInteraction NONE = new UserInteraction() {};

  /**
   * Asks for something that must not be shown.
   *
   * @return the answer, or null when there is nobody to answer
   */
  default char @Nullable [] askSecret(String prompt) {
    return null;
  }

  /**
   * Asks for something that may be shown.
   *
   * @return the answer, or null when there is nobody to answer
   */
  default @Nullable String ask(String prompt) {
    return null;
  }

  /**
   * Shows text for people: a banner, instructions, what was learned. May have several lines, no
   * final line feed.
   */
  default void show(String text) {}

  /** The same for what went wrong, which also those should see who want to hear of errors only. */
  default void showError(String text) {
    show(text);
  }

  /** One question of a server's keyboard-interactive method. */
  record Question(String prompt, boolean echo) {}

  /**
   * Answers the questions of keyboard-interactive authentication (RFC 4256).
   *
   * @return as many answers as questions, or null to give up
   */
  default @Nullable List<String> answer(List<Question> questions) {
    var answers = new ArrayList<String>();
    for (Question question : questions) {
      if (question.echo()) {
        String answer = ask(question.prompt());
        if (answer == null) {
          return null;
        }
        answers.add(answer);
      } else {
        char[] secret = askSecret(question.prompt());
        if (secret == null) {
          return null;
        }
        answers.add(new String(secret));
      }
    }
    return answers;
  }
}
