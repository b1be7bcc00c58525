package dev.adit.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.adit.ssh.Destination;
import dev.adit.ssh.ForwardSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OptionsResolverTest {
  @TempDir Path directory;

  private Path home;
  private Path system;
  private final List<String> shellCommands = new ArrayList<>();
  private final List<String> namesAsked = new ArrayList<>();
  private Map<String, String> hosts = Map.of();

  @BeforeEach
  void makeHome() throws IOException {
    home = Files.createDirectory(directory.resolve("home"));
    Files.createDirectory(home.resolve(".ssh"));
    system = Files.createDirectory(directory.resolve("etc")).resolve("ssh_config");
  }

  private LocalSide local() throws IOException {
    long uid = ((Integer) Files.getAttribute(home, "unix:uid")).longValue();
    return new LocalSide(
        "me",
        uid,
        home,
        Map.of("SSH_AUTH_SOCK", "/run/agent", "WHERE", "/somewhere"),
        system,
        name -> {
          namesAsked.add(name);
          return Optional.ofNullable(hosts.get(name));
        },
        command -> {
          shellCommands.add(command);
          return 0;
        });
  }

  private ClientOptions resolve(String destination, String... options)
      throws IOException, ConfigException {
    return resolveWith(null, destination, options);
  }

  private ClientOptions resolveWith(
      @Nullable String configFile, String destination, String... options)
      throws IOException, ConfigException {
    var resolver = new OptionsResolver(local(), new StandardAlgorithms());
    for (var option : options) {
      resolver.option(option);
    }
    return resolver.resolve(
        new CommandLine(Destination.parse(destination), List.of(), configFile, null, null));
  }

  private void userConfig(String... lines) throws IOException {
    Files.write(home.resolve(".ssh/config"), List.of(lines));
  }

  @Test
  void commandLineComesBeforeUserFileBeforeSystemFile() throws Exception {
    userConfig("Port 2", "User two", "Compression yes");
    Files.write(system, List.of("Port 3", "User three", "Compression no", "BatchMode yes"));
    var options = resolve("host", "Port=1");
    assertThat(options.port()).isEqualTo(1);
    assertThat(options.user()).isEqualTo("two");
    assertThat(options.compression()).isTrue();
    assertThat(options.batchMode()).isTrue();
  }

  @Test
  void namedFileReplacesBothAndNoneReadsNothing() throws Exception {
    userConfig("Port 2");
    Files.write(system, List.of("Port 3"));
    var other = Files.write(directory.resolve("other"), List.of("User other"));
    assertThat(resolveWith(other.toString(), "host").port()).isEqualTo(22);
    assertThat(resolveWith(other.toString(), "host").user()).isEqualTo("other");
    assertThat(resolveWith("none", "host").port()).isEqualTo(22);
    assertThatThrownBy(() -> resolveWith("/nonexistent/file", "host"))
        .hasMessage("Can't open user config file /nonexistent/file: No such file or directory");
  }

  @ParameterizedTest
  @ValueSource(strings = {"rw-rw-rw-", "rw-r--rw-"})
  void configThatOthersCanWriteIsRefused(String permissions) throws Exception {
    userConfig("Port 2");
    var file = home.resolve(".ssh/config");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
    assertThatThrownBy(() -> resolve("host"))
        .isInstanceOf(ConfigException.class)
        .hasMessage("Bad owner or permissions on " + file);
  }

  @Test
  void includeTakesGlobsInOrderAndKeepsToItsBlock() throws Exception {
    var parts = Files.createDirectory(home.resolve(".ssh/config.d"));
    Files.write(parts.resolve("20-b"), List.of("Port 20", "User b"));
    Files.write(parts.resolve("10-a"), List.of("Port 10", "Host other", "User never"));
    Files.write(parts.resolve(".hidden"), List.of("Nonsense"));
    Files.write(home.resolve(".ssh/one"), List.of("Compression yes"));
    userConfig(
        "Host nobody",
        "  Include one",
        "Host host",
        "  Include config.d/* missing ~/.ssh/missing",
        "  ConnectTimeout 7");
    var options = resolve("host");
    assertThat(options.port()).isEqualTo(10);
    assertThat(options.user()).isEqualTo("b");
    assertThat(options.compression()).isFalse();
    assertThat(options.connectTimeout()).hasSeconds(7);
  }

  @Test
  void circleOfIncludesEnds() throws Exception {
    userConfig("Include config");
    assertThatThrownBy(() -> resolve("host"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("Too many recursive configuration includes");
  }

  @Test
  void everyBadLineIsNamedWithFileAndLine() throws Exception {
    userConfig("Port 1", "Prot 2", "User", "IgnoreUnknown later", "Later 1", "Hosst 3");
    var file = home.resolve(".ssh/config");
    assertThatThrownBy(() -> resolve("host"))
        .isInstanceOf(ConfigException.class)
        .hasMessage(
            String.join(
                "\n",
                file + ": line 2: Bad configuration option: prot",
                file + " line 3: no argument after keyword \"user\"",
                file + ": line 6: Bad configuration option: hosst",
                file + ": terminating, 3 bad configuration options"));
  }

  @Test
  void acceptedKeywordsAreNotedAndImplementedOnesAreNot() throws Exception {
    userConfig("ForwardX11 yes", "Compression yes", "Host other", "ForwardX11Trusted yes");
    assertThat(resolve("host").notes())
        .containsExactly(
            home.resolve(".ssh/config") + " line 1: ForwardX11 is accepted but does nothing yet");
  }

  @Test
  void deadConnectionIsNoticedWithin45Seconds() throws Exception {
    var options = resolve("host");
    assertThat(options.serverAliveInterval() * options.serverAliveCountMax()).isEqualTo(45);
    assertThat(resolve("host", "ServerAliveInterval=0").serverAliveInterval()).isZero();
  }

  @Test
  void filesAndAgentsAreExpanded() throws Exception {
    userConfig(
        "IdentityFile ~/.ssh/%r@%h",
        "IdentityFile ${WHERE}/key",
        "IdentityFile ${NOWHERE}/key",
        "IdentityFile none",
        "LocalForward /tmp/%p.sock ${WHERE}/x",
        "ForwardAgent $SSH_AUTH_SOCK");
    var options = resolve("ada@host");
    assertThat(options.identityFiles())
        .containsExactly(home.resolve(".ssh/ada@host"), Path.of("/somewhere/key"));
    assertThat(options.notes()).hasSize(1).first().asString().contains("NOWHERE");
    assertThat(options.localForwards())
        .containsExactly(ForwardSpec.parseLocal("/tmp/22.sock:/somewhere/x"));
    assertThat(options.identityAgent(Map.of("SSH_AUTH_SOCK", "/run/agent")))
        .isEqualTo(Path.of("/run/agent"));
    assertThat(options.forwardedAgent(Map.of("SSH_AUTH_SOCK", "/run/agent")))
        .isEqualTo(Path.of("/run/agent"));
    assertThat(resolve("host", "IdentityAgent=none").identityAgent(Map.of("SSH_AUTH_SOCK", "x")))
        .isNull();
  }

  @Test
  void commandsForTheShellAreExpanded() throws Exception {
    var options =
        resolve(
            "ada@host",
            "ProxyCommand=nc %h %p %% %r %n",
            "PermitLocalCommand=yes",
            "LocalCommand=echo %T %k");
    assertThat(options.proxyCommand()).isEqualTo("nc host 22 % ada host");
    assertThat(options.localCommand()).isEqualTo("echo NONE host");
    assertThat(resolve("host", "LocalCommand=x").localCommand()).isNull();
  }

  @Test
  void matchExecRunsOnlyWhenWhatIsBeforeItMatches() throws Exception {
    userConfig(
        "Match host other exec \"first\"", "Match host host exec \"second %h %r\"", "Port 5");
    assertThat(resolve("host").port()).isEqualTo(5);
    assertThat(shellCommands).containsExactly("second host me");
  }

  @Test
  void tagChoosesItsBlock() throws Exception {
    userConfig("Match tagged slow", "Compression yes");
    assertThat(resolve("host").compression()).isFalse();
    assertThat(resolve("host", "Tag=slow").compression()).isTrue();
  }

  @Test
  void shortNameIsSearchedInItsDomainsAndTheFilesAreReadAgain() throws Exception {
    hosts = Map.of("host.b.example.", "host.b.example");
    userConfig(
        "CanonicalizeHostname yes",
        "CanonicalDomains a.example b.example",
        "Host *.b.example",
        "User inside",
        "Match canonical host *.b.example",
        "Port 7");
    var options = resolve("host");
    assertThat(options.host()).isEqualTo("host.b.example");
    assertThat(options.originalHost()).isEqualTo("host");
    assertThat(options.user()).isEqualTo("inside");
    assertThat(options.port()).isEqualTo(7);
    assertThat(namesAsked).containsExactly("host.a.example.", "host.b.example.");
  }

  @Test
  void canonicalNameIsFollowedOnlyWherePermitted() throws Exception {
    hosts = Map.of("host.a.example.", "elsewhere.b.example.");
    var common =
        new String[] {
          "CanonicalizeHostname=yes", "CanonicalDomains=a.example", "CanonicalizeMaxDots=0", ""
        };
    common[3] = "CanonicalizePermittedCNAMEs=*.a.example:*.b.example";
    assertThat(resolve("host", common).host()).isEqualTo("elsewhere.b.example");
    common[3] = "CanonicalizePermittedCNAMEs=*.a.example:*.c.example";
    assertThat(resolve("host", common).host()).isEqualTo("host.a.example");
    common[3] = "CanonicalizeFallbackLocal=no";
    assertThatThrownBy(() -> resolve("unknown", common))
        .hasMessageContaining("Could not resolve host");
  }

  @Test
  void nothingIsLookedUpForAddressesAndProxies() throws Exception {
    var options = new String[] {"CanonicalizeHostname=yes", "CanonicalDomains=a.example"};
    assertThat(resolve("10.0.0.1", options).host()).isEqualTo("10.0.0.1");
    assertThat(resolve("::1", options).host()).isEqualTo("::1");
    assertThat(resolve("host", options[0], options[1], "ProxyJump=hop").host()).isEqualTo("host");
    assertThat(namesAsked).isEmpty();
  }

  @Test
  void algorithmsOfOpenSshThatWeLackAreLeftOut() throws Exception {
    var options = resolve("host", "Ciphers=aes192-ctr,aes256-ctr");
    assertThat(options.algorithms(AlgorithmNames.Kind.CIPHER)).containsExactly("aes256-ctr");
    assertThat(options.notes()).hasSize(1).first().asString().contains("aes192-ctr");
    assertThatThrownBy(() -> resolve("host", "Ciphers=aes192-ctr"))
        .hasMessageContaining("leaves nothing to offer");
    assertThatThrownBy(() -> resolve("host", "Ciphers=aes128-gmc@openssh.com"))
        .hasMessageContaining("Bad SSH2 cipher spec 'aes128-gmc@openssh.com'");
  }

  /**
   * CVE-2023-51385 and CVE-2025-61984: names come from URLs and submodules of strangers. Whatever
   * the way into %h, %n, %k, %r: no shell gets to see a name with something to act on.
   */
  @Test
  void noNameBringsACommandIntoTheShell() throws Exception {
    var random = new Random(51385);
    var harmful = ";$()`\n|&<>'\"\\ \t\r\0{}";
    for (int i = 0; i < 2000; i++) {
      var name = new StringBuilder();
      int length = 1 + random.nextInt(6);
      for (int j = 0; j < length; j++) {
        name.append("abc.-_".charAt(random.nextInt(6)));
      }
      if (random.nextInt(4) == 0) {
        name.insert(0, '-');
      } else {
        name.insert(random.nextInt(length + 1), harmful.charAt(random.nextInt(harmful.length())));
      }
      var evil = name.toString();
      var tokens = Tokens.of(local(), evil, evil, evil, 22, "ada", "");
      for (var token : List.of("%h", "%n", "%k")) {
        assertThatThrownBy(() -> tokens.expandForShell("Test", "x " + token, Tokens.COMMON))
            .as("%s = %s", token, Tokens.printable(evil))
            .isInstanceOf(ConfigException.class)
            .hasMessageNotContaining("\n");
      }
      assertThat(Tokens.isSafeHost(evil)).isFalse();
    }
    for (var user :
        List.of("-x", "a;b", "a`b", "a\nb", "a|b", "a&b", "a(b", "a -b", "a\\", "a'b", "\u0001")) {
      assertThat(Tokens.isSafeUser(user)).as(Tokens.printable(user)).isFalse();
      assertThatThrownBy(() -> resolve("host", "User=\"" + user + "\"", "ProxyCommand=x %r"))
          .as(Tokens.printable(user))
          .isInstanceOf(ConfigException.class);
    }
    assertThat(shellCommands).isEmpty();
  }

  @Test
  void matchExecRefusesNamesFromTheFileToo() throws Exception {
    userConfig("HostName \"a;b\"", "Match exec \"x %h\"", "Port 5");
    assertThatThrownBy(() -> resolve("host"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("hostname contains invalid characters");
    assertThat(shellCommands).isEmpty();
  }
}
