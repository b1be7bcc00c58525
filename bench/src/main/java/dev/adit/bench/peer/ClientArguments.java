package dev.adit.bench.peer;

import java.nio.file.Path;
import java.util.List;

/**
 * What a client program of ours is told on its command line.
 *
 * @param listenPort of the local forward
 * @param targetPort where the forward leads to
 * @param mac taken with a cipher that needs one
 */
public record ClientArguments(
    int serverPort,
    String user,
    Path key,
    int listenPort,
    int targetPort,
    String cipher,
    String mac) {

  static ClientArguments of(String[] args) {
    return new ClientArguments(
        Integer.parseInt(args[0]),
        args[1],
        Path.of(args[2]),
        Integer.parseInt(args[3]),
        Integer.parseInt(args[4]),
        args[5],
        args[6]);
  }

  public List<String> toList() {
    return List.of(
        Integer.toString(serverPort),
        user,
        key.toString(),
        Integer.toString(listenPort),
        Integer.toString(targetPort),
        cipher,
        mac);
  }
}
