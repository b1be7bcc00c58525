package dev.adit;

import java.io.IOException;
import java.util.logging.LogManager;

/**
 * The JDK's own logging, which here only Bouncy Castle asks for and nobody reads: it says nothing.
 * The launchers name it with {@code -Djava.util.logging.manager}.
 */
public final class NoJavaLogging extends LogManager {

  /**
   * There is no configuration. To say so by returning is not enough: the JDK would go on to look
   * for loggers of other makes in all libraries.
   */
  @Override
  public void readConfiguration() throws IOException {
    throw new IOException("no configuration");
  }
}
