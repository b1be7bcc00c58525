package dev.adit.client;

import dev.adit.cli.ClientCommandLine;
import dev.adit.ssh.SshConnection;
import dev.adit.ssh.SshException;
import dev.adit.ssh.SshStream;
import dev.adit.ssh.Target;
import dev.adit.terminal.StdinChannel;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.channels.FileChannel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** -W: the standard streams of this process are a connection to a host beyond the server. */
final class StdioForward {
  private static final Logger log = LoggerFactory.getLogger(StdioForward.class);

  private StdioForward() {}

  /**
   * Runs to the end of the connection. The end of standard input is passed on, and the answer still
   * comes; the end of the answer closes standard output, so that whoever reads it knows.
   *
   * @throws SshException when the server doesn't connect, or the connection dies
   */
  static int run(SshConnection connection, Target target)
      throws SshException, InterruptedException {
    SshStream stream;
    try {
      stream = connection.openStream(target);
    } catch (SshException.ChannelRefused e) {
      log.error("stdio forwarding failed: {}", e.getMessage());
      return ClientCommandLine.FAILURE;
    }
    try (stream;
        var stdin = new StdinChannel();
        FileChannel stdout = new FileOutputStream(FileDescriptor.out).getChannel()) {
      Thread.ofPlatform().daemon().name("adit-stdin").start(() -> send(stdin, stream));
      stream.transferTo(stdout);
      stdout.close();
      stream.closed().join();
      return 0;
    } catch (SshException e) {
      throw e;
    } catch (IOException e) {
      // Nobody reads our standard output any more, as in "adit -W host:80 gw | head -1".
      log.debug("standard output: {}", e.getMessage());
      return ClientCommandLine.FAILURE;
    }
  }

  private static void send(StdinChannel stdin, SshStream stream) {
    try {
      stream.transferFrom(stdin);
      stream.output().close();
    } catch (IOException e) {
      log.debug("standard input: {}", e.getMessage());
    }
  }
}
