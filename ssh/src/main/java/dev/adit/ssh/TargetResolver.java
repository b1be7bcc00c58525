package dev.adit.ssh;

import java.io.IOException;
import java.net.InetAddress;
import java.util.List;

/**
 * Finds the addresses of the targets that a server connects to. Called on a bounded pool of
 * platform threads with a deadline; may block.
 */
@FunctionalInterface
public interface TargetResolver {

  /** The system's resolver. */
  TargetResolver SYSTEM = host -> List.of(InetAddress.getAllByName(host));

  /**
   * @param host a name or an address without brackets, as the client wrote it
   * @return addresses in the order in which they are tried; not empty
   * @throws IOException with a message for the client: {@code Name or service not known}
   */
  List<InetAddress> resolve(String host) throws IOException;
}
