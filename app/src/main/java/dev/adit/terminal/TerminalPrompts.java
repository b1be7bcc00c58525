package dev.adit.terminal;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.adit.ssh.UserInteraction;
import dev.adit.ssh.session.Termios;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the user on the terminal, also when standard input is something else, or with the program of
 * SSH_ASKPASS where there is no terminal or SSH_ASKPASS_REQUIRE wants it. Thread-safe; one question
 * at a time.
 */
public final class TerminalPrompts implements UserInteraction {
  private static final Logger log = LoggerFactory.getLogger(TerminalPrompts.class);

  /** Longest answer in bytes, as OpenSSH has it; what is beyond is cut off. */
  private static final int MAX_ANSWER = 1024;

  private static final String DEFAULT_ASKPASS = "/usr/bin/ssh-askpass";

  /** How often a question looks whether it is still asked. */
  private static final int LOOK_MILLIS = 100;

  private final Map<String, String> environment;

  /**
   * @param environment has SSH_ASKPASS, SSH_ASKPASS_REQUIRE and DISPLAY
   */
  public TerminalPrompts(Map<String, String> environment) {
    this.environment = Map.copyOf(environment);
  }

  @Override
  public char @Nullable [] askSecret(String prompt) {
    return answer(prompt, false);
  }

  @Override
  public @Nullable String ask(String prompt) {
    char[] answer = answer(prompt, true);
    return answer == null ? null : new String(answer);
  }

  @Override
  public void show(String text) {
    System.err.print(text.replace("\n", "\r\n") + "\r\n");
    System.err.flush();
  }

  private synchronized char @Nullable [] answer(String prompt, boolean echo) {
    String require = environment.getOrDefault("SSH_ASKPASS_REQUIRE", "").toLowerCase(Locale.ROOT);
    boolean allowed =
        switch (require) {
          case "force" -> true;
          case "never" -> false;
          default -> !environment.getOrDefault("DISPLAY", "").isEmpty();
        };
    boolean preferred = require.equals("force") || require.equals("prefer");
    if (allowed && preferred) {
      return await(new AskPass(prompt));
    }
    int tty = Libc.open("/dev/tty");
    if (tty >= 0) {
      try {
        return await(new OnTerminal(tty, prompt, echo));
      } finally {
        Libc.close(tty);
      }
    }
    return allowed ? await(new AskPass(prompt)) : null;
  }

  /** A way to ask; runs on a thread of its own. */
  private interface Question {
    char @Nullable [] ask() throws IOException;

    /** Nobody waits for the answer any more: {@link #ask} returns soon. */
    void cancel();
  }

  /**
   * Asks on a platform thread, for waiting for a key would pin a virtual one to its carrier;
   * whoever waits here can be interrupted.
   */
  private static char @Nullable [] await(Question question) {
    var task = new FutureTask<char @Nullable []>(question::ask);
    Thread thread = Thread.ofPlatform().daemon().name("adit-prompt").start(task);
    try {
      return task.get();
    } catch (InterruptedException e) {
      question.cancel();
      joinUninterruptibly(thread);
      Thread.currentThread().interrupt();
      return null;
    } catch (ExecutionException e) {
      log.error("{}", String.valueOf(e.getCause()));
      return null;
    }
  }

  /** The terminal must be as it was before anyone goes on. */
  private static void joinUninterruptibly(Thread thread) {
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException _) {
        // Known already.
      }
    }
  }

  private static final class OnTerminal implements Question {
    private final int tty;
    private final String prompt;
    private final boolean echo;
    private volatile boolean cancelled;

    OnTerminal(int tty, String prompt, boolean echo) {
      this.tty = tty;
      this.prompt = prompt;
      this.echo = echo;
    }

    @Override
    public void cancel() {
      cancelled = true;
    }

    @Override
    public char @Nullable [] ask() {
      Tty.INPUT.lock();
      try {
        Termios now = Libc.termios(tty);
        if (now != null) {
          // A session may have the terminal in raw mode meanwhile.
          Termios cooked = Tty.cooked();
          Tty.remember(tty, now);
          Termios asking = (cooked == null ? now : cooked).echo(echo);
          Libc.setTermios(tty, Libc.TCSAFLUSH, asking);
        }
        Libc.write(tty, ("\r" + prompt).getBytes(UTF_8));
        char[] answer = readLine();
        if (!echo) {
          Libc.write(tty, new byte[] {'\r', '\n'});
        }
        return answer;
      } finally {
        Tty.restore(tty);
        Tty.INPUT.unlock();
      }
    }

    private char @Nullable [] readLine() {
      byte[] line = new byte[MAX_ANSWER];
      int length = 0;
      while (!cancelled) {
        if (Libc.awaitReadable(LOOK_MILLIS, tty) == 0) {
          continue;
        }
        int b = Libc.read(tty);
        if (b == '\n' || b == '\r' || (b < 0 && length > 0)) {
          return decode(line, length);
        }
        if (b < 0) {
          return null;
        }
        if (length < line.length) {
          line[length++] = (byte) b;
        }
      }
      Arrays.fill(line, (byte) 0);
      return null;
    }
  }

  /** As characters; what held them is wiped. */
  private static char[] decode(byte[] bytes, int length) {
    CharBuffer text = UTF_8.decode(ByteBuffer.wrap(bytes, 0, length));
    char[] answer = new char[text.remaining()];
    text.get(answer);
    Arrays.fill(text.array(), '\0');
    Arrays.fill(bytes, (byte) 0);
    return answer;
  }

  /** The program gets the prompt as its argument and answers with a line on its standard output. */
  private final class AskPass implements Question {
    private final String prompt;
    private volatile @Nullable Process process;
    private volatile boolean cancelled;

    AskPass(String prompt) {
      this.prompt = prompt;
    }

    @Override
    public void cancel() {
      cancelled = true;
      Process running = process;
      if (running != null) {
        running.destroy();
      }
    }

    @Override
    public char @Nullable [] ask() throws IOException {
      String program = environment.getOrDefault("SSH_ASKPASS", "");
      if (program.isEmpty()) {
        program = DEFAULT_ASKPASS;
      }
      Process running;
      try {
        running =
            new ProcessBuilder(program, prompt)
                .redirectInput(new File("/dev/null"))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
      } catch (IOException e) {
        throw new IOException("ssh_askpass: cannot run " + program + ": " + reason(e), e);
      }
      process = running;
      if (cancelled) {
        running.destroy();
      }
      byte[] answer = running.getInputStream().readNBytes(MAX_ANSWER);
      running.getInputStream().close();
      try {
        if (!running.waitFor(1, TimeUnit.MINUTES) || running.exitValue() != 0 || cancelled) {
          return null;
        }
      } catch (InterruptedException e) {
        return null;
      }
      int length = 0;
      while (length < answer.length && answer[length] != '\n' && answer[length] != '\r') {
        length++;
      }
      char[] line = decode(answer, length);
      Arrays.fill(answer, (byte) 0);
      return line;
    }

    private static String reason(IOException e) {
      String message = String.valueOf(e.getMessage());
      return message.substring(message.lastIndexOf(", ") + 1).strip();
    }
  }
}
