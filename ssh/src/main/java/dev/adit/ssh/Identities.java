package dev.adit.ssh;

import dev.adit.ssh.auth.KeyRing;
import dev.adit.ssh.keys.Agent;
import dev.adit.ssh.keys.Certificate;
import dev.adit.ssh.keys.CertifiedSigner;
import dev.adit.ssh.keys.KeyFileException;
import dev.adit.ssh.keys.PrivateKeyFile;
import dev.adit.ssh.keys.PublicKeyFile;
import dev.adit.ssh.keys.Signer;
import dev.adit.ssh.keys.SshPublicKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One login's keys out of an {@link IdentitySource}. */
final class Identities implements KeyRing {
  private static final Logger log = LoggerFactory.getLogger(Identities.class);

  /** Yields the keys of one file or of the agent; a file isn't opened before its turn. */
  private interface Step {
    List<Signer> signers() throws IOException;
  }

  private final IdentitySource.Builder o;
  private final UserInteraction interaction;
  private final int prompts;
  private final Deque<Signer> ready = new ArrayDeque<>();

  /** Their keys are needed for the login and never after it. */
  private final List<PrivateKeyFile> read = new ArrayList<>();

  private @Nullable Deque<Step> steps;
  private @Nullable Agent agent;

  Identities(IdentitySource.Builder options, UserInteraction interaction, int prompts) {
    this.o = options;
    this.interaction = interaction;
    this.prompts = prompts;
  }

  @Override
  public @Nullable Signer next() {
    var left = steps;
    if (left == null) {
      left = plan();
      steps = left;
    }
    while (ready.isEmpty() && !left.isEmpty()) {
      try {
        ready.addAll(left.poll().signers());
      } catch (KeyFileException e) {
        String warning = e.warning().stripTrailing();
        String message = String.valueOf(e.getMessage());
        interaction.showError(warning.isEmpty() ? message : warning + "\n" + message);
      } catch (IOException e) {
        interaction.showError(String.valueOf(e.getMessage()));
      }
    }
    return ready.poll();
  }

  private Deque<Step> plan() {
    List<Agent.Identity> held = agentIdentities();
    Map<SshPublicKey, Agent.Identity> byKey = new LinkedHashMap<>();
    held.forEach(identity -> byKey.putIfAbsent(identity.key(), identity));

    Deque<Step> first = new ArrayDeque<>();
    Deque<Step> fromFiles = new ArrayDeque<>();
    Set<SshPublicKey> taken = new HashSet<>();
    for (Path certificate : o.certificates) {
      first.add(() -> certified(certificate, byKey));
    }
    for (IdentitySource.File file : o.files) {
      if (!Files.exists(file.path()) && !Files.exists(sibling(file.path(), ".pub"))) {
        if (file.explicit()) {
          interaction.show(
              "Warning: Identity file %s not accessible: No such file or directory."
                  .formatted(file.path()));
        }
        log.debug("no such identity: {}", file.path());
        continue;
      }
      List<Agent.Identity> inAgent = new ArrayList<>();
      SshPublicKey certificate = publicKey(sibling(file.path(), "-cert.pub"));
      SshPublicKey key = PrivateKeyFile.publicKeyOf(file.path()).orElse(null);
      for (SshPublicKey each : new SshPublicKey[] {certificate, key}) {
        Agent.Identity identity = each == null ? null : byKey.get(each);
        if (identity != null) {
          inAgent.add(identity);
        }
      }
      inAgent.forEach(
          identity -> {
            if (taken.add(identity.key())) {
              first.add(() -> List.of(signer(identity)));
            }
          });
      if (key == null || !byKey.containsKey(key)) {
        fromFiles.add(() -> fromFile(file.path()));
      } else if (certificate instanceof Certificate && !byKey.containsKey(certificate)) {
        // The agent has the key alone; the certificate beside the file still goes with it.
        Agent.Identity identity = byKey.get(key);
        first.addFirst(
            () ->
                List.of(CertifiedSigner.read(sibling(file.path(), "-cert.pub"), signer(identity))));
      }
    }
    if (!o.identitiesOnly) {
      held.stream()
          .filter(identity -> taken.add(identity.key()))
          .forEach(identity -> first.add(() -> List.of(signer(identity))));
    }
    first.addAll(fromFiles);
    return first;
  }

  private List<Agent.Identity> agentIdentities() {
    if (o.agent.isEmpty()) {
      return List.of();
    }
    try {
      Agent connected = Agent.connect(o.agent.get());
      agent = connected;
      return connected.identities();
    } catch (IOException e) {
      log.debug("{}", e.getMessage());
      return List.of();
    }
  }

  private Signer signer(Agent.Identity identity) throws IOException {
    Agent connected = agent;
    if (connected == null) {
      throw new IOException("the agent is gone");
    }
    return connected.signer(identity);
  }

  private List<Signer> fromFile(Path path) throws IOException {
    log.debug("Trying private key: {}", path);
    PrivateKeyFile key;
    try {
      key = read(path);
    } catch (NoSuchFileException e) {
      // Only its public half is there, and the agent doesn't have the other.
      log.debug("no such identity: {}", path);
      return List.of();
    } catch (KeyFileException e) {
      if (e.warning().isEmpty() && publicKey(path) != null) {
        log.debug("{}: a public key, whose private half the agent doesn't have", path);
        return List.of();
      }
      throw e;
    }
    List<Signer> signers = new ArrayList<>();
    Signer signer = offersToAgent(key);
    Path certificate = sibling(path, "-cert.pub");
    if (Files.exists(certificate)) {
      try {
        signers.add(CertifiedSigner.read(certificate, signer));
      } catch (IOException e) {
        interaction.showError(String.valueOf(e.getMessage()));
      }
    }
    signers.add(signer);
    return signers;
  }

  /** CertificateFile: with its key from wherever it is. */
  private List<Signer> certified(Path path, Map<SshPublicKey, Agent.Identity> byKey)
      throws IOException {
    SshPublicKey named;
    try {
      named = PublicKeyFile.read(path).key();
    } catch (NoSuchFileException e) {
      interaction.show(
          "Warning: Certificate file %s not accessible: No such file or directory."
              .formatted(path));
      return List.of();
    }
    Agent.Identity whole = byKey.get(named);
    if (whole != null) {
      return List.of(signer(whole));
    }
    Agent.Identity inAgent = byKey.get(named.plain());
    if (inAgent != null) {
      return List.of(CertifiedSigner.read(path, signer(inAgent)));
    }
    for (IdentitySource.File file : o.files) {
      if (PrivateKeyFile.publicKeyOf(file.path()).filter(named.plain()::equals).isPresent()
          && Files.exists(file.path())) {
        Signer key = offersToAgent(read(file.path()));
        return List.of(CertifiedSigner.read(path, key));
      }
    }
    log.debug("no private key for certificate {}", path);
    return List.of();
  }

  private PrivateKeyFile read(Path file) throws IOException {
    PrivateKeyFile key = PrivateKeyFile.read(file, interaction::askSecret, prompts);
    read.add(key);
    return key;
  }

  private static @Nullable SshPublicKey publicKey(Path file) {
    try {
      return PublicKeyFile.read(file).key();
    } catch (IOException e) {
      return null;
    }
  }

  private static Path sibling(Path file, String suffix) {
    return file.resolveSibling(file.getFileName() + suffix);
  }

  /** AddKeysToAgent: once the key has signed, its passphrase is known. */
  private Signer offersToAgent(PrivateKeyFile key) {
    Agent connected = agent;
    if (connected == null || o.addToAgent == IdentitySource.AddToAgent.NO) {
      return key;
    }
    return new Signer() {
      private boolean offered;

      @Override
      public byte[] publicKeyBlob() {
        return key.publicKeyBlob();
      }

      @Override
      public String name() {
        return key.name();
      }

      @Override
      public List<String> algorithms() {
        return key.algorithms();
      }

      @Override
      public byte[] sign(String algorithm, byte[] data) throws IOException {
        byte[] signature = key.sign(algorithm, data);
        if (!offered) {
          offered = true;
          add(connected, key);
        }
        return signature;
      }
    };
  }

  private void add(Agent connected, PrivateKeyFile key) {
    if (o.addToAgent == IdentitySource.AddToAgent.ASK) {
      String answer = interaction.ask("Add key %s to the agent (yes/no)? ".formatted(key.file()));
      if (answer == null || !answer.strip().equalsIgnoreCase("yes")) {
        return;
      }
    }
    try {
      connected.add(
          key,
          (int) Math.min(o.agentLifetime.toSeconds(), Integer.MAX_VALUE),
          o.addToAgent == IdentitySource.AddToAgent.CONFIRM);
    } catch (IOException e) {
      log.debug("the key is not added to the agent: {}", e.getMessage());
    }
  }

  @Override
  public void close() {
    Agent connected = agent;
    agent = null;
    steps = null;
    ready.clear();
    read.forEach(PrivateKeyFile::close);
    if (connected != null) {
      try {
        connected.close();
      } catch (IOException e) {
        log.debug("closing the agent's socket: {}", e.getMessage());
      }
    }
  }
}
