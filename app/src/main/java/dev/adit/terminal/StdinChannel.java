package dev.adit.terminal;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;

/**
 * Standard input that can be left alone where it is a terminal: closing it wakes the reader without
 * a byte being read, so that what is typed after the end of a session is still there for the next
 * program. Files and pipes are just read.
 */
public final class StdinChannel implements ReadableByteChannel {
  // Not closed: it is standard input.
  @SuppressWarnings("resource")
  private final FileChannel stdin = new FileInputStream(FileDescriptor.in).getChannel();

  /** Its two ends, or empty where standard input is no terminal. Lives as long as the process. */
  private final int[] wake = Tty.isStdin() ? Libc.pipe() : new int[0];

  private volatile boolean open = true;

  /** As the interface has it; -1 also when this is closed meanwhile. */
  @Override
  public int read(ByteBuffer to) throws IOException {
    if (wake.length == 0) {
      return open ? stdin.read(to) : -1;
    }
    while (open) {
      if ((Libc.awaitReadable(-1, Libc.STDIN, wake[0]) & 1) == 0) {
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

  /** Ends a read that waits for a key. Standard input itself stays open. */
  @Override
  public void close() {
    open = false;
    if (wake.length > 0) {
      Libc.write(wake[1], new byte[1]);
    }
  }
}
