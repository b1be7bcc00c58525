package dev.adit.gateway;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.bouncycastle.crypto.generators.OpenBSDBCrypt;
import org.jspecify.annotations.Nullable;

/**
 * Passwords as bcrypt hashes (PasswordFile): {@code name:$2y$...} on each line, as {@code htpasswd
 * -B} writes them. Immutable, safe on any thread.
 */
final class PasswordFile {
  /** Some ten thousand users. */
  private static final int MAX_FILE_LENGTH = 1 << 20;

  private static final int LOWEST_COST = 4;

  /** A minute for each password: more is a mistake, and would be a way to stop the server. */
  private static final int HIGHEST_COST = 18;

  private static final int DEFAULT_COST = 10;

  /** Salt and hash, in bcrypt's base64, whose letters include those of hexadecimal numbers. */
  private static final int HASH_LENGTH = 53;

  /**
   * Hashing is all processor: on virtual threads it would stop other connections, and without a
   * limit strangers could keep every processor busy.
   */
  private static final ExecutorService HASHING =
      Executors.newFixedThreadPool(
          Math.max(1, Runtime.getRuntime().availableProcessors() / 2),
          Thread.ofPlatform().daemon().name("adit-bcrypt-", 0).factory());

  private static final SecureRandom RANDOM = new SecureRandom();

  private final Map<String, String> hashes = new HashMap<>();
  private int cost = DEFAULT_COST;

  private PasswordFile() {}

  /**
   * @throws IOException if it can't be read, or a line can't be understood
   */
  static PasswordFile read(Path file) throws IOException {
    return parse(
        new String(TrustedFiles.read(file, MAX_FILE_LENGTH), StandardCharsets.UTF_8),
        file.toString());
  }

  static PasswordFile parse(String text, String fileName) throws IOException {
    PasswordFile passwords = new PasswordFile();
    int number = 0;
    for (String line : text.split("\n", -1)) {
      number++;
      String entry = line.strip();
      if (entry.isEmpty() || entry.startsWith("#")) {
        continue;
      }
      int colon = entry.indexOf(':');
      String hash = entry.substring(colon + 1);
      int cost = colon > 0 ? cost(hash) : -1;
      if (cost < 0) {
        // The line itself may hold a secret.
        throw new IOException(
            fileName + ":" + number + ": not a name, a colon and a bcrypt hash ($2y$10$...)");
      }
      passwords.cost = passwords.hashes.isEmpty() ? cost : Math.max(passwords.cost, cost);
      passwords.hashes.putIfAbsent(entry.substring(0, colon), hash);
    }
    return passwords;
  }

  private static int cost(String hash) {
    if (!hash.matches("\\$2[aby]\\$\\d\\d\\$[./A-Za-z0-9]{53}")) {
      return -1;
    }
    int cost = Integer.parseInt(hash, 4, 6, 10);
    return cost >= LOWEST_COST && cost <= HIGHEST_COST ? cost : -1;
  }

  /**
   * Whether it is the user's password. Takes as long for a user who isn't in the file.
   *
   * @param user null for somebody who can't get in whatever the password is
   */
  boolean accepts(@Nullable String user, char[] password) throws InterruptedException {
    String hash = user == null ? null : hashes.get(user);
    boolean possible =
        hash != null && password.length > 0 && utf8Length(password) <= GatewayLimits.MAX_PASSWORD;
    String compared = possible && hash != null ? hash : dummy(cost);
    try {
      return HASHING.submit(() -> OpenBSDBCrypt.checkPassword(compared, password)).get()
          && possible;
    } catch (ExecutionException e) {
      throw new IllegalStateException("bcrypt failed", e);
    }
  }

  private static int utf8Length(char[] password) {
    ByteBuffer encoded = StandardCharsets.UTF_8.encode(CharBuffer.wrap(password));
    Arrays.fill(encoded.array(), (byte) 0);
    return encoded.remaining();
  }

  /** A hash of no known password. To make a real one would take as long as a login. */
  private static String dummy(int cost) {
    byte[] random = new byte[(HASH_LENGTH + 1) / 2];
    RANDOM.nextBytes(random);
    return "$2b$%02d$%s"
        .formatted(cost, HexFormat.of().formatHex(random).substring(0, HASH_LENGTH));
  }
}
