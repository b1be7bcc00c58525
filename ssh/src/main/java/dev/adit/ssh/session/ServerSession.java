package dev.adit.ssh.session;

import dev.adit.ssh.AccessPolicy;
import dev.adit.ssh.Decision;
import dev.adit.ssh.ExitStatus;
import dev.adit.ssh.Launch;
import dev.adit.ssh.PtyOptions;
import dev.adit.ssh.SessionRequest;
import dev.adit.ssh.SshException;
import dev.adit.ssh.TerminalMode;
import dev.adit.ssh.TunnelEvent;
import dev.adit.ssh.connection.ChannelHandler;
import dev.adit.ssh.connection.IncomingOpen;
import dev.adit.ssh.connection.SshChannel;
import dev.adit.ssh.transport.Buffers;
import dev.adit.ssh.transport.Text;
import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.WireReader;
import dev.adit.ssh.wire.WireWriter;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The server's end of a session channel (RFC 4254 section 6): a program, and what goes between its
 * standard streams and the channel. Confined to the event loop, on which the pipes or the terminal
 * are watched too: no thread waits for them.
 *
 * <p>As in {@code Relay}, nothing is read from the program unless the channel can send it, and
 * window goes back to the client only when the program's standard input has taken the bytes.
 */
final class ServerSession implements ChannelHandler {

  /** SSH_EXTENDED_DATA_STDERR (RFC 4254 section 5.2). */
  private static final int STDERR = 1;

  private static final int STDOUT = 0;

  /** Ends the encoded terminal modes; from 160 on their values' length isn't known (section 8). */
  private static final int TTY_OP_END = 0;

  private static final int FIRST_UNKNOWN_TTY_OP = 160;

  private final AccessPolicy policy;
  private final Supplier<CompletableFuture<Path>> agentSocket;
  private final Runnable onClosed;
  private @Nullable SshChannel opened;

  // What the client has asked for before the start.
  private final Map<String, String> variables = new LinkedHashMap<>();
  private int variableBytes;
  private @Nullable PtyOptions ptyOptions;
  private @Nullable Pty pty;
  private boolean lendsAgent;
  private boolean started;
  private boolean starting;
  private boolean refusedOnce;

  // What runs.
  private @Nullable ChildProcess process;
  private @Nullable Descriptor stdin;
  private @Nullable Descriptor stdout;
  private @Nullable Descriptor stderr;
  private boolean stdoutEnded;
  private boolean stderrEnded;
  private boolean ended;
  private boolean closed;

  // What waits for the program's standard input.
  private final Deque<ByteBuf> waiting = new ArrayDeque<>();
  private @Nullable ByteBuf gathering;
  private int waitingBytes;
  private boolean eofReceived;
  private boolean stdinBroken;

  /**
   * @param agentSocket the socket of the client's agent
   * @param onClosed hears of the channel's end
   */
  ServerSession(
      AccessPolicy policy, Supplier<CompletableFuture<Path>> agentSocket, Runnable onClosed) {
    this.policy = policy;
    this.agentSocket = agentSocket;
    this.onClosed = onClosed;
  }

  void accept(IncomingOpen asked) {
    opened = asked.accept(this, "session");
  }

  private SshChannel channel() {
    if (opened == null) {
      throw new IllegalStateException("the channel is not open yet");
    }
    return opened;
  }

  private EventLoop loop() {
    return channel().connection().eventLoop();
  }

  private void emit(TunnelEvent event) {
    channel().connection().emit(event);
  }

  // ---- Requests -------------------------------------------------------------------------------

  @Override
  public boolean request(SshChannel channel, String name, WireReader fields)
      throws MalformedDataException {
    return switch (name) {
      case "env" -> env(fields);
      case "pty-req" -> ptyReq(fields);
      case "auth-agent-req@openssh.com" -> agentReq();
      case "shell" -> launch(SessionRequest.Kind.SHELL, new byte[0]);
      case "exec" -> launch(SessionRequest.Kind.EXEC, fields.readString());
      case "subsystem" -> launch(SessionRequest.Kind.SUBSYSTEM, fields.readString());
      case "window-change" -> windowChange(fields);
      case "signal" -> process != null && process.signal(fields.readText());
      case "break" -> pty != null && pty.sendBreak();
      case "eow@openssh.com" -> endOfWrite();
      default -> false;
    };
  }

  private boolean env(WireReader fields) throws MalformedDataException {
    byte[] name = fields.readString();
    byte[] value = fields.readString();
    String key = UnixText.decode(name);
    if (started
        || key.isEmpty()
        || key.indexOf('=') >= 0
        || hasNul(name)
        || hasNul(value)
        || !policy.acceptsVariable(key)
        || variables.size() >= SessionLimits.MAX_VARIABLES
        || variableBytes + name.length + value.length > SessionLimits.MAX_VARIABLE_BYTES) {
      return false;
    }
    variableBytes += name.length + value.length;
    variables.put(key, UnixText.decode(value));
    return true;
  }

  private static boolean hasNul(byte[] bytes) {
    for (byte b : bytes) {
      if (b == 0) {
        return true;
      }
    }
    return false;
  }

  private boolean ptyReq(WireReader fields) throws MalformedDataException {
    byte[] term = fields.readString();
    int[] size = readSize(fields);
    Map<TerminalMode, Integer> modes = readModes(fields.readNested());
    if (started
        || pty != null
        || term.length > SessionLimits.MAX_TERM
        || hasNul(term)
        || !ChildProcess.isSupported(loop())) {
      return false;
    }
    PtyOptions asked =
        new PtyOptions(UnixText.decode(term), size[0], size[1], size[2], size[3], modes);
    switch (policy.terminal(asked)) {
      case Decision.Denied<PtyOptions>(String why) -> {
        notice("terminal refused: " + why);
        return false;
      }
      case Decision.Allowed<PtyOptions>(PtyOptions granted) -> {
        try {
          pty = Pty.open(granted);
          ptyOptions = granted;
          return true;
        } catch (Posix.Failure e) {
          notice("no pseudo-terminal: " + e.getMessage());
          return false;
        }
      }
    }
  }

  /** Columns, rows, width and height in pixels. */
  private static int[] readSize(WireReader fields) throws MalformedDataException {
    int[] size = new int[4];
    for (int i = 0; i < size.length; i++) {
      size[i] = (int) Math.min(fields.readUint32(), SessionLimits.MAX_WINDOW_SIZE);
    }
    return size;
  }

  /** RFC 4254 section 8. */
  private static Map<TerminalMode, Integer> readModes(WireReader in) throws MalformedDataException {
    Map<TerminalMode, Integer> modes = new EnumMap<>(TerminalMode.class);
    while (in.remaining() > 0) {
      int opcode = in.readByte();
      if (opcode == TTY_OP_END || opcode >= FIRST_UNKNOWN_TTY_OP) {
        break;
      }
      int value = (int) in.readUint32();
      for (TerminalMode mode : TerminalMode.values()) {
        if (mode.opcode() == opcode) {
          modes.put(mode, value);
        }
      }
    }
    return modes;
  }

  private boolean windowChange(WireReader fields) throws MalformedDataException {
    int[] size = readSize(fields);
    if (pty == null) {
      return false;
    }
    pty.resize(size[0], size[1], size[2], size[3]);
    return true;
  }

  private boolean agentReq() {
    if (started || !policy.allowsAgentForwarding()) {
      return false;
    }
    lendsAgent = true;
    return true;
  }

  /** OpenSSH: the client reads no more, so the program shall hear of it (PROTOCOL section 2.1). */
  private boolean endOfWrite() {
    if (stdout == null) {
      return false;
    }
    if (pty == null) {
      stdout.close();
    } else {
      hangUp();
    }
    stdoutEnded = true;
    finishIfDone();
    return true;
  }

  private void notice(String what) {
    emit(new TunnelEvent.Notice("session " + channel().id() + ": " + Text.escape(what)));
  }

  // ---- The start ------------------------------------------------------------------------------

  private boolean launch(SessionRequest.Kind kind, byte[] command) {
    if (started || hasNul(command)) {
      return false;
    }
    SessionRequest request =
        new SessionRequest(kind, UnixText.decode(command), variables, ptyOptions);
    switch (policy.launch(request)) {
      case Decision.Denied<Launch>(String why) -> {
        refuse(why);
        return false;
      }
      case Decision.Allowed<Launch>(Launch launch) -> {
        if (!ChildProcess.isSupported(loop())) {
          refuse("sessions need a server on Linux with epoll and glibc 2.34");
          return false;
        }
        started = true;
        starting = true;
        channel().kind(kind(request));
        start(launch, describe(request));
        return true;
      }
    }
  }

  /**
   * As ChannelTimeout names it: by what the client asked for, whatever a forced command makes of
   * it.
   */
  private static String kind(SessionRequest request) {
    return switch (request.kind()) {
      case SHELL -> "session:shell";
      case EXEC -> "session:command";
      case SUBSYSTEM -> "session:subsystem:" + request.command();
    };
  }

  private String describe(SessionRequest request) {
    String where = pty == null ? "" : " on " + pty.path();
    return switch (request.kind()) {
      case SHELL -> "shell" + where;
      case EXEC -> "command" + where + ": " + Text.escape(request.command());
      case SUBSYSTEM -> "subsystem" + where + ": " + Text.escape(request.command());
    };
  }

  /** Once: a client that goes on asking gets no second line to fill its window with. */
  private void refuse(String why) {
    if (!refusedOnce) {
      refusedOnce = true;
      notice("refused: " + why);
      SshChannel channel = channel();
      channel.holdReplies();
      say("session refused: " + Text.escape(why) + "\n");
      loop().schedule(channel::releaseReplies, SessionLimits.REFUSAL_DELAY, TimeUnit.MILLISECONDS);
    }
  }

  /** A line of our own on standard error. */
  private void say(String text) {
    String lines = pty == null ? text : text.replace("\n", "\r\n");
    byte[] bytes = UnixText.encode(lines);
    if (bytes.length > 0) {
      channel().writeExtended(STDERR, SshChannel.allocate(bytes.length).writeBytes(bytes));
    }
  }

  private void start(Launch launch, String what) {
    Map<String, String> additions = new LinkedHashMap<>();
    Pty terminal = pty;
    if (terminal != null && ptyOptions != null) {
      additions.put("TERM", ptyOptions.term());
      additions.put("SSH_TTY", terminal.path());
    }
    CompletableFuture<String> agent =
        lendsAgent
            ? agentSocket
                .get()
                .handle(
                    (socket, failure) -> {
                      if (failure == null) {
                        additions.put("SSH_AUTH_SOCK", socket.toString());
                        return "";
                      }
                      return "agent forwarding failed: " + failure.getMessage() + "\n";
                    })
            : CompletableFuture.completedFuture("");
    agent
        .thenAcceptAsync(
            note -> {
              try {
                var running = ChildProcess.start(launch, additions, terminal);
                onLoop(() -> running(running, note, what), running::abandon);
              } catch (ChildProcess.NotStarted e) {
                onLoop(() -> notStarted(e), () -> {});
              }
            },
            ChildProcess.STARTERS)
        .exceptionally(
            e -> {
              onLoop(() -> failed(e), () -> {});
              return null;
            });
  }

  private void onLoop(Runnable task, Runnable otherwise) {
    try {
      loop().execute(task);
    } catch (RejectedExecutionException _) {
      otherwise.run();
    }
  }

  private void running(ChildProcess.Started running, String note, String what) {
    starting = false;
    process = ChildProcess.watch(loop(), running, this::processEnded);
    if (closed) {
      process.hangUp();
      running.closeStreams();
      closePty();
      return;
    }
    emit(new TunnelEvent.SessionStarted(channel().id(), what));
    say(note + running.note());
    if (pty != null) {
      pty.closeSlave();
      stdout = watched(pty.takeMaster(), this::terminalChanged);
      stdin = stdout;
      stderrEnded = true;
    } else {
      stdin = watched(running.stdin(), this::flushStdin);
      stdout = watched(running.stdout(), () -> pump(STDOUT));
      stderr = watched(running.stderr(), () -> pump(STDERR));
    }
    flushStdin();
  }

  private Descriptor watched(int file, Runnable changed) {
    var descriptor = new Descriptor(file, changed);
    descriptor.watch(loop());
    return descriptor;
  }

  private void notStarted(ChildProcess.NotStarted why) {
    end(Text.escape(String.valueOf(why.getMessage())), why.status());
  }

  private void failed(Throwable why) {
    Throwable cause =
        why instanceof CompletionException && why.getCause() != null ? why.getCause() : why;
    end("internal error: " + cause, 255);
  }

  /** There is no program: the client hears why, and a status. */
  private void end(String why, int status) {
    starting = false;
    closePty();
    if (closed) {
      return;
    }
    notice(why);
    say(why + "\n");
    stdoutEnded = true;
    stderrEnded = true;
    processEnded(new ExitStatus.Exited(status));
  }

  // ---- From the program to the channel --------------------------------------------------------

  private void terminalChanged() {
    flushStdin();
    pump(STDOUT);
  }

  @Override
  public void sendable(SshChannel channel) {
    pump(STDOUT);
    pump(STDERR);
  }

  /** Sends what the program has written, as far as window and turns go. */
  private void pump(int stream) {
    Descriptor from = stream == STDOUT ? stdout : stderr;
    boolean over = stream == STDOUT ? stdoutEnded : stderrEnded;
    if (from == null || over || closed) {
      return;
    }
    SshChannel to = channel();
    for (int burst = 0; burst < SessionLimits.READ_BURST; ) {
      int room = Math.min(to.sendable(), to.maxPacket());
      if (room <= 0) {
        break;
      }
      ByteBuf data = SshChannel.allocate(room);
      int n = from.read(data);
      if (n <= 0) {
        data.release();
        // With the shell gone, a terminal is over once it is drained: what still runs in the
        // background has it open, and nobody waits for that. A pipe is waited for.
        if (n < 0 || (pty != null && ended)) {
          outputEnded(stream);
        }
        return;
      }
      burst += n;
      if (stream == STDOUT) {
        to.write(data);
      } else {
        to.writeExtended(STDERR, data);
      }
    }
    to.awaitTurn();
  }

  private void outputEnded(int stream) {
    if (stream == STDOUT) {
      stdoutEnded = true;
      if (pty == null && stdout != null) {
        stdout.close();
      }
    } else {
      stderrEnded = true;
      if (stderr != null) {
        stderr.close();
      }
    }
    finishIfDone();
  }

  private void processEnded(ExitStatus how) {
    ended = true;
    if (closed) {
      return;
    }
    emit(new TunnelEvent.SessionEnded(channel().id(), how));
    switch (how) {
      case ExitStatus.Exited(int code) ->
          channel().notify("exit-status", WireWriter.create().writeUint32(code).toBytes());
      case ExitStatus.Signaled(String name, boolean coreDumped, String message) ->
          channel()
              .notify(
                  "exit-signal",
                  WireWriter.create()
                      .writeString(name)
                      .writeBoolean(coreDumped)
                      .writeString(message)
                      .writeString("")
                      .toBytes());
      case ExitStatus.Unknown _ -> {}
    }
    breakStdin();
    pump(STDOUT);
    pump(STDERR);
    finishIfDone();
  }

  /**
   * The end of file waits for the process's end: a client that has ended its side too closes the
   * channel at it, and then there is no way any more to tell it the exit status.
   */
  private void finishIfDone() {
    if (ended && stdoutEnded && stderrEnded && !closed) {
      channel().eof();
      channel().close();
    }
  }

  // ---- From the channel to the program --------------------------------------------------------

  @Override
  public void data(SshChannel channel, ByteBuf data) {
    if (stdin != null && waiting.isEmpty() && !stdinBroken) {
      int n = stdin.write(data);
      if (n < 0) {
        breakStdin();
      } else if (n > 0) {
        channel.consumed(n);
      }
    }
    if (stdinBroken) {
      channel.consumed(data.readableBytes());
    } else if (data.isReadable()) {
      keep(data);
    }
  }

  private void keep(ByteBuf data) {
    int length = data.readableBytes();
    if (gathering != null && gathering.writableBytes() >= length) {
      gathering.writeBytes(data);
    } else if (length < SessionLimits.COPY_BELOW) {
      gathering =
          Buffers.ALLOCATOR
              .directBuffer(SessionLimits.COPY_BELOW, SessionLimits.COPY_BELOW)
              .writeBytes(data);
      waiting.add(gathering);
    } else {
      gathering = null;
      waiting.add(
          waitingBytes < SessionLimits.COPY_BEHIND
              ? data.retain()
              : Buffers.ALLOCATOR.directBuffer(length).writeBytes(data));
    }
    waitingBytes += length;
  }

  private void flushStdin() {
    Descriptor to = stdin;
    if (to == null || stdinBroken) {
      return;
    }
    int taken = 0;
    boolean gone = false;
    for (ByteBuf first; (first = waiting.peek()) != null; ) {
      int n = to.write(first);
      gone = n < 0;
      if (n <= 0) {
        break;
      }
      taken += n;
      if (!first.isReadable()) {
        if (first == gathering) {
          gathering = null;
        }
        waiting.remove().release();
      }
    }
    waitingBytes -= taken;
    if (taken > 0) {
      channel().consumed(taken);
    }
    if (gone) {
      breakStdin();
    } else if (waiting.isEmpty() && eofReceived && pty == null) {
      // A terminal has no half of its own to close: its user types the end.
      to.close();
    }
  }

  /** The program reads no more: what waits for it is void, and the client may stop sending. */
  private void breakStdin() {
    if (stdinBroken) {
      return;
    }
    stdinBroken = true;
    int dropped = dropWaiting();
    if (stdin != null && pty == null) {
      stdin.close();
    }
    if (dropped > 0) {
      channel().consumed(dropped);
    }
    if (!eofReceived) {
      channel().notify("eow@openssh.com", new byte[0]);
    }
  }

  private int dropWaiting() {
    int dropped = waitingBytes;
    waiting.forEach(ByteBuf::release);
    waiting.clear();
    gathering = null;
    waitingBytes = 0;
    return dropped;
  }

  @Override
  public void eof(SshChannel channel) {
    eofReceived = true;
    flushStdin();
  }

  // ---- The end --------------------------------------------------------------------------------

  @Override
  public void closed(SshChannel channel, @Nullable SshException cause) {
    closed = true;
    dropWaiting();
    hangUp();
    for (Descriptor file : new Descriptor[] {stdin, stdout, stderr}) {
      if (file != null) {
        file.close();
      }
    }
    onClosed.run();
  }

  /** Hangs up: the kernel tells those in the foreground of a terminal, we tell the others. */
  private void hangUp() {
    if (process != null) {
      process.hangUp();
    }
    if (!starting) {
      closePty();
    }
  }

  /** Not while a program is being started, which opens the terminal by its name. */
  private void closePty() {
    if (pty != null && stdout != null) {
      stdout.close();
      pty.hungUp();
    } else if (pty != null) {
      pty.close();
    }
  }
}
