package dev.adit.ssh.forward;

import dev.adit.ssh.connection.Connection;
import dev.adit.ssh.transport.SocketErrors;
import io.netty.channel.ChannelFuture;
import io.netty.channel.socket.DuplexChannel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.CompletableFuture;

/**
 * The server's side of agent forwarding: a Unix socket whose connections are channels to the
 * client's agent, for the programs of this connection's sessions. Only the account that runs the
 * server gets at it: the socket is its own, and so is the folder around it.
 */
public final class AgentListener {
  private static final String CHANNEL_TYPE = "auth-agent@openssh.com";

  /** Permission bits that the socket must not have. */
  private static final int SOCKET_MASK = 0177;

  private AgentListener() {}

  /**
   * Listens until the connection ends. On the event loop.
   *
   * @return the socket, for SSH_AUTH_SOCK; it and its folder are removed with the connection
   */
  public static CompletableFuture<Path> on(Connection connection) {
    CompletableFuture<Path> listening = new CompletableFuture<>();
    Thread.ofVirtual().name("adit-agent").start(() -> listen(connection, listening));
    return listening;
  }

  private static void listen(Connection connection, CompletableFuture<Path> listening) {
    Path folder;
    try {
      var owner = PosixFilePermissions.fromString("rwx------");
      folder =
          Files.createTempDirectory("adit-agent-", PosixFilePermissions.asFileAttribute(owner));
    } catch (IOException e) {
      listening.completeExceptionally(e);
      return;
    }
    Path socket = folder.resolve("agent");
    Sockets.listenUnix(
            connection.eventLoop(),
            socket.toString(),
            SOCKET_MASK,
            program -> relay(connection, program))
        .addListener(
            (ChannelFuture bound) -> {
              if (bound.isSuccess()) {
                bound.channel().config().setAutoRead(true);
                var _ =
                    connection
                        .closed()
                        .thenRun(
                            () -> bound.channel().close().addListener(_ -> remove(folder, socket)));
                listening.complete(socket);
              } else {
                remove(folder, socket);
                listening.completeExceptionally(
                    new IOException(socket + ": " + SocketErrors.plain(bound.cause())));
              }
            });
  }

  private static void relay(Connection connection, DuplexChannel program) {
    connection.open(CHANNEL_TYPE, new byte[0], new Relay(program), "the client's agent");
  }

  /** Off the event loop, since a disk may be slow. */
  private static void remove(Path folder, Path socket) {
    Thread.ofVirtual()
        .name("adit-agent")
        .start(
            () -> {
              try {
                Files.deleteIfExists(socket);
                Files.deleteIfExists(folder);
              } catch (IOException _) {
                // It stays behind, and nobody listens there.
              }
            });
  }
}
