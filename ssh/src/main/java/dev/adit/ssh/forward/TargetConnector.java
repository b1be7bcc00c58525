package dev.adit.ssh.forward;

import dev.adit.ssh.Target;
import dev.adit.ssh.transport.HostNames;
import dev.adit.ssh.transport.SocketErrors;
import io.netty.channel.ChannelFuture;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.DuplexChannel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Connects to where a remote forwarding leads, at the moment when somebody comes through it. */
final class TargetConnector {

  private TargetConnector() {}

  /**
   * Connects, trying all addresses of a name in turn.
   *
   * @param loop where the socket is to live; to be called on it
   * @return completes on the loop; fails with an {@link IOException} whose message says why, in the
   *     system's words
   */
  static CompletableFuture<DuplexChannel> connect(EventLoop loop, Target target) {
    CompletableFuture<DuplexChannel> result = new CompletableFuture<>();
    switch (target) {
      case Target.Unix to ->
          Sockets.connectUnix(loop, to.path())
              .addListener(
                  (ChannelFuture done) -> {
                    if (done.isSuccess()) {
                      if (!result.complete((DuplexChannel) done.channel())) {
                        done.channel().close();
                      }
                    } else {
                      result.completeExceptionally(
                          new IOException(SocketErrors.plain(done.cause()), done.cause()));
                    }
                  });
      case Target.Tcp to ->
          HostNames.lookUp(to.host(), ForwardingLimits.RESOLVER_PATIENCE)
              .whenCompleteAsync(
                  (addresses, failure) -> {
                    if (failure == null) {
                      connectOneOf(
                          loop, addresses, to.port(), ForwardingLimits.CONNECT_PATIENCE, result);
                    } else {
                      result.completeExceptionally(
                          new IOException("unknown host (" + failure.getMessage() + ")", failure));
                    }
                  },
                  loop);
    }
    return result;
  }

  /**
   * Tries the addresses one after the other.
   *
   * @param patience for each of them
   * @param result completes on the loop; whoever completes it before ends the attempt
   */
  static void connectOneOf(
      EventLoop loop,
      List<InetAddress> addresses,
      int port,
      Duration patience,
      CompletableFuture<DuplexChannel> result) {
    ChannelFuture attempt =
        Sockets.connect(loop, new InetSocketAddress(addresses.getFirst(), port), patience);
    result.whenComplete(
        (_, _) -> {
          if (!attempt.isDone()) {
            attempt.channel().close();
          }
        });
    attempt.addListener(
        (ChannelFuture done) -> {
          if (done.isSuccess()) {
            if (!result.complete((DuplexChannel) done.channel())) {
              done.channel().close();
            }
          } else if (addresses.size() > 1 && !result.isDone()) {
            connectOneOf(loop, addresses.subList(1, addresses.size()), port, patience, result);
          } else {
            result.completeExceptionally(
                new IOException(SocketErrors.plain(done.cause()), done.cause()));
          }
        });
  }
}
