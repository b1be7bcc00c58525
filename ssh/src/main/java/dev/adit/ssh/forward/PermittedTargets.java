package dev.adit.ssh.forward;

import dev.adit.ssh.Target;
import java.util.ArrayList;
import java.util.List;

/** PermitRemoteOpen of ssh_config(5): where a remote dynamic forwarding may lead. */
record PermittedTargets(boolean any, List<Pattern> patterns) {

  private static final String WILDCARD = "*";

  /**
   * @param port 0 for any
   */
  private record Pattern(String host, int port) {
    boolean matches(Target.Tcp target) {
      return (port == 0 || port == target.port())
          && (host.equals(WILDCARD) || host.equalsIgnoreCase(target.host()));
    }
  }

  /**
   * Reads {@code any}, {@code none}, or patterns of host and port.
   *
   * @throws IllegalArgumentException naming the entry that is none of them
   */
  static PermittedTargets of(List<String> entries) {
    if (entries.isEmpty() || entries.equals(List.of("any"))) {
      return new PermittedTargets(true, List.of());
    }
    if (entries.equals(List.of("none"))) {
      return new PermittedTargets(false, List.of());
    }
    List<Pattern> patterns = new ArrayList<>();
    for (String entry : entries) {
      patterns.add(pattern(entry));
    }
    return new PermittedTargets(false, List.copyOf(patterns));
  }

  private static Pattern pattern(String entry) {
    int colon = entry.lastIndexOf(':');
    String host = colon < 0 ? "" : entry.substring(0, colon);
    String port = entry.substring(colon + 1);
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    }
    if (host.isEmpty() || !port.matches("\\*|[0-9]{1,5}")) {
      throw new IllegalArgumentException("PermitRemoteOpen: '" + entry + "' is not host:port");
    }
    return new Pattern(host, port.equals(WILDCARD) ? 0 : Integer.parseInt(port));
  }

  boolean permits(Target.Tcp target) {
    return any || patterns.stream().anyMatch(pattern -> pattern.matches(target));
  }
}
