package dev.adit.ssh.forward;

import dev.adit.ssh.SshException;
import dev.adit.ssh.connection.Connection;
import java.net.InetAddress;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The listeners of all connections of a server, for the client that comes back: its old connection
 * may be dead without the server knowing, and holds the port until the keepalives run out. Whoever
 * asks for a port that an older connection of the same user with the same key holds gets it, unless
 * the older one shows a sign of life within two seconds: two live clients never take it from each
 * other. Thread-safe.
 */
final class ListenerRegistry {

  private final Timer timer;
  private final Set<Holder> holders = new LinkedHashSet<>();

  ListenerRegistry(Timer timer) {
    this.timer = timer;
  }

  /**
   * Who may take a listener over.
   *
   * @param key fingerprint of the key that was proven; a certificate's changes when it is renewed,
   *     its key's doesn't
   */
  record Owner(String user, String key) {}

  /** Where somebody listens. */
  sealed interface Place {
    boolean overlaps(Place other);

    /**
     * @param port not 0
     */
    record Tcp(List<InetAddress> addresses, int port) implements Place {
      @Override
      public boolean overlaps(Place other) {
        return other instanceof Tcp tcp
            && tcp.port == port
            && addresses.stream().anyMatch(a -> tcp.addresses.stream().anyMatch(b -> meet(a, b)));
      }

      /** All interfaces of one family leave the other family alone. */
      private static boolean meet(InetAddress a, InetAddress b) {
        return a.equals(b)
            || (a.getClass() == b.getClass() && (a.isAnyLocalAddress() || b.isAnyLocalAddress()));
      }
    }

    record Unix(String path) implements Place {
      @Override
      public boolean overlaps(Place other) {
        return equals(other);
      }
    }
  }

  /** A listener that is up. */
  static final class Holder {
    private final Connection connection;
    private final @Nullable Owner owner;
    private final Place place;

    /** Completes when the port is free again. */
    final CompletableFuture<Void> released = new CompletableFuture<>();

    /**
     * @param owner null if nobody may take it over
     */
    Holder(Connection connection, @Nullable Owner owner, Place place) {
      this.connection = connection;
      this.owner = owner;
      this.place = place;
    }
  }

  synchronized void add(Holder holder) {
    holders.add(holder);
  }

  synchronized void remove(Holder holder) {
    holders.remove(holder);
  }

  private synchronized List<Holder> inTheWay(Place place, Connection of) {
    return holders.stream().filter(h -> h.connection != of && h.place.overlaps(place)).toList();
  }

  /**
   * Sees to it that no dead connection of the same owner holds this place, and that nobody else of
   * this server does.
   *
   * @param connection whose client wants it
   * @param owner null if it may take nothing over
   * @return completes on the event loop of that connection; fails with {@link
   *     SshException.ForwardRefused} if there is a holder who keeps it
   */
  CompletableFuture<Void> makeRoom(Place place, @Nullable Owner owner, Connection connection) {
    CompletableFuture<Void> result = new CompletableFuture<>();
    makeRoom(inTheWay(place, connection).iterator(), owner, connection, result);
    return result;
  }

  private void makeRoom(
      Iterator<Holder> left,
      @Nullable Owner owner,
      Connection connection,
      CompletableFuture<Void> result) {
    if (!left.hasNext()) {
      result.complete(null);
      return;
    }
    Holder holder = left.next();
    if (owner == null || !owner.equals(holder.owner)) {
      result.completeExceptionally(new SshException.ForwardRefused("Address already in use", null));
      return;
    }
    CompletableFuture<Boolean> alive = new CompletableFuture<>();
    holder.connection.eventLoop().execute(() -> probe(holder, alive));
    var _ =
        alive.thenAcceptAsync(
            answered -> {
              if (answered) {
                result.completeExceptionally(
                    new SshException.ForwardRefused(
                        "another connection of the same user and key listens there, and it answers",
                        null));
              } else {
                holder.released.thenRunAsync(
                    () -> makeRoom(left, owner, connection, result), connection.eventLoop());
              }
            },
            connection.eventLoop());
  }

  /** On the loop of the holder's connection. */
  private void probe(Holder holder, CompletableFuture<Boolean> alive) {
    var _ =
        holder
            .connection
            .signOfLife()
            .whenComplete((_, failure) -> alive.complete(failure == null));
    if (alive.isDone()) {
      return;
    }
    timer.after(
        holder.connection.eventLoop(),
        ForwardingLimits.TAKEOVER_PATIENCE,
        () -> {
          if (alive.complete(false)) {
            holder.connection.fail(
                SshException.Disconnected.local(
                    "no answer within %d s while a new connection of the same user asks for its port"
                        .formatted(ForwardingLimits.TAKEOVER_PATIENCE.toSeconds())));
          }
        });
  }
}
