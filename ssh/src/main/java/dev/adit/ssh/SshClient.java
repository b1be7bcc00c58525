package dev.adit.ssh;

import dev.adit.ssh.crypto.CryptoProvider;
import dev.adit.ssh.forward.Sockets;
import io.netty.channel.EventLoopGroup;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes SSH connections; owns the event loops that they run on. Thread-safe.
 *
 * <pre>{@code
 * try (var client = SshClient.create();
 *     var bastion = client.connect(ConnectOptions.to("bastion.example.com").build());
 *     var db = bastion.forward(ForwardSpec.parseLocal("5432:db.internal:5432"))) {
 *   // talk to localhost:5432
 * }
 * }</pre>
 */
public final class SshClient implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(SshClient.class);

  private static final AtomicReference<@Nullable CompletableFuture<EventLoopGroup>> PREPARED =
      new AtomicReference<>();

  private final EventLoopGroup loops;

  private SshClient(EventLoopGroup loops) {
    this.loops = loops;
  }

  /**
   * Starts, on threads of its own, what the first connection of a process would otherwise wait for:
   * it loads native code, makes a first key and has an event loop ready for {@link #create()}.
   * Worth a call at the very start of a program that will connect, before it reads its options.
   * Returns at once.
   */
  public static void prepare() {
    Thread.ofPlatform().daemon().name("adit-prepare").start(SshClient::prepareKeys);
    var loop = new CompletableFuture<EventLoopGroup>();
    if (PREPARED.compareAndSet(null, loop)) {
      Thread.ofPlatform()
          .daemon()
          .name("adit-prepare-loop")
          .start(() -> loop.completeAsync(Sockets::triedLoop, Runnable::run));
    }
  }

  private static void prepareKeys() {
    try {
      CryptoProvider.prepare();
    } catch (RuntimeException | LinkageError e) {
      // Whoever needs it says so.
      log.debug("preparing a connection", e);
    }
  }

  /** A client with one event loop: all that one program's tunnels need. */
  public static SshClient create() {
    CompletableFuture<EventLoopGroup> prepared = PREPARED.getAndSet(null);
    return new SshClient(prepared == null ? Sockets.newLoops(1) : prepared.join());
  }

  /** A client whose connections are spread over several event loops. */
  public static SshClient create(int eventLoops) {
    return new SshClient(Sockets.newLoops(eventLoops));
  }

  /**
   * Connects and logs in. Blocks.
   *
   * @throws SshException naming what went wrong and who is to blame
   */
  public SshConnection connect(ConnectOptions options) throws SshException, InterruptedException {
    return SshConnection.connect(loops.next(), options);
  }

  /** Ends all connections and frees all ports. */
  @Override
  public void close() {
    loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
  }
}
