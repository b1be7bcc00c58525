package dev.adit.interop;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** {@code adit} on a real terminal, in a real shell, at a real sshd: what a user types and sees. */
@Timeout(60)
class TerminalTest {
  /** A shell that neither colours nor rewrites lines; the prompt isn't to be found in here. */
  private static final String SHELL = "env PS1='re''mote> ' sh -i";

  private static OpenSshServer server;
  private static Scratch home;

  @BeforeAll
  static void start() {
    server = OpenSshServer.start();
    home = new Scratch();
  }

  @AfterAll
  static void stop() {
    server.close();
    home.close();
  }

  private static String adit(Object... more) {
    return Terminal.adit(AditProcess.to(server, more));
  }

  /** A local shell that has started a remote one. */
  private static Terminal remoteShell(Object... flags) {
    Terminal terminal = Terminal.open(home.dir());
    terminal.enter("stty -a > before").await("local> ");
    Object[] all =
        Stream.of(flags, new Object[] {"-t", "localhost", SHELL}).flatMap(Arrays::stream).toArray();
    terminal.enter(adit(all));
    return terminal.await("remote> ");
  }

  /** The local shell has its terminal back, as it was, and the exit status is this. */
  private static void backHome(Terminal terminal, int status) throws IOException {
    terminal.await("local> ");
    terminal.enter("echo stat''us $?; stty -a > after; echo do''ne");
    terminal.await("status " + status + "\\b").await("done");
    assertThat(home.path("after")).hasSameTextualContentAs(home.path("before"));
  }

  @Test
  void aRemoteShellHasTheKeysAndTheLocalOneGetsItsTerminalBack() throws Exception {
    try (var terminal = remoteShell()) {
      // Ctrl-C is the remote shell's business.
      terminal.enter("echo sl''eeps; sleep 60; echo sl''ept").await("sleeps").type("\003");
      terminal.enter("echo inter''rupted; stty size; tty; exit 7").await("interrupted");
      terminal.await("Connection to localhost closed\\.");
      backHome(terminal, 7);
      assertThat(terminal.screen()).doesNotContain("slept");
    }
  }

  @Test
  void tildeDotEndsTheConnection() throws Exception {
    try (var terminal = remoteShell()) {
      terminal.enter("echo sl''eeps; sleep 60").await("sleeps").type("\r~.");
      terminal.await("Connection to localhost closed\\.");
      backHome(terminal, 255);
    }
  }

  @Test
  void escapesCountAtTheBeginningOfALineAndTheRestPassesThrough() throws Exception {
    try (var terminal = remoteShell()) {
      terminal.type("~?").await("end the connection");
      terminal.type("~#").await("#0 session");
      terminal.type("~C").await("~C: .* yet");
      terminal.type("~v").await("LogLevel VERBOSE").type("~V").await("LogLevel INFO");
      terminal.enter("echo a~.''b").await("a~\\.b");
      terminal.enter("~~; echo twi''ce").await("~; echo").await("twice");
      // No escape follows: the tilde stands for itself.
      terminal.enter("~root/x; echo thr''ough").await("through");
      terminal.enter("exit 0").await("Connection to localhost closed\\.");
      backHome(terminal, 0);
    }
  }

  @Test
  void tildeRExchangesKeys() throws Exception {
    try (var terminal = remoteShell("-v")) {
      terminal.type("~R").await("rekeyed");
      terminal.enter("echo still he''re").await("still here");
      terminal.enter("exit 0").await("Connection to localhost closed\\.");
    }
  }

  @Test
  void anotherEscapeCharacterOrNone() throws Exception {
    try (var terminal = remoteShell("-e", "^B")) {
      terminal.enter("~.; echo ti''lde").await("tilde").type("\002.");
      terminal.await("Connection to localhost closed\\.");
      backHome(terminal, 255);
    }
    try (var terminal = remoteShell("-e", "none")) {
      terminal.enter("~.; echo no''ne").await("none").enter("exit 3");
      terminal.await("Connection to localhost closed\\.");
      backHome(terminal, 3);
    }
  }

  @Test
  void theRemoteTerminalFollowsTheWindow() throws Exception {
    try (var terminal = Terminal.open(home.dir())) {
      terminal.enter("stty rows 33 cols 99; tty > tty").await("local> ");
      terminal.enter(adit("-t", "localhost", SHELL)).await("remote> ");
      terminal.enter("stty size").await("33 99");
      Path tty = Path.of(Files.readString(home.path("tty")).strip());
      Program.of("stty", "rows", 44, "cols", 111).stdin(tty).start().exitCode();
      terminal
          .enter("until stty size | grep 44; do sleep 0.05; done")
          .await("44 111")
          .await("remote> ");
      terminal.enter("exit 0").await("Connection to localhost closed\\.");
    }
  }

  @Test
  void tildeCtrlZSuspends() throws Exception {
    try (var terminal = remoteShell()) {
      // The shell throws away what is typed before its prompt.
      terminal.type("~\032").await("Stopped").await("local> ");
      terminal.enter("stty -a > after; echo sa''ved").await("saved");
      assertThat(home.path("after")).hasSameTextualContentAs(home.path("before"));
      terminal.enter("fg").enter("echo re''mote; exit 4").await("remote");
      terminal.await("Connection to localhost closed\\.");
      backHome(terminal, 4);
    }
  }

  @Test
  void aForwardedConnectionKeepsTheConnectionAliveInTheBackground() throws Exception {
    try (var echo = TestServer.start(TestServer.echo())) {
      int port = Ports.free();
      try (var terminal = remoteShell("-L", port + ":127.0.0.1:" + echo.port());
          var socket = new java.net.Socket("127.0.0.1", port)) {
        socket.getOutputStream().write('a');
        assertThat(socket.getInputStream().read()).isEqualTo('a');
        terminal.type("~&").await("Stopped");
        terminal.enter("echo again at ho''me").await("home");
        socket.getOutputStream().write('b');
        assertThat(socket.getInputStream().read()).isEqualTo('b');
        socket.close();
        terminal.await("Connection to localhost closed\\.");
      }
    }
  }

  @Test
  void aPasswordIsAskedForOnTheTerminalAndNotShown() throws Exception {
    try (var account = TestAccount.create();
        var passwords = OpenSshServer.start("PasswordAuthentication yes");
        var terminal = Terminal.open(home.dir())) {
      terminal.enter("stty -a > before").await("local> ");
      // Standard input is the data, and the terminal is for the question.
      terminal.enter("echo da''ta | " + password(passwords, account, "cat"));
      terminal.await(account.name() + "@localhost's password: ").enter("wrong");
      terminal.await("Permission denied, please try again\\.").await("password: ");
      terminal.enter(account.password()).await("data");
      backHome(terminal, 0);
      assertThat(terminal.screen()).doesNotContain("wrong").doesNotContain(account.password());
      terminal.enter(password(passwords, account, "true"));
      terminal.await("password: ").type("\003");
      backHome(terminal, 255);
    }
  }

  /** With -f the question comes first; then the shell has its terminal, and the tunnel lives on. */
  @Test
  void aTunnelForTheBackgroundAsksForThePasswordAndLeavesTheTerminal() throws Exception {
    int port = Ports.free();
    try (var account = TestAccount.create();
        var passwords = OpenSshServer.start("PasswordAuthentication yes");
        var target = TestServer.start(TestServer.greet("hello"));
        var terminal = Terminal.open(home.dir())) {
      terminal.enter("stty -a > before").await("local> ");
      String forward = port + ":127.0.0.1:" + target.port();
      terminal.enter(password(passwords, account, "-fN", "-L", forward));
      terminal.await("'s password: ").enter("wrong").await("try again").await("'s password: ");
      assertThat(Ports.isFree(port)).isTrue();
      terminal.enter(account.password());
      backHome(terminal, 0);
      assertThat(Program.of("nc", "-N", "127.0.0.1", port).run()).isEqualTo("hello");
      // The shell may go, and its terminal with it.
      terminal.enter("exit");
      Ports.await("the terminal to be closed", () -> !terminal.isOpen());
      assertThat(Program.of("nc", "-N", "127.0.0.1", port).run()).isEqualTo("hello");
      // It ends with its server.
    }
  }

  /** The session has the terminal in raw mode already when the question comes. */
  @Test
  void newHostKeysAreAskedForInTheMidstOfASession() throws Exception {
    Path known =
        home.write(
            "known-one",
            "[localhost]:%d %s\n"
                .formatted(server.port(), server.hostKey(Keys.Type.ED25519).publicLine()));
    try (var terminal = Terminal.open(home.dir())) {
      terminal.enter("stty -a > before").await("local> ");
      terminal.enter(
          Terminal.adit(
              "-F",
              "none",
              "-p",
              server.port(),
              "-i",
              server.userKey(),
              "-o",
              "IdentitiesOnly=yes",
              "-o",
              "UserKnownHostsFile=" + known,
              "-o",
              "UpdateHostKeys=ask",
              "-t",
              "localhost",
              SHELL));
      terminal.await("Accept updated hostkeys\\? \\(yes/no\\): ");
      // The answer is shown and ends with the key Enter; it isn't the remote shell's.
      terminal.enter("perhaps").await("perhaps").await("Accept updated hostkeys").enter("yes");
      Ports.await("all keys", () -> read(known).lines().count() == Keys.Type.values().length);
      terminal.enter("echo ra''w").await("raw");
      assertThat(terminal.screen()).doesNotContain("perhaps: not found");
      terminal.enter("exit 3");
      backHome(terminal, 3);
    }
  }

  @Test
  void theProgramOfSshAskpassAnswers() throws Exception {
    try (var account = TestAccount.create();
        var passwords = OpenSshServer.start("PasswordAuthentication yes");
        var files = new Scratch()) {
      Path askpass =
          files.write(
              "askpass",
              "#!/bin/sh\necho \"$1\" > %s\necho '%s'\n"
                  .formatted(files.path("asked"), account.password()));
      Files.setPosixFilePermissions(askpass, PosixFilePermissions.fromString("rwx------"));
      try (var terminal =
          Terminal.open(
              home.dir(), "SSH_ASKPASS", askpass.toString(), "SSH_ASKPASS_REQUIRE", "force")) {
        terminal.enter(password(passwords, account, "echo in''side")).await("inside");
      }
      assertThat(files.path("asked")).hasContent(account.name() + "@localhost's password: ");
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String password(OpenSshServer server, TestAccount account, Object... more) {
    Object[] flags = {
      "-F",
      "none",
      "-p",
      server.port(),
      "-o",
      "UserKnownHostsFile=" + server.knownHosts(),
      "-o",
      "PreferredAuthentications=password",
      "-l",
      account.name(),
      "localhost",
    };
    return Terminal.adit(Stream.of(flags, more).flatMap(Arrays::stream).toArray());
  }
}
