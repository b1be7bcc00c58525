package dev.adit.explain;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.cli.ClientCommandLine;
import dev.adit.client.ClientFailure;
import dev.adit.client.Hops;
import dev.adit.config.StandardAlgorithms;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExplainTest {
  private static final Screen PLAIN = new Screen(80, true, false);

  @TempDir Path directory;

  private static String explained(String line) {
    return ExplainRun.ofLine("adit explain --here work " + line);
  }

  /** The text with its line breaks gone, so that a sentence can be looked for. */
  private static String flat(String text) {
    return text.replaceAll("\\s+", " ");
  }

  // --- the picture ---

  @Test
  void everyValidCommandLineIsDrawnWithWholeFrames() {
    var random = new Random(20120321);
    for (int i = 0; i < 400; i++) {
      var args = commandLine(random);
      var columns = 1 + random.nextInt(140);
      boolean isUnicode = random.nextBoolean();
      var exit = ExplainRun.of(new Screen(columns, isUnicode, false), args);
      assertThat(exit.err()).as(String.join(" ", args)).isEmpty();
      assertThat(exit.status()).isZero();

      var drawing = Layout.of(scene(!isUnicode, args), columns);
      var lines = TextPicture.lines(drawing, isUnicode, false);
      assertThat(exit.out()).startsWith(lines.getFirst().stripTrailing() + "\n");
      assertThat(drawing.width()).isLessThanOrEqualTo(Math.max(columns, Layout.LEAST_COLUMNS));
      for (var line : lines) {
        assertThat(Columns.width(line)).as(line).isEqualTo(drawing.width());
      }
      for (var shape : drawing.shapes()) {
        if (shape instanceof Drawing.Box box) {
          assertThatFrameIsWhole(box, lines);
        }
      }
    }
  }

  private static void assertThatFrameIsWhole(Drawing.Box box, List<String> lines) {
    var sides = new StringBuilder();
    for (int y = box.y(); y <= box.bottom(); y++) {
      sides.append(at(lines.get(y), box.x())).append(at(lines.get(y), box.right()));
    }
    var bottom = new StringBuilder();
    for (int x = box.x(); x <= box.right(); x++) {
      bottom.append(at(lines.get(box.bottom()), x));
    }
    assertThat(sides).as("%s in\n%s", box, String.join("\n", lines)).matches("[│┌┐└┘├┤╞╡|+]+");
    assertThat(bottom).as("%s in\n%s", box, String.join("\n", lines)).matches("[─└┘┬┴╥╨+-]+");
  }

  /** The character in a column. */
  private static char at(String line, int column) {
    int at = 0;
    for (int width = 0; width < column; ) {
      int c = line.codePointAt(at);
      width += Columns.width(c);
      at += Character.charCount(c);
    }
    return line.charAt(at);
  }

  private static Scene scene(boolean onlyAscii, String... args) {
    var commandLine =
        new ClientCommandLine(
            ExplainRun.local(Path.of("/nonexistent")), new StandardAlgorithms(), "adit");
    var connect =
        (ClientCommandLine.Connect)
            commandLine.read(List.of(args).subList(2, args.length).toArray(String[]::new));
    try {
      var route =
          Route.of(
              new Route.Here("work", 1024),
              connect.options(),
              new Hops(commandLine).of(connect.options()));
      return new Words(route, onlyAscii).scene();
    } catch (ClientFailure e) {
      throw new AssertionError(e);
    }
  }

  private static String[] commandLine(Random random) {
    var args = new ArrayList<>(List.of("--here", "work"));
    for (int i = random.nextInt(6); i > 0; i--) {
      args.add(pick(random, "-L", "-L", "-R", "-R", "-D", "-R-"));
      var listen =
          pick(
              random,
              "9001",
              "80",
              "*:9001",
              ":9002",
              "localhost:65535",
              "[::1]:1080",
              "192.0.2.7:8080",
              "/run/user/1000/a-socket-with-a-long-name");
      switch (args.getLast()) {
        case "-D" -> args.add(listen);
        case "-R-" -> {
          args.set(args.size() - 1, "-R");
          args.add(listen);
        }
        default ->
            args.add(
                listen
                    + ":"
                    + pick(
                        random,
                        name(random) + ":" + (1 + random.nextInt(65535)),
                        name(random) + ":80",
                        "localhost:5900",
                        "127.0.0.1:22",
                        "[2001:db8::1]:443",
                        "/var/run/database"));
      }
    }
    if (random.nextInt(4) == 0) {
      args.add("-J");
      args.add(name(random) + ",ada@" + name(random) + ":2222");
    }
    if (random.nextInt(6) == 0) {
      args.addAll(List.of("-W", name(random) + ":22"));
    }
    if (random.nextInt(3) == 0) {
      args.add(pick(random, "-N", "-g", "-A"));
    }
    args.addAll(List.of("--", name(random)));
    if (random.nextInt(5) == 0) {
      args.addAll(List.of("echo", "日本 " + "x".repeat(random.nextInt(90))));
    }
    return args.toArray(String[]::new);
  }

  private static String name(Random random) {
    return pick(
        random,
        "home",
        "yahoo.com",
        "x".repeat(1 + random.nextInt(120)),
        "例え.テスト",
        "한국.kr",
        "naïve.example",
        "e\u0301.example",
        "\ud83d\ude80.example",
        "a-rather-long-name.department.university.example.org");
  }

  private static String pick(Random random, String... choices) {
    return choices[random.nextInt(choices.length)];
  }

  /** wc counts columns with wcwidth(3): what a terminal makes of them. */
  @Test
  void widthsAreThoseOfATerminal() throws Exception {
    for (var text :
        List.of(
            "plain", "日本語", "ひらがなカタカナー・、。", "한국어", "ｆｕｌｌ", "ｶﾀｶﾅ", "naïve", "─│╞═►◄▲▼╌╎", "㈱㍿")) {
      var process =
          new ProcessBuilder("sh", "-c", "printf %s \"$0\" | LC_ALL=C.UTF-8 wc -L", text).start();
      var columns = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(Columns.width(text)).as(text).isEqualTo(Integer.parseInt(columns.strip()));
    }
  }

  @Test
  void whatMovesTheCursorOrTurnsTextIsShownByNumber() {
    assertThat(Columns.printable("a\u202eb\u0301c\u200b\u00a0", false))
        .isEqualTo("a\\u{202e}b\\u{301}c\\u{200b}\\u{a0}");
    assertThat(Columns.printable("日本", true)).isEqualTo("\\u{65e5}\\u{672c}");
  }

  @Test
  void asciiPictureIsAscii() {
    assertThat(explained("--ascii -J jump -L 9001:例え:80 -R 1:a:2 home"))
        .matches("[\n\\x20-\\x7e]+");
  }

  @Test
  void coloursChangeNothingButColour() {
    var plain = ExplainRun.of(PLAIN, "--here", "work", "-L", "9001:yahoo.com:80", "home").out();
    var coloured =
        ExplainRun.of(
                new Screen(80, true, true), "--here", "work", "-L", "9001:yahoo.com:80", "home")
            .out();
    assertThat(coloured).contains("\u001b[0;32m").contains("\u001b[0;31m");
    assertThat(coloured.replaceAll("\u001b\\[[0-9;]*m", "").replaceAll(" +\n", "\n"))
        .isEqualTo(plain);
  }

  // --- SVG ---

  @Test
  void svgIsWellFormedAndHoldsTheNames() throws Exception {
    var file = directory.resolve("picture.svg");
    for (var line :
        List.of(
            "-L 9001:yahoo.com:80 home",
            "-L 5900:localhost:5900 home",
            "-R 9001:intra-site.com:80 home",
            "-D 9001 home",
            "-R 9001 home",
            "-J jump -W banned:22 home")) {
      var args = new ArrayList<>(List.of("--here", "work", "--svg", file.toString()));
      args.addAll(List.of(line.split(" ")));
      var exit = ExplainRun.of(PLAIN, args.toArray(String[]::new));
      assertThat(exit).isEqualTo(new ClientCommandLine.Exit(0, "", ""));
      var text = textOf(Files.readString(file));
      assertThat(text).contains("work", "home");
      for (var name : List.of("yahoo.com", "intra-site.com", "jump", "banned")) {
        assertThat(text.contains(name)).as("%s in %s", name, line).isEqualTo(line.contains(name));
      }
    }
  }

  @Test
  void svgEscapesWhatTheCommandLineSays() throws Exception {
    var name = "<script>alert(1)</script>&\"']]>\u0007";
    var svg =
        ExplainRun.of(PLAIN, "--here", name, "--svg", "-", "-L", "9001:<b a=\"1\">&amp;:80", "home")
            .out();
    assertThat(textOf(svg))
        .contains("<script>alert(1)</script>&\"']]>\\u{7}")
        .contains("<b a=\"1\">&amp;");
    assertThat(svg).doesNotContain("<script", "<b ");
  }

  private static String textOf(String svg) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)))
        .getDocumentElement()
        .getTextContent();
  }

  @Test
  void svgThatCanNotBeWrittenIsAnError() {
    var exit = ExplainRun.of(PLAIN, "--svg", "/nonexistent/x.svg", "home");
    assertThat(exit.status()).isEqualTo(255);
    assertThat(exit.err())
        .startsWith("adit explain: can't write /nonexistent/x.svg")
        .hasLineCount(1);
  }

  // --- what it says ---

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          -L *:9001:a:1 home | Port 9001 is open to the whole network
          -L :9001:a:1 home | Port 9001 is open to the whole network
          -L 0.0.0.0:9001:a:1 home | Port 9001 is open to the whole network
          -g -L 9001:a:1 home | Port 9001 is open to the whole network
          -D *:9001 home | connect to it and use it as a proxy, without any password
          -L 192.0.2.1:9001:a:1 home | open to every machine that reaches that address
          -L 80:a:1 home | Port 80 is below 1024: usually only root may listen there, and you are not root on work
          -R 80:a:1 home | SSH servers usually let only root listen there, and you log in to home as ada
          -L 9001:localhost:1 home | localhost means home, not work
          -L 9001:127.0.0.1:1 home | 127.0.0.1 means home, not work
          -R 9001:localhost:1 home | localhost means work, not home
          -L 9001:home:1 home | home connects to itself by its own name
          -L 9001:work:1 home | work is where the connection comes in
          -R *:9001:a:1 home | By default it is no, and only programs on home reach it
          -R 9001:a:1 home | Only programs on home reach port 9001, as long as its GatewayPorts is not yes
          -R 192.0.2.1:9001:a:1 home | only if its GatewayPorts is clientspecified
          -L 9001:a:21 home | Port 21 is usually FTP, which is not encrypted
          -L 9001:a:80 home | tells the web site that it is called localhost:9001
          -L 9001:a:443 home | the certificate is for another name
          -L 9001:a:80 home | With -D 9001, a proxy, the names stay right
          -R 9001:a:80 home | With -R 9001, a proxy, the names stay right
          -D 9001 home | in curl socks5h://
          -D 9001 -L 9001:a:1 home | 1. and 2. both listen on port 9001 of work
          -L 9001:a:1 -L *:9001:b:1 home | 1. and 2. both listen on port 9001 of work
          -L localhost:9001:a:1 -L 9001:b:1 home | 1. and 2. both listen on port 9001 of work
          -R 9001:a:1 -R 9001 home | 1. and 2. both listen on port 9001 of home
          -A home | -A lends the keys of your agent to home
          """)
  void warns(String line, String warning) {
    assertThat(flat(explained(line))).contains(warning);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          -L 9001:banned:22 home | !
          -L 9001:a:1 -L 9002:b:1 home | !
          -L 9001:a:1 -L 127.0.0.2:9001:b:1 home | !
          -R 9001:a:1 -L 9001:b:1 home | both
          -R 80:a:1 root@home | let only root
          -R 9001:a:1 home | let only root
          -R 80:a:1 home | not root on work
          -L 9001:192.0.2.1:80 home | tells the web site
          -R 0:a:80 home | tells the web site
          -L 9001:a:80 home | certificate
          -L 9001:a:1 home | Only programs on
          -W localhost:1 home | !
          -W a:1 home | !
          home | !
          home ls | !
          """)
  void doesNotWarnWithoutReason(String line, String warning) {
    assertThat(flat(explained(line))).doesNotContain(warning);
  }

  @Test
  void hostsForwardsAndJumpsOfTheConfigurationAreDrawn() throws Exception {
    Files.createDirectory(directory.resolve(".ssh"));
    Files.writeString(
        directory.resolve(".ssh/config"),
        """
        Host lab
          HostName lab.example.org
          Port 2222
          ProxyJump gate
          LocalForward 9001 db:5432
          RemoteForward 9002 localhost:80
        Host gate
          HostName 192.0.2.1
        Host tunnelled
          ProxyCommand nc %h %p
        """);
    var lab = ExplainRun.of(directory, PLAIN, "--here", "work", "lab").out();
    assertThat(lab)
        .contains("connects to 192.0.2.1 at the start")
        .contains("looks up lab.example.org and connects to it at the start")
        .contains("SSH server lab.example.org, port 2222")
        .contains("1. listens on port 9001")
        .contains("2. listens on port 9002")
        .contains("PostgreSQL");
    assertThat(flat(ExplainRun.of(directory, PLAIN, "--here", "work", "tunnelled").out()))
        .contains("work starts ProxyCommand, and speaks SSH through it with tunnelled");
  }

  @Test
  void canonicalNameIsNotLookedUpAndThatIsSaid() {
    assertThat(
            flat(
                explained(
                    "-o CanonicalizeHostname=yes -o CanonicalDomains=example.org"
                        + " -o CanonicalizeFallbackLocal=no home")))
        .contains("looks up home.example.org", "SSH server home.example.org")
        .contains("CanonicalizeHostname would look home.example.org. up");
  }

  @Test
  void permitRemoteOpenLimitsWhereTheServersProxyLeads() {
    assertThat(flat(explained("-o 'PermitRemoteOpen=a:80 b:*' -R 9001 -N home")))
        .contains("a:80")
        .contains("b:*");
    assertThat(flat(explained("-o PermitRemoteOpen=none -R 9001 -N home")))
        .contains("work refuses, because PermitRemoteOpen is none");
  }

  // --- the program ---

  @Test
  void nothingIsConnectedOrLookedUp() throws Exception {
    var services = Files.createDirectories(directory.resolve("META-INF/services"));
    Files.writeString(
        services.resolve("java.net.spi.InetAddressResolverProvider"), NoNames.class.getName());
    var loaded = directory.resolve("loaded");
    var process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Xlog:class+load:file=" + loaded,
                "-cp",
                System.getProperty("java.class.path") + ":" + directory,
                "dev.adit.Adit",
                "explain",
                "-F",
                "none",
                "-J",
                "nobody.invalid",
                "-L",
                "nowhere.invalid:9001:yahoo.invalid:80",
                "-R",
                "9001:intra.invalid:80",
                "-D",
                "9001",
                "home.invalid")
            .redirectErrorStream(true)
            .start();
    var out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(out).isZero();
    assertThat(out).contains("yahoo.invalid").doesNotContain(NoNames.COMPLAINT);
    var classes = Files.readAllLines(loaded);
    assertThat(classes).anyMatch(line -> line.contains(" dev.adit.explain.Route "));
    // Whatever opens a socket needs one of these.
    for (var name :
        List.of(" io.netty.", " java.net.Socket ", " sun.nio.ch.Net ", NoNames.class.getName())) {
      assertThat(classes).noneMatch(line -> line.contains(name));
    }
  }

  @Test
  void terminalGetsColoursItsWidthAndItsCharacters() throws Exception {
    var java =
        "stty cols 60; exec '%s' --enable-native-access=ALL-UNNAMED -cp '%s' dev.adit.Adit explain -F none"
            .formatted(
                Path.of(System.getProperty("java.home"), "bin", "java"),
                System.getProperty("java.class.path"));
    var command = java + " -L 9001:yahoo.com:80 home";
    var seen = onTerminal("TERM=xterm LC_ALL=C.UTF-8 COLUMNS=", command);
    assertThat(seen).contains("\u001b[0;32m║").contains("└╌ not encrypted ►");
    assertThat(seen.lines())
        .allMatch(line -> line.replaceAll("\u001b\\[[0-9;]*m", "").length() <= 60);
    assertThat(onTerminal("TERM=xterm LC_ALL=C.UTF-8 NO_COLOR=1 COLUMNS=90", command))
        .doesNotContain("\u001b")
        .contains("╞═══ SSH ══►╡");
    assertThat(onTerminal("TERM=dumb LC_ALL=C COLUMNS=90", command))
        .doesNotContain("\u001b")
        .contains("+=== SSH ==>+");
  }

  private static String onTerminal(String environment, String command) throws Exception {
    var words = new ArrayList<>(List.of("env"));
    words.addAll(List.of(environment.split(" ")));
    words.addAll(List.of("script", "-qec", command, "/dev/null"));
    var process = new ProcessBuilder(words).redirectErrorStream(true).start();
    process.getOutputStream().close();
    var out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(out).isZero();
    return out;
  }

  @Test
  void helpSaysWhatTheOptionsAre() {
    var exit = ExplainRun.of(PLAIN, "--help");
    assertThat(exit.status()).isZero();
    assertThat(exit.out()).contains("--ascii", "--svg file", "--here name");
    assertThat(exit.out().lines()).allMatch(line -> line.length() <= 100);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --asci home | adit explain: unknown option --asci
          --svg | adit explain: --svg requires an argument
          --ascii | adit explain: usage: adit explain
          -L 1:a:1 home --ascii | adit explain: --ascii has to stand before the command line
          home --svg x | adit explain: --svg has to stand before the command line
          -w 0 home | -w: forwarding of tun devices is not there yet
          -J a -J b home | Only a single -J option is permitted
          """)
  void wrongOptionIsOneError(String line, String error) {
    var exit = ExplainRun.of(PLAIN, line.split(" "));
    assertThat(exit.status()).isEqualTo(255);
    assertThat(exit.out()).isEmpty();
    assertThat(exit.err()).startsWith(error);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          -L | 9001 | 4 | ':' and a target (host:port, or a socket's path)
          -L | 9001:yahoo.com | 14 | ':' and the target's port number
          -L | 9001:yahoo.com:http | 15 | a port number from 1 to 65535
          -L | 9001:yahoo.com:8o | 16 | a port number from 1 to 65535
          -L | 9001::80 | 5 | a host name
          -L | 70000:a:80 | 0 | a port number from 1 to 65535
          -L | yahoo.com:80:9001 | 0 | a port number from 1 to 65535
          -L | ::1:9001:a:80 | 8 | the end (4 fields are enough; an IPv6 address goes in square brackets)
          -L | [::1:9001:a:80 | 14 | ']' for the '[' at character 1
          -R | 9001:intra: | 11 | a port number from 1 to 65535
          -R | x | 0 | a port number from 0 to 65535
          -D | 1080:a:80 | 6 | the end (2 fields are enough; an IPv6 address goes in square brackets)
          -D | a: | 2 | a port number from 1 to 65535
          -W | banned | 6 | ':' and a port number
          -J | gate,ada@:22 | 9 | a host name
          """)
  void wrongSpecIsPointedAtAsAditItselfDoes(String flag, String spec, int column, String expected) {
    var exit = ExplainRun.of(PLAIN, flag, spec, "home");
    assertThat(exit.status()).isEqualTo(255);
    assertThat(exit.out()).isEmpty();
    assertThat(exit.err().lines().skip(1))
        .containsExactly(
            "  " + spec, "  " + " ".repeat(column) + "^ " + expected + " was expected here");
    assertThat(exit)
        .isEqualTo(
            new ClientCommandLine(
                    ExplainRun.local(Path.of("/nonexistent")), new StandardAlgorithms(), "adit")
                .read(flag, spec, "home"));
  }

  @Test
  void wrongSpecInTheConfigurationIsPointedAtToo() {
    var exit = ExplainRun.of(PLAIN, "-o", "LocalForward=9001 yahoo.com:8o", "home");
    assertThat(exit.status()).isEqualTo(255);
    assertThat(exit.err().lines())
        .containsSequence(
            "  9001:yahoo.com:8o",
            "                  ^ a port number from 1 to 65535 was expected here");
  }
}
