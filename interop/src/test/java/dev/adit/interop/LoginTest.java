package dev.adit.interop;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.adit.ssh.ConnectOptions;
import dev.adit.ssh.ForwardSpec;
import dev.adit.ssh.HostKeyPolicy;
import dev.adit.ssh.IdentitySource;
import dev.adit.ssh.KnownHostsOptions;
import dev.adit.ssh.SshClient;
import dev.adit.ssh.SshConnection;
import dev.adit.ssh.SshException;
import dev.adit.ssh.UserInteraction;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Who is let in by a real sshd, with what, and what is said to those who aren't. */
class LoginTest {
  private static SshClient client;

  @BeforeAll
  static void makeClient() {
    client = SshClient.create();
  }

  @AfterAll
  static void closeClient() {
    client.close();
  }

  /** A person who gives these answers in turn, and remembers what was said. */
  static final class Person implements UserInteraction {
    private final List<String> answers;
    final List<String> asked = new CopyOnWriteArrayList<>();
    final List<String> shown = new CopyOnWriteArrayList<>();

    Person(String... answers) {
      this.answers = new ArrayList<>(List.of(answers));
    }

    @Override
    public synchronized @Nullable String ask(String prompt) {
      asked.add(prompt);
      return answers.isEmpty() ? null : answers.removeFirst();
    }

    @Override
    public char @Nullable [] askSecret(String prompt) {
      String answer = ask(prompt);
      return answer == null ? null : answer.toCharArray();
    }

    @Override
    public void show(String text) {
      shown.add(text);
    }
  }

  private static ConnectOptions.Builder to(OpenSshServer server) {
    return ConnectOptions.to("127.0.0.1")
        .port(server.port())
        .user(server.user())
        .hostKeyPolicy(
            HostKeyPolicy.knownHosts(
                KnownHostsOptions.files(List.of(server.knownHosts()))
                    .strictness(KnownHostsOptions.Strictness.YES)
                    .build()));
  }

  private static SshConnection connect(ConnectOptions.Builder options) throws Exception {
    return client.connect(options.build());
  }

  /** Logs in and has the server answer something. */
  private static void login(ConnectOptions.Builder options) throws Exception {
    try (SshConnection connection = connect(options)) {
      connection.sendKeepalive().get();
    }
  }

  // ---- Keys -----------------------------------------------------------------------------------

  @ParameterizedTest
  @EnumSource
  void everyTypeOfHostKeyAndUserKey(Keys.Type type) throws Exception {
    try (var server = OpenSshServer.start(List.of(type))) {
      var key = Keys.shared(type);
      server.authorizeOnly(key.publicLine());
      login(to(server).identityFile(key.path()));
      server.awaitLog("Accepted publickey for " + server.user());
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyFormatOfKeyFileWithAPassphraseThatIsAskedOnlyWhenTheServerTakesTheKey(
      Keys.Format format) throws Exception {
    try (var server = OpenSshServer.start();
        var scratch = new Scratch()) {
      var refused =
          Keys.generate(scratch.path("refused"), Keys.Type.ECDSA_256, format, "other words");
      var key = Keys.generate(scratch.path("key"), Keys.Type.RSA, format, "some words");
      server.authorizeOnly(key.publicLine());
      var person = new Person("wrong", "some words");
      login(
          to(server)
              .identities(IdentitySource.files(List.of(refused.path(), key.path())))
              .interaction(person));
      String prompt = "Enter passphrase for key '%s': ".formatted(key.path());
      assertThat(person.asked).containsExactly(prompt, prompt);
      assertThat(person.shown).isEmpty();
    }
  }

  @Test
  void aKeyFileThatOthersMayReadIsSkippedWithAWarning() throws Exception {
    try (var server = OpenSshServer.start();
        var scratch = new Scratch()) {
      var open = Keys.generate(scratch.path("open"), Keys.Type.ED25519);
      Files.setPosixFilePermissions(open.path(), PosixFilePermissions.fromString("rw-r--r--"));
      Path missing = scratch.path("missing");
      var person = new Person();
      login(
          to(server)
              .identities(IdentitySource.files(List.of(missing, open.path(), server.userKey())))
              .interaction(person));
      assertThat(person.shown).hasSize(2);
      assertThat(person.shown.get(0))
          .isEqualTo(
              "Warning: Identity file %s not accessible: No such file or directory."
                  .formatted(missing));
      assertThat(person.shown.get(1))
          .contains("WARNING: UNPROTECTED PRIVATE KEY FILE!")
          .contains("Permissions 0644 for '%s' are too open.".formatted(open.path()))
          .endsWith("Load key \"%s\": bad permissions".formatted(open.path()));
    }
  }

  @Test
  void nobodyIsLetInWithoutAKey() throws Exception {
    try (var server = OpenSshServer.start();
        var scratch = new Scratch()) {
      var stranger = Keys.generate(scratch.path("stranger"), Keys.Type.ED25519);
      assertThatThrownBy(() -> connect(to(server).identityFile(stranger.path())))
          .isInstanceOfSatisfying(
              SshException.AuthenticationFailed.class,
              e -> {
                assertThat(e.methodsTried()).containsExactly("publickey");
                assertThat(e.methodsLeft()).containsExactly("publickey");
              })
          .hasMessage(server.user() + "@127.0.0.1: Permission denied (publickey).");
      assertThatThrownBy(
              () -> connect(to(server).identityFile(server.userKey()).authentications(List.of())))
          .hasMessage(server.user() + "@127.0.0.1: Permission denied (publickey).");
    }
  }

  @Test
  void tooManyKeysEndInTheServersOwnWords() throws Exception {
    try (var server = OpenSshServer.start("MaxAuthTries 2");
        var scratch = new Scratch()) {
      List<Path> files = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        files.add(Keys.generate(scratch.path("key" + i), Keys.Type.ED25519).path());
      }
      assertThatThrownBy(() -> connect(to(server).identities(IdentitySource.files(files))))
          .isInstanceOf(SshException.Disconnected.class)
          .hasMessage(
              "Received disconnect from 127.0.0.1 port %d:2: Too many authentication failures"
                  .formatted(server.port()));
    }
  }

  // ---- The agent ------------------------------------------------------------------------------

  private static IdentitySource.Builder agent(SshAgent agent) {
    return IdentitySource.builder()
        .agent("SSH_AUTH_SOCK", Map.of("SSH_AUTH_SOCK", agent.socket().toString()));
  }

  @Test
  void theAgentSignsAndFilesNameItsKeys() throws Exception {
    try (var agent = SshAgent.start();
        var server = OpenSshServer.start("MaxAuthTries 2");
        var scratch = new Scratch()) {
      var key = Keys.generate(scratch.path("key"), Keys.Type.RSA);
      for (int i = 0; i < 3; i++) {
        agent.add(Keys.generate(scratch.path("other" + i), Keys.Type.ED25519).path());
      }
      agent.add(key.path());
      server.authorizeOnly(key.publicLine());
      // Four keys are too many, unless the right one is named and comes first.
      assertThatThrownBy(() -> connect(to(server).identities(agent(agent).build())))
          .hasMessageContaining("Too many authentication failures");
      Files.delete(key.path());
      login(to(server).identities(agent(agent).files(List.of(key.publicPath())).build()));
      assertThatThrownBy(
              () ->
                  connect(
                      to(server)
                          .identities(
                              agent(agent)
                                  .files(List.of(scratch.path("other0")))
                                  .identitiesOnly(true)
                                  .build())))
          .hasMessageContaining("Permission denied (publickey).");
    }
  }

  @Test
  void aUsedKeyGoesIntoTheAgent() throws Exception {
    try (var agent = SshAgent.start();
        var server = OpenSshServer.start();
        var scratch = new Scratch()) {
      var key =
          Keys.generate(scratch.path("key"), Keys.Type.ED25519, Keys.Format.OPENSSH, "some words");
      server.authorizeOnly(key.publicLine());
      var person = new Person("some words");
      for (int i = 0; i < 2; i++) {
        login(
            to(server)
                .identities(
                    agent(agent)
                        .files(List.of(key.path()))
                        .addKeysToAgent(IdentitySource.AddToAgent.YES, Duration.ofHours(1))
                        .build())
                .interaction(person));
      }
      assertThat(agent.sshAdd("-l")).contains(key.fingerprint());
      assertThat(person.asked).hasSize(1);
    }
  }

  @Test
  void certificatesOfUsersFromFilesAndFromTheAgent() throws Exception {
    try (var agent = SshAgent.start();
        var scratch = new Scratch()) {
      var authority = Keys.generate(scratch.path("ca"), Keys.Type.ED25519);
      try (var server =
          OpenSshServer.start(
              "AuthorizedKeysFile none", "TrustedUserCAKeys " + authority.publicPath())) {
        for (Keys.Type type : Keys.Type.values()) {
          var user = Keys.generate(scratch.path("user-" + type), type);
          Keys.certifyUser(authority, user, server.user());
          login(to(server).identityFile(user.path()));
          // Elsewhere than beside the key.
          Path moved = Files.move(user.certificatePath(), scratch.path(type + ".cert"));
          login(
              to(server)
                  .identities(
                      IdentitySource.builder()
                          .files(List.of(user.path()))
                          .certificates(List.of(moved))
                          .build()));
          // The agent has the key, the file the certificate.
          agent.add(user.path());
          Files.delete(user.path());
          login(
              to(server)
                  .identities(
                      agent(agent)
                          .files(List.of(user.publicPath()))
                          .certificates(List.of(moved))
                          .identitiesOnly(true)
                          .build()));
        }
        assertThat(server.log().split("Accepted publickey", -1)).hasSize(3 * 5 + 1);
      }
    }
  }

  // ---- Passwords ------------------------------------------------------------------------------

  @Test
  void passwordsAreAskedThreeTimesAndQuestionsAnswered() throws Exception {
    try (var account = TestAccount.create();
        var server =
            OpenSshServer.start(
                "UsePAM yes", "KbdInteractiveAuthentication yes", "PasswordAuthentication yes")) {
      var person = new Person("wrong", account.password());
      login(
          to(server).user(account.name()).authentications(List.of("password")).interaction(person));
      String prompt = account.name() + "@127.0.0.1's password: ";
      assertThat(person.asked).containsExactly(prompt, prompt);
      assertThat(person.shown).containsExactly("Permission denied, please try again.");
      server.awaitLog("Accepted password for " + account.name());

      person = new Person(account.password());
      login(
          to(server)
              .user(account.name())
              .authentications(List.of("keyboard-interactive", "password"))
              .interaction(person));
      assertThat(person.asked)
          .containsExactly("(%s@127.0.0.1) Password: ".formatted(account.name()));
      server.awaitLog("Accepted keyboard-interactive/pam for " + account.name());

      // BatchMode: nobody answers.
      assertThatThrownBy(() -> connect(to(server).user(account.name())))
          .hasMessage(
              account.name()
                  + "@127.0.0.1: Permission denied (publickey,password,keyboard-interactive).");
    }
  }

  @Test
  void aKeyAndThenAPassword() throws Exception {
    try (var account = TestAccount.create();
        var server =
            OpenSshServer.start(
                "UsePAM yes",
                "PasswordAuthentication yes",
                "AuthenticationMethods publickey,password",
                "AuthorizedKeysFile /home/%u/.ssh/authorized_keys")) {
      account.authorize(Keys.shared(Keys.Type.ED25519).publicLine());
      var person = new Person(account.password());
      login(to(server).user(account.name()).identityFile(server.userKey()).interaction(person));
      server.awaitLog("Accepted password for " + account.name());
      assertThatThrownBy(
              () -> connect(to(server).user(account.name()).identityFile(server.userKey())))
          .hasMessage(account.name() + "@127.0.0.1: Permission denied (password).");
    }
  }

  @Test
  void aMethodThatFailedIsTriedAgainBehindAnother() throws Exception {
    try (var account = TestAccount.create();
        var server =
            OpenSshServer.start(
                "UsePAM yes",
                "PasswordAuthentication yes",
                "AuthenticationMethods publickey,password password,publickey",
                "AuthorizedKeysFile /home/%u/.ssh/authorized_keys")) {
      account.authorize(Keys.shared(Keys.Type.ED25519).publicLine());
      var person = new Person("wrong", account.password());
      login(
          to(server)
              .user(account.name())
              .authentications(List.of("password", "publickey"))
              .passwordPrompts(1)
              .identityFile(server.userKey())
              .interaction(person));
      assertThat(person.asked).hasSize(2);
      server.awaitLog("Accepted password for " + account.name());
    }
  }

  @Test
  void twoDifferentKeysWhereTheServerWantsTwo() throws Exception {
    try (var server = OpenSshServer.start("AuthenticationMethods publickey,publickey")) {
      server.authorizeOnly(
          Keys.shared(Keys.Type.ED25519).publicLine(), Keys.shared(Keys.Type.RSA).publicLine());
      login(
          to(server)
              .identities(
                  IdentitySource.files(
                      List.of(
                          Keys.shared(Keys.Type.ED25519).path(),
                          Keys.shared(Keys.Type.RSA).path()))));
    }
  }

  @Test
  void aBannerIsShownWithItsControlCharactersEscaped() throws Exception {
    try (var scratch = new Scratch()) {
      Path banner = scratch.write("banner", "Hello\n\u001b[31mred\u0007\n");
      try (var server = OpenSshServer.start("Banner " + banner)) {
        var person = new Person();
        login(to(server).identityFile(server.userKey()).interaction(person));
        assertThat(person.shown).containsExactly("Hello\n\\x1b[31mred\\x07");
      }
    }
  }

  // ---- known_hosts ----------------------------------------------------------------------------

  private static ConnectOptions.Builder asking(
      OpenSshServer server, Path knownHosts, Person person, KnownHostsOptions.Strictness strict) {
    return ConnectOptions.to("localhost")
        .port(server.port())
        .identityFile(server.userKey())
        .interaction(person)
        .hostKeyPolicy(
            HostKeyPolicy.knownHosts(
                KnownHostsOptions.files(List.of(knownHosts))
                    .strictness(strict)
                    .hashNames(true)
                    .interaction(person)
                    .build()));
  }

  @Test
  void theFirstContactIsAskedForAndRememberedUnderAHash() throws Exception {
    try (var server = OpenSshServer.start(List.of(Keys.Type.ED25519));
        var scratch = new Scratch()) {
      Path file = scratch.path("known_hosts");
      var no = new Person("no");
      assertThatThrownBy(() -> connect(asking(server, file, no, KnownHostsOptions.Strictness.ASK)))
          .isInstanceOf(SshException.HostKeyRejected.class)
          .hasMessageStartingWith("Host key verification failed");
      assertThat(Files.exists(file)).isFalse();

      String fingerprint = server.hostKey(Keys.Type.ED25519).fingerprint();
      var person = new Person("what?", fingerprint);
      login(asking(server, file, person, KnownHostsOptions.Strictness.ASK));
      assertThat(person.asked.getFirst())
          .contains("The authenticity of host '[localhost]:" + server.port())
          .contains("ED25519 key fingerprint is " + fingerprint);
      assertThat(Files.readString(file)).startsWith("|1|").doesNotContain("localhost");
      // ssh itself finds it.
      assertThat(Program.of(Keys.keygen(), "-f", file, "-F", "[localhost]:" + server.port()).run())
          .contains("found: line 1");
      login(asking(server, file, new Person(), KnownHostsOptions.Strictness.YES));
    }
  }

  @Test
  void aChangedKeyStopsEverythingAndOffKeepsSecretsAndForwardingsBack() throws Exception {
    try (var server =
            OpenSshServer.start(
                List.of(Keys.Type.ED25519),
                "PasswordAuthentication yes",
                "KbdInteractiveAuthentication yes",
                "UsePAM yes");
        var scratch = new Scratch()) {
      var other = Keys.generate(scratch.path("other"), Keys.Type.ED25519);
      Path file =
          scratch.write(
              "known_hosts",
              "# mine\n[localhost]:%d %s\n".formatted(server.port(), other.publicLine()));
      var person = new Person();
      assertThatThrownBy(
              () -> connect(asking(server, file, person, KnownHostsOptions.Strictness.ACCEPT_NEW)))
          .isInstanceOf(SshException.HostKeyRejected.class)
          .hasMessageContaining(file + ":2");
      assertThat(person.shown.getFirst()).contains("REMOTE HOST IDENTIFICATION HAS CHANGED!");

      var careless = new Person("secret");
      try (var agent = SshAgent.start();
          var connection =
              connect(asking(server, file, careless, KnownHostsOptions.Strictness.OFF));
          var session = connection.openSession()) {
        assertThat(connection.isServerVerified()).isFalse();
        for (ForwardSpec spec :
            List.of(
                ForwardSpec.parseLocal(Ports.free() + ":x:1"),
                ForwardSpec.parseRemote("0:x:1"),
                ForwardSpec.parseDynamic(Integer.toString(Ports.free())))) {
          assertThatThrownBy(() -> connection.forward(spec))
              .isInstanceOf(SshException.ForwardRefused.class)
              .hasMessage("Port forwarding is disabled to avoid man-in-the-middle attacks.");
        }
        assertThat(session.forwardAgent(agent.socket()).get()).isFalse();
        session.exec("echo \"agent=$SSH_AUTH_SOCK\"");
        assertThat(new String(session.stdout().readAllBytes(), UTF_8)).isEqualTo("agent=\n");
      }
      assertThatThrownBy(
              () ->
                  connect(
                      asking(server, file, careless, KnownHostsOptions.Strictness.OFF)
                          .authentications(List.of("keyboard-interactive", "password"))))
          .hasMessageContaining("Permission denied");
      assertThat(careless.asked).isEmpty();
      assertThat(careless.shown)
          .contains(
              "Keyboard-interactive authentication is disabled to avoid man-in-the-middle attacks.",
              "Password authentication is disabled to avoid man-in-the-middle attacks.");
    }
  }

  @Test
  void aRevokedKeyIsRefused() throws Exception {
    try (var server = OpenSshServer.start(List.of(Keys.Type.ED25519));
        var scratch = new Scratch()) {
      Path file =
          scratch.write(
              "known_hosts",
              server.knownHostsLines()
                  + "@revoked * "
                  + server.hostKey(Keys.Type.ED25519).publicLine()
                  + "\n");
      assertThatThrownBy(
              () -> connect(asking(server, file, new Person(), KnownHostsOptions.Strictness.YES)))
          .isInstanceOf(SshException.HostKeyRejected.class)
          .hasMessageContaining("revoked");
    }
  }

  @Test
  void aKnownTypeOfKeyIsAskedForFirst() throws Exception {
    try (var server = OpenSshServer.start();
        var scratch = new Scratch()) {
      Path file =
          scratch.write(
              "known_hosts",
              "[localhost]:%d %s\n"
                  .formatted(server.port(), server.hostKey(Keys.Type.RSA).publicLine()));
      try (var connection =
          connect(asking(server, file, new Person(), KnownHostsOptions.Strictness.YES))) {
        assertThat(connection.handshake().hostKeyAlgorithm()).isEqualTo("rsa-sha2-512");
      }
    }
  }

  @Test
  void certificatesOfHosts() throws Exception {
    try (var scratch = new Scratch()) {
      var authority = Keys.generate(scratch.path("ca"), Keys.Type.ECDSA_384);
      var host = Keys.generate(scratch.path("host"), Keys.Type.RSA);
      Path certificate = Keys.certifyHost(authority, host, "localhost");
      Path knownHosts =
          scratch.write("known_hosts", "@cert-authority * " + authority.publicLine() + "\n");
      try (var server =
          OpenSshServer.start(
              List.of(Keys.Type.ED25519),
              "HostKey " + host.path(),
              "HostCertificate " + certificate)) {
        var options = asking(server, knownHosts, new Person(), KnownHostsOptions.Strictness.YES);
        try (var connection = connect(options)) {
          assertThat(connection.handshake().hostKeyAlgorithm())
              .isEqualTo("rsa-sha2-512-cert-v01@openssh.com");
        }
        assertThatThrownBy(() -> connect(options.host("127.0.0.1")))
            .isInstanceOf(SshException.HostKeyRejected.class);
      }
    }
  }

  @Test
  void newHostKeysAreLearnedAndOldOnesForgotten() throws Exception {
    try (var server = OpenSshServer.start();
        var scratch = new Scratch()) {
      var gone = Keys.generate(scratch.path("gone"), Keys.Type.ECDSA_256);
      String name = "[localhost]:" + server.port() + " ";
      String known = name + server.hostKey(Keys.Type.ED25519).publicLine() + "\n";
      for (var update : List.of(KnownHostsOptions.Update.YES, KnownHostsOptions.Update.ASK)) {
        Path file =
            scratch.write(
                "known_hosts", "# mine\n" + known + name + gone.publicLine() + "\nother x y\n");
        var person = new Person("yes");
        try (var connection =
            connect(
                asking(server, file, person, KnownHostsOptions.Strictness.YES)
                    .hostKeyPolicy(
                        HostKeyPolicy.knownHosts(
                            KnownHostsOptions.files(List.of(file))
                                .strictness(KnownHostsOptions.Strictness.YES)
                                .updateHostKeys(update)
                                .interaction(person)
                                .build())))) {
          Ports.await("five host keys", () -> read(file).split("\\[localhost]", -1).length == 6);
          connection.sendKeepalive().get();
        }
        assertThat(read(file))
            .startsWith("# mine\n" + known.replaceFirst(" \\S+\n$", ""))
            .contains("other x y\n")
            .doesNotContain(gone.publicLine().split(" ", -1)[1]);
        for (Keys.Type type : Keys.Type.values()) {
          assertThat(read(file)).contains(server.hostKey(type).publicLine().split(" ", -1)[1]);
        }
        assertThat(person.asked)
            .hasSize(update == KnownHostsOptions.Update.ASK ? 1 : 0)
            .allMatch(question -> question.startsWith("Accept updated hostkeys?"));
      }
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  // ---- Other servers --------------------------------------------------------------------------

  @Test
  void dropbearLetsIn() throws Exception {
    try (var account = TestAccount.create();
        var server = DropbearServer.start()) {
      account.authorize(Keys.shared(Keys.Type.ED25519).publicLine());
      login(
          ConnectOptions.to("127.0.0.1")
              .port(server.port())
              .user(account.name())
              .identityFile(Keys.shared(Keys.Type.ED25519).path())
              .hostKeyPolicy(
                  HostKeyPolicy.knownHosts(
                      KnownHostsOptions.files(List.of(server.knownHosts()))
                          .strictness(KnownHostsOptions.Strictness.YES)
                          .build())));
      assertThat(server.log()).contains("Pubkey auth succeeded");
    }
  }

  @Test
  void tinysshdIsRefusedUnlessOneSaysSo() throws Exception {
    try (var account = TestAccount.create();
        var server = TinySshServer.start()) {
      account.authorize(Keys.shared(Keys.Type.ED25519).publicLine());
      var options =
          ConnectOptions.to("127.0.0.1")
              .port(server.port())
              .user(account.name())
              .identityFile(Keys.shared(Keys.Type.ED25519).path())
              .hostKeyPolicy(
                  HostKeyPolicy.knownHosts(
                      KnownHostsOptions.files(List.of(server.knownHosts()))
                          .strictness(KnownHostsOptions.Strictness.YES)
                          .build()));
      assertThatThrownBy(() -> connect(options))
          .isInstanceOf(SshException.NegotiationFailed.class)
          .hasMessageContaining("chacha20-poly1305@openssh.com")
          .hasMessageContaining("strict key exchange");
      try (var connection = connect(options.allowNonStrictKex(true))) {
        assertThat(connection.handshake().strict()).isFalse();
      }
    }
  }
}
