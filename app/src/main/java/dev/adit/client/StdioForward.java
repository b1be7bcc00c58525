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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** -W: standard input and output are connected to a target beyond the server. */
final class StdioForward {
  private static final Logger log = LoggerFactory.getLogger(StdioForward.class);

  private StdioForward() {}

  /**
   * Runs until the target has ended its direction.
   *
   * @return the exit status: 0, or 255 when the target could not be reached or the tunnel died
   */
  static int run(SshConnection connection, Target target) throws InterruptedException {
    try (SshStream stream = connection.openStream(target);
        StdinChannel stdin = new StdinChannel();
        FileOutputStream stdout = new FileOutputStream(FileDescriptor.out)) {
      // A platform thread: reading standard input blocks its carrier.
      Thread.ofPlatform()
          .daemon()
          .name("adit-stdin")
          .start(
              () -> {
                try {
                  stream.transferFrom(stdin);
                  stream.output().close();
                } catch (IOException e) {
                  log.debug("standard input: {}", e.getMessage());
                }
              });
      stream.transferTo(stdout.getChannel());
      return 0;
    } catch (SshException.ChannelRefused e) {
      log.error("stdio forwarding failed: {}", e.getMessage());
    } catch (IOException e) {
      log.error("{}", e.getMessage());
    }
    return ClientCommandLine.FAILURE;
  }
}
