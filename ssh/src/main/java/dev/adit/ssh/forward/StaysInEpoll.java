package dev.adit.ssh.forward;

import io.netty.channel.IoHandle;
import io.netty.channel.IoHandler;
import io.netty.channel.IoHandlerContext;
import io.netty.channel.IoOps;
import io.netty.channel.IoRegistration;
import io.netty.channel.epoll.EpollIoOps;

/**
 * Netty's epoll, but a socket of which nothing is wanted for a while stays in the epoll set.
 *
 * <p>Netty (seen in 4.2.18 to 4.2.20) takes such a socket out of the set and forgets that it did.
 * The next wish then fails with ENOENT, inside a write, and Netty shuts the output down: an
 * application that had ended its direction and read its answer slowly got the beginning of the
 * answer and a clean end. Edge-triggered, a wish for nothing can stay: it wakes the loop once for a
 * hang-up and not again and again.
 */
final class StaysInEpoll implements IoHandler {
  private final IoHandler epoll;

  StaysInEpoll(IoHandler epoll) {
    this.epoll = epoll;
  }

  @Override
  public IoRegistration register(IoHandle handle) throws Exception {
    return new Registration(epoll.register(handle));
  }

  private static final class Registration implements IoRegistration {
    private final IoRegistration registered;

    /** Whether it is in the set; before that, a wish for nothing adds nothing. */
    private boolean added;

    Registration(IoRegistration registered) {
      this.registered = registered;
    }

    @Override
    public long submit(IoOps ops) {
      boolean nothing = ops.equals(EpollIoOps.NONE);
      added = added || !nothing;
      return registered.submit(nothing && added ? EpollIoOps.EPOLLET : ops);
    }

    @Override
    public <T> T attachment() {
      return registered.attachment();
    }

    @Override
    public boolean isValid() {
      return registered.isValid();
    }

    @Override
    public boolean cancel() {
      return registered.cancel();
    }
  }

  @Override
  public void initialize() {
    epoll.initialize();
  }

  @Override
  public int run(IoHandlerContext context) {
    return epoll.run(context);
  }

  @Override
  public void prepareToDestroy() {
    epoll.prepareToDestroy();
  }

  @Override
  public void destroy() {
    epoll.destroy();
  }

  @Override
  public void wakeup() {
    epoll.wakeup();
  }

  @Override
  public boolean isCompatible(Class<? extends IoHandle> handleType) {
    return epoll.isCompatible(handleType);
  }
}
