package dev.adit.client;

import dev.adit.ssh.UserInteraction;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shows the user what LogLevel lets through, and with -E in the log, as ssh does; questions are
 * always asked. Without -E a text is not a line of the log, which may come late: it must stand
 * before the question that follows it.
 */
final class ClientInteraction implements UserInteraction {
  private static final Logger log = LoggerFactory.getLogger(ClientInteraction.class);

  private final UserInteraction user;
  private final boolean isLogged;

  /**
   * @param isLogged whether there is a log beside standard error
   */
  ClientInteraction(UserInteraction user, boolean isLogged) {
    this.user = user;
    this.isLogged = isLogged;
  }

  @Override
  public char @Nullable [] askSecret(String prompt) {
    return user.askSecret(prompt);
  }

  @Override
  public @Nullable String ask(String prompt) {
    return user.ask(prompt);
  }

  @Override
  public @Nullable List<String> answer(List<Question> questions) {
    return user.answer(questions);
  }

  @Override
  public void show(String text) {
    if (isLogged) {
      log.info("{}", text);
    } else if (log.isInfoEnabled()) {
      user.show(text);
    }
  }

  @Override
  public void showError(String text) {
    if (isLogged) {
      log.error("{}", text);
    } else if (log.isErrorEnabled()) {
      user.show(text);
    }
  }
}
