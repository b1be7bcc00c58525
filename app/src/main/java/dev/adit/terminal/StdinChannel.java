package dev.adit.terminal;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;

/**
 * Standard input that can be left alone: closing it wakes the reader without a byte being read, so
 * that what is typed after the end of a session is still there for the next program.
 */
public final class StdinChannel implements ReadableByteChannel {
  // Not closed: it is standard input.
  @SuppressWarnings("resource")
  private final FileChannel stdin = new FileInputStream(FileDescriptor.in).getChannel();

  private final int wakeReader;
  private final int wakeWriter;
  private volatile boolean open = true;

  public StdinChannel() {
    int[] pipe = Libc.pipe();
    wakeReader = pipe[0];
    wakeWriter = pipe[1];
  }

  /** As the interface has it; -1 also when it is closed meanwhile. */
  @Override
  public int read(ByteBuffer to) throws IOException {
    while (open) {
      if ((Libc.awaitReadable(-1, Libc.STDIN, wakeReader) & 1) == 0) {
        continue;
      }
      // While the user answers a question, the terminal's input isn't ours.
      Tty.INPUT.lock();
      try {
        if (open && (Libc.awaitReadable(0, Libc.STDIN) & 1) != 0) {
          return stdin.read(to);
        }
      } finally {
        Tty.INPUT.unlock();
      }
    }
    return -1;
  }

  @Override
  public boolean isOpen() {
    return open;
  }

  /** Ends a read that waits. Standard input itself stays open. */
  @Override
  public void close() {
    open = false;
    // The pipe lives as long as the process: the reader may be about to look at it.
    Libc.write(wakeWriter, new byte[1]);
  }
}
