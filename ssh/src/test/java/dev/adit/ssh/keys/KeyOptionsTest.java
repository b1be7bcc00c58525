package dev.adit.ssh.keys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.adit.ssh.keys.KeyOptions.Permit;
import dev.adit.ssh.wire.MalformedDataException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class KeyOptionsTest {

  @Test
  void withoutOptionsAKeyMayDoAll() throws Exception {
    assertThat(KeyOptions.parse("")).isEqualTo(KeyOptions.NONE);
    assertThat(KeyOptions.NONE)
        .returns(true, KeyOptions::portForwarding)
        .returns(true, KeyOptions::agentForwarding)
        .returns(true, KeyOptions::pty)
        .returns(true, KeyOptions::requiresTouch)
        .returns(false, KeyOptions::requiresVerification)
        .returns(false, KeyOptions::certAuthority)
        .returns(null, KeyOptions::command);
  }

  @Test
  void restrictTakesAllAndWhatFollowsGivesBack() throws Exception {
    assertThat(KeyOptions.parse("restrict"))
        .returns(false, KeyOptions::portForwarding)
        .returns(false, KeyOptions::agentForwarding)
        .returns(false, KeyOptions::pty);
    assertThat(KeyOptions.parse("restrict,Port-Forwarding,pty"))
        .returns(true, KeyOptions::portForwarding)
        .returns(false, KeyOptions::agentForwarding)
        .returns(true, KeyOptions::pty);
    // What stands last counts.
    assertThat(KeyOptions.parse("port-forwarding,restrict").portForwarding()).isFalse();
    assertThat(KeyOptions.parse("no-port-forwarding,port-forwarding").portForwarding()).isTrue();
  }

  @Test
  void flags() throws Exception {
    assertThat(KeyOptions.parse("no-port-forwarding").portForwarding()).isFalse();
    assertThat(KeyOptions.parse("no-agent-forwarding").agentForwarding()).isFalse();
    assertThat(KeyOptions.parse("no-pty").pty()).isFalse();
    assertThat(KeyOptions.parse("no-touch-required").requiresTouch()).isFalse();
    assertThat(KeyOptions.parse("verify-required").requiresVerification()).isTrue();
    assertThat(KeyOptions.parse("cert-authority").certAuthority()).isTrue();
    assertThat(KeyOptions.parse("no-user-rc,no-X11-forwarding,user-rc,x11-forwarding"))
        .isEqualTo(KeyOptions.NONE);
    assertThat(KeyOptions.parse("no-pty,").pty()).isFalse();
    assertThat(KeyOptions.parse("tunnel=\"0\"")).isEqualTo(KeyOptions.NONE);
  }

  @Test
  void values() throws Exception {
    KeyOptions options =
        KeyOptions.parse(
            "command=\"echo \\\"a, b\\\" \\\\ c\",from=\"10.0.0.0/8,!*.evil\","
                + "environment=\"A=1=2\",environment=\"B=\",environment=\"A=later\","
                + "principals=\"alice,bob\"");
    assertThat(options.command()).isEqualTo("echo \"a, b\" \\\\ c");
    assertThat(options.from()).isEqualTo("10.0.0.0/8,!*.evil");
    assertThat(options.environment()).containsExactly(Map.entry("A", "1=2"), Map.entry("B", ""));
    assertThat(options.principals()).containsExactly("alice", "bob");
  }

  @Test
  void permitsNameAHostAndAPort() throws Exception {
    assertThat(
            KeyOptions.parse("permitopen=\"db:5432\",permitopen=\"[::1]:*\",permitopen=\"*:80\"")
                .permitOpen())
        .containsExactly(
            new Permit("db", 5432), new Permit("::1", Permit.ANY_PORT), new Permit("*", 80));
    assertThat(
            KeyOptions.parse("permitlisten=\"8080\",permitlisten=\"localhost:9090\"")
                .permitListen())
        .containsExactly(new Permit("*", 8080), new Permit("localhost", 9090));
  }

  @Test
  void expiryTimes() throws Exception {
    assertThat(KeyOptions.parse("expiry-time=\"20300102Z\"").validBefore())
        .isEqualTo(Instant.parse("2030-01-02T00:00:00Z"));
    assertThat(KeyOptions.parse("expiry-time=\"203001020304Z\"").validBefore())
        .isEqualTo(Instant.parse("2030-01-02T03:04:00Z"));
    assertThat(KeyOptions.parse("expiry-time=\"20300102030405\"").validBefore())
        .isEqualTo(
            LocalDateTime.of(2030, 1, 2, 3, 4, 5).atZone(ZoneId.systemDefault()).toInstant());
    // The earliest of several counts.
    assertThat(
            KeyOptions.parse("expiry-time=\"20310101Z\",expiry-time=\"20300101Z\"").validBefore())
        .isEqualTo(Instant.parse("2030-01-01T00:00:00Z"));
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '\'',
      value = {
        "nonsense | unknown key option",
        "restrictive | unknown key option",
        "no-restrict | unknown key option",
        "restrict;pty | unknown key option",
        "command | unknown key option",
        "pty=\"yes\" | unknown key option",
        "command=\"a\"b | unknown key option",
        "restrict,,pty | unknown key option",
        ", | unknown key option",
        "command=ls | missing start quote",
        "command=\"ls | missing end quote",
        "command=\"ls\\\" | missing end quote",
        "command=\"a\",command=\"b\" | multiple \"command\" clauses",
        "from=\"a\",from=\"b\" | multiple \"from\" clauses",
        "principals=\"a\",principals=\"a\" | multiple \"principals\" clauses",
        "environment=\"A\" | invalid environment string",
        "environment=\"=1\" | invalid environment string",
        "environment=\"A B=1\" | invalid environment string",
        "permitopen=\"80\" | invalid permission hostname",
        "permitopen=\"[::1:80\" | invalid permission hostname",
        "permitopen=\":80\" | invalid permission hostname",
        "permitopen=\"db:\" | invalid permission port",
        "permitopen=\"db:0\" | invalid permission port",
        "permitopen=\"db:65536\" | invalid permission port",
        "permitopen=\"db:http\" | invalid permission port",
        "permitlisten=\"x\" | invalid permission port",
        "expiry-time=\"2030\" | invalid expires time",
        "expiry-time=\"20301301\" | invalid expires time",
        "expiry-time=\"19690101\" | invalid expires time",
        "tunnel=\"x\" | invalid tun device",
      },
      delimiter = '|')
  void whatIsNotUnderstoodIsRefusedInSshdsWords(String options, String message) {
    assertThatThrownBy(() -> KeyOptions.parse(options))
        .isInstanceOf(MalformedDataException.class)
        .hasMessage(message);
  }

  @Test
  void thereIsALimitToTheirNumber() {
    String permits =
        IntStream.range(0, 4097)
            .mapToObj(i -> "permitopen=\"h" + i + ":1\"")
            .collect(Collectors.joining(","));
    assertThatThrownBy(() -> KeyOptions.parse(permits))
        .hasMessage("too many permission directives");
    String variables =
        IntStream.range(0, 1025)
            .mapToObj(i -> "environment=\"V" + i + "=1\"")
            .collect(Collectors.joining(","));
    assertThatThrownBy(() -> KeyOptions.parse(variables))
        .hasMessage("too many environment strings");
    assertThatThrownBy(() -> KeyOptions.parse("permitopen=\"" + "h".repeat(1025) + ":1\""))
        .hasMessage("invalid permission hostname");
  }

  @Test
  void junkEndsInAnErrorAndNothingElse() {
    // A fixed seed: what fails once fails again.
    var random = new Random(5);
    String[] pieces = {
      "restrict",
      "command",
      "=",
      "\"",
      "\\\"",
      ",",
      "permitopen",
      "a:1",
      "[",
      "]",
      "no-",
      "pty",
      "expiry-time",
      "20300101",
      "é",
      " ",
      "environment",
      "A=1"
    };
    int errors = 0;
    for (int round = 0; round < 20_000; round++) {
      var text = new StringBuilder();
      for (int i = random.nextInt(8); i > 0; i--) {
        text.append(pieces[random.nextInt(pieces.length)]);
      }
      try {
        KeyOptions.parse(text.toString());
      } catch (MalformedDataException expected) {
        errors++;
      }
    }
    assertThat(errors).isPositive();
  }

  @Test
  void aCertificateAllowsOnlyWhatItsExtensionsName() throws Exception {
    KeyOptions options = KeyOptions.of(TestKeys.certificate("ed25519-cert.pub"));
    assertThat(options.portForwarding()).isTrue();
    assertThat(options.command()).isNotEmpty();
    assertThat(options.sourceAddress()).isNotEmpty();
    KeyOptions bare =
        KeyOptions.of(CertificateTest.certified(List.of("alice"), Map.of(), Map.of()));
    assertThat(bare)
        .returns(false, KeyOptions::portForwarding)
        .returns(false, KeyOptions::agentForwarding)
        .returns(false, KeyOptions::pty)
        .returns(true, KeyOptions::requiresTouch);
    KeyOptions some =
        KeyOptions.of(
            CertificateTest.certified(
                List.of("alice"),
                Map.of("verify-required", new byte[0]),
                Map.of(
                    "permit-pty", new byte[0],
                    "no-touch-required", new byte[0],
                    "new@example", new byte[] {1})));
    assertThat(some)
        .returns(false, KeyOptions::portForwarding)
        .returns(true, KeyOptions::pty)
        .returns(false, KeyOptions::requiresTouch)
        .returns(true, KeyOptions::requiresVerification);
  }

  @ParameterizedTest
  @ValueSource(strings = {"force-command", "source-address", "verify-required"})
  void aCriticalOptionWhoseDataIsWrongIsRefused(String name) throws Exception {
    var certificate =
        CertificateTest.certified(
            List.of("alice"), Map.of(name, new byte[] {0, 0, 0, 1}), Map.of());
    assertThatThrownBy(() -> KeyOptions.of(certificate))
        .hasMessage("Certificate option \"" + name + "\" is corrupt");
  }

  @Test
  void anUnknownCriticalOptionIsRefused() throws Exception {
    var certificate =
        CertificateTest.certified(List.of("alice"), Map.of("new@example", new byte[0]), Map.of());
    assertThatThrownBy(() -> KeyOptions.of(certificate))
        .hasMessage("Certificate contains unsupported critical options");
  }
}
