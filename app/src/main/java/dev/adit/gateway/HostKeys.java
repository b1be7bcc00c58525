package dev.adit.gateway;

import dev.adit.config.server.ServerConfig;
import dev.adit.ssh.HostKey;
import dev.adit.ssh.keys.KeyFileException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The keys that the gateway proves itself with: those of HostKey and -h; or else sshd's own, where
 * this account may read them; or else one that is made and kept in the state folder.
 */
public final class HostKeys {
  private static final String NAME = "ssh_host_ed25519_key";

  private final List<HostKey> keys = new ArrayList<>();
  private final List<String> problems = new ArrayList<>();
  private final List<String> news = new ArrayList<>();

  private HostKeys() {}

  /**
   * Reads the keys.
   *
   * @param make files that are made where they aren't there; null where none may be made
   * @param stateFolder where a key is made when none is named, if one may be made
   */
  public static HostKeys load(ServerConfig config, @Nullable List<Path> make, Path stateFolder) {
    var loaded = new HostKeys();
    if (config.hostKeys().isEmpty()) {
      loaded.defaults(make != null, stateFolder.resolve(NAME));
    } else {
      for (var file : config.hostKeys()) {
        loaded.add(file, make != null && make.contains(file));
      }
    }
    config.hostCertificates().forEach(loaded::certificate);
    return loaded;
  }

  /** Empty if none could be read. */
  public List<HostKey> keys() {
    return List.copyOf(keys);
  }

  /** What was wrong, in sshd's words; some have several lines. */
  public List<String> problems() {
    return List.copyOf(problems);
  }

  /** Which keys were made. */
  public List<String> news() {
    return List.copyOf(news);
  }

  private void defaults(boolean mayMake, Path own) {
    for (var file : ServerConfig.DEFAULT_HOST_KEYS) {
      if (Files.isReadable(file)) {
        add(file, false);
      }
    }
    if (keys.isEmpty()) {
      if (mayMake || Files.exists(own)) {
        add(own, mayMake);
      } else {
        // A check makes no key, and the first start will have one.
        news.add("a host key will be made: " + own);
      }
    }
  }

  private void add(Path file, boolean mayMake) {
    try {
      if (mayMake && Files.notExists(file)) {
        keys.add(made(file));
        return;
      }
      var key = HostKey.read(file);
      if (!keys.contains(key)) {
        keys.add(key);
      }
    } catch (KeyFileException e) {
      if (!e.warning().isEmpty()) {
        problems.add(e.warning().strip());
      }
      var message = String.valueOf(e.getMessage());
      problems.add(message.replaceFirst("^Load key", "Unable to load host key"));
    } catch (NoSuchFileException e) {
      problems.add("Unable to load host key \"%s\": No such file or directory".formatted(file));
    } catch (AccessDeniedException e) {
      problems.add("Unable to load host key \"%s\": Permission denied".formatted(file));
    } catch (IOException e) {
      problems.add("Unable to load host key \"%s\": %s".formatted(file, e.getMessage()));
    }
  }

  private HostKey made(Path file) throws IOException {
    var folder = file.getParent();
    if (folder != null && Files.notExists(folder)) {
      Files.createDirectories(folder);
    }
    var key = HostKey.generate(file, "aditd");
    news.add("Made a host key: %s %s".formatted(file, key.fingerprint()));
    return key;
  }

  private void certificate(Path file) {
    String last = null;
    for (int i = 0; i < keys.size(); i++) {
      try {
        keys.set(i, keys.get(i).withCertificate(file));
        return;
      } catch (IOException e) {
        last = e.getMessage();
      }
    }
    problems.add(
        Files.notExists(file)
            ? "Could not load host certificate \"%s\": No such file or directory".formatted(file)
            : "No matching private key for certificate: %s: %s".formatted(file, last));
  }

  /** {@code ~/.local/state/adit}, or {@code /var/lib/aditd} for root. */
  public static Path stateFolder(long uid, Path home, @Nullable String xdgStateHome) {
    if (uid == 0) {
      return Path.of("/var/lib/aditd");
    }
    var state =
        xdgStateHome == null || xdgStateHome.isEmpty()
            ? home.resolve(".local/state")
            : Path.of(xdgStateHome);
    return state.resolve("adit");
  }
}
