package dev.adit.bench;

import dev.adit.bench.peer.ClientArguments;
import dev.adit.bench.peer.JschClient;
import dev.adit.bench.peer.MinaClient;
import dev.adit.bench.peer.MinaServer;
import dev.adit.bench.peer.PlainRelay;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Who is measured: each client and server with its own configuration, on loopback. */
final class Peers {
  private static final Path SSHD = Path.of("/usr/sbin/sshd");

  /** Of {@link Client#SLOWED}: what it wastes at each read. */
  private static final String WASTED_MICROS = "200";

  private Peers() {}

  /** The process that listens at the near end. */
  enum Client {
    SSH,
    ADIT,
    MINA,
    JSCH,
    RELAY,
    /** A relay that is slow on purpose: the benchmark must show it. */
    SLOWED;

    boolean speaksSsh() {
      return this != RELAY && this != SLOWED;
    }

    /** Whether it is slow for its first seconds, which are no row but {@code first}. */
    boolean needsWarmUp() {
      return this != SSH && this != ADIT;
    }

    /** Its argument for {@link dev.adit.bench.peer.LoginClient}; null if it can't log in twice. */
    @Nullable String loginName() {
      return this == ADIT || this == MINA || this == JSCH ? toString() : null;
    }

    /** One that listens and forwards to the target through the server at a port. */
    List<String> command(World world, int serverPort, int listenPort, Cipher cipher) {
      return switch (this) {
        case SSH -> likeSsh("ssh", world, serverPort, listenPort, cipher);
        case ADIT ->
            likeSsh(world.launcher("adit").toString(), world, serverPort, listenPort, cipher);
        case MINA, JSCH ->
            world.javaCommand(
                this == MINA ? MinaClient.class : JschClient.class,
                new ClientArguments(
                        serverPort,
                        world.user(),
                        world.userKey(),
                        listenPort,
                        world.target().port(),
                        cipher.sshName(),
                        cipher.mac())
                    .toList());
        case RELAY, SLOWED -> relay(world, listenPort, serverPort, this == SLOWED);
      };
    }

    private static List<String> likeSsh(
        String program, World world, int serverPort, int listenPort, Cipher cipher) {
      List<String> command = new ArrayList<>(List.of(program, "-F", "none", "-N", "-T"));
      for (String option :
          List.of(
              "BatchMode=yes",
              "IdentitiesOnly=yes",
              "IdentityAgent=none",
              "GlobalKnownHostsFile=/dev/null",
              "UserKnownHostsFile=" + world.knownHosts(),
              "HostKeyAlias=bench-server",
              "StrictHostKeyChecking=yes")) {
        command.addAll(List.of("-o", option));
      }
      command.addAll(List.of("-i", world.userKey().toString()));
      command.addAll(List.of("-c", cipher.sshName(), "-m", cipher.mac()));
      command.addAll(List.of("-p", Integer.toString(serverPort)));
      command.addAll(
          List.of("-L", "127.0.0.1:" + listenPort + ":127.0.0.1:" + world.target().port()));
      command.add(world.user() + "@127.0.0.1");
      return command;
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** The process that connects to the target. */
  enum Server {
    SSHD,
    ADITD,
    MINA,
    RELAY;

    /** One that listens and lets the user of the benchmark in. */
    List<String> command(World world, int port) throws IOException {
      return switch (this) {
        case SSHD -> {
          Files.createDirectories(Path.of("/run/sshd"));
          yield likeSshd(world, port, Peers.SSHD.toString());
        }
        // An sshd of before OpenSSH 9.8 has no penalties that could be lifted in the file.
        case ADITD ->
            likeSshd(
                world, port, world.launcher("aditd").toString(), "-o", "PerSourcePenalties=no");
        case MINA ->
            world.javaCommand(
                MinaServer.class,
                List.of(
                    Integer.toString(port),
                    world.hostKey().toString(),
                    world.authorizedKeys().toString()));
        case RELAY -> relay(world, port, world.target().port(), false);
      };
    }

    private List<String> likeSshd(World world, int port, String... program) throws IOException {
      Path config = world.file(this + "-" + port + ".config");
      Files.writeString(
          config,
          """
          Port %d
          ListenAddress 127.0.0.1
          HostKey %s
          AuthorizedKeysFile %s
          PidFile none
          StrictModes no
          UsePAM no
          PermitRootLogin yes
          MaxStartups 1000
          MaxSessions 1000
          """
              .formatted(port, world.hostKey(), world.authorizedKeys()));
      List<String> command = new ArrayList<>(Arrays.asList(program));
      command.addAll(List.of("-D", "-e", "-f", config.toString()));
      return command;
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private static List<String> relay(World world, int port, int target, boolean slowed) {
    return world.javaCommand(
        PlainRelay.class,
        List.of(Integer.toString(port), Integer.toString(target), slowed ? WASTED_MICROS : "0"));
  }

  /**
   * A client and a server: a column of the table.
   *
   * @param twin 1, or 2 for a second column of the same, which shows what chance does
   */
  record Pair(Client client, Server server, int twin) {

    /**
     * As in {@code --pairs}, for example {@code ssh-sshd}.
     *
     * @throws IllegalArgumentException if there is no such pair
     */
    static Pair of(String name) {
      String[] parts = name.strip().toUpperCase(Locale.ROOT).split("[-/]");
      int twin = parts.length == 3 ? Integer.parseInt(parts[2]) : 1;
      if (parts.length < 2) {
        throw new IllegalArgumentException(name);
      }
      Pair pair = new Pair(Client.valueOf(parts[0]), Server.valueOf(parts[1]), twin);
      if (pair.client.speaksSsh() == (pair.server == Server.RELAY)) {
        throw new IllegalArgumentException(name);
      }
      return pair;
    }

    /** Why it can't be measured on this machine; null if it can. */
    @Nullable String missing() {
      if (client == Client.SSH && !onPath("ssh")) {
        return "there is no ssh; install openssh-client";
      }
      if (server == Server.SSHD && !Files.isExecutable(SSHD)) {
        return "there is no " + SSHD + "; install openssh-server";
      }
      return null;
    }

    private static boolean onPath(String program) {
      return Arrays.stream(System.getenv("PATH").split(":"))
          .anyMatch(dir -> Files.isExecutable(Path.of(dir, program)));
    }

    @Override
    public String toString() {
      return client + "-" + server + (twin == 1 ? "" : "/" + twin);
    }
  }
}
