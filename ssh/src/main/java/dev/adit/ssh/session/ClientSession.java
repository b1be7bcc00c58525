package dev.adit.ssh.session;

import dev.adit.ssh.ExitStatus;
import dev.adit.ssh.PtyOptions;
import dev.adit.ssh.Session;
import dev.adit.ssh.SshException;
import dev.adit.ssh.connection.ChannelHandler;
import dev.adit.ssh.connection.Connection;
import dev.adit.ssh.connection.SshChannel;
import dev.adit.ssh.transport.Text;
import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.WireReader;
import dev.adit.ssh.wire.WireWriter;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The client's end of a session channel. Its public methods may be called from any thread. */
public final class ClientSession implements Session {

  /** SSH_EXTENDED_DATA_STDERR (RFC 4254 section 5.2). */
  private static final int STDERR = 1;

  /** Ends the encoded terminal modes (RFC 4254 section 8). */
  private static final int TTY_OP_END = 0;

  private final SshChannel channel;
  private final @Nullable Consumer<Path> agents;
  private final Inbox stdout = new Inbox(this::taken, this::endOfWrite);
  private final Inbox stderr = new Inbox(this::taken);
  private final Outbox stdin;

  /** Completed on the event loop. */
  private final CompletableFuture<ExitStatus> ended = new CompletableFuture<>();

  /** What the server told of the command's end. Confined to the event loop. */
  private @Nullable ExitStatus told;

  private ClientSession(SshChannel channel, @Nullable Consumer<Path> agents) {
    this.channel = channel;
    this.agents = agents;
    this.stdin = new Outbox(channel);
  }

  /**
   * Opens a session. Blocks; not to be called on the event loop.
   *
   * @param agents lends the agent with this socket to the server; called on the event loop. Null
   *     for a server that must not have one.
   * @throws SshException.ChannelRefused if the server refuses
   */
  public static ClientSession open(Connection connection, @Nullable Consumer<Path> agents)
      throws SshException, InterruptedException {
    CompletableFuture<ClientSession> opened = new CompletableFuture<>();
    connection
        .eventLoop()
        .execute(
            () -> connection.open("session", new byte[0], new Handler(opened, agents), "session"));
    return await(opened);
  }

  private static <T> T await(CompletableFuture<T> future)
      throws SshException, InterruptedException {
    try {
      return future.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof SshException why) {
        throw why;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  // ---- Requests -------------------------------------------------------------------------------

  @Override
  public int channelId() {
    return channel.id();
  }

  @Override
  public CompletableFuture<Boolean> requestPty(PtyOptions pty) {
    WireWriter modes = WireWriter.create();
    pty.modes().forEach((mode, value) -> modes.writeByte(mode.opcode()).writeUint32(value));
    modes.writeByte(TTY_OP_END);
    return reply(
        "pty-req",
        WireWriter.create()
            .writeString(pty.term())
            .writeUint32(pty.columns())
            .writeUint32(pty.rows())
            .writeUint32(pty.widthPixels())
            .writeUint32(pty.heightPixels())
            .writeString(modes.toBytes()));
  }

  @Override
  public void env(String name, String value) {
    notify("env", WireWriter.create().writeString(name).writeString(value));
  }

  @Override
  public CompletableFuture<Boolean> forwardAgent(Path agentSocket) {
    Consumer<Path> lender = agents;
    if (lender == null) {
      return CompletableFuture.completedFuture(false);
    }
    onLoop(() -> lender.accept(agentSocket));
    return reply("auth-agent-req@openssh.com", WireWriter.create());
  }

  @Override
  public void exec(String command) throws SshException, InterruptedException {
    start("exec", WireWriter.create().writeString(command));
  }

  @Override
  public void shell() throws SshException, InterruptedException {
    start("shell", WireWriter.create());
  }

  @Override
  public void subsystem(String name) throws SshException, InterruptedException {
    start("subsystem", WireWriter.create().writeString(name));
  }

  private void start(String what, WireWriter fields) throws SshException, InterruptedException {
    if (!await(request(what, fields))) {
      throw new SshException.RequestRefused(
          "%s request failed on channel %d".formatted(what, channel.id()));
    }
  }

  @Override
  public void windowChange(int columns, int rows, int widthPixels, int heightPixels) {
    notify(
        "window-change",
        WireWriter.create()
            .writeUint32(columns)
            .writeUint32(rows)
            .writeUint32(widthPixels)
            .writeUint32(heightPixels));
  }

  @Override
  public void signal(String name) {
    notify("signal", WireWriter.create().writeString(name));
  }

  @Override
  public void sendBreak(Duration length) {
    notify("break", WireWriter.create().writeUint32(length.toMillis()));
  }

  /** A reply for the user, who may do what it likes when it comes: so not on the event loop. */
  private CompletableFuture<Boolean> reply(String name, WireWriter fields) {
    return request(name, fields).thenApplyAsync(reply -> reply);
  }

  private CompletableFuture<Boolean> request(String name, WireWriter fields) {
    byte[] bytes = fields.toBytes();
    CompletableFuture<Boolean> reply = new CompletableFuture<>();
    if (!onLoop(() -> channel.request(name, bytes).thenAccept(reply::complete))) {
      reply.complete(false);
    }
    return reply;
  }

  private void notify(String name, WireWriter fields) {
    byte[] bytes = fields.toBytes();
    onLoop(() -> channel.notify(name, bytes));
  }

  /** False when the event loop has ended, and the connection with it. */
  private boolean onLoop(Runnable task) {
    try {
      channel.connection().eventLoop().execute(task);
      return true;
    } catch (RejectedExecutionException _) {
      return false;
    }
  }

  // ---- Streams --------------------------------------------------------------------------------

  @Override
  public OutputStream stdin() {
    return stdin;
  }

  @Override
  public InputStream stdout() {
    return stdout;
  }

  @Override
  public InputStream stderr() {
    return stderr;
  }

  @Override
  public long transferStdout(WritableByteChannel to) throws IOException {
    return stdout.transferTo(to);
  }

  @Override
  public long transferStderr(WritableByteChannel to) throws IOException {
    return stderr.transferTo(to);
  }

  @Override
  public long transferStdin(ReadableByteChannel from) throws IOException {
    return stdin.transferFrom(from);
  }

  @Override
  public void discardStdout() {
    stdout.discard();
  }

  @Override
  public void discardStderr() {
    stderr.discard();
  }

  /** The reader has taken bytes: their window goes back. */
  private void taken(int bytes) {
    onLoop(() -> channel.consumed(bytes));
  }

  /** OpenSSH: we read no more, so the command gets a SIGPIPE (PROTOCOL section 2.1). */
  private void endOfWrite() {
    notify("eow@openssh.com", WireWriter.create());
  }

  // ---- The end --------------------------------------------------------------------------------

  @Override
  public CompletableFuture<ExitStatus> ended() {
    // Whoever waits may do what it likes, so not on the event loop.
    return ended.thenApplyAsync(status -> status);
  }

  @Override
  public ExitStatus waitFor() throws InterruptedException {
    try {
      return ended.get();
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    }
  }

  @Override
  public void close() {
    onLoop(channel::close);
    stdin.breakOff("the session is closed");
    stdout.discard();
    stderr.discard();
  }

  // ---- On the event loop ----------------------------------------------------------------------

  /** Hears the channel; there before the session is. */
  private static final class Handler implements ChannelHandler {
    private final CompletableFuture<ClientSession> opened;
    private final @Nullable Consumer<Path> agents;
    private @Nullable ClientSession session;

    Handler(CompletableFuture<ClientSession> opened, @Nullable Consumer<Path> agents) {
      this.opened = opened;
      this.agents = agents;
    }

    @Override
    public void opened(SshChannel channel) {
      session = new ClientSession(channel, agents);
      opened.complete(session);
    }

    @Override
    public void refused(SshException.ChannelRefused why) {
      opened.completeExceptionally(why);
    }

    private ClientSession session() {
      if (session == null) {
        throw new IllegalStateException("the channel is not open yet");
      }
      return session;
    }

    @Override
    public void data(SshChannel channel, ByteBuf data) {
      unwanted(channel, session().stdout.add(data));
    }

    @Override
    public void extendedData(SshChannel channel, int type, ByteBuf data) {
      unwanted(channel, type == STDERR ? session().stderr.add(data) : data.readableBytes());
    }

    private static void unwanted(SshChannel channel, int bytes) {
      if (bytes > 0) {
        channel.consumed(bytes);
      }
    }

    @Override
    public void eof(SshChannel channel) {
      session().stdout.end(null);
      session().stderr.end(null);
    }

    @Override
    public boolean request(SshChannel channel, String name, WireReader fields)
        throws MalformedDataException {
      return switch (name) {
        case "exit-status" -> {
          session().told = new ExitStatus.Exited((int) fields.readUint32());
          yield true;
        }
        case "exit-signal" -> {
          session().told =
              new ExitStatus.Signaled(
                  Text.escape(fields.readText()),
                  fields.readBoolean(),
                  Text.escape(fields.readText()));
          yield true;
        }
        // OpenSSH: the command reads no more (PROTOCOL section 2.1).
        case "eow@openssh.com" -> {
          session().stdin.breakOff("the remote command reads no more");
          yield true;
        }
        // A sign of life is all that is asked for.
        case "keepalive@openssh.com" -> true;
        default -> false;
      };
    }

    @Override
    public void sendable(SshChannel channel) {
      session().stdin.drain();
    }

    @Override
    public void closed(SshChannel channel, @Nullable SshException cause) {
      ClientSession s = session();
      s.stdin.breakOff(
          cause == null ? "the session has ended" : String.valueOf(cause.getMessage()));
      s.stdout.endForGood(cause);
      s.stderr.endForGood(cause);
      ExitStatus status = s.told != null ? s.told : new ExitStatus.Unknown(cause);
      s.ended.complete(status);
    }
  }
}
