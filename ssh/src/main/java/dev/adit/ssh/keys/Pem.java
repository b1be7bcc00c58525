package dev.adit.ssh.keys;

import dev.adit.ssh.wire.MalformedDataException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The text armour of key files (RFC 7468, and the headers of RFC 1421 in old files). */
record Pem(String label, Map<String, String> headers, byte[] bytes) {
  private static final String BEGIN = "-----BEGIN ";
  private static final String END = "-----END ";
  private static final String DASHES = "-----";

  /** The first armoured block. */
  static Pem parse(byte[] text) throws MalformedDataException {
    List<String> lines = new String(text, StandardCharsets.ISO_8859_1).lines().toList();
    int at = 0;
    while (at < lines.size() && !lines.get(at).startsWith(BEGIN)) {
      at++;
    }
    if (at == lines.size()) {
      throw new MalformedDataException("there is no line BEGIN ... PRIVATE KEY");
    }
    String begin = lines.get(at++).strip();
    if (!begin.endsWith(DASHES) || begin.length() < BEGIN.length() + DASHES.length()) {
      throw new MalformedDataException("the BEGIN line is cut short");
    }
    String label = begin.substring(BEGIN.length(), begin.length() - DASHES.length());
    Map<String, String> headers = new HashMap<>();
    for (; at < lines.size() && lines.get(at).contains(":"); at++) {
      String[] header = lines.get(at).split(":", 2);
      headers.put(header[0].strip(), header[1].strip());
    }
    byte[] base64 = new byte[text.length];
    int length = 0;
    for (; at < lines.size(); at++) {
      String line = lines.get(at).strip();
      if (line.startsWith(DASHES)) {
        if (!line.equals(END + label + DASHES)) {
          throw new MalformedDataException("the END line is cut short, or not that of its BEGIN");
        }
        return new Pem(label, Map.copyOf(headers), decode(base64, length));
      }
      for (int i = 0; i < line.length(); i++) {
        base64[length++] = (byte) line.charAt(i);
      }
    }
    throw new MalformedDataException("cut short: there is no line END " + label);
  }

  private static byte[] decode(byte[] base64, int length) throws MalformedDataException {
    byte[] exact = Arrays.copyOf(base64, length);
    try {
      return Base64.getDecoder().decode(exact);
    } catch (IllegalArgumentException e) {
      throw new MalformedDataException("the base64 text is damaged or cut short", e);
    } finally {
      Arrays.fill(exact, (byte) 0);
      Arrays.fill(base64, (byte) 0);
    }
  }
}
