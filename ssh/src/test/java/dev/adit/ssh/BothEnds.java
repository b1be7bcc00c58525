package dev.adit.ssh;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/**
 * A server and a client of adit's, so that one script can be played against each. Both know {@link
 * Miners}, and renew the keys where {@link RudePeer.State} says so. Scripts may be played at the
 * same time.
 */
final class BothEnds implements AutoCloseable {
  private static final int PATIENCE_SECONDS = 60;

  /** The client knows what it is asked. */
  private static final UserInteraction ANSWERS =
      new UserInteraction() {
        @Override
        public List<String> answer(List<Question> questions) {
          return questions.stream().map(_ -> "1").toList();
        }
      };

  private final SshServer server;
  private final SshClient client = SshClient.create(2);
  private final UnaryOperator<ConnectOptions.Builder> connecting;

  /** By the port of the server's client. */
  private final Map<Integer, CompletableFuture<SshException>> ends = new ConcurrentHashMap<>();

  private final List<String> refusals = new CopyOnWriteArrayList<>();

  BothEnds() throws IOException {
    this(o -> o, o -> o);
  }

  BothEnds(
      UnaryOperator<ServerOptions.Builder> serving,
      UnaryOperator<ConnectOptions.Builder> connecting)
      throws IOException {
    this.connecting = connecting;
    server =
        SshServer.start(
            serving
                .apply(
                    ServerOptions.with(new Miners())
                        .hostKey(HostKey.generate())
                        .clientAlive(Duration.ZERO, 0)
                        .rekeyLimit(RudePeer.REKEY_BYTES, Duration.ZERO)
                        .events(this::heard))
                .build());
  }

  private void heard(ServerEvent event) {
    if (event instanceof ServerEvent.LoginFailed failed) {
      refusals.add(failed.why());
    }
    if (event instanceof ServerEvent.Disconnected d) {
      end(Objects.requireNonNull(d.peer().remote())).complete(d.cause());
    }
  }

  private CompletableFuture<SshException> end(InetSocketAddress peer) {
    return ends.computeIfAbsent(peer.getPort(), _ -> new CompletableFuture<>());
  }

  /** Why the server has refused to let somebody in. */
  List<String> refusals() {
    return refusals;
  }

  SshServer server() {
    return server;
  }

  /** Plays the script against one end, and returns how it tells the connection's end. */
  SshException play(boolean againstServer, RudePeer.Script script) throws Exception {
    return againstServer ? againstServer(script) : againstClient(script);
  }

  private SshException againstServer(RudePeer.Script script) throws Exception {
    try (var peer = RudePeer.connectTo(server.port())) {
      InetSocketAddress from = peer.localAddress();
      var end = end(from);
      try {
        script.run(peer);
        peer.close();
        return end.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
      } finally {
        // The port may come again.
        ends.remove(from.getPort());
      }
    }
  }

  private SshException againstClient(RudePeer.Script script) throws Exception {
    try (var peer = RudePeer.start(script)) {
      SshException end;
      try (var connection = client.connect(options(peer))) {
        peer.join();
        peer.close();
        end = connection.closed().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
      } catch (SshException e) {
        end = e;
      }
      peer.join();
      return end;
    }
  }

  private ConnectOptions options(RudePeer peer) {
    return connecting
        .apply(
            ConnectOptions.to("127.0.0.1")
                .port(peer.port())
                .user(Miners.USER)
                .hostKeyPolicy(HostKeyPolicy.acceptAnyInsecurely())
                .interaction(ANSWERS)
                .serverAlive(Duration.ZERO, 0)
                .rekeyLimit(RudePeer.REKEY_BYTES, Duration.ZERO))
        .build();
  }

  @Override
  public void close() {
    server.close();
    client.close();
  }
}
