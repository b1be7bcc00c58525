package dev.adit.bench.peer;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.adit.ssh.ConnectOptions;
import dev.adit.ssh.ForwardSpec;
import dev.adit.ssh.HostKeyPolicy;
import dev.adit.ssh.Listen;
import dev.adit.ssh.SshClient;
import dev.adit.ssh.Target;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Scanner;

/**
 * Many SSH connections of one adit-ssh, with one local forward each. Arguments: the server's port,
 * user, key, the target's port. For a line on standard input with a number it opens so many
 * connections and answers with the ports of their forwards.
 */
public final class SessionsClient {
  private SessionsClient() {}

  public static void main(String[] args) throws Exception {
    ConnectOptions options =
        ConnectOptions.to("127.0.0.1")
            .port(Integer.parseInt(args[0]))
            .user(args[1])
            .identityFile(Path.of(args[2]))
            .hostKeyPolicy(HostKeyPolicy.acceptAnyInsecurely())
            .build();
    var spec =
        new ForwardSpec.Local(
            new Listen.Tcp("127.0.0.1", 0), new Target.Tcp("127.0.0.1", Integer.parseInt(args[3])));
    SshClient client = SshClient.create(Runtime.getRuntime().availableProcessors());
    try (var questions = new Scanner(System.in, US_ASCII)) {
      while (questions.hasNext()) {
        List<String> ports = new ArrayList<>();
        for (int left = questions.nextInt(); left > 0; left--) {
          ports.add(Integer.toString(client.connect(options).forward(spec).port()));
        }
        System.out.println(String.join(" ", ports));
      }
    }
    System.exit(0);
  }
}
