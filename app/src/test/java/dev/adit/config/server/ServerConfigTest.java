package dev.adit.config.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.config.StandardAlgorithms;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the accessors give; that files are read as sshd reads them is SameAsSshdTest's. */
class ServerConfigTest {
  @TempDir Path directory;

  private ServerConfig config(String text) throws Exception {
    var reader = new ServerConfigReader(new StandardAlgorithms());
    reader.file(Files.writeString(directory.resolve("sshd_config"), text));
    return reader.build();
  }

  private static ConnectionFacts user(String name) {
    return new ConnectionFacts(name, List.of(), "192.0.2.1", "192.0.2.1", "127.0.0.1", 22);
  }

  @Test
  void matchIsForOneConnectionOnly() throws Exception {
    var config = config("PermitOpen any\nMatch user ada\nPermitOpen db:5432 *:*\nMaxSessions 0\n");
    assertThat(config.permitOpen()).isNull();
    var ada = config.forConnection(user("ada"));
    assertThat(ada.permitOpen())
        .containsExactly(new HostPort("db", 5432), new HostPort("*", HostPort.ANY_PORT));
    assertThat(ada.maxSessions()).isZero();
    assertThat(config.forConnection(user("bob")).permitOpen()).isNull();
  }

  @Test
  void disabledForwardingIsNoForwarding() throws Exception {
    var config = config("AllowTcpForwarding yes\nDisableForwarding yes\n");
    assertThat(config.allowTcpForwarding().allowsLocal()).isFalse();
    assertThat(config.allowStreamLocalForwarding().allowsRemote()).isFalse();
    assertThat(config.allowAgentForwarding()).isFalse();
  }

  @Test
  void penaltiesAreSetOneByOne() throws Exception {
    var config = config("PerSourcePenalties authfail:1m max:5m\nPerSourcePenalties min:0s\n");
    assertThat(config.perSourcePenalties().toString())
        .isEqualTo(
            "crash:90 authfail:60 noauth:1 grace-exceeded:10 refuseconnection:10 max:300 min:0"
                + " max-sources4:65536 max-sources6:65536 overflow:permissive overflow6:permissive");
    assertThat(config("PerSourcePenalties no").perSourcePenalties().enabled()).isFalse();
  }

  @Test
  void addressesAreComparedAsAddresses() {
    assertThat(UserPattern.matches("ada@192.0.2.0/24", "ada", "name", "192.0.2.77")).isTrue();
    assertThat(UserPattern.matches("ada@192.0.2.0/24", "bob", "name", "192.0.2.77")).isFalse();
    // The same client over a socket for both families.
    assertThat(UserPattern.matches("*@192.0.2.0/24", "ada", "name", "::ffff:192.0.2.77")).isTrue();
    assertThat(UserPattern.matches("*@!192.0.2.7,192.0.2.*", "ada", "x", "192.0.2.7")).isFalse();
    assertThat(UserPattern.matches("*@*.example.org", "ada", "a.example.org", "192.0.2.7"))
        .isTrue();
    assertThat(UserPattern.matches("*@2001:db8::/32", "ada", "x", "2001:db8::1%eth0")).isTrue();
  }
}
