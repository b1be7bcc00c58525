package dev.adit.ssh;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/**
 * A session (RFC 4254 section 6): one command, shell or subsystem at the server, with its standard
 * streams. Made by {@link SshConnection#openSession}. Thread-safe; a thread may read while others
 * write.
 *
 * <p>First come the requests that prepare it ({@link #requestPty}, {@link #env}, {@link
 * #forwardAgent}), then exactly one of {@link #exec}, {@link #shell} and {@link #subsystem}. What
 * the command writes must be read, both streams of it: unread bytes fill the window that the two
 * share, and then the command waits. {@link #discardStdout} and {@link #discardStderr} are for a
 * stream that nobody wants.
 *
 * <pre>{@code
 * try (var session = connection.openSession()) {
 *   session.exec("uname -a");
 *   session.stdin().close();
 *   session.discardStderr();
 *   System.out.print(new String(session.stdout().readAllBytes(), UTF_8));
 *   ExitStatus status = session.waitFor();
 * }
 * }</pre>
 */
public interface Session extends AutoCloseable {

  /** Our number of the channel. */
  int channelId();

  /**
   * Asks for a pseudo-terminal. The output is then all on {@link #stdout}. Does not wait.
   *
   * @return whether the server made one
   */
  CompletableFuture<Boolean> requestPty(PtyOptions pty);

  /** Sets a variable of the remote environment (section 6.4); servers ignore most names. */
  void env(String name, String value);

  /**
   * Lets programs in this session use the agent that listens on this Unix socket here: whoever has
   * enough rights at the server can then log in elsewhere with its keys, while the connection
   * lasts. Does not wait.
   *
   * @return whether the server agreed; false, and it isn't asked, if it is not {@linkplain
   *     SshConnection#isServerVerified verified}
   */
  CompletableFuture<Boolean> forwardAgent(Path agentSocket);

  /**
   * Runs a command. Blocks until the server has started it.
   *
   * @throws SshException.RequestRefused if the server refuses
   */
  void exec(String command) throws SshException, InterruptedException;

  /** Runs the user's shell, as {@link #exec}. */
  void shell() throws SshException, InterruptedException;

  /** Runs a subsystem, such as {@code sftp}, as {@link #exec}. */
  void subsystem(String name) throws SshException, InterruptedException;

  /** Tells the new size of our terminal (section 6.7); pixels are 0 where they aren't known. */
  void windowChange(int columns, int rows, int widthPixels, int heightPixels);

  /**
   * Sends a signal to the remote command (section 6.9).
   *
   * @param name without SIG: {@code TERM}
   */
  void signal(String name);

  /** Sends a BREAK to the remote terminal (RFC 4335). */
  void sendBreak(Duration length);

  /**
   * What the command reads. Writing blocks while the server doesn't take more, and throws when the
   * session has ended or the command reads no more. Closing it is the command's end of file;
   * everything else stays open.
   */
  OutputStream stdin();

  /**
   * What the command writes; ends when the command, and all that share its output, have. Closing it
   * throws the rest away, and a command that goes on writing gets a SIGPIPE (from OpenSSH's
   * server).
   */
  InputStream stdout();

  /** What the command writes as errors; nothing with a pseudo-terminal. */
  InputStream stderr();

  /**
   * Copies standard output to a channel, until it ends; the quickest way for much data. Blocks.
   *
   * @return the number of bytes
   */
  long transferStdout(WritableByteChannel to) throws IOException;

  /** As {@link #transferStdout}, for standard error. */
  long transferStderr(WritableByteChannel to) throws IOException;

  /**
   * Copies a channel to standard input until it ends, without closing either; the quickest way for
   * much data. Blocks. Returns early, without an error, when the session has ended or the command
   * reads no more.
   *
   * @return the number of bytes
   */
  long transferStdin(ReadableByteChannel from) throws IOException;

  /** Throws away what the command writes and has written. */
  void discardStdout();

  /** Throws away what the command writes and has written as errors. */
  void discardStderr();

  /** Completes when the session has ended; on a thread of its own. */
  CompletableFuture<ExitStatus> ended();

  /** Waits for the end of the session. */
  ExitStatus waitFor() throws InterruptedException;

  /** Ends the session; the command gets a hang-up if it still runs. Idempotent, does not wait. */
  @Override
  void close();
}
