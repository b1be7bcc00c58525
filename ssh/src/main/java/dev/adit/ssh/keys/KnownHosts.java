package dev.adit.ssh.keys;

import dev.adit.ssh.wire.MalformedDataException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The host keys in known_hosts files (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT) as they were when they
 * were read. Safe on any thread. Changing the files is {@link KnownHostsFile}'s work.
 */
public final class KnownHosts {
  /** The port that is left out of names. */
  static final int DEFAULT_PORT = 22;

  /** What stands before the names of a line. */
  public enum Marker {
    NONE(""),
    CERT_AUTHORITY("@cert-authority"),
    REVOKED("@revoked");

    private final String text;

    Marker(String text) {
      this.text = text;
    }

    static Optional<Marker> of(String text) {
      return List.of(values()).stream().filter(m -> m.text.equals(text)).findAny();
    }
  }

  /** A key on a line of a file; lines count from 1. */
  public record Entry(Path file, int line, Marker marker, String names, SshPublicKey key) {
    /** {@code file:line}. */
    public String where() {
      return file + ":" + line;
    }
  }

  /** A line that is passed over, and why. */
  public record Problem(Path file, int line, String message) {
    @Override
    public String toString() {
      return file + ":" + line + ": " + message;
    }
  }

  /** What the files say about a host's key. */
  public sealed interface Verdict {
    /** It is the host's key. */
    record Known(Entry entry) implements Verdict {}

    /** It is a certificate by an authority that is trusted for this host. */
    record Certified(Entry authority) implements Verdict {}

    /**
     * Nothing is known of this host.
     *
     * @param otherNames where the same key is known under other names
     */
    record Unknown(List<Entry> otherNames) implements Verdict {}

    /**
     * Another key is known for this host.
     *
     * @param known one of the offered key's type, if there is one; otherwise the server shows a
     *     type of key that was never seen from it, which an attacker without its keys would do
     * @param all every key that is known for the host
     */
    record Changed(Entry known, List<Entry> all) implements Verdict {}

    /** The key, or the authority that certified it, is marked as revoked. */
    record Revoked(Entry entry) implements Verdict {}
  }

  /** A line, as far as it is understood without looking at its key. */
  private record Line(
      Path file, int number, Marker marker, String names, String type, String base64) {}

  private final List<Line> lines = new ArrayList<>();
  private final List<Problem> problems = Collections.synchronizedList(new ArrayList<>());

  private KnownHosts() {}

  /** Reads files, the user's before the system's. A file that doesn't exist is empty. */
  public static KnownHosts read(List<Path> files) throws IOException {
    KnownHosts known = new KnownHosts();
    for (Path file : files) {
      known.read(file);
    }
    return known;
  }

  private void read(Path file) throws IOException {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(KeyLimits.MAX_KNOWN_HOSTS + 1);
    } catch (NoSuchFileException absent) {
      return;
    }
    if (bytes.length > KeyLimits.MAX_KNOWN_HOSTS) {
      throw new IOException(file + ": more than " + KeyLimits.MAX_KNOWN_HOSTS + " bytes");
    }
    int number = 0;
    for (String text : new String(bytes, StandardCharsets.UTF_8).split("\n", -1)) {
      number++;
      try {
        Line line = parse(file, number, text.strip());
        if (line != null) {
          lines.add(line);
        }
      } catch (MalformedDataException e) {
        problems.add(new Problem(file, number, String.valueOf(e.getMessage())));
      }
    }
  }

  private static @Nullable Line parse(Path file, int number, String text)
      throws MalformedDataException {
    if (text.isEmpty() || text.startsWith("#")) {
      return null;
    }
    Marker marker = Marker.NONE;
    String rest = text;
    if (text.startsWith("@")) {
      String[] words = text.split("[ \t]+", 2);
      marker =
          Marker.of(words[0])
              .orElseThrow(
                  () ->
                      new MalformedDataException(
                          "unknown marker; there are @cert-authority and @revoked"));
      rest = words.length == 2 ? words[1] : "";
    }
    String[] words = rest.split("[ \t]+", 4);
    if (words.length < 3) {
      throw new MalformedDataException("needs host names, a key type and the key in base64");
    }
    return new Line(file, number, marker, words[0], words[1], words[2]);
  }

  /** The lines that were passed over so far: keys are looked into only when their host is. */
  public List<Problem> problems() {
    synchronized (problems) {
      return List.copyOf(problems);
    }
  }

  /**
   * What the files say about a key that a host showed. A certificate counts if an authority on a
   * line for this host signed it (whether it holds for the host is {@link Certificate#checkHost}'s
   * question), otherwise as the key in it.
   *
   * @param host name, address, or HostKeyAlias
   * @param port 22 for a HostKeyAlias: it stands for itself, whatever the port
   */
  public Verdict lookup(String host, int port, SshPublicKey key) {
    List<Entry> entries = entries(host, port);
    for (Entry entry : entries) {
      if (entry.marker == Marker.REVOKED && concerns(entry.key, key)) {
        return new Verdict.Revoked(entry);
      }
    }
    if (key instanceof Certificate certificate) {
      for (Entry entry : entries) {
        if (entry.marker == Marker.CERT_AUTHORITY && entry.key.equals(certificate.authority())) {
          return new Verdict.Certified(entry);
        }
      }
    }
    SshPublicKey plain = key.plain();
    List<Entry> known = entries.stream().filter(e -> e.marker == Marker.NONE).toList();
    for (Entry entry : known) {
      if (entry.key.equals(plain)) {
        return new Verdict.Known(entry);
      }
    }
    if (known.isEmpty()) {
      return new Verdict.Unknown(withKey(plain));
    }
    Entry sameType =
        known.stream()
            .filter(e -> e.key.type() == plain.type())
            .findFirst()
            .orElse(known.getFirst());
    return new Verdict.Changed(sameType, known);
  }

  private static boolean concerns(SshPublicKey revoked, SshPublicKey key) {
    return revoked.plain().equals(key.plain())
        || (key instanceof Certificate certificate
            && revoked.plain().equals(certificate.authority()));
  }

  /** All lines about a host, with those of authorities and of revoked keys. */
  public List<Entry> entries(String host, int port) {
    String name = name(host, port);
    List<Entry> entries = new ArrayList<>();
    for (Line line : lines) {
      if (HostPatterns.matches(line.names, name)) {
        Entry entry = entry(line);
        if (entry != null) {
          entries.add(entry);
        }
      }
    }
    return entries;
  }

  /** Where a key is known, under whatever name. */
  public List<Entry> withKey(SshPublicKey key) {
    String base64 = Base64.getEncoder().encodeToString(key.blob());
    List<Entry> entries = new ArrayList<>();
    for (Line line : lines) {
      if (line.marker == Marker.NONE && line.base64.equals(base64)) {
        entries.add(new Entry(line.file, line.number, line.marker, line.names, key));
      }
    }
    return entries;
  }

  private @Nullable Entry entry(Line line) {
    try {
      // Even a key that is too weak to be used tells that the host is known, and by what.
      SshPublicKey key =
          SshPublicKey.parseBase64(line.type, line.base64, SshPublicKey.LOWEST_MIN_RSA_BITS);
      return new Entry(line.file, line.number, line.marker, line.names, key);
    } catch (MalformedDataException e) {
      Problem problem = new Problem(line.file, line.number, String.valueOf(e.getMessage()));
      synchronized (problems) {
        if (!problems.contains(problem)) {
          problems.add(problem);
        }
      }
      return null;
    }
  }

  /**
   * Puts the host key algorithms first for which this host's key is known, so that a server with
   * several keys shows the one that can be checked (RFC 4253 section 7.1: the first in common
   * wins). Within the known and within the others the order stays as it was.
   */
  public List<String> preferKnown(String host, int port, Collection<String> algorithms) {
    List<Entry> entries = entries(host, port);
    List<String> known = new ArrayList<>();
    List<String> others = new ArrayList<>();
    for (String algorithm : algorithms) {
      (isKnown(entries, algorithm) ? known : others).add(algorithm);
    }
    known.addAll(others);
    return known;
  }

  private static boolean isKnown(List<Entry> entries, String algorithm) {
    var type = KeyType.ofAlgorithm(algorithm);
    boolean certificate = KeyType.isCertificateAlgorithm(algorithm);
    return entries.stream()
        .anyMatch(
            entry ->
                switch (entry.marker) {
                  case CERT_AUTHORITY -> certificate;
                  case NONE -> type.isPresent() && entry.key.type() == type.get();
                  case REVOKED -> false;
                });
  }

  /** How a host stands in the files: in lower case, and {@code [host]:port} unless that is 22. */
  public static String name(String host, int port) {
    String lower = host.toLowerCase(Locale.ROOT);
    return port == DEFAULT_PORT ? lower : "[" + lower + "]:" + port;
  }
}
