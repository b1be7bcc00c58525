package dev.adit.interop;

import dev.adit.ssh.AccessPolicy;
import dev.adit.ssh.Decision;
import dev.adit.ssh.Launch;
import dev.adit.ssh.PtyOptions;
import dev.adit.ssh.SessionRequest;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Sessions for the account that runs the test, as sshd gives them: commands by {@code sh -c}, a
 * login shell, sftp as an external program, variables whose names begin with LC_ or TEST_.
 */
class ShellPolicy implements AccessPolicy {
  private final Path home;

  ShellPolicy(Path home) {
    this.home = home;
  }

  @Override
  public String user() {
    return EmbeddedServer.USER;
  }

  @Override
  public Decision<Launch> launch(SessionRequest request) {
    return switch (request.kind()) {
      case SHELL -> Decision.allowed(shell(List.of("/bin/sh"), "-sh", request, Map.of()));
      case EXEC -> command(request.command(), request, Map.of());
      case SUBSYSTEM ->
          request.command().equals("sftp")
              ? command(Judges.require("sftp-server").toString(), request, Map.of())
              : Decision.denied("there is no subsystem " + request.command());
    };
  }

  Decision<Launch> command(String command, SessionRequest request, Map<String, String> more) {
    return Decision.allowed(shell(List.of("/bin/sh", "-c", command), "", request, more));
  }

  private Launch shell(
      List<String> argv, String name, SessionRequest request, Map<String, String> more) {
    Map<String, String> environment = new HashMap<>(request.environment());
    environment.put("HOME", home.toString());
    environment.put("SHELL", "/bin/sh");
    environment.put("PATH", System.getenv("PATH"));
    environment.put("LANG", "C.UTF-8");
    environment.putAll(more);
    return new Launch(argv, name, home, environment);
  }

  @Override
  public Decision<PtyOptions> terminal(PtyOptions asked) {
    return Decision.allowed(asked);
  }

  @Override
  public boolean acceptsVariable(String name) {
    return name.startsWith("LC_") || name.startsWith("TEST_");
  }

  @Override
  public boolean allowsAgentForwarding() {
    return true;
  }
}
