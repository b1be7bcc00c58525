package dev.adit.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.config.StandardAlgorithms;
import dev.adit.config.server.ServerConfigReader;
import dev.adit.ssh.AccessPolicy;
import dev.adit.ssh.Authenticator.Conversation.Step;
import dev.adit.ssh.Authenticator.Login;
import dev.adit.ssh.Authenticator.Proof;
import dev.adit.ssh.Decision;
import dev.adit.ssh.Peer;
import dev.adit.ssh.Target;
import dev.adit.ssh.UserKey;
import dev.adit.ssh.keys.SshPublicKey;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who gets in. Keys, certificates and revocation lists are ssh-keygen's. */
class GatewayLoginTest {
  /** Of "secret". */
  private static final String HASH = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

  @TempDir static Path keys;
  @TempDir Path home;

  private final Told told = new Told();
  private Instant now = Instant.parse("2026-06-01T12:00:00Z");
  private String address = "192.0.2.7";
  private long uid = 4711;

  @BeforeAll
  static void keys() throws Exception {
    for (String name : List.of("one", "two", "ca", "ca2")) {
      run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", name);
    }
    run("ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", "rsa");
  }

  private static void run(String... command) throws Exception {
    Process process =
        new ProcessBuilder(command).directory(keys.toFile()).redirectErrorStream(true).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(out).isZero();
  }

  /** A certificate for a fresh copy of a key. */
  private static SshPublicKey certify(String authority, String key, String... more)
      throws Exception {
    Path copy = Files.createTempFile(keys, key, ".pub");
    Files.copy(keys.resolve(key + ".pub"), copy, StandardCopyOption.REPLACE_EXISTING);
    List<String> command =
        new ArrayList<>(List.of("ssh-keygen", "-q", "-s", authority, "-I", "id"));
    command.addAll(List.of(more));
    command.add(copy.toString());
    run(command.toArray(String[]::new));
    return key(copy.toString().replace(".pub", "-cert"));
  }

  private static SshPublicKey key(String name) throws IOException {
    return SshPublicKey.parseLine(line(name)).key();
  }

  private static String line(String name) throws IOException {
    return Files.readString(keys.resolve(name + ".pub")).strip();
  }

  @BeforeEach
  void ownHome() throws IOException {
    Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.setPosixFilePermissions(
        Files.createDirectory(home.resolve(".ssh")), PosixFilePermissions.fromString("rwx------"));
  }

  @AfterEach
  void noMoreLogs() {
    told.close();
  }

  private Path write(String name, String... lines) throws IOException {
    Path file = home.resolve(name);
    Files.writeString(file, String.join("\n", lines) + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    return file;
  }

  private void authorize(String... lines) throws IOException {
    write(".ssh/authorized_keys", lines);
  }

  private Login login(String user, String... config) throws Exception {
    Path file = Files.createTempFile(home, "sshd_config", "");
    Files.writeString(file, String.join("\n", config) + "\n");
    var reader = new ServerConfigReader(new StandardAlgorithms());
    reader.file(file);
    var built = reader.build();
    return new GatewayAuthenticator(() -> built, (_, _) -> {}, this::account, () -> now)
        .begin(
            new Peer(
                1,
                new InetSocketAddress(InetAddress.ofLiteral(address), 50022),
                new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 2222)),
            user);
  }

  private @Nullable Account account(String name, Collection<String> tunnelUsers) {
    return switch (name) {
      case "ada", "root" ->
          new Account(
              name, uid, List.of("staff", "dev"), home, Path.of("/bin/sh"), name.equals("ada"));
      case "shell-less" -> new Account(name, 9, List.of("x"), home, Path.of("/no/shell"), false);
      default ->
          tunnelUsers.contains(name)
              ? new Account(name, SystemUsers.ownUid(), List.of(), null, null, false)
              : null;
    };
  }

  private static UserKey offered(SshPublicKey key) {
    return new UserKey(
        key.typeName(), key.algorithms().getFirst(), key.blob(), key.fingerprint(), null);
  }

  private boolean letsIn(Login login, SshPublicKey key) {
    return login.publicKey(offered(key)) != null;
  }

  private boolean letsIn(SshPublicKey key, String... config) throws Exception {
    return letsIn(login("ada", config), key);
  }

  // ---- accounts

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '"',
      delimiter = '|',
      value = {
        "AllowUsers ada | ",
        "AllowUsers a?a | ",
        "AllowUsers ada@192.0.2.* | ",
        "AllowUsers ada@192.0.2.0/24 | ",
        "AllowUsers bob | not listed in AllowUsers",
        "AllowUsers ada@198.51.100.0/24 | not listed in AllowUsers",
        "DenyUsers ada | listed in DenyUsers",
        "DenyUsers *@192.0.2.7 | listed in DenyUsers",
        "DenyUsers ada@10.* | ",
        "AllowGroups dev | ",
        "AllowGroups wheel | none of user's groups are listed in AllowGroups",
        "DenyGroups st* | a group is listed in DenyGroups",
      })
  void usersAndGroupsAsConfigured(String config, @Nullable String because) throws Exception {
    authorize(line("one"));
    Login login = login("ada", config);
    assertThat(letsIn(login, key("one"))).isEqualTo(because == null);
    assertThat(login.isKnownUser()).isEqualTo(because == null);
    if (because != null) {
      assertThat(told.lines())
          .containsExactly("User ada from 192.0.2.7 not allowed because " + because);
    }
  }

  @Test
  void strangersHaveTheSameWaysAndNoneWorks() throws Exception {
    Path passwords = write("passwords", "ada:" + HASH, "eve:" + HASH);
    String config = "PasswordFile " + passwords;
    Login stranger = login("eve\n", config);
    assertThat(told.lines()).containsExactly("Invalid user eve\\u000a from 192.0.2.7 port 50022");
    assertThat(stranger.isKnownUser()).isFalse();
    assertThat(stranger.waysIn()).isEqualTo(login("ada", config).waysIn());
    assertThat(stranger.publicKey(offered(key("one")))).isNull();
    assertThat(login("eve", config).password("secret".toCharArray())).isNull();
    assertThat(stranger.admit(List.of(new Proof() {}))).isNull();
  }

  @Test
  void anAccountWithoutAShellIsNotAllowed() throws Exception {
    authorize(line("one"));
    assertThat(letsIn(login("shell-less"), key("one"))).isFalse();
    assertThat(told.lines())
        .containsExactly("User shell-less not allowed because shell /no/shell does not exist");
  }

  @ParameterizedTest
  @CsvSource({
    "yes, true, true, true",
    "prohibit-password, true, true, false",
    "forced-commands-only, false, true, false",
    "no, false, false, false"
  })
  void root(String permitted, boolean byKey, boolean withCommand, boolean byPassword)
      throws Exception {
    uid = 0;
    Path passwords = write("passwords", "root:" + HASH);
    authorize(line("one"), "command=\"true\" " + line("two"));
    Login login = login("root", "PermitRootLogin " + permitted, "PasswordFile " + passwords);
    assertThat(letsIn(login, key("one"))).isEqualTo(byKey);
    assertThat(letsIn(login, key("two"))).isEqualTo(withCommand);
    assertThat(login.password("secret".toCharArray()) != null).isEqualTo(byPassword);
    if (!byPassword) {
      assertThat(told.lines()).contains("ROOT LOGIN REFUSED FROM 192.0.2.7 port 50022");
    }
  }

  // ---- keys

  @Test
  void keysFromSeveralFiles() throws Exception {
    write("first", line("one"));
    write("ada.keys", line("two"));
    String config = "AuthorizedKeysFile %h/first %h/%u.keys .ssh/none";
    assertThat(letsIn(key("one"), config)).isTrue();
    assertThat(letsIn(key("two"), config)).isTrue();
    assertThat(letsIn(key("rsa"), config)).isFalse();
    assertThat(letsIn(key("one"), "AuthorizedKeysFile none")).isFalse();
    assertThat(letsIn(key("one"), config, "PubkeyAuthentication no")).isFalse();
  }

  @Test
  void filesThatOthersCouldHaveWrittenLetNobodyIn() throws Exception {
    authorize(line("one"));
    Path file = home.resolve(".ssh/authorized_keys");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-r--"));
    assertThat(letsIn(key("one"))).isFalse();
    assertThat(told.lines())
        .contains("Authentication refused: bad ownership or modes for file " + file.toRealPath());
    assertThat(letsIn(key("one"), "StrictModes no")).isTrue();
  }

  @Test
  void algorithmsAndSizes() throws Exception {
    authorize(line("rsa"), line("one"));
    assertThat(letsIn(key("rsa"))).isTrue();
    assertThat(letsIn(key("rsa"), "RequiredRSASize 3072")).isFalse();
    assertThat(letsIn(key("rsa"), "PubkeyAcceptedAlgorithms ssh-ed25519")).isFalse();
    assertThat(letsIn(key("one"), "PubkeyAcceptedAlgorithms ssh-ed25519")).isTrue();
  }

  @Test
  void whereAKeyMayComeFromAndUntilWhen() throws Exception {
    authorize(
        "from=\"192.0.2.0/24,!192.0.2.9\" " + line("one"),
        "expiry-time=\"20260601120000Z\" " + line("two"));
    assertThat(letsIn(key("one"))).isTrue();
    assertThat(letsIn(key("two"))).isTrue();
    now = now.plusSeconds(1);
    assertThat(letsIn(key("two"))).isFalse();
    address = "192.0.2.9";
    assertThat(letsIn(key("one"))).isFalse();
    assertThat(told.lines().getLast())
        .isEqualTo(
            "Authentication tried for ada with correct key but not from a permitted host"
                + " (host=192.0.2.9, ip=192.0.2.9, required=192.0.2.0/24,!192.0.2.9).");
    address = "192.0.2.7";
    // A mask that doesn't fit its address is a mistake, and lets nobody in.
    authorize("from=\"192.0.2.1/24\" " + line("one"));
    assertThat(letsIn(key("one"))).isFalse();
  }

  @Test
  void aLaterLineMayLetInWhatAnEarlierDoesNot() throws Exception {
    authorize(
        "nonsense " + line("one"), "from=\"10.0.0.1\" " + line("one"), "no-pty " + line("one"));
    assertThat(letsIn(key("one"))).isTrue();
  }

  @Test
  void touchAndVerification() throws Exception {
    authorize("no-touch-required,verify-required " + line("one"), line("two"));
    Proof one = Objects.requireNonNull(login("ada").publicKey(offered(key("one"))));
    assertThat(one.requiresTouch()).isFalse();
    assertThat(one.requiresVerification()).isTrue();
    Proof two = Objects.requireNonNull(login("ada").publicKey(offered(key("two"))));
    assertThat(two.requiresTouch()).isTrue();
    assertThat(two.requiresVerification()).isFalse();
    Proof always =
        Objects.requireNonNull(
            login("ada", "PubkeyAuthOptions touch-required verify-required")
                .publicKey(offered(key("one"))));
    assertThat(always.requiresTouch()).isTrue();
  }

  // ---- certificates

  @Test
  void anAuthorityInAuthorizedKeys() throws Exception {
    authorize("cert-authority " + line("ca"));
    assertThat(letsIn(certify("ca", "one", "-n", "ada,bob"))).isTrue();
    assertThat(letsIn(certify("ca", "one", "-n", "bob"))).isFalse();
    assertThat(letsIn(certify("ca2", "one", "-n", "ada"))).isFalse();
    assertThat(letsIn(key("ca"))).isFalse();
    assertThat(letsIn(key("one"))).isFalse();
    authorize("cert-authority,principals=\"ops,sre\" " + line("ca"));
    assertThat(letsIn(certify("ca", "one", "-n", "sre"))).isTrue();
    assertThat(letsIn(certify("ca", "one", "-n", "ada"))).isFalse();
    authorize("principals=\"ops\" " + line("one"));
    assertThat(letsIn(key("one"))).isFalse();
  }

  @Test
  void aCertificateWithoutPrincipalsIsForNobody() throws Exception {
    authorize("cert-authority " + line("ca"));
    assertThat(letsIn(certify("ca", "one"))).isFalse();
    assertThat(told.lines()).contains("Certificate lacks principal list");
  }

  @Test
  void trustedAuthoritiesAndPrincipals() throws Exception {
    String trusted = "TrustedUserCAKeys " + write("cas", "# ours", line("ca"));
    assertThat(letsIn(certify("ca", "one", "-n", "ada"), trusted)).isTrue();
    assertThat(letsIn(certify("ca", "one", "-n", "eve"), trusted)).isFalse();
    assertThat(letsIn(certify("ca2", "one", "-n", "ada"), trusted)).isFalse();
    write(".ssh/principals", "ops # team", "from=\"10.0.0.1\" far", "no-pty near");
    String principals = "AuthorizedPrincipalsFile .ssh/principals";
    assertThat(letsIn(certify("ca", "one", "-n", "x,ops"), trusted, principals)).isTrue();
    assertThat(letsIn(certify("ca", "one", "-n", "near"), trusted, principals)).isTrue();
    assertThat(letsIn(certify("ca", "one", "-n", "far"), trusted, principals)).isFalse();
    // With a file of principals, the user's own name is no principal.
    assertThat(letsIn(certify("ca", "one", "-n", "ada"), trusted, principals)).isFalse();
    Files.delete(home.resolve(".ssh/principals"));
    assertThat(letsIn(certify("ca", "one", "-n", "ops"), trusted, principals)).isFalse();
    assertThat(told.lines()).contains("Certificate does not contain an authorized principal");
  }

  @Test
  void timesAddressesAndOptionsOfCertificates() throws Exception {
    String trusted = "TrustedUserCAKeys " + write("cas", line("ca"));
    SshPublicKey timed = certify("ca", "one", "-n", "ada", "-V", "20260101:20260701");
    assertThat(letsIn(timed, trusted)).isTrue();
    now = Instant.parse("2026-08-01T00:00:00Z");
    assertThat(letsIn(timed, trusted)).isFalse();
    assertThat(told.lines()).contains("Certificate invalid: expired");
    SshPublicKey placed =
        certify("ca", "one", "-n", "ada", "-O", "source-address=192.0.2.0/24,::1/128");
    assertThat(letsIn(placed, trusted)).isTrue();
    address = "192.0.3.1";
    assertThat(letsIn(placed, trusted)).isFalse();
    assertThat(told.lines())
        .contains(
            "Authentication tried for ada with valid certificate but not from a permitted source"
                + " address (192.0.3.1).");
    assertThat(letsIn(certify("ca", "one", "-n", "ada", "-O", "critical:new@example=1"), trusted))
        .isFalse();
    assertThat(
            letsIn(
                certify("ca", "one", "-n", "ada"),
                trusted,
                "CASignatureAlgorithms ecdsa-sha2-nistp256"))
        .isFalse();
    Proof verified =
        Objects.requireNonNull(
            login("ada", trusted)
                .publicKey(offered(certify("ca", "one", "-n", "ada", "-O", "verify-required"))));
    assertThat(verified.requiresVerification()).isTrue();
  }

  @Test
  void twoCommandsOfOneLoginDoNotMatch() throws Exception {
    authorize("cert-authority,command=\"a\" " + line("ca"));
    assertThat(letsIn(certify("ca", "one", "-n", "ada", "-O", "force-command=a"))).isTrue();
    assertThat(letsIn(certify("ca", "one", "-n", "ada", "-O", "force-command=b"))).isFalse();
  }

  @Test
  void revokedKeysAuthoritiesAndSerials() throws Exception {
    authorize(line("one"), line("two"), "cert-authority " + line("ca"));
    SshPublicKey first = certify("ca", "rsa", "-n", "ada", "-z", "1");
    SshPublicKey second = certify("ca", "rsa", "-n", "ada", "-z", "2");
    Path plain = write("revoked", line("two"));
    String config = "RevokedKeys " + plain;
    assertThat(letsIn(key("one"), config)).isTrue();
    assertThat(letsIn(key("two"), config)).isFalse();
    assertThat(told.lines().getLast()).contains("revoked by file " + plain);
    Files.writeString(home.resolve("spec"), "serial: 2\n");
    run("ssh-keygen", "-q", "-k", "-s", "ca.pub", "-f", home + "/krl", home + "/spec");
    String krl = "RevokedKeys " + home.resolve("krl");
    assertThat(letsIn(first, krl)).isTrue();
    assertThat(letsIn(second, krl)).isFalse();
    write("revoked", line("ca"));
    assertThat(letsIn(first, config)).isFalse();
    assertThat(letsIn(key("two"), config)).isTrue();
    // A list that isn't there can't say that a key is still good.
    assertThat(letsIn(key("one"), "RevokedKeys " + home.resolve("none"))).isFalse();
  }

  // ---- methods

  @Test
  void waysIn() throws Exception {
    String file = "PasswordFile " + write("passwords", "ada:" + HASH);
    assertThat(login("ada").waysIn()).containsExactly(List.of("publickey"));
    assertThat(login("ada", file).waysIn())
        .containsExactly(
            List.of("publickey"), List.of("password"), List.of("keyboard-interactive"));
    assertThat(
            login(
                    "ada",
                    file,
                    "AuthenticationMethods publickey,password publickey,keyboard-interactive",
                    "KbdInteractiveAuthentication no")
                .waysIn())
        .containsExactly(List.of("publickey", "password"));
    assertThat(login("ada", "PubkeyAuthentication no").waysIn())
        .containsExactly(List.of("publickey"));
  }

  @Test
  void passwordsAndQuestions() throws Exception {
    String file = "PasswordFile " + write("passwords", "ada:" + HASH);
    Login login = login("ada", file);
    assertThat(login.password("secret".toCharArray())).isNotNull();
    assertThat(login.password("Secret".toCharArray())).isNull();
    assertThat(login("ada", file, "PasswordAuthentication no").password("secret".toCharArray()))
        .isNull();
    var conversation = Objects.requireNonNull(login.keyboardInteractive());
    assertThat(conversation.first())
        .isInstanceOfSatisfying(
            Step.Ask.class,
            ask -> {
              assertThat(ask.questions()).hasSize(1);
              assertThat(ask.questions().getFirst().echo()).isFalse();
            });
    assertThat(conversation.answered(List.of("no"))).isInstanceOf(Step.Denied.class);
    assertThat(conversation.answered(List.of("secret"))).isInstanceOf(Step.Granted.class);
    assertThat(login("ada", file, "KbdInteractiveAuthentication no").keyboardInteractive())
        .isNull();
    assertThat(login("ada").password("secret".toCharArray())).isNull();
  }

  @Test
  void banner() throws Exception {
    assertThat(login("ada").banner()).isEmpty();
    assertThat(login("ada", "Banner " + write("issue", "Hello")).banner()).isEqualTo("Hello\n");
    assertThat(login("ada", "Banner /none/there").banner()).isEmpty();
  }

  @Test
  void matchAppliesToTheConnection() throws Exception {
    authorize(line("one"));
    assertThat(
            letsIn(key("one"), "Match Group dev Address 192.0.2.0/24", "PubkeyAuthentication no"))
        .isFalse();
    assertThat(letsIn(key("one"), "Match Group wheel", "PubkeyAuthentication no")).isTrue();
  }

  @Test
  void aConnectionMayBeRefusedWhatever() throws Exception {
    authorize(line("one"));
    assertThat(login("ada", "Match Address 192.0.2.0/24", "RefuseConnection yes").refusal())
        .isEqualTo("administratively prohibited");
    assertThat(told.lines())
        .containsExactly(
            "administratively prohibited connection for ada from 192.0.2.7 port 50022");
  }

  // ---- in

  @Test
  void whatAnEarlierProofAllowsIsNotForgotten() throws Exception {
    authorize(
        "permitopen=\"db:5432\" " + line("one"), line("two"), "no-port-forwarding " + line("rsa"));
    Login login = login("ada");
    Proof one = Objects.requireNonNull(login.publicKey(offered(key("one"))));
    Proof two = Objects.requireNonNull(login.publicKey(offered(key("two"))));
    Proof none = Objects.requireNonNull(login.publicKey(offered(key("rsa"))));
    for (List<Proof> order : List.of(List.of(one, two), List.of(two, one))) {
      AccessPolicy policy = Objects.requireNonNull(login.admit(order));
      assertThat(policy.connect(new Target.Tcp("db", 5432))).isInstanceOf(Decision.Allowed.class);
      assertThat(policy.connect(new Target.Tcp("web", 80))).isInstanceOf(Decision.Denied.class);
    }
    assertThat(
            Objects.requireNonNull(login.admit(List.of(one, none)))
                .connect(new Target.Tcp("db", 5432)))
        .isInstanceOf(Decision.Denied.class);
    assertThat(login.admit(List.of())).isNull();
    assertThat(login.admit(List.of(new Proof() {}))).isNull();
  }

  @Test
  void twoCommandsOfTwoKeysAreRefused() throws Exception {
    authorize("command=\"a\" " + line("one"), "command=\"b\" " + line("two"));
    Login login = login("ada");
    Proof one = Objects.requireNonNull(login.publicKey(offered(key("one"))));
    Proof two = Objects.requireNonNull(login.publicKey(offered(key("two"))));
    assertThat(login.admit(List.of(one))).isNotNull();
    assertThat(login.admit(List.of(one, two))).isNull();
  }

  @Test
  void tunnelUsersHaveKeysWhereTheConfigurationSays() throws Exception {
    Files.createDirectory(home.resolve("keys"));
    write("keys/door", line("one"));
    String config = "AuthorizedKeysFile %s/keys/%%u".formatted(home.toRealPath());
    // Their directories are looked at up to the root, and the temporary one is everybody's.
    assertThat(letsIn(login("door", "TunnelUsers door", config), key("one"))).isFalse();
    Login login = login("door", "TunnelUsers door", config, "StrictModes no");
    assertThat(letsIn(login, key("one"))).isTrue();
    assertThat(letsIn(login, key("two"))).isFalse();
    assertThat(letsIn(login("gate", "TunnelUsers door", config, "StrictModes no"), key("one")))
        .isFalse();
  }
}
