package dev.adit.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.config.StandardAlgorithms;
import dev.adit.config.server.ServerConfigReader;
import dev.adit.ssh.AccessPolicy;
import dev.adit.ssh.Decision;
import dev.adit.ssh.Launch;
import dev.adit.ssh.Listen;
import dev.adit.ssh.Peer;
import dev.adit.ssh.PtyOptions;
import dev.adit.ssh.SessionRequest;
import dev.adit.ssh.SessionRequest.Kind;
import dev.adit.ssh.Target;
import dev.adit.ssh.keys.KeyOptions;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What they may do; GatewayAccessTest holds the same rules against sshd. */
class GatewayPolicyTest {
  @TempDir Path home;

  private static final PtyOptions TERMINAL = PtyOptions.of("xterm", 80, 24);

  private Account own() {
    return new Account(
        "ada",
        SystemUsers.ownUid() == 0 ? 4711 : SystemUsers.ownUid(),
        List.of(),
        home,
        Path.of("/bin/bash"),
        true);
  }

  private AccessPolicy policy(Account account, String config, String... keyOptions)
      throws Exception {
    Path file = Files.createTempFile(home, "sshd_config", "");
    Files.writeString(file, config + "\n");
    var reader = new ServerConfigReader(new StandardAlgorithms());
    reader.file(file);
    List<Limits> limits = new ArrayList<>();
    for (String options : keyOptions) {
      limits.add(new Limits("the key", KeyOptions.parse(options)));
    }
    var peer =
        new Peer(
            1,
            new InetSocketAddress(InetAddress.ofLiteral("::1"), 50022),
            new InetSocketAddress(InetAddress.ofLiteral("192.0.2.1"), 2222));
    return new GatewayPolicy(account, peer, reader.build(), limits);
  }

  private AccessPolicy policy(String config, String... keyOptions) throws Exception {
    return policy(own(), config, keyOptions);
  }

  private static @Nullable String why(Decision<?> decision) {
    return decision instanceof Decision.Denied<?>(String why) ? why : null;
  }

  private static <T> T allowed(Decision<T> decision) {
    assertThat(decision).isInstanceOf(Decision.Allowed.class);
    return ((Decision.Allowed<T>) decision).what();
  }

  // ---- to targets

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "-",
      quoteCharacter = '~',
      value = {
        "PermitOpen any | db | 5432 | -",
        "PermitOpen db:5432 | db | 5432 | -",
        "PermitOpen db:5432 | db | 5433 | PermitOpen does not list db:5433",
        "PermitOpen db:5432 | DB | 5432 | PermitOpen does not list DB:5432",
        "PermitOpen db:5432 | db. | 5432 | PermitOpen does not list db.:5432",
        "PermitOpen db:* *:80 | db | 1 | -",
        "PermitOpen db:* *:80 | anything | 80 | -",
        "PermitOpen 127.0.0.1:80 | localhost | 80 | PermitOpen does not list localhost:80",
        "PermitOpen [::1]:80 | ::1 | 80 | -",
        "PermitOpen none | db | 5432 | PermitOpen does not list db:5432",
        "AllowTcpForwarding no | db | 1 | AllowTcpForwarding does not allow it",
        "AllowTcpForwarding remote | db | 1 | AllowTcpForwarding does not allow it",
        "AllowTcpForwarding local | db | 1 | -",
        "DisableForwarding yes | db | 1 | DisableForwarding is set",
      })
  void targets(String config, String host, int port, @Nullable String why) throws Exception {
    assertThat(why(policy(config).connect(new Target.Tcp(host, port)))).isEqualTo(why);
  }

  @Test
  void eachKeyMustAllowIt() throws Exception {
    var db = new Target.Tcp("db", 5432);
    var web = new Target.Tcp("web", 80);
    assertThat(why(policy("", "permitopen=\"db:*\"").connect(db))).isNull();
    assertThat(why(policy("", "permitopen=\"db:*\"").connect(web)))
        .isEqualTo("permitopen of the key does not list web:80");
    assertThat(why(policy("", "permitopen=\"db:*\"", "").connect(web))).isNotNull();
    assertThat(why(policy("", "", "permitopen=\"db:*\"").connect(web))).isNotNull();
    assertThat(why(policy("PermitOpen web:80", "permitopen=\"db:*\"").connect(db)))
        .isEqualTo("PermitOpen does not list db:5432");
    assertThat(why(policy("", "restrict").connect(db)))
        .isEqualTo("the key does not allow port forwarding");
    assertThat(why(policy("", "restrict,port-forwarding").connect(db))).isNull();
    assertThat(why(policy("", "", "no-port-forwarding").connect(db))).isNotNull();
  }

  @Test
  void addressesAreJudgedAsResolved() throws Exception {
    InetAddress metadata = InetAddress.ofLiteral("169.254.169.254");
    var innocent = new Target.Tcp("innocent.example", 80);
    assertThat(why(policy("").dial(innocent, metadata)))
        .isEqualTo(
            "innocent.example is 169.254.169.254, a link-local address that PermitOpen does not"
                + " name");
    // A star names nothing, and a user's own file isn't the administrator's.
    assertThat(why(policy("PermitOpen *:80").dial(innocent, metadata))).isNotNull();
    assertThat(why(policy("", "permitopen=\"innocent.example:80\"").dial(innocent, metadata)))
        .isNotNull();
    var named = policy("PermitOpen innocent.example:80");
    assertThat(why(named.dial(innocent, metadata))).isNull();
    assertThat(why(named.dial(new Target.Tcp("innocent.example", 81), metadata))).isNotNull();
    assertThat(why(named.dial(new Target.Tcp("other.example", 80), metadata))).isNotNull();
    assertThat(why(policy("DenyOpen none").dial(innocent, metadata))).isNull();
    assertThat(why(policy("DenyOpen loopback").dial(innocent, metadata))).isNull();
    assertThat(why(policy("").dial(innocent, InetAddress.ofLiteral("10.0.0.1")))).isNull();
  }

  // ---- listeners

  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      value = {
        // asked, no, yes, clientspecified
        "'', localhost, '', ''",
        "*, localhost, '', ''",
        "0.0.0.0, localhost, '', 0.0.0.0",
        "::, localhost, '', ::",
        "localhost, localhost, '', localhost",
        "127.0.0.1, 127.0.0.1, '', 127.0.0.1",
        "::1, ::1, '', ::1",
        "192.0.2.1, localhost, '', 192.0.2.1",
      })
  void gatewayPorts(String asked, String no, String yes, String clientSpecified) throws Exception {
    var listen = new Listen.Tcp(asked, 8080);
    assertThat(allowed(policy("").listen(listen))).isEqualTo(new Listen.Tcp(no, 8080));
    assertThat(allowed(policy("GatewayPorts yes").listen(listen)))
        .isEqualTo(new Listen.Tcp(yes, 8080));
    assertThat(allowed(policy("GatewayPorts clientspecified").listen(listen)))
        .isEqualTo(new Listen.Tcp(clientSpecified, 8080));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "-",
      quoteCharacter = '~',
      value = {
        "PermitListen any | localhost | 8080 | -",
        "PermitListen 8080 | localhost | 8080 | -",
        "PermitListen 8080 | 0.0.0.0 | 8080 | -",
        "PermitListen 8080 | localhost | 8081 | PermitListen does not list localhost:8081",
        "PermitListen localhost:* | localhost | 0 | -",
        "PermitListen localhost:8080 | localhost | 0 | PermitListen does not list localhost:0",
        "PermitListen localhost:8080 | 127.0.0.1 | 8080 | PermitListen does not list 127.0.0.1:8080",
        "PermitListen none | localhost | 8080 | PermitListen does not list localhost:8080",
        "AllowTcpForwarding local | localhost | 8080 | AllowTcpForwarding does not allow it",
        "AllowTcpForwarding remote | localhost | 8080 | -",
        "DisableForwarding yes | localhost | 8080 | DisableForwarding is set",
        "Port 22 | localhost | 80 | port 80 is below 1024, and PermitListen does not name it",
        "PermitListen 80 | localhost | 80 | -",
        "PermitListen *:* | localhost | 80 | port 80 is below 1024, and PermitListen does not name it",
      })
  void listeners(String config, String host, int port, @Nullable String why) throws Exception {
    assertThat(why(policy(config).listen(new Listen.Tcp(host, port)))).isEqualTo(why);
  }

  @Test
  void eachKeyMustAllowTheListener() throws Exception {
    var listen = new Listen.Tcp("localhost", 8080);
    assertThat(why(policy("", "permitlisten=\"8080\"").listen(listen))).isNull();
    assertThat(why(policy("", "permitlisten=\"9090\"").listen(listen)))
        .isEqualTo("permitlisten of the key does not list localhost:8080");
    assertThat(why(policy("", "no-port-forwarding").listen(listen)))
        .isEqualTo("the key does not allow port forwarding");
    // permitopen says nothing of listeners.
    assertThat(why(policy("", "permitopen=\"db:1\"").listen(listen))).isNull();
  }

  @Test
  void unixSockets() throws Exception {
    var target = new Target.Unix("/run/app.sock");
    var listen = new Listen.Unix("/run/app.sock");
    assertThat(why(policy("").connect(target))).isNull();
    assertThat(why(policy("").listen(listen))).isNull();
    assertThat(why(policy("AllowStreamLocalForwarding local").connect(target))).isNull();
    assertThat(why(policy("AllowStreamLocalForwarding local").listen(listen)))
        .isEqualTo("AllowStreamLocalForwarding does not allow it");
    assertThat(why(policy("DisableForwarding yes").connect(target))).isNotNull();
    assertThat(why(policy("", "no-port-forwarding").connect(target))).isNotNull();
    // Who may reach one port was not meant to reach every socket.
    assertThat(why(policy("PermitOpen db:1").connect(target)))
        .isEqualTo("PermitOpen lists no Unix sockets");
    assertThat(why(policy("", "permitopen=\"db:1\"").connect(target))).isNotNull();
    assertThat(why(policy("PermitListen 8080").listen(listen)))
        .isEqualTo("PermitListen lists no Unix sockets");
  }

  // ---- other accounts

  @Test
  void otherAccountsGetTunnelsOnlyAndAreToldSo() throws Exception {
    for (Account account :
        List.of(
            new Account("bob", 4712, List.of(), home, Path.of("/bin/sh"), false),
            new Account("bob", 4711, List.of(), null, null, false))) {
      AccessPolicy policy = policy(account, "");
      assertThat(why(policy.connect(new Target.Tcp("db", 1)))).isNull();
      assertThat(why(policy.listen(new Listen.Tcp("localhost", 8080)))).isNull();
      assertThat(why(policy.launch(request(Kind.SHELL, ""))))
          .isEqualTo("sessions are for the account that runs aditd; bob gets TCP tunnels only");
      assertThat(why(policy.terminal(TERMINAL))).contains("TCP tunnels only");
      assertThat(why(policy.connect(new Target.Unix("/x"))))
          .isEqualTo("Unix sockets are for the account that runs aditd; bob gets TCP tunnels only");
      assertThat(why(policy.listen(new Listen.Unix("/x")))).isNotNull();
      assertThat(policy.allowsAgentForwarding()).isFalse();
      assertThat(policy.acceptsVariable("LANG")).isFalse();
    }
  }

  // ---- sessions

  private static SessionRequest request(Kind kind, String command) {
    return new SessionRequest(kind, command, Map.of("LANG", "C", "HOME", "/evil"), null);
  }

  @Test
  void shellsCommandsAndSubsystems() throws Exception {
    AccessPolicy policy =
        policy("Subsystem sftp /usr/lib/sftp-server -l INFO\nSubsystem in internal-sftp");
    Launch shell = allowed(policy.launch(request(Kind.SHELL, "")));
    assertThat(shell.argv()).containsExactly("/bin/bash");
    assertThat(shell.loginName()).isEqualTo("-bash");
    assertThat(shell.directory()).isEqualTo(home);
    Launch command = allowed(policy.launch(request(Kind.EXEC, "echo $HOME; true")));
    assertThat(command.argv()).containsExactly("/bin/bash", "-c", "echo $HOME; true");
    assertThat(command.loginName()).isEqualTo("bash");
    Launch sftp = allowed(policy.launch(request(Kind.SUBSYSTEM, "sftp")));
    assertThat(sftp.argv()).containsExactly("/bin/bash", "-c", "/usr/lib/sftp-server -l INFO");
    assertThat(why(policy.launch(request(Kind.SUBSYSTEM, "nope\n"))))
        .isEqualTo("there is no subsystem nope\\u000a");
    assertThat(why(policy.launch(request(Kind.SUBSYSTEM, "in")))).contains("internal-sftp");
  }

  @Test
  void theEnvironmentIsSshds() throws Exception {
    Launch launch = allowed(policy("SetEnv A=1").launch(request(Kind.EXEC, "env")));
    assertThat(launch.environment())
        .containsEntry("USER", "ada")
        .containsEntry("LOGNAME", "ada")
        .containsEntry("HOME", home.toString())
        .containsEntry("SHELL", "/bin/bash")
        .containsEntry("MAIL", "/var/mail/ada")
        .containsEntry("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/games")
        .containsEntry("SSH_CLIENT", "::1 50022 2222")
        .containsEntry("SSH_CONNECTION", "::1 50022 192.0.2.1 2222")
        .containsEntry("LANG", "C")
        .containsEntry("A", "1")
        .doesNotContainKey("SSH_ORIGINAL_COMMAND");
  }

  @Test
  void forcedCommands() throws Exception {
    Launch byKey = allowed(policy("", "command=\"date\"").launch(request(Kind.EXEC, "rm -r /")));
    assertThat(byKey.argv()).containsExactly("/bin/bash", "-c", "date");
    assertThat(byKey.environment()).containsEntry("SSH_ORIGINAL_COMMAND", "rm -r /");
    Launch shell = allowed(policy("", "command=\"date\"").launch(request(Kind.SHELL, "")));
    assertThat(shell.argv()).containsExactly("/bin/bash", "-c", "date");
    assertThat(shell.environment()).doesNotContainKey("SSH_ORIGINAL_COMMAND");
    String config = "ForceCommand uptime\nSubsystem sftp /usr/lib/sftp-server";
    Launch both = allowed(policy(config, "command=\"date\"").launch(request(Kind.EXEC, "x")));
    assertThat(both.argv()).containsExactly("/bin/bash", "-c", "uptime");
    Launch sftp = allowed(policy(config).launch(request(Kind.SUBSYSTEM, "sftp")));
    assertThat(sftp.argv()).containsExactly("/bin/bash", "-c", "uptime");
    assertThat(sftp.environment()).containsEntry("SSH_ORIGINAL_COMMAND", "/usr/lib/sftp-server");
    assertThat(why(policy("ForceCommand internal-sftp").launch(request(Kind.SHELL, ""))))
        .contains("internal-sftp");
  }

  @Test
  void terminalsAndAgents() throws Exception {
    assertThat(why(policy("").terminal(TERMINAL))).isNull();
    assertThat(why(policy("PermitTTY no").terminal(TERMINAL))).isEqualTo("PermitTTY is no");
    assertThat(why(policy("", "no-pty").terminal(TERMINAL)))
        .isEqualTo("the key does not allow a terminal");
    assertThat(policy("").allowsAgentForwarding()).isTrue();
    assertThat(policy("AllowAgentForwarding no").allowsAgentForwarding()).isFalse();
    assertThat(policy("DisableForwarding yes").allowsAgentForwarding()).isFalse();
    assertThat(policy("", "no-agent-forwarding").allowsAgentForwarding()).isFalse();
    assertThat(policy("MaxSessions 3").maxSessions()).isEqualTo(3);
  }

  @Test
  void variablesOfTheClient() throws Exception {
    AccessPolicy some = policy("AcceptEnv LANG LC_* LD_PRELOAD");
    assertThat(some.acceptsVariable("LANG")).isTrue();
    assertThat(some.acceptsVariable("LC_ALL")).isTrue();
    assertThat(some.acceptsVariable("LC_A=B")).isFalse();
    assertThat(some.acceptsVariable("FOO")).isFalse();
    assertThat(policy("").acceptsVariable("LANG")).isFalse();
    // What chooses code must be named to the letter.
    assertThat(some.acceptsVariable("LD_PRELOAD")).isTrue();
    AccessPolicy all = policy("AcceptEnv *");
    assertThat(all.acceptsVariable("FOO")).isTrue();
    for (String name : List.of("LD_PRELOAD", "LD_LIBRARY_PATH", "PATH", "BASH_ENV", "ENV")) {
      assertThat(all.acceptsVariable(name)).as(name).isFalse();
    }
  }

  @Test
  void variablesOfTheUser() throws Exception {
    Files.createDirectory(home.resolve(".ssh"));
    Files.writeString(home.resolve(".ssh/environment"), "# mine\nB=file\nC=file\nbad-name=1\n");
    String options = "environment=\"A=key\",environment=\"B=key\"";
    assertThat(variables("", options)).doesNotContainKeys("A", "B", "C");
    assertThat(variables("StrictModes no\nPermitUserEnvironment yes", options))
        .containsEntry("A", "key")
        .containsEntry("B", "file")
        .containsEntry("C", "file")
        .doesNotContainKey("bad-name");
    assertThat(variables("StrictModes no\nPermitUserEnvironment A,X*", options))
        .containsEntry("A", "key")
        .doesNotContainKeys("B", "C");
  }

  private Map<String, String> variables(String config, String options) throws Exception {
    return allowed(policy(config, options).launch(request(Kind.EXEC, "env"))).environment();
  }

  /** What the file says, {@link AccessPolicy#listen} has judged; nothing may forbid it again. */
  @Test
  void aPortBelow1024ThatPermitListenNamesMayBeHad() throws Exception {
    AccessPolicy policy = policy("PermitListen *:443");
    assertThat(why(policy.listen(new Listen.Tcp("", 443)))).isNull();
    assertThat(policy.allowsPrivilegedPorts()).isTrue();
  }

  @Test
  void addressesAreInTheShortForm() {
    var here = new InetSocketAddress(InetAddress.ofLiteral("::1"), 50022);
    assertThat(new Peer(1, here, here)).hasToString("::1 port 50022");
    assertThat(new Peer(1, null, null)).hasToString("UNKNOWN port 65535");
  }
}
