package dev.adit.ssh.auth;

import dev.adit.ssh.SshException;
import dev.adit.ssh.UserInteraction;
import dev.adit.ssh.keys.Signer;
import dev.adit.ssh.keys.SshPublicKey;
import dev.adit.ssh.transport.Text;
import dev.adit.ssh.transport.Transport;
import dev.adit.ssh.wire.AuthMessage.UserauthBanner;
import dev.adit.ssh.wire.AuthMessage.UserauthFailure;
import dev.adit.ssh.wire.AuthMessage.UserauthInfoRequest;
import dev.adit.ssh.wire.AuthMessage.UserauthInfoResponse;
import dev.adit.ssh.wire.AuthMessage.UserauthPasswdChangereq;
import dev.adit.ssh.wire.AuthMessage.UserauthPkOk;
import dev.adit.ssh.wire.AuthMessage.UserauthRequest;
import dev.adit.ssh.wire.AuthMessage.UserauthSuccess;
import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.MessageNumbers;
import dev.adit.ssh.wire.TransportMessage.ServiceAccept;
import dev.adit.ssh.wire.TransportMessage.ServiceRequest;
import dev.adit.ssh.wire.WireWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The client's side of RFC 4252, as a straight run of questions and answers on the control lane. A
 * question to a person or an agent never holds up a key exchange.
 */
public final class ClientAuthentication {
  private static final Logger log = LoggerFactory.getLogger(ClientAuthentication.class);

  private static final String SERVICE = "ssh-connection";

  /**
   * How to log in.
   *
   * @param host as the user knows it, for prompts
   * @param methods in the order of preference (PreferredAuthentications)
   * @param keys yields the keys to offer; asked when publickey is tried
   * @param publicKeyAlgorithms signature algorithms that we use (PubkeyAcceptedAlgorithms)
   * @param minimumRsaBits RSA keys that are shorter are not offered (RequiredRSASize)
   * @param passwordPrompts times that a password is asked for (NumberOfPasswordPrompts)
   * @param trusted false if nobody knows who the server is: then it gets no secrets
   */
  public record Config(
      String user,
      String host,
      List<String> methods,
      Supplier<KeyRing> keys,
      Set<String> publicKeyAlgorithms,
      int minimumRsaBits,
      int passwordPrompts,
      boolean trusted,
      UserInteraction interaction) {}

  /** How a try ended. */
  private sealed interface Answer {
    record Success() implements Answer {}

    record Failure(List<String> methodsLeft, boolean partial) implements Answer {}

    /** The method has nothing (more) to try. */
    record Exhausted() implements Answer {}
  }

  private final Transport transport;
  private final Config config;
  private final Set<String> tried = new LinkedHashSet<>();

  /** Keys that have had their part in a login of several steps: none counts twice. */
  private final Set<ByteBuffer> spent = new HashSet<>();

  private ClientAuthentication(Transport transport, Config config) {
    this.transport = transport;
    this.config = config;
  }

  /**
   * Logs in.
   *
   * @throws SshException.AuthenticationFailed when nothing is left to try
   */
  public static Authenticated run(Transport transport, Config config)
      throws SshException, InterruptedException {
    return new ClientAuthentication(transport, config).run();
  }

  private Authenticated run() throws SshException, InterruptedException {
    transport.startDeadline("before authentication");
    transport.send(new ServiceRequest("ssh-userauth"));
    ServiceAccept accepted = transport.expect(ServiceAccept.TYPE);
    if (!accepted.service().equals("ssh-userauth")) {
      throw new SshException.PeerMisbehaved(
          "SERVICE_ACCEPT for " + Text.escape(accepted.service()) + ", which nobody asked for");
    }
    // The question that nobody expects to be answered with yes: it lists the methods.
    request("none", new byte[0]);
    Answer answer = answer();
    transport.endDeadline();
    String method = "none";
    List<String> left = List.of();
    Set<String> exhausted = new LinkedHashSet<>();
    while (true) {
      switch (answer) {
        case Answer.Success _ -> {
          return new Authenticated(transport, config.user(), method);
        }
        case Answer.Failure f -> {
          left = f.methodsLeft();
          if (f.partial()) {
            log.info("Authenticated using \"{}\" with partial success.", method);
            exhausted.clear();
          } else if (!method.equals("none")) {
            exhausted.add(method);
          }
          log.debug("Authentications that can continue: {}", String.join(",", left));
        }
        case Answer.Exhausted _ -> exhausted.add(method);
      }
      String next = nextMethod(left, exhausted);
      if (next == null) {
        throw new SshException.AuthenticationFailed(
            "%s@%s: Permission denied (%s)."
                .formatted(config.user(), config.host(), String.join(",", left)),
            List.copyOf(tried),
            left);
      }
      method = next;
      tried.add(method);
      log.debug("Next authentication method: {}", method);
      answer =
          switch (method) {
            case "publickey" -> publicKey();
            case "keyboard-interactive" ->
                mayHaveSecrets("Keyboard-interactive authentication")
                    ? keyboardInteractive()
                    : new Answer.Exhausted();
            case "password" ->
                mayHaveSecrets("Password authentication") ? password() : new Answer.Exhausted();
            default -> new Answer.Exhausted();
          };
    }
  }

  private @Nullable String nextMethod(List<String> left, Set<String> exhausted) {
    for (String method : config.methods()) {
      if (left.contains(method) && !exhausted.contains(method)) {
        return method;
      }
    }
    return null;
  }

  // ---- publickey, RFC 4252 section 7 ----------------------------------------------------------

  private Answer publicKey() throws SshException, InterruptedException {
    try (KeyRing keys = config.keys().get()) {
      return publicKey(keys);
    }
  }

  private Answer publicKey(KeyRing keys) throws SshException, InterruptedException {
    Answer last = new Answer.Exhausted();
    for (Signer signer; (signer = next(keys)) != null; ) {
      String algorithm = algorithmFor(signer);
      if (algorithm == null) {
        log.debug("Skipping {}: no mutual signature algorithm", signer.name());
        continue;
      }
      if (spent.contains(ByteBuffer.wrap(signer.publicKeyBlob()))) {
        continue;
      }
      String described = describe(signer) + " (" + algorithm + ")";
      log.debug("Offering public key: {}", described);
      byte[] blob = signer.publicKeyBlob();
      request(
          "publickey",
          WireWriter.create()
              .writeBoolean(false)
              .writeString(algorithm)
              .writeString(blob)
              .toBytes());
      byte[] payload = receive();
      if (payload[0] != UserauthPkOk.TYPE.number()) {
        last = answer(payload);
        if (!mayTryAgain(last, "publickey")) {
          return last;
        }
        continue;
      }
      UserauthPkOk ok = transport.parse(UserauthPkOk.TYPE, payload);
      if (!Arrays.equals(ok.publicKey(), blob)) {
        throw new SshException.PeerMisbehaved("PK_OK for a key that was not offered");
      }
      log.debug("Server accepts key: {}", described);
      byte[] request = signed(signer, algorithm, blob);
      if (request == null) {
        continue;
      }
      request("publickey", request);
      last = answer();
      if (last instanceof Answer.Failure f && f.partial()) {
        spent.add(ByteBuffer.wrap(blob));
      }
      if (!mayTryAgain(last, "publickey")) {
        return last;
      }
    }
    return last;
  }

  private @Nullable Signer next(KeyRing keys) throws SshException, InterruptedException {
    while (true) {
      Signer signer = ask(keys::next);
      if (signer == null || isStrong(signer)) {
        return signer;
      }
    }
  }

  private static String describe(Signer signer) {
    try {
      SshPublicKey key = SshPublicKey.parse(signer.publicKeyBlob(), 0);
      return signer.name() + " " + key.describe() + " " + key.fingerprint();
    } catch (MalformedDataException e) {
      return signer.name();
    }
  }

  private boolean isStrong(Signer signer) {
    try {
      SshPublicKey.parse(signer.publicKeyBlob(), config.minimumRsaBits());
      return true;
    } catch (MalformedDataException e) {
      log.info("Skipping {}: {}", signer.name(), e.getMessage());
      return false;
    }
  }

  /** The fields of a request with a signature, or null when the key can't be used after all. */
  private byte @Nullable [] signed(Signer signer, String algorithm, byte[] blob)
      throws SshException, InterruptedException {
    byte[] toSign =
        WireWriter.create()
            .writeString(transport.sessionId())
            .writeByte(MessageNumbers.USERAUTH_REQUEST)
            .writeString(config.user())
            .writeString(SERVICE)
            .writeString("publickey")
            .writeBoolean(true)
            .writeString(algorithm)
            .writeString(blob)
            .toBytes();
    try {
      byte[] signature = transport.whileServing(() -> signer.sign(algorithm, toSign));
      return WireWriter.create()
          .writeBoolean(true)
          .writeString(algorithm)
          .writeString(blob)
          .writeString(signature)
          .toBytes();
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      config
          .interaction()
          .showError(
              cause instanceof IOException && cause.getMessage() != null
                  ? cause.getMessage()
                  : "signing failed with " + signer.name() + ": " + cause);
      return null;
    }
  }

  /** The key's best algorithm that we and, where it says so (RFC 8308), the server use. */
  private @Nullable String algorithmFor(Signer signer) {
    byte[] extension = transport.peerExtension("server-sig-algs");
    List<String> known =
        extension == null
            ? List.of()
            : List.of(new String(extension, StandardCharsets.US_ASCII).split(",", -1));
    for (String algorithm : signer.algorithms()) {
      // Only RSA has more than one; servers list the plain names, not those of certificates.
      String plain = algorithm.replace("-cert-v01@openssh.com", "");
      boolean serverTakesIt = known.isEmpty() || !plain.startsWith("rsa-") || known.contains(plain);
      if (serverTakesIt && config.publicKeyAlgorithms().contains(algorithm)) {
        return algorithm;
      }
    }
    return null;
  }

  // ---- password, RFC 4252 section 8 -----------------------------------------------------------

  private Answer password() throws SshException, InterruptedException {
    Answer last = new Answer.Exhausted();
    for (int i = 0; i < config.passwordPrompts(); i++) {
      if (i > 0) {
        config.interaction().showError("Permission denied, please try again.");
      }
      byte[] password = askSecret("%s@%s's password: ".formatted(config.user(), config.host()));
      if (password == null) {
        return last;
      }
      byte[] payload;
      try {
        payload = exchange(passwordFields(false, password));
        while (payload[0] == UserauthPasswdChangereq.TYPE.number()) {
          UserauthPasswdChangereq m = transport.parse(UserauthPasswdChangereq.TYPE, payload);
          config.interaction().show(Text.escapeLines(m.prompt()));
          byte[] changed = newPassword(password);
          if (changed == null) {
            return last;
          }
          payload = exchange(changed);
        }
      } finally {
        wipe(password);
      }
      last = answer(payload);
      if (!mayTryAgain(last, "password")) {
        return last;
      }
    }
    return last;
  }

  private byte @Nullable [] newPassword(byte[] old) throws SshException, InterruptedException {
    String who = config.user() + "@" + config.host();
    while (true) {
      byte[] first = askSecret("Enter %s's new password: ".formatted(who));
      byte[] again = first == null ? null : askSecret("Retype %s's new password: ".formatted(who));
      if (first == null || again == null) {
        return null;
      }
      try {
        if (Arrays.equals(first, again)) {
          return passwordFields(true, old, first);
        }
      } finally {
        wipe(first);
        wipe(again);
      }
      config.interaction().showError("Mismatch; try again, EOF to quit.");
    }
  }

  /** Of exactly their size: a buffer that grows would leave copies behind. */
  private static byte[] passwordFields(boolean change, byte[]... passwords) {
    ByteBuffer fields =
        ByteBuffer.allocate(1 + Arrays.stream(passwords).mapToInt(p -> 4 + p.length).sum());
    fields.put((byte) (change ? 1 : 0));
    for (byte[] password : passwords) {
      fields.putInt(password.length).put(password);
    }
    return fields.array();
  }

  /** The answer to a request, whose fields are sealed by then and are wiped. */
  private byte[] exchange(byte[] passwordFields) throws SshException, InterruptedException {
    try {
      request("password", passwordFields);
      return receive();
    } finally {
      wipe(passwordFields);
    }
  }

  private static void wipe(byte[] secret) {
    Arrays.fill(secret, (byte) 0);
  }

  private boolean mayHaveSecrets(String what) {
    if (!config.trusted()) {
      config.interaction().showError(what + " is disabled to avoid man-in-the-middle attacks.");
    }
    return config.trusted();
  }

  private byte @Nullable [] askSecret(String prompt) throws SshException, InterruptedException {
    char[] secret = ask(() -> config.interaction().askSecret(prompt));
    if (secret == null) {
      return null;
    }
    ByteBuffer encoded = StandardCharsets.UTF_8.encode(CharBuffer.wrap(secret));
    byte[] bytes = Arrays.copyOf(encoded.array(), encoded.limit());
    Arrays.fill(encoded.array(), (byte) 0);
    Arrays.fill(secret, '\0');
    return bytes;
  }

  private <T> @Nullable T ask(Callable<@Nullable T> question)
      throws SshException, InterruptedException {
    try {
      return transport.whileServing(question);
    } catch (ExecutionException e) {
      log.info("{}", String.valueOf(e.getCause()));
      return null;
    }
  }

  // ---- keyboard-interactive, RFC 4256 ---------------------------------------------------------

  private Answer keyboardInteractive() throws SshException, InterruptedException {
    Answer last = new Answer.Exhausted();
    for (int i = 0; i < config.passwordPrompts(); i++) {
      request(
          "keyboard-interactive", WireWriter.create().writeString("").writeString("").toBytes());
      byte[] payload = receive();
      boolean asked = false;
      for (int round = 0; payload[0] == UserauthInfoRequest.TYPE.number(); round++) {
        if (round == AuthLimits.MAX_QUESTION_ROUNDS) {
          throw new SshException.PeerMisbehaved(
              "more than "
                  + AuthLimits.MAX_QUESTION_ROUNDS
                  + " rounds of keyboard-interactive questions");
        }
        UserauthInfoRequest info = transport.parse(UserauthInfoRequest.TYPE, payload);
        asked |= !info.prompts().isEmpty();
        List<String> answers = answers(info);
        if (answers == null) {
          return last;
        }
        transport.send(new UserauthInfoResponse(answers));
        payload = receive();
      }
      last = answer(payload);
      if (!asked || !mayTryAgain(last, "keyboard-interactive")) {
        return last;
      }
    }
    return last;
  }

  private @Nullable List<String> answers(UserauthInfoRequest info)
      throws SshException, InterruptedException {
    for (String text : List.of(info.name(), info.instruction())) {
      if (!text.isBlank()) {
        config.interaction().show(Text.escapeLines(text).stripTrailing());
      }
    }
    if (info.prompts().isEmpty()) {
      return List.of();
    }
    List<UserInteraction.Question> questions = new ArrayList<>();
    info.prompts()
        .forEach(
            p ->
                questions.add(
                    new UserInteraction.Question(
                        "(%s@%s) %s"
                            .formatted(config.user(), config.host(), Text.escapeLines(p.text())),
                        p.echo())));
    List<String> answers = ask(() -> config.interaction().answer(questions));
    return answers == null || answers.size() != questions.size() ? null : answers;
  }

  // ---- Questions and answers ------------------------------------------------------------------

  private void request(String method, byte[] fields) {
    transport.send(new UserauthRequest(config.user(), SERVICE, method, fields));
  }

  private Answer answer() throws SshException, InterruptedException {
    return answer(receive());
  }

  private Answer answer(byte[] payload) throws SshException {
    switch (payload[0]) {
      case MessageNumbers.USERAUTH_SUCCESS -> {
        transport.parse(UserauthSuccess.TYPE, payload);
        return new Answer.Success();
      }
      case MessageNumbers.USERAUTH_FAILURE -> {
        UserauthFailure failure = transport.parse(UserauthFailure.TYPE, payload);
        return new Answer.Failure(failure.methodsLeft(), failure.partialSuccess());
      }
      default -> throw transport.unexpected(payload[0] & 0xff, "authenticating");
    }
  }

  private static boolean mayTryAgain(Answer answer, String method) {
    return answer instanceof Answer.Failure f && !f.partial() && f.methodsLeft().contains(method);
  }

  /** The next message but for banners, which are shown (RFC 4252 section 5.4). */
  private byte[] receive() throws SshException, InterruptedException {
    while (true) {
      byte[] payload = transport.receive();
      if (payload[0] != MessageNumbers.USERAUTH_BANNER) {
        return payload;
      }
      UserauthBanner banner = transport.parse(UserauthBanner.TYPE, payload);
      config.interaction().show(Text.escapeLines(banner.text()).stripTrailing());
    }
  }
}
