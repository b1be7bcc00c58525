package dev.adit.ssh;

import java.time.Duration;

/**
 * How long a client's channels may stand idle before the server closes them (ChannelTimeout in
 * sshd_config(5)). Called on event loops, so it must not block.
 */
@FunctionalInterface
public interface ChannelTimeouts {

  /** The type that stands for all channels together: they are closed when none of them is used. */
  String GLOBAL = "global";

  /** No channel is closed. */
  ChannelTimeouts NONE = _ -> Duration.ZERO;

  /**
   * @param type {@code direct-tcpip}, {@code forwarded-tcpip}, {@code
   *     direct-streamlocal@openssh.com}, {@code forwarded-streamlocal@openssh.com}, {@code
   *     agent-connection}, {@code session} for one in which nothing was started yet, then {@code
   *     session:shell}, {@code session:command} or {@code session:subsystem:NAME}; or {@link
   *     #GLOBAL}
   * @return zero for as long as it likes
   */
  Duration of(String type);
}
