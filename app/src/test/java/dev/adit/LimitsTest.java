package dev.adit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.config.server.MaxStartups;
import dev.adit.config.server.Penalties;
import dev.adit.config.server.ServerKeyword;
import dev.adit.ssh.ConnectOptions;
import dev.adit.ssh.ForwardLimits;
import dev.adit.ssh.Limit;
import dev.adit.ssh.ServerOptions;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** docs/limits.md is written from the limits in the code, and none is left out of it. */
class LimitsTest {
  private static final Path PAGE = Path.of("../docs/limits.md");
  private static final Path WRITTEN = Path.of("target/limits.md");
  private static final List<Path> MODULES = List.of(Path.of("../ssh"), Path.of("../app"));

  /** Each class with limits, in the order of the page. */
  private static final Map<String, String> TABLES = new LinkedHashMap<>();

  static {
    TABLES.put("dev.adit.ssh.ServerOptions$Builder", "A server: `ServerOptions`");
    TABLES.put("dev.adit.config.server.ServerKeyword", "The gateway: `sshd_config`");
    TABLES.put("dev.adit.config.server.Penalties", "The gateway: PerSourcePenalties");
    TABLES.put("dev.adit.gateway.GatewayLimits", "The gateway: fixed");
    TABLES.put("dev.adit.ssh.ConnectOptions$Builder", "A client: `ConnectOptions`");
    TABLES.put(
        "dev.adit.ssh.ForwardLimits", "Forwardings of one client of a server: `ForwardLimits`");
    TABLES.put("dev.adit.ssh.forward.ForwardingLimits", "Forwardings: fixed");
    TABLES.put("dev.adit.ssh.session.SessionLimits", "Sessions");
    TABLES.put("dev.adit.ssh.connection.ConnectionLimits", "Channels and windows (RFC 4254)");
    TABLES.put("dev.adit.ssh.auth.AuthLimits", "Logging in (RFC 4252)");
    TABLES.put("dev.adit.ssh.transport.TransportLimits", "Packets and key exchange (RFC 4253)");
    TABLES.put("dev.adit.ssh.keys.KeyLimits", "Keys, certificates and their files");
    TABLES.put("dev.adit.ssh.crypto.CryptoLimits", "Sizes of keys");
    TABLES.put("dev.adit.ssh.wire.WireLimits", "Counts in messages");
  }

  private static final String HEAD =
      """
      # Limits

      Every bound on what a peer, a client of a forwarding or a file can make adit hold, do or wait
      for. `LimitsTest` writes this page from the code: each limit is an `@Limit` in the table of
      its room, or where it can be configured. The tests named last hold it.
      """;

  @Test
  void thePageIsThatOfTheCode() throws Exception {
    String page = page();
    Files.writeString(WRITTEN, page);
    assertThat(Files.exists(PAGE) ? Files.readString(PAGE) : "")
        .as("write it again with: cp app/target/limits.md docs/limits.md")
        .isEqualTo(page);
  }

  @Test
  void everyLimitHasItsTest() throws Exception {
    List<String> missing = new ArrayList<>();
    for (String table : TABLES.keySet()) {
      for (Field field : limits(table)) {
        for (String test : limit(field).provenBy()) {
          if (!exists(test)) {
            missing.add(field.getName() + ": " + test);
          }
        }
      }
    }
    assertThat(missing).isEmpty();
  }

  /** A constant whose name says that it is a limit is one, and stands in a table. */
  @Test
  void noLimitStandsApart() throws Exception {
    Pattern stray =
        Pattern.compile(
            "static final (?:int|long|Duration) (MAX_\\w+|\\w*_?PATIENCE\\w*|\\w+_TIMEOUT)\\b");
    List<String> apart = new ArrayList<>();
    for (Path module : MODULES) {
      for (Path file : filesBelow(module.resolve("src/main/java"), ".java")) {
        String name = file.getFileName().toString();
        if (!name.endsWith("Limits.java")) {
          stray
              .matcher(Files.readString(file))
              .results()
              .map(match -> name.replace(".java", ".") + match.group(1))
              .filter(constant -> !OURS.contains(constant))
              .forEach(apart::add);
        }
      }
    }
    assertThat(apart)
        .as("give it an @Limit in the table of its room, or say below whom it is kept from")
        .isEmpty();
  }

  /** What only the user or the administrator can reach: their words, files and terminals. */
  private static final List<String> OURS =
      List.of(
          "Destination.MAX_JUMPS",
          "SpecReader.MAX_HOST",
          "SpecReader.MAX_SOCKET_PATH",
          "HostKeyUpdate.MAX_ANSWERS",
          "HostKeyVerification.MAX_ANSWERS",
          "HostKeyMessages.MAX_OTHER_NAMES",
          "KnownHostsFile.MAX_LINKS",
          "SshPublicKey.MAX_RSA_BITS",
          "PacketPipe.MAX_PACKET",
          "PracticeServer.MAX_DATA",
          "Training.PATIENCE_NANOS",
          "Demo.PATIENCE",
          "GatewayLogin.MAX_BANNER",
          "PasswordFile.MAX_FILE_LENGTH",
          "SessionEnvironment.MAX_USER_FILE",
          "SystemUsers.MAX_GROUPS",
          "Systemd.MAX_DESCRIPTORS",
          "TerminalPrompts.MAX_ANSWER",
          "Penalties.MAX_SOURCES",
          "ServerConfigReader.MAX_DEPTH",
          "ServerConfigReader.MAX_FILE",
          "ServerConfigReader.MAX_PORTS",
          "ConfigReader.MAX_DEPTH",
          "ConfigReader.MAX_FILE",
          "Values.MAX_LIST",
          "Tokens.MAX_EXPANDED",
          "Hops.MAX_HOPS");

  @Test
  void everyTableIsOnThePage() throws Exception {
    for (Path module : MODULES) {
      for (Path file : filesBelow(module.resolve("src/main/java"), ".java")) {
        if (Files.readString(file).contains("@Limit(")) {
          String type = file.getFileName().toString().replace(".java", "");
          assertThat(TABLES.keySet()).anyMatch(name -> name.matches(".*\\." + type + "(\\$\\w+)?"));
        }
      }
    }
  }

  private static String page() throws Exception {
    StringBuilder page = new StringBuilder(HEAD);
    for (Map.Entry<String, String> table : TABLES.entrySet()) {
      page.append("\n## %s\n\n".formatted(table.getValue()))
          .append("| limit | default | bounds | beyond it | proven by |\n")
          .append("|---|---|---|---|---|\n");
      for (Field field : limits(table.getKey())) {
        Limit limit = limit(field);
        Object value = value(field);
        page.append(
            "| %s | %s | %s | %s | %s |\n"
                .formatted(
                    value instanceof ServerKeyword keyword ? keyword.text() : field.getName(),
                    text(value, limit.unit()),
                    limit.bounds(),
                    limit.beyond(),
                    String.join(", ", limit.provenBy())));
      }
    }
    return page.toString();
  }

  private static List<Field> limits(String type) throws Exception {
    return Arrays.stream(Class.forName(type).getDeclaredFields())
        .filter(field -> field.isAnnotationPresent(Limit.class))
        .toList();
  }

  private static Limit limit(Field field) {
    return field.getAnnotation(Limit.class);
  }

  private static Object value(Field field) throws Exception {
    field.setAccessible(true);
    return field.get(Modifier.isStatic(field.getModifiers()) ? null : defaults(field));
  }

  /** An object of the field's class as it is when nobody sets anything. */
  private static Object defaults(Field field) {
    return switch (field.getDeclaringClass().getName()) {
      case "dev.adit.ssh.ServerOptions$Builder" ->
          ServerOptions.with(
              (_, _) -> {
                throw new AssertionError();
              });
      case "dev.adit.ssh.ConnectOptions$Builder" -> ConnectOptions.to("host");
      case "dev.adit.ssh.ForwardLimits" -> ForwardLimits.DEFAULT;
      case "dev.adit.config.server.Penalties" -> Penalties.DEFAULT;
      default -> throw new AssertionError(field);
    };
  }

  private static String text(@Nullable Object value, String unit) {
    return switch (value) {
      case ServerKeyword keyword -> text(keyword.otherwise(), unit);
      case MaxStartups(int begin, int rate, int full) -> begin + ":" + rate + ":" + full;
      case Duration time ->
          time.toMillisPart() == 0 ? time.toSeconds() + " s" : time.toMillis() + " ms";
      case Number number when unit.equals("bytes") && number.longValue() % (1 << 20) == 0 ->
          "%d MiB".formatted(number.longValue() >> 20);
      case Number number when unit.equals("bytes") && number.longValue() % (1 << 10) == 0 ->
          "%d KiB".formatted(number.longValue() >> 10);
      case Number number -> String.format(Locale.ROOT, "%,d %s", number.longValue(), unit).strip();
      case null, default -> String.valueOf(value);
    };
  }

  /** Whether some module has a test class with a method of this name. */
  private static boolean exists(String test) throws IOException {
    String[] parts = test.split("\\.");
    for (String module : List.of("../ssh", "../app", "../interop")) {
      for (Path file : filesBelow(Path.of(module, "src/test/java"), "/" + parts[0] + ".java")) {
        if (Files.readString(file).contains("void " + parts[1] + "(")) {
          return true;
        }
      }
    }
    return false;
  }

  private static List<Path> filesBelow(Path folder, String end) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(file -> ("/" + file).endsWith(end)).sorted().toList();
    }
  }
}
