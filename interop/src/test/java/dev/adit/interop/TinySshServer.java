package dev.adit.interop;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;

/**
 * tinysshd on a free loopback port, by socat, which listens for it. It speaks chacha20-poly1305 and
 * Ed25519 only, has no strict key exchange, and reads ~/.ssh/authorized_keys of the account.
 */
final class TinySshServer implements AutoCloseable {
  private final Scratch scratch = new Scratch();
  private final Program.Running socat;
  private final int port = Ports.free();

  private TinySshServer() {
    Path program = Judges.require("tinysshd");
    Path keys = scratch.path("keys");
    Program.of("tinysshd-makekey", "-q", keys).run();
    socat =
        Program.of(Judges.require("socat"))
            .arguments("TCP-LISTEN:" + port + ",bind=127.0.0.1,reuseaddr,fork")
            .arguments("EXEC:" + program + " -v " + keys)
            .noStdin()
            .start()
            .awaitListening(port);
  }

  static TinySshServer start() {
    return new TinySshServer();
  }

  int port() {
    return port;
  }

  /** What tinysshd has logged so far. */
  String log() {
    return socat.stderr();
  }

  /** A known_hosts file that knows this server. */
  Path knownHosts() {
    String key = Base64.getEncoder().encodeToString(publicKey());
    return scratch.write("known_hosts", "[127.0.0.1]:%d ssh-ed25519 %s%n".formatted(port, key));
  }

  /** RFC 8709's encoding around the 32 bytes of tinysshd's key file. */
  private byte[] publicKey() {
    try {
      byte[] key = Files.readAllBytes(scratch.path("keys/ed25519.pk"));
      var blob = ByteBuffer.allocate(4 + 11 + 4 + 32);
      blob.putInt(11).put("ssh-ed25519".getBytes(US_ASCII));
      return blob.putInt(32).put(key).array();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    socat.close();
    scratch.close();
  }
}
