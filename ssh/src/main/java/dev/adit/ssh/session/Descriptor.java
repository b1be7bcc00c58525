package dev.adit.ssh.session;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import io.netty.channel.IoEvent;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoRegistration;
import io.netty.channel.epoll.EpollIoHandle;
import io.netty.channel.epoll.EpollIoOps;
import io.netty.channel.unix.FileDescriptor;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Our end of a pipe, a terminal's master or a process, watched by the event loop of the session's
 * connection, where it is confined to. It is told once of each change (edge-triggered), so whoever
 * hears of one reads or writes until nothing goes any more.
 */
class Descriptor implements EpollIoHandle {
  private static final EpollIoOps EVERY_CHANGE =
      EpollIoOps.EPOLLIN.with(EpollIoOps.EPOLLOUT).with(EpollIoOps.EPOLLET);

  private final FileDescriptor file;
  private final Runnable changed;
  private @Nullable IoRegistration registration;
  private boolean closed;

  /**
   * @param fd owned from now on; reads and writes of it don't block
   * @param changed hears that something may be read or written, or that the other end is gone
   */
  Descriptor(int fd, Runnable changed) {
    this.file = new FileDescriptor(fd);
    this.changed = changed;
  }

  /** Whether this kind of loop can watch descriptors. */
  static boolean canBeWatchedBy(EventLoop loop) {
    return loop instanceof IoEventLoop io && io.isCompatible(EpollIoHandle.class);
  }

  void watch(EventLoop loop) {
    if (loop.isShuttingDown()) {
      // It may have closed what it watches already, and would leave this one open for ever.
      close();
      return;
    }
    ((IoEventLoop) loop)
        .register(this)
        .addListener(
            done -> {
              if (done.isSuccess()) {
                registration = (IoRegistration) done.getNow();
                if (closed) {
                  registration.cancel();
                } else {
                  registration.submit(EVERY_CHANGE);
                }
              } else {
                close();
              }
            });
  }

  @Override
  public FileDescriptor fd() {
    return file;
  }

  @Override
  public void handle(IoRegistration of, IoEvent event) {
    if (!closed) {
      changed.run();
    }
  }

  /**
   * Appends what there is.
   *
   * @return the number of bytes; 0 if there is nothing now; -1 at the end
   */
  int read(ByteBuf into) {
    if (closed) {
      return -1;
    }
    ByteBuffer room = into.internalNioBuffer(into.writerIndex(), into.writableBytes());
    try {
      int n = file.read(room, room.position(), room.limit());
      into.writerIndex(into.writerIndex() + Math.max(0, n));
      return n;
    } catch (IOException _) {
      // A terminal without a program is not at its end but in error (EIO).
      return -1;
    }
  }

  /**
   * Takes what it can from the buffer.
   *
   * @return the number of bytes; 0 if it is full now; -1 if nobody reads it any more
   */
  int write(ByteBuf from) {
    if (closed) {
      return -1;
    }
    ByteBuffer bytes = from.internalNioBuffer(from.readerIndex(), from.readableBytes());
    try {
      int n = file.write(bytes, bytes.position(), bytes.limit());
      from.skipBytes(n);
      return n;
    } catch (IOException _) {
      return -1;
    }
  }

  boolean isClosed() {
    return closed;
  }

  /** Idempotent. The event loop calls it too, when it ends itself. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    if (registration != null) {
      // Before its number may become another file's.
      registration.cancel();
    }
    try {
      file.close();
    } catch (IOException _) {
      // It is closed nevertheless.
    }
  }
}
