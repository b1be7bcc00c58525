package dev.adit.gateway;

import dev.adit.config.Patterns;
import dev.adit.config.server.ServerConfig;
import dev.adit.ssh.Peer;
import dev.adit.ssh.SessionRequest;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The variables of a user's sessions, and where they start: what sshd sets, in its order, a later
 * one over an earlier one. Immutable.
 */
final class SessionEnvironment {
  private static final Logger LOG = LoggerFactory.getLogger(SessionEnvironment.class);

  /** As sshd's. */
  private static final int MAX_USER_FILE = 64 << 10;

  private static final String USER_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/games";
  private static final String ROOT_PATH =
      "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

  private final Map<String, String> basic;
  private final Path directory;

  private SessionEnvironment(Map<String, String> basic, Path directory) {
    this.basic = basic;
    this.directory = directory;
  }

  /** Reads ~/.ssh/environment where that is allowed. */
  static SessionEnvironment of(
      Account account, Peer peer, ServerConfig config, List<Limits> limits) {
    Path home = account.home();
    if (!account.isOwn() || home == null) {
      return new SessionEnvironment(Map.of(), Path.of("/"));
    }
    Map<String, String> variables = new LinkedHashMap<>();
    variables.put("USER", account.name());
    variables.put("LOGNAME", account.name());
    variables.put("HOME", home.toString());
    variables.put("PATH", account.uid() == 0 ? ROOT_PATH : USER_PATH);
    variables.put("MAIL", "/var/mail/" + account.name());
    variables.put("SHELL", Objects.toString(account.shell()));
    String zone = System.getenv("TZ");
    if (zone != null) {
      variables.put("TZ", zone);
    }
    String permitted = config.permitUserEnvironment();
    if (!permitted.equals("no")) {
      for (Limits each : limits.reversed()) {
        each.options().environment().forEach((n, v) -> putIfPermitted(variables, permitted, n, v));
      }
      userFile(home, account, config.strictModes())
          .forEach((n, v) -> putIfPermitted(variables, permitted, n, v));
    }
    variables.putAll(config.setEnv());
    InetSocketAddress remote = peer.remote();
    InetSocketAddress local = peer.local();
    String from = Addresses.text(remote) + " " + port(remote);
    variables.put("SSH_CLIENT", from + " " + port(local));
    variables.put("SSH_CONNECTION", from + " " + Addresses.text(local) + " " + port(local));
    return new SessionEnvironment(variables, Files.isDirectory(home) ? home : Path.of("/"));
  }

  private static int port(@Nullable InetSocketAddress address) {
    return address == null ? 65535 : address.getPort();
  }

  private static void putIfPermitted(
      Map<String, String> variables, String permitted, String name, String value) {
    if (permitted.equals("yes") || Patterns.list(name, permitted) == Patterns.Verdict.MATCHED) {
      variables.put(name, value);
    }
  }

  /** ~/.ssh/environment: NAME=value on each line. */
  private static Map<String, String> userFile(Path home, Account account, boolean strict) {
    Path file = home.resolve(".ssh/environment");
    Map<String, String> variables = new LinkedHashMap<>();
    try {
      byte[] content = TrustedFiles.read(file, account, strict, MAX_USER_FILE);
      if (content == null) {
        return variables;
      }
      for (String line : new String(content, StandardCharsets.UTF_8).split("\n", -1)) {
        String text = line.stripLeading();
        int equals = text.indexOf('=');
        if (!text.startsWith("#") && equals > 0 && isName(text.substring(0, equals))) {
          variables.put(text.substring(0, equals), text.substring(equals + 1));
        }
      }
    } catch (NoSuchFileException e) {
      // Most users have none.
    } catch (IOException e) {
      LOG.info("{} is not read: {}", file, e.getMessage());
    }
    return variables;
  }

  /** Letters, digits and underscores. */
  static boolean isName(String text) {
    return text.matches("[A-Za-z0-9_]+");
  }

  /** Where sessions start: the user's home, or the root where that isn't there. */
  Path directory() {
    return directory;
  }

  /**
   * @param original what the client asked for, where a forced command runs in its place
   */
  Map<String, String> of(SessionRequest request, @Nullable String original) {
    Map<String, String> variables = new LinkedHashMap<>(request.environment());
    variables.putAll(basic);
    if (original != null) {
      variables.put("SSH_ORIGINAL_COMMAND", original);
    }
    return variables;
  }
}
