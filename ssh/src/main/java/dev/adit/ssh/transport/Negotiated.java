package dev.adit.ssh.transport;

import dev.adit.ssh.SshException;
import dev.adit.ssh.wire.TransportMessage.KexInit;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The algorithms that two KEXINITs agree on (RFC 4253 section 7.1).
 *
 * @param macToServer null where the cipher authenticates by itself; likewise macToClient
 * @param guessedRight whether a key exchange packet sent on a guess would be valid
 */
public record Negotiated(
    String kex,
    String hostKey,
    String cipherToServer,
    String cipherToClient,
    @Nullable String macToServer,
    @Nullable String macToClient,
    String compressionToServer,
    String compressionToClient,
    boolean guessedRight) {

  static final String STRICT_CLIENT = "kex-strict-c-v00@openssh.com";
  static final String STRICT_SERVER = "kex-strict-s-v00@openssh.com";
  static final String EXT_INFO_CLIENT = "ext-info-c";
  static final String EXT_INFO_SERVER = "ext-info-s";

  /** Names in the list of key exchanges that are flags, not algorithms. */
  private static final Set<String> FLAGS =
      Set.of(STRICT_CLIENT, STRICT_SERVER, EXT_INFO_CLIENT, EXT_INFO_SERVER);

  static final String CHACHA = "chacha20-poly1305@openssh.com";

  /**
   * @param peer where the other side is, for the error
   */
  static Negotiated between(KexInit client, KexInit server, boolean weAreServer, String peer)
      throws SshException {
    Choice choice = new Choice(weAreServer, peer);
    String kex = choice.of("key exchange method", client.kexAlgorithms(), server.kexAlgorithms());
    String hostKey =
        choice.of("host key type", client.hostKeyAlgorithms(), server.hostKeyAlgorithms());
    String toServer = choice.of("cipher", client.ciphersToServer(), server.ciphersToServer());
    String toClient = choice.of("cipher", client.ciphersToClient(), server.ciphersToClient());
    String macToServer =
        isAead(toServer) ? null : choice.of("MAC", client.macsToServer(), server.macsToServer());
    String macToClient =
        isAead(toClient) ? null : choice.of("MAC", client.macsToClient(), server.macsToClient());
    return new Negotiated(
        kex,
        hostKey,
        toServer,
        toClient,
        macToServer,
        macToClient,
        choice.of("compression method", client.compressionToServer(), server.compressionToServer()),
        choice.of("compression method", client.compressionToClient(), server.compressionToClient()),
        first(client.kexAlgorithms()).equals(first(server.kexAlgorithms()))
            && first(client.hostKeyAlgorithms()).equals(first(server.hostKeyAlgorithms())));
  }

  static boolean isAead(String cipher) {
    return cipher.equals(CHACHA) || cipher.contains("-gcm@");
  }

  /** The first cipher or MAC that a prefix attack on the handshake can exploit (CVE-2023-48795). */
  @Nullable String exposedToTerrapin() {
    for (String cipher : List.of(cipherToServer, cipherToClient)) {
      if (cipher.equals(CHACHA)) {
        return cipher;
      }
    }
    for (String mac : new String[] {macToServer, macToClient}) {
      if (mac != null && mac.contains("-etm@")) {
        return mac;
      }
    }
    return null;
  }

  private static String first(List<String> names) {
    return names.isEmpty() ? "" : names.getFirst();
  }

  private record Choice(boolean weAreServer, String peer) {

    /** The client's first name that the server has too. */
    String of(String what, List<String> client, List<String> server) throws SshException {
      Set<String> offered = new HashSet<>(server);
      for (String name : client) {
        if (offered.contains(name) && !FLAGS.contains(name)) {
          return name;
        }
      }
      List<String> ours = weAreServer ? server : client;
      List<String> theirs = weAreServer ? client : server;
      throw new SshException.NegotiationFailed(
          peer, what, withoutFlags(ours), withoutFlags(theirs));
    }

    private static List<String> withoutFlags(List<String> names) {
      return names.stream().filter(n -> !FLAGS.contains(n)).toList();
    }
  }
}
