package dev.adit.ssh.keys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.adit.ssh.wire.WireWriter;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AgentTest {
  @TempDir Path directory;
  private @Nullable Process process;

  @AfterEach
  void stop() throws Exception {
    if (process != null) {
      process.destroy();
      process.waitFor(5, TimeUnit.SECONDS);
    }
  }

  /** A real ssh-agent. */
  private Path start() throws Exception {
    Path socket = directory.resolve("agent");
    process =
        new ProcessBuilder("ssh-agent", "-D", "-a", socket.toString())
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("log").toFile())
            .start();
    Awaitility.await().until(() -> Files.exists(socket));
    return socket;
  }

  private TestKeys.Said sshAdd(Path socket, Object... arguments) throws Exception {
    List<Object> command = new ArrayList<>(List.of("env", "SSH_AUTH_SOCK=" + socket, "ssh-add"));
    command.addAll(List.of(arguments));
    return TestKeys.run(new byte[0], command.toArray());
  }

  @Test
  void signsWithEveryKeyAndCertificateOfARealAgent() throws Exception {
    Path socket = start();
    for (String name : List.of("ed25519", "ecdsa256", "ecdsa384", "ecdsa521", "rsa")) {
      Files.write(directory.resolve(name + "-cert.pub"), TestKeys.bytes(name + "-cert.pub"));
      assertThat(sshAdd(socket, "-q", TestKeys.copy(name, directory)).status()).isZero();
    }
    try (Agent agent = Agent.connect(socket)) {
      List<Signer> signers = agent.signers();
      assertThat(signers).hasSize(10);
      byte[] data = "session".getBytes("US-ASCII");
      for (Signer signer : signers) {
        assertThat(signer.name()).endsWith(" comment");
        SshPublicKey key = SshPublicKey.parse(signer.publicKeyBlob());
        for (String algorithm : signer.algorithms()) {
          key.verify(algorithm, data, signer.sign(algorithm, data));
        }
      }
      assertThat(signers.stream().flatMap(s -> s.algorithms().stream()).distinct()).hasSize(12);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"ed25519", "ecdsa256", "ecdsa521", "rsa", "openssh-aes256-ctr"})
  void keysThatWeAddAreUsable(String name) throws Exception {
    Path socket = start();
    PrivateKeyFile key = PrivateKeyFile.read(TestKeys.copy(name, directory), TestKeys.KNOWS);
    try (Agent agent = Agent.connect(socket)) {
      agent.add(key, 600, false);
      String listed = sshAdd(socket, "-l").text();
      assertThat(listed).contains(key.publicKey().fingerprint()).contains(" comment ");
      // The agent's own test: it signs, and ssh-add verifies.
      Path publicKey = directory.resolve("added.pub");
      Files.writeString(publicKey, key.publicKey().toLine() + "\n");
      assertThat(sshAdd(socket, "-T", publicKey).status()).isZero();
      assertThat(agent.identities())
          .extracting(Agent.Identity::key)
          .containsExactly(key.publicKey());
    }
  }

  @Test
  void aRefusalIsAnError() throws Exception {
    Path socket = start();
    try (Agent agent = Agent.connect(socket)) {
      assertThat(agent.identities()).isEmpty();
      SshPublicKey key = TestKeys.key("ed25519.pub");
      assertThatThrownBy(() -> agent.sign(key, "ssh-ed25519", new byte[1]))
          .isInstanceOf(IOException.class)
          .hasMessage("the agent at " + socket + " refuses to sign with " + key);
      // And the connection goes on.
      assertThat(agent.identities()).isEmpty();
      assertThat(sshAdd(socket, "-q", TestKeys.copy("ed25519", directory)).status()).isZero();
      assertThat(agent.identities()).hasSize(1);
    }
  }

  @Test
  void noAgentAtAll() {
    Path nowhere = directory.resolve("nowhere");
    assertThatThrownBy(() -> Agent.connect(nowhere))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("cannot reach the agent at " + nowhere + ": ");
    assertThatThrownBy(() -> Agent.connect(Path.of("/" + "x".repeat(200))))
        .isInstanceOf(IOException.class);
  }

  @Test
  void whereTheAgentIs() {
    Map<String, String> environment = Map.of("SSH_AUTH_SOCK", "/a", "OTHER", "/b", "EMPTY", "");
    assertThat(Agent.locate(null, environment)).contains(Path.of("/a"));
    assertThat(Agent.locate("SSH_AUTH_SOCK", environment)).contains(Path.of("/a"));
    assertThat(Agent.locate("none", environment)).isEmpty();
    assertThat(Agent.locate("$OTHER", environment)).contains(Path.of("/b"));
    assertThat(Agent.locate("$EMPTY", environment)).isEmpty();
    assertThat(Agent.locate("/c", environment)).contains(Path.of("/c"));
    assertThat(Agent.locate(null, Map.of())).isEqualTo(Optional.empty());
  }

  private interface Exchange {
    void with(Agent agent) throws Exception;
  }

  /** An agent that answers every request with these bytes, and then hangs up. */
  private void rude(byte[] answer, Exchange exchange) throws Exception {
    Path socket = directory.resolve("rude");
    Files.deleteIfExists(socket);
    try (var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(socket));
      Thread thread =
          Thread.ofVirtual()
              .start(
                  () -> {
                    try (SocketChannel client = server.accept()) {
                      client.read(ByteBuffer.allocate(65536));
                      client.write(ByteBuffer.wrap(answer));
                    } catch (IOException e) {
                      // The test is over.
                    }
                  });
      try (Agent agent = Agent.connect(socket)) {
        exchange.with(agent);
      }
      thread.join();
    }
  }

  private static byte[] frame(byte[] body) {
    return WireWriter.create().writeString(body).toBytes();
  }

  @Test
  void answersThatAreCutShortOrTooLongAreErrors() throws Exception {
    byte[] whole =
        frame(
            WireWriter.create()
                .writeByte(12)
                .writeUint32(1)
                .writeString(TestKeys.key("ed25519.pub").blob())
                .writeString("comment")
                .toBytes());
    rude(whole, agent -> assertThat(agent.identities()).hasSize(1));
    for (int length = 0; length < whole.length; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      rude(cut, agent -> assertThatThrownBy(agent::identities).isInstanceOf(IOException.class));
      if (length > 4) {
        byte[] inner = Arrays.copyOfRange(whole, 4, length);
        rude(
            frame(inner),
            agent -> assertThatThrownBy(agent::identities).isInstanceOf(IOException.class));
      }
    }
    for (long length : new long[] {0, 256 * 1024 + 1, 1L << 31, (1L << 32) - 1}) {
      byte[] head = WireWriter.create().writeUint32(length).writeBytes(new byte[16]).toBytes();
      rude(
          head,
          agent -> assertThatThrownBy(agent::identities).hasMessageContaining("which is not 1 to"));
    }
    rude(
        frame(WireWriter.create().writeByte(12).writeUint32((1L << 32) - 1).toBytes()),
        agent -> assertThatThrownBy(agent::identities).isInstanceOf(IOException.class));
  }

  @Test
  void sha1WhereSha2WasAskedForIsAnError() throws Exception {
    byte[] sha1 = WireWriter.create().writeString("ssh-rsa").writeString(new byte[256]).toBytes();
    rude(
        frame(WireWriter.create().writeByte(14).writeString(sha1).toBytes()),
        agent ->
            assertThatThrownBy(
                    () -> agent.sign(TestKeys.key("rsa.pub"), "rsa-sha2-512", new byte[1]))
                .hasMessageContaining("signed with ssh-rsa where rsa-sha2-512 was asked for"));
  }

  @Test
  void moreKeysThanOpenSshTakesAreAnError() throws Exception {
    byte[] blob = TestKeys.key("ed25519.pub").blob();
    for (int count : new int[] {2048, 2049}) {
      WireWriter answer = WireWriter.create().writeByte(12).writeUint32(count);
      for (int i = 0; i < count; i++) {
        answer.writeString(blob).writeString("");
      }
      rude(
          frame(answer.toBytes()),
          agent -> {
            if (count == 2048) {
              assertThat(agent.identities()).hasSize(2048);
            } else {
              assertThatThrownBy(agent::identities).hasMessageContaining("the number of keys");
            }
          });
    }
  }
}
