package dev.adit.client;

import dev.adit.ssh.ExitStatus;
import dev.adit.ssh.Session;
import dev.adit.ssh.SshConnection;
import dev.adit.ssh.SshException;
import dev.adit.terminal.Escapes;
import dev.adit.terminal.StdinChannel;
import dev.adit.terminal.Tty;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sun.misc.Signal;

/**
 * One session of the client, between the streams of this process and the server. Standard input,
 * output and error each have a thread of their own, for reading and writing files blocks.
 */
public final class RemoteSession {
  private static final Logger log = LoggerFactory.getLogger(RemoteSession.class);

  /** What ssh ends with when the remote command's exit status isn't known. */
  private static final int UNKNOWN_STATUS = 255;

  /** What is read from a terminal at once, in bytes. */
  private static final int TYPED = 4096;

  private static final Duration BREAK = Duration.ofSeconds(1);

  /** Ends the input of a program on a terminal, as Ctrl-D does. */
  private static final int END_OF_TRANSMISSION = 4;

  private final SshConnection connection;
  private final SessionOptions options;
  private final StdinChannel stdin = new StdinChannel();

  /** Completes with the exit status when the session ends, or the user ends it. */
  private final CompletableFuture<ExitStatus> end = new CompletableFuture<>();

  private volatile boolean disconnected;

  private RemoteSession(SshConnection connection, SessionOptions options) {
    this.connection = connection;
    this.options = options;
  }

  /**
   * Runs a session to its end, and then waits for forwarded connections to end.
   *
   * @return the exit status for this process
   * @throws SshException if the server refuses the session or what is to run in it
   */
  public static int run(SshConnection connection, SessionOptions options)
      throws SshException, InterruptedException {
    return new RemoteSession(connection, options).run();
  }

  private int run() throws SshException, InterruptedException {
    boolean terminal = options.getsTerminal();
    if (options.wantsTerminal() && !terminal) {
      log.info("Pseudo-terminal will not be allocated because stdin is not a terminal.");
    }
    ExitStatus status;
    try (Session session = connection.openSession()) {
      prepare(session, terminal);
      start(session);
      Thread out = output("adit-stdout", session, FileDescriptor.out);
      Thread err = output("adit-stderr", session, FileDescriptor.err);
      input(session, terminal);
      var _ = session.ended().thenAccept(end::complete);
      status = end.join();
      if (!disconnected) {
        out.join();
        err.join();
      }
    } finally {
      stdin.close();
      if (terminal) {
        Tty.leaveRaw();
      }
    }
    if (!disconnected) {
      awaitForwarded();
    }
    if (terminal) {
      log.info("Connection to {} closed.", options.host());
    }
    return switch (status) {
      case ExitStatus.Exited exited -> {
        log.debug("Exit status {}", exited.code());
        yield exited.code();
      }
      case ExitStatus.Signaled signaled -> {
        log.debug("the remote command was ended by signal {}", signaled.name());
        yield UNKNOWN_STATUS;
      }
      case ExitStatus.Unknown unknown -> {
        if (unknown.cause() != null) {
          log.error("{}", unknown.cause().getMessage());
        }
        yield UNKNOWN_STATUS;
      }
    };
  }

  // ---- To the server --------------------------------------------------------------------------

  private void prepare(Session session, boolean terminal) {
    if (options.agentSocket() != null) {
      var _ = session.forwardAgent(options.agentSocket());
    }
    if (terminal) {
      Signal.handle(new Signal("WINCH"), _ -> tellWindow(session));
      String term = System.getenv("TERM");
      var _ =
          session
              .requestPty(Tty.describe(term == null ? "" : term))
              .thenAccept(
                  granted -> {
                    if (!granted && !end.isDone()) {
                      log.error("PTY allocation request failed on channel {}", session.channelId());
                      Tty.leaveRaw();
                    }
                  });
      Tty.enterRaw();
    }
    options.environment().forEach(session::env);
  }

  private void start(Session session) throws SshException, InterruptedException {
    log.debug("Sending {}", options.start());
    switch (options.start()) {
      case SessionOptions.Shell _ -> session.shell();
      case SessionOptions.Exec exec -> session.exec(exec.command());
      case SessionOptions.Subsystem subsystem -> session.subsystem(subsystem.name());
    }
  }

  private static void tellWindow(Session session) {
    int[] size = Tty.size();
    session.windowChange(size[1], size[0], size[2], size[3]);
  }

  private void input(Session session, boolean terminal) {
    if (options.stdinNull()) {
      closeStdin(session);
      return;
    }
    Thread.ofPlatform()
        .daemon()
        .name("adit-stdin")
        .start(
            () -> {
              try {
                if (terminal && options.escapeChar() != Escapes.NONE) {
                  typed(session);
                } else {
                  session.transferStdin(stdin);
                }
              } catch (IOException e) {
                log.debug("standard input: {}", e.getMessage());
              }
              closeStdin(session);
            });
  }

  private static void closeStdin(Session session) {
    try {
      session.stdin().close();
    } catch (IOException e) {
      log.debug("standard input: {}", e.getMessage());
    }
  }

  private void typed(Session session) throws IOException {
    Escapes escapes = new Escapes(options.escapeChar());
    EscapeSink sink = new EscapeSink(session, escapes.name());
    ByteBuffer buffer = ByteBuffer.allocate(TYPED);
    while (!sink.finished && stdin.read(buffer.clear()) >= 0) {
      escapes.accept(buffer.array(), buffer.position(), sink);
    }
  }

  // ---- From the server ------------------------------------------------------------------------

  // Not closed: they are the process's own.
  @SuppressWarnings("resource")
  private static Thread output(String name, Session session, FileDescriptor to) {
    WritableByteChannel channel = new FileOutputStream(to).getChannel();
    return Thread.ofPlatform()
        .daemon()
        .name(name)
        .start(
            () -> {
              try {
                if (to == FileDescriptor.out) {
                  session.transferStdout(channel);
                } else {
                  session.transferStderr(channel);
                }
              } catch (SshException _) {
                // The end of the connection is told by the exit status.
              } catch (IOException e) {
                log.debug("{}: {}", name, e.getMessage());
                nobodyReads(session, to);
              }
            });
  }

  /** As {@code adit host yes | head -1}: the remote command has to hear of it, or goes on. */
  private static void nobodyReads(Session session, FileDescriptor to) {
    try {
      if (to == FileDescriptor.out) {
        session.stdout().close();
      } else {
        session.discardStderr();
      }
    } catch (IOException e) {
      log.debug("{}", e.getMessage());
    }
  }

  // ---- After the session ----------------------------------------------------------------------

  private void awaitForwarded() throws InterruptedException {
    try {
      CompletableFuture.anyOf(connection.whenIdle(), connection.closed()).get();
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    }
  }

  // ---- Escapes --------------------------------------------------------------------------------

  private final class EscapeSink implements Escapes.Sink {
    private final Session session;
    private final String escape;
    private boolean finished;

    EscapeSink(Session session, String escape) {
      this.session = session;
      this.escape = escape;
    }

    @Override
    public void data(byte[] bytes, int offset, int length) {
      try {
        session.stdin().write(bytes, offset, length);
      } catch (IOException e) {
        log.debug("standard input: {}", e.getMessage());
        finished = true;
      }
    }

    @Override
    public void command(Escapes.Command command) {
      switch (command) {
        case DISCONNECT -> {
          say(escape + ".");
          finished = true;
          disconnected = true;
          end.complete(new ExitStatus.Unknown(null));
        }
        case HELP -> say(help());
        case CONNECTIONS -> connections();
        case BACKGROUND -> background();
        case REKEY -> connection.rekey();
        case BREAK -> {
          say(escape + "B");
          session.sendBreak(BREAK);
        }
        case COMMAND_LINE ->
            say(escape + "C: forwardings can't be added to a running connection yet");
        case MORE_VERBOSE -> say(escape + "v [LogLevel " + Logs.step(1) + "]");
        case LESS_VERBOSE -> say(escape + "V [LogLevel " + Logs.step(-1) + "]");
        case SUSPEND -> {
          say(escape + "^Z [suspended]");
          Tty.leaveRaw();
          Tty.suspend();
          Tty.enterRaw();
          tellWindow(session);
        }
      }
    }

    private String help() {
      return """
          %1$s?
          Escapes, which count at the beginning of a line only:
           %1$s.   end the connection
           %1$sB   send a BREAK to the remote terminal
           %1$sR   exchange keys anew
           %1$sV/v say less/more (LogLevel)
           %1$s^Z  suspend adit
           %1$s#   list what runs over the connection
           %1$s&   go to the background, until forwarded connections have ended
           %1$s?   this list
           %1$s%1$s   the escape character itself"""
          .formatted(escape);
    }

    private void connections() {
      var _ =
          connection
              .channels()
              .thenAccept(
                  lines ->
                      say(
                          escape
                              + "#\nThe following connections are open:\n  "
                              + String.join("\n  ", lines)));
    }

    /**
     * A JVM can't fork, but it can stop, as with Ctrl-Z, and be continued a moment later: by then
     * the shell that started it has the terminal back.
     */
    private void background() {
      say(escape + "& [background]");
      finished = true;
      try {
        session.stdin().write(END_OF_TRANSMISSION);
        session.stdin().close();
      } catch (IOException e) {
        log.debug("standard input: {}", e.getMessage());
      }
      Tty.leaveRaw();
      try {
        new ProcessBuilder(
                List.of("sh", "-c", "sleep 0.3; kill -CONT " + ProcessHandle.current().pid()))
            .start();
        Tty.suspend();
      } catch (IOException e) {
        say("cannot go to the background: " + e.getMessage());
      }
    }

    private static void say(String text) {
      System.err.print(text.replace("\n", "\r\n") + "\r\n");
      System.err.flush();
    }
  }
}
