package dev.adit.interop;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/**
 * A program that a test runs: what it writes is kept, standard output and standard error apart, and
 * it ends with the test, children included.
 *
 * <pre>{@code
 * try (var curl = Program.of("curl", "-s", url).start()) {
 *   assertThat(curl.exitCode()).isZero();
 *   assertThat(curl.stdout()).contains("hello");
 * }
 * }</pre>
 */
final class Program {
  /** How long a test waits for a program to say or do what it must. */
  static final Duration PATIENCE = Duration.ofSeconds(30);

  private final List<String> command;
  private final Map<String, String> environment = new TreeMap<>();
  private Path directory = Path.of("/");
  private ProcessBuilder.Redirect stdin = ProcessBuilder.Redirect.PIPE;

  private Program(List<String> command) {
    this.command = command;
    // Nothing of the developer's own surroundings (agent, locale, proxies) gets into a test.
    environment.put("PATH", System.getenv("PATH") + ":/usr/local/sbin:/usr/sbin:/sbin");
    environment.put("LC_ALL", "C.UTF-8");
    environment.put("TERM", "xterm");
  }

  static Program of(Object... command) {
    return new Program(new ArrayList<>(Arrays.stream(command).map(Object::toString).toList()));
  }

  Program arguments(Object... more) {
    for (Object argument : more) {
      command.add(argument.toString());
    }
    return this;
  }

  Program env(String name, Object value) {
    environment.put(name, value.toString());
    return this;
  }

  Program directory(Path directory) {
    this.directory = directory;
    return this;
  }

  Program stdin(Path file) {
    stdin = ProcessBuilder.Redirect.from(file.toFile());
    return this;
  }

  Program noStdin() {
    return stdin(Path.of("/dev/null"));
  }

  Running start() {
    var builder = new ProcessBuilder(command).directory(directory.toFile()).redirectInput(stdin);
    builder.environment().clear();
    builder.environment().putAll(environment);
    try {
      return new Running(command, builder.start());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Runs it to its end, which must be exit status 0; returns its standard output. */
  String run() {
    try (Running running = noStdin().start()) {
      if (running.exitCode() != 0) {
        throw new AssertionError("exit status " + running.exitCode() + " of " + running);
      }
      return running.stdout();
    }
  }

  /** A started program. */
  static final class Running implements AutoCloseable {
    private final List<String> command;
    private final Process process;
    private final Capture stdout;
    private final Capture stderr;

    private Running(List<String> command, Process process) {
      this.command = command;
      this.process = process;
      this.stdout = new Capture(process.getInputStream());
      this.stderr = new Capture(process.getErrorStream());
    }

    long pid() {
      return process.pid();
    }

    boolean isAlive() {
      return process.isAlive();
    }

    /** What the program reads; close it for an end of file. */
    OutputStream stdin() {
      return process.getOutputStream();
    }

    /** Writes to the program's standard input and leaves it open. */
    void type(String text) {
      try {
        stdin().write(text.getBytes(UTF_8));
        stdin().flush();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /** What has come on standard output so far; all of it once {@link #exitCode} has returned. */
    String stdout() {
      return new String(stdout.bytes(), UTF_8);
    }

    String stderr() {
      return new String(stderr.bytes(), UTF_8);
    }

    byte[] stdoutBytes() {
      return stdout.bytes();
    }

    /** Waits until standard error holds a match; fails when the program ends without one. */
    Running awaitStderr(String regex) {
      stderr.await(regex, this);
      return this;
    }

    Running awaitStdout(String regex) {
      stdout.await(regex, this);
      return this;
    }

    /** Waits until a match stands on standard error or the program listens on the port. */
    Running awaitListening(int port) {
      Ports.await(
          "port " + port + " to be opened by " + this,
          () -> {
            if (!isAlive()) {
              throw new AssertionError("ended before it listened on port " + port + ": " + this);
            }
            return Ports.accepts(port);
          });
      return this;
    }

    /** Waits for the end of the program and of its output. */
    int exitCode() {
      return exitCode(PATIENCE);
    }

    /** The same for a program that takes long by its nature. */
    int exitCode(Duration patience) {
      try {
        if (!process.waitFor(patience.toSeconds(), TimeUnit.SECONDS)) {
          throw new AssertionError("still running after " + patience + ": " + this);
        }
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
      stdout.awaitEnd();
      stderr.awaitEnd();
      return process.exitValue();
    }

    /** Sends a signal by its name without SIG: {@code signal("TERM")}. */
    void signal(String name) {
      Program.of("kill", "-" + name, pid()).run();
    }

    /** The program's resident memory in bytes. Linux only. */
    long residentBytes() {
      return residentBytes(pid());
    }

    static long residentBytes(long pid) {
      try {
        for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
          if (line.startsWith("VmRSS:")) {
            return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
          }
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      throw new AssertionError("process " + pid + " has no memory any more");
    }

    /** Kills it and its children, if they still run. */
    @Override
    public void close() {
      List<ProcessHandle> descendants = process.descendants().toList();
      process.destroyForcibly();
      descendants.forEach(ProcessHandle::destroyForcibly);
      process.onExit().join();
    }

    @Override
    public String toString() {
      return "%s%nstdout: %s%nstderr: %s".formatted(command, stdout(), stderr());
    }
  }

  /** Reads one stream to its end on a thread of its own. */
  private static final class Capture {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private boolean ended;

    Capture(InputStream stream) {
      // A read of a pipe holds a virtual thread's carrier; two would starve a server in this JVM.
      Thread.ofPlatform().daemon().start(() -> read(stream));
    }

    private void read(InputStream stream) {
      byte[] buffer = new byte[8192];
      try (stream) {
        for (int n = stream.read(buffer); n >= 0; n = stream.read(buffer)) {
          synchronized (this) {
            bytes.write(buffer, 0, n);
            notifyAll();
          }
        }
      } catch (IOException _) {
        // The program was killed.
      } finally {
        synchronized (this) {
          ended = true;
          notifyAll();
        }
      }
    }

    synchronized byte[] bytes() {
      return bytes.toByteArray();
    }

    void await(String regex, Running running) {
      var pattern = Pattern.compile(regex, Pattern.MULTILINE);
      long deadline = System.nanoTime() + PATIENCE.toNanos();
      synchronized (this) {
        while (!pattern.matcher(new String(bytes.toByteArray(), UTF_8)).find()) {
          if (ended || System.nanoTime() > deadline) {
            throw new AssertionError("\"" + regex + "\" did not come from " + running);
          }
          waitFor(1000);
        }
      }
    }

    /** A grandchild may hold the stream open for ever: then what is there has to do. */
    synchronized void awaitEnd() {
      long deadline = System.nanoTime() + Duration.ofSeconds(2).toNanos();
      while (!ended && System.nanoTime() < deadline) {
        waitFor(100);
      }
    }

    @SuppressWarnings("WaitNotInLoop") // Both callers loop.
    private synchronized void waitFor(long millis) {
      try {
        wait(millis);
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
  }
}
