package dev.adit.interop;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.ssh.ConnectOptions;
import dev.adit.ssh.ForwardSpec;
import dev.adit.ssh.HandshakeInfo;
import dev.adit.ssh.HostKeyPolicy;
import dev.adit.ssh.KnownHostsOptions;
import dev.adit.ssh.SshClient;
import dev.adit.ssh.SshConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Every algorithm that a real sshd has carries data, and the keys may change under it. */
class AlgorithmsTest {
  private static SshClient client;
  private static OpenSshServer server;
  private static TestServer sink;
  private static TestServer source;
  private static final int SMALL = 300_000;

  @BeforeAll
  static void startServers() {
    client = SshClient.create();
    server = OpenSshServer.start("Ciphers +aes192-ctr", "RekeyLimit default none");
    sink = TestServer.start(TestServer.sink());
    source = TestServer.start(TestServer.source(7, SMALL));
  }

  @AfterAll
  static void stopServers() {
    client.close();
    server.close();
    sink.close();
    source.close();
  }

  private static ConnectOptions.Builder to(OpenSshServer server) {
    return ConnectOptions.to("127.0.0.1")
        .port(server.port())
        .user(server.user())
        .identityFile(server.userKey())
        .hostKeyPolicy(
            HostKeyPolicy.knownHosts(
                KnownHostsOptions.files(List.of(server.knownHosts()))
                    .strictness(KnownHostsOptions.Strictness.YES)
                    .build()));
  }

  /** What OpenSSH's client of this machine knows: its sshd is of the same release. */
  private static List<String> known(String what) {
    return Program.of(Judges.require("ssh")).arguments("-Q", what).run().lines().toList();
  }

  private static List<String> common(List<String> ours, String what) {
    List<String> theirs = known(what);
    List<String> common = ours.stream().filter(theirs::contains).toList();
    assertThat(common).isNotEmpty();
    return common;
  }

  private static SocketChannel open(SshConnection connection, int port) throws Exception {
    var forward = connection.forward(ForwardSpec.parseLocal(Ports.free() + ":127.0.0.1:" + port));
    return SocketChannel.open(
        new InetSocketAddress(InetAddress.getLoopbackAddress(), forward.port()));
  }

  /** Bytes up, and their checksum back. */
  private static void up(SshConnection connection, int port, long seed, long size)
      throws Exception {
    try (var socket = open(connection, port)) {
      String sent = RandomBytes.send(Channels.newOutputStream(socket), seed, size);
      socket.shutdownOutput();
      assertThat(new String(Channels.newInputStream(socket).readAllBytes(), US_ASCII))
          .isEqualTo(sent);
    }
  }

  private static void down(SshConnection connection, int port, long seed, long size)
      throws Exception {
    try (var socket = open(connection, port)) {
      assertThat(RandomBytes.receive(Channels.newInputStream(socket)))
          .isEqualTo(new RandomBytes.Received(size, RandomBytes.digest(seed, size)));
    }
  }

  private static HandshakeInfo carryData(ConnectOptions.Builder options) throws Exception {
    try (var connection = client.connect(options.build())) {
      // Once more under the keys of a second exchange.
      up(connection, sink.port(), 1, SMALL);
      connection.rekey();
      down(connection, source.port(), 7, SMALL);
      up(connection, sink.port(), 2, SMALL);
      Ports.await("the second key exchange", () -> !connection.handshake().first());
      return connection.handshake();
    }
  }

  @Test
  void everyCipherWithEveryMac() throws Exception {
    List<String> macs = common(ConnectOptions.defaultMacs(), "mac");
    List<String> ciphers = common(ConnectOptions.defaultCiphers(), "cipher");
    assertThat(ciphers).hasSizeGreaterThanOrEqualTo(5);
    assertThat(macs).hasSizeGreaterThanOrEqualTo(4);
    for (String cipher : ciphers) {
      boolean aead = cipher.contains("gcm") || cipher.contains("poly1305");
      for (String mac : aead ? macs.subList(0, 1) : macs) {
        var info = carryData(to(server).ciphers(List.of(cipher)).macs(List.of(mac)));
        assertThat(info.cipherToServer()).isEqualTo(cipher);
        assertThat(info.macToClient()).isEqualTo(aead ? null : mac);
        assertThat(info.strict()).isTrue();
      }
    }
  }

  @Test
  void everyKeyExchangeMethod() throws Exception {
    List<String> methods = common(ConnectOptions.defaultKexAlgorithms(), "kex");
    assertThat(methods)
        .contains(
            "sntrup761x25519-sha512@openssh.com",
            "curve25519-sha256",
            "ecdh-sha2-nistp384",
            "diffie-hellman-group-exchange-sha256",
            "diffie-hellman-group14-sha256");
    for (String method : methods) {
      assertThat(carryData(to(server).kexAlgorithms(List.of(method))).kex()).isEqualTo(method);
    }
  }

  @Test
  void compressionStartsAfterLoginAndAgainWithEachKey() throws Exception {
    try (var compressing = OpenSshServer.start("Compression yes")) {
      var info = carryData(to(compressing).compression(true));
      assertThat(info.compression()).isEqualTo("zlib@openssh.com");
    }
  }

  /** Runs all of them at once; the first failure is thrown. */
  private static void atOnce(List<Callable<?>> tasks) throws Exception {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> running = new ArrayList<>();
      tasks.forEach(task -> running.add(threads.submit(task)));
      for (Future<?> each : running) {
        each.get();
      }
    }
  }

  @Test
  void keysChangeAllTheTimeUnderLoadInBothDirections() throws Exception {
    long size = 24 << 20;
    for (boolean compression : new boolean[] {false, true}) {
      List<HandshakeInfo> exchanges = new CopyOnWriteArrayList<>();
      try (var rekeying = OpenSshServer.start("RekeyLimit 1M", "Compression yes");
          var big = TestServer.start(TestServer.source(9, size));
          var connection =
              client.connect(
                  to(rekeying)
                      .compression(compression)
                      .rekeyLimit(700_000, Duration.ZERO)
                      .handshakes(exchanges::add)
                      .build())) {
        atOnce(
            List.of(
                () -> {
                  up(connection, sink.port(), 3, size);
                  return null;
                },
                () -> {
                  down(connection, big.port(), 9, size);
                  return null;
                },
                () -> {
                  for (int i = 0; i < 20; i++) {
                    up(connection, sink.port(), 100 + i, 5000);
                  }
                  return null;
                }));
        assertThat(exchanges.size()).isGreaterThan(20);
        assertThat(connection.closed()).isNotDone();
      }
    }
  }

  @Test
  void aLimitOfSixteenBytesStillGetsThrough() throws Exception {
    List<HandshakeInfo> exchanges = new CopyOnWriteArrayList<>();
    try (var connection =
        client.connect(
            to(server)
                .kexAlgorithms(List.of("curve25519-sha256"))
                .rekeyLimit(16, Duration.ZERO)
                .handshakes(exchanges::add)
                .build())) {
      up(connection, sink.port(), 5, 100_000);
      down(connection, source.port(), 7, SMALL);
    }
    assertThat(exchanges.size()).isGreaterThan(2);
  }

  @Test
  void keysChangeWithTime() throws Exception {
    List<HandshakeInfo> exchanges = new CopyOnWriteArrayList<>();
    try (var connection =
        client.connect(
            to(server).rekeyLimit(0, Duration.ofMillis(50)).handshakes(exchanges::add).build())) {
      Ports.await("three exchanges", () -> exchanges.size() >= 3);
      up(connection, sink.port(), 6, SMALL);
    }
  }
}
