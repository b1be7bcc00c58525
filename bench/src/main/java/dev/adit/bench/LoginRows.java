package dev.adit.bench;

import dev.adit.bench.Scene.Unavailable;
import dev.adit.bench.peer.LoginClient;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Connect, authenticate with a key, hang up: by one client process, to a server, both warm. */
final class LoginRows {
  private static final String CURVE25519 = "curve25519-sha256";

  /** What {@link LoginClient} takes for what both sides prefer. */
  private static final String PREFERRED = "-";

  /** If more fail, the row is worth nothing. JSch fails at a MINA with up to one in thirteen. */
  private static final int MAX_FAILED_ONE_IN = 8;

  private LoginRows() {}

  static void logins(Scene scene) throws IOException, InterruptedException, Unavailable {
    @Nullable String whose = scene.pair.client().loginName();
    if (whose == null) {
      throw new Unavailable("a process of " + scene.pair.client() + " doesn't log in twice");
    }
    World world = scene.world;
    List<String> command =
        world.javaCommand(
            LoginClient.class,
            List.of(
                whose,
                Integer.toString(scene.server().port()),
                world.user(),
                world.userKey().toString()));
    try (Program client = Program.talking(command, world.file("logins-" + whose + ".log"))) {
      double warmUp = scene.seconds(1, 4);
      run(client, CURVE25519, 8, warmUp);
      run(client, PREFERRED, 8, warmUp / 2);
      double seconds = scene.seconds(0.7, 3);
      measure(scene, client, CURVE25519, 1, seconds);
      measure(scene, client, CURVE25519, 8, seconds);
      measure(scene, client, PREFERRED, 8, seconds);
    }
  }

  private static void measure(Scene scene, Program client, String kex, int atOnce, double seconds)
      throws IOException, InterruptedException {
    Program server = scene.server().program();
    double clientBefore = client.cpuSeconds();
    double serverBefore = server.cpuSeconds();
    double[] result = run(client, kex, atOnce, seconds);
    // sshd's last processes end, and their time is added to its own when it has noticed.
    TimeUnit.MILLISECONDS.sleep(200);
    double millis = 1000 / result[0];
    String how =
        (kex.equals(PREFERRED) ? "preferred kex" : "curve25519") + ", " + atOnce + " at a time";
    scene.note("logins, " + how, Unit.PER_S, result[0] / result[1]);
    scene.note(
        "CPU of the client for a login, " + how,
        Unit.MS,
        (client.cpuSeconds() - clientBefore) * millis);
    scene.note(
        "CPU of the server for a login, " + how,
        Unit.MS,
        (server.cpuSeconds() - serverBefore) * millis);
  }

  /** How many logins, and in how many seconds. */
  private static double[] run(Program client, String kex, int atOnce, double seconds)
      throws IOException {
    String[] answer = client.ask(kex + " " + atOnce + " " + seconds).split(" ");
    int logins = Integer.parseInt(answer[0]);
    int failed = Integer.parseInt(answer[2]);
    if (failed > 0) {
      System.err.printf("  %d of %d logins failed%n", failed, failed + logins);
    }
    if (failed * MAX_FAILED_ONE_IN > logins) {
      throw client.failure(failed + " of " + (failed + logins) + " logins failed with");
    }
    return new double[] {logins, Double.parseDouble(answer[1])};
  }
}
