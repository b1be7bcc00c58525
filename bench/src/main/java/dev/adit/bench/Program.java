package dev.adit.bench;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** A process of the benchmark's, with what it costs. Closing it ends it and its children. */
final class Program implements AutoCloseable {
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20);
  private static final long LOOK_AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  private final Path log;
  private final long startedNanos = System.nanoTime();
  private final Process process;

  /**
   * Starts it, with nothing on its standard input.
   *
   * @param log gets what it says, behind what is there
   */
  Program(List<String> command, Path log) throws IOException {
    this(
        command,
        log,
        ProcessBuilder.Redirect.from(new File("/dev/null")),
        ProcessBuilder.Redirect.appendTo(log.toFile()));
  }

  private Program(
      List<String> command, Path log, ProcessBuilder.Redirect in, ProcessBuilder.Redirect out)
      throws IOException {
    this.log = log;
    process =
        new ProcessBuilder(command)
            .redirectInput(in)
            .redirectOutput(out)
            .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start();
  }

  /** Starts one that is talked to. */
  static Program talking(List<String> command, Path log) throws IOException {
    return new Program(command, log, ProcessBuilder.Redirect.PIPE, ProcessBuilder.Redirect.PIPE);
  }

  /** Says a line to one that is {@link #talking}, and waits for its answer. */
  String ask(String line) throws IOException {
    OutputStream in = process.getOutputStream();
    in.write((line + "\n").getBytes(US_ASCII));
    in.flush();
    String answer = process.inputReader().readLine();
    if (answer == null) {
      throw failure("no answer from");
    }
    return answer;
  }

  /** Waits until it listens; milliseconds since its start. Looks each millisecond. */
  double awaitPort(int port) throws IOException {
    while (!isOpen(port)) {
      if (!process.isAlive() || System.nanoTime() - startedNanos > PATIENCE_NANOS) {
        close();
        throw failure("no port was opened by");
      }
      // Looking all the time would take a processor from the one that is watched.
      LockSupport.parkNanos(LOOK_AGAIN_NANOS);
      if (Thread.currentThread().isInterrupted()) {
        close();
        throw failure("given up while waiting for the port of");
      }
    }
    return (System.nanoTime() - startedNanos) / 1e6;
  }

  private static boolean isOpen(int port) {
    try {
      Load.connect(port).close();
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /** What has gone wrong, with the reason that is in its log. */
  IOException failure(String what) throws IOException {
    List<String> said = Files.readAllLines(log);
    // Of a Java program the first line of the stack trace, of others the last thing that they said.
    String reason =
        said.stream()
            .filter(line -> line.contains("Exception"))
            .findFirst()
            .orElse(said.isEmpty() ? "it said nothing" : said.getLast());
    String name = log.getFileName().toString().replace(".log", "");
    return new IOException(what + " " + name + ": " + reason);
  }

  long pid() {
    return process.pid();
  }

  /** User and system seconds until now, with those of its children. */
  double cpuSeconds() {
    return Proc.cpuSecondsOfTree(pid());
  }

  /** Of it and its children; what they share is counted for each. */
  double residentMegabytes() {
    return Proc.residentMegabytesOfTree(pid());
  }

  /** The same, but what processes share is divided among all that share it. */
  double proportionalMegabytes() {
    return Proc.proportionalMegabytesOfTree(pid());
  }

  @Override
  public void close() {
    process.descendants().forEach(ProcessHandle::destroy);
    process.destroy();
    boolean interrupted = Thread.interrupted();
    try {
      if (!process.waitFor(5, TimeUnit.SECONDS)) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      interrupted = true;
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
