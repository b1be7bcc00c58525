package dev.adit.ssh.keys;

import dev.adit.ssh.wire.MalformedDataException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/**
 * The keys that let a user in, as in an authorized_keys file (sshd(8)): one on a line, perhaps with
 * options before it. A line that can't be understood lets nobody in and does the others no harm.
 * Immutable, safe on any thread.
 */
public final class AuthorizedKeys {
  /**
   * A line with the key that was looked for.
   *
   * @param number counts from 1
   */
  public record Entry(int number, KeyOptions options) {}

  /** Told of lines which would have been about the key, and can't be used. */
  @FunctionalInterface
  public interface Problems {
    /**
     * @param line counts from 1
     * @param why in sshd's words
     */
    void found(int line, String why);
  }

  private final byte[] file;

  private AuthorizedKeys(byte[] file) {
    this.file = file;
  }

  /**
   * @throws MalformedDataException if the file is longer than {@link KeyLimits#MAX_AUTHORIZED_KEYS}
   */
  public static AuthorizedKeys parse(byte[] file) throws MalformedDataException {
    if (file.length > KeyLimits.MAX_AUTHORIZED_KEYS) {
      throw new MalformedDataException("more than " + KeyLimits.MAX_AUTHORIZED_KEYS + " bytes");
    }
    return new AuthorizedKeys(file.clone());
  }

  /**
   * The lines that may let this key in, from the top. For a certificate these are the lines of its
   * authority that are marked {@code cert-authority}; whether the certificate holds is another
   * question. Only lines with the key are looked at closely, so that a long file costs little.
   */
  public List<Entry> find(SshPublicKey key, Problems problems) {
    SshPublicKey wanted = key instanceof Certificate certificate ? certificate.authority() : key;
    boolean byAuthority = key instanceof Certificate;
    List<Entry> found = new ArrayList<>();
    for (Line line : Line.split(file)) {
      String text = line.text();
      int options = isType(text) ? 0 : KeyOptions.end(text);
      if (options < 0 || !holds(text.substring(options).strip(), wanted)) {
        continue;
      }
      if (line.isTooLong()) {
        problems.found(line.number(), "more than " + KeyLimits.MAX_AUTHORIZED_LINE + " bytes");
        continue;
      }
      try {
        KeyOptions parsed = KeyOptions.parse(text.substring(0, options));
        if (parsed.certAuthority() == byAuthority) {
          found.add(new Entry(line.number(), parsed));
        }
      } catch (MalformedDataException e) {
        problems.found(line.number(), "bad key options: " + e.getMessage());
      }
    }
    return found;
  }

  /** Whether a line begins with a key, and so has no options. */
  private static boolean isType(String text) {
    int space = KeyOptions.end(text);
    return space > 0 && KeyType.ofKeyName(text.substring(0, space)).isPresent();
  }

  private static boolean holds(String keyAndComment, SshPublicKey wanted) {
    String[] words = keyAndComment.split("[ \t]+", 3);
    if (words.length < 2 || !words[0].equals(wanted.typeName())) {
      return false;
    }
    try {
      return Arrays.equals(Base64.getDecoder().decode(words[1]), wanted.blob());
    } catch (IllegalArgumentException notBase64) {
      return false;
    }
  }

  /**
   * A line that isn't empty nor a comment.
   *
   * @param number counts from 1
   * @param text without space around it; of a line that is too long, the beginning
   */
  record Line(int number, String text, boolean isTooLong) {

    static List<Line> split(byte[] file) {
      List<Line> lines = new ArrayList<>();
      int number = 0;
      for (int start = 0; start < file.length; ) {
        int end = start;
        while (end < file.length && file[end] != '\n') {
          end++;
        }
        number++;
        int length = Math.min(end - start, KeyLimits.MAX_AUTHORIZED_LINE);
        String text = new String(file, start, length, StandardCharsets.UTF_8).strip();
        // In C a NUL ends the text, so who reads it there would see another line than we do.
        if (!text.isEmpty() && !text.startsWith("#") && text.indexOf('\0') < 0) {
          lines.add(new Line(number, text, end - start > KeyLimits.MAX_AUTHORIZED_LINE));
        }
        start = end + 1;
      }
      return lines;
    }
  }
}
