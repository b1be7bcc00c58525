package dev.adit.interop;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;

/**
 * A throw-away account of this machine, for password and keyboard-interactive logins and for
 * servers that look for authorized_keys in a home directory. It needs root, and goes at the end.
 * Its name holds the process id of this JVM, so that two clones can be tested at once and what a
 * killed run left behind can be told from what is in use.
 */
final class TestAccount implements AutoCloseable {
  private static final String PREFIX = "adit-test-";
  private static int made;

  private final String name;
  private final String password = "correct horse battery staple";
  private final Thread hook = new Thread(() -> remove(name()));

  private TestAccount(String name) {
    this.name = name;
  }

  static synchronized TestAccount create() {
    Judges.require("useradd");
    removeLeftovers();
    var account = new TestAccount(PREFIX + ProcessHandle.current().pid() + "-" + made++);
    Runtime.getRuntime().addShutdownHook(account.hook);
    retry(Program.of("useradd", "-m", "-d", account.home(), "-s", "/bin/sh", "-U", account.name));
    try (var chpasswd = Program.of("chpasswd").start()) {
      chpasswd.type(account.name + ":" + account.password + "\n");
      chpasswd.stdin().close();
      if (chpasswd.exitCode() != 0) {
        throw new AssertionError("chpasswd: " + chpasswd);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return account;
  }

  String name() {
    return name;
  }

  String password() {
    return password;
  }

  /** Not below /tmp: tinysshd trusts no authorized_keys below a directory that others write to. */
  Path home() {
    return Path.of("/home", name);
  }

  /** Lets a key in, for servers that read ~/.ssh/authorized_keys. */
  void authorize(String publicLine) {
    Path dir = home().resolve(".ssh");
    try {
      Files.createDirectories(dir);
      Files.writeString(dir.resolve("authorized_keys"), publicLine + "\n");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Program.of("chown", "-R", name, dir).run();
    Program.of("chmod", "-R", "go-rwx", home()).run();
  }

  @Override
  public void close() {
    remove(name);
    Runtime.getRuntime().removeShutdownHook(hook);
  }

  private static void remove(String account) {
    // -f: also while a shell of the account is still dying; -r: its home as well.
    retry(Program.of("userdel", "-f", "-r", account));
  }

  private static void removeLeftovers() {
    var pattern = Pattern.compile("^(" + PREFIX + "(\\d+)-\\d+):", Pattern.MULTILINE);
    try {
      var matcher = pattern.matcher(Files.readString(Path.of("/etc/passwd"), UTF_8));
      while (matcher.find()) {
        if (ProcessHandle.of(Long.parseLong(matcher.group(2))).isEmpty()) {
          remove(matcher.group(1));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Another run may hold the lock of /etc/passwd for a moment. */
  private static void retry(Program program) {
    for (int attempt = 1; ; attempt++) {
      try (var running = program.noStdin().start()) {
        int status = running.exitCode();
        if (status == 0) {
          return;
        }
        boolean locked = running.stderr().contains("try again later");
        boolean otherRunWasFirst = running.stderr().contains("does not exist");
        if (otherRunWasFirst) {
          return;
        }
        if (!locked || attempt == 50) {
          throw new AssertionError("exit status " + status + " of " + running);
        }
        Thread.sleep(100);
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
  }
}
