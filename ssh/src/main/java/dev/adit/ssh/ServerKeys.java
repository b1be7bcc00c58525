package dev.adit.ssh;

import dev.adit.ssh.connection.Connection;
import dev.adit.ssh.keys.KeyLimits;
import dev.adit.ssh.keys.Signer;
import dev.adit.ssh.transport.Negotiated;
import dev.adit.ssh.transport.Transport;
import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.WireReader;
import dev.adit.ssh.wire.WireWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;

/**
 * The server's side of UpdateHostKeys (OpenSSH's PROTOCOL section 2.5): it tells a client that has
 * logged in all of its host keys, and proves those that the client didn't know.
 */
final class ServerKeys {

  private final Connection connection;
  private final Transport transport;
  private final List<Signer> keys;

  private ServerKeys(Connection connection, Transport transport, List<HostKey> keys) {
    this.connection = connection;
    this.transport = transport;
    this.keys = keys.stream().map(HostKey::bare).toList();
  }

  /** Ready to prove the keys; {@link #announce} comes once the client is in. On the event loop. */
  static ServerKeys on(Connection connection, Transport transport, List<HostKey> keys) {
    ServerKeys serverKeys = new ServerKeys(connection, transport, keys);
    connection.onGlobalRequest(HostKeyUpdate.PROOF, serverKeys::prove);
    return serverKeys;
  }

  /** On the event loop. */
  void announce() {
    WireWriter blobs = WireWriter.create();
    keys.forEach(key -> blobs.writeString(key.publicKeyBlob()));
    connection.globalNotice(HostKeyUpdate.ANNOUNCEMENT, blobs.toBytes());
  }

  private CompletableFuture<byte[]> prove(WireReader fields) throws MalformedDataException {
    List<Signer> asked = new ArrayList<>();
    while (fields.remaining() > 0) {
      byte[] blob = fields.readString();
      var key = keys.stream().filter(k -> Arrays.equals(k.publicKeyBlob(), blob)).findAny();
      if (key.isEmpty() || asked.size() == KeyLimits.MAX_PROOFS) {
        return CompletableFuture.failedFuture(
            new SshException.RequestRefused("it asks for a key that the server doesn't have"));
      }
      asked.add(key.get());
    }
    CompletableFuture<byte[]> proofs = new CompletableFuture<>();
    Thread.ofVirtual()
        .name("adit-proofs")
        .start(
            () -> {
              Runnable answer;
              try {
                byte[] signatures = signatures(asked);
                answer = () -> proofs.complete(signatures);
              } catch (IOException | RuntimeException e) {
                answer = () -> proofs.completeExceptionally(e);
              }
              try {
                connection.eventLoop().execute(answer);
              } catch (RejectedExecutionException _) {
                // The server was closed meanwhile.
              }
            });
    return proofs;
  }

  private byte[] signatures(List<Signer> asked) throws IOException {
    WireWriter signatures = WireWriter.create();
    for (Signer key : asked) {
      byte[] proof =
          WireWriter.create()
              .writeString(HostKeyUpdate.PROOF)
              .writeString(transport.sessionId())
              .writeString(key.publicKeyBlob())
              .toBytes();
      signatures.writeString(key.sign(algorithm(key), proof));
    }
    return signatures.toBytes();
  }

  /** For RSA that of the key exchange, where it was RSA: a client expects no other. */
  private String algorithm(Signer key) {
    Negotiated negotiated = transport.negotiated();
    return negotiated != null && key.algorithms().contains(negotiated.hostKey())
        ? negotiated.hostKey()
        : key.algorithms().getFirst();
  }
}
