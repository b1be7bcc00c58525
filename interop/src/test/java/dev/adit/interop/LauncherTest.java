package dev.adit.interop;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The programs as they are started: from any directory, by a link, with nothing set. */
class LauncherTest {
  private static final Path IMAGE = Repository.root().resolve("app/target/adit");

  @Test
  void aditSaysItsVersionOnStandardErrorAsSshDoes() {
    try (var home = new Scratch();
        var adit = AditProcess.adit(home.dir(), "-V").noStdin().start()) {
      assertThat(adit.exitCode()).isZero();
      assertThat(adit.stderr()).startsWith("adit ");
      assertThat(adit.stdout()).isEmpty();
    }
  }

  @Test
  void aLinkToTheLauncherWorks() throws IOException {
    try (var home = new Scratch()) {
      Path link = home.path("a link");
      Files.createSymbolicLink(link, Repository.root().resolve("adit"));
      try (var adit = Program.of(link, "-V").noStdin().start()) {
        assertThat(adit.exitCode()).isZero();
        assertThat(adit.stderr()).startsWith("adit ");
      }
    }
  }

  /** The client as its launcher starts it, but for {@code java}'s own output about classes. */
  private static Program tellingOfClasses(Scratch home, String to, Object... arguments)
      throws IOException {
    String java = Files.readString(IMAGE.resolve("java")).strip();
    return Program.of(java, "-Dadit.home=" + IMAGE, "-Djava.library.path=" + IMAGE + "/native")
        .arguments("-XX:AOTCache=" + IMAGE.resolve("adit.aot"))
        .arguments("@" + IMAGE.resolve("client.options"), "-Xlog:class+load:" + to)
        .arguments("-cp", IMAGE.resolve("adit.jar"), "dev.adit.Adit")
        .arguments(arguments)
        .directory(home.dir());
  }

  @Test
  void theAotCacheIsUsed() throws IOException {
    // Without the cache the JVM would go on in silence, only slower.
    try (var home = new Scratch();
        var adit = tellingOfClasses(home, "stdout", "-V").noStdin().start()) {
      assertThat(adit.exitCode()).as(adit::stderr).isZero();
      assertThat(adit.stdout()).contains("dev.adit.Adit source: shared objects file");
    }
  }

  /** A class that the training run missed, or a search in the libraries, costs 15 ms and more. */
  @Test
  void aConnectionOpensNoLibrary() throws IOException {
    try (var server = OpenSshServer.start();
        var home = new Scratch();
        var adit =
            tellingOfClasses(
                    home,
                    "file=" + home.path("loaded"),
                    AditProcess.to(server, "localhost", "true"))
                .noStdin()
                .start()) {
      assertThat(adit.exitCode()).as(adit::stderr).isZero();
      assertThat(Files.readAllLines(home.path("loaded")))
          .hasSizeGreaterThan(1000)
          // sshd may send one, behind the login.
          .filteredOn(line -> !line.contains("TransportMessage$Debug "))
          .noneMatch(line -> line.contains("source: file:"));
    }
  }

  /** The one line by which make-image leaves out the flags that need OpenSSL. */
  @Test
  void theTrainingSaysThatTheCryptographyIsInJava() throws IOException {
    String java = Files.readString(IMAGE.resolve("java")).strip();
    try (var home = new Scratch();
        var training =
            Program.of(java, "-Dadit.home=" + IMAGE, "-Djava.library.path=" + IMAGE + "/native")
                .arguments("@" + IMAGE.resolve("jvm.options"), "-Ddev.adit.crypto=jdk")
                .arguments("-cp", IMAGE.resolve("adit.jar"), "dev.adit.Training")
                .directory(home.dir())
                .noStdin()
                .start()) {
      training.awaitStdout("cryptography in Java\n");
    }
    assertThat(Files.readString(IMAGE.resolve("training.log"), StandardCharsets.ISO_8859_1))
        .doesNotContain("cryptography in Java");
    for (String options : List.of("client.options", "gateway.options")) {
      assertThat(Files.readAllLines(IMAGE.resolve(options)))
          .contains("-XX:TieredStopAtLevel=1", "-XX:Tier3InvocationThreshold=20");
    }
  }

  /** It is found out by a thread that runs before the level of the log is known. */
  @Test
  void whatIsLoggedBeforeTheCommandLineIsReadIsSaid() {
    try (var server = OpenSshServer.start();
        var home = new Scratch();
        var adit =
            AditProcess.adit(home.dir(), AditProcess.to(server, "localhost", "true"))
                .env("JDK_JAVA_OPTIONS", "-Ddev.adit.crypto=nonsense")
                .noStdin()
                .start()) {
      assertThat(adit.exitCode()).as(adit::stderr).isZero();
      assertThat(adit.stderr()).contains("dev.adit.crypto=nonsense is not to be had here");
    }
  }

  @Test
  void aJdk25IsFoundWithoutJavaHome() {
    Path finder = Repository.root().resolve("app/src/main/launcher/find-jdk.sh");
    try (var home = new Scratch();
        var run =
            Program.of("sh", finder)
                .env("HOME", home.dir())
                .env("JAVA_HOME", home.path("no-such-jdk"))
                .noStdin()
                .start()) {
      // The tests run on one, so there is one; a JAVA_HOME that is none is passed over.
      assertThat(run.exitCode()).isZero();
      assertThat(Path.of(run.stdout().strip(), "bin/javac")).isExecutable();
    }
  }
}
