package dev.adit.ssh;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Reads forwardings and destinations, keeping track of where in the text each field began. */
final class SpecReader {
  /** What the resolver's interface holds (NI_MAXHOST, with its final NUL). */
  private static final int MAX_HOST = 1024;

  /** What a sockaddr_un holds on Linux (108 bytes, with its final NUL). */
  private static final int MAX_SOCKET_PATH = 107;

  private static final String SCHEME = "ssh://";

  private final String kind;
  private final String spec;

  SpecReader(String kind, String spec) {
    this.kind = kind;
    this.spec = spec;
    for (int i = 0; i < spec.length(); i++) {
      if (Character.isISOControl(spec.charAt(i))) {
        throw bad(i, "a printable character");
      }
    }
  }

  /** A field of a specification: where it began, without its brackets and backslashes. */
  private record Field(int start, int end, String text, boolean isPath) {}

  /** Which ports a field may hold. */
  private enum Ports {
    LISTEN("a port number from 1 to 65535", 1),
    LISTEN_OR_CHOOSE("a port number from 0 to 65535", 0),
    CONNECT("a port number from 1 to 65535", 1);

    final String expected;
    final int least;

    Ports(String expected, int least) {
      this.expected = expected;
      this.least = least;
    }
  }

  ForwardSpec.Local local() {
    return withColonsOrSlashes(
        fields ->
            new ForwardSpec.Local(
                listenBeforeTarget(fields, Ports.LISTEN), targetOf(fields, Ports.LISTEN)),
        4,
        3);
  }

  ForwardSpec remote() {
    return withColonsOrSlashes(this::remoteOf, 4, 2);
  }

  private ForwardSpec remoteOf(List<Field> fields) {
    boolean isListenOnly =
        fields.size() == 1
            || (fields.size() == 2 && !fields.get(0).isPath && !fields.get(1).isPath);
    return isListenOnly
        ? new ForwardSpec.RemoteDynamic(listenOnly(fields, Ports.LISTEN_OR_CHOOSE))
        : new ForwardSpec.Remote(
            listenBeforeTarget(fields, Ports.LISTEN_OR_CHOOSE),
            targetOf(fields, Ports.LISTEN_OR_CHOOSE));
  }

  ForwardSpec.Dynamic dynamic() {
    return withColonsOrSlashes(
        fields -> new ForwardSpec.Dynamic(listenOnly(fields, Ports.LISTEN)), 2, 2);
  }

  Target.Tcp hostPort() {
    var fields = spec.indexOf('/') >= 0 ? slashFields() : colonFields(2);
    if (fields.size() < 2) {
      throw bad(spec.length(), "':' and a port number");
    }
    if (fields.size() > 2) {
      throw bad(fields.get(2).start - 1, "the end, after host and port");
    }
    return tcp(fields.get(0), fields.get(1));
  }

  Destination destination() {
    if (hasScheme()) {
      return uri();
    }
    int at = spec.lastIndexOf('@');
    if (at == 0) {
      throw bad(0, "a user name");
    }
    if (at == spec.length() - 1) {
      throw bad(spec.length(), "a host name");
    }
    return new Destination(at < 0 ? null : spec.substring(0, at), spec.substring(at + 1), 0);
  }

  Destination jump() {
    if (hasScheme()) {
      return uri();
    }
    int at = spec.lastIndexOf('@');
    if (at == 0) {
      throw bad(0, "a user name");
    }
    return hostAndPort(at < 0 ? null : spec.substring(0, at), at + 1, spec.length());
  }

  private boolean hasScheme() {
    return spec.regionMatches(true, 0, SCHEME, 0, SCHEME.length());
  }

  private Destination uri() {
    int start = SCHEME.length();
    int end = spec.length();
    int at = spec.lastIndexOf('@');
    String user = null;
    if (at >= start) {
      // What follows a semicolon are connection parameters of an expired draft; ssh skips them too.
      int semicolon = spec.indexOf(';', start);
      int userEnd = semicolon >= 0 && semicolon < at ? semicolon : at;
      if (userEnd == start) {
        throw bad(start, "a user name");
      }
      user = percentDecoded(start, userEnd);
      start = at + 1;
    }
    int slash = spec.indexOf('/', start);
    if (slash >= 0) {
      if (slash != end - 1) {
        throw bad(slash + 1, "the end (there is no path in a destination)");
      }
      end = slash;
    }
    return hostAndPort(user, start, end);
  }

  /** {@code host}, {@code host:port}, {@code [address]} or {@code [address]:port}. */
  private Destination hostAndPort(@Nullable String user, int start, int end) {
    int hostStart = start;
    int hostEnd;
    int afterHost;
    if (start < end && spec.charAt(start) == '[') {
      hostStart = start + 1;
      hostEnd = spec.indexOf(']', start);
      if (hostEnd < 0 || hostEnd >= end) {
        throw bad(end, "']'");
      }
      afterHost = hostEnd + 1;
      if (afterHost < end && spec.charAt(afterHost) != ':') {
        throw bad(afterHost, "':' and a port number");
      }
    } else {
      hostEnd = start;
      while (hostEnd < end && spec.charAt(hostEnd) != ':' && spec.charAt(hostEnd) != '/') {
        hostEnd++;
      }
      afterHost = hostEnd;
    }
    if (hostStart == hostEnd) {
      throw bad(hostStart, "a host name");
    }
    var host = spec.substring(hostStart, hostEnd);
    if (afterHost >= end - 1) {
      return new Destination(user, host, 0);
    }
    int portStart = afterHost + 1;
    var port = new Field(portStart, end, spec.substring(portStart, end), false);
    return new Destination(user, host, port(port, Ports.CONNECT));
  }

  private String percentDecoded(int start, int end) {
    var bytes = ByteBuffer.allocate((end - start) * 4);
    for (int i = start; i < end; i++) {
      char c = spec.charAt(i);
      if (c != '%') {
        int codePoint = spec.codePointAt(i);
        bytes.put(Character.toString(codePoint).getBytes(StandardCharsets.UTF_8));
        i += Character.charCount(codePoint) - 1;
        continue;
      }
      if (i + 2 >= end
          || !HexFormat.isHexDigit(spec.charAt(i + 1))
          || !HexFormat.isHexDigit(spec.charAt(i + 2))) {
        throw bad(i, "'%' with two hexadecimal digits");
      }
      int value = HexFormat.fromHexDigits(spec, i + 1, i + 3);
      if (value == 0) {
        throw bad(i, "a character that is not NUL");
      }
      bytes.put((byte) value);
      i += 2;
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes.flip()).toString();
    } catch (CharacterCodingException e) {
      throw bad(start, "a user name in UTF-8");
    }
  }

  // --- forwardings ---

  /**
   * Reads with colons, and where that fails, or yields a path that looks like an address, with
   * slashes. The older form is the second choice because a socket's path has slashes too.
   */
  private <T extends ForwardSpec> T withColonsOrSlashes(
      Function<List<Field>, T> reading, int mostFields, int leastSlashFields) {
    var withSlashes = slashFields();
    boolean isSlashForm =
        withSlashes.size() >= leastSlashFields
            && withSlashes.size() <= mostFields
            && isNumber(withSlashes.getLast().text)
            && isNumber(withSlashes.get(withSlashes.size() % 2 == 0 ? 1 : 0).text);
    try {
      T result = reading.apply(colonFields(mostFields));
      boolean isMistakenForPath =
          isSlashForm
              && result.listen() instanceof Listen.Unix(var path)
              && looksLikeAddressAndPort(path);
      return isMistakenForPath ? reading.apply(withSlashes) : result;
    } catch (BadSpecException withColons) {
      if (isSlashForm) {
        return reading.apply(withSlashes);
      }
      throw withColons;
    }
  }

  /** {@code localhost/1080} is the older form of {@code localhost:1080}, not a socket's path. */
  private boolean looksLikeAddressAndPort(String path) {
    int slash = path.indexOf('/');
    return path.equals(spec)
        && slash > 0
        && slash == path.lastIndexOf('/')
        && path.charAt(0) != '.';
  }

  private static boolean isNumber(String text) {
    return !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9');
  }

  private List<Field> slashFields() {
    var fields = new ArrayList<Field>();
    int start = 0;
    while (true) {
      int slash = spec.indexOf('/', start);
      int end = slash < 0 ? spec.length() : slash;
      var text = spec.substring(start, end);
      if (text.startsWith("[") && text.endsWith("]")) {
        text = text.substring(1, text.length() - 1);
      }
      fields.add(new Field(start, end, text, false));
      if (slash < 0) {
        return fields;
      }
      start = slash + 1;
    }
  }

  private List<Field> colonFields(int most) {
    var fields = new ArrayList<Field>();
    int at = 0;
    while (true) {
      if (fields.size() == most) {
        throw bad(
            at - 1,
            "the end (%d fields are enough; an IPv6 address goes in square brackets)"
                .formatted(most));
      }
      var field =
          at < spec.length() && spec.charAt(at) == '[' ? bracketedField(at) : plainField(at);
      fields.add(field);
      if (field.end == spec.length()) {
        return fields;
      }
      at = field.end + 1;
    }
  }

  private Field bracketedField(int start) {
    int close = spec.indexOf(']', start);
    if (close < 0) {
      throw bad(spec.length(), "']' for the '[' at character %d".formatted(start + 1));
    }
    if (close + 1 < spec.length() && spec.charAt(close + 1) != ':') {
      throw bad(close + 1, "':'");
    }
    var text = spec.substring(start + 1, close);
    return new Field(start, close + 1, text, text.indexOf('/') >= 0);
  }

  private Field plainField(int start) {
    var text = new StringBuilder();
    int i = start;
    while (i < spec.length() && spec.charAt(i) != ':') {
      if (spec.charAt(i) == '\\') {
        i++;
        if (i == spec.length()) {
          throw bad(i, "a character after the backslash");
        }
      }
      text.append(spec.charAt(i));
      i++;
    }
    return new Field(start, i, text.toString(), text.indexOf("/") >= 0);
  }

  /** The listening side of fields that hold nothing else: {@code [bind:]port} or a path. */
  private Listen listenOnly(List<Field> fields, Ports ports) {
    if (fields.size() > 2) {
      throw bad(fields.get(2).start - 1, "the end, after the port to listen on");
    }
    if (fields.size() == 1) {
      return listen(null, fields.get(0), ports);
    }
    if (fields.get(0).isPath) {
      throw bad(fields.get(1).start - 1, "the end, after the socket to listen on");
    }
    return new Listen.Tcp(host(fields.get(0)), port(fields.get(1), ports));
  }

  /** How many fields the listening side takes when a target follows. */
  private int listenFields(List<Field> fields, Ports ports) {
    var last = fields.getLast();
    int targetFields = last.isPath ? 1 : 2;
    int listenFields = fields.size() - targetFields;
    if (listenFields < 1) {
      // Say what is missing at the end, unless what is there is already wrong.
      listen(null, fields.get(0), ports);
      if (fields.size() == 1) {
        throw bad(spec.length(), "':' and a target (host:port, or a socket's path)");
      }
      throw bad(spec.length(), "':' and the target's port number");
    }
    int most = fields.get(0).isPath ? 1 : 2;
    if (listenFields > most) {
      throw bad(
          fields.get(listenFields - 1).start - 1,
          most == 1 ? "a target of host:port or a socket's path" : "one target");
    }
    return listenFields;
  }

  private Listen listenBeforeTarget(List<Field> fields, Ports ports) {
    return listenFields(fields, ports) == 1
        ? listen(null, fields.get(0), ports)
        : listen(fields.get(0), fields.get(1), ports);
  }

  private Target targetOf(List<Field> fields, Ports ports) {
    int first = listenFields(fields, ports);
    var last = fields.getLast();
    return first == fields.size() - 1 ? new Target.Unix(path(last)) : tcp(fields.get(first), last);
  }

  private Target.Tcp tcp(Field host, Field port) {
    if (host.isPath) {
      throw bad(port.start - 1, "the end, after the socket to connect to");
    }
    if (host.text.isEmpty()) {
      throw bad(host.start, "a host name");
    }
    return new Target.Tcp(host(host), port(port, Ports.CONNECT));
  }

  private Listen listen(@Nullable Field bind, Field field, Ports ports) {
    if (field.isPath) {
      if (bind != null) {
        throw bad(field.start, ports.expected);
      }
      return new Listen.Unix(path(field));
    }
    return new Listen.Tcp(bind == null ? null : host(bind), port(field, ports));
  }

  private String host(Field field) {
    if (field.text.length() > MAX_HOST) {
      throw bad(field.start, "a name of at most %d characters".formatted(MAX_HOST));
    }
    return field.text;
  }

  private String path(Field field) {
    if (field.text.getBytes(StandardCharsets.UTF_8).length > MAX_SOCKET_PATH) {
      throw bad(field.start, "a socket's path of at most %d bytes".formatted(MAX_SOCKET_PATH));
    }
    return field.text;
  }

  private int port(Field field, Ports ports) {
    if (!isNumber(field.text)) {
      int wrong = field.start;
      while (wrong < field.end && spec.charAt(wrong) >= '0' && spec.charAt(wrong) <= '9') {
        wrong++;
      }
      throw bad(wrong, ports.expected);
    }
    // Nine digits fit an int; more can only be leading zeros or too much.
    int value = field.text.length() > 9 ? Integer.MAX_VALUE : Integer.parseInt(field.text);
    if (value < ports.least || value > 65535) {
      throw bad(field.start, ports.expected);
    }
    return value;
  }

  private BadSpecException bad(int column, String expected) {
    return new BadSpecException(kind, spec, column, expected);
  }

  // --- writing ---

  static String bracketed(String host) {
    return host.indexOf(':') >= 0 || host.indexOf('/') >= 0 ? "[" + host + "]" : host;
  }

  static String escaped(String path) {
    return path.replace("\\", "\\\\").replace(":", "\\:");
  }
}
