package dev.adit.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.adit.ssh.Peer;
import dev.adit.ssh.ServerEvent;
import dev.adit.ssh.SshException;
import dev.adit.ssh.TunnelEvent;
import dev.adit.ssh.UserKey;
import java.io.BufferedReader;
import java.io.FileReader;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The audit log's lines, as text and as JSON, which jq reads. */
class AuditLogTest {
  @TempDir Path directory;

  private static List<ServerEvent> story() throws Exception {
    var peer = new Peer(7, new InetSocketAddress(InetAddress.getByName("192.0.2.1"), 50_022), null);
    var key =
        new UserKey(
            "ssh-ed25519-cert-v01@openssh.com",
            "ssh-ed25519-cert-v01@openssh.com",
            new byte[] {1},
            "SHA256:abc",
            new UserKey.CertificateName("id \"x\"", -1, "ED25519 SHA256:ca"));
    return List.of(
        new ServerEvent.Connected(peer),
        new ServerEvent.LoginFailed(peer, "ada=1 \\x0a", false, "password", null, "wrong password"),
        new ServerEvent.LoggedIn(peer, "ada", List.of("publickey", "password"), key),
        new ServerEvent.Tunnel(
            peer, "ada", new TunnelEvent.ChannelOpening(3, "direct-tcpip", "db:5432", true)),
        new ServerEvent.Tunnel(peer, "ada", new TunnelEvent.ChannelOpened(3, "direct-tcpip")),
        new ServerEvent.Tunnel(
            peer,
            "ada",
            new TunnelEvent.ChannelClosed(
                3, "direct-tcpip", 10, 20, Duration.ofMillis(1500), "the client")),
        new ServerEvent.Disconnected(
            peer, "ada", new SshException.Disconnected(true, 11, "bye", null)));
  }

  private List<String> lines(boolean isJson) throws Exception {
    var file = directory.resolve("audit");
    try (var audit = AuditLog.open(file, isJson)) {
      story().forEach(audit::event);
    }
    return Files.readAllLines(file);
  }

  @Test
  void textHasOneLineForEachEvent() throws Exception {
    var at = "connection=7 from=192.0.2.1 port=50022";
    assertThat(lines(false).stream().map(line -> line.replaceFirst("^time=\\S+ ", "")))
        .containsExactly(
            "event=connected " + at,
            "event=auth-failure "
                + at
                + " user=\"ada=1 \\\\x0a\" known=false method=password why=\"wrong password\"",
            "event=auth-success "
                + at
                + " user=ada method=publickey,password key-type=ssh-ed25519-cert-v01@openssh.com"
                + " key=SHA256:abc certificate=\"id \\\"x\\\"\" serial=18446744073709551615"
                + " authority=\"ED25519 SHA256:ca\"",
            "event=channel-opened " + at + " user=ada channel=3 type=direct-tcpip what=db:5432",
            "event=channel-closed "
                + at
                + " user=ada channel=3 type=direct-tcpip what=db:5432 sent=10 received=20"
                + " seconds=1.500 by=\"the client\"",
            "event=disconnected " + at + " user=ada by=client why=bye");
  }

  @Test
  void jsonIsReadByOthers() throws Exception {
    lines(true);
    var jq =
        new ProcessBuilder(
                "python3",
                "-c",
                """
                import json, sys
                for line in open(sys.argv[1]):
                    event = json.loads(line)
                    fields = {k: v for pair in event["kvpList"] for k, v in pair.items()}
                    print(event["message"], fields.get("user"), fields.get("certificate"))
                """,
                directory.resolve("audit").toString())
            .redirectErrorStream(true)
            .start();
    var out = new String(jq.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(jq.waitFor()).as(out).isZero();
    assertThat(out.lines())
        .containsExactly(
            "connected None None",
            "auth-failure ada=1 \\x0a None",
            "auth-success ada id \"x\"",
            "channel-opened ada None",
            "channel-closed ada None",
            "disconnected ada None");
  }

  @Test
  void theFileIsForItsOwnerAndIsAppendedTo() throws Exception {
    lines(false);
    var file = directory.resolve("audit");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    assertThat(lines(false)).hasSize(12);
  }

  @Test
  void whatCannotBeWrittenIsAnError() {
    assertThatThrownBy(() -> AuditLog.open(directory.resolve("no/audit"), false))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("no/audit");
  }

  /** A pipe that nobody reads takes 64 KiB, as a disk that hangs would take less. */
  @Test
  @Timeout(60)
  void aDiskThatHangsStopsNobody() throws Exception {
    var pipe = directory.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    try (var reader = new RandomAccessFile(pipe.toFile(), "rw");
        var audit = AuditLog.open(pipe, false)) {
      var line = story().getFirst();
      for (int i = 0; i < 20_000; i++) {
        audit.event(line);
      }
      // It reads again, and there is room for what was lost.
      var lines = new BufferedReader(new FileReader(reader.getFD()));
      int written = 0;
      for (String read; !(read = lines.readLine()).contains("event=dropped"); ) {
        assertThat(read).contains("event=connected");
        if (++written % 1000 == 0) {
          audit.event(line);
        }
      }
      assertThat(written).isBetween(8192, 12_000);
    }
  }

  @Test
  void textsOfStrangersAreCut() {
    assertThat(LogText.of("x".repeat(257))).hasSize(256);
    assertThat(LogText.of("a\u001b[2J\u009b\u202e\u2028b"))
        .isEqualTo("a\\u001b[2J\\u009b\\u202e\\u2028b");
  }
}
