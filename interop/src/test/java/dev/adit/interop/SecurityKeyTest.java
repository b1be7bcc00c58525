package dev.adit.interop;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.Signature;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Whole logins with a security key (sk-ssh-ed25519@openssh.com), at sshd and at the gateway. The
 * token is made of software, behind an agent that OpenSSH's client asks, so that it can leave out
 * what a real one would insist on.
 */
class SecurityKeyTest {
  private static Scratch files;
  private static Token token;
  private static OpenSshServer sshd;
  private static GatewayServer gateway;

  /** An agent with one key, whose signatures say of its user what they are told to. */
  private static final class Token implements AutoCloseable {
    private static final String TYPE = "sk-ssh-ed25519@openssh.com";
    private static final String APPLICATION = "ssh:";
    private static final int IDENTITIES_ANSWER = 12;
    private static final int SIGN_RESPONSE = 14;

    private final KeyPair key;
    private final byte[] blob;
    private final Path socket;
    private final TestServer server;
    private volatile int flags;
    private int counter;

    Token(Path socket) throws GeneralSecurityException {
      this.socket = socket;
      key = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
      byte[] encoded = key.getPublic().getEncoded();
      byte[] point = Arrays.copyOfRange(encoded, encoded.length - 32, encoded.length);
      blob = strings(TYPE.getBytes(US_ASCII), point, APPLICATION.getBytes(US_ASCII));
      server = TestServer.startOn(socket, connection -> serve(connection.in(), connection.out()));
    }

    String publicLine() {
      return TYPE + " " + Base64.getEncoder().encodeToString(blob);
    }

    private void serve(InputStream in, OutputStream out) throws IOException {
      var requests = new DataInputStream(in);
      for (byte[] size; (size = requests.readNBytes(4)).length == 4; ) {
        byte[] request = requests.readNBytes(ByteBuffer.wrap(size).getInt());
        byte[] answer =
            switch (request[0]) {
              case 11 ->
                  joined(new byte[] {IDENTITIES_ANSWER, 0, 0, 0, 1}, strings(blob, new byte[0]));
              case 13 -> joined(new byte[] {SIGN_RESPONSE}, strings(sign(message(request))));
              default -> new byte[] {5};
            };
        new DataOutputStream(out).writeInt(answer.length);
        out.write(answer);
      }
    }

    /** Behind the key's blob. */
    private static byte[] message(byte[] request) {
      var fields = ByteBuffer.wrap(request, 1, request.length - 1);
      fields.position(1 + 4 + fields.getInt());
      byte[] message = new byte[fields.getInt()];
      fields.get(message);
      return message;
    }

    /** PROTOCOL.u2f: what a token signs is not the message itself. */
    private byte[] sign(byte[] message) {
      try {
        var sha256 = MessageDigest.getInstance("SHA-256");
        byte[] said = ByteBuffer.allocate(5).put((byte) flags).putInt(++counter).array();
        var signature = Signature.getInstance("Ed25519");
        signature.initSign(key.getPrivate());
        signature.update(sha256.digest(APPLICATION.getBytes(US_ASCII)));
        signature.update(said);
        signature.update(sha256.digest(message));
        return joined(strings(TYPE.getBytes(US_ASCII), signature.sign()), said);
      } catch (GeneralSecurityException e) {
        throw new AssertionError(e);
      }
    }

    private static byte[] strings(byte[]... each) {
      var all = new ByteArrayOutputStream();
      for (byte[] one : each) {
        all.writeBytes(ByteBuffer.allocate(4).putInt(one.length).array());
        all.writeBytes(one);
      }
      return all.toByteArray();
    }

    private static byte[] joined(byte[] head, byte[] tail) {
      return ByteBuffer.allocate(head.length + tail.length).put(head).put(tail).array();
    }

    @Override
    public void close() throws Exception {
      server.close();
    }
  }

  @BeforeAll
  static void start() throws Exception {
    files = new Scratch();
    token = new Token(files.path("agent"));
    String[] config = {
      "AuthorizedKeysFile " + files.path("keys"),
      "PermitRootLogin yes",
      "StrictModes no",
      "Match Address 127.0.0.2",
      "PubkeyAuthOptions touch-required",
      "Match Address 127.0.0.3",
      "PubkeyAuthOptions verify-required",
    };
    sshd = OpenSshServer.start(List.of(Keys.Type.ED25519), config);
    gateway = GatewayServer.start(config);
  }

  @AfterAll
  static void stop() throws Exception {
    gateway.close();
    sshd.close();
    token.close();
    files.close();
  }

  private static boolean letsIn(int port, Path knownHosts, String from) {
    try (var ssh =
        Program.of(Judges.require("ssh"), "-F", "none", "-p", port, "-b", from)
            .arguments("-o", "IdentityAgent=" + token.socket, "-o", "IdentityFile=none")
            .arguments("-o", "UserKnownHostsFile=" + knownHosts, "-o", "BatchMode=yes")
            .arguments("-o", "GlobalKnownHostsFile=none", "127.0.0.1", "true")
            .noStdin()
            .start()) {
      int status = ssh.exitCode();
      assertThat(status).as(ssh::stderr).isIn(0, 255);
      return status == 0;
    }
  }

  @ParameterizedTest(name = "{0} {1} from {2}")
  @CsvSource({
    "nothing, '', 127.0.0.1, false",
    "touched, '', 127.0.0.1, true",
    "verified, '', 127.0.0.1, false",
    "nothing, no-touch-required, 127.0.0.1, true",
    "touched, verify-required, 127.0.0.1, false",
    "verified, verify-required, 127.0.0.1, false",
    "both, verify-required, 127.0.0.1, true",
    "verified, 'no-touch-required,verify-required', 127.0.0.1, true",
    "nothing, no-touch-required, 127.0.0.2, false",
    "touched, no-touch-required, 127.0.0.2, true",
    "touched, '', 127.0.0.3, false",
    "both, '', 127.0.0.3, true",
  })
  void whatTheTokenMustSayOfItsUser(String said, String options, String from, boolean expected) {
    files.write("keys", (options + " " + token.publicLine()).strip() + "\n");
    token.flags =
        switch (said) {
          case "touched" -> 1;
          case "verified" -> 4;
          case "both" -> 5;
          default -> 0;
        };
    assertThat(letsIn(sshd.port(), sshd.knownHosts(), from)).as("sshd").isEqualTo(expected);
    assertThat(letsIn(gateway.port(), gateway.knownHosts(), from))
        .as(() -> "the gateway: " + gateway.log())
        .isEqualTo(expected);
  }
}
