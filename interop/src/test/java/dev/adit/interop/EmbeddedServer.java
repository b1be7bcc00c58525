package dev.adit.interop;

import dev.adit.ssh.AccessPolicy;
import dev.adit.ssh.Authenticator;
import dev.adit.ssh.Decision;
import dev.adit.ssh.HostKey;
import dev.adit.ssh.Listen;
import dev.adit.ssh.Peer;
import dev.adit.ssh.ServerEvent;
import dev.adit.ssh.ServerOptions;
import dev.adit.ssh.SshServer;
import dev.adit.ssh.Target;
import dev.adit.ssh.UserInteraction.Question;
import dev.adit.ssh.UserKey;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * adit's server in the test's own JVM, for other people's clients. It has the user {@value #USER},
 * who has a password, and each key that it is told of; who is in may forward anything.
 */
final class EmbeddedServer implements AutoCloseable {
  static final String USER = "miner";
  static final String PASSWORD = "open sesame é";

  private final SshServer server;
  private final ServerOptions options;
  private final Scratch scratch = new Scratch();
  private final Set<String> keys = ConcurrentHashMap.newKeySet();
  private final List<ServerEvent> events = new CopyOnWriteArrayList<>();
  private volatile List<List<String>> waysIn = List.of(List.of("publickey"));
  private volatile AccessPolicy policy = new Everything();

  private EmbeddedServer(
      List<HostKey> hostKeys, UnaryOperator<ServerOptions.Builder> change, Keys.Type... userKeys) {
    for (Keys.Type type : userKeys) {
      accept(Keys.shared(type).publicLine());
    }
    var base = ServerOptions.with(this::begin).hostKeys(hostKeys).events(events::add);
    options = change.apply(base).build();
    try {
      server = SshServer.start(options);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    scratch.write(
        "known_hosts",
        hostKeys.stream()
            .map(key -> "[127.0.0.1]:" + port() + " " + key.publicKeyLine() + "\n")
            .collect(Collectors.joining()));
  }

  /** With an Ed25519 host key, for the shared Ed25519 key. */
  static EmbeddedServer start(UnaryOperator<ServerOptions.Builder> change) {
    return new EmbeddedServer(hostKeys(Keys.Type.ED25519), change, Keys.Type.ED25519);
  }

  static EmbeddedServer start() {
    return start(UnaryOperator.identity());
  }

  /** With these host keys, for all of the shared keys. */
  static EmbeddedServer start(List<HostKey> hostKeys, UnaryOperator<ServerOptions.Builder> change) {
    return new EmbeddedServer(hostKeys, change, Keys.Type.values());
  }

  static List<HostKey> hostKeys(Keys.Type... types) {
    return Arrays.stream(types)
        .map(
            type -> {
              try {
                return HostKey.read(Keys.shared(type).path());
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            })
        .toList();
  }

  /** One more public key, or certificate, that lets the user in. */
  EmbeddedServer accept(String publicLine) {
    keys.add(Arrays.stream(publicLine.split(" ", -1)).limit(2).collect(Collectors.joining(" ")));
    return this;
  }

  /** AuthenticationMethods. */
  EmbeddedServer waysIn(List<List<String>> ways) {
    waysIn = ways;
    return this;
  }

  /** What a user who logs in from now on may do. */
  EmbeddedServer policy(AccessPolicy rules) {
    policy = rules;
    return this;
  }

  int port() {
    return server.port();
  }

  void reconfigure(UnaryOperator<ServerOptions.Builder> change) throws IOException {
    server.reconfigure(change.apply(options.change()).build());
  }

  SshServer server() {
    return server;
  }

  Scratch scratch() {
    return scratch;
  }

  /** What has happened so far. */
  List<ServerEvent> events() {
    return events;
  }

  <E extends ServerEvent> List<E> events(Class<E> type) {
    return events.stream().filter(type::isInstance).map(type::cast).toList();
  }

  /** The arguments of ssh that lead here, with nothing of the machine's own configuration. */
  Program ssh(Object... more) {
    List<Object> command = new ArrayList<>(List.of(Judges.require("ssh"), "-F", "none"));
    // ssh takes the first value of an option, so the test's own come first.
    command.addAll(Arrays.asList(more));
    command.addAll(List.of("-o", "Port=" + port(), "-o", "User=" + USER));
    command.addAll(List.of("-o", "UserKnownHostsFile=" + scratch.path("known_hosts")));
    command.addAll(List.of("-o", "GlobalKnownHostsFile=none", "-o", "StrictHostKeyChecking=yes"));
    command.addAll(List.of("-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"));
    if (!Arrays.asList(more).contains("-i")) {
      command.addAll(List.of("-i", Keys.shared(Keys.Type.ED25519).path()));
    }
    command.add("127.0.0.1");
    return Program.of(command.toArray());
  }

  @Override
  public void close() {
    server.close();
    scratch.close();
  }

  private Authenticator.Login begin(Peer peer, String user) {
    return new Login(user.equals(USER));
  }

  private record Proven() implements Authenticator.Proof {}

  private final class Login implements Authenticator.Login {
    private final boolean known;

    Login(boolean known) {
      this.known = known;
    }

    @Override
    public boolean isKnownUser() {
      return known;
    }

    @Override
    public List<List<String>> waysIn() {
      return waysIn;
    }

    @Override
    public Authenticator.@Nullable Proof publicKey(UserKey key) {
      return known && keys.contains(key.toString()) ? new Proven() : null;
    }

    @Override
    public Authenticator.@Nullable Proof password(char[] password) {
      return known && PASSWORD.equals(new String(password)) ? new Proven() : null;
    }

    @Override
    public Authenticator.Conversation keyboardInteractive() {
      return new Authenticator.Conversation() {
        @Override
        public Step first() {
          return new Step.Ask(
              "Two questions",
              "to know you",
              List.of(new Question("Password: ", false), new Question("Colour: ", true)));
        }

        @Override
        public Step answered(List<String> answers) {
          return known && answers.equals(List.of(PASSWORD, "blue"))
              ? new Step.Granted(new Proven())
              : new Step.Denied();
        }
      };
    }

    @Override
    public AccessPolicy admit(List<Authenticator.Proof> proofs) {
      return policy;
    }
  }

  /** Allows all forwarding. */
  static class Everything implements AccessPolicy {
    @Override
    public String user() {
      return USER;
    }

    @Override
    public Decision<Target> connect(Target target) {
      return Decision.allowed(target);
    }

    @Override
    public Decision<InetAddress> dial(Target.Tcp target, InetAddress address) {
      return Decision.allowed(address);
    }

    @Override
    public Decision<Listen> listen(Listen asked) {
      return Decision.allowed(asked);
    }
  }
}
