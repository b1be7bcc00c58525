package dev.adit.ssh;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.adit.ssh.connection.Connection;
import dev.adit.ssh.keys.Certificate;
import dev.adit.ssh.keys.InvalidSignatureException;
import dev.adit.ssh.keys.KeyLimits;
import dev.adit.ssh.keys.KnownHosts;
import dev.adit.ssh.keys.KnownHostsFile;
import dev.adit.ssh.keys.SshPublicKey;
import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.WireReader;
import dev.adit.ssh.wire.WireWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * UpdateHostKeys (OpenSSH's PROTOCOL section 2.5): after login the server announces all of its host
 * keys; those that are new must be proven and go into the user's known_hosts, those that it no
 * longer has go out. Asks and writes on a virtual thread of its own, so that nothing waits for it.
 */
final class HostKeyUpdate {
  private static final Logger log = LoggerFactory.getLogger(HostKeyUpdate.class);

  static final String ANNOUNCEMENT = "hostkeys-00@openssh.com";
  static final String PROOF = "hostkeys-prove-00@openssh.com";

  private static final int MAX_ANSWERS = 3;

  private final Connection connection;
  private final KnownHostsPolicy policy;
  private final String host;
  private final int port;
  private final byte[] sessionId;
  private final List<String> algorithms;
  private boolean begun;

  /**
   * @param host as the user named it
   * @param algorithms HostKeyAlgorithms: keys of other types are not learned
   */
  HostKeyUpdate(
      Connection connection,
      KnownHostsPolicy policy,
      String host,
      int port,
      byte[] sessionId,
      List<String> algorithms) {
    this.connection = connection;
    this.policy = policy;
    this.host = policy.name(host);
    this.port = policy.port(port);
    this.sessionId = sessionId;
    this.algorithms = algorithms;
  }

  /** Takes the announcement, on the event loop; a second one in the same connection is ignored. */
  CompletableFuture<byte[]> announced(WireReader fields) throws MalformedDataException {
    List<byte[]> blobs = new ArrayList<>();
    while (fields.remaining() > 0) {
      if (blobs.size() == KeyLimits.MAX_ANNOUNCED_KEYS) {
        throw new MalformedDataException(
            "more than " + KeyLimits.MAX_ANNOUNCED_KEYS + " host keys");
      }
      blobs.add(fields.readString());
    }
    if (!begun) {
      begun = true;
      Thread.ofVirtual().name("adit-hostkeys").start(() -> update(blobs));
    }
    return CompletableFuture.completedFuture(new byte[0]);
  }

  private void update(List<byte[]> blobs) {
    try {
      Set<SshPublicKey> offered = usable(blobs);
      if (offered.isEmpty()) {
        return;
      }
      KnownHosts files = policy.userFiles();
      List<SshPublicKey> known = knownKeys(files);
      if (known.isEmpty()) {
        return;
      }
      List<SshPublicKey> added = offered.stream().filter(key -> !known.contains(key)).toList();
      List<SshPublicKey> removed = known.stream().filter(key -> !offered.contains(key)).toList();
      if (added.isEmpty() && removed.isEmpty()) {
        log.debug("The host keys are those that are known.");
        return;
      }
      if (!added.isEmpty()) {
        prove(added);
      }
      if (agreed(added, removed)) {
        write(added, removed);
      }
    } catch (SshException e) {
      log.debug("UpdateHostKeys: {}", e.getMessage());
    } catch (IOException | ExecutionException e) {
      log.info("Host keys are not updated: {}", e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Keys that could come up in a key exchange; certificates have their own way of being known. */
  private Set<SshPublicKey> usable(List<byte[]> blobs) {
    Set<SshPublicKey> keys = new LinkedHashSet<>();
    for (byte[] blob : blobs) {
      try {
        SshPublicKey key = SshPublicKey.parse(blob, policy.options().requiredRsaSize);
        if (!(key instanceof Certificate)
            && key.algorithms().stream().anyMatch(algorithms::contains)) {
          keys.add(key);
        }
      } catch (MalformedDataException e) {
        log.debug("A host key that is not used here: {}", e.getMessage());
      }
    }
    return keys;
  }

  /**
   * The keys that stand under this host's name alone. Empty if they must not be touched: an
   * authority vouches for the host, or a line is about other hosts as well.
   */
  private List<SshPublicKey> knownKeys(KnownHosts files) {
    String name = KnownHosts.name(host, port);
    List<SshPublicKey> keys = new ArrayList<>();
    for (KnownHosts.Entry entry : files.entries(host, port)) {
      switch (entry.marker()) {
        case CERT_AUTHORITY -> {
          log.debug(
              "{}: an authority vouches for {}: host keys are left alone", entry.where(), name);
          return List.of();
        }
        case REVOKED -> {}
        case NONE -> {
          boolean alone =
              entry.names().startsWith("|") || entry.names().toLowerCase(Locale.ROOT).equals(name);
          if (!alone) {
            log.debug("{}: has other names as well: host keys are left alone", entry.where());
            return List.of();
          }
          keys.add(entry.key());
        }
      }
    }
    return keys;
  }

  private void prove(List<SshPublicKey> keys)
      throws IOException, InterruptedException, ExecutionException {
    WireWriter request = WireWriter.create();
    keys.forEach(key -> request.writeString(key.blob()));
    CompletableFuture<byte[]> asked = new CompletableFuture<>();
    connection
        .eventLoop()
        .execute(
            () ->
                connection
                    .globalRequest(PROOF, request.toBytes())
                    .whenComplete(
                        (fields, failure) -> {
                          if (failure == null) {
                            asked.complete(fields);
                          } else {
                            asked.completeExceptionally(failure);
                          }
                        }));
    WireReader reply = WireReader.over(asked.get());
    for (SshPublicKey key : keys) {
      byte[] signature = reply.readString();
      byte[] signed =
          WireWriter.create()
              .writeString(PROOF.getBytes(US_ASCII))
              .writeString(sessionId)
              .writeString(key.blob())
              .toBytes();
      String algorithm = WireReader.over(signature).readName();
      try {
        key.verify(algorithm, signed, signature);
      } catch (InvalidSignatureException e) {
        throw new IOException(
            "the server did not prove that it holds the %s key %s: %s"
                .formatted(key.describe(), key.fingerprint(), e.getMessage()),
            e);
      }
    }
    reply.expectEnd("the proof of the host keys");
  }

  private boolean agreed(List<SshPublicKey> added, List<SshPublicKey> removed) {
    List<String> lines = new ArrayList<>();
    var hash = policy.options().fingerprintHash;
    added.forEach(
        key -> lines.add("Learned new hostkey: " + key.describe() + " " + key.fingerprint(hash)));
    removed.forEach(
        key ->
            lines.add(
                "Deprecating obsolete hostkey: " + key.describe() + " " + key.fingerprint(hash)));
    return switch (policy.options().update) {
      case NO -> false;
      case YES -> {
        lines.forEach(log::info);
        yield true;
      }
      case ASK -> {
        UserInteraction user = policy.options().interaction;
        user.show(
            "The server has updated its host keys.\n"
                + "These changes were verified by the server's existing trusted key.\n"
                + String.join("\n", lines));
        yield saysYes(user);
      }
    };
  }

  private static boolean saysYes(UserInteraction user) {
    for (int i = 0; i < MAX_ANSWERS; i++) {
      String answer = user.ask("Accept updated hostkeys? (yes/no): ");
      if (answer == null || answer.strip().equalsIgnoreCase("no")) {
        return false;
      }
      if (answer.strip().equalsIgnoreCase("yes")) {
        return true;
      }
    }
    return false;
  }

  /** New keys go into the first of the user's files, obsolete ones out of all of them. */
  private void write(List<SshPublicKey> added, List<SshPublicKey> removed) throws IOException {
    List<SshPublicKey> toAdd = added;
    for (Path file : policy.options().userFiles) {
      if (!toAdd.isEmpty() || java.nio.file.Files.exists(file)) {
        KnownHostsFile.update(file, host, port, toAdd, removed, policy.options().hashNames);
      }
      toAdd = List.of();
    }
  }
}
