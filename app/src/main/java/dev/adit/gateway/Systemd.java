package dev.adit.gateway;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What systemd and its services tell each other: that a service is ready, reloads or stops
 * (sd_notify(3)), and sockets that listen already (sd_listen_fds(3)).
 */
final class Systemd {
  private static final Logger LOG = LoggerFactory.getLogger(Systemd.class);

  /** The first descriptor that is handed over. */
  private static final int FIRST_DESCRIPTOR = 3;

  /** More sockets than a service has. */
  private static final int MAX_DESCRIPTORS = 256;

  private final Map<String, String> environment;

  Systemd(Map<String, String> environment) {
    this.environment = environment;
  }

  /** Says something, if somebody wants to hear it: {@code READY=1}. */
  void notify(String state) {
    var socket = environment.get("NOTIFY_SOCKET");
    if (socket == null || socket.isEmpty()) {
      return;
    }
    try {
      NativeCalls.sendDatagram(socket, state);
    } catch (IOException e) {
      LOG.warn("NOTIFY_SOCKET: {}", e.getMessage());
    }
  }

  /** READY, or READY again after {@link #reloading}. */
  void ready(String status) {
    notify("READY=1\nSTATUS=" + status);
  }

  /** systemd wants to know when it began, on the clock that doesn't jump. */
  void reloading() {
    notify("RELOADING=1\nMONOTONIC_USEC=" + System.nanoTime() / 1000);
  }

  void stopping(String status) {
    notify("STOPPING=1\nSTATUS=" + status);
  }

  /**
   * Sockets that were handed to this process; usually none.
   *
   * @throws IOException if one of them isn't there
   */
  List<Integer> listeners() throws IOException {
    var descriptors = new ArrayList<Integer>();
    var pid = environment.get("LISTEN_PID");
    var count = environment.get("LISTEN_FDS");
    if (pid == null
        || count == null
        || !pid.equals(Long.toString(ProcessHandle.current().pid()))
        || !count.matches("\\d{1,3}")) {
      return descriptors;
    }
    for (int i = 0; i < Math.min(Integer.parseInt(count), MAX_DESCRIPTORS); i++) {
      NativeCalls.adopt(FIRST_DESCRIPTOR + i);
      descriptors.add(FIRST_DESCRIPTOR + i);
    }
    return descriptors;
  }
}
