package dev.adit.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.config.server.ConnectionFacts;
import dev.adit.config.server.ServerConfig;
import dev.adit.config.server.ServerConfigDump;
import dev.adit.config.server.ServerConfigReader;
import dev.adit.ssh.Destination;
import io.netty.util.NetUtil;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Fuzz targets: the files that configure the programs. See docs/building.md. */
public final class ConfigFuzz {
  private static final Path HOME = home();
  private static final Path FILE = HOME.resolve("config");
  private static final LocalSide LOCAL =
      new LocalSide(
          "ada",
          0,
          HOME,
          Map.of("SSH_AUTH_SOCK", "/run/agent"),
          Path.of("/nonexistent"),
          name -> Optional.of(name + ".example.org"),
          command -> command.length() % 2);

  private ConfigFuzz() {}

  private static Path home() {
    try {
      Path directory = Files.createTempDirectory("adit-fuzz");
      directory.toFile().deleteOnExit();
      directory.resolve("config").toFile().deleteOnExit();
      return directory;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Includes would read whatever file of this machine is named; other tests have them. */
  private static boolean includes(byte[] data) {
    return new String(data, StandardCharsets.ISO_8859_1)
        .toLowerCase(Locale.ROOT)
        .contains("include");
  }

  /** An ssh_config: it is refused, or can be shown as {@code -G} shows it. */
  public static void sshConfig(byte[] data) throws Exception {
    if (includes(data)) {
      return;
    }
    Files.write(FILE, data);
    var resolver = new OptionsResolver(LOCAL, new StandardAlgorithms());
    ClientOptions options;
    try {
      options =
          resolver.resolve(
              new CommandLine(Destination.parse("host"), List.of(), FILE.toString(), null, null));
    } catch (ConfigException refused) {
      assertThat(refused.getMessage()).isNotBlank();
      return;
    }
    assertThat(ConfigDump.of(options)).contains("host");
  }

  /** An sshd_config: it is refused, or can be shown as {@code -T} shows it. */
  public static void sshdConfig(byte[] data) throws Exception {
    if (includes(data)) {
      return;
    }
    ServerConfig config;
    try {
      config = read(data);
    } catch (ConfigException refused) {
      assertThat(refused.getMessage()).isNotBlank();
      return;
    }
    if (!config.listenAddresses().stream().allMatch(at -> isNumeric(at.host()))) {
      // To show it means to look up names, at whatever server this machine asks.
      return;
    }
    var facts =
        new ConnectionFacts(
            "ada", List.of("staff"), "host.example.org", "192.0.2.7", "192.0.2.1", 22);
    String shown = ServerConfigDump.of(config.forConnection(facts));
    assertThat(shown).contains("port");
  }

  private static boolean isNumeric(String host) {
    return host == null || NetUtil.isValidIpV4Address(host) || NetUtil.isValidIpV6Address(host);
  }

  private static ServerConfig read(byte[] data) throws IOException, ConfigException {
    Files.write(FILE, data);
    var reader = new ServerConfigReader(new StandardAlgorithms());
    reader.file(FILE);
    return reader.build();
  }
}
