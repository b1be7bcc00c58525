package dev.adit.ssh.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.adit.ssh.SshException;
import dev.adit.ssh.wire.TransportMessage.KexInit;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class NegotiatedTest {
  private static KexInit kexInit(String kex, String cipher, String mac) {
    List<String> ciphers = List.of(cipher.split(",", -1));
    List<String> macs = mac.isEmpty() ? List.of() : List.of(mac.split(",", -1));
    List<String> none = List.of("none");
    return new KexInit(
        new byte[16],
        List.of(kex.split(",", -1)),
        List.of("ssh-ed25519"),
        ciphers,
        ciphers,
        macs,
        macs,
        none,
        none,
        List.of(),
        List.of(),
        false,
        0);
  }

  private static Negotiated between(KexInit client, KexInit server) throws SshException {
    return Negotiated.between(client, server, false, "h port 22");
  }

  @Test
  void theClientsFirstNameThatTheServerHasWins() throws Exception {
    var n = between(kexInit("x,b,a", "q,p", "m"), kexInit("a,b", "p,q", "m"));
    assertThat(n.kex()).isEqualTo("b");
    assertThat(n.cipherToServer()).isEqualTo("q");
    assertThat(n.macToClient()).isEqualTo("m");
    assertThat(n.guessedRight()).isFalse();
  }

  @Test
  void aCipherThatAuthenticatesNeedsNoCommonMac() throws Exception {
    for (String aead :
        List.of(
            "aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com")) {
      assertThat(between(kexInit("a", aead, "m"), kexInit("a", aead, "other")).macToServer())
          .isNull();
    }
  }

  @Test
  void flagsAreNeverAgreedOn() {
    String flags =
        "ext-info-c,ext-info-s,kex-strict-c-v00@openssh.com,kex-strict-s-v00@openssh.com";
    assertThatThrownBy(
            () -> between(kexInit("a," + flags, "p", "m"), kexInit("b," + flags, "p", "m")))
        .isInstanceOf(SshException.NegotiationFailed.class)
        .hasMessage(
            "Unable to negotiate with h port 22: no matching key exchange method found."
                + " Their offer: b; ours: a");
  }

  @Test
  void chachaAndEncryptThenMacAreExposedWithoutStrictKeyExchange() throws Exception {
    assertThat(exposed("chacha20-poly1305@openssh.com", "hmac-sha2-256"))
        .isEqualTo("chacha20-poly1305@openssh.com");
    assertThat(exposed("aes128-ctr", "hmac-sha2-256-etm@openssh.com"))
        .isEqualTo("hmac-sha2-256-etm@openssh.com");
    assertThat(exposed("aes128-ctr", "hmac-sha2-256")).isNull();
    assertThat(exposed("aes128-gcm@openssh.com", "hmac-sha2-256-etm@openssh.com")).isNull();
  }

  private static @Nullable String exposed(String cipher, String mac) throws SshException {
    return between(kexInit("a", cipher, mac), kexInit("a", cipher, mac)).exposedToTerrapin();
  }

  @Test
  void theWordsOfTheSystemAreKeptAndNettysAreNot() {
    assertThat(SocketErrors.plain(new java.io.IOException("Connection refused: /127.0.0.1:1")))
        .isEqualTo("Connection refused");
    assertThat(
            SocketErrors.plain(
                new java.io.IOException(
                    "finishConnect(..) failed with error(-111): Connection refused: h/[::1]:22")))
        .isEqualTo("Connection refused");
    assertThat(
            SocketErrors.plain(
                new java.io.IOException("recvAddress(..) failed: Connection reset by peer")))
        .isEqualTo("Connection reset by peer");
  }
}
