package dev.adit.ssh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SpecsTest {

  @Test
  void localForwardingHasEveryFormOfSsh() {
    assertThat(ForwardSpec.parseLocal("9001:yahoo.com:80"))
        .isEqualTo(local(new Listen.Tcp(null, 9001), new Target.Tcp("yahoo.com", 80)));
    assertThat(ForwardSpec.parseLocal("*:9001:yahoo.com:80"))
        .isEqualTo(local(new Listen.Tcp("*", 9001), new Target.Tcp("yahoo.com", 80)));
    assertThat(ForwardSpec.parseLocal(":9001:yahoo.com:80"))
        .isEqualTo(local(new Listen.Tcp("", 9001), new Target.Tcp("yahoo.com", 80)));
    assertThat(ForwardSpec.parseLocal("[::1]:9001:[2001:db8::7]:80"))
        .isEqualTo(local(new Listen.Tcp("::1", 9001), new Target.Tcp("2001:db8::7", 80)));
    assertThat(ForwardSpec.parseLocal("9001:/run/db.sock"))
        .isEqualTo(local(new Listen.Tcp(null, 9001), new Target.Unix("/run/db.sock")));
    assertThat(ForwardSpec.parseLocal("127.0.0.2:9001:/run/db.sock"))
        .isEqualTo(local(new Listen.Tcp("127.0.0.2", 9001), new Target.Unix("/run/db.sock")));
    assertThat(ForwardSpec.parseLocal("/tmp/here:yahoo.com:80"))
        .isEqualTo(local(new Listen.Unix("/tmp/here"), new Target.Tcp("yahoo.com", 80)));
    assertThat(ForwardSpec.parseLocal("./here:/run/there"))
        .isEqualTo(local(new Listen.Unix("./here"), new Target.Unix("/run/there")));
    assertThat(ForwardSpec.parseLocal("/tmp/a\\:b:yahoo.com:80"))
        .isEqualTo(local(new Listen.Unix("/tmp/a:b"), new Target.Tcp("yahoo.com", 80)));
  }

  @Test
  void olderFormWithSlashesIsTheSameForwarding() {
    assertThat(ForwardSpec.parseLocal("9001/yahoo.com/80"))
        .isEqualTo(ForwardSpec.parseLocal("9001:yahoo.com:80"));
    assertThat(ForwardSpec.parseLocal("::1/9001/2001:db8::7/80"))
        .isEqualTo(ForwardSpec.parseLocal("[::1]:9001:[2001:db8::7]:80"));
    assertThat(ForwardSpec.parseRemote("::1/9001/yahoo.com/80"))
        .isEqualTo(ForwardSpec.parseRemote("[::1]:9001:yahoo.com:80"));
    assertThat(ForwardSpec.parseDynamic("localhost/1080"))
        .isEqualTo(ForwardSpec.parseDynamic("localhost:1080"));
    assertThat(ForwardSpec.parseRemote("localhost/1080"))
        .isEqualTo(ForwardSpec.parseRemote("localhost:1080"));
    assertThat(Target.parseHostPort("::1/22")).isEqualTo(new Target.Tcp("::1", 22));
  }

  @Test
  void socketWhoseNameLooksLikeAPortStaysASocket() {
    assertThat(ForwardSpec.parseDynamic("/1080"))
        .isEqualTo(new ForwardSpec.Dynamic(new Listen.Unix("/1080")));
    assertThat(ForwardSpec.parseDynamic("./1080"))
        .isEqualTo(new ForwardSpec.Dynamic(new Listen.Unix("./1080")));
    assertThat(ForwardSpec.parseLocal("1:/run/2")).isInstanceOf(ForwardSpec.Local.class);
    assertThat(ForwardSpec.parseLocal("8080:a/1/b/80"))
        .isEqualTo(local(new Listen.Tcp(null, 8080), new Target.Unix("a/1/b/80")));
  }

  @Test
  void remoteForwardingMayLetTheServerChoose() {
    assertThat(ForwardSpec.parseRemote("0:localhost:80"))
        .isEqualTo(
            new ForwardSpec.Remote(new Listen.Tcp(null, 0), new Target.Tcp("localhost", 80)));
    assertThat(ForwardSpec.parseRemote("0"))
        .isEqualTo(new ForwardSpec.RemoteDynamic(new Listen.Tcp(null, 0)));
    assertThat(ForwardSpec.parseRemote("*:1080"))
        .isEqualTo(new ForwardSpec.RemoteDynamic(new Listen.Tcp("*", 1080)));
    assertThat(ForwardSpec.parseRemote("/run/socks"))
        .isEqualTo(new ForwardSpec.RemoteDynamic(new Listen.Unix("/run/socks")));
    assertThat(ForwardSpec.parseRemote("/run/there:localhost:80"))
        .isEqualTo(
            new ForwardSpec.Remote(new Listen.Unix("/run/there"), new Target.Tcp("localhost", 80)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          L | `` | 0 | a port number from 1 to 65535
          L | 9001 | 4 | ':' and a target
          L | 9001: | 5 | ':' and the target's port number
          L | 9001:host | 9 | ':' and the target's port number
          L | 9001:host: | 10 | a port number from 1 to 65535
          L | 9001:host:8o | 11 | a port number from 1 to 65535
          L | 9001:host:65536 | 10 | a port number from 1 to 65535
          L | 9001:host:0 | 10 | a port number from 1 to 65535
          L | 0:host:80 | 0 | a port number from 1 to 65535
          L | 9001::80 | 5 | a host name
          L | http:host:80 | 0 | a port number from 1 to 65535
          L | 9001:host:99999999999999999999 | 10 | a port number from 1 to 65535
          L | -1:host:80 | 0 | a port number from 1 to 65535
          L | a:9001:host:80:x | 14 | the end
          L | [::1:9001:host:80 | 17 | ']' for the '[' at character 1
          L | [::1]9001:host:80 | 5 | ':'
          L | ::1:9001:host:80 | 8 | the end (4 fields are enough; an IPv6 address goes in square brackets)
          L | /tmp/a | 6 | ':' and a target
          L | /tmp/a:80 | 9 | ':' and the target's port number
          L | 9001:/tmp/a:80 | 11 | the end
          L | 9001:host:80\\ | 13 | a character after the backslash
          R | 65536 | 0 | a port number from 0 to 65535
          R | 0:host:0 | 7 | a port number from 1 to 65535
          D | 0 | 0 | a port number from 1 to 65535
          D | localhost | 0 | a port number from 1 to 65535
          D | 1080:host:80 | 9 | the end
          W | host | 4 | ':' and a port number
          W | host:80:90 | 7 | the end
          W | :80 | 0 | a host name
          """)
  void errorPointsAtTheCharacterThatIsWrong(String flag, String spec, int column, String expected) {
    var failure = catchThrowableOfType(BadSpecException.class, () -> parser(flag).apply(spec));
    assertThat(failure).as("%s %s", flag, spec).isNotNull();
    assertThat(failure.expected()).startsWith(expected);
    assertThat(failure.column()).as(failure.getMessage()).isEqualTo(column);
  }

  @Test
  void errorIsShownAsSshSaysItAndWithACaret() {
    var failure =
        catchThrowableOfType(BadSpecException.class, () -> ForwardSpec.parseLocal("9001:host:8o"));
    assertThat(failure.headline()).isEqualTo("Bad local forwarding specification '9001:host:8o'");
    assertThat(failure.pointer().lines())
        .containsExactly(
            "  9001:host:8o", "             ^ a port number from 1 to 65535 was expected here");
  }

  @Test
  void controlCharactersReachNeitherForwardingNorTerminal() {
    assertThatThrownBy(() -> ForwardSpec.parseLocal("9001:ho\u001b[31mst:80"))
        .isInstanceOf(BadSpecException.class)
        .hasMessageNotContaining("\u001b");
  }

  @Test
  void socketPathMustFitAnAddress() {
    assertThat(ForwardSpec.parseLocal("1:/" + "x".repeat(106))).isNotNull();
    assertThatThrownBy(() -> ForwardSpec.parseLocal("1:/" + "x".repeat(107)))
        .isInstanceOf(BadSpecException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "9001:yahoo.com:80",
        "*:9001:yahoo.com:80",
        ":9001:yahoo.com:80",
        "[::1]:9001:[::2]:80",
        "/tmp/a\\:b:/tmp/c\\\\d",
        "/tmp/a:yahoo.com:80",
        "9001:/tmp/a",
      })
  void forwardingIsWrittenAsItIsRead(String spec) {
    assertThat(ForwardSpec.parseLocal(spec)).hasToString(spec);
    assertThat(ForwardSpec.parseRemote(spec)).hasToString(spec);
  }

  @ParameterizedTest
  @CsvSource({
    "home, , home, 0",
    "ada@home, ada, home, 0",
    "ada@corp@home, ada@corp, home, 0",
    "home:22, , home:22, 0",
    "::1, , ::1, 0",
    "ssh://home, , home, 0",
    "ssh://home/, , home, 0",
    "SSH://ada@home:2222, ada, home, 2222",
    "ssh://ada@[::1]:2222/, ada, ::1, 2222",
    "ssh://a%40b%20c@home, 'a@b c', home, 0",
    "ssh://ada;fingerprint=x@home, ada, home, 0",
  })
  void destination(String spec, String user, String host, int port) {
    assertThat(Destination.parse(spec)).isEqualTo(new Destination(user, host, port));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "@home",
        "ada@",
        "ssh://",
        "ssh://@home",
        "ssh://home:0",
        "ssh://home:x",
        "ssh://home/path",
        "ssh://a%0@home",
        "ssh://a%00@home",
        "ssh://a%zz@home",
        "ssh://%ff@home",
        "ssh://[::1",
        "ssh://[::1]x",
        "a\nb",
      })
  void badDestination(String spec) {
    assertThatThrownBy(() -> Destination.parse(spec)).isInstanceOf(BadSpecException.class);
  }

  @Test
  void jumpList() {
    assertThat(Destination.parseJumps("ada@one:2222,two,ssh://three:22,[::1]:2,b@[::2]"))
        .containsExactly(
            new Destination("ada", "one", 2222),
            new Destination(null, "two", 0),
            new Destination(null, "three", 22),
            new Destination(null, "::1", 2),
            new Destination("b", "::2", 0));
    assertThat(Destination.parseJumps("None")).isEqualTo(List.of());
  }

  @Test
  void errorInAJumpListPointsIntoTheList() {
    var failure =
        catchThrowableOfType(
            BadSpecException.class, () -> Destination.parseJumps("one,two:x,three"));
    assertThat(failure.column()).isEqualTo(8);
    assertThatThrownBy(() -> Destination.parseJumps("one,,three"))
        .isInstanceOf(BadSpecException.class);
    assertThatThrownBy(() -> Destination.parseJumps("a" + ",a".repeat(Destination.MAX_JUMPS)))
        .isInstanceOf(BadSpecException.class);
  }

  private static ForwardSpec.Local local(Listen listen, Target target) {
    return new ForwardSpec.Local(listen, target);
  }

  private static Function<String, Object> parser(String flag) {
    return switch (flag) {
      case "L" -> ForwardSpec::parseLocal;
      case "R" -> ForwardSpec::parseRemote;
      case "D" -> ForwardSpec::parseDynamic;
      default -> Target::parseHostPort;
    };
  }
}
