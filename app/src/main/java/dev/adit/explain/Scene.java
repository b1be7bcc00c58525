package dev.adit.explain;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a picture shows, in words, without places on the paper. All texts are printable.
 *
 * @param machines this machine, the servers on the way, the server where the connection ends
 * @param lanes what passes through the connection
 */
record Scene(List<Machine> machines, List<Lane> lanes) {

  /**
   * A machine on the SSH connection's way.
   *
   * @param about its part in that connection; one paragraph each
   */
  record Machine(String title, List<String> about) {}

  /**
   * One way through the connection.
   *
   * @param number {@code 1. } where there are several, else empty
   * @param outwards from this machine to the server, rather than the other way round
   * @param here what this machine does
   * @param server what the server does
   * @param outside the machine beyond, or null
   */
  record Lane(
      String number, boolean outwards, String here, String server, @Nullable Outside outside) {}

  /** A machine that one end of the connection connects to: the server, if the lane is outwards. */
  record Outside(String title, String about, String leg, Route.Protection protection) {}
}
