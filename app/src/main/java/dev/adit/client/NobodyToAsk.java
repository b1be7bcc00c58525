package dev.adit.client;

import dev.adit.ssh.UserInteraction;

/** BatchMode: no question is answered, but what is to be said is said. */
final class NobodyToAsk implements UserInteraction {

  @Override
  public void show(String text) {
    System.err.print(text + "\n");
    System.err.flush();
  }
}
