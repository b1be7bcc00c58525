package dev.adit.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Configuration files made by chance, right and wrong ones, judged by ssh(1). */
class GeneratedConfigTest {
  private static final int FILES = 150;

  private static final String[] LINES = {
    "Host foo",
    "Host *",
    "Host ba* !bar",
    "Host !foo *",
    "Host \"foo\" bar",
    "Match all",
    "Match host foo,bar",
    "Match !host foo",
    "Match final",
    "Match final host *.net",
    "Match originalhost foo user ada",
    "Match user ada,root",
    "Match canonical all",
    "Match exec \"test %p = 22\"",
    "Match exec true !exec false",
    "User ada",
    "User \"bob\"",
    "Port 2201",
    "Port=2202",
    "HostName %h.net",
    "HostName other",
    "HostKeyAlias ALIAS",
    "IdentityFile ~/.ssh/a",
    "IdentityFile /b/%h",
    "CertificateFile /c",
    "LocalForward 9001 a:1",
    "LocalForward 127.0.0.1:9002 [::1]:2",
    "RemoteForward 0 b:3",
    "RemoteForward 1080",
    "DynamicForward *:1081",
    "SendEnv A* B",
    "SendEnv -A*",
    "SetEnv X=1 Y=2",
    "SetEnv Z=3",
    "ProxyJump hop",
    "ProxyJump none",
    "ProxyCommand nc %h %p",
    "ProxyCommand none",
    "Ciphers +aes128-cbc",
    "Ciphers -aes*",
    "Ciphers ^aes256-ctr",
    "MACs hmac-sha2-512",
    "Compression yes",
    "ServerAliveCountMax 5",
    "UserKnownHostsFile /k/%h-%p-%r",
    "GlobalKnownHostsFile /g h",
    "ConnectTimeout 1m",
    "RekeyLimit 2M 1h",
    "EscapeChar none",
    "RequestTTY force",
    "LogLevel DEBUG2",
    "ForwardAgent yes",
    "StrictHostKeyChecking accept-new",
    "CanonicalizeFallbackLocal no",
    "IgnoreUnknown x*",
    "xyz 1",
    "  # a remark",
    "",
  };

  private static final String[] WRONG_LINES = {
    "Nonsense 1",
    "Port 0",
    "Port x",
    "Port",
    "Compression maybe",
    "User a b",
    "User \"unclosed",
    "LocalForward 1",
    "LocalForward 1 a:b",
    "RemoteForward 1 2 3",
    "DynamicForward x",
    "Ciphers nonsense",
    "RekeyLimit 15",
    "EscapeChar ab",
    "SendEnv A=B",
    "SetEnv A",
    "Match",
    "Match nonsense x",
    "Match all host foo",
    "Match host",
    "ConnectTimeout 1x",
    "IPQoS x",
    "ProxyJump a:b:c",
    "UserKnownHostsFile none a",
    "CanonicalDomains a..b",
  };

  @TempDir Path directory;

  @Test
  void effectiveSettingsAreThoseOfSsh() throws Exception {
    SameAsSshTest.askSsh();
    for (int seed = 0; seed < FILES; seed++) {
      var random = new Random(seed);
      var lines = new ArrayList<String>();
      int count = 1 + random.nextInt(25);
      for (int i = 0; i < count; i++) {
        lines.add(LINES[random.nextInt(LINES.length)]);
      }
      if (lines.contains("xyz 1")) {
        lines.addFirst("IgnoreUnknown x*");
      }
      var file = Files.write(directory.resolve("config"), lines);
      var host = List.of("foo", "bar", "baz").get(random.nextInt(3));
      SameAsSshTest.compare(
          "seed %d: %s".formatted(seed, lines), List.of("-F", file.toString(), "-G", host));
    }
  }

  @Test
  void whatSshRefusesIsRefusedWithItsLine() throws Exception {
    SameAsSshTest.askSsh();
    for (var wrong : WRONG_LINES) {
      var file = Files.write(directory.resolve("config"), List.of("Host nobody", wrong));
      var args = List.of("-F", file.toString(), "-G", "foo");
      var real = RealSsh.run(args);
      assertThat(real.status()).as("ssh and '%s'", wrong).isEqualTo(255);
      var ours = SameAsSshTest.ours(args);
      assertThat(ours.status()).as(wrong).isEqualTo(255);
      assertThat(ours.err()).as(wrong).contains(file + "").contains("line 2");
      assertThat(ours.err().lines().toList().getLast())
          .isEqualTo(file + ": terminating, 1 bad configuration options");
    }
  }
}
