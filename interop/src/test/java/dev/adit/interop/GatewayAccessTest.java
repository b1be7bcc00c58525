package dev.adit.interop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.interop.Keys.KeyFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The same files and the same real ssh at Debian's sshd and at the gateway: both must let in whom
 * the other lets in, and allow what the other allows.
 */
class GatewayAccessTest {
  private static final String OWN = System.getProperty("user.name");

  private static Scratch files;
  private static OpenSshServer sshd;
  private static GatewayServer gateway;
  private static TestServer web;
  private static KeyFile key;
  private static KeyFile authority;

  @BeforeAll
  static void servers() {
    files = new Scratch();
    key = Keys.generate(files.path("key"), Keys.Type.ED25519);
    authority = Keys.generate(files.path("authority"), Keys.Type.ED25519);
    files.write("cas", authority.publicLine() + "\n");
    files.write("principals", "ops\nfrom=\"10.0.0.1\" elsewhere\n");
    web = TestServer.start(HttpOrigin.pages());
    String[] config = {
      "AuthorizedKeysFile " + files.path("keys"),
      "TrustedUserCAKeys " + files.path("cas"),
      "AuthorizedPrincipalsFile " + files.path("principals"),
      "PermitRootLogin yes",
      "StrictModes no",
      "PermitUserEnvironment yes",
      "AcceptEnv ADIT_*",
      "SetEnv FROM_SETENV=1",
      "Subsystem echo /bin/cat",
    };
    sshd = OpenSshServer.start(List.of(Keys.Type.ED25519), config);
    gateway = GatewayServer.start(config);
  }

  @AfterAll
  static void noServers() {
    Stream.of(gateway, sshd, web, files).forEach(GatewayAccessTest::close);
  }

  private static void close(AutoCloseable what) {
    try {
      what.close();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  /** How an ssh ended. */
  private record Ended(int status, String out, String err) {
    boolean well() {
      return status == 0;
    }
  }

  private static Ended ssh(int port, Path knownHosts, KeyFile identity, Object... arguments) {
    Object[] flags = {
      "-F", "none",
      "-p", port,
      "-i", identity.path(),
      "-o", "IdentitiesOnly=yes",
      "-o", "UserKnownHostsFile=" + knownHosts,
      "-o", "GlobalKnownHostsFile=/dev/null",
      "-o", "BatchMode=yes",
      "-o", "ExitOnForwardFailure=yes",
    };
    try (var ssh =
        Program.of(Judges.require("ssh"))
            .arguments(flags)
            .arguments(arguments)
            .env("ADIT_SENT", "1")
            .stdin(files.path("request"))
            .start()) {
      int status = ssh.exitCode();
      return new Ended(status, ssh.stdout(), ssh.stderr());
    }
  }

  private static Ended atSshd(Object... arguments) {
    return ssh(sshd.port(), sshd.knownHosts(), key, arguments);
  }

  private static Ended atGateway(Object... arguments) {
    return ssh(gateway.port(), gateway.knownHosts(), key, arguments);
  }

  /** What both say, which must be the same. */
  private static boolean both(Object... arguments) {
    files.write("request", "GET /page HTTP/1.0\r\n\r\n");
    Ended theirs = atSshd(arguments);
    Ended ours = atGateway(arguments);
    assertThat(ours.well())
        .as(
            "%s\nsshd: %s\ngateway: %s\n%s",
            Arrays.toString(arguments), theirs, ours, gateway.log())
        .isEqualTo(theirs.well());
    return ours.well();
  }

  private static void authorize(String options) {
    files.write("keys", (options + " " + key.publicLine()).strip() + "\n");
  }

  // ---- who gets in

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "restrict",
        "RESTRICT,Pty",
        "from=\"127.0.0.1\"",
        "from=\"127.0.0.0/8,10.0.0.1\"",
        "from=\"127.*\"",
        "from=\"*,!127.0.0.1\"",
        "from=\"10.0.0.0/8\"",
        "from=\"127.0.0.1/8\"",
        "from=\"\"",
        "expiry-time=\"20200101\"",
        "expiry-time=\"20990101\"",
        "expiry-time=\"209901011200Z\"",
        "expiry-time=\"never\"",
        "nonsense",
        "no-pty,",
        "command=\"true\",command=\"true\"",
        "command=true",
        "principals=\"ops\"",
        "cert-authority",
        "environment=\"A=1\"",
        "environment=\"A\"",
        "permitopen=\"host\"",
        "permitopen=\"host:0\"",
        "permitlisten=\"8080\"",
        "tunnel=\"0\",no-X11-forwarding,no-user-rc,no-touch-required",
        "verify-required",
      })
  void optionsOfAKey(String options) {
    authorize(options);
    both(OWN + "@127.0.0.1", "true");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ops | | true",
        "x,ops | | true",
        "nobody | | false",
        "elsewhere | | false",
        "ops | -V 20200101:20210101 | false",
        "ops | -V 20200101:20990101 | true",
        "ops | -O source-address=127.0.0.1/32 | true",
        "ops | -O source-address=10.0.0.0/8 | false",
        "ops | -O force-command=true | true",
        "ops | -O critical:new@example=1 | false",
        "ops | -O clear | true",
      })
  void certificates(String principals, String more, boolean letsIn) {
    files.write("keys", "");
    Keys.certifyUser(
        authority, key, principals, more == null ? new String[0] : more.split(" ", -1));
    assertThat(both("-o", "CertificateFile=" + key.certificatePath(), OWN + "@127.0.0.1", "true"))
        .isEqualTo(letsIn);
  }

  @Test
  void aCertificateMayDoNoMoreThanItsExtensions() {
    files.write("keys", "");
    Keys.certifyUser(authority, key, "ops", "-O", "clear");
    assertThat(both("-W", "127.0.0.1:" + web.port(), OWN + "@127.0.0.1")).isFalse();
    Keys.certifyUser(authority, key, "ops", "-O", "clear", "-O", "permit-port-forwarding");
    assertThat(both("-W", "127.0.0.1:" + web.port(), OWN + "@127.0.0.1")).isTrue();
    key.certificatePath().toFile().delete();
  }

  /** The words that people and fail2ban look for. */
  @Test
  void strictModesRefusesInSshdsWords() {
    String[] config = {
      "AuthorizedKeysFile " + files.path("keys"), "StrictModes yes", "PermitRootLogin yes"
    };
    authorize("");
    try (var strictSshd = OpenSshServer.start(List.of(Keys.Type.ED25519), config);
        var strict = GatewayServer.start(config)) {
      assertThat(
              ssh(strictSshd.port(), strictSshd.knownHosts(), key, OWN + "@127.0.0.1", "true")
                  .well())
          .isFalse();
      assertThat(ssh(strict.port(), strict.knownHosts(), key, OWN + "@127.0.0.1", "true").well())
          .isFalse();
      String words = "Authentication refused: bad ownership or modes for directory /tmp";
      assertThat(strictSshd.log()).contains(words);
      assertThat(strict.log()).contains(words);
    }
  }

  @Test
  void passwordsAreThoseOfThePasswordFile() {
    String hash =
        Program.of("perl", "-e", "print crypt(q(open sesame), q($2b$05$abcdefghijklmnopqrstuu))")
            .run();
    Path passwords = files.write("passwords", "door:" + hash + "\n");
    Path ask = files.write("ask", "#!/bin/sh\necho \"$ADIT_PASSWORD\"\n");
    assertThat(ask.toFile().setExecutable(true)).isTrue();
    try (var server =
        GatewayServer.start(
            "TunnelUsers door",
            "PasswordFile " + passwords,
            "AuthenticationMethods password keyboard-interactive")) {
      for (String method : List.of("password", "keyboard-interactive")) {
        for (String password : List.of("open sesame", "open sesam")) {
          try (var ssh =
              Program.of(Judges.require("ssh"))
                  .arguments("-F", "none", "-p", server.port())
                  .arguments("-o", "UserKnownHostsFile=" + server.knownHosts())
                  .arguments("-o", "PreferredAuthentications=" + method)
                  .arguments("-o", "NumberOfPasswordPrompts=1")
                  .arguments("-W", "127.0.0.1:" + web.port(), "door@127.0.0.1")
                  .env("SSH_ASKPASS", ask)
                  .env("SSH_ASKPASS_REQUIRE", "force")
                  .env("ADIT_PASSWORD", password)
                  .stdin(files.write("request", "GET /page HTTP/1.0\r\n\r\n"))
                  .start()) {
            assertThat(ssh.exitCode() == 0)
                .as("%s %s: %s", method, password, ssh)
                .isEqualTo(password.equals("open sesame"));
          }
        }
      }
    }
  }

  // ---- what they may do

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '\'',
      delimiter = '|',
      value = {
        "'' | 127.0.0.1 | true",
        "permitopen=\"127.0.0.1:PORT\" | 127.0.0.1 | true",
        "permitopen=\"127.0.0.1:PORT\" | localhost | false",
        "permitopen=\"LOCALHOST:PORT\" | localhost | false",
        "permitopen=\"127.0.0.1:1\" | 127.0.0.1 | false",
        "permitopen=\"127.0.0.1:1\",permitopen=\"127.0.0.1:PORT\" | 127.0.0.1 | true",
        "permitopen=\"127.0.0.1:*\" | 127.0.0.1 | true",
        "permitopen=\"*:PORT\" | localhost | true",
        "permitopen=\"[127.0.0.1]:PORT\" | 127.0.0.1 | true",
        "permitlisten=\"1\" | 127.0.0.1 | true",
        "restrict | 127.0.0.1 | false",
        "restrict,port-forwarding | 127.0.0.1 | true",
        "restrict,permitopen=\"127.0.0.1:PORT\" | 127.0.0.1 | false",
        "no-port-forwarding | 127.0.0.1 | false",
      })
  void targetsOfAKey(String options, String host, boolean allowed) {
    authorize(options.replace("PORT", "" + web.port()));
    assertThat(both("-W", host + ":" + web.port(), OWN + "@127.0.0.1")).isEqualTo(allowed);
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '\'',
      delimiter = '|',
      value = {
        "'' | PORT | true",
        "permitlisten=\"PORT\" | PORT | true",
        "permitlisten=\"PORT\" | 127.0.0.1:PORT | true",
        "permitlisten=\"localhost:PORT\" | PORT | true",
        "permitlisten=\"localhost:PORT\" | localhost:PORT | true",
        "permitlisten=\"localhost:PORT\" | 127.0.0.1:PORT | false",
        "permitlisten=\"127.0.0.1:PORT\" | localhost:PORT | false",
        "permitlisten=\"1\" | PORT | false",
        "permitlisten=\"localhost:*\" | PORT | true",
        "permitlisten=\"localhost:*\" | 0 | true",
        "permitlisten=\"PORT\" | 0 | false",
        "permitopen=\"x:1\" | PORT | true",
        "restrict | PORT | false",
      })
  void listenersOfAKey(String options, String asked, boolean allowed) {
    String port = "" + Ports.free();
    authorize(options.replace("PORT", port));
    String listen = asked.replace("PORT", port) + ":127.0.0.1:" + web.port();
    assertThat(both("-R", listen, OWN + "@127.0.0.1", "true")).isEqualTo(allowed);
  }

  @Test
  void whatTheConfigurationLists() {
    authorize("");
    int port = Ports.free();
    String[] config = {
      "AuthorizedKeysFile " + files.path("keys"),
      "PermitRootLogin yes",
      "StrictModes no",
      "PermitOpen 127.0.0.1:" + web.port() + " [::1]:*",
      "PermitListen localhost:" + port,
      "PermitTTY no",
      "ForceCommand echo forced: $SSH_ORIGINAL_COMMAND",
    };
    try (var listing = OpenSshServer.start(List.of(Keys.Type.ED25519), config);
        var ours = GatewayServer.start(config)) {
      List<Object[]> questions =
          List.of(
              new Object[] {"-W", "127.0.0.1:" + web.port(), OWN + "@127.0.0.1"},
              new Object[] {"-W", "localhost:" + web.port(), OWN + "@127.0.0.1"},
              new Object[] {"-R", port + ":127.0.0.1:1", OWN + "@127.0.0.1", "true"},
              new Object[] {"-R", "0:127.0.0.1:1", OWN + "@127.0.0.1", "true"},
              new Object[] {"-tt", OWN + "@127.0.0.1", "tty"},
              new Object[] {OWN + "@127.0.0.1", "what", "ever"},
              new Object[] {"-s", OWN + "@127.0.0.1", "sftp"});
      files.write("request", "GET /page HTTP/1.0\r\n\r\n");
      for (Object[] question : questions) {
        Ended theirs = ssh(listing.port(), listing.knownHosts(), key, question);
        Ended mine = ssh(ours.port(), ours.knownHosts(), key, question);
        if (!question[0].equals("-s")) {
          assertThat(mine.status())
              .as("%s\nsshd: %s\ngateway: %s", Arrays.toString(question), theirs, mine)
              .isEqualTo(theirs.status());
          assertThat(mine.out()).isEqualTo(theirs.out());
        }
      }
      Ended refused = ssh(ours.port(), ours.knownHosts(), key, "-W", "db:5432", OWN + "@127.0.0.1");
      assertThat(refused.err())
          .contains("administratively prohibited: PermitOpen does not list db:5432");
    }
  }

  @Test
  void metadataAddressesAreNotDialled() {
    authorize("");
    for (String host : List.of("169.254.169.254", "2852039166", "[::ffff:a9fe:a9fe]")) {
      Ended ended = atGateway("-W", host + ":" + web.port(), OWN + "@127.0.0.1");
      assertThat(ended.err()).contains("administratively prohibited").contains("PermitOpen");
    }
  }

  /** Names and values alike, but for what differs by its nature: ports. */
  @Test
  void theSessionsEnvironmentIsSshds() {
    authorize("environment=\"FROM_KEY=1\"");
    files.write("request", "");
    List<String> lists = new ArrayList<>();
    for (Ended ended :
        List.of(
            atSshd("-o", "SendEnv=ADIT_*", OWN + "@127.0.0.1", "echo $0; pwd; env"),
            atGateway("-o", "SendEnv=ADIT_*", OWN + "@127.0.0.1", "echo $0; pwd; env"))) {
      assertThat(ended.well()).as(ended.toString()).isTrue();
      lists.add(
          ended
              .out()
              .lines()
              .map(line -> line.replaceAll("^(SSH_C\\w+=.*?) \\d+( .*?)\\d+$", "$1$2"))
              .filter(line -> !line.startsWith("_="))
              .sorted()
              .collect(Collectors.joining("\n")));
    }
    assertThat(lists.get(1)).isEqualTo(lists.get(0)).contains("FROM_KEY=1", "FROM_SETENV=1");
  }

  @Test
  void otherAccountsGetTunnelsOnlyAndAreToldSo() {
    files.write("door.keys", key.publicLine() + "\n");
    try (var server =
        GatewayServer.start(
            "TunnelUsers door", "StrictModes no", "AuthorizedKeysFile " + files.path("%u.keys"))) {
      files.write("request", "GET /page HTTP/1.0\r\n\r\n");
      Ended tunnel =
          ssh(
              server.port(),
              server.knownHosts(),
              key,
              "-W",
              "127.0.0.1:" + web.port(),
              "door@127.0.0.1");
      assertThat(tunnel.out()).contains("GET /page");
      Ended session = ssh(server.port(), server.knownHosts(), key, "door@127.0.0.1", "true");
      assertThat(session.status()).isEqualTo(255);
      assertThat(session.err())
          .contains("sessions are for the account that runs aditd; door gets TCP tunnels only");
      Ended stranger = ssh(server.port(), server.knownHosts(), key, "../door@127.0.0.1", "true");
      assertThat(stranger.status()).isEqualTo(255);
      assertThat(server.log()).contains("Invalid user ../door from 127.0.0.1 port ");
    }
  }
}
