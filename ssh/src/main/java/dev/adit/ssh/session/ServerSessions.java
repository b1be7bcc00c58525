package dev.adit.ssh.session;

import dev.adit.ssh.AccessPolicy;
import dev.adit.ssh.SshException;
import dev.adit.ssh.connection.Connection;
import dev.adit.ssh.connection.IncomingOpen;
import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.OpenFailureReason;
import dev.adit.ssh.wire.WireReader;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** All sessions of one connection at a server. Confined to the event loop. */
public final class ServerSessions {
  private final Connection connection;
  private final AccessPolicy policy;
  private final Function<Connection, CompletableFuture<Path>> agents;
  private @Nullable CompletableFuture<Path> agentSocket;
  private int open;
  private boolean noMore;

  private ServerSessions(
      Connection connection,
      AccessPolicy policy,
      Function<Connection, CompletableFuture<Path>> agents) {
    this.connection = connection;
    this.policy = policy;
    this.agents = agents;
  }

  /**
   * Serves sessions. To be called while the connection is set up, before the peer can open any.
   *
   * @param policy says what may be started
   * @param agents makes the socket through which programs reach the client's agent until the
   *     connection ends; called at most once, on the event loop
   */
  public static void on(
      Connection connection,
      AccessPolicy policy,
      Function<Connection, CompletableFuture<Path>> agents) {
    var sessions = new ServerSessions(connection, policy, agents);
    connection.onOpen("session", sessions::open);
    connection.onGlobalRequest("no-more-sessions@openssh.com", _ -> sessions.noMore());
  }

  /** The client promises to open none, so that whoever takes it over can't (PROTOCOL, 2.2). */
  private CompletableFuture<byte[]> noMore() {
    noMore = true;
    return CompletableFuture.completedFuture(new byte[0]);
  }

  private void open(IncomingOpen asked, WireReader fields) throws MalformedDataException {
    fields.expectEnd("session");
    if (noMore) {
      // As OpenSSH: whoever asks is not the client that promised.
      connection.fail(new SshException.PeerMisbehaved("a session after no-more-sessions"));
    } else if (policy.maxSessions() == 0) {
      asked.refuse(
          OpenFailureReason.ADMINISTRATIVELY_PROHIBITED, "MaxSessions is 0: only forwarding here");
    } else if (open >= policy.maxSessions()) {
      asked.refuse(
          OpenFailureReason.RESOURCE_SHORTAGE,
          "MaxSessions is " + policy.maxSessions() + ", and as many are open");
    } else {
      open++;
      ServerSession session = new ServerSession(policy, this::agentSocket, () -> open--);
      session.accept(asked);
    }
  }

  /** Of the connection: programs of all its sessions reach the same agent. */
  private CompletableFuture<Path> agentSocket() {
    if (agentSocket == null) {
      agentSocket = agents.apply(connection);
    }
    return agentSocket;
  }
}
