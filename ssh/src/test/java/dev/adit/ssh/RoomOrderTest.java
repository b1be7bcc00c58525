package dev.adit.ssh;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The map of the house: a room (a package) may use the rooms below it, never one above. */
class RoomOrderTest {
  private static final String TOP = "";

  /** The training server is a house guest: it may use the rooms, and no room may use it. */
  private static final List<String> FROM_TOP_TO_BOTTOM =
      List.of(
          "training",
          TOP,
          "forward",
          "session",
          "connection",
          "auth",
          "transport",
          "keys",
          "crypto",
          "wire");

  /**
   * Values, errors, questions and interfaces of the top package that every room may name. They use
   * no room. What does something (SshClient, SshServer, SshConnection) is not among them.
   */
  private static final Set<String> VOCABULARY =
      Set.of(
          "AccessPolicy",
          "Authenticator",
          "BadSpecException",
          "ChannelTimeouts",
          "Decision",
          "Destination",
          "ExitStatus",
          "Forward",
          "ForwardLimits",
          "ForwardOptions",
          "ForwardSpec",
          "HandshakeInfo",
          "Launch",
          "Limit",
          "Listen",
          "Peer",
          "PtyOptions",
          "ServerEvent",
          "Session",
          "SessionRequest",
          "SshException",
          "SshStream",
          "Target",
          "TargetResolver",
          "TerminalMode",
          "TunnelEvent",
          "UserInteraction",
          "UserKey");

  /** A use of dev.adit.ssh.room.Type or dev.adit.ssh.Type, in an import or in full. */
  private static final Pattern USE =
      Pattern.compile("\\bdev\\.adit\\.ssh\\.(?:([a-z]\\w*)\\.)?([A-Z]\\w*|\\*)");

  private static final Pattern COMMENT = Pattern.compile("(?s)/\\*.*?\\*/|//[^\\n]*");

  private record Source(String room, String type, String text) {}

  @Test
  void theVocabularyExists() throws IOException {
    assertThat(sources().stream().filter(s -> s.room.equals(TOP)).map(Source::type))
        .containsAll(VOCABULARY);
  }

  @Test
  void noRoomUsesOneAboveIt() throws IOException {
    List<String> wrong = new ArrayList<>();
    for (Source source : sources()) {
      int floor = FROM_TOP_TO_BOTTOM.indexOf(source.room);
      assertThat(floor)
          .as("package dev.adit.ssh.%s has a place in the order", source.room)
          .isNotNegative();
      uses(source)
          .filter(use -> !isAllowed(source, floor, use))
          .forEach(use -> wrong.add(source.room + "/" + source.type + " uses " + use));
    }
    assertThat(wrong).isEmpty();
  }

  private record Use(String room, String type) {
    @Override
    public String toString() {
      return room.isEmpty() ? type : room + "." + type;
    }
  }

  private static Stream<Use> uses(Source source) {
    return USE.matcher(source.text)
        .results()
        .map(match -> new Use(match.group(1) == null ? TOP : match.group(1), match.group(2)))
        .distinct();
  }

  private static boolean isAllowed(Source source, int floor, Use use) {
    if (source.room.equals(TOP) && VOCABULARY.contains(source.type)) {
      return use.room.equals(TOP);
    }
    if (use.room.equals(TOP)) {
      return source.room.equals(TOP) || VOCABULARY.contains(use.type);
    }
    return FROM_TOP_TO_BOTTOM.indexOf(use.room) >= floor;
  }

  private static List<Source> sources() throws IOException {
    Path root = Path.of("src/main/java/dev/adit/ssh");
    List<Source> sources = new ArrayList<>();
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
        String room = root.relativize(file.getParent()).toString();
        String type = file.getFileName().toString().replace(".java", "");
        String text = COMMENT.matcher(Files.readString(file)).replaceAll("");
        sources.add(new Source(room, type, text));
      }
    }
    assertThat(sources).isNotEmpty();
    return sources;
  }
}
