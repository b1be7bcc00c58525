package dev.adit.ssh.auth;

import dev.adit.ssh.AccessPolicy;
import dev.adit.ssh.Authenticator;
import dev.adit.ssh.Authenticator.Conversation.Step;
import dev.adit.ssh.Authenticator.Login;
import dev.adit.ssh.Authenticator.Proof;
import dev.adit.ssh.Peer;
import dev.adit.ssh.ServerEvent;
import dev.adit.ssh.SshException;
import dev.adit.ssh.UserKey;
import dev.adit.ssh.keys.Certificate;
import dev.adit.ssh.keys.InvalidSignatureException;
import dev.adit.ssh.keys.SshPublicKey;
import dev.adit.ssh.keys.SshPublicKey.SecurityKeyRules;
import dev.adit.ssh.transport.Text;
import dev.adit.ssh.transport.Transport;
import dev.adit.ssh.wire.AuthMessage.Prompt;
import dev.adit.ssh.wire.AuthMessage.UserauthBanner;
import dev.adit.ssh.wire.AuthMessage.UserauthFailure;
import dev.adit.ssh.wire.AuthMessage.UserauthInfoRequest;
import dev.adit.ssh.wire.AuthMessage.UserauthInfoResponse;
import dev.adit.ssh.wire.AuthMessage.UserauthPkOk;
import dev.adit.ssh.wire.AuthMessage.UserauthRequest;
import dev.adit.ssh.wire.DisconnectReason;
import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.MessageNumbers;
import dev.adit.ssh.wire.TransportMessage.ServiceAccept;
import dev.adit.ssh.wire.TransportMessage.ServiceRequest;
import dev.adit.ssh.wire.WireReader;
import dev.adit.ssh.wire.WireWriter;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The server's side of RFC 4252, as a straight run of requests and answers on the control lane. It
 * counts, waits and answers as sshd does, so that a client can't tell an unknown user from a wrong
 * key, and what was offered is never taken for what was proven.
 */
public final class ServerAuthentication {
  private static final String USERAUTH = "ssh-userauth";
  private static final String CONNECTION = "ssh-connection";
  private static final String PUBLICKEY = "publickey";

  /** As publickey, but the client also signs whom it wants to log in to (OpenSSH's PROTOCOL). */
  private static final String HOSTBOUND = "publickey-hostbound-v00@openssh.com";

  /**
   * What the server asks of those who want in.
   *
   * @param publicKeyAlgorithms signature algorithms that are taken (PubkeyAcceptedAlgorithms)
   * @param minimumRsaBits RSA keys that are shorter are refused (RequiredRSASize)
   * @param maxTries failures before the client is disconnected (MaxAuthTries); asked once, when the
   *     client has named its user
   * @param events hears of failures and successes, on the control lane
   */
  public record Config(
      Peer peer,
      Authenticator authenticator,
      Set<String> publicKeyAlgorithms,
      int minimumRsaBits,
      ToIntFunction<Login> maxTries,
      Consumer<ServerEvent> events) {}

  /**
   * A user who has proven enough. USERAUTH_SUCCESS is not sent yet: that is done by {@link
   * Transport#open}.
   *
   * @param policy what the user may do
   * @param key the last key that was proven, or null
   */
  public record Admitted(Authenticated user, AccessPolicy policy, @Nullable UserKey key) {}

  /** How a request ended. */
  private sealed interface Outcome {

    /** The client has its answer, or has asked something else meanwhile. */
    record Answered() implements Outcome {}

    record Proven(Proof proof, @Nullable UserKey key) implements Outcome {}

    /**
     * @param key the key that was offered, if it could be read
     */
    record Refused(String why, @Nullable UserKey key) implements Outcome {
      Refused(String why) {
        this(why, null);
      }
    }
  }

  private final Transport transport;
  private final Config config;

  private int requests;
  private int failures;
  private int maxTries;
  private @Nullable Login login;
  private String user = "";
  private long askedAt;

  /** What is left of each way in. */
  private List<Deque<String>> waysLeft = List.of();

  private final List<Proof> proofs = new ArrayList<>();
  private final List<String> methodsDone = new ArrayList<>();
  private @Nullable UserKey lastKey;

  /**
   * Fingerprints of keys that have had their part in a login of several steps: none counts twice.
   */
  private final Set<String> spent = new HashSet<>();

  /** A request that came where an answer was expected. */
  private @Nullable UserauthRequest interposed;

  private ServerAuthentication(Transport transport, Config config) {
    this.transport = transport;
    this.config = config;
  }

  /**
   * Lets the client log in. Sets no deadline.
   *
   * @throws SshException when the connection ends first, be it that the client has tried too often
   */
  public static Admitted run(Transport transport, Config config)
      throws SshException, InterruptedException {
    return new ServerAuthentication(transport, config).run();
  }

  private Admitted run() throws SshException, InterruptedException {
    accept(transport.expect(ServiceRequest.TYPE));
    while (true) {
      UserauthRequest request = nextRequest();
      askedAt = System.nanoTime();
      Login who = identify(request);
      Admitted admitted =
          switch (judge(who, request)) {
            case Outcome.Answered _ -> null;
            case Outcome.Proven p -> proven(who, plainName(request.method()), p);
            case Outcome.Refused r -> refuse(who, plainName(request.method()), r);
          };
      Arrays.fill(request.methodFields(), (byte) 0);
      if (admitted != null) {
        return admitted;
      }
    }
  }

  // ---- Service and user -----------------------------------------------------------------------

  private void accept(ServiceRequest request) throws SshException {
    if (!request.service().equals(USERAUTH)) {
      throw new SshException.PeerMisbehaved(
          "bad service request " + Text.escape(request.service()),
          DisconnectReason.SERVICE_NOT_AVAILABLE,
          null);
    }
    transport.send(new ServiceAccept(USERAUTH));
  }

  private UserauthRequest nextRequest() throws SshException, InterruptedException {
    UserauthRequest waiting = interposed;
    interposed = null;
    while (waiting == null) {
      byte[] payload = transport.receive();
      switch (payload[0]) {
        case MessageNumbers.USERAUTH_REQUEST -> {
          waiting = transport.parse(UserauthRequest.TYPE, payload);
          // It may hold a password; the copy that the request has is wiped when it was judged.
          Arrays.fill(payload, (byte) 0);
        }
        // Some clients ask for the service again before each method.
        case MessageNumbers.SERVICE_REQUEST -> {
          count();
          accept(transport.parse(ServiceRequest.TYPE, payload));
        }
        default -> throw transport.unexpected(payload[0], "waiting for SSH_MSG_USERAUTH_REQUEST");
      }
    }
    count();
    return waiting;
  }

  private void count() throws SshException {
    if (++requests > AuthLimits.MAX_REQUESTS) {
      throw tooMany();
    }
  }

  private SshException tooMany() {
    config
        .events()
        .accept(
            new ServerEvent.TooManyFailures(
                config.peer(), Text.escape(user), login == null || login.isKnownUser()));
    return new SshException.Disconnected(
        false, DisconnectReason.PROTOCOL_ERROR, "Too many authentication failures", null);
  }

  /** RFC 4252 section 5: user and service may change, but no client does, so ours may not. */
  private Login identify(UserauthRequest request) throws SshException {
    if (!request.service().equals(CONNECTION) || (login != null && !request.user().equals(user))) {
      throw new SshException.PeerMisbehaved(
          login == null
              ? "service " + Text.escape(request.service()) + " is not available"
              : "Change of username or service not allowed: (%s,%s) -> (%s,%s)"
                  .formatted(
                      Text.escape(user),
                      CONNECTION,
                      Text.escape(request.user()),
                      Text.escape(request.service())));
    }
    Login known = login;
    if (known != null) {
      return known;
    }
    user = request.user();
    Login begun = config.authenticator().begin(config.peer(), user);
    login = begun;
    String refusal = begun.refusal();
    if (refusal != null) {
      throw new SshException.Disconnected(
          false, DisconnectReason.HOST_NOT_ALLOWED_TO_CONNECT, refusal, null);
    }
    maxTries = config.maxTries().applyAsInt(begun);
    startOver(begun);
    String banner = begun.banner();
    if (!banner.isEmpty()) {
      transport.send(new UserauthBanner(banner, ""));
    }
    return begun;
  }

  private void startOver(Login who) {
    List<Deque<String>> ways = new ArrayList<>();
    for (List<String> way : who.waysIn()) {
      ways.add(new ArrayDeque<>(way));
    }
    waysLeft = ways;
    proofs.clear();
    methodsDone.clear();
    spent.clear();
    lastKey = null;
  }

  // ---- Requests -------------------------------------------------------------------------------

  /** Under its other name publickey is the same method. */
  private static String plainName(String method) {
    return method.equals(HOSTBOUND) ? PUBLICKEY : method;
  }

  private Outcome judge(Login who, UserauthRequest request)
      throws SshException, InterruptedException {
    if (!methodsLeft().contains(plainName(request.method()))) {
      return new Outcome.Refused("the method is not allowed here");
    }
    try {
      WireReader fields = WireReader.over(request.methodFields());
      return switch (request.method()) {
        case PUBLICKEY, HOSTBOUND -> publicKey(who, request, fields);
        case "password" -> password(who, fields);
        case "keyboard-interactive" -> keyboardInteractive(who, fields);
        default -> new Outcome.Refused("there is no such method");
      };
    } catch (MalformedDataException e) {
      throw new SshException.PeerMisbehaved(
          "malformed SSH_MSG_USERAUTH_REQUEST for %s: %s"
              .formatted(Text.escape(request.method()), e.getMessage()),
          e);
    }
  }

  /** RFC 4252 section 7: a question whether a key would do, or the proof that the client has it. */
  private Outcome publicKey(Login who, UserauthRequest request, WireReader fields)
      throws MalformedDataException {
    boolean signed = fields.readBoolean();
    String algorithm = fields.readName();
    byte[] blob = fields.readString();
    boolean bound = request.method().equals(HOSTBOUND);
    byte[] boundTo = bound ? fields.readString() : new byte[0];
    byte[] signature = signed ? fields.readString() : new byte[0];
    fields.expectEnd("the request");
    SshPublicKey key;
    try {
      key = SshPublicKey.parse(blob, config.minimumRsaBits());
    } catch (MalformedDataException e) {
      return new Outcome.Refused("the key can't be used: " + e.getMessage());
    }
    UserKey offered = describe(key, algorithm);
    if (!config.publicKeyAlgorithms().contains(algorithm)
        || !key.algorithms().contains(algorithm)) {
      return new Outcome.Refused(
          "signature algorithm " + Text.escape(algorithm) + " is not accepted for it", offered);
    }
    if (bound && !Arrays.equals(boundTo, transport.hostKey())) {
      return new Outcome.Refused("it was meant for another host key", offered);
    }
    if (spent.contains(offered.fingerprint())) {
      return new Outcome.Refused("the key was already used in this login", offered);
    }
    Proof proof = who.publicKey(offered);
    if (proof == null) {
      return new Outcome.Refused("the key is not one of the user's", offered);
    }
    if (!signed) {
      transport.send(new UserauthPkOk(algorithm, blob));
      return new Outcome.Answered();
    }
    WireWriter toBeSigned =
        WireWriter.create()
            .writeString(transport.sessionId())
            .writeByte(MessageNumbers.USERAUTH_REQUEST)
            .writeString(request.user())
            .writeString(request.service())
            .writeString(request.method())
            .writeBoolean(true)
            .writeString(algorithm)
            .writeString(blob);
    if (bound) {
      toBeSigned.writeString(boundTo);
    }
    try {
      key.verify(
          algorithm,
          toBeSigned.toBytes(),
          signature,
          new SecurityKeyRules(proof.requiresTouch(), proof.requiresVerification()));
    } catch (InvalidSignatureException e) {
      return new Outcome.Refused(String.valueOf(e.getMessage()), offered);
    }
    return new Outcome.Proven(proof, offered);
  }

  private static UserKey describe(SshPublicKey key, String algorithm) {
    return new UserKey(
        key.typeName(),
        algorithm,
        key.blob(),
        key.fingerprint(),
        key instanceof Certificate c
            ? new UserKey.CertificateName(
                Text.escape(c.keyId()), c.serial(), c.authority().toString())
            : null);
  }

  /** RFC 4252 section 8. */
  private static Outcome password(Login who, WireReader fields) throws MalformedDataException {
    boolean change = fields.readBoolean();
    byte[] bytes = fields.readString();
    try {
      if (change) {
        return new Outcome.Refused("passwords can't be changed here");
      }
      fields.expectEnd("the request");
      if (bytes.length > AuthLimits.MAX_PASSWORD) {
        return new Outcome.Refused(
            "the password is longer than " + AuthLimits.MAX_PASSWORD + " bytes");
      }
      char[] password = decoded(bytes);
      if (password == null) {
        return new Outcome.Refused("the password is not UTF-8");
      }
      try {
        Proof proof = who.password(password);
        return proof == null
            ? new Outcome.Refused("wrong password")
            : new Outcome.Proven(proof, null);
      } finally {
        Arrays.fill(password, '\0');
      }
    } finally {
      Arrays.fill(bytes, (byte) 0);
    }
  }

  private static char @Nullable [] decoded(byte[] utf8) {
    try {
      CharBuffer text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(utf8));
      char[] chars = new char[text.remaining()];
      text.get(chars);
      Arrays.fill(text.array(), '\0');
      return chars;
    } catch (CharacterCodingException e) {
      return null;
    }
  }

  /** RFC 4256: questions and answers, until the conversation has decided. */
  private Outcome keyboardInteractive(Login who, WireReader fields)
      throws SshException, InterruptedException, MalformedDataException {
    fields.readString(); // language tag
    fields.readString(); // submethods
    fields.expectEnd("the request");
    Authenticator.Conversation conversation = who.keyboardInteractive();
    if (conversation == null) {
      return new Outcome.Refused("there is nothing to ask");
    }
    for (Step step = conversation.first(); ; ) {
      switch (step) {
        case Step.Granted granted -> {
          return new Outcome.Proven(granted.proof(), null);
        }
        case Step.Denied _ -> {
          return new Outcome.Refused("wrong answers");
        }
        case Step.Ask ask -> {
          transport.send(
              new UserauthInfoRequest(
                  ask.name(),
                  ask.instruction(),
                  "",
                  ask.questions().stream().map(q -> new Prompt(q.prompt(), q.echo())).toList()));
          byte[] payload = transport.receive();
          askedAt = System.nanoTime();
          if (payload[0] == MessageNumbers.USERAUTH_REQUEST) {
            interposed = transport.parse(UserauthRequest.TYPE, payload);
            return new Outcome.Answered();
          }
          if (payload[0] != UserauthInfoResponse.TYPE.number()) {
            throw transport.unexpected(payload[0], "waiting for SSH_MSG_USERAUTH_INFO_RESPONSE");
          }
          List<String> answers = transport.parse(UserauthInfoResponse.TYPE, payload).responses();
          if (answers.size() != ask.questions().size()) {
            return new Outcome.Refused(
                "%d answers to %d questions".formatted(answers.size(), ask.questions().size()));
          }
          step = conversation.answered(answers);
        }
      }
    }
  }

  // ---- Answers --------------------------------------------------------------------------------

  private Set<String> methodsLeft() {
    Set<String> methods = new LinkedHashSet<>();
    waysLeft.forEach(way -> methods.add(way.getFirst()));
    return methods;
  }

  /** A method has succeeded: each way that waited for it is a step shorter. */
  private @Nullable Admitted proven(Login who, String method, Outcome.Proven proven)
      throws SshException, InterruptedException {
    proofs.add(proven.proof());
    methodsDone.add(method);
    UserKey key = proven.key();
    if (key != null) {
      lastKey = key;
      spent.add(key.fingerprint());
    }
    boolean complete = false;
    for (Deque<String> way : waysLeft) {
      if (way.getFirst().equals(method)) {
        way.removeFirst();
        complete |= way.isEmpty();
      }
    }
    if (!complete) {
      config
          .events()
          .accept(new ServerEvent.MethodSucceeded(config.peer(), Text.escape(user), method, key));
      transport.send(new UserauthFailure(List.copyOf(methodsLeft()), true));
      return null;
    }
    AccessPolicy policy = who.admit(List.copyOf(proofs));
    if (policy == null) {
      startOver(who);
      return refuse(who, method, new Outcome.Refused("the user is not admitted", key));
    }
    config
        .events()
        .accept(
            new ServerEvent.LoggedIn(
                config.peer(), Text.escape(user), List.copyOf(methodsDone), lastKey));
    return new Admitted(new Authenticated(transport, user, method), policy, lastKey);
  }

  /** Always null: the login goes on, unless this was one failure too many. */
  private @Nullable Admitted refuse(Login who, String method, Outcome.Refused refused)
      throws SshException, InterruptedException {
    boolean onlyAsks = method.equals("none");
    if (!onlyAsks) {
      Thread.sleep(FailureDelay.rest(Duration.ofNanos(System.nanoTime() - askedAt), user));
      config
          .events()
          .accept(
              new ServerEvent.LoginFailed(
                  config.peer(),
                  Text.escape(user),
                  who.isKnownUser(),
                  Text.escape(method),
                  refused.key(),
                  refused.why()));
    }
    if (!onlyAsks || requests > 1) {
      failures++;
    }
    if (failures >= maxTries) {
      throw tooMany();
    }
    transport.send(new UserauthFailure(List.copyOf(methodsLeft()), false));
    return null;
  }
}
