package dev.adit.interop;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.adit.config.ConfigException;
import dev.adit.config.StandardAlgorithms;
import dev.adit.config.server.ServerConfig;
import dev.adit.config.server.ServerConfigReader;
import dev.adit.gateway.GatewayAuthenticator;
import dev.adit.ssh.HostKey;
import dev.adit.ssh.ServerOptions;
import dev.adit.ssh.SshServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.slf4j.LoggerFactory;

/**
 * The gateway's accounts and policy behind a server in the test's own JVM, with a configuration of
 * the test's. It starts at once, where {@code ./aditd} takes a while.
 */
final class GatewayServer implements AutoCloseable {
  private final SshServer server;
  private final Scratch scratch = new Scratch();
  private final Logger logger = (Logger) LoggerFactory.getLogger("dev.adit.gateway");
  private final ListAppender<ILoggingEvent> logged = new ListAppender<>();

  private GatewayServer(String... configLines) {
    logger.setLevel(Level.INFO);
    logged.start();
    logger.addAppender(logged);
    ServerConfig config = config(configLines);
    try {
      server =
          SshServer.start(
              ServerOptions.with(new GatewayAuthenticator(() -> config))
                  .hostKey(HostKey.read(Keys.shared(Keys.Type.ED25519).path()))
                  .build());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    scratch.write(
        "known_hosts",
        "[127.0.0.1]:" + port() + " " + Keys.shared(Keys.Type.ED25519).publicLine() + "\n");
  }

  /** With these lines of sshd_config. */
  static GatewayServer start(String... configLines) {
    return new GatewayServer(configLines);
  }

  private ServerConfig config(String... lines) {
    Path file = scratch.write("sshd_config", String.join("\n", lines) + "\n");
    try {
      var reader = new ServerConfigReader(new StandardAlgorithms());
      reader.file(file);
      return reader.build();
    } catch (ConfigException e) {
      throw new AssertionError(e);
    }
  }

  int port() {
    return server.port();
  }

  Path knownHosts() {
    return scratch.path("known_hosts");
  }

  Scratch scratch() {
    return scratch;
  }

  /** What the gateway has logged so far. */
  String log() {
    return List.copyOf(logged.list).stream()
        .map(ILoggingEvent::getFormattedMessage)
        .collect(Collectors.joining("\n"));
  }

  @Override
  public void close() {
    logger.detachAppender(logged);
    server.close();
    scratch.close();
  }
}
