package dev.adit.ssh.transport;

import io.netty.channel.EventLoop;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * An SSH connection over the standard streams of a process (ProxyCommand); its standard error is
 * ours. The process ends with the connection.
 */
public final class ProcessCarrier extends StreamCarrier {

  /**
   * How long the process may take to end by itself when its standard input ends, so that it can
   * pass on the last packet, and then how long when it is asked to, in milliseconds.
   */
  private static final long END_MILLIS = 200;

  private static final long TERMINATE_MILLIS = 2000;

  private final String command;
  private final Process process;

  private ProcessCarrier(EventLoop loop, String remote, String command, Process process) {
    super(loop, remote, process.getInputStream(), process.getOutputStream());
    this.command = command;
    this.process = process;
  }

  /**
   * Starts the command.
   *
   * @param command the program and its arguments
   * @param remote where it leads, for messages
   * @throws IOException if there is no such program
   */
  public static ProcessCarrier start(EventLoop loop, List<String> command, String remote)
      throws IOException {
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String name = Text.escape(command.getLast());
    return new ProcessCarrier(loop, remote, name, process);
  }

  /** Reads as the end of "Connection to ...". */
  @Override
  Throwable endOfStream() {
    try {
      if (process.waitFor(END_MILLIS, TimeUnit.MILLISECONDS)) {
        return new IOException(
            "closed by the proxy command '%s', which ended with exit status %d"
                .formatted(command, process.exitValue()));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return new IOException("closed by the proxy command '%s'".formatted(command));
  }

  @Override
  void finished() {
    try {
      if (!process.waitFor(END_MILLIS, TimeUnit.MILLISECONDS)) {
        process.destroy();
        if (!process.waitFor(TERMINATE_MILLIS, TimeUnit.MILLISECONDS)) {
          process.destroyForcibly();
        }
      }
    } catch (InterruptedException _) {
      process.destroyForcibly();
    }
  }
}
